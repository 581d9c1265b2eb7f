// The Diffusion page: an image under noise, two films of the reverse process, samples by the number of steps.
(() => {
  const text = (node, words) => {
    if (words !== undefined && node.textContent !== words) node.textContent = words;
  };
  const picture = (image, source, alt) => {
    if (alt) image.alt = alt;
    lab.picture(image, source);
  };
  const bar = (at, share) => {
    if (share === undefined) return;
    const percent = Math.round(100 * share);
    at('bar').style.width = `${percent}%`;
    at('bar').parentElement.setAttribute('aria-valuenow', percent);
  };
  const offer = (link, source, name) => {
    if (source === undefined) return;
    link.hidden = !source;
    if (source) link.href = source;
    if (name) link.download = name;
  };

  // ---- forward: one slider, three pictures, a strip
  lab.forward = (element, props, watch, trigger) => {
    const at = lab.parts(element);
    const range = at('range');
    const number = at('number');
    const USUAL = 400;
    let wanted = null; // the t that was asked for last: an answer to an earlier one does not move the slider back
    const show = (t) => {
      range.value = t;
      if (document.activeElement !== number) number.value = t; // what is being typed stays
      lab.fill(range);
    };
    const calls = lab.inTurn((data) => trigger('move', data));
    const move = (t) => {
      wanted = String(t);
      calls.ask({ t });
    };
    range.addEventListener('input', () => {
      number.value = range.value;
      lab.fill(range);
      move(Number(range.value));
    });
    number.addEventListener('change', () => move(number.value));
    number.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') {
        event.preventDefault();
        number.blur();
      }
    });
    const strip = (places) => {
      if (!places) return;
      at('strip').replaceChildren(
        ...places.map(([t, xt, hat]) => {
          const pictures = [
            [xt, 'The image'],
            [hat, 'What the network sees'],
          ].map(([src, what]) =>
            src ? lab.make('img', { src, alt: `${what} at t = ${t}` }) : lab.make('span', { className: 'df-gap' }),
          );
          const button = lab.make(
            'button',
            { type: 'button', title: `Go to t = ${t}` },
            ...pictures,
            lab.make('span', { textContent: `t = ${t}` }),
          );
          button.dataset.t = t;
          button.addEventListener('click', () => {
            show(t);
            move(t);
          });
          return button;
        }),
      );
    };
    const paint = () => {
      const v = props.value;
      if (!v || typeof v !== 'object') return;
      if (v.last !== undefined) range.max = v.last;
      if (v.t !== undefined) {
        if (wanted === String(v.t)) lab.address.say('diffusion', { t: v.t === USUAL ? '' : v.t });
        if (wanted === null || wanted === String(v.t)) {
          show(v.t);
          wanted = null;
        } // else one that is asked for follows
        text(at('t'), String(v.t));
        element.firstElementChild.dataset.t = v.t;
      }
      picture(at('x0'), v.x0, 'The image');
      picture(at('xt'), v.xt, `The image under noise at t = ${v.t}`);
      picture(at('hat'), v.hat, `What the network sees at t = ${v.t}`);
      text(at('words'), v.words);
      text(at('problem'), v.problem);
      if (v.problem) wanted = null;
      if (v.problem || v.t !== undefined) calls.answered();
      if (v.figures) {
        at('figures').replaceChildren(
          ...v.figures.map(([name, value]) =>
            lab.make('div', {}, lab.make('dt', { textContent: name }), lab.make('dd', { textContent: value })),
          ),
        );
      }
      strip(v.strip);
      offer(at('download'), v.download);
      for (const button of at('strip').querySelectorAll('button')) {
        button.toggleAttribute('data-here', Number(button.dataset.t) === Number(element.firstElementChild.dataset.t));
      }
    };
    watch('value', paint);
    paint();
  };

  // ---- reverse: films that fill while they are made, then play under one slider
  const SECONDS = 5; // a film's length
  lab.film = (element, props, watch) => {
    const at = lab.parts(element);
    const range = at('range');
    const play = at('play');
    const sides = [...element.querySelectorAll('.df-reel')].map((section) => {
      const of = lab.parts(section);
      return {
        section,
        name: of('name'),
        x: of('x'),
        x0: of('x0'),
        t: of('t'),
        calls: of('calls'),
        frames: [],
        total: 0,
        kept: 0,
      };
    });
    let run = null;
    let live = false;
    let timer = 0;
    let asked = lab.address.of('diffusion', 'moment');
    const keep = () => {
      const share = Number((range.value / (range.max || 1)).toFixed(4));
      lab.address.say('diffusion', { moment: share === 1 ? '' : share });
    };
    const draw = (side, share) => {
      const place = lab.reel.place(side, share);
      const frame = side.frames[place];
      if (!frame) return;
      const { image, column, t, calls } = frame;
      const high = image.naturalHeight / 2;
      if (!high) {
        image.addEventListener('load', () => draw(side, share), { once: true });
        return;
      }
      const wide = frame.columns ? image.naturalWidth / frame.columns : image.naturalWidth;
      [
        [side.x, 0],
        [side.x0, high],
      ].forEach(([canvas, top]) => {
        if (canvas.width !== wide) {
          canvas.width = wide;
          canvas.height = high;
        }
        canvas.getContext('2d').drawImage(image, column * wide, top, wide, high, 0, 0, wide, high);
      });
      side.section.dataset.place = place;
      side.section.dataset.calls = calls;
      side.t.textContent = t === null ? 'is the image' : `at t = ${t}`;
      side.calls.textContent = t === null ? `after ${side.total} calls` : `from call ${calls + 1} of ${side.total}`;
    };
    const show = () => {
      lab.fill(range);
      const share = range.value / (range.max || 1);
      for (const side of sides) draw(side, share);
      const words = sides
        .filter((side) => side.frames.length)
        .map((side) => `${side.name.textContent} ${side.t.textContent}`);
      range.setAttribute('aria-valuetext', words.join(', '));
    };
    const halt = () => {
      clearInterval(timer);
      if (timer) keep();
      timer = 0;
      play.textContent = 'Play';
      play.setAttribute('aria-label', 'Play');
    };
    const start = () => {
      live = false;
      if (Number(range.value) >= Number(range.max)) range.value = 0;
      play.textContent = 'Pause';
      play.setAttribute('aria-label', 'Pause');
      timer = setInterval(
        () => {
          if (Number(range.value) >= Number(range.max)) return halt();
          range.value = Number(range.value) + 1;
          show();
        },
        (1000 * SECONDS) / Math.max(20, range.max),
      );
    };
    play.addEventListener('click', () => (timer ? halt() : start()));
    range.addEventListener('input', () => {
      live = false;
      halt();
      show();
      keep();
    });
    element.addEventListener('keydown', (event) => {
      // the arrow keys are the slider's own
      if (event.key !== ' ' || event.target === play) return;
      event.preventDefault();
      if (timer) halt();
      else start();
    });
    const reset = (v) => {
      run = v.run;
      live = true;
      halt();
      sides.forEach((side, i) => {
        Object.assign(side, { frames: [], total: 0, kept: 0 });
        if (v.names) side.name.textContent = v.names[i]; // else 'Left' and 'Right' stay
        side.t.textContent = side.calls.textContent = '';
        delete side.section.dataset.place;
        for (const canvas of [side.x, side.x0]) canvas.getContext('2d').clearRect(0, 0, canvas.width, canvas.height);
      });
    };
    const follow = () => {
      // while the films are made, the slider goes with them
      range.max = Math.max(1, ...sides.map(lab.reel.length)) - 1;
      if (live) range.value = Math.floor(Math.min(...sides.map(lab.reel.done)) * range.max);
      show();
    };
    const arrived = (place, frames, total) => {
      const side = sides[place];
      side.total = total;
      side.kept = Math.min(props.value.most ?? 60, total + 1);
      frames.forEach(([index, t, calls, source]) => {
        const image = new Image();
        image.addEventListener('load', follow, { once: true });
        image.src = source;
        side.frames[index] = { image, column: 0, columns: 1, t, calls };
      });
    };
    const whole = (reels) =>
      reels.forEach(({ sprite, times, total }, i) => {
        const image = new Image();
        image.addEventListener(
          'load',
          () => {
            Object.assign(sides[i], { total, kept: times.length });
            sides[i].frames = times.map(([t, calls], column) => ({ image, column, columns: times.length, t, calls }));
            follow();
            if (asked && sides.every((side) => side.frames[0]?.columns > 1)) {
              live = false;
              range.value = Math.round(asked * range.max);
              asked = '';
              show();
            }
          },
          { once: true },
        );
        if (sprite) image.src = sprite;
      });
    const paint = () => {
      const v = props.value;
      if (!v || typeof v !== 'object') return;
      if (v.run !== undefined && v.run !== run) reset(v);
      for (const fresh of v.fresh ?? []) arrived(...fresh);
      if (v.reels) whole(v.reels);
      bar(at, v.share);
      if (v.promise) text(at('words'), `${v.promise} Press Draw.`);
      text(at('words'), v.words);
      text(at('problem'), v.problem);
      element.firstElementChild.dataset.state = v.reels
        ? 'done'
        : v.fresh
          ? 'running'
          : (element.firstElementChild.dataset.state ?? 'idle');
      if (v.run !== undefined && !v.reels) element.firstElementChild.dataset.state = v.run ? 'running' : 'idle';
      play.disabled = range.disabled = element.firstElementChild.dataset.state === 'idle';
    };
    watch('value', paint);
    paint();
  };

  // ---- steps: what was drawn before is there at once, without asking the server
  lab.steps = (element, props, watch, trigger) => {
    const at = lab.parts(element);
    const range = at('range');
    const image = at('image');
    const kept = new Map(); // finished samples, by their settings and number of steps
    let stops = [];
    let chosen = '';
    let settings = '';
    const steps = () => stops[range.value];
    const label = () => {
      lab.fill(range);
      const words = `${steps() ?? ''}`;
      text(at('out'), words);
      range.setAttribute('aria-valuetext', `${words} steps`);
      [...at('ticks').children].forEach((tick, i) => {
        tick.toggleAttribute('data-here', i === Number(range.value));
      });
    };
    const peek = () => {
      const there = kept.get(`${settings} ${steps()}`);
      if (there) {
        picture(image, there.image, there.alt);
        text(at('words'), there.words);
        offer(at('download'), there.image, there.name);
      }
      image.classList.toggle('faint', !there);
    };
    const calls = lab.inTurn((data) => trigger('choose', data));
    let asked = lab.address.of('diffusion', 'steps');
    let usual = null;
    const keep = () => lab.address.say('diffusion', { steps: steps() === usual ? '' : steps() });
    const choose = () => {
      if (String(steps()) !== chosen) {
        chosen = String(steps());
        keep();
        calls.ask({ steps: steps() });
      }
    };
    range.addEventListener('input', () => {
      label();
      peek();
    });
    range.addEventListener('change', choose);
    const ticks = () =>
      at('ticks').replaceChildren(
        ...stops.map((stop, i) => {
          const tick = lab.make('button', { type: 'button', tabIndex: -1, textContent: stop });
          tick.style.left = `${stops.length > 1 ? (100 * i) / (stops.length - 1) : 0}%`;
          tick.addEventListener('click', () => {
            range.value = i;
            label();
            peek();
            choose();
          });
          return tick;
        }),
      );
    const paint = () => {
      const v = props.value;
      if (!v || typeof v !== 'object') return;
      if (v.stops) {
        stops = v.stops;
        usual = v.usual ?? usual;
        range.max = stops.length - 1;
        ticks();
      }
      if (v.stops || (v.at !== undefined && (chosen === '' || chosen === String(v.at)))) {
        range.value = stops.indexOf(v.at);
        chosen = String(v.at);
        element.firstElementChild.dataset.steps = v.at;
        label();
        keep();
      }
      if (v.stops && asked) {
        asked = '';
        calls.ask({ steps: v.at }); // what is not there is drawn where that is quick
      }
      if (v.problem || v.at !== undefined) calls.answered();
      if (v.settings !== undefined) settings = v.settings;
      if (v.image && v.name)
        kept.set(`${settings} ${v.at}`, { image: v.image, alt: v.alt, words: v.words, name: v.name });
      if (v.at !== undefined && String(steps()) !== String(v.at)) return; // the visitor has moved on
      picture(image, v.image, v.alt);
      if (v.faint !== undefined) image.classList.toggle('faint', v.faint);
      bar(at, v.share);
      text(at('words'), v.words);
      text(at('problem'), v.problem);
      if (v.name !== undefined) offer(at('download'), v.name && v.image ? v.image : '', v.name);
    };
    watch('value', paint);
    paint();
  };
})();
