// What the pages' scripts compute: rows of a table, places on a map, frames of a film, images of a sheet.
const assert = require('node:assert/strict');
const test = require('node:test');

const scripts = ['table/rows', 'latent/atlas', 'latent/path', 'diffusion/reel', 'diversity/sprite'];
const lab = require('./load.js').load(...scripts.map((name) => `pages/${name}`));

test('a row is found by all words of a query, in any order and case', () => {
  assert.ok(lab.rows.has('GAN truncation 0.4', ' 0.4  gan'));
  assert.ok(lab.rows.has('GAN', ''));
  assert.ok(!lab.rows.has('GAN truncation 0.4', 'gan 0.5'));
  assert.ok(lab.rows.has('GAN truncation 0.4', 'gan 20c5f00d', '20c5f00d12345678'));
  assert.ok(!lab.rows.has('DDIM, 5 calls', 'ddim 20', '20c5f00d12345678'), 'digits that a hash has by chance');
});

test('rows are sorted as numbers or as texts with numbers in them; what is missing stays last', () => {
  const sorted = (values, down) => lab.rows.sorted(values, (value) => value, down);
  assert.deepEqual(sorted([10, null, 9, 2], false), [2, 9, 10, null]);
  assert.deepEqual(sorted([10, null, 9, 2], true), [10, 9, 2, null]);
  assert.deepEqual(sorted(['DDIM 100', 'DDIM 20', null], false), ['DDIM 20', 'DDIM 100', null]);
  const equal = [
    { v: 1, at: 0 },
    { v: 1, at: 1 },
  ];
  assert.deepEqual(
    lab.rows.sorted(equal, ({ v }) => v, true),
    equal,
  );
});

test('the map fits its points into the square, and what is under a place is there', () => {
  const view = lab.atlas.view(
    [
      [-1, 0, 3],
      [3, 2, 4],
    ],
    400,
  );
  assert.deepEqual(view.middle, [1, 1]);
  assert.equal(view.scale, 94);
  assert.deepEqual(view.place([3, 2]), [388, 106]);
  assert.deepEqual(view.under(view.place([2.5, 0.5])), [2.5, 0.5]);
});

test('a label has a glyph and a colour, and its own in the dark; an unknown one is a grey dot', () => {
  assert.equal(lab.atlas.glyph(11), 'b');
  assert.deepEqual([-1, 99].map(lab.atlas.glyph), ['·', '·']);
  assert.equal(lab.atlas.colour(1, false), 'hsl(212 52% 38%)');
  assert.equal(lab.atlas.colour(11, true), 'hsl(212 48% 68%)');
  assert.equal(lab.atlas.colour(-1, false), lab.atlas.colour(9, false));
});

test('the picture nearest to a share of a path is one that is there', () => {
  const row = { total: 11, frames: { 0: 'a', 5: 'b', 10: 'c' } };
  assert.deepEqual(
    [0, 0.2, 0.3, 0.8, 1].map((share) => lab.nearestFrame(row, share)),
    [0, 0, 5, 10, 10],
  );
  assert.equal(lab.nearestFrame({ total: 11, frames: {} }, 0.5), -1);
});

test('a film shows the frame of its share, or the last one made before it', () => {
  const frames = ['a', 'b', undefined, 'd'];
  assert.equal(lab.reel.place({ kept: 5, frames }, 0.5), 1);
  assert.equal(lab.reel.place({ kept: 5, frames }, 0.75), 3);
  assert.equal(lab.reel.place({ kept: 0, frames: ['a', 'b'] }, 1), 1);
  assert.equal(lab.reel.done({ kept: 5, frames: ['a', 'b', 'c'] }), 0.5);
  assert.equal(lab.reel.length({ kept: 0, frames: ['a'] }), 1);
});

test('an image of a sheet is found by its row and column', () => {
  const sheet = { n: 10, columns: 4 };
  assert.deepEqual(lab.sprite(sheet, 6, 84), { size: '336px 252px', position: '-168px -84px' });
  assert.deepEqual(lab.sprite(sheet, 7), { size: '400% 300%', position: '100% 50%' });
  assert.deepEqual(lab.sprite({ n: 1, columns: 1 }, 0), { size: '100% 100%', position: '0% 0%' });
});
