// A model's card: image, bar, clock and figures, painted in place so that nothing blinks and nothing grows.
lab.lane = (element, props, watch) => {
  const names = ['lane', 'image', 'bar', 'clock', 'unit', 'note', 'figures', 'wide'];
  const parts = Object.fromEntries(names.map((name) => [name, lab.parts(element)(name)]));
  let ticking = 0;
  let base = 0;
  let since = 0;
  const clock = (ms) => {
    const words = ms === null ? ' ' : lab.format.duration(ms);
    const cut = words.lastIndexOf(' '); // the value is large, its last unit small
    parts.clock.textContent = words.slice(0, cut);
    parts.unit.textContent = words.slice(cut + 1);
  };
  const tick = () => {
    clock(base + performance.now() - since);
    ticking = requestAnimationFrame(tick);
  };
  const fit = () => {
    const room = parts.image.parentElement.clientWidth;
    const own = parts.image.naturalWidth;
    if (!room || !own) return;
    const scale = Math.floor((room * devicePixelRatio) / own) / devicePixelRatio; // whole screen pixels a pixel
    parts.image.style.width = scale * own >= 0.84 * room ? `${scale * own}px` : '100%';
  };
  parts.image.addEventListener('load', fit);
  new ResizeObserver(fit).observe(parts.image.parentElement);

  const time = ({ ms, state }) => {
    if (ms === undefined) return;
    base = ms;
    since = performance.now();
    if (state === 'running' && ms !== null) tick();
    else clock(ms);
  };
  const figures = (pairs) => {
    [...parts.figures.children].forEach((row, i) => {
      row.hidden = i >= pairs.length;
      if (!row.hidden) [row.children[0].textContent, row.children[1].textContent] = pairs[i];
    });
  };
  const paint = () => {
    const value = props.value;
    if (!value || typeof value !== 'object') return;
    cancelAnimationFrame(ticking);
    parts.lane.dataset.state = value.state;
    parts.lane.dataset.index = value.index ?? '';
    lab.picture(parts.image, value.image);
    lab.picture(parts.wide, value.wide);
    if (value.alt) parts.image.alt = value.alt;
    parts.lane.classList.toggle('empty', !parts.image.getAttribute('src'));
    parts.bar.style.width = `${100 * (value.share ?? 0)}%`;
    parts.note.textContent = value.note ?? '';
    time(value);
    if (value.figures) figures(value.figures);
  };
  watch('value', paint);
  paint();
};
