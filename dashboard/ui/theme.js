// Light and dark: the choice is kept by the browser, and who draws is told when it changes.
{
  const kept = (() => {
    try {
      return localStorage.getItem('theme');
    } catch {
      return null; // private windows
    }
  })();
  const asked = new URLSearchParams(location.search).get('__theme');
  const paint = () => {
    if (!document.body) return requestAnimationFrame(paint);
    if (kept && !asked) document.body.classList.toggle('dark', kept === 'dark');
  };
  paint();

  lab.theme = () => {
    const dark = document.body.classList.toggle('dark');
    try {
      localStorage.setItem('theme', dark ? 'dark' : 'light');
    } catch {
      // private windows
    }
  };

  lab.dark = () => document.body.classList.contains('dark');

  lab.onTheme = (draw) => {
    let before = lab.dark();
    const look = () => {
      const changed = before !== lab.dark();
      before = lab.dark();
      if (changed) draw();
    };
    new MutationObserver(look).observe(document.body, { attributeFilter: ['class'] });
  };
}
