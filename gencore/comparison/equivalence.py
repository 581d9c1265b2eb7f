"""Whether two families' scores are equal, apart, or neither is known: the rule of the app's pages.

`dashboard/results/equivalence.py` says it at length; the engine knows no page, so its few lines stand here again, and
`tests/dashboard/service/test_one_rule.py` holds the two to one answer. Two scores are equal where Welch's 95% interval
of their difference (Welch 1947) lies inside a margin that matters (Schuirmann 1987), apart where it leaves out 0 and is
not inside the margin.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

EQUAL, APART, UNKNOWN = "equal", "apart", "not known"
LEVEL = 0.95


@dataclass(frozen=True)
class Matters:
    """How large a difference in a metric matters: more than real data's interval is wide, and more than these.

    Attributes:
        least: In the metric's units.
        relative: As a share of the better score.
    """

    least: float = 0.0
    relative: float = 0.0

    def margin(self, real_width: float, one: float, other: float) -> float:
        """Return the largest difference of two means that does not matter, where real data's interval is so wide."""
        return max(real_width, self.least, self.relative * min(abs(one), abs(other)))


def compare(one: Sequence[float], other: Sequence[float], margin: float) -> str:
    """Return EQUAL, APART or UNKNOWN for the values of two points' generations; UNKNOWN of a single one."""
    low, high = welch(one, other)
    if -margin <= low and high <= margin:
        return EQUAL
    return APART if low > 0 or high < 0 else UNKNOWN


def welch(one: Sequence[float], other: Sequence[float]) -> tuple[float, float]:
    """Return the ends of the 95% interval of the difference of two means; NaN where one has a single value."""
    from scipy.special import stdtrit

    if min(len(one), len(other)) < 2:
        return math.nan, math.nan
    (a, va), (b, vb) = ((math.fsum(values) / len(values), _squared_error(values)) for values in (one, other))
    if va + vb == 0:
        return a - b, a - b
    freedom = (va + vb) ** 2 / (va**2 / (len(one) - 1) + vb**2 / (len(other) - 1))
    half = float(stdtrit(freedom, (1 + LEVEL) / 2)) * math.sqrt(va + vb)
    return a - b - half, a - b + half


def _squared_error(values: Sequence[float]) -> float:
    mean, n = math.fsum(values) / len(values), len(values)
    return math.fsum((value - mean) ** 2 for value in values) / (n * (n - 1))
