// The Table page: rows made from plain values (text is never markup), sorted and filtered here, without the server.
lab.table = (element, props, watch) => {
  const now = lab.ofText(props);
  const at = lab.parts(element);
  const made = (tag, text, ...classes) => {
    const className = classes.filter(Boolean).join(' ');
    return lab.make(tag, text === undefined ? { className } : { className, textContent: text });
  };
  const KINDS = {
    headline: 'headline',
    sweep: 'sweep',
    lecture: "lecture's own",
    failure: 'broken on purpose',
    timing: 'timing only',
    bound: 'likelihood bound',
    baseline: 'baseline',
  };
  const asked = (key) => lab.address.of('table', key);
  const sorted = asked('sort');
  const state = {
    sort: sorted.replace(/^-/, ''),
    down: sorted.startsWith('-'),
    extractor: asked('features'),
    groups: new Set(),
    usual: '',
  };
  const keep = () => {
    const chosen = [...state.groups].join();
    lab.address.say('table', {
      features: state.extractor === data.extractors[0] ? '' : state.extractor,
      sort: state.sort && `${state.down ? '-' : ''}${state.sort}`,
      family: at('family').value,
      kind: at('kind').value,
      n: at('n').value,
      find: at('query').value.trim(),
      columns: chosen === state.usual ? '' : chosen || 'none',
    });
  };
  let data = null;
  let dataset = null;

  // ---- controls
  const fill = (select, all, pairs) => {
    const kept = select.value;
    select.replaceChildren(
      ...[['', all], ...pairs].map(([value, text]) => Object.assign(made('option', text), { value })),
    );
    select.value = pairs.some(([value]) => String(value) === kept) ? kept : '';
  };
  const choice = (type, name, value, text, on, act) => {
    const label = made('label');
    const input = Object.assign(made('input'), { type, name, value, checked: on });
    input.addEventListener('change', () => act(input));
    label.append(input, made('span', text));
    return label;
  };
  const controls = () => {
    const present = (key) => [...new Set(data.rows.map((row) => row[key]).filter((v) => v !== null))];
    const here = new Set(present('family'));
    fill(
      at('family'),
      'All families',
      data.families.filter(([name]) => here.has(name)),
    );
    fill(
      at('kind'),
      'All kinds',
      present('kind').map((kind) => [kind, KINDS[kind] ?? kind]),
    );
    fill(
      at('n'),
      'Every n',
      present('n')
        .sort((a, b) => b - a)
        .map((n) => [n, `n = ${lab.format.count(n)}`]),
    );
    if (!data.extractors.includes(state.extractor)) state.extractor = data.extractors[0];
    at('extractors').replaceChildren(
      ...data.extractors.map((name) =>
        choice('radio', 'table-features', name, name, name === state.extractor, () => {
          state.extractor = name;
          body();
          keep();
        }),
      ),
    );
    at('groups').replaceChildren(
      ...data.groups.map(([key, title]) =>
        choice('checkbox', 'table-groups', key, title, state.groups.has(key), (input) => {
          state.groups[input.checked ? 'add' : 'delete'](key);
          head();
          body();
          keep();
        }),
      ),
    );
  };

  // ---- what is shown
  const columns = () => data.columns.filter((column) => state.groups.has(column.group));
  const cell = (row, column) => row.cells[state.extractor]?.[column.key] ?? row.cells['']?.[column.key];
  const kept = (row) => {
    const text = [
      row.title,
      row.label,
      row.kind,
      KINDS[row.kind],
      row.stale && 'stale', // not its sentence, whose numbers are of no row
    ].join(' ');
    const hash = row.cells[''].checkpoint?.[0] ?? '';
    return (
      lab.rows.has(text, at('query').value, hash) &&
      ['family', 'kind', 'n'].every((key) => !at(key).value || String(row[key]) === at(key).value)
    );
  };
  const value = (row) => {
    if (state.sort === 'name') return `${row.title} ${row.label}`;
    if (state.sort === 'kind' || state.sort === 'n') return row[state.sort];
    const column = data.columns.find((one) => one.key === state.sort);
    const found = column && cell(row, column);
    return found ? found[0] : null;
  };

  // ---- drawing
  const bestFirst = (column) => column?.better === 'higher'; // the first click brings the best to the top
  const heading = (key, name, column) => {
    const th = made('th', undefined, column ? 'figure' : '');
    const button = made('button', undefined);
    th.scope = 'col';
    th.setAttribute('role', 'columnheader'); // a phone's cards are no table to the browser: roles say that they are
    th.dataset.key = key;
    button.type = 'button';
    button.append(made('span', name), ...(column?.arrow ? [made('i', column.arrow)] : []));
    if (column?.about) button.title = column.about;
    button.addEventListener('click', () => {
      const first = bestFirst(column);
      if (state.sort !== key) Object.assign(state, { sort: key, down: first });
      else if (state.down === first) state.down = !first;
      else Object.assign(state, { sort: '', down: false });
      body();
      keep();
    });
    th.append(button);
    return th;
  };
  const head = () => {
    const all = [
      heading('name', 'Model and operating point'),
      heading('kind', 'Kind'),
      heading('n', 'n × runs'),
      ...columns().map((column) => heading(column.key, column.name, column)),
    ];
    if (!['', 'name', 'kind', 'n', ...columns().map((column) => column.key)].includes(state.sort)) state.sort = '';
    at('head').replaceChildren(...all);
    fill(at('sort'), 'In the order of models', [
      ['name', 'By model'],
      ['n', 'By n'],
      ...columns().map((column) => [column.key, `By ${column.name}${column.arrow ? ` ${column.arrow}` : ''}`]),
    ]);
  };
  const line = (row) => {
    const tr = made('tr', undefined, row.stale && 'stale');
    const name = made('th', undefined, 'name');
    tr.setAttribute('role', 'row');
    name.setAttribute('role', 'rowheader');
    name.scope = 'row';
    const badge = element.querySelector(`template[data-badge="${CSS.escape(row.family)}"]`);
    if (badge) name.append(badge.content.cloneNode(true));
    const title = made('span', row.title, 'family');
    if (badge) title.style.color = `var(--text-${row.family})`;
    name.append(title, made('span', row.label, 'label'));
    if (row.stale) name.append(Object.assign(made('span', `Stale. ${row.stale}`, 'why'), { title: row.stale }));
    const runs = row.generations === null ? '' : ` × ${row.generations}`;
    const n = row.n === null ? '–' : `${lab.format.count(row.n)}${runs}`;
    const named = (cell, words) => {
      cell.setAttribute('role', 'cell');
      cell.dataset.name = words; // which a phone shows beside the value
      return cell;
    };
    tr.append(name, named(made('td', KINDS[row.kind] ?? row.kind), 'Kind'), named(made('td', n, 'figure'), 'n × runs'));
    for (const column of columns()) {
      const found = cell(row, column);
      const best = found && (row.best[state.extractor] ?? []).includes(column.key);
      const td = made(
        'td',
        best ? undefined : found ? found[1] : '',
        typeof found?.[0] === 'string' ? 'word' : 'figure',
      );
      if (best) td.append(made('b', found[1]));
      if (found?.[1] === '–') td.classList.add('none'); // a card on a phone leaves it out
      if (found?.[2]) td.title = found[2];
      else if (typeof found?.[0] === 'string' && found[0] !== found[1]) td.title = found[0];
      tr.append(named(td, column.name));
    }
    return tr;
  };
  const body = () => {
    const found = data.rows.filter(kept);
    const rows = state.sort ? lab.rows.sorted(found, value, state.down) : found;
    const n = at('n').value;
    at('baselines').replaceChildren(...data.baselines.filter((row) => !n || String(row.n) === n).map(line));
    at('rows').replaceChildren(...rows.map(line));
    for (const th of at('head').children) {
      const on = th.dataset.key === state.sort;
      if (on) th.setAttribute('aria-sort', state.down ? 'descending' : 'ascending');
      else th.removeAttribute('aria-sort');
    }
    at('sort').value = state.sort;
    at('count').textContent = data.rows.length
      ? `${rows.length === data.rows.length ? 'All' : `${rows.length} of`} ${data.rows.length} rows${rows.length ? '' : ': no row fits the filters'}`
      : '';
    at('empty').hidden = data.rows.length + data.baselines.length > 0;
    at('empty').textContent =
      `Nothing was measured on ${data.dataset || 'any data set'} yet: python -m gencore evaluate`;
    at('region').hidden = !at('empty').hidden;
    at('region').removeAttribute('aria-busy');
    element.style.setProperty('--head', `${at('head').getBoundingClientRect().height}px`);
  };
  const paint = () => {
    if (!now()?.columns) return;
    data = now();
    if (dataset === null) {
      const few = matchMedia('(max-width: 720px)').matches && ['distance', 'diversity', 'cost']; // a card stays short
      const shown = data.groups.filter(([key, , on]) => (few ? few.includes(key) : on));
      state.usual = shown.map(([key]) => key).join();
      const columns = asked('columns').split(',').filter(Boolean);
      const known = data.groups.map(([key]) => key).filter((key) => columns.includes(key));
      state.groups = new Set(columns.length ? known : state.usual.split(','));
      at('query').value = asked('find');
    }
    const fresh = dataset === null;
    dataset = data.dataset;
    const stale = [...data.baselines, ...data.rows].filter((row) => row.stale);
    const sentences = [...new Set(stale.map((row) => row.stale))].map((words) => {
      const count = stale.filter((row) => row.stale === words).length;
      return `Stale, ${count} row${count > 1 ? 's' : ''}: ${words}`;
    });
    at('problems').replaceChildren(...[...data.problems, ...sentences].map((words) => made('li', words)));
    controls();
    if (fresh) for (const key of ['family', 'kind', 'n']) choose(at(key), asked(key));
    head();
    body();
  };
  const choose = (select, value) => {
    if ([...select.options].some((option) => option.value === value)) select.value = value;
  };
  const turned = () => {
    body();
    keep();
  };
  for (const key of ['family', 'kind', 'n']) at(key).addEventListener('change', turned);
  at('query').addEventListener('input', turned);
  at('sort').addEventListener('change', () => {
    const sort = at('sort').value;
    Object.assign(state, { sort, down: bestFirst(data.columns.find((column) => column.key === sort)) });
    turned();
  });
  new ResizeObserver(() =>
    element.style.setProperty('--head', `${at('head').getBoundingClientRect().height}px`),
  ).observe(at('head'));
  watch('value', paint);
  paint();
};
