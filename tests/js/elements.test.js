// What every script does with elements, on stand-ins for them.
const assert = require('node:assert/strict');
const test = require('node:test');

const lab = require('./load.js').load('ui/elements');

test('what is waited for is acted on once, at the frame at which it is there', () => {
  const frames = [];
  globalThis.requestAnimationFrame = (next) => frames.push(next);
  const acted = [];
  let there = null;
  lab.when(
    () => there,
    (found) => acted.push(found),
    2,
  );
  frames.shift()();
  assert.deepEqual(acted, []);
  there = 'panel';
  frames.shift()();
  assert.deepEqual([acted, frames], [['panel'], []]);
});

test('waiting ends after so many frames', () => {
  let asked = 0;
  globalThis.requestAnimationFrame = (next) => next();
  lab.when(
    () => {
      asked += 1;
    },
    assert.fail,
    3,
  );
  assert.equal(asked, 4);
});

test('a picture changes only to another one, and the empty one takes it away', () => {
  const image = {
    shown: null,
    set src(source) {
      this.shown = source;
    },
    getAttribute: () => image.shown,
    removeAttribute: () => {
      image.shown = null;
    },
  };
  for (const [source, shown] of [
    ['a', 'a'],
    [undefined, 'a'],
    ['b', 'b'],
    ['', null],
  ]) {
    lab.picture(image, source);
    assert.equal(image.shown, shown);
  }
});

test('a slider knows the share of its track', () => {
  const set = [];
  const style = { setProperty: (name, value) => set.push(name, value) };
  lab.fill({ min: '10', max: '20', value: '15', style });
  lab.fill({ min: '0', max: '0', value: '0', style });
  assert.deepEqual(set, ['--share', '50%', '--share', '0%']);
});
