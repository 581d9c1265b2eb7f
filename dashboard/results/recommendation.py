"""Which model should we use? A question, asked of measured operating points, and its answer. Pure.

What may be compared with what is decided here. KID is unbiased in n, the number of images, so it may be compared
across n; every other score only at equal n. So a question names one n. Where its answer depends on coverage (or on
a quality other than KID), the candidates are the points measured at that n and no others; where it depends on KID and
time alone, all of them are. Times are compared on one machine.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy import special

from dashboard import format
from dashboard.results.operating_points import Measured, Measurements, Score, cost_of, knobs_key, machine_key

SAME_TIME = 1.05  # two medians of a timing within 5% are one time
LEVEL = 0.95
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
        spelled: What its name is short for, '' where it is a word.
    """

    key: str
    name: str
    title: str
    better: str
    percent: bool = False
    across: bool = False
    spelled: str = ""

    def worth(self, value: float) -> float:
        """Return a number that grows as the score gets better."""
        if self.better == "lower":
            return -value
        if self.better == "one":
            return min(value, 1 / value) if value > 0 else 0.0
        return value

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


QUALITIES = {
    axis.key: axis
    for axis in (
        Axis("kid", "KID", "distance (KID)", "lower", across=True, spelled="kernel inception distance"),
        Axis("precision", "precision", "precision", "higher", percent=True),
        Axis("density", "density", "density", "higher"),
        Axis("sharpness", "sharpness", "sharpness", "one"),
    )
}
DIVERSITY = Axis("coverage", "coverage", "coverage", "higher", percent=True)
SPEED = Axis("ms", "time", "ms per image", "lower", across=True)


@dataclass(frozen=True)
class Scale:
    """How a corner of the triangle maps raw values to [0, 1], 1 at the rim; monotone, see `docs/metrics.md`.

    `rim` and `centre` are the raw values there and beyond; on a 'lower' axis the mapping is logarithmic between them.
    """

    axis: Axis
    rim: float
    centre: float

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


@dataclass(frozen=True)
class Answer:
    """The answer to a question for some weights, or for a budget. Numbers are places in `Question.points`.

    Attributes:
        best: The recommended point; None when there is none.
        leader: The point with the highest mean score; another than `best` when `best` ties with it.
        runner: The best point of another family (of the same where there is only one); None when there is none.
        families: Each family's best point in the order of `Question.families`; None for one that has none.
        quality: Whether quality counted.
        coverage: Whether coverage counted, so that only points at the question's n were candidates.
        budget: Whether a time and a minimum coverage were asked for, not weights.
        fastest: Without a `best`: the fastest point that covers enough; None when none does.
        widest: Without a `best`: the point within the time that covers most; None when there is none.
    """

    best: int | None = None
    leader: int | None = None
    runner: int | None = None
    families: tuple[int | None, ...] = ()
    quality: bool = True
    coverage: bool = True
    budget: bool = False
    fastest: int | None = None
    widest: int | None = None


@dataclass(frozen=True)
class Question:
    """What is asked: what quality means, at which n and on which machine; and the points that it is asked of.

    Attributes:
        measured: All measurements of the data set.
        quality: What quality means.
        n: Images per generation; scores other than KID are compared between points of this n alone.
        machine: The machine of the times.
        points: The points that can be drawn: quality and time are known, each operating point once.
        sizes: How many operating points were measured at each n, largest n first.
        left_out: A sentence for each kind of point that is missing here.
    """

    measured: Measurements
    quality: Axis
    n: int
    machine: str
    points: tuple[Measured, ...]
    sizes: dict[int, int]
    left_out: tuple[str, ...] = ()

    @cached_property
    def families(self) -> tuple[str, ...]:
        """The families of the points, in order."""
        return tuple(dict.fromkeys(point.family for point in self.points))

    @cached_property
    def fresh(self) -> np.ndarray:
        """(P,) bool: points whose checkpoint is still the one measured."""
        return np.array([not point.stale for point in self.points], bool)

    @cached_property
    def equal(self) -> np.ndarray:
        """(P,) bool: points at the question's n that have a coverage; coverage is compared among these alone."""
        return np.array([p.n == self.n and p.score(DIVERSITY.key) is not None for p in self.points], bool)

    @cached_property
    def worths(self) -> np.ndarray:
        """(P,) what the points' qualities are worth."""
        return np.array([self.quality.worth(point.score(self.quality.key).mean) for point in self.points], float)

    @cached_property
    def ms(self) -> np.ndarray:
        """(P,) milliseconds per image."""
        return np.array([point.ms_per_image for point in self.points], float)

    @cached_property
    def scales(self) -> tuple[Scale, Scale, Scale]:
        """The triangle's corners: quality, diversity, speed."""
        quality = self.real(self.quality, self.n)
        rim = self.quality.facing(quality) if quality else abs(max(self.worths, default=1.0))
        rim = rim if rim > 0 else 1e-4  # unbiased KID may be negative, and so may the baseline's bound
        diversity = self.real(DIVERSITY, self.n)
        fast, slow = self.ms.min(initial=1.0, where=self.ms > 0), self.ms.max(initial=1e-3)
        low = math.floor(math.log10(fast))
        decades = max(MS_DECADES, math.ceil(math.log10(slow)) - low)
        return (
            Scale(self.quality, rim, rim * 10**KID_DECADES if self.quality.better == "lower" else 0.0),
            Scale(DIVERSITY, DIVERSITY.facing(diversity) if diversity else 1.0, 0.0),
            Scale(SPEED, 10.0**low, 10.0 ** (low + decades)),
        )

    @cached_property
    def places(self) -> np.ndarray:
        """(P, 3) places of the points in the triangle; NaN where a coverage may not be compared."""
        quality, diversity, speed = self.scales
        rows = [
            (
                quality.place(point.score(self.quality.key).mean),
                diversity.place(point.score(DIVERSITY.key).mean) if equal else math.nan,
                speed.place(point.ms_per_image),
            )
            for point, equal in zip(self.points, self.equal, strict=True)
        ]
        return np.array(rows, float).reshape(-1, 3)

    @cached_property
    def ties(self) -> tuple[np.ndarray, np.ndarray]:
        """Two (P, P) bool tables: which points tie in quality, and in coverage."""
        return self._ties(self.quality), self._ties(DIVERSITY)

    def _ties(self, axis: Axis) -> np.ndarray:
        scores = [point.score(axis.key) for point in self.points]
        table = np.eye(len(scores), dtype=bool)
        for i, one in enumerate(scores):
            for j in range(i):
                if one and scores[j] and (axis.across or self.points[i].n == self.points[j].n):
                    _, low, high = difference(axis, one, scores[j])
                    table[i, j] = table[j, i] = low <= 0 <= high
        return table

    @cached_property
    def front(self) -> list[int]:
        """The Pareto front of quality (mean) and time among points that are not stale, fastest first."""
        found: list[int] = []
        for i in sorted(np.flatnonzero(self.fresh), key=lambda i: (self.ms[i], -self.worths[i])):
            if not found or self.worths[i] > self.worths[found[-1]]:
                found.append(int(i))
        return found

    def real(self, axis: Axis, n: int) -> Score | None:
        """Return real data's own score at n; None when it was not measured."""
        return self.measured.real(axis.key, n)


# ---- asking


def ask(measured: Measurements, quality: str = "kid", n: int = 0, machine: str = "") -> Question:
    """Return a question; what is not known (an n or machine that nothing was measured at) falls back to the usual.

    The usual n is the one at which most families have been measured; of several, that at which most have their
    headline points; of several, that with most points.
    The usual machine is the one with most times.
    """
    axis = QUALITIES.get(quality, QUALITIES["kid"])
    machines = [machine_key(cost) for cost in measured.costs if not cost.get("stale")]
    if machine not in machines:
        machine = max(dict.fromkeys(machines), key=machines.count, default="")
    sizes = Counter(point.n for point in measured.points if not point.stale)

    def rank(size: int) -> tuple[int, int, int, int]:
        fresh = [point for point in measured.points if point.n == size and not point.stale]
        headlines = {point.family for point in fresh if point.kind == "headline"}
        return len({point.family for point in fresh}), len(headlines), sizes[size], size

    n = n if n in sizes else max(sizes, key=rank, default=max((point.n for point in measured.points), default=0))
    timed = [on_machine(measured, point, machine) for point in measured.points]
    shown = once([point for point in timed if axis.across or point.n == n], n)
    points = tuple(point for point in shown if point.score(axis.key) and point.ms_per_image)
    left_out = missing(axis, n, shown, timed)
    return Question(measured, axis, n, machine, points, dict(sorted(sizes.items(), reverse=True)), left_out)


def on_machine(measured: Measurements, point: Measured, machine: str) -> Measured:
    """Return a point with the cost measured on one machine, or with none."""
    return replace(point, cost=cost_of(measured.costs, point, machine))


def once(points: Sequence[Measured], n: int) -> list[Measured]:
    """Return every operating point once: as measured at n, else at the largest n; a stale row only without another."""
    best: dict[tuple[str, str], Measured] = {}
    for point in points:
        mine = (point.checkpoint, knobs_key(point.knobs))
        held = best.get(mine)
        if held is None or (not point.stale, point.n == n, point.n) > (not held.stale, held.n == n, held.n):
            best[mine] = point
    return list(best.values())


def missing(axis: Axis, n: int, shown: Sequence[Measured], everything: Sequence[Measured]) -> tuple[str, ...]:
    """Return what is missing from a question's points, a sentence for each reason."""
    sentences = []
    untimed = [point for point in shown if point.score(axis.key) and not point.ms_per_image]
    if untimed:
        names = "; ".join(name(point) for point in untimed[:3]) + (" and others" if len(untimed) > 3 else "")
        sentences.append(
            f"{counted(len(untimed))} not timed on this machine and left out ({names}): "
            f"python -m gencore evaluate {untimed[0].checkpoint} --rows cost"
        )
    unscored = [point for point in shown if not point.score(axis.key)]
    if unscored:
        why = unscored[0].why_not(axis.key) or f"Their rows have no {axis.name}."
        sentences.append(f"{counted(len(unscored))} left out for want of {axis.name}. {why}")
    stale = [point for point in shown if point.stale]
    if stale:
        sentences.append(f"{counted(len(stale))} stale, and never recommended. {stale[0].stale}")
    here, known = ({(p.checkpoint, knobs_key(p.knobs)) for p in points} for points in (shown, everything))
    others = known - here
    if others:
        sentences.append(
            f"{counted(len(others))} not shown: measured at another n than {n:,}, and {axis.name} depends on n."
        )
    return tuple(sentences)


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


# ---- ties


def difference(axis: Axis, one: Score, other: Score) -> tuple[float, float, float]:
    """Return how much more `one` is worth than `other`: the mean, and the ends of Welch's 95% interval.

    The ends are NaN when either has fewer than two generations: then nothing can be said of ties.
    """
    a, b = (np.array([axis.worth(value) for value in score.values], float) for score in (one, other))
    if min(len(a), len(b)) < 2:
        return axis.worth(one.mean) - axis.worth(other.mean), math.nan, math.nan
    gap = float(a.mean() - b.mean())
    va, vb = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    if va + vb == 0:
        return gap, gap, gap
    freedom = (va + vb) ** 2 / (va**2 / (len(a) - 1) + vb**2 / (len(b) - 1))
    half = student(freedom) * math.sqrt(va + vb)
    return gap, gap - half, gap + half


def student(freedom: float) -> float:
    """Return Student's two-sided 95% quantile for any number of degrees of freedom from 1 on."""
    return float(special.stdtrit(freedom, (1 + LEVEL) / 2))


# ---- answering


def weigh(question: Question, weights: np.ndarray) -> tuple[list[Answer], np.ndarray]:
    """Return the answers for weights of quality, diversity and speed.

    A point's score is the weighted mean of its places in the triangle. Points that tie with the leader in all that
    has a weight, and are not slower, are as good by these weights; of those the one best in the rest is taken.

    Args:
        question: The question.
        weights: (W, 3), none negative; a row of zeros has no answer.

    Returns:
        The distinct answers, and (W,) which of them each row of weights has.
    """
    weights = np.asarray(weights, float)
    counts = weights > 0
    places = np.nan_to_num(question.places)
    total = weights.sum(1, keepdims=True)
    utility = weights @ places.T / np.where(total > 0, total, 1)
    allowed = question.fresh & (question.equal | ~counts[:, 1:2]) & (total > 0)
    return decide(question, utility, allowed, counts[:, :2], counts[:, 1])


def within(question: Question, budgets: np.ndarray) -> tuple[list[Answer], np.ndarray]:
    """Return the answers for budgets: the best quality within a time that covers enough.

    Args:
        question: The question.
        budgets: (W, 2): milliseconds per image, and a minimum coverage; with 0 coverage plays no part.

    Returns:
        The distinct answers, and (W,) which of them each budget has.
    """
    budgets = np.asarray(budgets, float)
    quick = question.ms <= budgets[:, :1] * (1 + 1e-9)
    coverage = np.array([p.score(DIVERSITY.key).mean if e else -1.0
                         for p, e in zip(question.points, question.equal, strict=True)])  # fmt: skip
    wide = (coverage >= budgets[:, 1:] - 1e-9) | (budgets[:, 1:] <= 0)
    utility = np.broadcast_to(question.worths, quick.shape)
    counts = np.tile([True, False], (len(budgets), 1))
    fastest = best_of(-question.ms, question.fresh & wide)
    widest = best_of(coverage, question.fresh & quick & question.equal)
    return decide(question, utility, question.fresh & quick & wide, counts, budgets[:, 1] > 0, (fastest, widest))


def best_of(values: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Return (W,) the place of the largest value among the allowed, (W, P); -1 where none is allowed."""
    if not allowed.shape[1]:
        return np.full(len(allowed), -1)
    return np.where(allowed.any(1), np.argmax(np.where(allowed, values, -np.inf), 1), -1)


def decide(
    question: Question,
    utility: np.ndarray,
    allowed: np.ndarray,
    counts: np.ndarray,
    coverage: np.ndarray,
    nearest: tuple[np.ndarray, np.ndarray] | None = None,
) -> tuple[list[Answer], np.ndarray]:
    """Return the distinct answers, and (W,) which of them each row has.

    Args:
        question: The question.
        utility: (W, P) what is to be large.
        allowed: (W, P) bool: the candidates.
        counts: (W, 2) bool: whether quality and coverage must tie for two points to be as good as each other.
        coverage: (W,) bool: whether coverage is comparable between all candidates.
        nearest: For a budget: (W,) the fastest that covers enough, and the widest within the time.
    """

    def settled(allowed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        leader = best_of(utility, allowed)
        return settle_ties(question, leader, allowed, counts, coverage), leader

    best, leader = settled(allowed)
    family = np.array([question.families.index(point.family) for point in question.points], int)
    mine = family[best] if len(family) else best
    picks = [settled(allowed & (family == f))[0] for f in range(len(question.families))]
    bests = np.stack([np.where(mine == f, best, pick) for f, pick in enumerate(picks)], 1) if picks else best[:, None]
    elsewhere = allowed & (family != mine[:, None])
    alone = ~elsewhere.any(1, keepdims=True)
    elsewhere |= alone & allowed & (np.arange(len(family)) != best[:, None])
    runner, _ = settled(elsewhere)
    budget = nearest is not None
    fastest, widest = nearest if budget else (np.full_like(best, -1),) * 2
    # Where there is an answer, what would be nearest to one does not matter.
    fastest, widest = (np.where(best < 0, near, -1) for near in (fastest, widest))
    rows = np.column_stack([best, leader, runner, counts[:, 0], coverage, fastest, widest, bests])
    distinct, index = np.unique(rows, axis=0, return_inverse=True)

    def place(number: int) -> int | None:
        return None if number < 0 else int(number)

    answers = [
        Answer(place(b), place(ld), place(r), tuple(map(place, f)), bool(q), bool(c), budget, place(fast), place(wide))
        for b, ld, r, q, c, fast, wide, *f in distinct
    ]
    return answers, index.ravel()


def settle_ties(
    question: Question, leader: np.ndarray, allowed: np.ndarray, counts: np.ndarray, coverage: np.ndarray
) -> np.ndarray:
    """Return (W,) the point taken: of those that tie with the leader and are not slower, the best in the rest."""
    in_quality, in_coverage = question.ties
    if not len(question.points):
        return leader
    ms = question.ms
    as_good = allowed & (ms <= SAME_TIME * ms[leader][:, None])
    as_good &= in_quality[leader] | ~counts[:, :1]
    as_good &= in_coverage[leader] | ~counts[:, 1:]
    quality, diversity, _ = np.nan_to_num(question.places).T
    rest = -np.log10(ms) / MS_DECADES  # unlike its place in the triangle, not clamped
    rest = rest + np.where(counts[:, :1], 0, quality) + np.where((coverage & ~counts[:, 1])[:, None], diversity, 0)
    return best_of(rest, as_good & (leader >= 0)[:, None])


def winner_everywhere(question: Question, answers: Sequence[Answer]) -> str:
    """Return the family that every answer recommends; '' when there is none, or no other to win against."""
    won = {question.points[answer.best].family for answer in answers if answer.best is not None}
    return won.pop() if len(won) == 1 and len(question.families) > 1 else ""
