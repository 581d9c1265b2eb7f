// The address: the whole state of the page that is shown, by short names; what is as usual is left out of it.
//
// A page declares its fields in Python (`dashboard.ui.address`). Gradio's components are read and set there; what only a
// script knows, such as how far a slider of its own is, the script says here (`say`) and asks for here (`of`).
lab.address = (() => {
  const ALL = ''; // what is the same on every page: the lecture that is being walked
  const CARRIED = ['data', 'features']; // a page that is opened for the first time follows the one before in these
  const MOST = 30; // changes at once, and then one in so many ms: browsers refuse to be told more often
  const PAUSE = 400;
  const PATIENCE = 8000; // ms to wait for the server before the pages are opened without it
  const asked = new URLSearchParams(globalThis.location?.search ?? '');
  const named = () => (globalThis.location?.hash ?? '').slice(1).split('/')[0];
  const first = named();
  const values = new Map(); // by page what its address says, texts by name; a page that is not here was not opened yet
  let pages = null; // by slug in order: fields with name, and with what is usual where it is a component's
  let waiting = true; // for the declaration, and where the address says something for the server to set it
  let restore = () => {};
  let at = ''; // the page that is shown
  let timer = 0;
  let left = MOST;
  let told = 0;

  const shown = () => (pages && !(named() in pages) ? Object.keys(pages)[0] : named());
  const names = (page) => (pages?.[page] ?? []).map((field) => field.name);
  const owned = () => new Set([...Object.keys(pages).flatMap(names), 'lecture']);
  const part = (page, query) => new Map(names(page).flatMap((key) => (query.has(key) ? [[key, query.get(key)]] : [])));
  // Readable: a slash, a comma or a colon may stand in a query as they are.
  const spelled = (text) =>
    encodeURIComponent(text)
      .replace(/%20/g, '+')
      .replace(/%(2F|2C|3A|7C)/g, decodeURIComponent);

  const query = () => {
    const own = owned();
    const others = [...new URLSearchParams(location.search)].filter(([key]) => !own.has(key));
    const mine = values.get(shown()) ?? new Map();
    const ordered = names(shown()).flatMap((key) => (mine.has(key) ? [[key, mine.get(key)]] : []));
    const pairs = [...others, ...(values.get(ALL) ?? []), ...ordered];
    return pairs.map(([key, text]) => `${spelled(key)}=${spelled(text)}`).join('&');
  };
  const write = () => {
    clearTimeout(timer);
    timer = 0;
    if (!pages || waiting) return;
    left = Math.min(MOST, left + (performance.now() - told) / PAUSE) - 1;
    told = performance.now();
    const search = query();
    const state = { ...history.state, page: shown() };
    history.replaceState(state, '', `${location.pathname}${search ? `?${search}` : ''}${location.hash}`);
  };
  const later = () => {
    if (left + (performance.now() - told) / PAUSE >= 1) write();
    else timer ||= setTimeout(write, PAUSE);
  };
  const flush = () => {
    if (timer) write();
  };

  // Takes what a page says of itself: texts by name, '' for what is as usual; what is left out stays.
  const say = (page, said) => {
    const mine = values.get(page) ?? new Map();
    for (const [key, text] of Object.entries(said)) {
      if (text === undefined || text === null) continue;
      if (String(text) === '') mine.delete(key);
      else mine.set(key, String(text));
    }
    values.set(page, mine);
    if (page === ALL || page === shown()) later();
  };
  // What the address says of a page's field, '' where that is nothing.
  const of = (page, key) => {
    const mine = values.get(page);
    if (mine) return mine.get(key) ?? '';
    if ([page, ''].includes(first) || page === ALL) return asked.get(key) ?? '';
    return (CARRIED.includes(key) && new URLSearchParams(location.search).get(key)) || '';
  };

  // ---- Gradio's components
  const worded = (field, value) => {
    if (Array.isArray(value)) return value.map((one) => worded(field, one)).join(',') || 'none';
    if (typeof value === 'boolean') return value ? 'yes' : 'no';
    return field.words?.[value] ?? String(value);
  };
  // Takes the values of a page's components, in the order of its fields; one that has none yet says nothing. A page that
  // is not open yet (`opened`) has its first data set, and will follow the address.
  const opened = new Set();
  const take = (page, given, isOpen) => {
    if (isOpen) opened.add(page);
    const fields = (pages?.[page] ?? []).filter((field) => 'usual' in field);
    const data = given[fields.findIndex((field) => field.name === 'data')];
    const said = {};
    fields.forEach((field, i) => {
      if (given[i] === null || given[i] === undefined || given[i] === '') return;
      if (field.name === 'data' && !opened.has(page)) return;
      if (field.by && !data) return; // while a page opens: what is usual is not known yet
      const usual = field.by ? field.usual[data] : field.usual;
      const text = worded(field, given[i]);
      said[field.name] = usual !== undefined && usual !== null && text === worded(field, usual) ? '' : text;
    });
    say(page, said);
  };

  // ---- opening a page
  const open = (page, said) => {
    values.set(page, said);
    if (!said.size) return;
    waiting = true;
    restore({ page, query: Object.fromEntries(said) });
    setTimeout(go, PATIENCE);
  };
  const go = () => {
    if (!waiting) return;
    waiting = false;
    write();
    lab.pages?.();
  };
  // Back and Forward lead to an entry that was written; a link makes a new one, with the query of the page before.
  const arrive = () => {
    if (!pages || waiting) return;
    const page = shown();
    const before = at;
    at = page;
    if (page === before) return write(); // from panel to panel of a page, which goes on as it is
    const now = part(page, new URLSearchParams(location.search));
    const same = (one, other) => one.size === other.size && [...one].every(([key, text]) => other.get(key) === text);
    if (history.state?.page === page) {
      if (!values.has(page)) open(page, now);
      else if (!same(now, values.get(page))) location.reload();
      return;
    }
    const carried = [...now].filter(([key]) => CARRIED.includes(key));
    if (!opened.has(page)) values.set(page, new Map([...carried, ...(values.get(page) ?? [])]));
    write();
  };
  const begin = (props, watch, trigger) => {
    restore = (what) => trigger('restore', what);
    pages = props.value.pages;
    if (asked.has('lecture') && !values.has(ALL)) values.set(ALL, new Map([['lecture', asked.get('lecture')]]));
    waiting = false;
    at = shown();
    open(shown(), new Map([...part(shown(), asked), ...(values.get(shown()) ?? [])]));
    if (!waiting) write();
    watch('value', () => {
      const { page, problems, dropped } = props.value;
      for (const key of dropped ?? []) values.get(page)?.delete(key);
      if (problems?.length) lab.tell(problems);
      go();
    });
  };
  globalThis.addEventListener?.('hashchange', arrive);
  globalThis.addEventListener?.('pagehide', flush);
  return { say, of, take, begin, flush, ready: () => !waiting };
})();
