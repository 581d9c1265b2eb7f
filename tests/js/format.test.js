// The scripts' words for numbers against the table of cases that Python's are held to.
const assert = require('node:assert/strict');
const test = require('node:test');

const cases = require('../dashboard/format_cases.json');
const { format } = require('./load.js').load('ui/format');

for (const [name, write] of Object.entries(format)) {
  test(`${name} writes what the table says`, () => {
    for (const row of cases[name]) assert.equal(write(...row.slice(0, -1)), row.at(-1), `${name}(${row.slice(0, -1)})`);
  });
}
