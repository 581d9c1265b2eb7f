"""Whether two scores are equal, apart, or neither is known; and which points are known well enough to be ranked. Pure.

Not to find a difference is no proof of equality: the noisier two scores are, the less is found. So two scores are equal
when the interval of their difference lies inside a margin that matters, the idea of two one-sided tests (Schuirmann
1987; with the 95% interval, which asks for more than the 90% that those tests at 5% amount to). They are apart when
the interval leaves out 0 and is not inside the margin; anything else is not known.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dashboard.results.axes import Axis
from dashboard.results.operating_points import Measured, Score

EQUAL, APART, UNKNOWN = "equal", "apart", "not known"
ROUNDING = 1e-6  # two intervals whose widths differ by a smaller share are equally wide


@dataclass(frozen=True)
class Comparison:
    """How much more one score is worth than another.

    Attributes:
        gap: The difference of the means.
        low: The lower end of its 95% interval; NaN where there are too few generations for one.
        high: The upper end.
        margin: How large a difference does not matter.
    """

    gap: float
    low: float
    high: float
    margin: float

    @property
    def verdict(self) -> str:
        """EQUAL, APART or UNKNOWN."""
        if -self.margin <= self.low and self.high <= self.margin:
            return EQUAL
        return APART if self.low > 0 or self.high < 0 else UNKNOWN


def compare(axis: Axis, one: Score, other: Score, real: Score | None, paired: bool = False) -> Comparison:
    """Return how two scores compare; `real` is real data's own score, whose interval is the margin's measure."""
    return Comparison(*axis.difference(one, other, paired), margin(axis, real, one, other))


def margin(axis: Axis, real: Score | None, *scores: Score) -> float:
    """Return the largest difference between some scores that does not matter, in units of what they are worth.

    It is the width of real data's own interval, as finer differences are not resolved between two sets of real images
    either; or, where that is more, the axis's least margin or its share of the best score.
    """
    width = real.high - real.low if real and len(real.values) > 1 else 0.0
    best = min((abs(axis.worth(score.mean)) for score in scores), default=0.0)
    return max(width, axis.least, axis.relative * best)


def share_noise(one: Measured, other: Measured) -> bool:
    """Return whether two points' generations were made from the same noise, so that their differences are paired."""
    mine, theirs = (
        (point.checkpoint, point.n, point.generations, point.quality.get("seeds"), point.hash_of())
        for point in (one, other)
    )
    return bool(one.checkpoint) and mine == theirs


def ranked(scores: Sequence[Score | None], margins: Sequence[float], known: np.ndarray) -> np.ndarray:
    """Return (P,) bool: the points whose place among the others is known.

    It is where half the point's interval is no more than the margin, so that it could be called equal to something; or
    where it is equal to, or apart from, every point that is measured more precisely, and some point at all.

    Args:
        scores: Each point's score; None for one that is not compared.
        margins: Each point's margin.
        known: (P, P) bool: whether two points are known to be equal or apart.
    """
    halves = np.array([math.nan if score is None else half_width(score) for score in scores], float)
    there = ~np.isnan(halves)
    precise = there & (halves <= np.array(margins, float))
    others = there & ~np.eye(len(halves), dtype=bool)
    tighter = others & (halves[None] < halves[:, None] * (1 - ROUNDING))
    placed = (known | ~tighter).all(1) & (known & others).any(1)
    return precise | (there & placed)


def half_width(score: Score) -> float:
    """Return half a score's interval; infinite where one generation gives none."""
    return score.half if len(score.values) > 1 else math.inf
