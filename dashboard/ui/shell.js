// Shared by all pages: page links, light and dark, times for people, links to share, plotly figures.
window.lab = (() => {
  const lab = {};

  // ---- pages: a link's #name opens the tab of that name, #name/panel scrolls on to a panel; Gradio's own tab bar is hidden
  const open = (tries = 0) => {
    const links = [...document.querySelectorAll('[data-page]')];
    const names = links.map((a) => a.dataset.page);
    const [asked, panel] = location.hash.slice(1).split('/');
    const name = names.includes(asked) ? asked : names[0];
    const tab = document.querySelector(`#pages [role=tab][data-tab-id="${name}"]`);
    if (!name || (!tab && names.length > 1)) return tries < 600 && requestAnimationFrame(() => open(tries + 1));
    links.forEach((a) => (a.dataset.page === name ? a.setAttribute('aria-current', 'page') : a.removeAttribute('aria-current')));
    if (tab && tab.getAttribute('aria-selected') !== 'true') {
      tab.click();
      if (!panel) scrollTo(0, 0);  // all pages are one document: another page's place in it means nothing here
    }
    reveal(links[0]?.parentElement);
    if (panel) arrive(`panel-${name}-${panel}`);
  };
  const arrive = (id, tries = 0, hash = location.hash) => {  // a tab is laid out when it is first opened, and grows while its panels fill
    if (location.hash !== hash) return;  // another link was followed meanwhile
    const goal = document.getElementById(id);
    if (!goal?.offsetParent) return tries < 600 && requestAnimationFrame(() => arrive(id, tries + 1, hash));
    const go = () => goal.scrollIntoView({ block: 'start' });
    go();
    const hold = new ResizeObserver(go);
    hold.observe(document.body);
    const leave = () => { hold.disconnect(); ['wheel', 'touchstart', 'keydown', 'pointerdown', 'hashchange'].forEach((name) => removeEventListener(name, leave)); };
    ['wheel', 'touchstart', 'keydown', 'pointerdown', 'hashchange'].forEach((name) => addEventListener(name, leave, { passive: true }));
    setTimeout(leave, 30000);  // a busy machine fills its panels for a while
  };
  const reveal = (nav) => {  // on a phone the links scroll sideways: the current one in view, a fade where more are
    if (!nav) return;
    const more = () => {
      nav.classList.toggle('more-left', nav.scrollLeft > 4);
      nav.classList.toggle('more-right', nav.scrollLeft < nav.scrollWidth - nav.clientWidth - 4);
    };
    if (!nav.dataset.watched) {
      nav.dataset.watched = 'yes';
      nav.addEventListener('scroll', more, { passive: true });
      new ResizeObserver(more).observe(nav);
    }
    const link = nav.querySelector('[aria-current]');
    if (link) nav.scrollLeft = link.offsetLeft - nav.offsetLeft - (nav.clientWidth - link.offsetWidth) / 2;
    more();
  };
  addEventListener('hashchange', () => open());
  lab.pages = () => open();

  // ---- light and dark
  const kept = (() => { try { return localStorage.getItem('theme'); } catch { return null; } })();
  const asked = new URLSearchParams(location.search).get('__theme');
  const paint = () => {
    if (!document.body) return requestAnimationFrame(paint);
    if (kept && !asked) document.body.classList.toggle('dark', kept === 'dark');
  };
  paint();
  lab.theme = () => {
    const dark = document.body.classList.toggle('dark');
    try { localStorage.setItem('theme', dark ? 'dark' : 'light'); } catch { /* private windows */ }
  };

  // ---- a time in milliseconds for people, as dashboard.charts.duration writes it
  lab.duration = (ms) => {
    if (ms < 1000) {
      const digits = ms > 0 ? Math.max(0, 2 - Math.floor(Math.log10(ms))) : 0;
      return [ms.toFixed(Math.min(digits, 3)), 'ms'];
    }
    const s = ms / 1000;
    if (s < 60) return [s < 10 ? s.toFixed(2) : s.toFixed(1), 's'];
    return [`${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, '0')}`, 'min'];
  };

  // ---- one call at a time, and after it the last one asked for meanwhile. Gradio's 'always_last' is no help here: it repeats
  // a custom event with the data of its first call.
  lab.inTurn = (send) => {
    const PATIENCE = 5000;  // ms after which an answer is not waited for any more
    let since = null, next = null;
    const go = (data) => { since = performance.now(); next = null; send(data); };
    return {
      ask: (data) => { if (since !== null && performance.now() - since < PATIENCE) next = data; else go(data); },
      answered: () => { since = null; if (next !== null) go(next); },
    };
  };

  // ---- values that come as one text (events.as_text), read once
  lab.ofText = (props) => {
    let text, value;
    return () => {
      if (props.value !== text) { text = props.value; value = text ? JSON.parse(text) : null; }
      return value;
    };
  };

  // ---- links: what differs from the defaults goes into the query
  lab.link = (defaults, values) => {
    const url = new URL(location.href);
    Object.entries(defaults).forEach(([key, usual], i) => {
      const value = values[i];
      if (value === null || value === undefined || value === '' || String(value) === String(usual)) url.searchParams.delete(key);
      else url.searchParams.set(key, value);
    });
    const text = url.toString();
    history.replaceState(history.state, '', text);
    return text;
  };
  lab.copy = async (text) => {
    try { await navigator.clipboard.writeText(text); return 'Link copied.'; } catch { /* only over https or localhost */ }
    const field = Object.assign(document.createElement('textarea'), { value: text });
    document.body.append(field);
    field.select();
    const done = document.execCommand('copy');
    field.remove();
    return done ? 'Link copied.' : 'The link is in the address bar.';
  };

  // ---- plotly: loaded from this server at the first figure that comes near the screen
  let loading = null;
  const plotly = (source) => (loading ??= new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = (window.gradio_config?.root || '').replace(/\/$/, '') + source;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => reject(new Error('plotly could not be loaded'));
    document.head.append(script);
  }));
  const themed = (value, style) => {
    if (typeof value === 'string' && value.startsWith('var(')) return style.getPropertyValue(value.slice(4, -1)).trim();
    if (Array.isArray(value)) return value.map((item) => themed(item, style));
    if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, themed(v, style)]));
    return value;
  };
  lab.figure = (element, props, watch) => {
    const box = element.querySelector('.plot'), now = lab.ofText(props);
    let near = false;
    const draw = async () => {
      const figure = now();
      if (!near || !figure || !box.isConnected) return;
      box.classList.toggle('missing', !figure.data);
      if (!figure.data) {
        window.Plotly?.purge(box);
        box.textContent = figure.missing ?? '';
        return;
      }
      if (box.firstChild?.nodeType === Node.TEXT_NODE) box.textContent = '';
      try {
        const Plotly = await plotly(props.source);
        const { data, layout } = themed(figure, getComputedStyle(document.body));
        layout.autosize = true;
        layout.dragmode = matchMedia('(pointer: coarse)').matches ? false : 'zoom';
        await Plotly.react(box, data, layout, {
          responsive: true, displaylogo: false, displayModeBar: false, doubleClick: 'reset', showTips: false,
        });
        box.dataset.drawn = String(Number(box.dataset.drawn || 0) + 1);
      } catch (error) { box.textContent = error.message; }
    };
    new IntersectionObserver((seen, self) => {
      if (!seen.some((entry) => entry.isIntersecting)) return;
      near = true; self.disconnect(); draw();
    }, { rootMargin: '300px' }).observe(box);
    let dark = document.body.classList.contains('dark');
    new MutationObserver(() => {
      if (dark !== (dark = document.body.classList.contains('dark'))) draw();
    }).observe(document.body, { attributeFilter: ['class'] });
    watch('value', draw);
  };

  // ---- a lane: image, bar, clock and figures, painted in place so that nothing blinks and nothing grows
  lab.lane = (element, props, watch) => {
    const at = (name) => element.querySelector(`[data-at=${name}]`);
    const parts = Object.fromEntries(['lane', 'image', 'bar', 'clock', 'unit', 'note', 'figures', 'wide'].map((n) => [n, at(n)]));
    let ticking = 0, base = 0, since = 0;
    const clock = (ms) => { [parts.clock.textContent, parts.unit.textContent] = lab.duration(ms); };
    const tick = () => {
      clock(base + performance.now() - since);
      ticking = requestAnimationFrame(tick);
    };
    const fit = () => {
      const room = parts.image.parentElement.clientWidth, own = parts.image.naturalWidth;
      if (!room || !own) return;
      const scale = Math.floor((room * devicePixelRatio) / own) / devicePixelRatio;  // whole screen pixels a pixel
      parts.image.style.width = scale * own >= 0.84 * room ? `${scale * own}px` : '100%';
    };
    parts.image.addEventListener('load', fit);
    new ResizeObserver(fit).observe(parts.image.parentElement);
    const picture = (image, source) => {  // undefined keeps what is there, '' takes it away
      if (!image || source === undefined || image.src === source) return;
      if (source) image.src = source; else image.removeAttribute('src');
    };
    const paint = () => {
      const value = props.value;
      if (!value || typeof value !== 'object') return;
      cancelAnimationFrame(ticking);
      parts.lane.dataset.state = value.state;
      parts.lane.dataset.index = value.index ?? '';
      picture(parts.image, value.image);
      picture(parts.wide, value.wide);
      if (value.alt) parts.image.alt = value.alt;
      parts.lane.classList.toggle('empty', !parts.image.getAttribute('src'));
      parts.bar.style.width = `${100 * (value.share ?? 0)}%`;
      parts.note.textContent = value.note ?? '';
      if (value.ms === null) parts.clock.textContent = parts.unit.textContent = '';
      if (value.ms !== undefined && value.ms !== null) {
        base = value.ms; since = performance.now();
        if (value.state === 'running') tick(); else clock(base);
      }
      if (value.figures) {
        const rows = [...parts.figures.children];
        value.figures.forEach(([name, figure], i) => {
          if (!rows[i]) return;
          rows[i].hidden = false;
          rows[i].children[0].textContent = name;
          rows[i].children[1].textContent = figure;
        });
        rows.slice(value.figures.length).forEach((row) => { row.hidden = true; });
      }
    };
    watch('value', paint);
    paint();
  };
  return lab;
})();
