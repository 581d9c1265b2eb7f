"""Blur against variety: a family's measured operating points, as inline SVG. Pure: measurements in, markup out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from dashboard import format
from dashboard.figures import scatter, svg
from dashboard.figures.plot import Frame
from dashboard.figures.scatter import Pair
from dashboard.results.operating_points import Measured, Measurements, Score, at_usual_n

TITLE = "Blur against variety"
SHARPNESS = "sharpness"
VARIETY = {"Vendi ratio": "vendi_ratio", "coverage": "coverage"}  # by name for people, the metric across
MARK = 11


def comparable(measured: Measurements, checkpoint: str, variety: str) -> list[Measured]:
    """Return a checkpoint's points that have both scores, all at the one n that most of them have."""
    known = [
        point
        for point in measured.points
        if point.checkpoint == checkpoint and not point.stale and point.score(SHARPNESS) and point.score(variety)
    ]
    return at_usual_n(known)


def distance(knobs: Sequence[Any], here: Mapping[str, Any], there: Mapping[str, Any]) -> tuple[int, float]:
    """Return how far two settings are apart: choices that differ, then the shares of the numbers' ranges, added up."""
    choices = sum(here[knob.name] != there[knob.name] for knob in knobs if knob.choices)
    numbers = [knob for knob in knobs if not knob.choices]
    return choices, sum(abs(here[knob.name] - there[knob.name]) / (knob.high - knob.low) for knob in numbers)


def card(
    measured: Measurements, checkpoint: str, knobs: Sequence[Any], now: Mapping[str, Any], variety: str, missing: str
) -> str:
    """Return the chart's markup of a checkpoint's points, sharpness against `variety`, the metric across.

    `now` has the present values of the family's knobs; `missing` is the sentence to show when nothing was measured.
    """
    points = comparable(measured, checkpoint, variety)
    if not points:
        return f'<h3>{TITLE}</h3><p class="answer">{escape(missing)}</p>'
    nearest = min(points, key=lambda point: distance(knobs, now, point.knobs))
    exact = distance(knobs, now, nearest.knobs) == (0, 0.0)
    baseline = measured.baseline(points[0].n)
    mine = next(group for group in groups(points) if nearest in group)
    answer = f"{sentence(nearest, exact, baseline, variety)} {trend(mine, variety)}".strip()
    told = reading(points, baseline, measured, variety)
    return svg.chart(TITLE, answer, told, lambda width: draw(points, nearest, baseline, variety, width))


def sentence(nearest: Measured, exact: bool, baseline: Measured | None, variety: str) -> str:
    """Return what was measured at, or nearest to, the present setting."""
    where = f"Measured at this setting, {nearest.label}" if exact else f"The nearest measured setting, {nearest.label}"
    name = name_of(variety)
    words = f"{where}: sharpness {about(nearest.score(SHARPNESS))}, {name} {about(nearest.score(variety))}"
    real = pair_of(baseline, variety) if baseline else ()
    return f"{words}; real images have {about(real[1])} and {about(real[0])}." if real and all(real) else f"{words}."


def about(score: Score) -> str:
    """Return a score with its interval: '0.74 ± 0.01'."""
    return f"{score.mean:.2f} ± {score.half:.2f}"


def name_of(variety: str) -> str:
    """Return a metric of variety's name for people."""
    return next(name for name, key in VARIETY.items() if key == variety)


def reading(points: Sequence[Measured], baseline: Measured | None, measured: Measurements, variety: str) -> str:
    """Return how the chart is to be read."""
    real = " The cross: real training images against test images." if baseline else ""
    return (
        f"Higher is sharper, 1 is as real; further right is more varied.{real} Lines: 95% intervals over "
        f"{points[0].generations} generations of {points[0].n:,} images; a line joins settings that differ in numbers "
        f"alone; ringed: nearest to the sliders. {name_of(variety).capitalize()} in {measured.features()}."
    )


# ---- the drawing


def draw(
    points: Sequence[Measured], nearest: Measured, baseline: Measured | None, variety: str, width: int
) -> tuple[str, float]:
    """Return the drawing at one width, and its height."""
    known = baseline if baseline and all(pair_of(baseline, variety)) else None
    pairs = [pair_of(one, variety) for one in [*points, known] if one]
    frame = scatter.frame(pairs, (50, width - 14, 10, 330 if width > 500 else 290))
    parts = [scatter.axes(frame, f"{name_of(variety)} (right: more varied)", "sharpness (1 is as real)")]
    if known:
        parts.append(cross(frame, known, variety))
    for group in groups(points):
        parts.append(scatter.trail(frame, [pair_of(one, variety) for one in group], group[0].family, "trail"))
        parts.append(group_name(frame, group, variety))
    parts += [spot(frame, one, one is nearest, variety) for one in points]
    return "".join(parts), frame.height


def pair_of(point: Measured, variety: str) -> Pair:
    """Return a point's variety and its sharpness."""
    return point.score(variety), point.score(SHARPNESS)


def cross(frame: Frame, baseline: Measured, variety: str) -> str:
    """Return the baseline: dashed lines through it, its intervals, its mark and its name."""
    pair = pair_of(baseline, variety)
    x, y = scatter.spot(frame, pair)
    return (
        svg.line(x, frame.top, x, frame.bottom, "mean")
        + svg.line(frame.left, y, frame.right, y, "mean")
        + scatter.mark(frame, pair, baseline.family, MARK)
        + svg.text(x - 12, y + 18, "real images", "tick", "end")
    )


def spot(frame: Frame, point: Measured, current: bool, variety: str) -> str:
    """Return a point with its intervals; ringed when it is nearest to the sliders."""
    pair = pair_of(point, variety)
    words = f"{point.label}: sharpness {about(pair[1])}, {name_of(variety)} {about(pair[0])}"
    ring = svg.circle(*scatter.spot(frame, pair), 11, "here") if current else ""
    return (
        f'<g class="spot{" current" if current else ""}"><title>{escape(words)}</title>'
        f"{scatter.mark(frame, pair, point.family, MARK)}{ring}</g>"
    )


def groups(points: Sequence[Measured]) -> list[list[Measured]]:
    """Return the points that share their choices, each in the order of their numbers."""
    found = format.grouped((point.choices, point) for point in points)
    return [sorted(group, key=lambda point: point.numbers) for group in found.values()]


def group_name(frame: Frame, group: Sequence[Measured], variety: str) -> str:
    """Return the name of what a group shares, and the numbers at its ends."""
    parts, places = [], [scatter.spot(frame, pair_of(one, variety)) for one in group]
    choices = [str(value) for value in group[0].knobs.values() if isinstance(value, str)]
    for place, beside in {0: min(1, len(group) - 1), len(group) - 1: max(len(group) - 2, 0)}.items():
        (x, y), numbers = places[place], ", ".join(f"{value:g}" for value in group[place].numbers)
        words = ", ".join([*choices, numbers] if place == 0 else [numbers])
        anchor = "end" if x > (frame.left + frame.right) / 2 else "start"
        below = places[beside][1] < y - 4  # away from the line
        parts.append(svg.text(x, y + (25 if below else -17), words, "tick", anchor))
    return "".join(parts)


def trend(group: Sequence[Measured], variety: str) -> str:
    """Return what changes along a group whose settings differ in one number, as a sentence; '' for any other."""
    varied = [name for name in group[0].knobs if len({point.knobs[name] for point in group}) > 1]
    if len(varied) != 1 or len(group) < 3:
        return ""
    first, last = group[0], group[-1]
    changes = [
        f"{name} from {first.score(metric).mean:.2f} to {last.score(metric).mean:.2f}"
        for name, metric in ((name_of(variety), variety), (SHARPNESS, SHARPNESS))
    ]
    name = varied[0].replace("_", " ")
    ends = f"{first.knobs[varied[0]]:g} to {last.knobs[varied[0]]:g}"
    return f"Along its line, from {name} {ends}, {changes[0]} and {changes[1]}."
