"""Blur against variety: a family's measured operating points, as inline SVG. Pure: measurements in, markup out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from dashboard import theme
from dashboard.figures import line, svg, tradeoff
from dashboard.results.operating_points import Measured, Measurements, Score

SHARPNESS = "sharpness"
VARIETY = {"Vendi ratio": "vendi_ratio", "coverage": "coverage"}  # by name for people, the metric across
MARK = 11


@dataclass(frozen=True)
class Plane:
    """The chart's axes at one width: the pixels of its edges, and the ranges of variety and of sharpness."""

    left: float
    right: float
    top: float
    bottom: float
    across: line.Axis
    up: line.Axis

    def x(self, value: float) -> float:
        """Return the pixel of a variety."""
        return self.across.between(self.left, self.right)(value)

    def y(self, value: float) -> float:
        """Return the pixel of a sharpness."""
        return self.up.between(self.bottom, self.top)(value)


def comparable(measured: Measurements, checkpoint: str, variety: str) -> list[Measured]:
    """Return a checkpoint's points that have both scores, all at the one n that most of them have."""
    known = [
        point
        for point in measured.points
        if point.checkpoint == checkpoint and not point.stale and point.score(SHARPNESS) and point.score(variety)
    ]
    sizes = [point.n for point in known]
    best = max(sizes, key=lambda n: (sizes.count(n), n), default=0)
    return [point for point in known if point.n == best]


def distance(knobs: Sequence[Any], here: Mapping[str, Any], there: Mapping[str, Any]) -> tuple[int, float]:
    """Return how far two settings are apart: choices that differ, then the shares of the numbers' ranges, added up."""
    choices = sum(here[knob.name] != there[knob.name] for knob in knobs if knob.choices)
    numbers = [knob for knob in knobs if not knob.choices]
    return choices, sum(abs(here[knob.name] - there[knob.name]) / (knob.high - knob.low) for knob in numbers)


def card(
    measured: Measurements, checkpoint: str, knobs: Sequence[Any], now: Mapping[str, Any], variety: str, missing: str
) -> str:
    """Return the chart's markup.

    Args:
        measured: What is known of the data set.
        checkpoint: Whose points.
        knobs: The family's knobs.
        now: Every knob's value at present.
        variety: The metric across.
        missing: The sentence to show when nothing was measured.
    """
    points = comparable(measured, checkpoint, variety)
    if not points:
        return f'<h3>Blur against variety</h3><p class="answer">{escape(missing)}</p>'
    nearest = min(points, key=lambda point: distance(knobs, now, point.knobs))
    exact = distance(knobs, now, nearest.knobs) == (0, 0.0)
    baseline = measured.baseline(points[0].n)
    mine = next(group for group in groups(points) if nearest in group)
    answer = f"{sentence(nearest, exact, baseline, variety)} {trend(mine, variety)}".strip()
    drawing = svg.figure(
        lambda width: draw(points, nearest, baseline, variety, width), f"Blur against variety. {answer}"
    )
    return svg.card("Blur against variety", answer, drawing, reading(points, baseline, measured, variety))


def sentence(nearest: Measured, exact: bool, baseline: Measured | None, variety: str) -> str:
    """Return what was measured at, or nearest to, the present setting."""
    where = f"Measured at this setting, {nearest.label}" if exact else f"The nearest measured setting, {nearest.label}"
    name = name_of(variety)
    words = f"{where}: sharpness {about(nearest.score(SHARPNESS))}, {name} {about(nearest.score(variety))}"
    real = baseline and baseline.score(SHARPNESS), baseline and baseline.score(variety)
    if not all(real):
        return f"{words}."
    return f"{words}; real images have {about(real[0])} and {about(real[1])}."


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
    shown = [*points, *([baseline] if baseline and baseline.score(SHARPNESS) and baseline.score(variety) else [])]
    plane = plane_of([(one.score(variety), one.score(SHARPNESS)) for one in shown], width)
    parts = [axes(plane, variety)]
    if len(shown) > len(points):
        parts.append(cross(plane, shown[-1], variety))
    for group in groups(points):
        spots = " ".join(
            f"{plane.x(one.score(variety).mean):.1f},{plane.y(one.score(SHARPNESS).mean):.1f}" for one in group
        )
        parts.append(f'<polyline points="{spots}" class="trail" style="stroke:var(--mark-{group[0].family})"/>')
        parts.append(group_name(plane, group, variety))
    parts += [spot(plane, one, one is nearest, variety) for one in points]
    return "".join(parts), plane.bottom + 46


def plane_of(scores: Sequence[tuple[Score, Score]], width: int) -> Plane:
    """Return axes that hold all scores with their intervals."""
    across, up = (tradeoff.axis([pair[side] for pair in scores]) for side in (0, 1))
    return Plane(50, width - 14, 10, 330 if width > 500 else 290, across, up)


def axes(plane: Plane, variety: str) -> str:
    """Return grid lines, ticks and the axes' names."""
    parts = []
    for tick in plane.across.ticks(5):
        parts.append(svg.line(plane.x(tick), plane.top, plane.x(tick), plane.bottom, "grid"))
        parts.append(svg.text(plane.x(tick), plane.bottom + 18, f"{tick:g}", "tick", "middle"))
    for tick in plane.up.ticks(5):
        parts.append(svg.line(plane.left, plane.y(tick), plane.right, plane.y(tick), "grid"))
        parts.append(svg.text(plane.left - 8, plane.y(tick) + 4, f"{tick:g}", "tick", "end"))
    across = f"{name_of(variety)} (right: more varied)"
    parts.append(svg.text((plane.left + plane.right) / 2, plane.bottom + 38, across, "axis", "middle"))
    middle = (plane.top + plane.bottom) / 2
    parts.append(
        f'<text transform="translate(11 {middle:.0f}) rotate(-90)" text-anchor="middle" class="axis">'
        "sharpness (1 is as real)</text>"
    )
    return "".join(parts)


def cross(plane: Plane, baseline: Measured, variety: str) -> str:
    """Return the baseline: dashed lines through it, its intervals, its mark and its name."""
    x, y = plane.x(baseline.score(variety).mean), plane.y(baseline.score(SHARPNESS).mean)
    return (
        svg.line(x, plane.top, x, plane.bottom, "mean")
        + svg.line(plane.left, y, plane.right, y, "mean")
        + whiskers(plane, baseline, variety)
        + theme.mark(baseline.family, x, y, MARK)
        + svg.text(x - 12, y + 18, "real images", "tick", "end")
    )


def whiskers(plane: Plane, point: Measured, variety: str) -> str:
    """Return a point's intervals both ways."""
    colour = f"var(--mark-{point.family})"
    return tradeoff.whiskers(plane.x, plane.y, point.score(variety), point.score(SHARPNESS), colour)


def spot(plane: Plane, point: Measured, current: bool, variety: str) -> str:
    """Return a point with its intervals; ringed when it is nearest to the sliders."""
    x, y = plane.x(point.score(variety).mean), plane.y(point.score(SHARPNESS).mean)
    words = (
        f"{point.label}: sharpness {about(point.score(SHARPNESS))}, {name_of(variety)} {about(point.score(variety))}"
    )
    ring = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="11" class="here"/>' if current else ""
    return (
        f'<g class="spot{" current" if current else ""}"><title>{escape(words)}</title>'
        f"{whiskers(plane, point, variety)}{theme.mark(point.family, x, y, MARK)}{ring}</g>"
    )


def groups(points: Sequence[Measured]) -> list[list[Measured]]:
    """Return the points that share their choices, each in the order of their numbers."""
    found: dict[tuple, list[Measured]] = {}
    for point in points:
        found.setdefault(tuple(sorted((k, v) for k, v in point.knobs.items() if isinstance(v, str))), []).append(point)
    return [sorted(group, key=numbers_of) for group in found.values()]


def numbers_of(point: Measured) -> list[float]:
    """Return a point's numbers among its knobs."""
    return [value for _, value in sorted(point.knobs.items()) if not isinstance(value, str)]


def group_name(plane: Plane, group: Sequence[Measured], variety: str) -> str:
    """Return the name of what a group shares, and the numbers at its ends."""
    parts, places = [], [(plane.x(one.score(variety).mean), plane.y(one.score(SHARPNESS).mean)) for one in group]
    choices = [str(value) for value in group[0].knobs.values() if isinstance(value, str)]
    for place, beside in {0: min(1, len(group) - 1), len(group) - 1: max(len(group) - 2, 0)}.items():
        (x, y), numbers = places[place], ", ".join(f"{value:g}" for value in numbers_of(group[place]))
        words = ", ".join([*choices, numbers] if place == 0 else [numbers])
        anchor = "end" if x > (plane.left + plane.right) / 2 else "start"
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
