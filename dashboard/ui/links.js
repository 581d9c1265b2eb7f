// Links to share: what differs from the defaults goes into the query.

lab.link = (defaults, values) => {
  const url = new URL(location.href);
  Object.entries(defaults).forEach(([key, usual], i) => {
    const value = values[i] ?? '';
    if (value === '' || String(value) === String(usual)) url.searchParams.delete(key);
    else url.searchParams.set(key, value);
  });
  history.replaceState(history.state, '', url.href);
  return url.href;
};

lab.copy = async (text) => {
  try {
    await navigator.clipboard.writeText(text);
    return 'Link copied.';
  } catch {
    // only over https or localhost
  }
  const field = lab.make('textarea', { value: text });
  document.body.append(field);
  field.select();
  const done = document.execCommand('copy');
  field.remove();
  return done ? 'Link copied.' : 'The link is in the address bar.';
};
