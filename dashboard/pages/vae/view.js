// The VAE page: pictures and words that a handler's value names, painted in place so that nothing blinks.
(() => {
  lab.inside = (element, props, watch) => {
    const parts = [...element.querySelectorAll('[data-at]')];
    const paint = () => {
      const value = props.value;
      if (!value || typeof value !== 'object') return;
      parts.forEach((part) => {
        const given = value[part.dataset.at];
        if (given === undefined) return;  // what is left out stays
        if (part.tagName !== 'IMG') { part.textContent = given; return; }
        if (given) part.src = given; else part.removeAttribute('src');
        part.alt = value[`${part.dataset.at}-alt`] ?? '';
      });
    };
    watch('value', paint);
    paint();
  };
})();
