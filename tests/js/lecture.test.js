// The lecture's ways.
const assert = require('node:assert/strict');
const test = require('node:test');

const lab = require('./load.js').load('pages/lecture/way');
lab.aim = () => {};
require('./load.js').load('pages/lecture/aim');
const { way, aim } = lab;

const ALL = [
  { href: '#a', minutes: 1, ways: ['short', 'long'] },
  { href: '#b/x', minutes: 2.5, ways: ['long'] },
  { href: '#b/y', minutes: 0.5, ways: ['short', 'long'] },
];

test('a way has its own steps, each begun when those before it are over', () => {
  const told = (name) => way.steps(ALL, name).map(({ href, at, of, every }) => [href, at, of, every]);
  assert.deepEqual(told('short'), [
    ['#a', '0:00', '1:30', 0],
    ['#b/y', '1:00', '1:30', 2],
  ]);
  assert.deepEqual(told('long')[2], ['#b/y', '3:30', '4:00', 2]);
});

test('an address is the step that it leads to, on a way that has it', () => {
  const short = way.steps(ALL, 'short');
  assert.equal(way.place(short, '#b/y'), 1);
  assert.equal(way.place(short, '#b/x'), -1);
  assert.equal(way.place(short, null), -1);
  assert.equal(way.on(ALL[1], 'short'), 'long');
  assert.equal(way.on(ALL[2], 'long'), 'long');
  assert.equal(way.clock(59.999), '60:00');
});

test('a step is shown from its title where all fits, else from the first thing needed', () => {
  const panel = { top: 100, bottom: 1200 };
  const control = { top: 260, bottom: 300 };
  assert.equal(aim.start(panel, [control, { top: 320, bottom: 600 }], 600), 100);
  assert.equal(aim.start(panel, [control, { top: 320, bottom: 800 }], 600), 260);
  assert.equal(
    aim.start(
      panel,
      [
        { top: 40, bottom: 60 },
        { top: 320, bottom: 800 },
      ],
      600,
    ),
    100,
  );
  assert.equal(aim.start(panel, [], 600), 100);
});
