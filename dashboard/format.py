"""Numbers, times and counts as words. `ui/format.js` has what the scripts need of it; a test holds them together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
DATASET_TITLES = {"mnist": "MNIST", "cifar10": "CIFAR-10"}  # where people write another name than the engine


def imported(told: Mapping[str, str]) -> str:
    """Return where an imported checkpoint comes from, given source, revision and licence; '' for {}, trained here."""
    if not told:
        return ""
    parts = [f"Imported from {told.get('source', '?')}"]
    parts += [f"revision {told['revision'][:8]}"] if told.get("revision") else []
    parts += [f"licence {told['licence']}" if told.get("licence") else "licence not stated"]
    return ", ".join(parts)


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
        return f"{number / 1e6:.3g} million" if number < 999.5e6 else f"{number / 1e9:.3g} billion"
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
    """Return a data set's name as people write it: its own where there is no other, of a path the last part."""
    is_path = name.startswith(("/", "~", ".")) or name.count("/") > 1  # the id of a data set on the Hub has one
    return DATASET_TITLES.get(name, name.rstrip("/").rpartition("/")[2] if is_path else name)


def listing(names: Sequence[str]) -> str:
    """Return names as English lists them: 'A', 'A and B', 'A, B and C'."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def grouped(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, list]:
    """Return the values that have the same key, by key, in their order: of what the same is said, by what is said."""
    found: dict[Any, list] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found


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


def plural(number: int, noun: str) -> str:
    """Return a count with its noun: '1 thread', '2,000 threads'."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def processor(name: object) -> str:
    """Return a processor's name without its maker's marks."""
    return str(name).replace("(R)", "").replace("(TM)", "").strip()


def shortened(words: str, most: int) -> str:
    """Return words, cut with an ellipsis when they are longer than `most` characters."""
    return words if len(words) <= most else f"{words[: most - 1].rstrip()}…"


# ---- numbers


def tick(value: float) -> str:
    """Return a value as an axis writes it: '0', '0.05', '250', '1,500', '20k', '1.5M', '−0.5'."""
    size, sign = abs(value), "−" if value < 0 else ""
    if size >= 1e6:
        return f"{sign}{size / 1e6:g}M"
    if size >= 1e4:
        return f"{sign}{size / 1e3:g}k"
    if size >= 1e3:
        return f"{sign}{size:,.0f}"
    return f"{sign}{size:.10f}".rstrip("0").rstrip(".") if 0 < size < 1e-4 else f"{sign}{size:g}"


def signed(value: float, decimals: int) -> str:
    """Return a number with so many decimals and, below zero, a real minus sign."""
    text = f"{value:,.{decimals}f}"
    return "−" + text[1:] if text.startswith("-") and float(text.replace(",", "")) else text.lstrip("-")


def digits(value: float, half: float) -> int:
    """Return how many decimals to show: to the first digit of `half` (to the second after a 1), else three in all."""
    if not (math.isfinite(half) and half > 0):
        return min(6, max(0, 2 - math.floor(math.log10(abs(value))))) if value else 2
    power = math.floor(math.log10(half))
    return min(6, max(0, -power + (half / 10**power < 2)))


def plus_minus(mean: float, half: float) -> str:
    """Return 'mean ± half', rounded to what the interval leaves certain; the mean alone where `half` is not known."""
    decimals = digits(mean, half)
    if half == 0:
        return f"{signed(mean, decimals)} ± 0"
    return f"{signed(mean, decimals)} ± {half:,.{decimals}f}" if math.isfinite(half) else signed(mean, decimals)


def significant(value: float) -> str:
    """Return a number of any size to three digits: '1,498', '−131', '0.00412', '1.6 × 10⁻⁹'."""
    size = abs(value)
    if 0 < size < 1e-4:
        leading, _, power = f"{size:.1e}".partition("e")
        words = f"{leading} × 10{str(int(power)).translate(RAISED)}"
    else:
        words = f"{size:,.0f}" if size >= 100 else f"{size:.3g}"
    return f"−{words}" if value < 0 and size else words


def exact(number: float, digits: int = 4) -> str:
    """Return a positive number to so many digits, or to the last whole one from 1,000 on: '12.30', '12,345'."""
    return round_to(number, digits) if number < 1000 else f"{number:,.0f}"


def score(value: float) -> str:
    """Return a score to three digits and four decimals at the most: '0.967', '12.4', '1,234', '−0.0001'."""
    decimals = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    vanishes = abs(value) >= 5e-5 and not round(value, decimals)
    return signed(value, 4 if vanishes else decimals)


def probability(value: float) -> str:
    """Return a probability: '0.42', '<0.01', '>0.99'."""
    if value < 0.005:
        return "<0.01"
    return ">0.99" if value > 0.995 else f"{value:.2f}"


def subscript(number: int) -> str:
    """Return a number in small figures below the line."""
    return str(number).translate(LOWERED)
