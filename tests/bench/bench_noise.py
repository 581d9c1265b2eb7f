"""What the noise of a seed costs: drawn for a batch at once, as `Noise` does, and by a generator of its own per image.

    python tests/bench/bench_noise.py

Microseconds per image of one thread's own time, and what the difference is of the time that a checkpoint takes for as
many images. Run by hand.
"""

import math
import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from gencore import checkpoint
from gencore.family import Noise, image_seed

SHAPES = ((17,), (64,), (1, 28, 28), (3, 32, 32))
BATCHES = (1, 16, 100, 2000)
MODELS = {"mnist/vae": (17,), "mnist/gan": (64,), "mnist/ddpm": (1, 28, 28)}  # and what a call of each draws at most


def shortest(work, seconds=0.3):
    """Return the shortest time of this thread, in microseconds, that something took."""
    work()
    best, end = math.inf, time.perf_counter() + seconds
    while time.perf_counter() < end or best == math.inf:
        start = time.thread_time()
        work()
        best = min(best, time.thread_time() - start)
    return 1e6 * best


def one_by_one(seeds, shape):
    """Draw with a generator per image."""
    return torch.stack([torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds])


def main():
    torch.set_num_threads(1)
    each, at_once = {}, {}
    for shape in SHAPES:
        for n in BATCHES:
            seeds = [image_seed(0, i) for i in range(n)]
            each[shape, n] = shortest(lambda s=seeds, d=shape: one_by_one(s, d)) / n
            at_once[shape, n] = shortest(lambda s=seeds, d=shape: Noise(s)(*d)) / n
            print(f"{shape!s:12} {n:5,}: {each[shape, n]:6.1f} a generator each, {at_once[shape, n]:6.1f} at once")
    for name, shape in MODELS.items():
        model = checkpoint.load(name)
        calls = {knob.name: 1 for knob in model.knobs if knob.integer}
        for n in BATCHES[:3]:
            whole = shortest(lambda m=model, k=n, c=calls: m.generate(range(k), **c)) / n
            share = (at_once[shape, n] - each[shape, n]) / whole
            print(f"{name:12} {n:5,}: {whole:8.0f} a call and image, the noise {share:+.1%} of it")


if __name__ == "__main__":
    main()
