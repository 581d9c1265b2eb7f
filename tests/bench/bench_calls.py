"""Is the time proportional to the network calls? Times samplers at different numbers of calls, in turns: `make bench`.

In turns, because a machine that others share changes its speed within minutes: points timed one after another then
differ by that, and not by what they do. Ends with 1 when a point's time per call is more than 5% off the mean.
"""

import sys
import time
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from gencore import load  # noqa: E402
from gencore.family import image_seed  # noqa: E402

CHECKPOINT, N, ROUNDS = "mnist/ddpm", 16, 7
POINTS = [(sampler, calls) for sampler in ("dpm-solver++", "ddim", "ddpm") for calls in (10, 20, 50, 100)]
LONG = ("ddpm", 1000)  # timed in the first and the last round alone
WITHIN = 0.05


def seconds(model, sampler, calls):
    """The time of generating `N` images."""
    seeds = [image_seed(0, index) for index in range(N)]
    begun = time.perf_counter()
    model.generate(seeds, sampler=sampler, num_inference_steps=calls)
    return time.perf_counter() - begun


def median(values):
    return sorted(values)[len(values) // 2]


def main():
    dtype = next(iter(sys.argv[1:]), "float32")
    model = load(CHECKPOINT, "cpu", dtype)
    for sampler, _ in POINTS:
        seconds(model, sampler, 5)  # to warm up
    taken = {point: [] for point in [*POINTS, LONG]}
    for place in range(ROUNDS):
        for point in POINTS + [LONG] * (place in (0, ROUNDS - 1)):
            taken[point].append(1000 * seconds(model, *point) / N / point[1])
    per_call = {point: median(values) for point, values in taken.items()}
    mean = sum(per_call.values()) / len(per_call)
    print(
        f"{CHECKPOINT}, {N} images at once, {torch.get_num_threads()} threads, {model.compute_dtype}, {ROUNDS} rounds"
    )
    for (sampler, calls), ms in per_call.items():
        off = ms / mean - 1
        print(f"{sampler:13}{calls:5} calls   {ms:7.3f} ms per call and image   {off:+6.1%}   "
              f"{'met' if abs(off) <= WITHIN else 'MISSED'}")  # fmt: skip
    sys.exit(any(abs(ms / mean - 1) > WITHIN for ms in per_call.values()))


if __name__ == "__main__":
    main()
