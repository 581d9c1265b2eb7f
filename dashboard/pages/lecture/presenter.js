// Presenting: the whole screen, large type, the arrow keys alone.
lab.presenter = (() => {
  const body = () => document.body.classList;
  const turn = (on = !body().contains('presenting')) => {
    if (on === body().contains('presenting')) return;
    body().toggle('presenting', on);
    document.querySelector('#lecture-bar .present')?.setAttribute('aria-pressed', String(on));
    if (on)
      document.documentElement.requestFullscreen?.().catch(() => {}); // without it the type is large all the same
    else if (document.fullscreenElement) document.exitFullscreen();
  };
  document.addEventListener('fullscreenchange', () => {
    if (!document.fullscreenElement) turn(false); // Escape
  });
  return { turn };
})();
