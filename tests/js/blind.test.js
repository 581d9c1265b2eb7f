// The blind vote's tally.
const assert = require('node:assert/strict');
const test = require('node:test');

const { wilson, fits, count, most, csv } = require('./load.js').load('pages/blind/tally').blindTally;
const lane = (family, setting = '') => ({ family, setting, title: family.toUpperCase() });
const round = (order, real, varied, data = 'mnist') => ({
  at: '2026-11-29T10:00:00.000Z',
  data,
  seed: 7,
  lanes: order.map((name) => lane(name, name === 'real' ? '' : 'plain, "old"')),
  votes: { real, varied },
});
const ROUNDS = [round(['vae', 'gan', 'real'], 3, 2), round(['gan', 'real', 'vae'], 1, 0), round(['real', 'vae'], 0, 2)];

test('Wilson’s interval is the published one', () => {
  // Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29
  const printed = {
    '81/263': [0.2553, 0.3662],
    '15/148': [0.0624, 0.1605],
    '0/20': [0, 0.1611],
    '1/29': [0.0061, 0.1718],
  };
  for (const [share, [low, high]] of Object.entries(printed)) {
    const found = wilson(...share.split('/').map(Number));
    assert.ok(Math.abs(found[0] - low) < 6e-5 && Math.abs(found[1] - high) < 6e-5, `${share}: ${found}`);
  }
  assert.equal(wilson(0, 0), null);
});

test('wins, ties and losses are counted by the lane, wherever it stood', () => {
  const real = count(ROUNDS, 'real').real;
  assert.deepEqual([real.wins, real.ties, real.losses, real.n], [1, 1, 1, 3]);
  assert.ok(Math.abs(real.chance - (1 / 3 + 1 / 3 + 1 / 2)) < 1e-12);
  assert.deepEqual(count(ROUNDS, 'vae').varied, { wins: 1, ties: 1, losses: 1, n: 3, chance: real.chance });
  assert.equal(count(ROUNDS, 'gan').real.n, 2, 'a round without it says nothing of it');
  const lanes = ['vae', 'gan'].map((family) => ({ ...lane(family), counted: count(ROUNDS, family) }));
  assert.deepEqual(most(lanes, 'varied'), { top: 1, titles: ['VAE', 'GAN'] });
});

test('only rounds of the same data and settings are counted together', () => {
  const wanted = { vae: 'plain, "old"', gan: 'plain, "old"', ddpm: 'any' };
  assert.ok(fits(ROUNDS[0], 'mnist', wanted) && fits(ROUNDS[2], 'mnist', wanted));
  assert.ok(!fits(ROUNDS[0], 'digits', wanted) && !fits(ROUNDS[0], 'mnist', { ...wanted, gan: 'truncation 0.4' }));
});

test('the CSV holds every round, with what was chosen', () => {
  const lines = csv(ROUNDS).trim().split('\r\n');
  assert.equal(lines[0], 'at,data,seed,lane 1,lane 2,lane 3,looks real,varied');
  assert.equal(
    lines[1],
    '2026-11-29T10:00:00.000Z,mnist,7,"VAE: plain, ""old""","GAN: plain, ""old""",REAL,REAL,"GAN: plain, ""old"""',
  );
  assert.ok(lines[3].includes(',REAL,"VAE: plain, ""old""",,tie,'));
});
