// The Diversity page: whose samples the map shows, an image under the pointer, and the samples to choose from.
(() => {
  const SHOWN = 48;
  const state = { sheets: {}, family: lab.address.of('diversity', 'show') };
  const listeners = new Set();
  const changed = () => {
    for (const tell of listeners) tell();
  };

  const paint = (node, sheet, index, side) => {
    const { size, position } = lab.sprite(sheet, index, side);
    Object.assign(node.style, {
      backgroundImage: `url(${sheet.picture})`,
      backgroundSize: size,
      backgroundPosition: position,
    });
  };

  // ---- the map
  lab.map = (element, props, watch, pick) => {
    lab.figure(element, props, watch);
    const box = element.querySelector('.plot');
    const lens = element.querySelector('.lens');
    const buttons = [...element.querySelectorAll('[data-show]')];
    const only = () => {
      lab.press(buttons, (button) => button.dataset.show === state.family);
      buttons.forEach((button) => {
        button.hidden = button.dataset.show !== '' && !state.sheets[button.dataset.show];
      });
      if (!box.data || !window.Plotly) return;
      const seen = box.data.map((trace) => trace.meta === 'real' || !state.family || trace.meta === state.family);
      window.Plotly.restyle(box, { visible: seen });
    };
    const hide = () => {
      lens.hidden = true;
    };
    const which = (event) => {
      const point = event.points.find((one) => state.sheets[one.data.meta]);
      return point ? { family: point.data.meta, index: Number(point.customdata) - 1 } : null;
    };
    const look = (event) => {
      const found = which(event);
      if (!found || found.index >= state.sheets[found.family].n) return hide();
      lens.hidden = false; // first: what is hidden has no offsetParent
      const frame = lens.offsetParent.getBoundingClientRect();
      paint(lens, state.sheets[found.family], found.index, 84);
      const x = event.event.clientX - frame.left;
      const y = event.event.clientY - frame.top;
      lens.style.left = `${Math.min(x + 16, frame.width - 90)}px`;
      lens.style.top = `${y > 110 ? y - 100 : y + 18}px`;
    };
    const join = () => {
      if (!box.on) return;
      box.removeAllListeners('plotly_click');
      box.removeAllListeners('plotly_hover');
      box.removeAllListeners('plotly_unhover');
      box.on('plotly_click', (event) => {
        const found = which(event);
        if (found) pick(found);
      });
      box.on('plotly_hover', look);
      box.on('plotly_unhover', hide);
      only();
    };
    new MutationObserver(join).observe(box, { attributeFilter: ['data-drawn'] });
    for (const button of buttons)
      button.addEventListener('click', () => {
        state.family = button.dataset.show;
        lab.address.say('diversity', { show: state.family });
        changed();
      });
    listeners.add(only);
    only();
  };

  // ---- some of the samples, each a button
  lab.sheet = (element, props, watch, pick) => {
    const [title, images] = ['title', 'images'].map(lab.parts(element));
    let painted = '';
    const draw = () => {
      const family = state.sheets[state.family] ? state.family : Object.keys(state.sheets)[0];
      const sheet = state.sheets[family];
      if (!sheet) {
        title.textContent = '';
        images.replaceChildren();
        return;
      }
      const shown = Math.min(SHOWN, sheet.n);
      const key = `${family} ${sheet.n} ${sheet.picture.length} ${sheet.picture.slice(-64)}`;
      if (key === painted) return;
      painted = key;
      title.textContent = `${sheet.title}: ${shown < sheet.n ? `the first ${shown} of ${sheet.n}` : `${sheet.n} images`}, ${sheet.words}`;
      images.className = `f-${family}`;
      images.replaceChildren(
        ...Array.from({ length: shown }, (_, index) => {
          const button = lab.make('button', { type: 'button' });
          button.setAttribute('aria-label', `${sheet.title}, image ${index + 1}`);
          paint(button, sheet, index);
          button.addEventListener('click', () => {
            for (const other of images.querySelectorAll('[aria-pressed]')) other.removeAttribute('aria-pressed');
            button.setAttribute('aria-pressed', 'true');
            pick({ family, index });
          });
          return button;
        }),
      );
    };
    const take = () => {
      state.sheets = props.value && typeof props.value === 'object' ? props.value : {};
      const some = Object.keys(state.sheets).length > 0;
      if (some && state.family && !state.sheets[state.family]) state.family = '';
      changed();
    };
    listeners.add(draw);
    watch('value', take);
    take();
  };
})();
