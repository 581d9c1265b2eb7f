// Links to share, names of files, and colours of plotted figures.
const assert = require('node:assert/strict');
const test = require('node:test');

const lab = require('./load.js').load('ui/links', 'ui/download', 'ui/plotly');

test('a link holds what differs from the defaults and keeps what is not ours', () => {
  const replaced = [];
  globalThis.location = { href: 'http://localhost:7860/?__theme=dark&n=9&seed=1#compare' };
  globalThis.history = { state: null, replaceState: (_state, _title, url) => replaced.push(url) };
  const link = lab.link({ seed: '0', n: 16, name: '', data: 'mnist' }, [3, '16', null, 'toy & 7']);
  assert.equal(link, 'http://localhost:7860/?__theme=dark&seed=3&data=toy+%26+7#compare');
  assert.deepEqual(replaced, [link]);
});

test('a file is named by its title', () => {
  assert.equal(lab.fileName('Quality, by steps (DDIM)', 'svg'), 'quality-by-steps-ddim.svg');
  assert.equal(lab.fileName('Fréchet', 'png'), 'frechet.png');
  assert.equal(lab.fileName('…', 'png'), 'figure.png');
});

test('a figure takes its colours from the theme', () => {
  const figure = { data: [{ color: 'var(--ink)', x: [1, 2] }], title: 'var', none: null };
  const coloured = lab.coloured(figure, (name) => ` ${name}!`);
  assert.deepEqual(coloured, { data: [{ color: '--ink!', x: [1, 2] }], title: 'var', none: null });
});
