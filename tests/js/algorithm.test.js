// Where the address says that an algorithm is.
const assert = require('node:assert/strict');
const test = require('node:test');

const { algorithm } = require('./load.js').load('pages/diffusion/algorithm');

test('a place is a pass and its moment, the first where none is said', () => {
  assert.deepEqual(algorithm.place('3-2'), { pass: 3, moment: 1 });
  assert.deepEqual(algorithm.place('999'), { pass: 999, moment: 0 });
  assert.equal(algorithm.place(''), null);
});
