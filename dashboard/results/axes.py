"""What points are compared in: quality, diversity and time, what each may mean, and its scale in the triangle. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from dashboard.results.intervals import paired_difference, welch_difference
from dashboard.results.operating_points import Measured, Score

KID_DECADES = 3  # from the triangle's rim to its centre
MS_DECADES = 5


@dataclass(frozen=True)
class Axis:
    """One direction in which points are compared.

    Attributes:
        key: The score's key in a row.
        name: Its name in a sentence, 'KID'.
        title: Its name in a list of choices.
        better: 'lower', 'higher' or 'one' (1 is as real, and as far below it as above is as bad).
        percent: Whether people read it as a percentage.
        across: Whether it may be compared across n.
        featured: Whether it is measured in features, and so differs between extractors.
        least: The least margin within which two scores are equal, in units of what they are worth.
        relative: The same as a share of the better score.
        worst: The worst value that it can have.
        spelled: What its name is short for, '' where it is a word.
        fooled: One sentence on what fools it, '' where the page does not say.
        data: The data set that it is for, where its truth is known; '' for any.
    """

    key: str
    name: str
    title: str
    better: str
    percent: bool = False
    across: bool = False
    featured: bool = True
    least: float = 0.0
    relative: float = 0.0
    worst: float = math.inf
    spelled: str = ""
    fooled: str = ""
    data: str = ""

    def worth(self, value: float) -> float:
        """Return a number that grows as the score gets better."""
        if self.better == "lower":
            return -value
        if self.better == "one":
            return min(value, 1 / value) if value > 0 else 0.0
        return value

    def share(self, value: float) -> float:
        """Return a score as a share of what is perfect, which a least share can be asked of; worst is 0, perfect 1."""
        return 1 - value / self.worst if self.better == "lower" else self.worth(value)

    def facing(self, real: Score) -> float:
        """Return the bound of real data's interval that faces the models: reaching it is as good as real."""
        if self.better == "lower":
            return real.high
        return real.low if self.worth(real.low) <= self.worth(real.high) else real.high

    def reaches(self, score: Score, real: Score) -> bool:
        """Return whether a score's interval reaches real data's, or passes it on the better side."""
        above = score.high >= real.low or self.better == "lower"
        below = score.low <= real.high or self.better == "higher"
        return above and below

    def difference(self, one: Score, other: Score, paired: bool = False) -> tuple[float, float, float]:
        """Return how much more `one` is worth than `other`: the mean, and the ends of its 95% interval.

        It is Welch's, or that of pairs where their generations belong together; NaN with too few generations.
        """
        a, b = ([self.worth(value) for value in score.values or (score.mean,)] for score in (one, other))
        return paired_difference(a, b) if paired else welch_difference(a, b)

    def of(self, row: Measured | None, extractor: str) -> Score | None:
        """Return a row's score in some features; one that is not measured in features is the same in all."""
        return row.score(self.key, self._source(row, extractor)) if row else None

    def why_not(self, row: Measured, extractor: str) -> str:
        """Return the sentence that says why a row has no such score in some features, '' when it has one."""
        return row.why_not(self.key, self._source(row, extractor))

    def _source(self, row: Measured, extractor: str) -> str:
        """Return the extractor among whose scores a row has this one, whatever its features, if it is not of any."""
        names = () if self.featured else (extractor, *row.quality["scores"])
        return next((name for name in names if row.score(self.key, name)), extractor)


FEATURELESS = ("images", "probabilities", "readings")  # what a metric may need other than features


class Metric(Protocol):
    """What has to be known of a metric; `gencore.metrics` has them."""

    key: str
    name: str
    axis: str
    better: str
    needs: str
    about: str
    data: str


def axis_of(metric: Metric) -> Axis:
    """Return a metric of `gencore.metrics` as an axis."""
    return Axis(metric.key, metric.name, metric.name, metric.better, featured=metric.needs not in FEATURELESS)


HUNDREDTH = 0.01  # one percentage point of a share, or of what real data have
QUALITIES = {
    axis.key: axis
    for axis in (
        Axis("kid", "KID", "distance (KID)", "lower", across=True, relative=0.1, spelled="kernel inception distance"),
        Axis("precision", "precision", "precision", "higher", percent=True, least=HUNDREDTH),
        Axis("density", "density", "density", "higher", least=HUNDREDTH),
        Axis("sharpness", "sharpness", "sharpness", "one", featured=False, least=HUNDREDTH),
    )
}
DIVERSITIES = {
    axis.key: axis
    for axis in (
        Axis("recall", "recall", "recall", "higher", percent=True, least=HUNDREDTH,
             fooled="The share of real images that lie among the generated ones. A few generated images far from all "
             "others reach so far that they hold many real ones."),
        Axis("coverage", "coverage", "coverage", "higher", percent=True, least=HUNDREDTH,
             fooled="The share of real images that have a generated one near. It rises when variety is given up for "
             "typical images: each hits more, and nothing asks whether the untypical are still there."),
        Axis("vendi_ratio", "Vendi ratio", "Vendi ratio", "one", least=HUNDREDTH,
             fooled="The effective number of different images over that of real ones. Bad images count as different "
             "ones, so they make up for those that are missing."),
        Axis("class_balance", "class imbalance", "class balance", "lower", percent=True, featured=False,
             least=HUNDREDTH, worst=1.0,
             fooled="The share of images that would have to change class for the classes to be as frequent as in real "
             "images. It sees nothing inside a class: one image of each, repeated, is perfect."),
    )
}  # fmt: skip
TRUE_QUALITY = Axis("true_quality", "true quality", "true quality", "higher", percent=True, across=True, featured=False,
                    least=HUNDREDTH, data="shapes")  # fmt: skip
TRUE_DIVERSITY = Axis(
    "true_imbalance", "true imbalance", "true diversity", "lower", percent=True, featured=False, least=HUNDREDTH,
    worst=1.0, data="shapes",
    fooled="The share of valid pictures that would have to change shape or colour for the 18 modes to be as frequent "
    "as they are drawn. It is known and no estimate; inside a mode it sees nothing.",
)  # fmt: skip


def qualities(dataset: str) -> dict[str, Axis]:
    """Return by key what quality may mean of a data set: the truth first, where it is known."""
    return ({TRUE_QUALITY.key: TRUE_QUALITY} if dataset == TRUE_QUALITY.data else {}) | QUALITIES


def diversities(dataset: str) -> dict[str, Axis]:
    """Return by key what diversity may mean of a data set: the truth first, where it is known."""
    return ({TRUE_DIVERSITY.key: TRUE_DIVERSITY} if dataset == TRUE_DIVERSITY.data else {}) | DIVERSITIES


SPEED = Axis("ms", "time", "ms per image", "lower", across=True)


@dataclass(frozen=True)
class Scale:
    """How a corner of the triangle maps raw values to [0, 1], 1 at the rim; monotone, see `docs/metrics.md`.

    `rim` and `centre` are the raw values there and beyond; on a 'lower' axis the mapping is logarithmic between them.
    """

    axis: Axis
    rim: float
    centre: float

    @classmethod
    def reaching(cls, axis: Axis, rim: float) -> Scale:
        """Return the scale of a score whose rim is known; an unbiased distance of real data may be no more than 0."""
        rim = rim if rim > 0 else 1e-4
        return cls(axis, rim, min(rim * 10**KID_DECADES, axis.worst) if axis.better == "lower" else 0.0)

    @classmethod
    def of_times(cls, fast: float, slow: float) -> Scale:
        """Return the scale of times from the fastest to the slowest, in whole decades."""
        low = math.floor(math.log10(fast))
        decades = max(MS_DECADES, math.ceil(math.log10(slow)) - low)
        return cls(SPEED, 10.0**low, 10.0 ** (low + decades))

    def place(self, value: float) -> float:
        """Return where a raw value lies between the centre, 0, and the rim, 1."""
        if self.axis.better == "lower":
            share = math.log(self.centre / max(value, self.rim)) / math.log(self.centre / self.rim)
        else:
            share = self.axis.worth(value) / self.axis.worth(self.rim)
        return min(1.0, max(0.0, share))

    @property
    def ticks(self) -> list[float]:
        """Round raw values strictly between the centre and the rim."""
        if self.axis.better != "lower":
            return [tick for tick in (0.25, 0.5, 0.75) if self.place(tick) < 0.9]
        decades = range(math.floor(math.log10(self.rim)), math.ceil(math.log10(self.centre)) + 1)
        return [10.0**decade for decade in decades if 0.08 < self.place(10.0**decade) < 0.94]
