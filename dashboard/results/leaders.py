"""Which family is best for what, of one point each: by quality, by diversity, by time. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.results.axes import Axis
from dashboard.results.equivalence import APART, UNKNOWN
from dashboard.results.question import Question
from dashboard.results.recommendation import SAME_TIME


@dataclass(frozen=True)
class Lead:
    """Who leads in one direction.

    Attributes:
        families: Those that none of the others is known to be better than, in order; several where they are equal.
        known: Whether they are known to be equal to one another; else any of them may be the best.
    """

    families: tuple[str, ...]
    known: bool = True


def leads(question: Question, points: Sequence[int]) -> tuple[Lead, Lead, Lead]:
    """Return who leads in quality, diversity and time, of points given by their places in the question."""
    quality, diversity = (lead(question, points, axis) for axis in (question.quality, question.diversity))
    return quality, diversity, quickest(question, points)


def lead(question: Question, points: Sequence[int], axis: Axis) -> Lead:
    """Return who leads in a score, of those points that have it and may be compared by it."""
    compared = points if axis.across else [i for i in points if question.points[i].n == question.n]
    there = [question.points[i] for i in compared if question.score(question.points[i], axis)]
    found = {(a.family, b.family): question.compare(axis, a, b) for a in there for b in there if a is not b}
    beaten = {b for (_, b), pair in found.items() if pair and pair.verdict == APART and pair.gap > 0}
    families = tuple(point.family for point in there if point.family not in beaten)
    unsure = any(
        pair is None or pair.verdict == UNKNOWN for (a, b), pair in found.items() if a in families and b in families
    )
    return Lead(families, not unsure)


def quickest(question: Question, points: Sequence[int]) -> Lead:
    """Return who is fastest; times within a twentieth of the least are one time."""
    least = min((question.ms[i] for i in points), default=0.0)
    return Lead(tuple(question.points[i].family for i in points if question.ms[i] <= SAME_TIME * least))
