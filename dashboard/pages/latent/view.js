// The Latent space page: rows of a path moved together, the other end of a path, and a map that is pointed at.
(() => {
  const source = (image, uri) => {
    lab.picture(image, uri || '');
    image.hidden = !uri;
  };
  const latent = {};
  lab.latent = latent;

  // ---- rows of a path: what the slider shows is there already, so that no server is asked while it moves
  latent.walk = (element, props, watch, trigger) => {
    const at = lab.parts(element);
    const range = at('share');
    const play = at('play');
    const box = at('rows');
    let rows = [];
    let shape = '';
    let playing = 0;
    const asked = lab.address.of('latent', 'share');
    if (asked) range.value = asked * range.max;
    const keep = () => {
      const share = lab.format.fixed(range.value / range.max, 3);
      lab.address.say('latent', { share: Number(share) === 0.5 ? '' : String(Number(share)) });
    };
    const show = () => {
      const share = range.value / range.max;
      at('says').textContent = lab.format.fixed(share, 2);
      lab.fill(range);
      rows.forEach((row) => {
        const place = lab.nearestFrame(row, share);
        source(row.big, place < 0 ? '' : row.frames[place]);
        row.big.alt = place < 0 ? '' : `${row.title} at λ = ${lab.format.fixed(place / (row.total - 1), 2)}`;
        row.mark.style.left = `${100 * share}%`;
      });
    };
    const build = (row, strip) => {
      const head = lab.make('header');
      const name = lab.make('h3', { textContent: row.title });
      const words = lab.make('p', { className: 'path' });
      const film = lab.make('button', {
        type: 'button',
        className: 'quiet',
        textContent: 'GIF',
        title: 'Save this path as an animated GIF',
      });
      film.addEventListener('click', () => trigger('film', { family: row.family }));
      head.innerHTML = row.badge;
      head.append(name, words, film);
      const big = lab.make('img', { className: 'big' });
      const line = lab.make('div', { className: 'line' });
      const mark = lab.make('i', { className: 'mark' });
      const cells = Array.from({ length: strip }, (_, i) => {
        const image = lab.make('img', { alt: '' });
        const button = lab.make('button', { type: 'button' }, image);
        const share = i / (strip - 1);
        button.setAttribute('aria-label', `${row.title}, λ = ${Number(lab.format.fixed(share, 3))}`);
        button.addEventListener('click', () => {
          stop();
          range.value = share * range.max;
          show();
          keep();
        });
        return { button, image, share };
      });
      line.append(...cells.map((cell) => cell.button), mark);
      const note = lab.make('p', { className: 'note' });
      const article = lab.make('article', { className: `walk f-${row.family}` }, head, big, line, note);
      article.dataset.family = row.family;
      return { article, words, film, big, line, cells, mark, said: note };
    };
    const paint = () => {
      const value = props.value;
      if (!value?.rows) return;
      at('walks').hidden = false;
      const now = value.rows.map((row) => row.family).join();
      if (now !== shape) {
        if (!now.startsWith(shape) || !shape) {
          rows = [];
          box.replaceChildren();
        }
        rows = value.rows.map((row, i) => rows[i] ?? build(row, value.strip));
        box.replaceChildren(...rows.map((row) => row.article));
        shape = now;
      }
      value.rows.forEach((given, i) => {
        const row = Object.assign(rows[i], given);
        row.article.dataset.state = given.state;
        row.words.textContent = given.path;
        row.said.textContent = given.note;
        row.film.hidden = given.state !== 'done';
        for (const cell of row.cells) source(cell.image, given.frames[Math.round(cell.share * (given.total - 1))]);
      });
      show();
    };

    // there and back until it is pressed again
    const stop = () => {
      cancelAnimationFrame(playing);
      if (playing) keep();
      playing = 0;
      play.textContent = 'Play';
      play.setAttribute('aria-pressed', 'false');
    };
    play.addEventListener('click', () => {
      if (playing) return stop();
      play.textContent = 'Pause';
      play.setAttribute('aria-pressed', 'true');
      const begun = performance.now();
      const from = range.value / range.max;
      const tick = (now) => {
        const phase = (from + (now - begun) / 4000) % 2;
        range.value = range.max * (phase > 1 ? 2 - phase : phase);
        show();
        playing = requestAnimationFrame(tick);
      };
      playing = requestAnimationFrame(tick);
    });
    range.addEventListener('input', () => {
      stop();
      show();
      keep();
    });
    watch('value', paint);
    paint();
  };

  // ---- the other end of a path
  latent.target = (element, props, watch, trigger) => {
    const at = lab.parts(element);
    const images = at('images');
    let shown = '';
    const paint = () => {
      const value = props.value;
      if (!value?.images) return;
      source(at('from'), value.from);
      if (shown !== value.images.join()) {
        shown = value.images.join();
        images.replaceChildren(
          ...value.images.map((uri, index) => {
            const title = value.names[index];
            const button = lab.make('button', { type: 'button', title }, lab.make('img', { src: uri, alt: title }));
            button.addEventListener('click', () => {
              lab.address.say('latent', { to: index + 1 });
              trigger('aim', { index });
            });
            return button;
          }),
        );
      }
      lab.press([...images.children], (_, i) => i === value.chosen);
    };
    watch('value', paint);
    paint();
  };

  // ---- the map, and the spot that is pointed at: two components that know of each other
  const state = { at: null, you: null };
  const listeners = new Set();

  latent.map = (element, props, watch, trigger) => {
    const now = lab.ofText(props);
    const at = lab.parts(element);
    const canvas = at('map');
    const ink = canvas.getContext('2d');
    let picture = null;
    let side = 0;
    let view = null;
    const render = () => {
      const points = now()?.points;
      side = canvas.clientWidth;
      if (!points?.length || !side) return;
      view = lab.atlas.view(points, side);
      const ratio = devicePixelRatio || 1;
      const night = lab.dark();
      picture = lab.make('canvas', { width: side * ratio, height: side * ratio });
      const pen = picture.getContext('2d');
      pen.scale(ratio, ratio);
      pen.font = `${side < 420 ? 9 : 11}px ${getComputedStyle(document.body).fontFamily}`;
      pen.textAlign = 'center';
      pen.textBaseline = 'middle';
      pen.globalAlpha = 0.85;
      points.forEach(([u, v, label]) => {
        pen.fillStyle = lab.atlas.colour(label, night);
        pen.fillText(lab.atlas.glyph(label), ...view.place([u, v]));
      });
      canvas.width = canvas.height = side * ratio;
      draw();
    };
    const draw = () => {
      if (!picture) return;
      const ratio = devicePixelRatio || 1;
      const line = getComputedStyle(document.body).getPropertyValue('--ink').trim();
      ink.setTransform(1, 0, 0, 1, 0, 0);
      ink.clearRect(0, 0, canvas.width, canvas.height);
      ink.drawImage(picture, 0, 0);
      ink.scale(ratio, ratio);
      ink.strokeStyle = line;
      if (state.you) {
        const [x, y] = view.place(state.you);
        ink.lineWidth = 2;
        ink.beginPath();
        ink.arc(x, y, 11, 0, 7);
        ink.stroke();
      }
      if (state.at) {
        const [x, y] = view.place(state.at);
        ink.lineWidth = 1.4;
        ink.beginPath();
        [
          [-16, 0, -5, 0],
          [5, 0, 16, 0],
          [0, -16, 0, -5],
          [0, 5, 0, 16],
        ].forEach(([a, b, c, d]) => {
          ink.moveTo(x + a, y + b);
          ink.lineTo(x + c, y + d);
        });
        ink.stroke();
      }
      canvas.dataset.spot = state.at ? state.at.map((x) => x.toFixed(3)).join() : '';
    };
    state.calls = lab.inTurn((data) => trigger('point', data));
    let asked = lab.address.of('latent', 'spot');
    const ask = (where) => {
      state.at = where;
      draw();
      lab.address.say('latent', { spot: where.map((x) => String(Number(x.toFixed(3)))).join() });
      state.calls.ask({ at: where });
    };
    const under = (event) => {
      const box = canvas.getBoundingClientRect();
      return view.under([event.clientX - box.left, event.clientY - box.top]);
    };
    canvas.addEventListener('pointermove', (event) => {
      if (picture) ask(under(event));
    });
    canvas.addEventListener('pointerdown', (event) => {
      if (!picture) return;
      canvas.setPointerCapture(event.pointerId);
      ask(under(event));
    });
    canvas.addEventListener('keydown', (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (!step || !picture) return;
      event.preventDefault();
      const far = (event.shiftKey ? 40 : 10) / view.scale;
      const from = state.at ?? view.middle;
      ask([from[0] + far * step[0], from[1] + far * step[1]]);
    });
    const paint = () => {
      const value = now();
      if (!value?.points) return;
      element.querySelector('.atlas-map').classList.toggle('empty', !value.points.length);
      at('words').textContent = value.problem || value.words;
      at('x').textContent = value.axes ? `→ ${value.axes[0]}` : '';
      at('y').textContent = value.axes ? `↑ ${value.axes[1]}` : '';
      render();
      if (asked && picture) {
        const where = asked.split(',').map(Number);
        asked = '';
        setTimeout(() => ask(where), 300); // after the spot of the chosen image, which came with the map
      }
    };
    new ResizeObserver(() => {
      if (canvas.clientWidth !== side) render();
    }).observe(canvas);
    lab.onTheme(render);
    listeners.add(draw);
    watch('value', paint);
    paint();
  };

  latent.spot = (element, props, watch) => {
    const at = lab.parts(element);
    const paint = () => {
      const value = props.value;
      const empty = !value || !(value.image || value.problem);
      state.calls?.answered();
      at('spot').hidden = empty;
      if (empty) return;
      at('problem').textContent = value.problem ?? '';
      if (!value.image) return; // what was there stays
      source(at('image'), value.image);
      source(at('near'), value.near);
      at('where').textContent = value.where;
      at('nearest').textContent = value.nearest;
      if (value.you) {
        state.you = value.you;
        state.at = value.at;
      }
      state.at ??= value.at;
      for (const tell of listeners) tell();
    };
    watch('value', paint);
    paint();
  };
})();
