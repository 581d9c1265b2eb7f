"""Which model should we use? The answer to a question, for weights or for a budget. Pure.

Where it depends on diversity (or on a quality other than KID), the candidates are the points measured at the question's
n and no others; where it depends on KID and time alone, all of them are. A point that was measured too roughly to have
a place among the others (`equivalence.ranked`) is never recommended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dashboard.results.axes import MS_DECADES
from dashboard.results.question import Question

SAME_TIME = 1.05  # two medians of a timing within 5% are one time


@dataclass(frozen=True)
class Answer:
    """The answer to a question for some weights, or for a budget. Numbers are places in `Question.points`.

    Attributes:
        best: The recommended point; None when there is none.
        leader: The point with the highest mean score among those that are ranked; another than `best` when `best` is
            as good. Without a `best`: the one of all that would be, were they ranked; None when nothing fits.
        runner: The best point of another family (of the same where there is only one); None when there is none.
        families: Each family's best point in the order of `Question.families`, by means alone where none of its
            points is ranked; None for one that has none.
        quality: Whether quality counted.
        diversity: Whether diversity counted, so that only points at the question's n were candidates.
        budget: Whether a time and a least diversity were asked for, not weights.
        fastest: Without a `best`: the fastest point that is diverse enough; None when none is.
        widest: Without a `best`: the most diverse point within the time; None when there is none.
    """

    best: int | None = None
    leader: int | None = None
    runner: int | None = None
    families: tuple[int | None, ...] = ()
    quality: bool = True
    diversity: bool = True
    budget: bool = False
    fastest: int | None = None
    widest: int | None = None

    @property
    def unranked(self) -> bool:
        """Whether points fit, and none of them was measured precisely enough to be recommended."""
        return self.best is None and self.leader is not None


def weigh(question: Question, weights: np.ndarray) -> tuple[list[Answer], np.ndarray]:
    """Return the answers for weights of quality, diversity and speed.

    A point's score is the weighted mean of its places in the triangle. Points that are equal to the leader in all that
    has a weight, and are not slower, are as good by these weights; of those the one best in the rest is taken.

    Args:
        question: The question.
        weights: (W, 3), none negative; a row of zeros has no answer.

    Returns:
        The distinct answers, and (W,) which of them each row of weights has.
    """
    return decide(question, weighed(question, weights))


def weighed(question: Question, weights: np.ndarray) -> Case:
    """Return what is to be decided for weights (W, 3)."""
    weights = np.asarray(weights, float)
    counts = weights > 0
    places = np.nan_to_num(question.places)
    total = weights.sum(1, keepdims=True)
    utility = weights @ places.T / np.where(total > 0, total, 1)
    allowed = question.fresh & (question.equal | ~counts[:, 1:2]) & (total > 0)
    return Case(utility, allowed, allowed & ranked(question, counts[:, :2]), counts[:, :2], counts[:, 1])


def within(question: Question, budgets: np.ndarray) -> tuple[list[Answer], np.ndarray]:
    """Return the answers for budgets: the best quality within a time that is diverse enough.

    Args:
        question: The question.
        budgets: (W, 2): milliseconds per image, and the least diversity as `Axis.share`; with 0 it plays no part.

    Returns:
        The distinct answers, and (W,) which of them each budget has.
    """
    return decide(question, kept_within(question, budgets))


def kept_within(question: Question, budgets: np.ndarray) -> Case:
    """Return what is to be decided for budgets (W, 2)."""
    budgets = np.asarray(budgets, float)
    asked = budgets[:, 1] > 0
    quick = question.ms <= budgets[:, :1] * (1 + 1e-9)
    axis = question.diversity
    shares = np.array([axis.share(question.score(point, axis).mean) if equal else -1.0
                       for point, equal in zip(question.points, question.equal, strict=True)])  # fmt: skip
    wide = (shares >= budgets[:, 1:] - 1e-9) | ~asked[:, None]
    allowed = question.fresh & quick & wide
    sure = allowed & ranked(question, np.column_stack([np.ones_like(asked), asked]))
    counts = np.tile([True, False], (len(budgets), 1))
    fastest = best_of(-question.ms, question.fresh & wide)
    widest = best_of(shares, question.fresh & quick & question.equal)
    utility = np.broadcast_to(question.worths, quick.shape)
    return Case(utility, allowed, sure, counts, asked, (fastest, widest))


def ranked(question: Question, counts: np.ndarray) -> np.ndarray:
    """Return (W, P) bool: points whose place is known in all that counts: quality and diversity, (W, 2) bool."""
    quality, diversity = question.ranked
    return (quality | ~counts[:, :1]) & (diversity | ~counts[:, 1:])


def best_of(values: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Return (W,) the place of the largest value among the allowed, (W, P); -1 where none is allowed."""
    if not allowed.shape[1]:
        return np.full(len(allowed), -1)
    return np.where(allowed.any(1), np.argmax(np.where(allowed, values, -np.inf), 1), -1)


@dataclass(frozen=True)
class Case:
    """What is to be decided, for W weights or budgets and P points.

    Attributes:
        utility: (W, P) what is to be large.
        allowed: (W, P) bool: the points that fit.
        sure: (W, P) bool: those of them that are ranked, and may be recommended.
        counts: (W, 2) bool: whether two points must be equal in quality and in diversity to be as good as each other.
        diversity: (W,) bool: whether diversity is comparable between all that fit.
        nearest: For a budget: (W,) the fastest that is diverse enough, and the most diverse within the time.
    """

    utility: np.ndarray
    allowed: np.ndarray
    sure: np.ndarray
    counts: np.ndarray
    diversity: np.ndarray
    nearest: tuple[np.ndarray, np.ndarray] | None = None

    def settle(self, question: Question, allowed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (W,) the point taken of those allowed, and the leader: of those as good as it, the best in the rest.

        As good is what is equal to the leader in all that counts, and not slower.
        """
        leader = best_of(self.utility, allowed)
        if not len(question.points):
            return leader, leader
        in_quality, in_diversity = question.equals
        ms = question.ms
        as_good = allowed & (ms <= SAME_TIME * ms[leader][:, None])
        as_good &= in_quality[leader] | ~self.counts[:, :1]
        as_good &= in_diversity[leader] | ~self.counts[:, 1:]
        quality, diversity, _ = np.nan_to_num(question.places).T
        rest = -np.log10(ms) / MS_DECADES  # unlike its place in the triangle, not clamped
        rest = rest + np.where(self.counts[:, :1], 0, quality)
        rest = rest + np.where((self.diversity & ~self.counts[:, 1])[:, None], diversity, 0)
        return best_of(rest, as_good & (leader >= 0)[:, None]), leader


def decide(question: Question, case: Case) -> tuple[list[Answer], np.ndarray]:
    """Return the distinct answers, and (W,) which of them each row has."""
    best, leader = case.settle(question, case.sure)
    leader = np.where(best < 0, best_of(case.utility, case.allowed), leader)
    family = np.array([question.families.index(point.family) for point in question.points], int)
    mine = family[best] if len(family) else best
    mine = np.where(best < 0, -1, mine)
    picks = [family_best(question, case, family == f) for f in range(len(question.families))]
    bests = np.stack([np.where(mine == f, best, pick) for f, pick in enumerate(picks)], 1) if picks else best[:, None]
    elsewhere = case.sure & (family != mine[:, None])
    alone = ~elsewhere.any(1, keepdims=True)
    elsewhere |= alone & case.sure & (np.arange(len(family)) != best[:, None])
    runner, _ = case.settle(question, elsewhere)
    fastest, widest = case.nearest or (np.full_like(best, -1),) * 2
    # Where there is an answer, what would be nearest to one does not matter.
    fastest, widest = (np.where(leader < 0, near, -1) for near in (fastest, widest))
    rows = np.column_stack([best, leader, runner, case.counts[:, 0], case.diversity, fastest, widest, bests])
    distinct, index = np.unique(rows, axis=0, return_inverse=True)
    return [answer_of(row, case.nearest is not None) for row in distinct], index.ravel()


def family_best(question: Question, case: Case, mine: np.ndarray) -> np.ndarray:
    """Return (W,) the best point of one family, `mine` (P,) bool: by means alone where none of its points is ranked."""
    sure = case.sure & mine
    return case.settle(question, np.where(sure.any(1, keepdims=True), sure, case.allowed & mine))[0]


def answer_of(row: np.ndarray, budget: bool) -> Answer:
    """Return a row of places and flags as an answer."""

    def place(number: int) -> int | None:
        return None if number < 0 else int(number)

    best, leader, runner, quality, diversity, fastest, widest, *families = row
    return Answer(
        place(best), place(leader), place(runner), tuple(map(place, families)), bool(quality), bool(diversity), budget,
        place(fastest), place(widest),
    )  # fmt: skip


def winner_everywhere(question: Question, answers: Sequence[Answer]) -> str:
    """Return the family that every answer recommends; '' when there is none, or no other to win against.

    Where points fit and none of them is ranked, none wins.
    """
    if any(answer.unranked for answer in answers):
        return ""
    won = {question.points[answer.best].family for answer in answers if answer.best is not None}
    return won.pop() if len(won) == 1 and len(question.families) > 1 else ""
