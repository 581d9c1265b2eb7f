// Time-lapses: all grids are here already, so moving the slider asks the server for nothing.
lab.timelapse = (element, props, watch, server, page) => {
  const [whole, grids, play, slider, label, gif, words] = [
    'timelapse',
    'grids',
    'play',
    'slider',
    'label',
    'gif',
    'words',
  ].map(lab.parts(element));
  const SECONDS = 9; // a whole run takes about so long to play
  let drawn = [];
  let shown = '';
  let timer = 0;

  const make = (grid) => {
    const [width, height] = grid.size;
    const name = lab.make('b', { textContent: grid.name });
    const image = lab.make('img', { width, height });
    const caption = lab.make('span');
    const head = lab.make('figcaption', {}, name, caption);
    const figure = lab.make('figure', { className: `f-${grid.family}` }, head, image);
    return { figure, image, name, caption, grid };
  };
  const show = () => {
    const place = Number(slider.value);
    const value = props.value;
    label.textContent = drawn.length === 1 ? drawn[0].grid.captions[drawn[0].grid.shown[place]] : value.labels[place];
    slider.setAttribute('aria-valuetext', label.textContent);
    drawn.forEach(({ image, name, caption, grid }) => {
      const index = grid.shown[place];
      const last = grid.finished && index === grid.images.length - 1;
      if (image.dataset.index !== String(index)) image.src = grid.images[index];
      image.dataset.index = index;
      image.alt = `${grid.name}: images after ${grid.captions[index]}`;
      name.textContent = last ? `${grid.name}, finished` : grid.name;
      caption.textContent = grid.captions[index];
    });
  };
  const keep = () => lab.address.say(page, { moment: slider.value === slider.max ? '' : slider.value });
  const halt = () => {
    if (timer) keep();
    clearInterval(timer);
    timer = 0;
    play.textContent = 'Play';
    play.setAttribute('aria-label', 'Play the training');
  };
  const start = () => {
    const last = Number(slider.max);
    if (Number(slider.value) >= last) slider.value = 0;
    play.textContent = 'Pause';
    play.setAttribute('aria-label', 'Pause');
    timer = setInterval(
      () => {
        if (!element.isConnected || Number(slider.value) >= last) return halt();
        slider.value = Number(slider.value) + 1;
        show();
        if (Number(slider.value) >= last) halt();
      },
      Math.min(300, Math.max(80, (1000 * SECONDS) / (last + 1))),
    );
    show();
  };
  const paint = () => {
    const value = props.value;
    if (!value || typeof value !== 'object') return;
    halt();
    words.textContent = value.words ?? '';
    const some = Boolean(value.grids?.length);
    whole.hidden = !some;
    const key = some ? `${value.axis} ${value.grids.map((grid) => `${grid.name}:${grid.images.length}`)}` : '';
    if (!some) {
      shown = '';
      return;
    }
    drawn = value.grids.map(make);
    grids.replaceChildren(...drawn.map(({ figure }) => figure));
    grids.classList.toggle('alone', drawn.length === 1);
    slider.max = value.labels.length - 1;
    const place = shown === '' ? lab.address.of(page, 'moment') : '';
    if (key !== shown) slider.value = place || slider.max; // the finished model first; Play begins at the beginning
    shown = key;
    show();
    keep();
  };
  slider.addEventListener('input', () => {
    halt();
    show();
    keep();
  });
  play.addEventListener('click', () => (timer ? halt() : start()));
  gif.addEventListener('click', async () => {
    gif.disabled = true;
    words.textContent = 'Making the GIF.';
    try {
      const names = drawn.map(({ grid }) => grid.name);
      const answer = await server.film({ names, axis: props.value.axis });
      if (answer.gif) lab.save(`data:image/gif;base64,${answer.gif}`, `${names.join('-').replaceAll('/', '-')}.gif`);
      words.textContent = answer.problem ?? props.value.words ?? '';
    } catch {
      words.textContent = 'The GIF could not be made: the server did not answer.';
    }
    gif.disabled = false;
  });
  watch('value', paint);
  paint();
};
