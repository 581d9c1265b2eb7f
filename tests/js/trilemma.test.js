// The home page: where an answer stands in its table, and what is under the pointer.
const assert = require('node:assert/strict');
const test = require('node:test');

const { answers, hits } = require('./load.js').load('pages/trilemma/answers', 'pages/trilemma/hits');

test('numbers of an address are taken where they are all there and none is negative', () => {
  assert.deepEqual(answers.numbers('70-50-40', 3), [70, 50, 40]);
  for (const text of ['70-50', '70-50-x', '70-50-40-1', null]) assert.equal(answers.numbers(text, 3), null);
});

test('the table of weights goes through quality, diversity and speed, the last one fastest', () => {
  assert.equal(answers.byWeights(50, ['0', '0', '50']), 1);
  assert.equal(answers.byWeights(50, ['100', '50', '0']), 2 * 9 + 3);
});

test('the table of budgets goes through times and, within, the least diversity', () => {
  assert.equal(answers.byBudget(50, 1, '100'), 5);
});

test('the nearest time is the nearest by ratio', () => {
  assert.equal(answers.nearest([1, 10, 100], 30), 1);
  assert.equal(answers.nearest([1, 10, 100], 33), 2);
});

const box = (x, y) => ({ left: x - 10, right: x + 10, top: y - 10, bottom: y + 10 });

test('of points on one another all are hit, the nearest first; of others the nearest alone', () => {
  assert.deepEqual(hits.near([box(50, 50), box(52, 50), box(60, 50)], 53, 50), [1, 0]);
  assert.deepEqual(hits.near([box(50, 50), box(60, 50)], 58, 50), [1]);
  assert.deepEqual(hits.near([box(50, 50)], 90, 50), []);
  assert.deepEqual(hits.near([], 0, 0), []);
});

test('a card goes beside its point and stays inside the chart', () => {
  const frame = { left: 100, top: 100, width: 400, height: 300 };
  const card = { width: 120, height: 80 };
  assert.deepEqual(hits.beside(box(150, 200), card, frame), { left: 66, top: 50 });
  assert.deepEqual(hits.beside(box(450, 200), card, frame), { left: 214, top: 50 });
  assert.deepEqual(hits.beside(box(150, 400), card, frame), { left: 66, top: 212 });
  const narrow = { ...frame, width: 130 };
  assert.deepEqual(hits.beside(box(150, 100), card, narrow), { left: 8, top: 8 });
});
