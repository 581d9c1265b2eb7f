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
