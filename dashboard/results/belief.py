"""Which metric can be believed, where the truth of a data set's images is known: estimates ranked beside it. Pure.

Each estimated score, in each features, puts the operating points and the broken models in an order; the true figures
put the same rows in another. Spearman's rank correlation of the two says how far the estimate can be believed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dashboard import format
from dashboard.results.axes import TRUE_DIVERSITY, TRUE_QUALITY, Axis, Metric, axis_of
from dashboard.results.operating_points import Measured, Measurements, at_usual_n

LEAST = 8  # points under which a rank correlation says nothing
RESAMPLES = 1000  # of the points, with replacement
TRUTHS = {"quality": TRUE_QUALITY, "diversity": TRUE_DIVERSITY}
GROUPS = ("quality", "diversity", "distance")  # axes of the estimates, in the order in which they are shown


@dataclass(frozen=True)
class Correlation:
    """Spearman's rank correlation with a true figure over so many points, and its 95% bootstrap interval over them."""

    mean: float
    low: float
    high: float
    points: int


@dataclass(frozen=True)
class Belief:
    """How far an estimate can be believed.

    Attributes:
        metric: What is estimated.
        extractor: In what features; '' for what needs none.
        truths: By 'quality' and 'diversity', the correlation of what both are worth; None where it cannot be told.
    """

    metric: Metric
    extractor: str
    truths: Mapping[str, Correlation | None]

    @property
    def name(self) -> str:
        """Its name for people: 'KID, pixels'."""
        return f"{self.metric.name}, {self.extractor}" if self.extractor else self.metric.name

    @property
    def own(self) -> Correlation | None:
        """The correlation with what it is an estimate of; of a distance the lesser one, as it is to see both."""
        if self.metric.axis in self.truths:
            return self.truths[self.metric.axis]
        known = [one for one in self.truths.values() if one]
        return min(known, key=lambda one: one.mean) if len(known) == len(self.truths) else None


def judged(measured: Measurements) -> list[Measured]:
    """Return the operating points and broken models whose truth is known, at the n that most points have."""
    known = [
        point
        for point in (*measured.points, *measured.failures)
        if not point.stale and all(axis.of(point, measured.usual_extractor) for axis in TRUTHS.values())
    ]
    return at_usual_n(known)


def beliefs(measured: Measurements, metrics: Mapping[str, Metric]) -> list[Belief]:
    """Return every estimate beside the truth, by axis, the most believable first; [] where too few points have one."""
    points = judged(measured)
    if len(points) < LEAST:
        return []
    found = [one for one in _every(measured, metrics, points) if one.own]
    return sorted(found, key=lambda one: (GROUPS.index(one.metric.axis), -one.own.mean))


def _every(measured: Measurements, metrics: Mapping[str, Metric], points: Sequence[Measured]) -> Iterator[Belief]:
    truths = {key: worths(points, axis, measured.usual_extractor) for key, axis in TRUTHS.items()}
    for metric in metrics.values():
        if metric.data or metric.axis not in GROUPS:
            continue
        axis = axis_of(metric)
        for extractor in measured.compared if axis.featured else ("",):
            mine = worths(points, axis, extractor or measured.usual_extractor)
            yield Belief(metric, extractor, {key: correlation(mine, truth) for key, truth in truths.items()})


def worths(points: Sequence[Measured], axis: Axis, extractor: str) -> np.ndarray:
    """Return what the points' scores are worth, (P,); NaN where a point has none."""
    scores = (axis.of(point, extractor) for point in points)
    return np.array([axis.worth(score.mean) if score else math.nan for score in scores])


def correlation(one: np.ndarray, other: np.ndarray) -> Correlation | None:
    """Return the rank correlation of two rows of numbers (P,) with its interval; None where it cannot be told.

    The interval is that of percentiles over resamples of the points (Efron 1979), those in which nothing varies left
    out.
    """
    both = np.isfinite(one) & np.isfinite(other)
    one, other = one[both], other[both]
    if len(one) < LEAST or not (np.ptp(one) and np.ptp(other)):
        return None
    drawn = np.random.default_rng(0).integers(len(one), size=(RESAMPLES, len(one)))
    rows = spearman(one[drawn], other[drawn])
    low, high = np.nanpercentile(rows, (2.5, 97.5))
    return Correlation(float(spearman(one[None], other[None])[0]), float(low), float(high), len(one))


def spearman(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the rank correlation of each row of two tables (B, P), (B,): equal numbers share their mean rank."""
    a, b = (ranks(table) - (table.shape[1] - 1) / 2 for table in (one, other))
    with np.errstate(invalid="ignore"):
        return (a * b).sum(1) / np.sqrt((a * a).sum(1) * (b * b).sum(1))


def ranks(table: np.ndarray) -> np.ndarray:
    """Return the ranks from 0 within each row of (B, P), (B, P), equal numbers sharing their mean rank."""
    above, below = table[:, :, None], table[:, None, :]
    return (below < above).sum(2) + ((below == above).sum(2) - 1) / 2


def finding(found: Sequence[Belief]) -> str:
    """Return in two sentences which estimate ranks the models most, and which least, like the truth."""
    sentences = []
    for key, word in (("quality", "quality"), ("diversity", "diversity")):
        mine = [one for one in found if one.metric.axis == key]
        if mine:
            best, worst = mine[0], mine[-1]
            rest = f", {worst.name} least ({said(worst.own)})" if worst is not best else ""
            sentences.append(f"True {word} is followed best by {best.name} ({said(best.own)}){rest}.")
    return " ".join(sentences)


def said(one: Correlation) -> str:
    """Return a correlation in words, with its interval: '0.93, 0.81 to 0.97'."""
    return f"{format.signed(one.mean, 2)}, {format.signed(one.low, 2)} to {format.signed(one.high, 2)}"


def too_few(measured: Measurements) -> str:
    """Return the sentence on a data set whose truth is known of too few points; '' where none is, or enough are."""
    count = len(judged(measured))
    if not 0 < count < LEAST:
        return ""
    return (
        f"Which metric can be believed is told from {LEAST} points and broken models on whose truth was measured: "
        f"there are {count}. Measure more: python -m gencore evaluate --points all"
    )
