// The address, names of files, and colours of plotted figures.
const assert = require('node:assert/strict');
const test = require('node:test');

const listeners = {};
const replaced = [];
let reloads = 0;
globalThis.addEventListener = (name, act) => {
  listeners[name] = act;
};
globalThis.location = {
  search: '?__theme=dark&seed=3&t=7&lecture=short',
  pathname: '/',
  hash: '#films/one',
  reload: () => {
    reloads += 1;
  },
};
globalThis.history = {
  state: null,
  replaceState: (state, _title, url) => {
    globalThis.history.state = state;
    const [search, hash] = url.slice(1).split('#');
    Object.assign(globalThis.location, { search, hash: `#${hash}` });
    replaced.push(url);
  },
};
const lab = require('./load.js').load('ui/address', 'ui/links', 'ui/download', 'ui/plotly');
const now = () => globalThis.location.search + globalThis.location.hash;
const props = {
  value: {
    pages: {
      films: [
        { name: 'data', usual: 'digits' },
        { name: 'run', usual: { digits: 'digits/a', mnist: 'mnist/a' }, by: true },
        { name: 'seed', usual: '42' },
        { name: 'between', usual: 'two seeds', words: { 'two seeds': 'two-seeds', 'two images': 'two-images' } },
        { name: 'log', usual: true },
        { name: 'shown', usual: [] },
        { name: 't' },
      ],
      table: [{ name: 'data', usual: 'digits' }, { name: 'seed', usual: '1' }, { name: 'features' }],
    },
  },
};
const asked = [];
let answer;
lab.address.begin(
  props,
  (_name, act) => {
    answer = act;
  },
  (_name, what) => asked.push(what),
);

test('what an address says is set before its page is opened, and what was not usable goes out of it', () => {
  assert.deepEqual(asked, [{ page: 'films', query: { seed: '3', t: '7' } }]);
  assert.equal(lab.address.ready(), false);
  assert.equal(lab.address.of('films', 't'), '7');
  assert.equal(lab.address.of('table', 'seed'), '', 'it is said of one page');
  assert.equal(lab.address.of('', 'lecture'), 'short', 'but this of all');
  props.value = { page: 'films', problems: [], dropped: ['t'] };
  answer();
  assert.equal(lab.address.ready(), true);
  assert.equal(now(), '?__theme=dark&lecture=short&seed=3#films/one');
});

test('what differs from the usual is in the address, in the order of the fields, readable', () => {
  lab.address.take('films', [null, 'mnist/b', '42', 'two seeds', true, []]);
  assert.equal(now(), '?__theme=dark&lecture=short#films/one', 'without its data set, what is usual is not known');
  lab.address.take('films', ['mnist', 'mnist/a', '42', 'two seeds', true, []]);
  assert.equal(
    now(),
    '?__theme=dark&lecture=short#films/one',
    'before it is open its data set is none that was chosen',
  );
  lab.address.take('films', ['mnist', 'mnist/b', '42', 'two images', false, ['a', 'b']], true);
  assert.equal(
    now(),
    '?__theme=dark&lecture=short&data=mnist&run=mnist/b&between=two-images&log=no&shown=a,b#films/one',
  );
  lab.address.take('films', ['mnist', 'mnist/a', null, 'two seeds', true, []]);
  assert.equal(now(), '?__theme=dark&lecture=short&data=mnist#films/one', 'usual is what that data set begins with');
  lab.address.say('films', { t: 'a & b' });
  assert.equal(now(), '?__theme=dark&lecture=short&data=mnist&t=a+%26+b#films/one');
  lab.address.say('', { lecture: '' });
});

test('a page that is opened by a link follows the data set of the one before, and nothing else of it', () => {
  globalThis.location.hash = '#table';
  globalThis.history.state = null;
  listeners.hashchange();
  assert.equal(now(), '?__theme=dark&data=mnist#table');
  lab.address.say('films', { t: 5 });
  assert.equal(now(), '?__theme=dark&data=mnist#table', 'the address is of the page that is shown');
  lab.address.take('table', ['digits', '1'], true);
  globalThis.location.hash = '#films';
  globalThis.history.state = null;
  listeners.hashchange();
  assert.equal(now(), '?__theme=dark&data=mnist&t=5#films', 'a page that was open is shown as it was left');
});

test('Back to a page that was changed since loads it anew, as its entry says', () => {
  const go = (hash, search, state) => {
    Object.assign(globalThis.location, { hash, search });
    globalThis.history.state = state;
    listeners.hashchange();
  };
  go('#films/two', '?data=mnist&t=6', { page: 'films' });
  assert.equal(reloads, 0, 'from panel to panel a page goes on as it is');
  assert.equal(now(), '?data=mnist&t=5#films/two');
  go('#table', '', { page: 'table' });
  go('#films', '?data=mnist&t=5', { page: 'films' });
  assert.equal(reloads, 0);
  go('#table', '', { page: 'table' });
  go('#films', '?data=mnist&t=6', { page: 'films' });
  assert.equal(reloads, 1);
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
