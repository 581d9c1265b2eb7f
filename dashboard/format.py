"""Numbers, times and counts as words. `ui/format.js` has what the scripts need of it; a test holds them together."""

from __future__ import annotations

import math
from collections.abc import Sequence

DATASET_TITLES = {"mnist": "MNIST", "cifar10": "CIFAR-10"}  # where people write another name than the engine


def duration(ms: float) -> str:
    """Return a time in milliseconds for people: '0.12 ms', '388 ms', '3.42 s', '2 min 05 s'."""
    if ms < 1000:
        digits = max(0, 2 - math.floor(math.log10(ms))) if ms > 0 else 0
        return f"{ms:.{min(digits, 3)}f} ms"
    seconds = ms / 1000
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60):02d} s"


def count(number: float) -> str:
    """Return a count for people, to three digits: '812', '61,706', '1.2 million'."""
    if number >= 1e6:
        return f"{number / 1e6:.3g} million" if number < 1e9 else f"{number / 1e9:.3g} billion"
    return f"{number:,.0f}"


def minutes(seconds: float) -> str:
    """Return a training time for people: '40 seconds', '24 minutes', '3.5 hours'."""
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.1f} hours"


def round_to(number: float, digits: int = 2) -> str:
    """Return a number rounded to so many significant digits, with thousands separated."""
    if number <= 0 or not math.isfinite(number):
        return "0"
    places = digits - 1 - math.floor(math.log10(number))
    return f"{round(number, places):,.{max(0, places)}f}"


def dataset_title(name: str) -> str:
    """Return a data set's name as people write it; its own where there is no other."""
    return DATASET_TITLES.get(name, name)


def listing(names: Sequence[str]) -> str:
    """Return names as English lists them: 'A', 'A and B', 'A, B and C'."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def clock(seconds: float) -> str:
    """Return a time of training for people: '0.3 s', '12 s', '4 min 05 s', '1 h 28 min'."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
