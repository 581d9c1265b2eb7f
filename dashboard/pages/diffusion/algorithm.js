// An algorithm walked line by line: which line is lit, and which tensors are filled by then.
(() => {
  // The cells filled by a moment of a pass: its own and those of the moments before it.
  const filled = (beats, moment) => new Set(beats.slice(0, moment + 1).flatMap((beat) => beat.cells));

  lab.algorithm = (element, props, watch, trigger) => {
    const at = lab.parts(element);
    const lines = [...at('lines').children];
    const cells = [...element.querySelectorAll('[data-cell]')];
    let key = null; // of the pass that is shown
    let moment = 0;
    let asked = false; // for another pass
    const ask = (data) => {
      if (asked) return;
      asked = true;
      trigger('ask', data);
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
    };
    const paint = () => {
      const value = props.value;
      if (!value || typeof value !== 'object') return;
      at('problem').textContent = value.problem ?? '';
      asked = Boolean(value.more);
      if (!value.beats) return;
      if (value.key !== key || value.end) moment = value.end ? value.beats.length - 1 : 0;
      key = value.key;
      draw();
    };
    at('next').addEventListener('click', () => {
      const beats = props.value?.beats;
      if (!beats || moment === beats.length - 1) return ask({ what: 'next' });
      moment += 1;
      draw();
    });
    at('go').addEventListener('click', () => ask({ what: 'run' }));
    at('restart').addEventListener('click', () => ask({ what: 'restart' }));
    watch('value', paint);
    paint();
  };
  lab.algorithm.filled = filled;
})();
