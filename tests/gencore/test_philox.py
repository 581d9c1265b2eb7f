"""The counter-based generator: against published vectors and numpy's, and its numbers as normal and independent."""

import numpy as np
import pytest
import torch
from scipy import stats

from gencore.family import Noise, image_seed
from gencore.philox import normal, philox

KEYS = np.array([image_seed(0, i) for i in range(40)], np.uint64)
PUBLISHED = [  # Random123's kat_vectors, philox4x32 of 10 rounds: counter, key, words
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


def words(text):
    return np.array([int(word, 16) for word in text.split()], np.uint64)


@pytest.mark.parametrize(("counter", "key", "expected"), PUBLISHED)
def test_the_published_vectors(counter, key, expected):
    counter = words(counter).reshape(4, 1, 1)
    even, odd = philox(counter[::2], counter[1::2], words(key).reshape(2, 1))
    assert np.stack([even, odd], 1).flatten().tolist() == words(expected).tolist()


def by_hand(counter, key):
    """Return the words of one counter, with Python's whole numbers."""
    c, k = list(counter), list(key)
    for _ in range(10):
        first, second = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [second >> 32 ^ c[1] ^ k[0], second & 0xFFFFFFFF, first >> 32 ^ c[3] ^ k[1], first & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def test_numbers_are_box_mullers_of_the_words_of_their_place():
    found = normal(KEYS[:3], 7, 10)
    for row, key in zip(found, KEYS[:3].tolist(), strict=True):
        for place, number in enumerate(row):
            w = by_hand((place // 4, 7, 0, 0), (key & 0xFFFFFFFF, key >> 32))
            u, v = ((one + 0.5) / 2**32 for one in (w[0:2] if place % 4 < 2 else w[2:4]))
            wave = np.sin if place % 2 else np.cos
            assert number == np.float32(np.sqrt(-2 * np.log(u)) * wave(2 * np.pi * v))


def test_the_same_bits_in_any_batch_order_and_count():
    whole = normal(KEYS, 3, 97)
    for start, stop in ((0, 1), (5, 6), (3, 20), (39, 40)):
        assert np.array_equal(normal(KEYS[start:stop], 3, 97), whole[start:stop])
    assert np.array_equal(normal(KEYS[::-1], 3, 97), whole[::-1])
    for count in (0, 1, 2, 3, 4, 5, 33):
        assert np.array_equal(normal(KEYS, 3, count), whole[:, :count])
    large = normal(np.repeat(KEYS, 50), 3, 97)  # more than are worked out at once
    assert np.array_equal(large, np.repeat(whole, 50, axis=0))


def test_normal_and_independent():
    x = normal(KEYS, 0, 5000).astype(np.float64)
    assert stats.kstest(x.flatten(), "norm").pvalue > 0.01
    n = x.size
    for power, moment in ((1, 0), (2, 1), (3, 0), (4, 3), (6, 15)):
        spread = {1: 1, 2: 2, 3: 15, 4: 96, 6: 10170}[power]  # variances of the powers
        assert abs((x**power).mean() - moment) < 4 * np.sqrt(spread / n)
    near = 4 / np.sqrt(n)
    neighbours = [x[:, :-1] * x[:, 1:], x[:-1] * x[1:], x[:, :-2] * x[:, 2:], x * normal(KEYS, 1, 5000)]
    assert all(abs(products.mean()) < near for products in neighbours)
    assert all(abs((np.abs(x[:, :-k]) * np.abs(x[:, k:])).mean() - 2 / np.pi) < near for k in (1, 2, 3, 4))


def test_neighbouring_seeds_are_strangers():
    x = normal(np.arange(2000, dtype=np.uint64), 0, 64).astype(np.float64)
    correlation = np.corrcoef(x.T)
    assert np.abs(correlation - np.eye(64)).max() < 5 / np.sqrt(2000)
    assert stats.kstest(x[:, 0], "norm").pvalue > 0.01


def test_noise_draws_anew_and_begins_again():
    noise, again = Noise([1, 2]), Noise([2])
    first, second = noise(1, 8, 8), noise(1, 8, 8)
    assert first.shape == (2, 1, 8, 8) and first.dtype == torch.float32 and not torch.equal(first, second)
    assert torch.equal(again(1, 8, 8)[0], first[1]) and torch.equal(again(1, 8, 8)[0], second[1])
    assert noise().shape == (2,) and len(noise) == 2
    assert Noise([2**63 - 1])(3).isfinite().all() and Noise(np.array([5]))(3).equal(Noise([5.0])(3))
