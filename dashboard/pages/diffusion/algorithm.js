// An algorithm walked line by line: which line is lit, and which tensors are filled by then.
(() => {
  // The cells filled by a moment of a pass: its own and those of the moments before it.
  const filled = (beats, moment) => new Set(beats.slice(0, moment + 1).flatMap((beat) => beat.cells));

  // A place as an address writes it, '3-2': step 3 at its second moment.
  const place = (text) => {
    const [pass, second] = text.split('-').map(Number);
    return pass ? { pass, moment: (second || 1) - 1 } : null;
  };

  lab.algorithm = (element, props, watch, trigger, name) => {
    const at = lab.parts(element);
    const lines = [...at('lines').children];
    const cells = [...element.querySelectorAll('[data-cell]')];
    let key = null; // of the pass that is shown
    let moment = 0;
    let asked = false; // for another pass
    let wished; // the place that the address asks for; undefined before the page is shown, null when it is there
    const ask = (data) => {
      if (asked) return;
      asked = true;
      trigger('ask', data);
    };
    const press = (what) => {
      wished = null;
      ask({ what });
    };
    const draw = () => {
      const { beats, pictures, over } = props.value;
      const beat = beats[moment];
      const there = filled(beats, moment);
      lines.forEach((line, i) => {
        if (i + 1 === beat.line) line.setAttribute('aria-current', 'step');
        else line.removeAttribute('aria-current');
      });
      for (const cell of cells) {
        const name = cell.dataset.cell;
        const image = cell.querySelector('img');
        lab.picture(image, there.has(name) ? pictures[name] : '');
        image.alt = there.has(name) ? cell.textContent : '';
        cell.classList.toggle('fresh', beat.cells.includes(name));
      }
      at('words').textContent = beat.words;
      const figures = beats.slice(0, moment + 1).map((one) => one.figures);
      at('figures').textContent = figures.filter(Boolean).join('; ');
      const done = Boolean(over) && moment === beats.length - 1;
      at('next').disabled = done;
      at('go').disabled = done;
      if (!wished) lab.address.say('diffusion', { [name]: props.value.at ? `${props.value.at}-${moment + 1}` : '' });
    };
    // At the beginning the address may ask for another place; it is had with the value of its pass.
    const follow = () => {
      const { at: pass, more, beats } = props.value;
      if (wished === undefined) {
        wished = pass ? null : place(lab.address.of('diffusion', name));
        if (wished) setTimeout(() => ask({ what: 'at', at: wished.pass }), 300); // after what came with this value
      } else if (wished && (!pass || pass === wished.pass)) {
        if (pass) moment = Math.min(wished.moment, beats.length - 1);
        if (!more) wished = null;
      }
    };
    const paint = () => {
      const value = props.value;
      if (!value || typeof value !== 'object') return;
      at('problem').textContent = value.problem ?? '';
      asked = Boolean(value.more);
      if (!value.beats) return;
      if (value.key !== key || value.end) moment = value.end ? value.beats.length - 1 : 0;
      key = value.key;
      follow();
      draw();
    };
    at('next').addEventListener('click', () => {
      const beats = props.value?.beats;
      if (!beats || moment === beats.length - 1) return press('next');
      moment += 1;
      draw();
    });
    at('go').addEventListener('click', () => press('run'));
    at('restart').addEventListener('click', () => press('restart'));
    watch('value', paint);
    paint();
  };
  lab.algorithm.filled = filled;
  lab.algorithm.place = place;
})();
