// The home page: sliders look their answer up in tables that came with the page; no server call while they move.
lab.trilemma = (element, props, watch, trigger) => {
  const now = lab.ofText(props);
  const at = (name) => element.querySelector(`[data-at="${name}"]`);
  const all = (selector) => [...element.querySelectorAll(selector)];
  const dial = (name) => element.querySelector(`[data-dial="${name}"]`);
  const USUAL = { quality: 70, diversity: 50, speed: 40, ms: 100, coverage: 80 };
  const query = new URLSearchParams(location.search);
  const state = { mode: 'weights', point: query.get('point') ?? '', shown: null, picked: false };

  // ---- the address: what differs from the usual goes into it
  const numbers = (text, count) => {
    const found = (text ?? '').split('-').map(Number);
    return found.length === count && found.every((x) => Number.isFinite(x) && x >= 0) ? found : null;
  };
  const remember = () => {
    const v = now(), weights = ['quality', 'diversity', 'speed'].map((name) => dial(name).value).join('-');
    const budget = `${v.budgets ? v.budgets.ms[dial('ms').value] : ''}-${dial('coverage').value}`;
    const first = v.datasets?.[0]?.[0];
    lab.link(
      { data: first, quality: 'kid', at: state.n0, machine: state.machine0, weights: '70-50-40', budget: '', point: '' },
      [v.dataset, v.quality, v.n, v.machine, weights, state.mode === 'budget' ? budget : '', state.point],
    );
  };

  // ---- the answer to where the sliders stand
  const find = () => {
    const v = now();
    if (state.mode === 'weights') {
      const step = v.weights.step, side = 100 / step + 1;
      const [q, d, s] = ['quality', 'diversity', 'speed'].map((name) => Math.round(dial(name).value / step));
      return v.weights.table[(q * side + d) * side + s];
    }
    const side = 100 / v.budgets.step + 1;
    return v.budgets.table[Number(dial('ms').value) * side + Math.round(dial('coverage').value / v.budgets.step)];
  };
  const fill = (input) => {
    const share = (input.value - input.min) / ((input.max - input.min) || 1);
    input.style.setProperty('--share', `${100 * share}%`);
  };
  const answer = () => {
    const v = now();
    if (!v.points?.length) return;
    all('[data-dial]').forEach((input) => {
      fill(input);
      const name = input.dataset.dial;
      const words = name === 'ms' ? v.budgets.words[input.value] : name === 'coverage' ? `${input.value}%` : input.value;
      element.querySelector(`[data-out="${name}"]`).textContent = words;
      if (name === 'ms') input.setAttribute('aria-valuetext', words);
    });
    const place = find();
    if (place === state.shown) return;
    state.shown = place;
    const found = v.answers[place];
    at('answer').innerHTML = found.html;
    at('basis').textContent = found.basis;
    mark(found);
    legend(found);
  };

  // ---- the charts' marks: each family's best point, and among them the answer
  const mark = (found) => {
    all('.triangle [data-i]').forEach((shape) => {
      const i = Number(shape.dataset.i), best = found.families.includes(i);
      shape.classList.toggle('best', best);
      shape.classList.toggle('first', i === found.best);
    });
    const layer = element.querySelector('.triangle [data-at="shapes"]');
    layer?.append(...layer.querySelectorAll('.best:not(.first)'), ...layer.querySelectorAll('.first'));
    all('.front [data-i]').forEach((point) => point.classList.toggle('first', Number(point.dataset.i) === found.best));
  };
  const legend = (found) => {
    const rows = found.families.filter((i) => i !== null).map((i) => {
      const point = now().points[i];
      const row = document.createElement('li'), name = document.createElement('button');
      name.type = 'button';
      name.title = 'Its samples and its row';
      name.innerHTML = now().badges[point.family];
      name.append(Object.assign(document.createElement('span'), { textContent: point.name }));
      name.addEventListener('click', () => choose(i));
      row.className = `f-${point.family}${i === found.best ? ' first' : ''}`;
      row.append(name, ...point.values.map(([text, margin]) => {
        const cell = Object.assign(document.createElement('b'), { textContent: text });
        cell.append(Object.assign(document.createElement('i'), { textContent: margin }));  // hidden where there is no room
        return cell;
      }));
      return row;
    });
    const head = document.createElement('li');
    head.className = 'head';
    head.append(...['', ...now().columns].map((text) => Object.assign(document.createElement('span'), { textContent: text })));
    if (!rows.length) head.firstChild.textContent = 'No family has a point that fits.';
    at('legend').replaceChildren(head, ...rows);
  };

  // ---- choosing a point
  const picks = lab.inTurn((data) => trigger('pick', data));  // side by side, an earlier answer could come last
  lab.picked = picks.answered;
  const choose = (i, asked = true) => {  // not asked: the address names it, and says all there is to remember
    const point = now().points[i];
    state.point = point.key;
    state.picked = true;
    all('.front [data-i]').forEach((g) => g.classList.toggle('picked', Number(g.dataset.i) === i));
    picks.ask({ key: point.key, data: now().dataset, machine: now().machine });
    if (!asked) return;
    remember();
    let tries = 0;
    const look = () => {
      const panel = document.querySelector('#chosen');
      if (panel?.offsetHeight) panel.scrollIntoView({ block: 'nearest', behavior: 'smooth' });
      else if (++tries < 120) requestAnimationFrame(look);
    };
    look();
  };

  // ---- the card beside the pointer
  const tip = at('tip');
  const hover = (g) => {
    const point = g && now().points[g.dataset.i];
    tip.hidden = !point;
    if (!point) return;
    const title = Object.assign(document.createElement('strong'), { textContent: point.name });
    const list = document.createElement('dl');
    point.lines.forEach(([term, words]) => {
      list.append(Object.assign(document.createElement('dt'), { textContent: term }),
        Object.assign(document.createElement('dd'), { textContent: words }));
    });
    const foot = Object.assign(document.createElement('em'), { textContent: point.stale ? `Stale: ${point.stale}` : 'Choose it for its samples and its row.' });
    tip.replaceChildren(title, list, foot);
    tip.className = `tip f-${point.family}`;
    const box = g.querySelector('.hit').getBoundingClientRect(), card = tip.parentElement.getBoundingClientRect();
    const room = card.width - tip.offsetWidth - 8;
    const right = box.right - card.left + 6, left = box.left - card.left - tip.offsetWidth - 6;
    tip.style.left = `${Math.max(8, right <= room ? right : left >= 8 ? left : Math.min(room, right))}px`;
    const above = box.top - card.top - tip.offsetHeight / 2;
    tip.style.top = `${Math.max(8, Math.min(above, card.height - tip.offsetHeight - 8))}px`;
  };
  const stage = at('front');
  const target = (event) => event.target.closest?.('[data-i]');
  // Points may lie on one another: the one nearest to the pointer counts, and clicking again takes the next one there.
  const near = (event) => {
    const svg = event.target.closest?.('svg');
    if (!svg) return [];
    const found = [...svg.querySelectorAll('[data-i]')].map((g) => {
      const box = g.querySelector('.hit').getBoundingClientRect();
      return { g, gap: Math.hypot(event.clientX - (box.left + box.right) / 2, event.clientY - (box.top + box.bottom) / 2) };
    }).sort((one, other) => one.gap - other.gap);
    return found.filter(({ gap }) => gap < 20 && gap < found[0].gap + 3).map(({ g }) => g);
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
  stage.addEventListener('pointerleave', () => { state.over?.classList.remove('over'); state.over = null; hover(null); });
  stage.addEventListener('focusin', (event) => event.target.matches(':focus-visible') && hover(target(event)));
  stage.addEventListener('focusout', () => hover(null));
  stage.addEventListener('click', (event) => {
    const there = near(event), held = there.findIndex((g) => g.classList.contains('picked'));
    if (there.length) choose(Number(there[(held + 1) % there.length].dataset.i));
  });
  stage.addEventListener('keydown', (event) => {
    const g = target(event);
    if (!g) return;
    if (event.key === 'Escape') return hover(null);
    if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); return choose(Number(g.dataset.i)); }
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const others = [...g.parentElement.querySelectorAll('[data-i]')];
    const next = step && others[others.indexOf(g) + step];
    if (next) { event.preventDefault(); g.tabIndex = -1; next.tabIndex = 0; next.focus(); }
  });

  // ---- what comes from the server
  const options = (name, pairs, chosen) => {
    const select = element.querySelector(`[data-ask="${name}"]`);
    select.replaceChildren(...pairs.map(([value, words]) => Object.assign(document.createElement('option'), { value, textContent: words })));
    select.value = chosen;
  };
  const paint = () => {
    const v = now();
    if (!v || !('points' in v)) return;
    const some = v.points.length > 0;
    at('page').hidden = !some;
    at('empty').hidden = some;
    at('empty').textContent = v.empty ?? '';
    options('data', v.datasets ?? [], v.dataset);
    at('data-label').hidden = (v.datasets ?? []).length < 2;
    at('lead').textContent = v.lead ?? '';
    if (!some) return;
    options('quality', v.qualities, v.quality);
    options('n', v.sizes, v.n);
    at('n-label').hidden = v.sizes.length < 2;
    options('machine', v.machines.map((name) => [name, name]), v.machine);
    at('machine-label').hidden = v.machines.length < 2;
    ['how', 'summary', 'reading'].forEach((name) => { at(name).textContent = v[name]; });
    at('triangle').innerHTML = v.triangle;
    stage.innerHTML = v.front;
    all('.front').forEach((svg) => { svg.querySelector('[data-i]').tabIndex = 0; });
    const picked = v.points.findIndex((point) => point.key === state.point);
    all(`.front [data-i="${picked}"]`).forEach((g) => g.classList.add('picked'));
    at('notes').replaceChildren(...v.notes.map((words) => Object.assign(document.createElement('li'), { textContent: words })));
    setDials(v);
    state.shown = null;
    answer();
    element.firstElementChild?.parentElement?.setAttribute('data-painted', `${v.dataset} ${v.quality} ${v.n}`);
    if (v.restored && !state.picked && picked >= 0) choose(picked, false);  // the address names a point
  };
  const setDials = (v) => {
    const set = (name, max, step, value) => {
      const input = dial(name);
      Object.assign(input, { min: 0, max, step });
      if (input.dataset.set !== '1' || value !== undefined) input.value = value ?? USUAL[name];
      input.dataset.set = '1';
    };
    const nearest = (ms) => v.budgets.ms.reduce((best, x, i) => (Math.abs(Math.log(x / ms)) < Math.abs(Math.log(v.budgets.ms[best] / ms)) ? i : best), 0);
    const first = dial('ms').dataset.set !== '1';
    const weights = first ? numbers(query.get('weights'), 3) : null, budget = first ? numbers(query.get('budget'), 2) : null;
    ['quality', 'diversity', 'speed'].forEach((name, i) => set(name, 100, v.weights.step, weights?.[i]));
    const ms = first ? (budget?.[0] || USUAL.ms) : state.ms ?? USUAL.ms;
    set('ms', v.budgets.ms.length - 1, 1, nearest(ms));
    set('coverage', 100, v.budgets.step, budget?.[1]);
    state.ms = ms;
    if (first) {
      state.n0 = query.get('at') ? '' : v.n;
      state.machine0 = query.get('machine') ? '' : v.machine;
      mode(budget ? 'budget' : 'weights');
    }
  };
  const mode = (name) => {
    state.mode = name;
    all('[data-mode]').forEach((button) => button.setAttribute('aria-pressed', String(button.dataset.mode === name)));
    all('[data-panel]').forEach((panel) => { panel.hidden = panel.dataset.panel !== name; });
  };
  all('[data-mode]').forEach((button) => button.addEventListener('click', () => { mode(button.dataset.mode); answer(); remember(); }));
  all('[data-dial]').forEach((input) => {
    input.addEventListener('input', () => {
      if (input.dataset.dial === 'ms') state.ms = now().budgets.ms[input.value];
      answer();
    });
    input.addEventListener('change', remember);
  });
  all('[data-ask]').forEach((select) => select.addEventListener('change', () => {
    const chosen = Object.fromEntries(all('[data-ask]').map((one) => [one.dataset.ask, one.value]));
    if (select.dataset.ask === 'data') { chosen.n = chosen.machine = ''; state.point = ''; }
    state.asked = true;
    trigger('ask', { data: chosen.data, quality: chosen.quality, at: chosen.n, machine: chosen.machine });
  }));
  watch('value', () => { paint(); if (state.asked) { state.asked = false; remember(); } });
  paint();
};
