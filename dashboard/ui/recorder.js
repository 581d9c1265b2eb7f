// Every chart can be taken away: a row of two quiet buttons saves its drawing as SVG or PNG, in the colours of now.
{
  const FIGURES = '.chart svg.fig, .panel svg.fig, .plot[data-drawn]';
  const STYLES = [
    'fill',
    'fill-opacity',
    'stroke',
    'stroke-width',
    'stroke-opacity',
    'stroke-dasharray',
    'stroke-linecap',
    'stroke-linejoin',
    'opacity',
    'font-family',
    'font-size',
    'font-weight',
    'font-style',
    'font-variant-numeric',
    'letter-spacing',
    'text-anchor',
    'dominant-baseline',
    'paint-order',
    'visibility',
    'vector-effect',
    'image-rendering',
    'r',
  ];
  const TEXT = /^(font|letter|text|dominant)/;
  const PAINTED = /^(path|rect|circle|ellipse|line|polyline|polygon|text|tspan|image|use)$/;
  const EDGE = 16; // around the drawing: labels may reach over its box
  const SHARPNESS = 2;

  // ---- which figures belong together: all those under one title
  const holder = (figure) => {
    for (let node = figure.parentElement; node; node = node.parentElement) {
      if (node.querySelector('h3')) return node;
      if (node.matches('.block, .card, .panel, .chart')) break;
    }
    return figure.parentElement;
  };
  const mine = (box) =>
    [...box.querySelectorAll('svg.fig, .plot[data-drawn]')].filter((figure) => figure.getClientRects().length);
  const title = (box) => {
    const named = box.querySelector('h3') ?? box.closest('.panel, .card')?.querySelector('h2, h3');
    return (named?.textContent ?? document.title).trim();
  };
  const paper = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (colour && colour !== 'transparent' && !/, 0\)$/.test(colour)) return colour;
    }
    return '#fff';
  };

  // ---- a drawing that needs no style sheet
  const settled = (from, to) => {
    // what the style sheets say of each node, written on its copy
    const style = getComputedStyle(from);
    if (style.display === 'none') {
      to.remove();
      return;
    }
    const worded = /^(text|tspan)$/.test(to.nodeName);
    const painted = PAINTED.test(to.nodeName);
    to.removeAttribute('class');
    to.removeAttribute('style');
    STYLES.forEach((name) => {
      if (name === 'r' ? to.nodeName !== 'circle' : name !== 'opacity' && (!painted || (TEXT.test(name) && !worded)))
        return;
      const value = style.getPropertyValue(name);
      if (value && value !== 'normal' && value !== 'auto' && !(name === 'opacity' && value === '1'))
        to.setAttribute(name, value);
    });
    const pairs = [...from.children].map((child, i) => [child, to.children[i]]);
    for (const pair of pairs) settled(...pair);
  };
  const copied = (svg, left, top) => {
    const copy = svg.cloneNode(true);
    const box = svg.getBoundingClientRect();
    settled(svg, copy);
    const places = { x: box.left - left + EDGE, y: box.top - top + EDGE, width: box.width, height: box.height };
    for (const [name, value] of Object.entries(places)) copy.setAttribute(name, value.toFixed(1));
    copy.setAttribute('overflow', 'visible');
    return copy;
  };
  const drawing = (box, figures) => {
    const boxes = figures.map((svg) => svg.getBoundingClientRect());
    const [left, top] = ['left', 'top'].map((side) => Math.min(...boxes.map((b) => b[side])));
    const [right, bottom] = ['right', 'bottom'].map((side) => Math.max(...boxes.map((b) => b[side])));
    const [width, height] = [right - left + 2 * EDGE, bottom - top + 2 * EDGE].map(Math.ceil);
    const make = (name, attributes) => {
      const node = document.createElementNS('http://www.w3.org/2000/svg', name);
      for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
      return node;
    };
    const whole = make('svg', { width, height, viewBox: `0 0 ${width} ${height}` });
    const named = make('title', {});
    named.textContent = title(box);
    whole.append(
      named,
      make('rect', { width, height, fill: paper(box) }),
      ...figures.map((svg) => copied(svg, left, top)),
    );
    return { text: new XMLSerializer().serializeToString(whole), width, height };
  };
  const raster = async ({ text, width, height }) => {
    const image = new Image();
    const canvas = document.createElement('canvas');
    image.src = URL.createObjectURL(new Blob([text], { type: 'image/svg+xml' }));
    await image.decode();
    canvas.width = SHARPNESS * width;
    canvas.height = SHARPNESS * height;
    canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height);
    URL.revokeObjectURL(image.src);
    return new Promise((done) => canvas.toBlob(done, 'image/png'));
  };
  const save = async (box, ending) => {
    const figures = mine(box);
    const plot = figures.find((figure) => figure.matches('.plot'));
    if (plot && window.Plotly) {
      const layout = { ...plot.layout, paper_bgcolor: paper(box) };
      const options = {
        format: ending,
        scale: ending === 'png' ? SHARPNESS : 1,
        width: plot.clientWidth,
        height: plot.clientHeight,
      };
      return window.Plotly.downloadImage(
        { data: plot.data, layout },
        { ...options, filename: lab.fileName(lab.inEnglish(title(box)), ending).slice(0, -4) },
      );
    }
    if (!figures.length) return undefined;
    const drawn = drawing(box, figures);
    const blob = ending === 'svg' ? new Blob([drawn.text], { type: 'image/svg+xml' }) : await raster(drawn);
    return lab.saveBlob(blob, lab.fileName(lab.inEnglish(title(box)), ending));
  };

  // ---- the buttons: beside the title, outside of the drawing
  const row = (box) => {
    const buttons = lab.make('div', { className: 'save-figure' });
    ['svg', 'png'].forEach((ending) => {
      const button = lab.make('button', { type: 'button', textContent: ending.toUpperCase() });
      button.title = `Download this figure as ${button.textContent}`;
      button.setAttribute('aria-label', `Download the figure ${title(box)} as ${button.textContent}`);
      button.addEventListener('click', (event) => {
        event.stopPropagation();
        save(box, ending);
      });
      buttons.append(button);
    });
    return buttons;
  };
  const look = () => {
    new Set([...document.querySelectorAll(FIGURES)].map(holder)).forEach((box) => {
      if (box.querySelector(':scope > .save-figure')) return;
      box.classList.add('savable');
      box.classList.toggle('savable-corner', !getComputedStyle(box).display.endsWith('block'));
      box.prepend(row(box));
    });
  };
  let due = 0;
  const soon = () => {
    if (due) return;
    due = requestAnimationFrame(() => {
      due = 0;
      look();
    });
  };
  const begin = () => {
    if (!document.body) return requestAnimationFrame(begin);
    new MutationObserver(soon).observe(document.body, {
      childList: true,
      subtree: true,
      attributeFilter: ['data-drawn'],
    });
    soon();
  };
  begin();
}
