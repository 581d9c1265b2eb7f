"""Quality against diversity, for samples whose time is unknown and what they stand beside, as inline SVG. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from dashboard import format
from dashboard.figures import svg
from dashboard.figures.plot import Axis, Box, Frame, Label, Room, Scale
from dashboard.figures.scatter import mark, spot
from dashboard.results import axes
from dashboard.results.explanations import capital, plus_minus
from dashboard.results.operating_points import Measured, Score
from dashboard.results.question import Question, name

MARK = 12
WIDE, HEIGHT = 760, 300
HOW = {"lower": "lower is closer to real", "higher": "higher is better", "one": "1 is as real"}
Pair = tuple[Score, Score]  # diversity across, quality up


def card(question: Question) -> str:
    """Return the card's content; '' where no samples lack a time, or none of these has both scores."""
    untimed = pairs(question, question.untimed)
    if not untimed:
        return ""
    beside = pairs(question, [point for point, equal in zip(question.points, question.equal, strict=True) if equal])
    title = f"Samples without a time: {question.quality.name} against {question.diversity.name}"
    told = answer([point for point, _ in untimed])
    drawing = svg.figure(lambda width: draw(question, untimed, beside, width), f"{title}. {told}", WIDE)
    return svg.card(title, told, drawing, reading(question, untimed))


def pairs(question: Question, points: Iterable[Measured]) -> list[tuple[Measured, Pair]]:
    """Return the points that have both scores, with these."""
    scored = [(point, question.score(point, question.diversity), question.score(point, question.quality))
              for point in points]  # fmt: skip
    return [(point, (across, up)) for point, across, up in scored if across and up]


def answer(points: list[Measured]) -> str:
    """Return the sentence on whose speed is unknown."""
    names = format.listing([point.checkpoint for point in points])
    return f"How fast {names} {'is' if len(points) == 1 else 'are'} made is unknown: here time does not count."


def reading(question: Question, untimed: list[tuple[Measured, Pair]]) -> str:
    """Return how to read the chart."""
    quality, diversity = question.quality, question.diversity
    words = (
        f"Up: {quality.name} ({HOW[quality.better]}). Right: {diversity.name} ({HOW[diversity.better]}). Bars: 95% "
        f"intervals. Beside them all points at n = {question.n:,}, in {question.measured.features(question.extractor)}."
    )
    other = any(point.n != question.n for point, _ in untimed)
    return words + f" Hollow: measured at another n, where {diversity.name} cannot be compared." * other


def draw(
    question: Question, untimed: list[tuple[Measured, Pair]], beside: list[tuple[Measured, Pair]], width: int
) -> tuple[str, float]:
    """Return the chart's markup and height at a width."""
    real = tuple(question.real(axis, question.n) for axis in (question.diversity, question.quality))
    drawn = [pair for _, pair in [*beside, *untimed]] + ([real] if all(real) else [])
    scales = [
        scale(axis, [pair[side] for pair in drawn]) for side, axis in enumerate((question.diversity, question.quality))
    ]
    box = Frame(52, width - 14, 10, HEIGHT - 46, *scales)
    room = Room(Box(52, 4, width, HEIGHT - 46))
    parts = [
        box.up(words(question.quality)),
        box.across(words(question.diversity, 4 if width < 400 else 6)),
        box.base(),
    ]
    if all(real):
        parts.append(svg.titled(mark(box, within(box, real), "real", MARK), f"real data: {said(question, real)}"))
    labels = []
    for point, pair in [*beside, *untimed]:
        shown = across, up = within(box, pair)
        x, y = spot(box, shown)
        ends = sorted((box.x(across.low), box.x(across.high))), sorted((box.y(up.low), box.y(up.high)))
        room.taken.append(Box(x - 6, y - 6, x + 6, y + 6))
        room.crossed += [Box(ends[0][0], y - 2, ends[0][1], y + 2), Box(x - 2, ends[1][0], x + 2, ends[1][1])]
        shape = mark(box, shown, point.family, MARK, hollow=point.n != question.n)
        parts.append(svg.titled(shape, f"{name(point)}: {said(question, pair)}, n = {point.n:,}"))
        if point.given:
            labels.append(Label(x, y, point.checkpoint, f"var(--text-{point.family})"))
    return "".join(parts) + room.place(labels), HEIGHT


def scale(axis: axes.Axis, scores: list[Score]) -> Scale:
    """Return the scale of some scores; better is at its end. Where lower is better it has decades, if no mean is 0."""
    if axis.better != "lower":
        return Scale.around([end for score in scores for end in (score.low, score.high)], room=0.08)
    means, log = [score.mean for score in scores], all(score.mean > 0 for score in scores)
    found = Scale.around([*means, *(score.high for score in scores)], log, 0.08)
    return replace(found, low=found.high, high=found.low)


def within(box: Frame, pair: Pair) -> Pair:
    """Return both scores with intervals that end where the plot does: a distance's may reach below 0."""
    found = []
    for score, side in zip(pair, (box.x, box.y), strict=True):
        least, most = sorted((side.low, side.high))
        low, high = (min(max(end, least), most) for end in (score.low, score.high))
        found.append(replace(score, low=low, high=high))
    return tuple(found)


def words(axis: axes.Axis, wanted: int = 5) -> Axis:
    """Return what is written along an axis."""
    return Axis(
        capital(axis.name), wanted, words=lambda value: f"{100 * value:g}%" if axis.percent else format.tick(value)
    )


def said(question: Question, pair: Pair) -> str:
    """Return both scores in words."""
    across, up = pair
    return ", ".join(
        f"{axis.name} {plus_minus(axis, score)}"
        for axis, score in ((question.quality, up), (question.diversity, across))
    )
