// Plotly figures: the library comes from this server at the first figure that comes near the screen.
{
  let loading = null;
  const plotly = (source) => {
    loading ??= new Promise((resolve, reject) => {
      const script = lab.make('script', { src: (window.gradio_config?.root || '').replace(/\/$/, '') + source });
      script.onload = () => resolve(window.Plotly);
      script.onerror = () => reject(new Error('plotly could not be loaded'));
      document.head.append(script);
    });
    return loading;
  };

  // A figure with its 'var(--name)' replaced by `colour('--name')`.
  lab.coloured = (value, colour) => {
    if (typeof value === 'string' && value.startsWith('var(')) return colour(value.slice(4, -1)).trim();
    if (Array.isArray(value)) return value.map((item) => lab.coloured(item, colour));
    if (!value || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, lab.coloured(item, colour)]));
  };

  const OPTIONS = {
    responsive: true,
    displaylogo: false,
    displayModeBar: false,
    doubleClick: 'reset',
    showTips: false,
  };
  lab.figure = (element, props, watch) => {
    const box = element.querySelector('.plot');
    const now = lab.ofText(props);
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
        const style = getComputedStyle(document.body);
        const { data, layout } = lab.coloured(figure, (name) => style.getPropertyValue(name));
        layout.autosize = true;
        layout.dragmode = matchMedia('(pointer: coarse)').matches ? false : 'zoom';
        await Plotly.react(box, data, layout, { ...OPTIONS });
        box.dataset.drawn = String(Number(box.dataset.drawn || 0) + 1);
      } catch (error) {
        box.textContent = error.message;
      }
    };
    const approach = (seen, self) => {
      if (!seen.some((entry) => entry.isIntersecting)) return;
      near = true;
      self.disconnect();
      draw();
    };
    new IntersectionObserver(approach, { rootMargin: '300px' }).observe(box);
    lab.onTheme(draw);
    watch('value', draw);
  };
}
