// The VAE page: pictures and words that a handler's value names, painted in place so that nothing blinks.
lab.inside = (element, props, watch) => {
  const parts = [...element.querySelectorAll('[data-at]')];
  const paint = () => {
    const value = props.value;
    if (!value || typeof value !== 'object') return;
    for (const part of parts) {
      const given = value[part.dataset.at];
      if (given === undefined) continue; // what is left out stays
      if (part.tagName === 'IMG') {
        lab.picture(part, given);
        part.alt = value[`${part.dataset.at}-alt`] ?? '';
      } else part.textContent = given;
    }
  };
  watch('value', paint);
  paint();
};
