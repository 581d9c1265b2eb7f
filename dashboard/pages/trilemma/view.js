// The home page: sliders look their answer up in tables that came with the page; no server call while they move.
lab.trilemma = (element, props, watch, trigger) => {
  const now = lab.ofText(props);
  const at = lab.parts(element);
  const all = (selector) => [...element.querySelectorAll(selector)];
  const dial = (name) => element.querySelector(`[data-dial="${name}"]`);
  const BUDGET = { ms: 100, least: 80 };
  const told = (key) => lab.address.of('trilemma', key);
  const state = { mode: 'weights', point: told('point'), shown: null, picked: false };

  const still = matchMedia('(prefers-reduced-motion: reduce)');

  // ---- the address: what differs from the usual goes into it
  const remember = () => {
    const v = now();
    if (!state.restored && !v.empty) return; // what the address says is still to come
    const weights = ['quality', 'diversity', 'speed'].map((name) => dial(name).value).join('-');
    const budget = `${v.budgets ? v.budgets.ms[dial('ms').value] : (state.ms ?? '')}-${dial('least').value}`;
    const set = dial('ms').dataset.set === '1'; // else no point has fitted yet, and the address keeps what it says
    const first = v.datasets?.[0]?.[0];
    const unless = (value, usual) => (String(value ?? '') === String(usual ?? '') ? '' : value);
    lab.address.say('trilemma', {
      data: unless(v.dataset, first),
      quality: unless(v.quality, v.meant?.quality),
      diversity: unless(v.diversity, v.meant?.diversity),
      features: unless(v.features, v.extractors?.[0]),
      at: unless(v.n, state.n0),
      machine: unless(v.machine, state.machine0),
      weights: set ? unless(weights, Object.values(v.usual ?? {}).join('-')) : undefined,
      budget: set ? (state.mode === 'budget' ? budget : '') : undefined,
      point: state.point,
      all: at('others').checked ? 'yes' : '',
      closer: at('heap').hidden ? '' : 'yes',
    });
  };

  // ---- the answer to where the sliders stand
  const find = () => {
    const v = now();
    if (state.mode === 'weights') {
      const place = lab.answers.byWeights(
        v.weights.step,
        ['quality', 'diversity', 'speed'].map((name) => dial(name).value),
      );
      return [v.weights.table[place], v.weights.opinions[place]];
    }
    const place = lab.answers.byBudget(v.budgets.step, Number(dial('ms').value), dial('least').value);
    return [v.budgets.table[place], v.budgets.opinions[place]];
  };
  const answer = () => {
    const v = now();
    if (!v.points?.length) return;
    all('[data-dial]').forEach((input) => {
      lab.fill(input);
      const name = input.dataset.dial;
      const ready = { ms: v.budgets.words, least: v.budgets.least[1] }[name];
      const words = ready ? ready[name === 'ms' ? input.value : input.value / v.budgets.step] : input.value;
      element.querySelector(`[data-out="${name}"]`).textContent = words;
      if (ready) input.setAttribute('aria-valuetext', words);
    });
    const [place, opinion] = find();
    if (place === undefined) return; // the page began with one answer, and the others have not come yet
    if (`${place} ${opinion}` === state.shown) return;
    state.shown = `${place} ${opinion}`;
    const found = v.answers[place];
    state.found = found;
    at('answer').innerHTML = found.html;
    see(v.opinions[opinion]);
    at('basis').textContent = found.basis;
    mark(found);
    leads(found);
    legend(found);
  };

  // ---- the charts' marks: each family's best point, and among them the answer
  const mark = (found) => {
    all('.triangle [data-i]').forEach((shape) => {
      const i = Number(shape.dataset.i);
      const best = found.families.includes(i);
      shape.classList.toggle('best', best);
      shape.classList.toggle('first', i === found.best);
    });
    const layer = element.querySelector('.triangle [data-at="shapes"]');
    layer?.append(...layer.querySelectorAll('.best:not(.first)'), ...layer.querySelectorAll('.first'));
    for (const point of all('.stage [data-i]')) point.classList.toggle('first', Number(point.dataset.i) === found.best);
  };
  const worded = (tag, text) => lab.make(tag, { textContent: text });
  const badge = (family) => lab.make('span', { className: 'mark', innerHTML: now().badges[family] });

  // ---- whom each pair of eyes recommends
  const see = ({ eyes, words }) => {
    at('opinion').textContent = words;
    at('why').hidden = !words;
    const seen = eyes.map(({ name, family, words: who }) => {
      const whom = lab.make('b', {}, ...(family ? [badge(family)] : []), who);
      return lab.make('li', { className: family ? `f-${family}` : 'none' }, worded('span', name), whom);
    });
    if (seen.length) seen.unshift(worded('li', 'Best as seen by'));
    at('eyes').replaceChildren(...seen);
  };

  // ---- which family is best for what, and each family's images and bars
  const leads = ({ leads: found }) => {
    const items = found.map(([words, families, known]) => {
      const names = families.flatMap((family, i) => {
        const name = lab.make('b', { className: `f-${family}` }, badge(family), now().titles[family]);
        return i ? [worded('i', known ? 'and' : 'or'), name] : [name];
      });
      if (!known) names.push(lab.term('not-known', 'not known which'));
      return lab.make('li', {}, worded('span', words), ...(names.length ? names : [worded('i', 'not known')]));
    });
    at('leads').replaceChildren(...items);
  };
  const bar = (words, [text, margin], place) => {
    const fill = lab.make('i', { className: 'fill' });
    fill.style.width = `${100 * (place ?? 0)}%`;
    const number = lab.make('small', {}, worded('b', text), worded('i', margin));
    return lab.make('div', { className: 'bar' }, worded('span', words), lab.make('div', {}, fill), number);
  };
  const strip = (i) => {
    const point = now().points[i];
    const image = now().strips?.[point.key] || strips.get(`${now().dataset} ${point.key}`);
    if (image) return lab.make('img', { src: image, alt: `Images made by ${point.name}`, className: 'strip' });
    const empty = lab.make('button', { type: 'button', className: 'strip' });
    const absent = point.given ? 'Made elsewhere: its images are not here' : 'Its images take a while: make some';
    empty.textContent = image === '' ? absent : '';
    empty.disabled = image !== '' || point.given;
    empty.addEventListener('click', () => choose(i));
    return empty;
  };
  const legend = (found) => {
    const { good, points, badges } = now();
    const cards = found.families
      .filter((i) => i !== null)
      .map((i) => {
        const point = points[i];
        const first = i === found.best;
        const name = lab.make('button', {
          type: 'button',
          title: 'Its samples and its row',
          innerHTML: badges[point.family],
        });
        name.append(worded('span', now().titles[point.family]), worded('i', point.setting));
        name.addEventListener('click', () => choose(i));
        const head = lab.make('header', {}, name, ...(first ? [worded('em', 'best for you')] : []));
        const bars = good.map((words, k) => bar(words, point.values[k], point.places[k]));
        const card = lab.make('li', { className: `card f-${point.family}${first ? ' first' : ''}` }, head, strip(i));
        card.append(lab.make('div', { className: 'bars' }, ...bars));
        return card;
      });
    if (!cards.length) cards.push(worded('li', 'No family has a point that fits.'));
    at('legend').replaceChildren(...cards);
  };
  // Of points that some answer shows: those that came with the page, or were made since; '' where that takes too long.
  const strips = new Map();
  const wanting = () => {
    const v = now();
    const keys = (v.appearing ?? []).filter((key) => !v.strips[key] && !strips.has(`${v.dataset} ${key}`));
    if (keys.length) trigger('strips', { data: v.dataset, keys });
  };
  lab.stripped = (came) => {
    if (!came?.strips) return;
    for (const [key, image] of Object.entries(came.strips)) strips.set(`${came.data} ${key}`, image);
    if (state.found && came.data === now().dataset) legend(state.found);
  };

  // ---- choosing a point
  const picks = lab.inTurn((data) => trigger('pick', data)); // side by side, an earlier answer could come last
  lab.picked = picks.answered;
  const choose = (i, asked = true) => {
    // not asked: the address names it, and says all there is to remember
    const point = now().points[i];
    state.point = point.key;
    state.picked = true;
    for (const g of all('.stage [data-i]')) g.classList.toggle('picked', Number(g.dataset.i) === i);
    picks.ask({ key: point.key, data: now().dataset, machine: now().machine });
    if (!asked) return;
    remember();
    lab.when(
      () => [document.querySelector('#trilemma-chosen')].find((panel) => panel?.offsetHeight),
      (panel) => panel.scrollIntoView({ block: 'nearest', behavior: still.matches ? 'auto' : 'smooth' }),
      119,
    );
  };

  // ---- the card beside the pointer
  const tip = at('tip');
  const hover = (g) => {
    const point = g && now().points[g.dataset.i];
    for (const steps of all('.stage .steps')) {
      steps.classList.toggle('seen', steps.dataset.of === g?.dataset.of && steps.parentElement === g?.parentElement);
    }
    tip.hidden = !point;
    if (!point) return;
    const list = lab.make(
      'dl',
      {},
      ...point.lines.flatMap(([term, words]) => [worded('dt', term), worded('dd', words)]),
    );
    const foot = point.stale ? `Stale: ${point.stale}` : point.rough || 'Choose it for its samples and its row.';
    tip.replaceChildren(worded('strong', point.name), list, worded('em', foot));
    tip.className = `tip f-${point.family}`;
    const box = g.querySelector('.hit').getBoundingClientRect();
    const card = tip.parentElement.getBoundingClientRect();
    const { left, top } = lab.hits.beside(box, { width: tip.offsetWidth, height: tip.offsetHeight }, card);
    Object.assign(tip.style, { left: `${left}px`, top: `${top}px` });
  };
  const stage = at('front');
  const target = (event) => event.target.closest?.('[data-i]');
  // Points may lie on one another: the one nearest to the pointer counts, and clicking again takes the next one there.
  const near = (event) => {
    const svg = event.target.closest?.('svg');
    if (!svg) return [];
    const points = [...svg.querySelectorAll('[data-i]')];
    const boxes = points.map((g) => g.querySelector('.hit').getBoundingClientRect());
    return lab.hits.near(boxes, event.clientX, event.clientY).map((i) => points[i]);
  };
  stage.addEventListener('pointermove', (event) => {
    if (event.pointerType === 'touch') return;
    const g = near(event)[0] ?? null;
    if (g === state.over) return;
    state.over?.classList.remove('over');
    g?.classList.add('over');
    state.over = g;
    hover(g);
  });
  stage.addEventListener('pointerleave', () => {
    state.over?.classList.remove('over');
    state.over = null;
    hover(null);
  });
  stage.addEventListener('focusin', (event) => event.target.matches(':focus-visible') && hover(target(event)));
  stage.addEventListener('focusout', () => hover(null));
  stage.addEventListener('click', (event) => {
    const there = near(event);
    const held = there.findIndex((g) => g.classList.contains('picked'));
    if (there.length) choose(Number(there[(held + 1) % there.length].dataset.i));
  });
  stage.addEventListener('keydown', (event) => {
    const g = target(event);
    if (!g) return;
    if (event.key === 'Escape') return hover(null);
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      return choose(Number(g.dataset.i));
    }
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const others = [...g.parentElement.querySelectorAll('[data-i]')];
    const next = step && others[others.indexOf(g) + step];
    if (next) {
      event.preventDefault();
      g.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    }
  });

  // ---- the points that stand in a heap, alone
  const closer = (on) => {
    at('closer').setAttribute('aria-pressed', String(on));
    at('whole').hidden = on;
    at('heap').hidden = !on;
    hover(null);
  };
  at('closer').addEventListener('click', () => {
    closer(at('heap').hidden);
    remember();
  });

  // ---- what comes from the server
  const options = (name, pairs, chosen) => {
    const select = element.querySelector(`[data-ask="${name}"]`);
    select.replaceChildren(...pairs.map(([value, words]) => lab.make('option', { value, textContent: words })));
    select.value = chosen;
  };
  const paint = () => {
    const v = now();
    if (!v || !('points' in v)) return;
    const fresh = v.restored && !state.restored;
    state.restored ||= Boolean(v.restored);
    const some = v.points.length > 0;
    at('page').hidden = Boolean(v.empty);
    at('page').classList.toggle('none', !some);
    at('empty').hidden = !v.empty;
    at('empty').textContent = v.empty ?? '';
    at('which').classList.toggle('none', !some);
    options('data', v.datasets ?? [], v.dataset);
    at('data-label').hidden = (v.datasets ?? []).length < 2;
    at('lead').innerHTML = v.lead ?? '';
    at('measures').innerHTML = v.measures ?? '';
    if (v.empty) return;
    options('quality', v.qualities, v.quality);
    options('diversity', v.diversities, v.diversity);
    options(
      'features',
      v.extractors.map((name) => [name, name]),
      v.features,
    );
    at('features-label').hidden = v.extractors.length < 2 || !v.featured;
    at('fooled').replaceChildren(
      ...v.fooled.flatMap(([name, ...words]) => [worded('dt', name), worded('dd', words.join(' '))]),
    );
    options('n', v.sizes, v.n);
    at('n-label').hidden = v.sizes.length < 2;
    options('machine', v.machines, v.machine);
    at('machine-label').hidden = v.machines.length < 2;
    ['how', 'summary', 'reading', 'basis'].forEach((name) => {
      at(name).textContent = v[name] ?? '';
    });
    at('triangle').innerHTML = v.triangle ?? '';
    at('others').nextElementSibling.textContent = `Show all ${v.points.length} points`;
    at('whole').innerHTML = v.front ?? '';
    at('heap').innerHTML = v.heap ?? '';
    at('closer').hidden = !v.heap;
    at('closer').textContent = `Look closer: ${v.closer}`;
    if (!v.heap) closer(false);
    for (const name of ['untimed', 'belief']) {
      at(name).innerHTML = v[name] ?? '';
      at(name).hidden = !v[name];
    }
    at('notes').replaceChildren(...v.notes.map((words) => worded('li', words)));
    if (!some) {
      // what was chosen stays to be changed
      at('answer').replaceChildren(worded('p', v.none));
      at('legend').replaceChildren();
      painted(v);
      return;
    }
    all('.stage svg').forEach((svg) => {
      svg.querySelector('[data-i]').tabIndex = 0;
    });
    const picked = v.points.findIndex((point) => point.key === state.point);
    for (const g of all(`.stage [data-i="${picked}"]`)) g.classList.add('picked');
    setDials(v);
    state.shown = null;
    answer();
    painted(v);
    if (v.restored) wanting();
    if (fresh) {
      at('others').checked = Boolean(told('all'));
      at('triangle').classList.toggle('all', at('others').checked);
      if (told('closer') && v.heap) closer(true);
    }
    if (v.restored && !state.picked && picked >= 0) choose(picked, false); // the address names a point
  };
  const painted = (v) =>
    element.firstElementChild?.parentElement?.setAttribute(
      'data-painted',
      `${v.dataset} ${v.quality} ${v.diversity} ${v.features} ${v.n}`,
    );
  const setDials = (v) => {
    const set = (name, max, step, value) => {
      const input = dial(name);
      Object.assign(input, { min: 0, max, step });
      if (input.dataset.set !== '1' || value !== undefined) input.value = value ?? { ...v.usual, ...BUDGET }[name];
      input.dataset.set = '1';
    };
    const first = dial('ms').dataset.set !== '1';
    const weights = first ? lab.answers.numbers(told('weights'), 3) : null;
    const budget = first ? lab.answers.numbers(told('budget'), 2) : null;
    ['quality', 'diversity', 'speed'].forEach((name, i) => {
      set(name, 100, v.weights.step, weights?.[i]);
    });
    const ms = first ? budget?.[0] || BUDGET.ms : (state.ms ?? BUDGET.ms);
    set('ms', v.budgets.ms.length - 1, 1, lab.answers.nearest(v.budgets.ms, ms));
    set('least', 100, v.budgets.step, budget?.[1]);
    dial('least').previousElementSibling.textContent = v.budgets.least[0];
    dial('least').setAttribute('aria-label', v.budgets.least[0]);
    state.ms = ms;
    if (first) {
      state.n0 = told('at') ? '' : v.n;
      state.machine0 = told('machine') ? '' : v.machine;
      mode(budget ? 'budget' : 'weights');
    }
  };
  const mode = (name) => {
    state.mode = name;
    lab.press(all('[data-mode]'), (button) => button.dataset.mode === name);
    for (const panel of all('[data-panel]')) panel.hidden = panel.dataset.panel !== name;
  };
  for (const link of all('[data-to]')) link.hidden = !document.querySelector(`[data-page="${link.dataset.to}"]`);
  at('others').addEventListener('change', () => {
    at('triangle').classList.toggle('all', at('others').checked);
    remember();
  });
  for (const button of all('[data-mode]'))
    button.addEventListener('click', () => {
      mode(button.dataset.mode);
      answer();
      remember();
    });
  all('[data-dial]').forEach((input) => {
    input.addEventListener('input', () => {
      if (input.dataset.dial === 'ms') state.ms = now().budgets.ms[input.value];
      answer();
    });
    input.addEventListener('change', remember);
  });
  const ask = (event) => {
    const chosen = Object.fromEntries(all('[data-ask]').map((one) => [one.dataset.ask, one.value]));
    if (event.target.dataset.ask === 'data') {
      chosen.n = chosen.machine = chosen.features = '';
      for (const [name, usual] of Object.entries(now().meant ?? {})) if (chosen[name] === usual) chosen[name] = '';
      state.point = '';
    }
    state.asked = true;
    const { n, ...rest } = chosen;
    trigger('ask', { ...rest, at: n });
  };
  for (const select of all('[data-ask]')) select.addEventListener('change', ask);
  watch('value', () => {
    paint();
    if (state.asked) {
      state.asked = false;
      remember();
    }
  });
  paint();
};

// The images that were made meanwhile, as they come.
lab.strips = (props, watch) => {
  const now = lab.ofText(props);
  watch('value', () => lab.stripped?.(now()));
};
