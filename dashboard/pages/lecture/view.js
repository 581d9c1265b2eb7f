// The lecture: a bar below every page that leads from step to step. The address says which step it is, and the browser
// tab keeps which way is walked, and the step that was left for another page.
lab.lecture = (() => {
  const KEY = 'lecture';
  const all = () => JSON.parse(document.getElementById('lecture-steps')?.dataset.steps ?? '[]');
  const kept = () => {
    try {
      return JSON.parse(sessionStorage.getItem(KEY));
    } catch {
      return null; // private windows, or what an older page kept
    }
  };
  const keep = () => {
    try {
      sessionStorage.setItem(KEY, JSON.stringify(walk));
    } catch {
      /* private windows */
    }
  };
  let walk = kept()?.way ? kept() : { way: 'short', href: null }; // no step: nobody is in the lecture
  const link = lab.address.of('', 'lecture'); // of somebody who is
  const listeners = new Set();
  const steps = () => lab.way.steps(all(), walk.way);
  const place = () => lab.way.place(steps(), walk.href);

  const bar = () => {
    let node = document.getElementById('lecture-bar');
    if (node) return node;
    node = lab.make('aside', { id: 'lecture-bar' });
    node.setAttribute('aria-label', 'Lecture');
    node.innerHTML =
      '<button type="button" class="back" aria-label="Previous step">←</button>' +
      '<button type="button" class="next" aria-label="Next step">→</button>' +
      '<span class="where"></span><a class="what"></a><span class="do"></span><span class="slide"></span>' +
      '<a class="outline" href="#lecture">Outline</a>' +
      '<button type="button" class="present" aria-pressed="false">Present</button>' +
      '<button type="button" class="qr" aria-pressed="false">QR</button>' +
      '<button type="button" class="end" aria-label="End the lecture">×</button>';
    node.querySelector('.back').addEventListener('click', () => go(place() - 1));
    node.querySelector('.next').addEventListener('click', () => go(place() + 1));
    node.querySelector('.present').addEventListener('click', () => lab.presenter.turn());
    node.querySelector('.qr').addEventListener('click', () => lab.presenter.code());
    node.querySelector('.end').addEventListener('click', () => {
      lab.presenter.turn(false);
      lab.presenter.code(false);
      walk = { ...walk, href: null };
      keep();
      paint();
    });
    document.body.append(node);
    return node;
  };
  const paint = () => {
    const found = steps();
    const at = place();
    const step = found[at];
    document.body.classList.toggle('in-lecture', Boolean(step));
    if (step) {
      const node = bar();
      const part = (name) => node.querySelector(`.${name}`);
      part('where').textContent = `${at + 1} of ${found.length} · ${step.at} of ${step.of}`;
      part('what').textContent = step.title;
      part('what').href = step.href;
      part('do').textContent = step.do;
      part('slide').textContent = `Slide: ${step.slide}`;
      part('what').title = `Slide: ${step.slide}`; // where the bar has no room for it
      part('do').title = step.do;
      part('back').disabled = at === 0;
      part('next').disabled = at === found.length - 1;
    }
    lab.address.say('', { lecture: step ? walk.way : '' });
    lab.presenter.moved();
    for (const tell of listeners) tell(step, at);
  };
  const go = (number, way = walk.way) => {
    const step = lab.way.steps(all(), way)[number];
    if (!step) return;
    walk = { way, href: step.href };
    keep();
    paint();
    if (location.hash === step.href) dispatchEvent(new HashChangeEvent('hashchange'));
    else location.hash = step.href;
    if (!step.href.includes('/')) lab.aim.page(step);
  };
  // Back, Forward and a reload: the address says which step it is, where it is one.
  const follow = () => {
    if (place() < 0 || lab.way.place(steps(), location.hash) < 0) return;
    walk = { ...walk, href: location.hash };
    keep();
    paint();
  };

  document.addEventListener('click', (event) => {
    // the outline's links begin the lecture where they lead
    const link = event.target.closest?.('[data-step]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const step = all()[Number(link.dataset.step)];
    const way = lab.way.on(step, walk.way);
    go(lab.way.place(lab.way.steps(all(), way), step.href), way);
  });
  const onControl = (event) => event.target.closest?.('input, textarea, select, [role=slider], [contenteditable]');
  document.addEventListener('keydown', (event) => {
    const pages = document.body.classList.contains('presenting') ? { PageDown: 1, PageUp: -1 } : {};
    const arrows = { ArrowRight: 1, ArrowLeft: -1 };
    const presenting = document.body.classList.contains('presenting');
    const step = pages[event.key] ?? (event.shiftKey || presenting ? arrows[event.key] : 0);
    if (place() < 0 || !step || event.altKey || event.ctrlKey || event.metaKey || onControl(event)) return;
    event.preventDefault();
    go(place() + step);
  });
  const begin = (element) => {
    const resume = element.querySelector('.resume');
    const tell = (step, at) => {
      resume.hidden = !step;
      resume.textContent = step ? `Go on with step ${at + 1}: ${step.title}` : '';
    };
    for (const start of element.querySelectorAll('.start')) {
      start.addEventListener('click', () => go(0, start.dataset.way));
    }
    resume.addEventListener('click', () => go(place()));
    listeners.add(tell);
    tell(steps()[place()], place());
  };
  addEventListener('hashchange', follow);
  lab.when(
    () => document.getElementById('lecture-steps'),
    () => {
      if (all().some((step) => step.href === location.hash && step.ways.includes(link))) {
        walk = { way: link, href: location.hash };
      }
      follow();
      paint();
    },
  );
  return { begin, go, step: () => steps()[place()] };
})();
