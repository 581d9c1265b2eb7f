// The page Blind vote: a round is asked about, voted on and told; the tally is of the rounds that this browser keeps.
(() => {
  const KEY = 'blind-vote';
  const MOST = 1000; // rounds that are kept
  const QUESTIONS = ['real', 'varied'];
  const NAMES = { real: 'taken for real', varied: 'most varied' };
  const { wilson, settings, fits, count, most, plural, csv } = lab.blindTally;
  const blind = {};
  lab.blind = blind;
  let memory = []; // where the browser keeps nothing
  const kept = () => {
    try {
      const found = JSON.parse(localStorage.getItem(KEY) ?? '[]');
      return Array.isArray(found) ? found.filter((one) => Array.isArray(one?.lanes) && one.votes) : [];
    } catch {
      return memory;
    }
  };
  const keep = (rounds) => {
    memory = rounds.slice(-MOST);
    try {
      localStorage.setItem(KEY, JSON.stringify(memory));
    } catch {
      /* private windows */
    }
    blind.counted?.();
  };

  // ---- a round
  blind.round = (element, props, watch, trigger) => {
    const now = lab.ofText(props);
    const at = lab.parts(element);
    const fields = QUESTIONS.map((name) => element.querySelector(`[data-question="${name}"]`));
    let round = null; // that can be voted on
    let dealt = '';
    let votes = {};
    let asked = 0; // the question that a key answers
    const ready = () => QUESTIONS.every((name) => votes[name] !== undefined);
    const mark = () => {
      fields.forEach((field, i) => {
        lab.press([...field.querySelectorAll('button')], (button) => Number(button.value) === votes[QUESTIONS[i]]);
        field.classList.toggle('now', i === asked);
      });
      at('vote').disabled = !ready();
    };
    const choose = (question, value) => {
      votes[QUESTIONS[question]] = value;
      asked = Math.min(question + 1, QUESTIONS.length - 1);
      mark();
    };
    const send = () => {
      if (!round || !ready()) return;
      const name = round;
      round = null; // once
      at('vote').disabled = true;
      trigger('vote', { round: name, ...votes });
    };
    const ask = (value) => {
      round = value.round;
      votes = {};
      asked = 0;
      const figures = value.pictures.map((source, i) => {
        const name = lab.make('figcaption', { textContent: `Lane ${i + 1}` });
        const image = lab.make('img', { src: source, alt: `Images of lane ${i + 1}` });
        return lab.make('figure', {}, name, image);
      });
      at('lanes').replaceChildren(...figures);
      at('most').textContent = value.pictures.length;
      fields.forEach((field, question) => {
        const numbers = [...value.pictures.map((_, i) => i + 1), 0];
        const buttons = numbers.map((number) => {
          const words = number ? `Lane ${number}` : 'Tie';
          const button = lab.make('button', { type: 'button', value: number, textContent: words });
          button.addEventListener('click', () => choose(question, number));
          return button;
        });
        field.querySelector('.blind-choices').replaceChildren(...buttons);
      });
      mark();
    };
    // The keys are the round's: Enter would press the button that began it.
    const attend = () => {
      const now = document.activeElement;
      if (!now || now === document.body || now.closest('#blind-go')) at('ask').focus({ preventScroll: true });
    };
    const tell = (value) => {
      [...at('lanes').children].forEach((figure, i) => {
        const lane = value.lanes[i];
        if (!lane) return;
        figure.className = `f-${lane.family}`;
        const name = lab.make('b', { innerHTML: lane.badge });
        name.append(lane.title);
        const more = [lane.setting, lane.time].filter(Boolean).join(', ');
        figure.querySelector('figcaption').replaceChildren(name, lab.make('span', { textContent: more }));
        figure.querySelector('img').alt = `Images of lane ${i + 1}: ${lane.title}`;
      });
      if (document.querySelector('[data-page="compare"]')) {
        const words = 'The same seeds with their names, to take away';
        at('answer').append(lab.make('li', {}, lab.make('a', { href: value.link, textContent: words })));
      }
      const rounds = kept();
      if (rounds.some((one) => one.round === value.round)) return;
      const { data, seed, votes: given } = value;
      const lanes = value.lanes.map(({ family, title, setting }) => ({ family, title, setting }));
      keep([...rounds, { round: value.round, at: new Date().toISOString(), data, seed, lanes, votes: given }]);
    };
    const paint = () => {
      const value = now();
      if (!value) return;
      at('whole').dataset.state = value.state;
      const share = Math.round(100 * (value.share ?? 0));
      at('bar').style.width = `${share}%`;
      at('bar').parentElement.setAttribute('aria-valuenow', share);
      at('words').textContent = value.problem || value.words || '';
      at('words').classList.toggle('problem', Boolean(value.problem));
      at('ask').hidden = value.state !== 'asking';
      at('answer').replaceChildren(...(value.answer ?? []).map((words) => lab.make('li', { textContent: words })));
      if (value.state === 'asking') {
        if (value.round === dealt) return;
        dealt = value.round;
        ask(value);
        attend();
      } else if (value.state === 'told') tell(value);
      else at('lanes').replaceChildren();
    };
    at('vote').addEventListener('click', send);
    fields.forEach((field, i) => {
      field.addEventListener('focusin', () => {
        asked = i;
        mark();
      });
    });
    // The page's keys, wherever the focus is but in a field.
    const key = (event) => {
      if (!element.isConnected) return document.removeEventListener('keydown', key);
      if (!element.offsetParent || event.altKey || event.ctrlKey || event.metaKey) return;
      if (event.target.closest?.('input, textarea, select, [contenteditable]')) return;
      const number = /^[0-9]$/.test(event.key) ? Number(event.key) : -1;
      if (round && number >= 0 && number <= Number(at('most').textContent)) {
        event.preventDefault();
        choose(asked, number);
      } else if (event.key === 'Enter' && !event.target.closest?.('button, a, [role=button]')) {
        if (round && ready()) send();
        else if (at('whole').dataset.state === 'told') document.querySelector('#blind-go').click();
      }
    };
    document.addEventListener('keydown', key);
    watch('value', paint);
    paint();
  };

  // ---- the tally
  const share = ({ wins, ties, losses, n }) => {
    const range = wilson(wins, n);
    if (!range) return [lab.make('span', { textContent: '–' })];
    const [low, high] = range.map((one) => Math.round(100 * one));
    return [
      lab.make('b', { textContent: `${wins} of ${n}` }),
      lab.make('span', { textContent: `${low} to ${high}%` }),
      lab.make('small', { textContent: `${wins} won, ${plural(ties, 'tie')}, ${losses} lost` }),
    ];
  };
  const listed = (titles) => (titles.length > 1 ? `${titles.slice(0, -1).join(', ')} and ${titles.at(-1)}` : titles[0]);
  blind.tally = (element, props, watch) => {
    const now = lab.ofText(props);
    const at = lab.parts(element);
    // The first press asks, the second forgets.
    const unsure = (asking) => {
      at('reset').dataset.sure = asking ? 'yes' : '';
      at('reset').textContent = asking ? 'Forget all votes?' : 'Reset';
    };
    const says = (rounds, lanes, facts) => {
      if (!rounds.length) return `No votes on these settings yet. ${facts}`;
      const [real, varied] = QUESTIONS.map((question) => most(lanes, question));
      const begun = `After ${plural(rounds.length, 'round')} you took `;
      const first = real.top ? `${listed(real.titles)} for real most often (${real.top}).` : 'none for real.';
      const second = varied.top
        ? `You found ${listed(varied.titles)} the most varied (${varied.top}).`
        : 'You found none more varied.';
      return `${begun}${first} ${second} ${facts}`;
    };
    const row = (lane, heads) => {
      const name = lab.make('th', { scope: 'row', className: `f-${lane.family}`, innerHTML: lane.badge });
      name.append(lab.make('b', { textContent: lane.title }), lab.make('small', { textContent: lane.setting }));
      const cells = QUESTIONS.flatMap((question) => {
        const score = lane.family === 'real' ? '' : (lane[question] ?? '–');
        const cells = [lab.make('td', {}, ...share(lane.counted[question])), lab.make('td', { textContent: score })];
        cells.forEach((cell, i) => {
          cell.setAttribute('role', 'cell');
          cell.dataset.name = [NAMES[question], heads[question]][i]; // which a phone shows beside the value
        });
        return cells;
      });
      const line = lab.make('tr', {}, name, ...cells);
      line.setAttribute('role', 'row');
      name.setAttribute('role', 'rowheader');
      return line;
    };
    const paint = () => {
      const value = now();
      if (!value?.lanes) return;
      const all = kept();
      const rounds = all.filter((round) => fits(round, value.data, settings(value.lanes)));
      const lanes = value.lanes.map((lane) => ({ ...lane, counted: count(rounds, lane.family) }));
      at('says').textContent = says(rounds, lanes, value.says);
      for (const question of QUESTIONS) at(question).textContent = value.heads[question];
      at('rows').replaceChildren(...lanes.map((lane) => row(lane, value.heads)));
      const control = lanes.at(-1).counted.real;
      const chance = control.n ? Math.round((100 * control.chance) / control.n) : 0;
      const told = control.n
        ? `You picked the real images in ${control.wins} of ${control.n} rounds; by chance it would be about ${chance}%. `
        : '';
      const others = all.length - rounds.length;
      const rest = others ? ` ${plural(others, 'round')} of other settings or data are in the CSV.` : '';
      at('reading').textContent =
        `${told}Shares with Wilson’s 95% interval. The metrics are of thousands of images, your votes of 16 a lane.${rest}`;
      at('csv').disabled = at('reset').disabled = !all.length;
      unsure(false);
    };
    at('csv').addEventListener('click', () => {
      lab.saveBlob(new Blob([csv(kept())], { type: 'text/csv' }), 'blind-vote.csv');
    });
    at('reset').addEventListener('click', () => {
      if (at('reset').dataset.sure) keep([]);
      else unsure(true);
    });
    at('reset').addEventListener('blur', () => unsure(false));
    blind.counted = paint;
    watch('value', paint);
    paint();
  };
})();
