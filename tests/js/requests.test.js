// One call at a time, and values that come as one text.
const assert = require('node:assert/strict');
const test = require('node:test');

const lab = require('./load.js').load('ui/requests');

test('a call waits for the answer to the one before, and only the last one asked for is sent', () => {
  const sent = [];
  const calls = lab.inTurn((data) => sent.push(data));
  for (const t of [1, 2, 3]) calls.ask(t);
  assert.deepEqual(sent, [1]);
  calls.answered();
  assert.deepEqual(sent, [1, 3]);
  calls.answered();
  calls.ask(4);
  assert.deepEqual(sent, [1, 3, 4]);
});

test('an answer that never comes is not waited for', (context) => {
  let now = 0;
  context.mock.method(performance, 'now', () => now);
  const sent = [];
  const calls = lab.inTurn((data) => sent.push(data));
  calls.ask(1);
  now = 4999;
  calls.ask(2);
  assert.deepEqual(sent, [1]);
  now = 5000;
  calls.ask(3);
  assert.deepEqual(sent, [1, 3]);
});

test('a value that comes as a text is read once', () => {
  const props = { value: '{"a": [1]}' };
  const now = lab.ofText(props);
  assert.deepEqual(now(), { a: [1] });
  assert.equal(now(), now());
  props.value = '';
  assert.equal(now(), null);
});
