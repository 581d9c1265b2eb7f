"""A recommendation in sentences: reasons in numbers, ties, what the runner-up would cost. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from dashboard import format
from dashboard.results.axes import QUALITIES, Axis
from dashboard.results.equivalence import EQUAL, UNKNOWN
from dashboard.results.operating_points import Measured, Score
from dashboard.results.question import Question, name, named
from dashboard.results.recommendation import SAME_TIME, Answer

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
    parts = [
        f"{axis.name} {plus_minus(axis, score)}{beside_real(question, axis, point)}"
        for axis in (question.quality, question.diversity)
        if (score := question.score(point, axis))
    ]
    calls = f" in {point.calls:,} network call{'s' * (point.calls != 1)}" if point.calls else ""
    return f"{capital(', '.join(parts))}; {format.duration(point.ms_per_image)} per image{calls}."


def beside_real(question: Question, axis: Axis, point: Measured) -> str:
    """Return real data's own score at the point's n, in parentheses."""
    real = question.real(axis, point.n)
    return f" (real data {plus_minus(axis, real)})" if real else ""


def as_real(question: Question, point: Measured) -> str:
    """Return in what the point is as good as real data, by the intervals at its n; '' when that is not known."""
    good, bad = [], []
    for axis in (question.quality, question.diversity):
        score, real = question.score(point, axis), question.real(axis, point.n)
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
    """Return how a point's score compares with another's: equal, better or worse, or not known, each with its why."""
    one = question.score(point, axis)
    if not one or not question.score(other, axis):
        return f"its {axis.name} was not measured"
    found = question.compare(axis, point, other)
    if found is None:
        return f"its {axis.name} was measured at n = {point.n:,}, so it cannot be compared"
    shown = f"{axis.name} {plus_minus(axis, one)}" + (f" at n = {point.n:,}" if point.n != other.n else "")
    if math.isnan(found.low):
        return f"{shown}, too few generations to call a difference"
    between = f"95% interval of the difference {span(axis, found.low, found.high)}"
    if found.verdict == EQUAL:
        return f"{shown} is equal ({between}, within {margin(axis, found.margin).strip()})"
    if found.verdict == UNKNOWN:
        return f"{shown} is not known to differ, nor to be equal ({between})"
    size, (near, far) = abs(found.gap), sorted((abs(found.low), abs(found.high)))
    amount = f"{100 * size:.1f} points" if axis.percent else number(axis, size, (far - near) / 2)
    return f"{shown} is {amount} {'better' if found.gap > 0 else 'worse'} ({span(axis, near, far)})"


def runner_up(question: Question, answer: Answer) -> str:
    """Return what the runner-up would cost, beside the recommended point."""
    best, runner = question.points[answer.best], question.points[answer.runner]
    parts = [times(runner.ms_per_image / best.ms_per_image)]
    parts += [against(question, runner, best, axis) for axis in (question.quality, question.diversity)]
    return capital("; ".join(parts)) + "."


def tie_broken(question: Question, answer: Answer) -> str:
    """Return why the point that scores highest is not the one recommended; '' when it is.

    Only what counts is cited: what has no weight did not decide, and in a budget diversity is a limit, not a score.
    """
    if answer.leader in (None, answer.best):
        return ""
    leader, best = question.points[answer.leader], question.points[answer.best]
    ratio = leader.ms_per_image / best.ms_per_image
    slower = f"takes {format.round_to(ratio)} times as long" if ratio > SAME_TIME else "is no faster"
    axes = [question.quality] * answer.quality + [question.diversity] * (answer.diversity and not answer.budget)
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
    if not question.ranked[0][top]:
        return f"Why not {name(point)}? {capital(axis.name)} has too few generations there to rank it."
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
    if answer.unranked:
        return not_yet_known(question, answer)
    if not answer.budget:
        return "Give at least one of the three a weight above 0."
    axis = question.diversity
    words = "No point that was measured is as fast as that and as diverse."
    if answer.fastest is not None:
        point = question.points[answer.fastest]
        words += f" The fastest that is as diverse: {name(point)}, {format.duration(point.ms_per_image)} per image."
    if answer.widest is not None:
        point = question.points[answer.widest]
        words += f" The most diverse within that time: {name(point)}, {axis.name} "
        words += f"{plus_minus(axis, question.score(point, axis))}."
    if answer.fastest is None and answer.widest is None:
        quickest = question.points[int(question.ms.argmin())]
        words += f" The fastest of all takes {format.duration(quickest.ms_per_image)} ({name(quickest)})."
    return words


def not_yet_known(question: Question, answer: Answer) -> str:
    """Return that no point was measured precisely enough to be recommended, what leads by means, and what to run."""
    point = question.points[answer.leader]
    axes = [question.quality] * answer.quality + [question.diversity] * answer.diversity
    scores = " and ".join(f"{axis.name} {plus_minus(axis, question.score(point, axis))}" for axis in axes)
    return (
        f"Not known yet: the points that fit have too few generations to be ranked by "
        f"{' and '.join(axis.name for axis in axes)}. By means alone {name(point)} leads, {scores}. "
        f"Measure more generations: {more_generations(point)}"
    )


def more_generations(point: Measured) -> str:
    """Return the command that measures a point with more generations."""
    generations = max(5, 2 * point.generations)
    return point.command("--n", point.n, "--generations", generations)


def unranked(question: Question) -> str:
    """Return which points have too few generations to be ranked, by quality or by diversity; '' for none."""
    parts, found = [], []
    for axis, places in zip((question.quality, question.diversity), question.rough, strict=True):
        if rough := [question.points[i] for i in np.flatnonzero(places)]:
            parts.append(f"by {axis.name}: {named(rough)}")
            found += [point for point in rough if point not in found]
    if not found:
        return ""
    points = "1 point has" if len(found) == 1 else f"{len(found)} points have"
    return (
        f"{points} too few generations to be ranked, drawn faintly and never recommended ({'; '.join(parts)}). "
        f"More: {more_generations(found[0])}"
    )


def everywhere(question: Question, family: str, where: str = "weight") -> str:
    """Return that a family wins at every weight (or budget), and what the features do not see."""
    mine = [point for point in question.points if point.family == family]
    words = f"The {mine[0].title} wins at every {where} here, by these measures."
    words += f" {sentence}" if question.featured and (sentence := seen(question, question.extractor)) else ""
    scores = (question.score(point, QUALITIES["sharpness"]) for point in mine if point.kind == "headline")
    if score := next(filter(None, scores), None):
        words += (
            f" Its sharpness is {plus_minus(QUALITIES['sharpness'], score)}; 1 is as real, less is blur, more is noise."
        )
    return words


def seen(question: Question, extractor: str) -> str:
    """Return what an extractor's features see and forgive, as a sentence; '' where nobody has said."""
    words = question.measured.sees.get(extractor)
    return f"{capital(extractor)} features {words}." if words else ""


def candidates(question: Question, answer: Answer) -> str:
    """Return which points were candidates, and why those."""
    axes = [question.diversity] * answer.diversity + [question.quality]
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
