"""A recommendation in sentences: reasons in numbers, ties, what the runner-up would cost. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from dashboard import format
from dashboard.results.operating_points import Measured, Score
from dashboard.results.recommendation import DIVERSITY, QUALITIES, SAME_TIME, Answer, Axis, Question, difference, name

BLIND = (
    "These features come from a small classifier: they see what tells one class from another, forgive blur, and "
    "are blind to what no class depends on, such as the texture of a stroke or the background."
)
UNEQUAL = 1.1  # training figures within a tenth of each other are called alike


# ---- numbers


def plus_minus(axis: Axis, score: Score) -> str:
    """Return a score with half its interval, rounded to what the interval leaves certain: '0.021 ± 0.004'."""
    return f"{number(axis, score.mean, score.half)}{margin(axis, score.half)}"


def number(axis: Axis, value: float, half: float = math.nan) -> str:
    """Return a raw value for people, with the digits that half an interval of `half` leaves certain."""
    if axis.percent:
        return f"{format.signed(100 * value, 1)}%"
    return format.signed(value, format.digits(value, half))


def margin(axis: Axis, half: float) -> str:
    """Return ' ± 0.004', '' when there is no interval."""
    if not math.isfinite(half) or half <= 0:
        return ""
    return f" ± {100 * half:.1f}" if axis.percent else f" ± {half:.{format.digits(half, half)}f}"


def span(axis: Axis, low: float, high: float) -> str:
    """Return an interval of a difference: '0.002 to 0.016'."""
    if axis.percent:
        return f"{format.signed(100 * low, 1)} to {format.signed(100 * high, 1)}"
    decimals = format.digits(high, (high - low) / 2)
    return f"{format.signed(low, decimals)} to {format.signed(high, decimals)}"


def times(ratio: float) -> str:
    """Return how a time compares with another: '240 times faster' for a ratio of 1/240."""
    if 1 / SAME_TIME <= ratio <= SAME_TIME:
        return "as fast"
    return f"{format.round_to(1 / ratio)} times faster" if ratio < 1 else f"{format.round_to(ratio)} times slower"


# ---- one point


def reasons(question: Question, answer: Answer) -> str:
    """Return the recommended point's scores, each beside real data's, and what it costs."""
    point = question.points[answer.best]
    quality = point.score(question.quality.key)
    words = f"{capital(question.quality.name)} {plus_minus(question.quality, quality)}"
    words += beside_real(question, question.quality, point)
    if coverage := point.score(DIVERSITY.key):
        words += f", covers {plus_minus(DIVERSITY, coverage)} of the test images"
        words += beside_real(question, DIVERSITY, point)
    calls = f" in {point.calls:,} network call{'s' * (point.calls != 1)}" if point.calls else ""
    return f"{words}; {format.duration(point.ms_per_image)} per image{calls}."


def beside_real(question: Question, axis: Axis, point: Measured) -> str:
    """Return real data's own score at the point's n, in parentheses."""
    real = question.real(axis, point.n)
    return f" (real data {plus_minus(axis, real)})" if real else ""


def as_real(question: Question, point: Measured) -> str:
    """Return in what the point is as good as real data, by the intervals at its n; '' when that is not known."""
    good, bad = [], []
    for axis in (question.quality, DIVERSITY):
        score, real = point.score(axis.key), question.real(axis, point.n)
        if score and real:
            (good if axis.reaches(score, real) else bad).append(axis.name)
    if not good and not bad:
        return ""
    if not good:
        return f"Not as good as real data in {' or '.join(bad)}."
    rest = f", not in {bad[0]}" if bad else ""
    return f"As good as real data in {' and '.join(good)} (the intervals meet){rest}."


# ---- two points


def against(question: Question, point: Measured, other: Measured, axis: Axis) -> str:
    """Return how a point's score compares with another's, with Welch's interval; a tie is said to be one."""
    one, two = point.score(axis.key), other.score(axis.key)
    if not one or not two:
        return f"its {axis.name} was not measured"
    if point.n != other.n and not axis.across:
        return f"its {axis.name} was measured at n = {point.n:,}, so it cannot be compared"
    gap, low, high = difference(axis, one, two)
    shown = f"{axis.name} {plus_minus(axis, one)}" + (f" at n = {point.n:,}" if point.n != other.n else "")
    if math.isnan(low):
        return f"{shown}, too few generations to call a difference"
    if low <= 0 <= high:
        return f"{shown} is a tie (95% interval of the difference {span(axis, low, high)})"
    size, (near, far) = abs(gap), sorted((abs(low), abs(high)))
    if axis is DIVERSITY:
        return f"covers {100 * size:.1f} points {'more' if gap > 0 else 'less'} ({span(axis, near, far)})"
    amount = f"{100 * size:.1f} points" if axis.percent else number(axis, size, (far - near) / 2)
    return f"{shown} is {amount} {'better' if gap > 0 else 'worse'} ({span(axis, near, far)})"


def runner_up(question: Question, answer: Answer) -> str:
    """Return what the runner-up would cost, beside the recommended point."""
    best, runner = question.points[answer.best], question.points[answer.runner]
    parts = [times(runner.ms_per_image / best.ms_per_image)]
    parts += [against(question, runner, best, axis) for axis in (question.quality, DIVERSITY)]
    return capital("; ".join(parts)) + "."


def tie_broken(question: Question, answer: Answer) -> str:
    """Return why the point that scores highest is not the one recommended; '' when it is.

    Only what counts is cited: what has no weight did not decide, and in a budget coverage is a limit, not a score.
    """
    if answer.leader in (None, answer.best):
        return ""
    leader, best = question.points[answer.leader], question.points[answer.best]
    ratio = leader.ms_per_image / best.ms_per_image
    slower = f"takes {format.round_to(ratio)} times as long" if ratio > SAME_TIME else "is no faster"
    axes = [question.quality] * answer.quality + [DIVERSITY] * (answer.coverage and not answer.budget)
    parts = " and ".join(against(question, leader, best, axis) for axis in axes)
    higher = "has the better mean" if answer.budget else "scores higher by these weights"
    return f"{name(leader)} {higher}, but {f'{parts}, and ' if parts else ''}it {slower}."


def why_not_closest(question: Question, answer: Answer) -> str:
    """Return what the point of best quality of all, at any n, would give and cost; '' when it is named already."""
    axis, worths, best = question.quality, question.worths, question.points[answer.best]
    top = max(np.flatnonzero(question.fresh), key=worths.__getitem__)
    if top in (answer.best, answer.leader, answer.runner) or not axis.across or worths[top] <= worths[answer.best]:
        return ""
    point = question.points[top]
    slower = times(point.ms_per_image / best.ms_per_image)
    return f"Why not {name(point)}? {capital(against(question, point, best, axis))}, and it is {slower}."


def trained(question: Question, answer: Answer) -> str:
    """Return how the recommended point's model was trained, and how unequally to the runner-up's if that is another."""
    points = [question.points[i] for i in (answer.best, answer.runner) if i is not None]
    models = {point.checkpoint: point for point in points}
    records = [(point.title, point.quality.get("training") or {}) for point in models.values()]
    facts = [training_facts(record) for _, record in records]
    if not facts or not all(facts):
        return ""
    if len(models) < 2:
        return f"The {records[0][0]} was trained on {facts[0]}."
    (one, first), (two, second) = records
    words = "Trained unequally" if unequal(first, second) else "Trained about equally"
    return f"{words}: the {one} on {facts[0]}, the {two} on {facts[1]}."


def training_facts(record: Mapping[str, Any]) -> str:
    """Return how a model was trained: images seen, time, device, parameters."""
    parts = [f"{format.count(record['images'])} images"] if record.get("images") else []
    if record.get("seconds"):
        device = f" ({str(record['device']).upper()})" if record.get("device") else ""
        parts.append(f"in {format.minutes(record['seconds'])}{device}")
    if record.get("parameters"):
        parts.append(f"with {format.count(record['parameters'])} parameters")
    return " ".join(parts)


def unequal(one: Mapping[str, Any], two: Mapping[str, Any]) -> bool:
    """Return whether two models' training differs in what a result may depend on."""
    if one.get("device") != two.get("device"):
        return True
    pairs = [(one.get(key) or 0, two.get(key) or 0) for key in ("images", "seconds", "parameters")]
    return any(max(pair) > UNEQUAL * min(pair) for pair in pairs)


# ---- no point, and all points


def nothing(question: Question, answer: Answer) -> str:
    """Return why there is no recommendation, and what would be nearest to one."""
    if not question.fresh.any():
        return "Every point that could be compared is stale: its checkpoint has changed since it was measured."
    if not answer.budget:
        return "Give at least one of the three a weight above 0."
    words = "No point that was measured is as fast as that and covers as much."
    if answer.fastest is not None:
        point = question.points[answer.fastest]
        words += f" The fastest that covers as much: {name(point)}, {format.duration(point.ms_per_image)} per image."
    if answer.widest is not None:
        point = question.points[answer.widest]
        covers = plus_minus(DIVERSITY, point.score(DIVERSITY.key))
        words += f" Within that time the widest: {name(point)}, which covers {covers}."
    if answer.fastest is None and answer.widest is None:
        quickest = question.points[int(question.ms.argmin())]
        words += f" The fastest of all takes {format.duration(quickest.ms_per_image)} ({name(quickest)})."
    return words


def everywhere(question: Question, family: str, where: str = "weight") -> str:
    """Return that a family wins at every weight (or budget), and what the features do not see."""
    mine = [point for point in question.points if point.family == family]
    words = f"The {mine[0].title} wins at every {where} here, by these measures. {BLIND}"
    score = next((score for point in mine if point.kind == "headline" and (score := point.score("sharpness"))), None)
    if score:
        words += (
            f" Its sharpness is {plus_minus(QUALITIES['sharpness'], score)}; 1 is as real, less is blur, more is noise."
        )
    return words + second_opinion(question)


def second_opinion(question: Question) -> str:
    """Return which family is closest in the pixel features among points of the question's n; '' when not known."""
    known = [point for point in question.points if point.n == question.n and point.score("kid", "pixels")]
    if not known:
        return ""
    closest = min(known, key=lambda point: point.score("kid", "pixels").mean)
    kid = plus_minus(QUALITIES["kid"], closest.score("kid", "pixels"))
    return f" In pixel features the closest is {name(closest)}: KID {kid}."


def candidates(question: Question, answer: Answer) -> str:
    """Return which points were candidates, and why those."""
    axes = [DIVERSITY] * answer.coverage + [question.quality]
    tied = [axis.name for axis in axes if not axis.across]
    if not tied:
        return f"Chosen among all {int(question.fresh.sum())} points: nothing that depends on n was asked for."
    number = int((question.fresh & question.equal).sum())
    return (
        f"Chosen among the {number} points measured at n = {question.n:,}: {' and '.join(tied)} may only be compared "
        "at equal n."
    )


def capital(words: str) -> str:
    """Return words with a capital first letter."""
    return words[:1].upper() + words[1:]
