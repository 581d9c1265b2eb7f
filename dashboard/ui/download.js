// Files that the browser makes.

lab.save = (href, name) => {
  const link = lab.make('a', { href, download: name });
  document.body.append(link);
  link.click();
  link.remove();
};

lab.saveBlob = (blob, name) => {
  const href = URL.createObjectURL(blob);
  lab.save(href, name);
  setTimeout(() => URL.revokeObjectURL(href), 10000);
};

// Saves what the server hands over: a value with an address, a name, and when it was made.
lab.handed = (props, watch) => {
  let saved = 0;
  watch('value', () => {
    const value = props.value;
    if (!value?.uri || value.made === saved) return;
    saved = value.made;
    lab.save(value.uri, value.name);
  });
};

// The button of a share bundle, and what is said of it.
lab.bundle = (element, props, watch, trigger) => {
  const at = lab.parts(element);
  const say = (words, problem = false) => {
    at('said').textContent = words;
    at('said').classList.toggle('problem', problem);
  };
  at('go').addEventListener('click', () => {
    say('Making the ZIP.');
    trigger('ask');
  });
  watch('value', () => say(props.value?.words ?? '', Boolean(props.value?.problem)));
  lab.handed(props, watch);
};

// A title as a file's name: 'Quality, by steps' -> 'quality-by-steps.svg'.
lab.fileName = (title, ending) => {
  const plain = title
    .normalize('NFKD')
    .replace(/[^\w\s-]/g, '')
    .trim()
    .toLowerCase()
    .replace(/[\s_]+/g, '-');
  return `${plain || 'figure'}.${ending}`;
};
