"""How an answer fares in other features: which family each recommends, and why they disagree. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from dashboard import format
from dashboard.results.axes import QUALITIES
from dashboard.results.explanations import capital
from dashboard.results.operating_points import Measured
from dashboard.results.question import Question, ask
from dashboard.results.recommendation import Case

NONE, UNRANKED = -1, -2  # beside the places of families: nothing fits; points fit, and none of them is ranked


def elsewhere(question: Question) -> dict[str, Question]:
    """Return the same question in every extractor that points have scores in, by name, the question's own first.

    Each is of the question's own points, those of them that have its scores: other points have no part in the answer.
    """
    measured = question.measured
    names = dict.fromkeys((question.extractor, *measured.compared))
    asked = question.quality.key, question.n, question.machine, question.diversity.key
    own = {point.key for point in question.points}
    found = {name: ask(measured, *asked, name) for name in names if name != question.extractor}
    return {question.extractor: question} | {
        name: replace(one, points=tuple(point for point in one.points if point.key in own))
        for name, one in found.items()
    }


def winners(questions: Mapping[str, Question], question: Question, case: Case) -> np.ndarray:
    """Return (W,) the places of the families that win among those of all questions, or NONE or UNRANKED."""
    known = families(questions)
    family = np.array([known.index(point.family) for point in question.points] + [NONE], int)  # at -1: no point
    best, _ = case.settle(question, case.sure)
    return np.where((best < 0) & case.allowed.any(1), UNRANKED, family[best])


def families(questions: Mapping[str, Question]) -> list[str]:
    """Return the families of all questions, in order."""
    return list(dict.fromkeys(family for question in questions.values() for family in question.families))


@dataclass(frozen=True)
class Eye:
    """Whom one pair of eyes recommends.

    Attributes:
        name: The extractor's name, or 'sharpness'.
        family: The family that wins, '' where none does.
        words: The family's name for people, or why there is none.
    """

    name: str
    family: str
    words: str


@dataclass(frozen=True)
class Opinion:
    """How an answer fares: by each pair of eyes, and in a sentence on the features; nothing where they have no part."""

    eyes: tuple[Eye, ...]
    words: str


def sharp(question: Question) -> dict[str, Question]:
    """Return the same question with sharpness for quality, by the name 'sharpness'; {} where that has no part.

    Sharpness needs no features, and is compared at the question's n alone: what it says is of those points.
    """
    axis = QUALITIES["sharpness"]
    own = {point.key for point in question.points}
    found = ask(question.measured, axis.key, question.n, question.machine, question.diversity.key, question.extractor)
    found = replace(found, points=tuple(point for point in found.points if point.key in own))
    return {axis.name: found} if question.quality.featured and len(found.families) > 1 else {}


def told(
    questions: Mapping[str, Question], cases: Callable[[Question], Case], more: Mapping[str, Question] | None = None
) -> tuple[list[Opinion], np.ndarray]:
    """Return the distinct opinions on an answer, and (W,) which of them each row has.

    Only those are heard that have scores of all the question's points: where one has not seen a point, that is why it
    recommends another, whatever its features see.

    Args:
        questions: The question in each extractor's features, its own first.
        cases: Returns what is to be decided of a question, as `weighed` and `kept_within` do.
        more: Other eyes than features, as `sharp` returns them.
    """
    question = next(iter(questions.values()))
    heard = {name: one for name, one in questions.items() if not absent(question, one)}
    every = {**heard, **(more or {})}
    won = np.stack([winners(heard, one, cases(one)) for one in every.values()], 1)
    distinct, index = np.unique(won, axis=0, return_inverse=True)
    rows = [dict(zip(every, map(int, row), strict=True)) for row in distinct]
    found = [Opinion(eyes(heard, row), sentence(heard, {name: row[name] for name in heard})) for row in rows]
    return found, index.ravel()


def sentences(questions: Mapping[str, Question], cases: Callable[[Question], Case]) -> tuple[list[str], np.ndarray]:
    """Return the distinct sentences on how the extractors agree, and (W,) which of them each row has; see `told`."""
    found, index = told(questions, cases)
    return [one.words for one in found], index


def eyes(questions: Mapping[str, Question], won: Mapping[str, int]) -> tuple[Eye, ...]:
    """Return whom each pair of eyes recommends; () where there is nothing to disagree on.

    Args:
        questions: The question in each extractor's features, its own first.
        won: By the name of each pair of eyes, what `winners` says.
    """
    known, question = families(questions), next(iter(questions.values()))
    if len(won) < 2 or len(known) < 2 or max(won.values()) < 0 or not question.featured:
        return ()
    names = titles(questions)
    words = {NONE: "none that fits", UNRANKED: "not known yet"}
    return tuple(
        Eye(name, known[place], names[known[place]]) if place >= 0 else Eye(name, "", words[place])
        for name, place in won.items()
    )


def titles(questions: Mapping[str, Question]) -> dict[str, str]:
    """Return the families' names for people."""
    return {point.family: point.title for one in questions.values() for point in one.points}


def sentence(questions: Mapping[str, Question], won: Mapping[str, int]) -> str:
    """Return which family wins by which features, and why they disagree; '' where there is nothing to disagree on.

    Args:
        questions: The question in each extractor's features, its own first.
        won: By extractor, what `winners` says.
    """
    known = families(questions)
    question = next(iter(questions.values()))
    if len(won) < 2 or len(known) < 2 or not question.featured:
        return ""
    names = titles(questions)
    told = {place: f"the {names[family]}" for place, family in enumerate(known)}
    told |= {NONE: "none that fits", UNRANKED: "not known yet"}
    groups = format.grouped((place, name) for name, place in won.items())
    if len(groups) == 1:
        place = next(iter(groups))
        return "" if place < 0 else f"All features agree on {told[place]}: {format.listing(list(won))}."
    parts = [f"by {format.listing(mine)}{' features' * (not i)} {told[place]}" for i, (place, mine) in
             enumerate(groups.items())]  # fmt: skip
    words = capital(", ".join(parts))
    return f"{words}: they disagree because {why}." if (why := reasons(question, won)) else f"{words}."


def reasons(question: Question, won: Mapping[str, int]) -> str:
    """Return what those extractors that recommend different families see; '' where that is not said of two of them."""
    recommending = [name for name, place in won.items() if place >= 0]
    if len({won[name] for name in recommending}) < 2:
        return ""
    told = [f"{name} features {words}" for name in recommending if (words := question.measured.sees.get(name))]
    return "; ".join(told) if len(told) > 1 else ""


def absent(question: Question, other: Question) -> list[Measured]:
    """Return the points of a question, but for stale ones, that lack the quality or the diversity in other features."""
    whole = {point.key: equal for point, equal in zip(other.points, other.equal, strict=True)}
    return [
        point
        for point, equal, fresh in zip(question.points, question.equal, question.fresh, strict=True)
        if fresh and (point.key not in whole or (equal and not whole[point.key]))
    ]


def lacking(questions: Mapping[str, Question]) -> list[str]:
    """Return a sentence for each extractor that some of the question's points lack scores in."""
    question = next(iter(questions.values()))
    asked = " or ".join(axis.name for axis in (question.quality, question.diversity) if axis.featured)
    return [
        f"{len(short)} of {len(question.points)} points have no {asked} in {name} features, which are not asked "
        f"therefore: {short[0].command()}"
        for name, one in questions.items()
        if (short := absent(question, one))
    ]
