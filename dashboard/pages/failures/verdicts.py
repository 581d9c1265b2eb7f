"""Which metric notices a broken model and which is fooled: a rule, applied to measured rows. Pure.

A metric notices when it puts the broken model clearly below the healthy one: at least a tenth worse, and beyond
Welch's 95% interval of the difference. Otherwise it is fooled. Healthy is the model that was broken, at the same
n; a broken model that was made from none is held against every family, and a metric that puts it level with any of
them, or above, is fooled.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dashboard import format
from dashboard.figures.table import GROUPS, Metric
from dashboard.results.axes import axis_of
from dashboard.results.operating_points import Measured, Measurements, Score

CLEARLY = 0.1  # a tenth of what the healthy model's score is worth
NOTICES, FOOLED, UNKNOWN = "notices", "is fooled", ""


@dataclass(frozen=True)
class Verdict:
    """What one metric makes of one broken model, beside the healthy ones and real images at the same n.

    `word` is NOTICES, FOOLED, or UNKNOWN without anything healthy or real to compare with.
    """

    metric: Metric
    broken: Score
    healthy: tuple[tuple[Measured, Score], ...]
    real: Score | None
    word: str


def healthy(failure: Measured, measured: Measurements) -> tuple[Measured, ...]:
    """Return what a broken model is held against: each family's first headline point at the same n.

    A model that was made from a checkpoint is held against that checkpoint alone. Rows of other features, or of a
    checkpoint that has changed between the two, are not compared.
    """
    points = [point for point in measured.points if point.kind == "headline" and comparable(failure, point)]
    if failure.checkpoint:
        return tuple([point for point in points if point.checkpoint == failure.checkpoint][:1])
    groups = format.grouped((point.family, point) for point in points)
    return tuple(
        min(mine, key=lambda point: point.checkpoint.rpartition("/")[2] != family) for family, mine in groups.items()
    )


def comparable(failure: Measured, other: Measured) -> bool:
    """Return whether two rows were measured at the same n, in the same features, on the same weights if any."""
    known = other.quality.get("hashes", {})
    same = all(known.get(name, value) == value for name, value in failure.quality.get("hashes", {}).items())
    return other.n == failure.n and same


def worse(metric: Metric, broken: Score, other: Score) -> bool:
    """Return whether a metric puts `broken` clearly below `other`."""
    axis = axis_of(metric)
    gap, _, high = axis.difference(broken, other)
    surely = gap < 0 if math.isnan(high) else high < 0
    return surely and -gap > CLEARLY * abs(axis.worth(other.mean))


def verdicts(
    failure: Measured, measured: Measurements, metrics: Mapping[str, Metric], extractor: str = ""
) -> Iterator[Verdict]:
    """Yield what each metric that was measured makes of a broken model, by axis in the order of `GROUPS`.

    Without a healthy model at the same n, real images stand for it. The features are the usual ones unless others are
    named.
    """
    extractor = extractor or measured.usual_extractor
    order = list(GROUPS)
    points, baseline = healthy(failure, measured), measured.baseline(failure.n)
    baseline = baseline if baseline and comparable(failure, baseline) else None
    for metric in sorted(metrics.values(), key=lambda metric: order.index(metric.axis)):
        axis = axis_of(metric)
        broken = axis.of(failure, extractor)
        if broken is None:
            continue
        real = axis.of(baseline, extractor)
        scored = tuple((point, score) for point in points if (score := axis.of(point, extractor)))
        against = [score for _, score in scored] or ([real] if real else [])
        word = UNKNOWN
        if against:
            word = NOTICES if all(worse(metric, broken, score) for score in against) else FOOLED
        yield Verdict(metric, broken, scored, real, word)


def words(found: Sequence[Verdict]) -> str:
    """Return verdicts as a sentence: how many metrics notice, and which are fooled."""
    known = [one for one in found if one.word]
    fooled = [one.metric.name for one in known if one.word == FOOLED]
    if not known:
        return ""
    if not fooled:
        return f"All {len(known)} metrics notice."
    share = f"{len(known) - len(fooled)} of {len(known)} metrics notice"
    return f"{share}. Fooled: {format.listing(fooled)}."


@dataclass(frozen=True)
class Opinion:
    """What other features make of a metric where they differ: the word, and the features that say so."""

    word: str
    features: tuple[str, ...]

    @property
    def words(self) -> str:
        """The opinion in short: 'in pixels: notices', 'in 2 others: notices'."""
        alone = self.features[0] if len(self.features) == 1 else f"{len(self.features)} others"
        return f"in {alone}: {self.word}"

    @property
    def told(self) -> str:
        """The opinion in full."""
        return f"In {format.listing(self.features)} features it {self.word}."


def opinions(found: Sequence[Verdict], others: Mapping[str, Sequence[Verdict]]) -> dict[str, Opinion]:
    """Return, by metric, what the other extractors, by name, make of it where that is something else."""
    first = {one.metric.key: one.word for one in found}
    differing = format.grouped(
        ((one.metric.key, one.word), name)
        for name, second in others.items()
        for one in second
        if one.word and first.get(one.metric.key, one.word) != one.word
    )
    return {key: Opinion(word, tuple(names)) for (key, word), names in differing.items()}


def across(columns: Sequence[Sequence[Verdict]]) -> str:
    """Return, in a sentence, which metrics notice every broken model; `columns` has the verdicts on each of them."""
    measured = [column for column in columns if any(one.word for one in column)]
    noticed = [{one.metric.key for one in column if one.word == NOTICES} for column in measured]
    every = [one.metric.name for one in measured[0] if all(one.metric.key in keys for keys in noticed)]
    number = f"all {len(measured)} broken models"
    if not every:
        return f"No metric notices {number}: one score is never enough."
    return f"{format.listing(every)} notice{'s' * (len(every) == 1)} {number}; every other metric is fooled by some."
