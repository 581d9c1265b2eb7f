"""What generating images costs: time, network calls, arithmetic, parameters, memory. All of it measured."""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from gencore.device import DTYPES, describe_machine, synchronise
from gencore.errors import InputError
from gencore.evaluation.memory import Wait, peak_memory
from gencore.family import MAX_IMAGES, Family, image_seed

MAX_REPEATS = 1000
SIZES = (1, 4, 16, 64, 256)  # images at once in a sweep of batch sizes
SLOW_SIZES = (1, 16)  # the same for a setting of many calls, and what every sweep has
MANY_CALLS = 100
SECONDS = 60.0  # of timing a setting
MOST_REPEATS = 20  # of one size in a sweep
P95_REPEATS = 5  # of fewer repeats a 95th percentile is only their largest
TRIAL_CALLS = 3  # network calls that tell how long all of them take


@dataclass(frozen=True)
class Timing:
    """How long generating `n` images at once takes.

    Attributes:
        n: Images generated at once.
        repeats: Timed repeats, after one warm-up that is not timed.
        ms: Median over the repeats of the wall time for all `n` images, in milliseconds.
        ms_p95: 95th percentile of the same, interpolated linearly; None in a sweep's under `P95_REPEATS` repeats.
        ms_per_image: `ms / n`.
        images_per_s: `1000 * n / ms`.
    """

    n: int
    repeats: int
    ms: float
    ms_p95: float | None
    ms_per_image: float
    images_per_s: float


@dataclass(frozen=True)
class Cost(Timing):
    """What generating `n` images at once costs; `dataclasses.asdict` of it is JSON.

    Attributes:
        calls: Forward calls of `Family.network` for the `n` images (NFE).
        flops: Floating point operations for one image generated alone, a multiply and an add counted as two; matrix
            products and convolutions only, as PyTorch's FlopCounterMode counts.
        parameters: Parameters of `Family.network`, the part that is called.
        parameters_total: Parameters of the whole checkpoint, with the parts that only training needs.
        peak_memory_mb: The weights and what generating adds at its peak, in MB of 10^6 bytes; None where there is no
            way to tell (see `gencore.evaluation.memory`).
        dtype: What the networks compute in.
        knobs: Every knob's value.
        machine: Device, its name, cores, threads, versions of Python and PyTorch.
    """

    calls: int
    flops: int
    parameters: int
    parameters_total: int
    peak_memory_mb: float | None
    dtype: str
    knobs: Mapping[str, Any]
    machine: Mapping[str, Any]


def measure(
    model: Family, n: int = 16, repeats: int = 10, *, wait: Wait = subprocess.Popen.communicate, **knobs: Any
) -> Cost:
    """Return the cost of generating `n` images at once, with `knobs` that differ from the defaults.

    Generates `repeats + 4` times in all: to warm up and count calls, to count operations (one image), to find the
    peak memory (on a CPU in a process of its own, with one image to warm up), and to take the time. `wait` waits for
    that process; see `memory.peak_memory`.

    Raises:
        InputError: if `n`, `repeats` or a knob is bad.
    """
    check_count("The number of images", n, MAX_IMAGES)
    check_count("repeats", repeats, MAX_REPEATS)
    settled = model.resolve_knobs(knobs)
    seeds = [image_seed(0, index) for index in range(n)]
    calls = count_calls(model, seeds, knobs)
    return Cost(
        **asdict(_summary(n, _milliseconds(model, seeds, repeats, knobs))),
        calls=calls,
        flops=count_flops(model, seeds[:1], knobs),
        parameters=count_parameters(model.network),
        parameters_total=count_parameters(model),
        peak_memory_mb=peak_memory(model, seeds, knobs, None, wait),
        dtype=next(name for name, dtype in DTYPES.items() if dtype == model.compute_dtype),
        knobs=settled,
        machine=describe_machine(model.device),
    )


class Sweep:
    """The times of a point's batch sizes, about `seconds` of them in all, taken in rounds.

    The time is shared equally among the sizes and decides how often each is repeated, once at the least. A size above
    16 of which not even one run fits its share is left out, with those above it. Between two rounds other points can
    have theirs: what slows a machine down for some minutes then slows all of them, and not the one that was at work.

    Attributes:
        knobs: The point's.
        seconds: About how long it takes in all.
        rounds: Among how many rounds the repeats are shared, as equally as they can be; the first have the rest.
        repeats: By size, how often it is timed; {} until the first round.
        ms: By size, the wall time of each repeat so far.
    """

    def __init__(self, knobs: Mapping[str, Any], seconds: float = SECONDS, rounds: int = 1):
        self.knobs, self.seconds, self.rounds = knobs, seconds, rounds
        self.repeats: dict[int, int] = {}
        self.ms: dict[int, list[float]] = {}

    @property
    def timings(self) -> tuple[Timing, ...]:
        """The sizes that are timed so far, the smallest first."""
        return tuple(_summary(n, ms, sweep=True) for n, ms in self.ms.items())

    def round(self, model: Family) -> Iterator[Timing]:
        """Time one round; yield each size as it stands then. A round that has none left is over at once.

        Raises:
            InputError: if a knob is bad.
        """
        if self.repeats:
            for n, repeats in self.repeats.items():
                if len(self.ms[n]) < repeats:
                    estimate(model, n, self.knobs)  # which warms up: another point was here meanwhile
                    yield self._time(model, n)
            return
        calls, _ = estimate(model, 1, self.knobs)
        sizes = SIZES if calls <= MANY_CALLS else SLOW_SIZES
        share = self.seconds / len(sizes)
        for n in sizes:
            _, expected = estimate(model, n, self.knobs)
            if expected > share and n > max(SLOW_SIZES):
                return
            self.repeats[n] = min(max(int(share / expected), 1), MOST_REPEATS)
            yield self._time(model, n)

    def _time(self, model: Family, n: int) -> Timing:
        taken = self.ms.setdefault(n, [])
        count = min(-(-self.repeats[n] // self.rounds), self.repeats[n] - len(taken))
        taken += _milliseconds(model, [image_seed(0, index) for index in range(n)], count, self.knobs)
        return _summary(n, taken, sweep=True)


@torch.no_grad()
def estimate(model: Family, n: int, knobs: Mapping[str, Any]) -> tuple[int, float]:
    """Return the network calls of a setting, and about how many seconds they take for `n` images at once.

    From the first few calls, made twice: the first calls of a new batch size are slower than the rest.

    Raises:
        InputError: if a knob is bad.
    """
    seeds = [image_seed(0, index) for index in range(n)]
    for _ in range(2):
        steps, seconds = timed(model.device, lambda: [*islice(model.sample(seeds, **knobs), TRIAL_CALLS)])
    last = steps[-1]
    return last.total, seconds * last.total / last.index


def count_calls(model: Family, seeds: Sequence[int], knobs: Mapping[str, Any]) -> int:
    """Return how often `model.network` is called to generate the images of `seeds` at once."""
    with counted_calls(model) as calls:
        model.generate(seeds, **knobs)
    return calls.total()


@contextmanager
def counted_calls(model: Family) -> Iterator[Counter[str]]:
    """Count the calls of `model.network` inside; `total()` of what is yielded is their number so far."""
    calls: Counter[str] = Counter()
    handle = model.network.register_forward_hook(lambda *_: calls.update(["call"]))
    try:
        yield calls
    finally:
        handle.remove()


def count_flops(model: Family, seeds: Sequence[int], knobs: Mapping[str, Any]) -> int:
    """Return the floating point operations that generate the images of `seeds` at once."""
    # A CPU's fused attention is one operation that the counter does not know: it would count as 0.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        model.generate(seeds, **knobs)
    return counter.get_total_flops()


def _summary(n: int, ms: Sequence[float], sweep: bool = False) -> Timing:
    """Return what the repeats of a size come to."""
    median, p95 = np.percentile(ms, [50, 95]).tolist()
    known = not sweep or len(ms) >= P95_REPEATS
    return Timing(n, len(ms), median, p95 if known else None, median / n, 1000 * n / median)


def _milliseconds(model: Family, seeds: Sequence[int], repeats: int, knobs: Mapping[str, Any]) -> list[float]:
    """Return the wall time of each of `repeats` generations."""
    return [1000 * timed(model.device, lambda: model.generate(seeds, **knobs))[1] for _ in range(repeats)]


def timed(device: torch.device, work: Callable[[], Any]) -> tuple[Any, float]:
    """Return what `work` returns, and the seconds until the device has done all of it."""
    synchronise(device)
    start = time.perf_counter()
    result = work()
    synchronise(device)
    return result, time.perf_counter() - start


def count_parameters(module: torch.nn.Module) -> int:
    """Return how many numbers the parameters of a module hold."""
    return sum(parameter.numel() for parameter in module.parameters())


def check_count(what: str, number: Any, most: int, least: int = 1) -> None:
    """Check a number of images, generations or repeats.

    Raises:
        InputError: if it is not a whole number from `least` to `most`.
    """
    if type(number) is not int or not least <= number <= most:
        raise InputError(f"{what} must be a whole number from {least} to {most}, not {number!r}.")
