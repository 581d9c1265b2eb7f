"""Two or more ways to do the same, timed in turns: a machine that others share changes its speed within minutes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from statistics import median

ROUNDS = 5


def turns(ways: Mapping[str, Callable[[], object]], rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Return the seconds of each way in each round, after one turn each to warm up."""
    for work in ways.values():
        work()
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, work in ways.items():
            begun = time.perf_counter()
            work()
            taken[name].append(time.perf_counter() - begun)
    return taken


def told(what: str, taken: Mapping[str, list[float]], note: str = "") -> str:
    """Return a line: the median milliseconds and their range of each way, and how many times the first takes."""
    first = median(next(iter(taken.values())))
    parts = [
        f"{name} {1000 * median(seconds):.1f} ms ({1000 * min(seconds):.1f} to {1000 * max(seconds):.1f})"
        + (f", {first / median(seconds):.2f} times as fast" if place else "")
        for place, (name, seconds) in enumerate(taken.items())
    ]
    return f"{what}: {'; '.join(parts)}{note}"
