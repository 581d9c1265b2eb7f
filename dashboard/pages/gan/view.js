// The GAN page: samples that follow a slider, painted in place so that nothing blinks.
lab.ganSamples = (element, props, watch) => {
  const [image, words] = ['image', 'note'].map(lab.parts(element));
  const paint = () => {
    const value = props.value;
    if (!value || typeof value !== 'object') return;
    lab.picture(image, value.image);
    if (value.alt) image.alt = value.alt;
    image.hidden = !image.getAttribute('src');
    words.textContent = value.note ?? '';
    words.classList.toggle('problem', Boolean(value.problem));
  };
  watch('value', paint);
  paint();
};
