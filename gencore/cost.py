"""What generating images costs: time, network calls, arithmetic, parameters, memory. All of it measured."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from gencore.device import DTYPES, describe_machine, synchronise
from gencore.errors import InputError
from gencore.family import MAX_IMAGES, Family, image_seed
from gencore.memory import peak_memory

MAX_REPEATS = 1000


@dataclass(frozen=True)
class Cost:
    """What generating `n` images at once costs; `dataclasses.asdict` of it is JSON.

    Attributes:
        n: Images generated at once.
        repeats: Timed repeats, after one warm-up that is not timed.
        ms: Median over the repeats of the wall time for all `n` images, in milliseconds.
        ms_p95: 95th percentile of the same, interpolated linearly.
        ms_per_image: `ms / n`.
        images_per_s: `1000 * n / ms`.
        calls: Forward calls of `Family.network` for the `n` images (NFE).
        flops: Floating point operations for one image generated alone, a multiply and an add counted as two; matrix
            products and convolutions only, as PyTorch's FlopCounterMode counts.
        parameters: Parameters of `Family.network`, the part that is called.
        parameters_total: Parameters of the whole checkpoint, with the parts that only training needs.
        peak_memory_mb: The weights and what generating adds at its peak, in MB of 10^6 bytes; None where there is no
            way to tell (see `gencore.memory`).
        dtype: What the networks compute in.
        knobs: Every knob's value.
        machine: Device, its name, cores, threads, versions of Python and PyTorch.
    """

    n: int
    repeats: int
    ms: float
    ms_p95: float
    ms_per_image: float
    images_per_s: float
    calls: int
    flops: int
    parameters: int
    parameters_total: int
    peak_memory_mb: float | None
    dtype: str
    knobs: Mapping[str, Any]
    machine: Mapping[str, Any]


def measure(model: Family, n: int = 16, repeats: int = 10, **knobs: Any) -> Cost:
    """Return the cost of generating `n` images at once, with `knobs` that differ from the defaults.

    Generates `repeats + 4` times in all: to warm up and count calls, to count operations (one image), to find the
    peak memory (on a CPU in a process of its own, with one image to warm up), and to take the time.

    Raises:
        InputError: if `n`, `repeats` or a knob is bad.
    """
    check_count("The number of images", n, MAX_IMAGES)
    check_count("repeats", repeats, MAX_REPEATS)
    settled = model.settle(knobs)
    seeds = [image_seed(0, index) for index in range(n)]
    calls = count_calls(model, seeds, knobs)
    ms = _milliseconds(model, seeds, repeats, knobs)
    median, p95 = np.percentile(ms, [50, 95]).tolist()
    return Cost(
        n=n,
        repeats=repeats,
        ms=median,
        ms_p95=p95,
        ms_per_image=median / n,
        images_per_s=1000 * n / median,
        calls=calls,
        flops=count_flops(model, seeds[:1], knobs),
        parameters=_count(model.network),
        parameters_total=_count(model),
        peak_memory_mb=peak_memory(model, seeds, knobs),
        dtype=next(name for name, dtype in DTYPES.items() if dtype == model.compute_dtype),
        knobs=settled,
        machine=describe_machine(model.device),
    )


def count_calls(model: Family, seeds: Sequence[int], knobs: Mapping[str, Any]) -> int:
    """Return how often `model.network` is called to generate the images of `seeds` at once."""
    calls = 0

    def hook(*_: Any) -> None:
        nonlocal calls
        calls += 1

    handle = model.network.register_forward_hook(hook)
    try:
        model.generate(seeds, **knobs)
    finally:
        handle.remove()
    return calls


def count_flops(model: Family, seeds: Sequence[int], knobs: Mapping[str, Any]) -> int:
    """Return the floating point operations that generate the images of `seeds` at once."""
    # A CPU's fused attention is one operation that the counter does not know: it would count as 0.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        model.generate(seeds, **knobs)
    return counter.get_total_flops()


def _milliseconds(model: Family, seeds: Sequence[int], repeats: int, knobs: Mapping[str, Any]) -> list[float]:
    """Return the wall time of each of `repeats` generations."""
    taken = []
    for _ in range(repeats):
        synchronise(model.device)
        start = time.perf_counter()
        model.generate(seeds, **knobs)
        synchronise(model.device)
        taken.append(1000 * (time.perf_counter() - start))
    return taken


def _count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def check_count(what: str, number: Any, most: int) -> None:
    """Check a number of images or repeats.

    Raises:
        InputError: if it is not a whole number from 1 to `most`.
    """
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= most:
        raise InputError(f"{what} must be a whole number from 1 to {most}, not {number!r}.")
