// Presenting: the whole screen, large type, the arrow keys alone; and a QR code of the step for the class's phones.
lab.presenter = (() => {
  const body = () => document.body.classList;
  const press = (name, on) => document.querySelector(`#lecture-bar .${name}`)?.setAttribute('aria-pressed', String(on));
  const turn = (on = !body().contains('presenting')) => {
    if (on === body().contains('presenting')) return;
    body().toggle('presenting', on);
    press('present', on);
    // without the whole screen the type is large all the same
    if (on) document.documentElement.requestFullscreen?.().catch(() => {});
    else if (document.fullscreenElement) document.exitFullscreen();
  };
  document.addEventListener('fullscreenchange', () => {
    if (!document.fullscreenElement) turn(false); // Escape
  });

  // Whether an address leads other machines nowhere: that of the machine itself.
  const alone = (host) => /^(localhost|127\.|\[?::1)/.test(host);
  const HINT =
    'This address is this machine’s alone. For the class’s phones start the app with GRADIO_SERVER_NAME=0.0.0.0.';
  const drawn = new Map(); // by address
  const draw = async (address) => {
    if (!drawn.has(address)) {
      const answer = await fetch('gradio_api/run/lecture_qr', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ data: [address] }),
      });
      drawn.set(address, (await answer.json()).data[0]);
    }
    return drawn.get(address);
  };
  let shown = false;
  const card = () => {
    let node = document.getElementById('lecture-qr');
    if (!node) {
      node = lab.make('div', { id: 'lecture-qr', hidden: true });
      node.setAttribute('role', 'status');
      document.body.append(node);
    }
    return node;
  };
  const moved = async () => {
    if (!shown) return;
    const address = location.origin + location.pathname + (lab.lecture?.step()?.href ?? location.hash);
    const picture = alone(location.hostname) ? '' : await draw(address);
    const node = card();
    node.innerHTML = picture;
    node.append(picture ? address : HINT);
  };
  const code = (on = !shown) => {
    shown = on;
    card().hidden = !on;
    press('qr', on);
    moved();
  };
  return { turn, code, moved, alone };
})();
