// A sentence in another language, found by its English: whole, by a template, or part by part.
const assert = require('node:assert/strict');
const test = require('node:test');

const { sentences } = require('./load.js').load('ui/sentences');

test('a text is said by its key, and one that is not known stays as it is', () => {
  const said = sentences({ Speed: '속도', 'Skip to the page': '본문으로 건너뛰기' });
  assert.equal(said('Speed'), '속도');
  assert.equal(said('Skip to the page'), '본문으로 건너뛰기');
  assert.equal(said('Nothing of the kind'), 'Nothing of the kind');
  assert.equal(said('VAE'), 'VAE');
});

test('a placeholder of one letter takes a number, a longer one anything, which is said in turn', () => {
  const said = sentences({
    '{n} images in {time}': '{time}에 이미지 {n}장',
    '{n} s': '{n}초',
    '{n} min {m} s': '{n}분 {m}초',
    '{n} million': '{n*100}만',
    'not measured': '측정하지 않음',
    '{what}: {state}.': '{what} 상태: {state}.',
  });
  assert.equal(said('1,000 images in 2 min 05 s'), '2분 05초에 이미지 1,000장');
  assert.equal(said('1.2 million images in 3.42 s'), '3.42초에 이미지 120만장');
  assert.equal(said('−0.3 ± 0.1 s'), '−0.3 ± 0.1초');
  assert.equal(said('many images in 1 s'), 'many images in 1 s', 'which is no number');
  assert.equal(said('FID: not measured.'), 'FID 상태: 측정하지 않음.');
});

test('the longer template wins, and a name that stands twice is the same text twice', () => {
  const said = sentences({
    '{a} is {b}': 'x',
    '{who} is better than {other}': '{other}보다 {who}',
    '{who} or {who}': '{who}',
  });
  assert.equal(said('VAE is better than GAN'), 'GAN보다 VAE');
  assert.equal(said('one or one'), 'one');
  assert.equal(said('one or two'), 'one or two');
});

test('sentences in a row, parts with a dot between them and lists are said part by part', () => {
  const said = sentences({
    'It is fast.': '빠릅니다.',
    'It is <b>slow</b>.': '<b>느립니다</b>.',
    Speed: '속도',
    'seed {n}': '시드 {n}',
    'not found': '없음',
    'Models: {list}': '모델: {list}',
    quality: '품질',
    speed: '속도',
  });
  assert.equal(said('It is fast. It is <b>slow</b>.'), '빠릅니다. <b>느립니다</b>.');
  assert.equal(said('Speed · seed 7 · MNIST'), '속도 · 시드 7 · MNIST');
  assert.equal(said('Models: quality, speed and VAE'), '모델: 품질, 속도, VAE');
  assert.equal(said('one, speed'), 'one, speed', 'a list is said when all of it is known');
});

test('a Korean particle follows the sound before it', () => {
  const said = sentences({
    '{who} wins': '{who}이(가) 이깁니다',
    'to {who}': '{who}(으)로',
    'of {who}': '{who}은(는) <b>{who}</b>을(를)',
  });
  assert.equal(said('GAN wins'), 'GAN이 이깁니다');
  assert.equal(said('VAE wins'), 'VAE가 이깁니다');
  assert.equal(said('to 20'), '20으로');
  assert.equal(said('to 7'), '7로');
  assert.equal(said('to 12'), '12로');
  assert.equal(said('of DDPM'), 'DDPM은 <b>DDPM</b>을');
  assert.equal(said('of 속도'), '속도는 <b>속도</b>를');
});

test('of several ways to cut a text, the one that leaves the least in English is taken', () => {
  const said = sentences({ 'a term': '용어', 'It is fast: it takes a call. It is small.': '빠르고 작습니다.' });
  assert.equal(said('<b>a term</b>It is fast: it takes a call. It is small.'), '<b>용어</b>빠르고 작습니다.');
});
