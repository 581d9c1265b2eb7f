"""Normal noise from a counter-based generator: a number depends on its key and its place, not on what was drawn before.

Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3") turns a key of 64 bits and a counter
of 128 bits into four words of 32 bits. So the noise of many images is drawn at once, each image under its own key.
"""

from __future__ import annotations

import math

import numpy as np

ROUNDS = 10
MULTIPLIERS = np.array([0xD2511F53, 0xCD9E8D57], np.uint64)[:, None, None]
WEYL = np.array([0x9E3779B9, 0xBB67AE85], np.uint64)  # added to the key after each round
BUMPS = (np.arange(ROUNDS, dtype=np.uint64)[:, None] * WEYL)[:, :, None]
LOW, HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
BLOCKS = 8192  # counters at once: what the processor's cache holds


def philox(even: np.ndarray, odd: np.ndarray, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the words 0 and 2, and 1 and 3, of every counter, each below 2^32 in uint64 (2, N, B).

    Args:
        even: The words 0 and 2 of the counters, uint64 (2, N, B).
        odd: Their words 1 and 3.
        keys: The low and the high 32 bits of the keys, uint64 (2, N).
    """
    for bumped in ((keys + BUMPS) & LOW)[..., None]:
        product = even * MULTIPLIERS
        even = (product >> HALF)[::-1]
        even ^= odd
        even ^= bumped
        product &= LOW
        odd = product[::-1]
    return even, odd


def normal(keys: np.ndarray, draw: int, count: int) -> np.ndarray:
    """Return `count` standard normal numbers for each of the keys, uint64 (N,): float32 (N, count).

    A pair of words is a pair of numbers (Box & Muller 1958), worked out in float64 and rounded. A number depends on its
    key, on `draw`, below 2^32, and on its place alone: the same bits whatever the other keys, and for any count.
    """
    blocks = -(-count // 4)
    out = np.empty((len(keys), blocks, 2, 2), np.float32)  # by key: counter, pair of words, cosine and sine
    step = max(1, BLOCKS // max(blocks, 1))
    for start in range(0, len(keys), step):
        part = keys[start : start + step]
        even, odd = np.zeros((2, 2, len(part), blocks), np.uint64)
        even[0], odd[0] = np.arange(blocks, dtype=np.uint64), draw
        even, odd = philox(even, odd, np.stack([part & LOW, part >> HALF]))
        radius = np.sqrt(-2 * np.log((even + 0.5) * 2.0**-32))
        angle = (odd + 0.5) * (2 * math.pi * 2.0**-32)
        out[start : start + step, ..., 0] = (radius * np.cos(angle)).transpose(1, 2, 0)
        out[start : start + step, ..., 1] = (radius * np.sin(angle)).transpose(1, 2, 0)
    return np.ascontiguousarray(out.reshape(len(keys), 4 * blocks)[:, :count])
