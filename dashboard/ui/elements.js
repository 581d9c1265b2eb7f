// What every script does with elements: find a part, make one, wait for one, paint a picture or a slider's track.

lab.parts = (element) => (name) => element.querySelector(`[data-at="${name}"]`);

lab.make = (tag, properties = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
};

// Calls `act` with what `find` finds, at the frame at which it first finds something.
lab.when = (find, act, tries = 600) => {
  const found = find();
  if (found) act(found);
  else if (tries > 0) requestAnimationFrame(() => lab.when(find, act, tries - 1));
};

lab.picture = (image, source) => {
  // undefined keeps what is there, '' takes it away
  if (!image || source === undefined || image.getAttribute('src') === source) return;
  if (source) image.src = source;
  else image.removeAttribute('src');
};

lab.fill = (range) => {
  const share = (range.value - range.min) / (range.max - range.min || 1);
  range.style.setProperty('--share', `${100 * share}%`);
};

lab.press = (buttons, on) => {
  buttons.forEach((button, i) => {
    button.setAttribute('aria-pressed', String(on(button, i)));
  });
};
