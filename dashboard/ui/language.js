// The visitor's language: what the pages say in English is said in it, in place, whoever writes it and whenever.
//
// It is the address's (?lang=ko), the one chosen here before, or the browser's. A catalogue, see dashboard/ui/language.py,
// is asked for where it is needed. Texts are changed in their nodes, none of which is replaced or moved: others hold
// them. What is sent to the server, typed, downloaded, a program or a formula stays as it is.
{
  const NAMES = { en: 'English', ko: '한국어' };
  const ATTRIBUTES = ['aria-label', 'title', 'placeholder', 'alt', 'aria-valuetext', 'aria-description', 'data-name'];
  const isShown = (element, name) => name !== 'data-name' || element.nodeName === 'TD'; // what a phone's tables show
  const CLOSED = 'script, style, template, textarea, pre, .katex, [translate=no], [contenteditable=true]';
  // A sentence goes on inside these; code and formulas have their place in it.
  const INLINE = new Set([
    'A',
    'B',
    'I',
    'EM',
    'STRONG',
    'SPAN',
    'SUB',
    'SUP',
    'Q',
    'ABBR',
    'CODE',
    'KBD',
    'MARK',
    'SMALL',
    'TSPAN',
  ]);
  const VERBATIM = 'code, kbd';
  const FORMULAS = '.katex-html .text'; // words in a formula, but those of an index, which is a name

  const written = new WeakMap(); // a text node or an element: what it said in English, and what it says now
  const english = new Map(); // what was written: its English, as scripts copy texts
  const MOST = 5000;
  let said = null; // what finds the words, null where all is English
  let observer = null;

  const kept = () => {
    try {
      return localStorage.getItem('language');
    } catch {
      return null; // private windows
    }
  };
  const asked = new URLSearchParams(location.search).get('lang');
  const wanted = [asked, kept(), ...(navigator.languages ?? [navigator.language]).map((one) => one.slice(0, 2))];
  let language = wanted.find((one) => one in NAMES) ?? 'en';

  // ---- a text's English, and its words
  const original = (value, record) => {
    if (record && record.now === value) return record.english;
    return english.get(value) ?? value;
  };
  const remember = (value, now) => {
    if (value === now) return;
    if (english.size > MOST) english.clear();
    english.set(now, value);
  };
  const within = (text) => text.replaceAll('<', '‹'); // a text is no markup
  const without = (text) => text.replaceAll('‹', '<');
  const worded = (text) => {
    if (!said) return text;
    const [, before, middle, after] = text.match(/^(\s*)([\s\S]*?)(\s*)$/);
    return before + without(said(within(middle.replace(/\s+/g, ' ')))) + after;
  };

  // ---- text nodes
  const isInline = (element) => INLINE.has(element.nodeName.toUpperCase());
  const inEnglish = (node) => original(node.nodeValue, written.get(node));
  const write = (node, words, before) => {
    written.set(node, { english: before, now: words });
    if (node.nodeValue !== words) node.nodeValue = words;
  };
  const single = (node) => {
    const before = inEnglish(node);
    const now = worded(before);
    remember(before, now);
    write(node, now, before);
  };

  // A block's texts as the slots between the tags inside it, in order, and the key that they make.
  const laidOut = (root) => {
    const slots = [{ nodes: [], parent: root, next: null }];
    const tags = [];
    const step = (tag, parent, next) => {
      tags.push(tag);
      slots.push({ nodes: [], parent, next });
    };
    const enter = (parent) => {
      for (const child of parent.childNodes) {
        if (child.nodeType === Node.TEXT_NODE) slots.at(-1).nodes.push(child);
        if (child.nodeType !== Node.ELEMENT_NODE) continue;
        slots.at(-1).next = child;
        if (isInline(child) && !child.matches(CLOSED)) {
          const name = child.nodeName.toLowerCase();
          step(`<${name}>`, child, null);
          enter(child);
          step(`</${name}>`, parent, child.nextSibling);
        } else step('<x/>', parent, child.nextSibling);
      }
    };
    enter(root);
    const texts = slots.map(({ nodes }) => nodes.map(inEnglish).join(''));
    return { slots, tags, texts };
  };
  const keyOf = ({ tags, texts }) =>
    texts
      .map((text, i) => within(text) + (tags[i] ?? ''))
      .join('')
      .replace(/\s+/g, ' ')
      .trim();
  const inTags = (words) => words.split(/(<\/?\w+\/?>)/);
  const block = (laid) => {
    const key = keyOf(laid);
    const pieces = inTags(said ? said(key) : key);
    const same = laid.tags.every((tag, i) => pieces[2 * i + 1] === tag) && pieces.length === 2 * laid.tags.length + 1;
    if (said && (!same || pieces.join('') === key)) return false;
    for (const [i, slot] of laid.slots.entries()) fill(slot, said ? without(pieces[2 * i]) : null);
    return true;
  };
  const fill = ({ nodes, parent, next }, words) => {
    if (words === null) {
      for (const node of nodes) write(node, inEnglish(node), inEnglish(node));
      return;
    }
    if (!nodes.length && words) {
      const made = document.createTextNode('');
      parent.insertBefore(made, next);
      nodes.push(made);
    }
    for (const [i, node] of nodes.entries()) write(node, i ? '' : words, inEnglish(node));
  };

  // ---- which texts make one sentence
  const open = (node) => node && !node.closest(CLOSED);
  const home = (node) => {
    let at = node.parentElement;
    while (at && isInline(at)) at = at.parentElement;
    return at;
  };
  const isText = (node) => node.nodeType === Node.TEXT_NODE && inEnglish(node).trim();
  const textsOf = (root) => {
    const found = [];
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) if (isText(walker.currentNode)) found.push(walker.currentNode);
    return found;
  };
  const PICTURES = 'svg, svg *, br, img';
  const isSentence = (root) =>
    (root.nodeName === 'text' || [...root.childNodes].some(isText)) &&
    [...root.querySelectorAll('*')].every((one) => isInline(one) || one.closest(CLOSED) || one.matches(PICTURES));
  const settle = (root) => {
    if (!open(root)) return;
    if (root.firstElementChild && isSentence(root) && block(laidOut(root))) return;
    if (root.nodeName === 'OPTION' && !root.hasAttribute('value')) root.value = root.text.trim();
    for (const child of root.childNodes) {
      if (child.nodeType === Node.TEXT_NODE && (child.nodeValue.trim() || written.has(child))) single(child);
      else if (child.nodeType === Node.ELEMENT_NODE && isInline(child) && !child.matches(VERBATIM)) settle(child);
    }
  };

  // The words in the formulas of an element, each as the slot of its text nodes.
  const formulas = (element) =>
    [...element.querySelectorAll(FORMULAS)]
      .filter((one) => !one.closest('.msupsub') && !one.closest('[translate=no]'))
      .map((one) => ({ nodes: textsOf(one), parent: one, next: null }))
      .filter(({ nodes }) => nodes.length);
  const wordsOf = ({ nodes }) => nodes.map(inEnglish).join('');

  // ---- attributes, and the field of a choice, which shows the chosen value and is read for it
  const attributes = (element) => {
    const record = written.get(element) ?? {};
    for (const name of ATTRIBUTES) {
      const value = element.getAttribute(name);
      if (value === null || !isShown(element, name)) continue;
      const before = original(value, record[name]);
      const now = worded(before);
      remember(before, now);
      record[name] = { english: before, now };
      if (now !== value) element.setAttribute(name, now);
    }
    written.set(element, record);
  };
  const native = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value');
  const field = (input) => {
    const value = input.value; // English, whatever it shows
    if (!Object.hasOwn(input, 'value')) {
      let now = value;
      Object.defineProperty(input, 'value', {
        configurable: true,
        get: () => (native.get.call(input) === worded(now) ? now : native.get.call(input)),
        set: (given) => {
          now = String(given ?? '');
          native.set.call(input, worded(now));
        },
      });
    }
    input.value = value;
  };

  // ---- the document, and what changes in it
  const SELECTOR = ATTRIBUTES.map((name) => `[${name}]`).join();
  const all = (element) => {
    if (!open(element)) return;
    const homes = new Set(textsOf(element).map(home));
    for (const one of homes) if (one) settle(one);
    for (const one of formulas(element)) fill(one, said ? worded(wordsOf(one)) : null);
    const labelled = [...element.querySelectorAll(SELECTOR)];
    for (const one of element.matches(SELECTOR) ? [element, ...labelled] : labelled) if (open(one)) attributes(one);
    for (const one of element.querySelectorAll('input[role=listbox], input[role=combobox]')) field(one);
  };
  const changed = (records) => {
    const homes = new Set();
    const added = new Set();
    const labels = new Set();
    for (const { type, target, addedNodes } of records) {
      if (type === 'attributes') labels.add(target);
      else if (type === 'characterData') homes.add(home(target));
      for (const node of addedNodes) {
        if (node.nodeType === Node.ELEMENT_NODE) added.add(node);
        else if (node.nodeType === Node.TEXT_NODE) homes.add(home(node));
      }
    }
    for (const one of added) if (one.isConnected) all(one);
    for (const one of homes) if (one?.isConnected) settle(one);
    for (const one of labels) if (one.isConnected && open(one)) attributes(one);
    observer.takeRecords(); // its own
  };
  const watch = () => {
    observer ??= new MutationObserver(changed);
    observer.observe(document.documentElement, {
      subtree: true,
      childList: true,
      characterData: true,
      attributeFilter: ATTRIBUTES,
    });
  };

  const show = () => {
    document.documentElement.lang = language;
    all(document.documentElement);
    observer?.takeRecords();
    lab.pages?.(); // the document's title
  };
  const catalogues = {};
  const load = async (wished) => {
    const answer = await fetch(lab.languages[wished]);
    if (!answer.ok) throw new Error(`${lab.languages[wished]}: ${answer.status}`);
    catalogues[wished] = lab.sentences(await answer.json());
  };
  const speak = async () => {
    const wished = language;
    if (wished !== 'en' && !catalogues[wished]) await load(wished);
    if (wished !== language) return; // another one was chosen meanwhile
    said = catalogues[language] ?? null;
    if (said) watch();
    else observer?.disconnect();
    show();
  };

  /** What a text that a page shows is in English: files are named by it. */
  lab.inEnglish = (text) => english.get(text) ?? text;
  /** The texts below an element, each with its English and where it is: what a test of a catalogue reads. */
  lab.texts = (element) => {
    const found = [];
    const add = (english, now, node) =>
      /[A-Za-z]/.test(now) && found.push({ english, now, in: node.id || node.className || node.nodeName });
    const look = (root) => {
      if (!open(root)) return;
      const laid = root.firstElementChild && isSentence(root) ? laidOut(root) : null;
      if (laid?.texts.filter((text) => text.trim()).length > 1) {
        add(keyOf(laid), laid.slots.flatMap(({ nodes }) => nodes.map((node) => node.nodeValue)).join(' '), root);
        return;
      }
      for (const child of root.childNodes) {
        if (isText(child)) add(within(inEnglish(child).replace(/\s+/g, ' ').trim()), child.nodeValue.trim(), root);
        else if (child.nodeType === Node.ELEMENT_NODE && isInline(child) && !child.matches(VERBATIM)) look(child);
      }
    };
    for (const one of new Set(textsOf(element).map(home))) if (one) look(one);
    for (const one of formulas(element)) add(wordsOf(one).trim(), one.parent.textContent.trim(), one.parent);
    for (const one of element.querySelectorAll(SELECTOR)) {
      if (!open(one)) continue;
      for (const name of ATTRIBUTES) {
        const now = one.getAttribute(name);
        if (now && isShown(one, name)) add(within(original(now, written.get(one)?.[name])), now, one);
      }
    }
    return found;
  };
  /** Makes a button the switch between the languages: it names the other one. */
  lab.languageSwitch = (button) => {
    const other = () => (language === 'en' ? 'ko' : 'en');
    const name = () => Object.assign(button, { textContent: NAMES[other()], lang: other() });
    name();
    button.addEventListener('click', async () => {
      language = other();
      try {
        localStorage.setItem('language', language);
      } catch {
        // private windows
      }
      const url = new URL(location.href);
      if (url.searchParams.has('lang')) url.searchParams.set('lang', language);
      history.replaceState(history.state, '', url.href);
      name();
      await speak();
    });
  };

  document.documentElement.lang = language;
  if (language !== 'en') speak();
}
