// The comparisons of the page Your data: how each stands, asked for while the page is looked at, painted in place.
{
  const SOON = 1500; // ms between two looks while something runs
  const LATER = 8000; // and while nothing does: somebody else may start one
  const WORDS = {
    stop: 'Stop',
    resume: 'Resume',
    rename: 'Rename',
    save: 'Download ZIP',
    delete: 'Delete',
  };
  const BUSY = ['queued', 'starting', 'running', 'stopping'];

  const write = (node, text) => {
    if (node.textContent !== text) node.textContent = text;
  };

  // ---- one family

  const makeLane = (family) => {
    const at = {
      title: lab.make('h3'),
      stage: lab.make('span', { className: 'yours-stage' }),
      image: lab.make('img', { alt: '' }),
      bar: lab.make('i'),
      clock: lab.make('b'),
      note: lab.make('p', { className: 'yours-words' }),
      figures: lab.make('dl'),
    };
    const head = lab.make('header', {}, at.title, at.stage);
    const picture = lab.make('div', { className: 'yours-picture' }, at.image);
    const track = lab.make('div', { className: 'track' }, at.bar);
    const node = lab.make('div', { className: `yours-lane f-${family}` }, head, picture, track, at.clock, at.note);
    node.append(at.figures);
    return { node, at, stamp: undefined };
  };

  const paintLane = (lane, value) => {
    const { at, node } = lane;
    node.dataset.state = value.state;
    node.dataset.family = value.family;
    write(at.title, value.title);
    write(at.stage, value.stage);
    write(at.clock, value.clock);
    write(at.note, value.note);
    at.bar.style.width = `${100 * value.share}%`;
    if (value.image) {
      lab.picture(at.image, value.image);
      at.image.alt = `${value.title}: the same seeds, as they are drawn now`;
      at.image.dataset.stamp = value.stamp;
      lane.stamp = value.stamp;
    }
    node.classList.toggle('empty', !at.image.getAttribute('src'));
    const pairs = value.figures.map(([name, number]) =>
      lab.make('div', {}, lab.make('dt', { textContent: name }), lab.make('dd', { textContent: number })),
    );
    at.figures.replaceChildren(...pairs);
  };

  // ---- one comparison

  const makeCard = (name, acts) => {
    const at = {
      title: lab.make('button', { type: 'button', className: 'yours-title' }),
      field: lab.make('input', { type: 'text', maxLength: 80, hidden: true, ariaLabel: 'Title' }),
      state: lab.make('span', { className: 'pill' }),
      left: lab.make('span', { className: 'yours-left' }),
      words: lab.make('p', { className: 'yours-words' }),
      bar: lab.make('i'),
      acts: lab.make('div', { className: 'yours-acts' }),
      lanes: lab.make('div', { className: 'yours-lanes' }),
      sentences: lab.make('ul', { className: 'yours-remarks' }),
      charts: lab.make('div', { className: 'chart' }),
    };
    const home = lab.make('a', { className: 'yours-home', textContent: 'See it on the home page', hidden: true });
    const buttons = Object.entries(WORDS).map(([act, words]) => {
      const button = lab.make('button', { type: 'button', textContent: words });
      button.dataset.act = act;
      button.addEventListener('click', () => acts[act](name, card));
      return button;
    });
    at.acts.append(home, ...buttons);
    const inside = lab.make('div', { className: 'yours-inside' }, at.lanes, at.sentences, at.charts);
    const head = lab.make('header', {}, at.title, at.field, at.state, at.left);
    const track = lab.make('div', { className: 'track' }, at.bar);
    const node = lab.make('article', { className: 'card yours-one' }, head, at.words, track, at.acts, inside);
    node.dataset.name = name;
    at.title.addEventListener('click', () => acts.open(name));
    const card = { node, at, home, buttons, inside, lanes: new Map(), charts: undefined, value: {} };
    at.field.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') acts.named(name, card);
      if (event.key === 'Escape') acts.unnamed(card);
    });
    at.field.addEventListener('blur', () => acts.named(name, card));
    return card;
  };

  const paintCard = (card, value, isOpen) => {
    const { at, node, buttons, home } = card;
    card.value = value;
    node.dataset.status = value.status;
    write(at.title, value.title);
    at.title.setAttribute('aria-expanded', String(isOpen));
    write(at.state, value.status);
    write(at.left, [value.left, value.budget].filter(Boolean).join(', '));
    write(at.words, value.words);
    at.bar.style.width = `${100 * value.share}%`;
    card.inside.hidden = !isOpen;
    for (const button of buttons) button.hidden = !value.can.includes(button.dataset.act);
    home.hidden = !isOpen || !home.getAttribute('href');
  };

  const paintInside = (card, value) => {
    const { at, lanes, home } = card;
    for (const lane of value.lanes) {
      if (!lanes.has(lane.family)) {
        lanes.set(lane.family, makeLane(lane.family));
        at.lanes.append(lanes.get(lane.family).node);
      }
      paintLane(lanes.get(lane.family), lane);
    }
    if (value.charts.markup !== undefined) at.charts.innerHTML = value.charts.markup;
    card.charts = value.charts.stamp;
    const said = card.value.sentences.map((words) => lab.make('li', { textContent: words }));
    if (at.sentences.children.length !== said.length) at.sentences.replaceChildren(...said);
    if (value.data && ['done', 'stopped'].includes(card.value.status)) {
      home.href = `?data=${encodeURIComponent(value.data)}`;
      home.hidden = false;
    } else home.hidden = true;
  };

  // ---- all of them

  lab.yours = (element, props, watch, server, trigger, events) => {
    const [board, note, items] = ['board', 'note', 'items'].map(lab.parts(element));
    const [saved] = events;
    const cards = new Map();
    let open = lab.address.of('yours', 'open') || undefined;
    let due = 0;
    let looking = false;
    let told = false;

    const say = (words, undo) => {
      note.replaceChildren(words);
      if (!undo) return;
      const button = lab.make('button', { type: 'button', textContent: 'Undo' });
      button.addEventListener('click', () => act('undo', undo));
      note.append(' ', button);
    };
    const act = async (what, name, more = {}) => {
      try {
        const answer = await server.act({ act: what, name, ...more });
        if (answer.problem) say(answer.problem);
        else if (what === 'delete') say(`${cards.get(name)?.value.title ?? name} was deleted.`, answer.made);
        else say('');
      } catch {
        say('The app does not answer.');
      }
      await look();
    };
    const acts = {
      stop: (name) => act('stop', name),
      resume: (name) => act('resume', name),
      delete: (name) => act('delete', name),
      save: (name) => trigger(saved, { name }),
      open: (name) => {
        open = open === name ? '' : name;
        lab.address.say('yours', { open });
        look();
      },
      rename: (_, { at, value }) => {
        at.field.value = value.title;
        at.field.hidden = false;
        at.title.hidden = true;
        at.field.focus();
        at.field.select();
      },
      unnamed: ({ at }) => {
        at.field.hidden = true;
        at.title.hidden = false;
      },
      named: (name, card) => {
        if (card.at.field.hidden) return;
        acts.unnamed(card);
        const title = card.at.field.value.trim();
        if (title && title !== card.value.title) act('rename', name, { title });
      },
    };

    const paint = (value) => {
      board.hidden = !value.items.length && !note.textContent;
      const names = value.items.map(({ name }) => name);
      for (const [name, card] of cards) {
        if (!names.includes(name)) {
          card.node.remove();
          cards.delete(name);
        }
      }
      value.items.forEach((one, place) => {
        if (!cards.has(one.name)) cards.set(one.name, makeCard(one.name, acts));
        const card = cards.get(one.name);
        if (items.children[place] !== card.node) items.insertBefore(card.node, items.children[place] ?? null);
        paintCard(card, one, one.name === open);
      });
      if (value.open && cards.has(value.open)) paintInside(cards.get(value.open), value);
    };
    const have = () => {
      const card = cards.get(open);
      if (!card) return {};
      return { charts: card.charts, ...Object.fromEntries([...card.lanes].map(([name, lane]) => [name, lane.stamp])) };
    };
    const look = async () => {
      if (looking) {
        due = 0; // what is asked now is older than what was just done
        return;
      }
      looking = true;
      let next = LATER;
      due = Number.POSITIVE_INFINITY;
      try {
        const value = await server.look({ open, have: have() });
        const running = value.items.find(({ status }) => BUSY.includes(status));
        if (open && !value.items.some(({ name }) => name === open)) open = undefined;
        if (open === undefined && value.items.length) {
          open = (running ?? value.items[0]).name;
          next = 0;
        }
        paint(value);
        if (running && next) next = SOON;
        if (told) say('');
        told = false;
      } catch {
        say('The app does not answer. What runs goes on without it.');
        told = true;
      }
      due = Math.min(due, performance.now() + next);
      looking = false;
    };
    const tick = () => {
      if (!element.isConnected) return clearInterval(ticking);
      if (element.offsetParent && !document.hidden && performance.now() >= due) look();
    };
    const ticking = setInterval(tick, 250);
    const asked = lab.ofText(props);
    watch('value', () => {
      const value = asked();
      if (!value?.open) return;
      open = value.open;
      lab.address.say('yours', { open });
      look().then(() => cards.get(open)?.node.scrollIntoView({ behavior: 'smooth', block: 'start' }));
    });
  };

  // The button holds the file by now; what is painted of it comes a frame later.
  lab.yoursSaved = () => {
    requestAnimationFrame(() => requestAnimationFrame(() => document.querySelector('#yours-zip').click()));
  };
}
