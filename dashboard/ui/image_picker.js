// The image that a page's panels are about: a strip to choose from, and a pad to draw on. Python centres the drawing.
lab.imagePicker = (element, props, watch, trigger, page) => {
  const at = lab.parts(element);
  const [images, pad, drawn, drawing, words] = ['images', 'pad', 'drawn', 'drawing', 'words'].map(at);
  const [picker, strip] = ['picker', 'strip'].map(at); // the strip: the images again, small, while the picker is above
  const ink = pad.getContext('2d', { willReadFrequently: true });
  const BRUSH = 10; // of the pad's 112: about the stroke of a test image's digit once it is scaled
  let shown = '';

  const press = (index) => {
    lab.press([...images.children, drawn], (_, i) => i === index);
    lab.press([...strip.children], (_, i) => i === index);
  };
  const choose = (index) => {
    press(index);
    trigger('choose', { index });
  };
  const fill = (list, names) => {
    const button = (source, index) => {
      const title = names[index] ?? `image ${index + 1}`;
      const one = lab.make('button', { type: 'button', title }, lab.make('img', { src: source, alt: title }));
      one.addEventListener('click', () => choose(index));
      return one;
    };
    images.replaceChildren(...list.map(button));
    strip.replaceChildren(...list.map(button));
  };
  const paint = () => {
    const value = props.value;
    if (!value?.images) return;
    const key = value.images.join();
    if (key !== shown) fill(value.images, value.names);
    shown = key;
    drawn.hidden = !value.drawn;
    at('draw').hidden = value.pad === false; // images in colour are not drawn in white on black
    if (value.drawn) drawing.src = value.drawn;
    press(value.chosen);
    words.textContent = value.problem || value.words;
    words.classList.toggle('problem', Boolean(value.problem));
    picker.dataset.chosen = value.chosen;
    const mine = value.chosen >= value.images.length; // a drawing, which no address can hold
    lab.address.say(page, { image: mine || !value.chosen ? '' : value.chosen + 1, shuffles: value.shuffles || '' });
    lab.lacking(page, value.drawn ? 'your drawing is not in the link: it is in this browser alone.' : '');
  };

  // ---- the pad
  const clear = () => {
    ink.fillStyle = '#000';
    ink.fillRect(0, 0, pad.width, pad.height);
    pad.classList.remove('used');
  };
  const spot = (event) => {
    const box = pad.getBoundingClientRect();
    return [
      ((event.clientX - box.left) * pad.width) / box.width,
      ((event.clientY - box.top) * pad.height) / box.height,
    ];
  };
  const stroke = (from, to) => {
    ink.lineCap = ink.lineJoin = 'round';
    [
      [BRUSH + 4, 0.25],
      [BRUSH + 2, 0.5],
      [BRUSH, 1],
    ].forEach(([width, alpha]) => {
      // a soft rim
      ink.lineWidth = width;
      ink.strokeStyle = `rgba(255, 255, 255, ${alpha})`;
      ink.beginPath();
      ink.moveTo(...from);
      ink.lineTo(to[0] + 0.01, to[1]); // a tap leaves a dot
      ink.stroke();
    });
  };
  const send = () => {
    const values = ink.getImageData(0, 0, pad.width, pad.height).data;
    const pixels = Array.from({ length: pad.height }, (_, y) =>
      Array.from({ length: pad.width }, (__, x) => values[4 * (y * pad.width + x)]),
    );
    trigger('draw', { pixels });
  };
  let last = null;
  pad.addEventListener('pointerdown', (event) => {
    if (event.button) return;
    event.preventDefault();
    pad.setPointerCapture(event.pointerId);
    pad.classList.add('used');
    last = spot(event);
    stroke(last, last);
  });
  pad.addEventListener('pointermove', (event) => {
    if (!last) return;
    const path = event.getCoalescedEvents?.() ?? [];
    (path.length ? path : [event]).forEach((one) => {
      const now = spot(one);
      stroke(last, now);
      last = now;
    });
  });
  const lift = () => {
    if (!last) return;
    last = null;
    send();
  };
  for (const name of ['pointerup', 'pointercancel']) pad.addEventListener(name, lift);
  drawn.addEventListener('click', () => choose(images.children.length));
  at('clear').addEventListener('click', () => {
    clear();
    if (!drawn.hidden) trigger('clear', {});
  });
  at('shuffle').addEventListener('click', () => trigger('shuffle', {}));
  clear();
  const header = document.getElementById('top');
  const above = () => Math.max(0, header?.getBoundingClientRect().bottom ?? 0);
  new IntersectionObserver(([{ isIntersecting, boundingClientRect: box }]) => {
    strip.hidden = isIntersecting || box.height === 0 || box.top > 0; // 0: another page is shown
    strip.style.top = `${above()}px`;
  }).observe(picker);
  watch('value', paint);
  paint();
};
