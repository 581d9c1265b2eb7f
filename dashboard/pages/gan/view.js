// The GAN page: samples that follow a slider, painted in place so that nothing blinks.
lab.ganSamples = (element, props, watch) => {
  const image = element.querySelector('[data-at=image]'), words = element.querySelector('[data-at=note]');
  const paint = () => {
    const value = props.value;
    if (!value || typeof value !== 'object') return;
    if (value.image) image.src = value.image;
    else if (value.image === '') image.removeAttribute('src');
    if (value.alt) image.alt = value.alt;
    image.hidden = !image.getAttribute('src');
    words.textContent = value.note ?? '';
    words.classList.toggle('problem', Boolean(value.problem));
  };
  watch('value', paint);
  paint();
};
