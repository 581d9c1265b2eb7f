// The Latent space page: rows of a path moved together, the other end of a path, and a map that is pointed at.
(() => {
  const find = (element) => (name) => element.querySelector(`[data-at="${name}"]`);
  const make = (tag, attributes = {}) => Object.assign(document.createElement(tag), attributes);
  const source = (image, uri) => {
    if (!uri) image.removeAttribute('src');
    else if (image.src !== uri) image.src = uri;
    image.hidden = !uri;
  };
  const latent = (lab.latent = {});

  // ---- rows of a path: what the slider shows is there already, so that no server is asked while it moves
  latent.walk = (element, props, watch, trigger) => {
    const at = find(element), range = at('share'), play = at('play'), box = at('rows');
    let rows = [], shape = '', playing = 0;
    const nearest = (row, share) => {  // the decoded picture nearest to a share of the path
      const goal = share * (row.total - 1), places = Object.keys(row.frames).map(Number);
      return places.reduce((best, place) => (best < 0 || Math.abs(place - goal) < Math.abs(best - goal) ? place : best), -1);
    };
    const show = () => {
      const share = range.value / range.max;
      at('says').textContent = share.toFixed(2);
      range.style.setProperty('--share', `${100 * share}%`);
      rows.forEach((row) => {
        const place = nearest(row, share);
        source(row.big, place < 0 ? '' : row.frames[place]);
        row.big.alt = place < 0 ? '' : `${row.title} at λ = ${(place / (row.total - 1)).toFixed(2)}`;
        row.mark.style.left = `${100 * share}%`;
      });
    };
    const build = (row, strip) => {
      const article = make('article', { className: `walk f-${row.family}` });
      article.dataset.family = row.family;
      const head = make('header'), name = make('h3', { textContent: row.title }), words = make('p', { className: 'path' });
      const film = make('button', { type: 'button', className: 'quiet', textContent: 'GIF', title: 'Save this path as an animated GIF' });
      film.addEventListener('click', () => trigger('film', { family: row.family }));
      head.innerHTML = row.badge;
      head.append(name, words, film);
      const big = make('img', { className: 'big' });
      const line = make('div', { className: 'line' }), mark = make('i', { className: 'mark' });
      const cells = Array.from({ length: strip }, (_, i) => {
        const button = make('button', { type: 'button' }), image = make('img', { alt: '' });
        const share = i / (strip - 1);
        button.setAttribute('aria-label', `${row.title}, λ = ${share.toFixed(3).replace(/0+$/, '').replace(/\.$/, '')}`);
        button.append(image);
        button.addEventListener('click', () => { stop(); range.value = share * range.max; show(); });
        return { button, image, share };
      });
      line.append(...cells.map((cell) => cell.button), mark);
      const note = make('p', { className: 'note' });
      article.append(head, big, line, note);
      return { article, words, film, big, line, cells, mark, said: note };
    };
    const paint = () => {
      const value = props.value;
      if (!value?.rows) return;
      at('walks').hidden = false;
      const now = value.rows.map((row) => row.family).join();
      if (now !== shape) {
        if (!now.startsWith(shape) || !shape) { rows = []; box.replaceChildren(); }
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
        row.cells.forEach((cell) => source(cell.image, given.frames[Math.round(cell.share * (given.total - 1))]));
      });
      show();
    };

    // there and back until it is pressed again
    const stop = () => {
      cancelAnimationFrame(playing);
      playing = 0;
      play.textContent = 'Play';
      play.setAttribute('aria-pressed', 'false');
    };
    play.addEventListener('click', () => {
      if (playing) return stop();
      play.textContent = 'Pause';
      play.setAttribute('aria-pressed', 'true');
      const begun = performance.now(), from = range.value / range.max;
      const tick = (now) => {
        const phase = (from + (now - begun) / 4000) % 2;
        range.value = range.max * (phase > 1 ? 2 - phase : phase);
        show();
        playing = requestAnimationFrame(tick);
      };
      playing = requestAnimationFrame(tick);
    });
    range.addEventListener('input', () => { stop(); show(); });
    watch('value', paint);
    paint();
  };

  latent.film = (element, props, watch) => {
    let saved = 0;
    watch('value', () => {
      const value = props.value;
      if (!value?.uri || value.made === saved) return;
      saved = value.made;
      make('a', { href: value.uri, download: value.name }).click();
    });
  };

  // ---- the other end of a path
  latent.target = (element, props, watch, trigger) => {
    const at = find(element), images = at('images');
    let shown = '';
    const paint = () => {
      const value = props.value;
      if (!value?.images) return;
      source(at('from'), value.from);
      if (shown !== value.images.join()) {
        shown = value.images.join();
        images.replaceChildren(...value.images.map((uri, index) => {
          const button = make('button', { type: 'button', title: value.names[index] });
          button.append(make('img', { src: uri, alt: value.names[index] }));
          button.addEventListener('click', () => trigger('aim', { index }));
          return button;
        }));
      }
      [...images.children].forEach((button, i) => button.setAttribute('aria-pressed', String(i === value.chosen)));
    };
    watch('value', paint);
    paint();
  };

  // ---- the map, and the spot that is pointed at: two components that know of each other
  const state = { at: null, you: null };
  const listeners = new Set();
  const GLYPHS = '0123456789abcdefghijklmnopqrstuvwxyz';
  const HUES = [5, 212, 135, 288, 28, 182, 330, 92, 250, null];  // 4, 7 and 9 lie together: 9 is grey; the glyph says the same

  latent.map = (element, props, watch, trigger) => {
    const now = lab.ofText(props), at = find(element), canvas = at('map'), ink = canvas.getContext('2d');
    let picture = null, scale = 1, side = 0, middle = [0, 0];
    const dark = () => document.body.classList.contains('dark');
    const color = (label, night) => {
      const hue = label < 0 ? null : HUES[label % HUES.length];
      return hue === null ? (night ? '#a0a7b3' : '#5f6876') : `hsl(${hue} ${night ? 48 : 52}% ${night ? 68 : 38}%)`;
    };
    const place = ([u, v]) => [side / 2 + (u - middle[0]) * scale, side / 2 - (v - middle[1]) * scale];
    const render = () => {
      const points = now()?.points;
      side = canvas.clientWidth;
      if (!points?.length || !side) return;
      const us = points.map((p) => p[0]), vs = points.map((p) => p[1]);
      const [low, high] = [Math.min, Math.max].map((f) => [us.reduce((a, b) => f(a, b)), vs.reduce((a, b) => f(a, b))]);
      middle = [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2];
      scale = 0.94 * side / Math.max(high[0] - low[0], high[1] - low[1]);
      const ratio = devicePixelRatio || 1, night = dark();
      picture = make('canvas', { width: side * ratio, height: side * ratio });
      const pen = picture.getContext('2d');
      pen.scale(ratio, ratio);
      pen.font = `${side < 420 ? 9 : 11}px ${getComputedStyle(document.body).fontFamily}`;
      pen.textAlign = 'center';
      pen.textBaseline = 'middle';
      pen.globalAlpha = 0.85;
      points.forEach(([u, v, label]) => {
        const [x, y] = place([u, v]);
        pen.fillStyle = color(label, night);
        pen.fillText(label < 0 ? '·' : GLYPHS[label] ?? '·', x, y);
      });
      canvas.width = canvas.height = side * ratio;
      draw();
    };
    const draw = () => {
      if (!picture) return;
      const ratio = devicePixelRatio || 1, line = getComputedStyle(document.body).getPropertyValue('--ink').trim();
      ink.setTransform(1, 0, 0, 1, 0, 0);
      ink.clearRect(0, 0, canvas.width, canvas.height);
      ink.drawImage(picture, 0, 0);
      ink.scale(ratio, ratio);
      ink.strokeStyle = line;
      if (state.you) {
        const [x, y] = place(state.you);
        ink.lineWidth = 2;
        ink.beginPath();
        ink.arc(x, y, 11, 0, 7);
        ink.stroke();
      }
      if (state.at) {
        const [x, y] = place(state.at);
        ink.lineWidth = 1.4;
        ink.beginPath();
        [[-16, 0, -5, 0], [5, 0, 16, 0], [0, -16, 0, -5], [0, 5, 0, 16]].forEach(([a, b, c, d]) => {
          ink.moveTo(x + a, y + b);
          ink.lineTo(x + c, y + d);
        });
        ink.stroke();
      }
      canvas.dataset.spot = state.at ? state.at.map((x) => x.toFixed(3)).join() : '';
    };
    state.calls = lab.inTurn((data) => trigger('point', data));
    const ask = (where) => {
      state.at = where;
      draw();
      state.calls.ask({ at: where });
    };
    const under = (event) => {
      const box = canvas.getBoundingClientRect();
      return [middle[0] + (event.clientX - box.left - side / 2) / scale, middle[1] - (event.clientY - box.top - side / 2) / scale];
    };
    canvas.addEventListener('pointermove', (event) => { if (picture) ask(under(event)); });
    canvas.addEventListener('pointerdown', (event) => {
      if (!picture) return;
      canvas.setPointerCapture(event.pointerId);
      ask(under(event));
    });
    canvas.addEventListener('keydown', (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (!step || !picture) return;
      event.preventDefault();
      const far = (event.shiftKey ? 40 : 10) / scale, from = state.at ?? middle;
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
    };
    new ResizeObserver(() => { if (canvas.clientWidth !== side) render(); }).observe(canvas);
    let night = dark();
    new MutationObserver(() => { if (night !== (night = dark())) render(); }).observe(document.body, { attributeFilter: ['class'] });
    listeners.add(draw);
    watch('value', paint);
    paint();
  };

  latent.spot = (element, props, watch) => {
    const at = find(element);
    const paint = () => {
      const value = props.value;
      const empty = !value || !(value.image || value.problem);
      state.calls?.answered();
      at('spot').hidden = empty;
      if (empty) return;
      at('problem').textContent = value.problem ?? '';
      if (!value.image) return;  // what was there stays
      source(at('image'), value.image);
      source(at('near'), value.near);
      at('where').textContent = value.where;
      at('nearest').textContent = value.nearest;
      if (value.you) { state.you = value.you; state.at = value.at; }
      state.at ??= value.at;
      listeners.forEach((tell) => tell());
    };
    watch('value', paint);
    paint();
  };
})();
