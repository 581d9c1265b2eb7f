// The lecture: a bar below every page that leads from step to step. Which step it is stays with the browser tab.
lab.lecture = (() => {
  const KEY = 'lecture';
  const steps = () => JSON.parse(document.getElementById('lecture-steps')?.dataset.steps ?? '[]');
  const kept = () => {
    try {
      return sessionStorage.getItem(KEY);
    } catch {
      return null;
    }
  };
  const keep = (value) => {
    try {
      if (value === null) sessionStorage.removeItem(KEY);
      else sessionStorage.setItem(KEY, value);
    } catch {
      /* private windows */
    }
  };
  let place = kept() === null ? -1 : Number(kept());
  const listeners = new Set();

  const bar = () => {
    let node = document.getElementById('lecture-bar');
    if (node) return node;
    node = lab.make('aside', { id: 'lecture-bar' });
    node.setAttribute('aria-label', 'Lecture');
    node.innerHTML =
      '<button type="button" class="back" aria-label="Previous step">←</button>' +
      '<button type="button" class="next" aria-label="Next step">→</button>' +
      '<span class="where"></span><a class="what"></a><span class="do"></span>' +
      '<a class="outline" href="#lecture">Outline</a><button type="button" class="end" aria-label="End the lecture">×</button>';
    node.querySelector('.back').addEventListener('click', () => go(place - 1));
    node.querySelector('.next').addEventListener('click', () => go(place + 1));
    node.querySelector('.end').addEventListener('click', () => {
      place = -1;
      keep(null);
      paint();
    });
    document.body.append(node);
    return node;
  };
  const paint = () => {
    const all = steps();
    const step = all[place];
    document.body.classList.toggle('in-lecture', Boolean(step));
    if (step) {
      const node = bar();
      const at = (name) => node.querySelector(`.${name}`);
      at('where').textContent = `${place + 1} of ${all.length} · ${step.at} of ${step.of}`;
      at('what').textContent = step.title;
      at('what').href = step.href;
      at('do').textContent = step.do;
      at('back').disabled = place === 0;
      at('next').disabled = place === all.length - 1;
    }
    for (const tell of listeners) tell();
  };
  const go = (number) => {
    const step = steps()[number];
    if (!step) return;
    place = number;
    keep(String(number));
    paint();
    if (location.hash === step.href) dispatchEvent(new HashChangeEvent('hashchange'));
    else location.hash = step.href;
  };

  document.addEventListener('click', (event) => {
    // the outline's links begin the lecture where they lead
    const link = event.target.closest?.('[data-step]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(Number(link.dataset.step));
  });
  document.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (place < 0 || !step || !event.shiftKey || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.target.closest?.('input, textarea, select, [role=slider], [contenteditable]')) return;
    event.preventDefault();
    go(place + step);
  });
  const begin = (element) => {
    const start = element.querySelector('.start');
    const resume = element.querySelector('.resume');
    const tell = () => {
      const step = steps()[place];
      resume.hidden = !step;
      resume.textContent = step ? `Go on with step ${place + 1}: ${step.title}` : '';
    };
    start.addEventListener('click', () => go(0));
    resume.addEventListener('click', () => go(place));
    listeners.add(tell);
    tell();
  };
  lab.when(() => document.getElementById('lecture-steps'), paint);
  return { begin, go };
})();
