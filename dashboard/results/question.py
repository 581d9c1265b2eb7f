"""A question: what quality and diversity mean, in which features, at which n, on which machine; of which points. Pure.

What may be compared with what is decided here. KID and the true quality are unbiased in n, the number of images, so
they may be compared across n; every other score only at equal n. So a question names one n. Times are compared on one
machine.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from dashboard import format
from dashboard.results import equivalence
from dashboard.results.axes import Axis, Scale, diversities, qualities
from dashboard.results.equivalence import EQUAL, UNKNOWN, Comparison
from dashboard.results.operating_points import Measured, Measurements, Score, cost_of, knobs_key, machine_key


@dataclass(frozen=True)
class Question:
    """What is asked: what quality and diversity mean, in which features, at which n, on which machine; of which points.

    Attributes:
        measured: All measurements of the data set.
        quality: What quality means.
        diversity: What diversity means.
        extractor: The features that the scores are in.
        n: Images per generation; scores other than KID are compared between points of this n alone.
        machine: The machine of the times.
        points: The points that can be drawn: quality and time are known, each operating point once.
        sizes: How many operating points were measured at each n, largest n first.
        left_out: A sentence for each kind of point that is missing here.
        untimed: Samples from elsewhere whose quality is known and whose time is not.
    """

    measured: Measurements
    quality: Axis
    diversity: Axis
    extractor: str
    n: int
    machine: str
    points: tuple[Measured, ...]
    sizes: dict[int, int]
    left_out: tuple[str, ...] = ()
    untimed: tuple[Measured, ...] = ()

    @cached_property
    def families(self) -> tuple[str, ...]:
        """The families of the points, in order."""
        return tuple(dict.fromkeys(point.family for point in self.points))

    @property
    def featured(self) -> bool:
        """Whether features have a part in it."""
        return self.quality.featured or self.diversity.featured

    @cached_property
    def fresh(self) -> np.ndarray:
        """(P,) bool: points whose checkpoint is still the one measured."""
        return np.array([not point.stale for point in self.points], bool)

    @cached_property
    def equal(self) -> np.ndarray:
        """(P,) bool: points at the question's n that have a diversity; it is compared among these alone."""
        return np.array([p.n == self.n and self.score(p, self.diversity) is not None for p in self.points], bool)

    @cached_property
    def worths(self) -> np.ndarray:
        """(P,) what the points' qualities are worth."""
        return np.array([self.quality.worth(self.score(point, self.quality).mean) for point in self.points], float)

    @cached_property
    def ms(self) -> np.ndarray:
        """(P,) milliseconds per image."""
        return np.array([point.ms_per_image for point in self.points], float)

    @cached_property
    def scales(self) -> tuple[Scale, Scale, Scale]:
        """The triangle's corners: quality, diversity, speed."""
        fast, slow = self.ms.min(initial=1.0, where=self.ms > 0), self.ms.max(initial=1e-3)
        quality, diversity = (Scale.reaching(axis, self._rim(axis)) for axis in (self.quality, self.diversity))
        return quality, diversity, Scale.of_times(fast, slow)

    def _rim(self, axis: Axis) -> float:
        """Return the raw value at the triangle's rim: real data's, or the best there is where that was not measured."""
        if real := self.real(axis, self.n):
            return axis.facing(real)
        scores = [score for point in self.points if (score := self.score(point, axis))]
        return abs(max((axis.worth(score.mean) for score in scores), default=1.0))

    @cached_property
    def places(self) -> np.ndarray:
        """(P, 3) places of the points in the triangle; NaN where a diversity may not be compared."""
        quality, diversity, speed = self.scales
        rows = [
            (
                quality.place(self.score(point, self.quality).mean),
                diversity.place(self.score(point, self.diversity).mean) if equal else math.nan,
                speed.place(point.ms_per_image),
            )
            for point, equal in zip(self.points, self.equal, strict=True)
        ]
        return np.array(rows, float).reshape(-1, 3)

    @cached_property
    def equals(self) -> tuple[np.ndarray, np.ndarray]:
        """Two (P, P) bool tables: which points are equal in quality, and in diversity."""
        return tuple((table == EQUAL) | np.eye(len(table), dtype=bool) for table in self._verdicts)

    @cached_property
    def ranked(self) -> tuple[np.ndarray, np.ndarray]:
        """Two (P,) bool: the points whose place is known in quality, and in diversity; see `equivalence.ranked`."""
        found = []
        compared = self.fresh, self.fresh & self.equal
        for axis, table, there in zip((self.quality, self.diversity), self._verdicts, compared, strict=True):
            scores = [self.score(p, axis) if here else None for p, here in zip(self.points, there, strict=True)]
            real = self.real(axis, self.n)
            margins = [equivalence.margin(axis, real, *([score] if score else [])) for score in scores]
            found.append(equivalence.ranked(scores, margins, (table != UNKNOWN) & there[None] & there[:, None]))
        return tuple(found)

    @cached_property
    def rough(self) -> tuple[np.ndarray, np.ndarray]:
        """Two (P,) bool: the points that are compared in quality, and in diversity, and have no known place."""
        quality, diversity = self.ranked
        return self.fresh & ~quality, self.fresh & self.equal & ~diversity

    @cached_property
    def _verdicts(self) -> tuple[np.ndarray, np.ndarray]:
        """Two (P, P) tables of whether points are equal, apart, or neither is known, in quality and in diversity."""
        return tuple(self._compared(axis) for axis in (self.quality, self.diversity))

    def _compared(self, axis: Axis) -> np.ndarray:
        table = np.full((len(self.points),) * 2, UNKNOWN, dtype=object)
        for i, one in enumerate(self.points):
            for j in range(i):
                if comparison := self.compare(axis, one, self.points[j]):
                    table[i, j] = table[j, i] = comparison.verdict
        return table

    @cached_property
    def front(self) -> list[int]:
        """The Pareto front of quality (mean) and time, fastest first.

        It is of points that are not stale and, where there are such, that are ranked in quality.
        """
        found: list[int] = []
        ranked = self.fresh & self.ranked[0]
        for i in sorted(
            np.flatnonzero(ranked if ranked.any() else self.fresh), key=lambda i: (self.ms[i], -self.worths[i])
        ):
            if not found or self.worths[i] > self.worths[found[-1]]:
                found.append(int(i))
        return found

    def score(self, point: Measured, axis: Axis) -> Score | None:
        """Return a point's score in the question's features; None when it was not measured."""
        return axis.of(point, self.extractor)

    def real(self, axis: Axis, n: int) -> Score | None:
        """Return real data's own score at n; None when it was not measured."""
        return axis.of(self.measured.baseline(n), self.extractor)

    def compare(self, axis: Axis, one: Measured, other: Measured) -> Comparison | None:
        """Return how one point's score compares with another's; None where they may not be compared.

        The margin is measured by real data at the question's n: one measure for all points, whatever their own n.
        """
        a, b = self.score(one, axis), self.score(other, axis)
        if a is None or b is None or (one.n != other.n and not axis.across):
            return None
        return equivalence.compare(axis, a, b, self.real(axis, self.n), equivalence.share_noise(one, other))


# ---- asking


def ask(
    measured: Measurements,
    quality: str = "",
    n: int = 0,
    machine: str = "",
    diversity: str = "",
    extractor: str = "",
    here: str = "",
) -> Question:
    """Return a question; what is not known (an n or machine that nothing was measured at) falls back to the usual.

    The usual n is the one at which most families have been measured; of several, that at which most have their
    headline points; of several, that with most points.
    The usual machine is the one that most families were timed on, the one at hand first, see `usual_machine`.
    The usual features are the data set's own, see `Measurements.usual_extractor`; the usual quality and diversity are
    `usual_axis`.
    """
    known, varied = qualities(measured.dataset), diversities(measured.dataset)
    axis = known.get(quality) or usual_axis(measured, known)
    variety = varied.get(diversity) or usual_axis(measured, varied)
    extractor = extractor if extractor in measured.compared else measured.usual_extractor
    machine = machine if machine in measured.machines else usual_machine(measured, here)
    sizes = Counter(point.n for point in measured.points if not point.stale)

    def rank(size: int) -> tuple[int, int, int, int]:
        fresh = [point for point in measured.points if point.n == size and not point.stale]
        headlines = {point.family for point in fresh if point.kind == "headline"}
        return len({point.family for point in fresh}), len(headlines), sizes[size], size

    n = n if n in sizes else max(sizes, key=rank, default=max((point.n for point in measured.points), default=0))
    timed = [on_machine(measured, point, machine) for point in measured.points]
    shown = once([point for point in timed if axis.across or point.n == n], n, axis, extractor)
    points = tuple(point for point in shown if axis.of(point, extractor) and point.ms_per_image)
    sizes = dict(sorted(sizes.items(), reverse=True))
    untimed = tuple(point for point in shown if point.given and axis.of(point, extractor) and not point.ms_per_image)
    found = Question(measured, axis, variety, extractor, n, machine, points, sizes, untimed=untimed)
    return replace(found, left_out=missing(found, shown, timed))


def usual_axis(measured: Measurements, known: Mapping[str, Axis]) -> Axis:
    """Return what quality or diversity means where nobody chose: the truth if any point has it, else the estimate."""
    return next(axis for axis in known.values() if not axis.data or any(axis.of(one, "") for one in measured.points))


def usual_machine(measured: Measurements, here: str = "") -> str:
    """Return the machine that most families were timed on; '' where there is none.

    Of several it is the one at hand, else one that this project's user has timed on, else the one with most times. Who
    times one model of his own on a machine wants to see it beside the others: these do not go for it.
    """
    machines = [(machine_key(cost), cost["family"]) for cost in measured.costs if not cost.get("stale")]

    def rank(name: str) -> tuple[int, bool, bool, int]:
        families = [family for machine, family in machines if machine == name]
        return len(set(families)), name == here, at_hand(measured, name, here), len(families)

    return max(dict.fromkeys(name for name, _ in machines), key=rank, default="")


def at_hand(measured: Measurements, machine: str, here: str = "") -> bool:
    """Return whether a machine is `here`, as `machine_key` names it, or one that this project's user has timed on."""
    return machine == here or any(cost.get("local") and machine_key(cost) == machine for cost in measured.costs)


def on_machine(measured: Measurements, point: Measured, machine: str) -> Measured:
    """Return a point with the cost measured on one machine, or with none."""
    return replace(point, cost=cost_of(measured.costs, point, machine))


def once(points: Sequence[Measured], n: int, axis: Axis, extractor: str) -> list[Measured]:
    """Return every operating point once: by a row that has the score, is fresh, and has the newest reference for it.

    Of several such rows it is that at n, else that at the largest n.
    """

    def rank(point: Measured) -> tuple[bool, bool, int, bool, int]:
        score = axis.of(point, extractor)
        return score is not None, not point.stale, score.reference if score else 0, point.n == n, point.n

    best: dict[tuple[str, str], Measured] = {}
    for point in points:
        mine = (point.checkpoint, knobs_key(point.knobs))
        if mine not in best or rank(point) > rank(best[mine]):
            best[mine] = point
    return list(best.values())


def missing(question: Question, shown: Sequence[Measured], everything: Sequence[Measured]) -> tuple[str, ...]:
    """Return what is missing from a question's points, a sentence for each reason."""
    axis, n, sentences = question.quality, question.n, []
    scored = [point for point in shown if question.score(point, axis)]
    if untimed := [point for point in scored if not point.ms_per_image and not point.given]:
        sentences += not_timed(question.measured, question.machine, untimed)
    sentences += of_samples(question, [point for point in scored if point.given])
    if unscored := [point for point in shown if not question.score(point, axis)]:
        features = f" in {question.extractor} features" * axis.featured
        why = unscored[0].why_not(axis.key, question.extractor) or f"Their rows have no {axis.name}{features}."
        sentences.append(f"{counted(len(unscored))} left out for want of {axis.name}{features}. {why}")
    sentences += two_references(question, scored)
    if stale := [point for point in shown if point.stale]:
        sentences.append(f"{counted(len(stale))} stale, and never recommended. {stale[0].stale}")
    here, known = ({(p.checkpoint, knobs_key(p.knobs)) for p in points} for points in (shown, everything))
    if others := known - here:
        sentences.append(
            f"{counted(len(others))} not shown: measured at another n than {n:,}, and {axis.name} depends on n."
        )
    return tuple(sentences)


def two_references(question: Question, points: Sequence[Measured]) -> list[str]:
    """Return the sentence on points whose KID compares with the first n test images where others' does with all."""
    scores = [(point, question.score(point, question.quality)) for point in points if not point.stale]
    whole = max((score.reference for _, score in scores), default=0)
    old = [point for point, score in scores if (score.reference or point.n) != whole]
    if not whole or not old:
        return []
    return [
        f"{counted(len(old))} compared by {question.quality.name} with as many test images as were generated, others "
        f"with {whole:,}: a small difference between the two may be that of the real images ({named(old)}). "
        f"Measure again: python -m gencore evaluate {old[0].checkpoint} --points all --rows quality"
    ]


def of_samples(question: Question, points: Sequence[Measured]) -> list[str]:
    """Return the sentences on samples that were made elsewhere: what was not timed, with its scores, and what was."""
    sentences = [
        f"{name(point)}: {standing(question, point)}. Its speed is unknown, so it stands in the chart of quality "
        f"against diversity alone; tell it: {point.command('--ms-per-image', 'MS')}"
        for point in points
        if not point.ms_per_image
    ]
    if told := [point for point in points if point.ms_per_image]:
        where = format.listing(
            list(dict.fromkeys(point.stated.get("machine", "a machine not named") for point in told))
        )
        sentences.append(f"{counted(len(told))} as fast as was stated ({named(told)}), on {where}: not measured here.")
    return sentences


def standing(question: Question, point: Measured) -> str:
    """Return a point's scores on the axes of quality and diversity."""
    found = [(axis, question.score(point, axis)) for axis in (question.quality, question.diversity)]
    return ", ".join(f"{axis.name} {format.plus_minus(score.mean, score.half)}" for axis, score in found if score)


def timed_elsewhere(measured: Measurements, points: Sequence[Measured]) -> str:
    """Return where points were timed, as the end of a sentence; '' where that is nowhere."""
    mine = {(point.checkpoint, knobs_key(point.knobs)) for point in points}
    there = Counter(
        machine_key(cost)
        for cost in measured.costs
        if (cost["checkpoint"], knobs_key(cost["knobs"])) in mine and not cost.get("stale")
    )
    return "".join(f"; {count:,} timed on {name}, to be chosen above" for name, count in there.most_common(1))


def not_timed(measured: Measurements, machine: str, points: Sequence[Measured]) -> list[str]:
    """Return the sentences on points without times: none of this machine's, or none that go with their scores."""
    timed = {
        (cost["checkpoint"], knobs_key(cost["knobs"]))
        for cost in measured.costs
        if machine_key(cost) == machine and not cost.get("stale")
    }
    otherwise = [point for point in points if (point.checkpoint, knobs_key(point.knobs)) in timed]
    never = [point for point in points if point not in otherwise]
    sentences = []
    if never:
        sentences.append(
            f"{counted(len(never))} not timed on {machine or 'any machine'} and left out ({named(never)}): "
            f"python -m gencore evaluate {never[0].checkpoint} --rows cost{timed_elsewhere(measured, never)}"
        )
    if otherwise:
        sentences.append(
            f"{counted(len(otherwise))} left out ({named(otherwise)}): timed on {machine} in another number format or "
            f"with other settings than the scores were measured in; alike: python -m gencore evaluate "
            f"{otherwise[0].checkpoint} --rows cost --dtype {otherwise[0].quality['settings']['dtype']}"
        )
    return sentences


def named(points: Sequence[Measured]) -> str:
    """Return the names of the first three of some points."""
    return "; ".join(name(point) for point in points[:3]) + " and others" * (len(points) > 3)


def unmeasured(measured: Measurements, declared: Iterable[tuple[str, str, str, Any]]) -> tuple[str, ...]:
    """Return a sentence for each checkpoint and kind of declared operating points that no row is of.

    Args:
        measured: The measurements.
        declared: Each point (of a `label` and a `kind`) with its checkpoint, the family's name for people, and its
            knobs as `knobs_key`.
    """
    seen = {(point.checkpoint, knobs_key(point.knobs)) for point in measured.points}
    absent = format.grouped(
        ((checkpoint, point.kind), f"{title}, {point.label}")
        for checkpoint, title, key, point in declared
        if (checkpoint, key) not in seen
    )
    return tuple(
        f"Not measured yet: {'; '.join(names[:3])}{' and others' * (len(names) > 3)} "
        f"(python -m gencore evaluate {checkpoint} --points {kind})."
        for (checkpoint, kind), names in absent.items()
    )


def counted(number: int) -> str:
    """Return '1 point is' or '3 points are'."""
    return f"{number} point is" if number == 1 else f"{number} points are"


def name(point: Measured) -> str:
    """Return a point's name for people: the family, the checkpoint where it is not the family's own, the label."""
    own = point.checkpoint.rpartition("/")[2]
    return f"{point.title}{'' if own in (point.family, '') else f' ({own})'}, {point.label}"
