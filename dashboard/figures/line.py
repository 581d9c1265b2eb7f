"""Line charts as inline SVG: arrays in, markup out. Pure: no torch, no gradio.

A chart is drawn wide and narrow, as in `figures.svg`. A long curve is thinned to means over equal pieces of its
axis, so that the markup of a whole training stays small; a point of a thinned curve is a mean of its neighbours.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from html import escape

import numpy as np

from dashboard import format
from dashboard.figures import svg

MOST_POINTS = 400  # of one curve, in the wide drawing
BUDGET = 2400  # points of all curves together, bands counted twice more: some 60 KB of markup in both drawings
DOTS = 24  # curves of so few points show each of them
ROW = 15  # pixels between two labels at least
Place = Callable[[float], float]


@dataclass(frozen=True)
class Curve:
    """One line.

    Attributes:
        label: What it is, for people; '' for a chart whose title says it.
        x: (N,) positions.
        y: (N,) heights; where one is NaN there is no point, and the line goes on to the next.
        family: Whose colour it has; '' is ink.
        dashed: Whether the line is dashed.
        low: (N,) lower edge of a shaded band, or None.
        high: (N,) upper edge of a shaded band, or None.
    """

    label: str
    x: np.ndarray
    y: np.ndarray
    family: str = ""
    dashed: bool = False
    low: np.ndarray | None = None
    high: np.ndarray | None = None

    @property
    def colour(self) -> str:
        """The CSS colour of the line."""
        return f"var(--mark-{self.family})" if self.family else "var(--ink)"

    @property
    def ink(self) -> str:
        """The CSS colour of its label."""
        return f"var(--text-{self.family})" if self.family else "var(--ink)"


@dataclass(frozen=True)
class Level:
    """A dashed horizontal line, such as an equilibrium: its height and what it is."""

    y: float
    label: str


@dataclass(frozen=True)
class Frame:
    """Where a drawing's axes lie: the plot's edges in pixels, and the functions that place values on them."""

    left: float
    right: float
    top: float
    bottom: float
    across: Place
    up: Place


@dataclass(frozen=True)
class Axis:
    """A range of values on a linear or logarithmic axis."""

    low: float
    high: float
    log: bool

    def between(self, start: float, end: float) -> Place:
        """Return the function that places a value from `start` to `end` pixels."""
        scale = math.log10 if self.log else float
        first, span = scale(self.low), scale(self.high) - scale(self.low)
        return lambda value: start + (end - start) * (scale(value) - first) / span

    def ticks(self, wanted: int) -> list[float]:
        """Return where gridlines go: round numbers, or powers of ten and, where these are few, 2 and 5 times them."""
        if not self.log:
            return svg.nice_ticks(self.low, self.high, wanted)
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        for steps in ((1,), (1, 3), (1, 2, 5)):
            found = [m * 10.0**e for e in range(first, last + 1) for m in steps]
            found = [value for value in found if self.low * 0.999 <= value <= self.high * 1.001]
            if len(found) > 2:
                break
        if len(found) < 2:
            return svg.nice_ticks(self.low, self.high, wanted)
        return found[:: -(-len(found) // (wanted + 2))]


def lines(
    title: str,
    answer: str,
    reading: str,
    curves: Sequence[Curve],
    x_title: str,
    y_title: str,
    levels: Sequence[Level] = (),
    log_x: bool = False,
    log_y: bool = False,
    marker_x: float | None = None,
    x_range: tuple[float, float] | None = None,
) -> str:
    """Return the card of a line chart: title, what it says, the drawing, how to read it.

    Args:
        title: The card's title.
        answer: What the chart says, as a sentence; '' for none.
        reading: How to read it, as a sentence.
        curves: The lines, drawn in this order.
        x_title: What is on the horizontal axis, with its unit.
        y_title: What is on the vertical axis, with its unit.
        levels: Dashed horizontal lines, which the axis is made to reach.
        log_x: Whether the horizontal axis is logarithmic; points at or below 0 have no place on it.
        log_y: Whether the vertical axis is logarithmic; points at or below 0 have no place on it.
        marker_x: Where a vertical line stands, with a dot on each curve; None for none.
        x_range: The least and the largest x of the axis, for charts that share one; by default that of the curves.
    """
    budget = max(40, min(MOST_POINTS, BUDGET // max(1, sum(3 if c.low is not None else 1 for c in curves))))
    clean = [known(curve, log_x, log_y) for curve in curves]
    clean = [curve for curve in clean if len(curve.x)]
    if not clean:
        return svg.card(title, answer or "There is nothing to draw.", "", reading)
    levels = [level for level in levels if math.isfinite(level.y) and (level.y > 0 or not log_y)]

    def draw(width: int) -> tuple[str, float]:
        most = budget if width > 400 else max(20, budget // 2)
        drawn = [thinned(curve, most, log_x) for curve in clean]
        x_axis = axis_of(x_range or [v for c in drawn for v in (c.x[0], c.x[-1])], log_x, tight=True)
        y_axis = axis_of(heights(drawn, levels), log_y)
        return draw_lines(drawn, levels, (x_axis, y_axis), (x_title, y_title), marker_x, width)

    return svg.card(title, answer, svg.figure(draw, f"{title}. {answer}".strip()), reading)


# ---- the points


def known(curve: Curve, log_x: bool, log_y: bool) -> Curve:
    """Return a curve in the order of x without the points that have no place on the axes."""
    x, y = np.asarray(curve.x, float), np.asarray(curve.y, float)
    kept = np.isfinite(x) & np.isfinite(y) & ((x > 0) | (not log_x)) & ((y > 0) | (not log_y))
    order = np.flatnonzero(kept)[np.argsort(x[kept], kind="stable")]
    edges = {}
    for side in ("low", "high"):
        values = getattr(curve, side)
        if values is not None:
            values = np.asarray(values, float)[order]
            values = np.where(np.isfinite(values), values, y[order])
            edges[side] = np.maximum(values, y[order].min() / 10) if log_y else values
    return replace(curve, x=x[order], y=y[order], **edges)


def thinned(curve: Curve, most: int, log_x: bool) -> Curve:
    """Return a curve of at most `most` points: means over equal pieces of its axis."""
    if len(curve.x) <= most:
        return curve
    place = np.log10(curve.x) if log_x else curve.x
    edges = np.linspace(place[0], place[-1], most + 1)
    piece = np.clip(np.searchsorted(edges, place, side="right") - 1, 0, most - 1)
    counts = np.bincount(piece, minlength=most)
    filled = counts > 0

    def means(values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else np.bincount(piece, values, most)[filled] / counts[filled]

    return replace(curve, x=means(curve.x), y=means(curve.y), low=means(curve.low), high=means(curve.high))


def heights(curves: Sequence[Curve], levels: Sequence[Level]) -> list[float]:
    """Return the values that the vertical axis has to reach."""
    rows = [row for curve in curves for row in (curve.y, curve.low, curve.high) if row is not None]
    return [*(float(f(row)) for row in rows for f in (np.min, np.max)), *(level.y for level in levels)]


def axis_of(values: Sequence[float], log: bool, tight: bool = False) -> Axis:
    """Return the axis that holds some values, with a little room unless `tight`; never of no length."""
    low, high = float(min(values)), float(max(values))
    if log:
        room = 1.0 if tight else (high / low) ** 0.05
        low, high = low / room, high * room
        return Axis(low, high, True) if high > low * 1.01 else Axis(low / 2, high * 2, True)
    if tight and 0 < low < 0.05 * high:
        low = 0.0  # a count that starts with the first step starts at nothing
    room = 0 if tight else 0.05 * (high - low)
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-9):
        room = 0.5 * abs(low) or 0.5
    return Axis(low - room, high + room, False)


# ---- the drawing


def draw_lines(
    curves: Sequence[Curve],
    levels: Sequence[Level],
    axes: tuple[Axis, Axis],
    titles: tuple[str, str],
    marker_x: float | None,
    width: int,
) -> tuple[str, float]:
    """Return the drawing of a line chart at one width, and its height."""
    x_axis, y_axis = axes
    marks = [(tick, format.tick(tick)) for tick in y_axis.ticks(5)]
    left = 29 + 6.9 * max(len(words) for _, words in marks)
    named = [curve for curve in curves if curve.label]
    margin = label_width(named)
    beside = bool(named) and width > 400 and margin <= 0.28 * width and ROW * len(named) <= 210
    right = width - (margin + 16 if beside else 12)
    legend, top = ("", 12.0) if beside or not named else draw_legend(named, left, width)
    bottom = top + (226 if width > 400 else 190)
    frame = Frame(left, right, top, bottom, x_axis.between(left, right), y_axis.between(bottom, top))
    parts = [legend, *grid(frame, marks, x_axis, titles, width)]
    parts += [band(curve, frame) for curve in curves if curve.low is not None and curve.high is not None]
    parts += [svg.line(left, frame.up(level.y), right, frame.up(level.y), "mean level") for level in levels]
    parts += [trace(curve, frame) for curve in curves]
    parts += level_labels(levels, frame)
    if marker_x is not None and x_axis.low <= marker_x <= x_axis.high:
        parts.append(marker(curves, marker_x, x_axis.log, frame))
    if beside:
        parts += end_labels(named, frame)
    return "".join(parts), bottom + 46


def grid(
    frame: Frame, marks: Sequence[tuple[float, str]], x_axis: Axis, titles: tuple[str, str], width: int
) -> list[str]:
    """Return gridlines, ticks and the names of both axes."""
    parts = []
    for value, words in marks:
        y = frame.up(value)
        parts += [
            svg.line(frame.left, y, frame.right, y, "grid"),
            svg.text(frame.left - 7, y + 4, words, "tick", "end"),
        ]
    for value in x_axis.ticks(6 if width > 400 else 4):
        x = frame.across(value)
        parts += [
            svg.line(x, frame.bottom, x, frame.bottom + 4, "firm"),
            svg.text(x, frame.bottom + 18, format.tick(value), "tick", "middle"),
        ]
    parts.append(svg.line(frame.left, frame.bottom, frame.right, frame.bottom, "firm"))
    scale = " (log scale)" if x_axis.log else ""
    middle = (frame.left + frame.right) / 2
    parts.append(svg.text(middle, frame.bottom + 38, f"{titles[0]}{scale}", "axis", "middle"))
    parts.append(
        f'<text transform="translate(12 {(frame.top + frame.bottom) / 2:.1f}) rotate(-90)" text-anchor="middle" '
        f'class="axis">{escape(titles[1])}</text>'
    )
    return parts


def trace(curve: Curve, frame: Frame) -> str:
    """Return one line, with a dot a point when these are few."""
    points = [(frame.across(x), frame.up(y)) for x, y in zip(curve.x, curve.y, strict=True)]
    dash = ";stroke-dasharray:5 4" if curve.dashed else ""
    path = f'<path d="M{corners(points)}" class="curve" style="stroke:{curve.colour}{dash}"/>'
    if len(points) <= DOTS:
        path += "".join(dot(x, y, curve) for x, y in points)
    return f"<g><title>{escape(curve.label)}</title>{path}</g>" if curve.label else path


def band(curve: Curve, frame: Frame) -> str:
    """Return the shaded band of one curve."""
    there = [(frame.across(x), frame.up(y)) for x, y in zip(curve.x, curve.high, strict=True)]
    back = [(frame.across(x), frame.up(y)) for x, y in zip(curve.x[::-1], curve.low[::-1], strict=True)]
    return f'<path d="M{corners(there + back)}Z" class="band" style="fill:{curve.colour}"/>'


def corners(points: Sequence[tuple[float, float]]) -> str:
    """Return points as SVG path data without the first command."""
    return "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def dot(x: float, y: float, curve: Curve) -> str:
    """Return a small dot in a curve's colour."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" style="fill:{curve.colour}"/>'


def marker(curves: Sequence[Curve], x: float, log: bool, frame: Frame) -> str:
    """Return the vertical line at x with a dot on every curve that reaches it."""
    place = frame.across(x)
    parts = [svg.line(place, frame.top, place, frame.bottom, "at")]
    for curve in curves:
        if curve.x[0] <= x <= curve.x[-1]:
            ends = (np.log(curve.x), math.log(x)) if log else (curve.x, x)
            parts.append(dot(place, frame.up(float(np.interp(ends[1], ends[0], curve.y))), curve))
    return f'<g class="marker">{"".join(parts)}</g>'


# ---- labels


def label_width(curves: Sequence[Curve]) -> float:
    """Return about how many pixels the longest label takes."""
    return 7.6 * max((len(curve.label) for curve in curves), default=0)


def spread(wanted: Sequence[float], low: float, high: float, gap: float = ROW) -> list[float]:
    """Return positions near the wanted ones, in [low, high] as far as they fit, no two nearer than `gap`."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    placed = [0.0] * len(wanted)
    floor = low
    for i in order:
        placed[i] = floor = max(wanted[i], floor)
        floor += gap
    ceiling = high
    for i in reversed(order):
        placed[i] = ceiling = min(placed[i], ceiling)
        ceiling -= gap
    return placed


def end_labels(curves: Sequence[Curve], frame: Frame) -> list[str]:
    """Return each curve's name beside its end: right of the plot, or within it where a curve ends early."""
    ends = [(frame.across(curve.x[-1]), frame.up(curve.y[-1]), curve) for curve in curves]
    inside = [room_after(x, y, curve, curves, frame) for x, y, curve in ends]
    early, late = ([end for end, within in zip(ends, inside, strict=True) if within is side] for side in (True, False))
    parts = []
    for (x, _, curve), place in zip(early, spread_ends(early, frame), strict=True):
        parts.append(end_label(x + 7, min(place, frame.bottom - 9), curve, inside=True))
    for (x, y, curve), place in zip(late, spread_ends(late, frame), strict=True):
        if frame.right - x > 14 or abs(place - y) > 3:
            parts.append(f'<path d="M{x:.1f} {y:.1f}L{frame.right + 8:.1f} {place:.1f}" class="leader"/>')
        parts.append(end_label(frame.right + 10, place, curve))
    return parts


def room_after(x: float, y: float, curve: Curve, curves: Sequence[Curve], frame: Frame) -> bool:
    """Return whether a curve's name fits between its end and the plot's edge, with no other curve passing there."""
    edge = x + label_width([curve]) + 12
    if edge >= frame.right:
        return False
    for other in curves:
        if other is not curve:
            places = np.array([frame.across(value) for value in other.x])
            rises = np.array([frame.up(value) for value in other.y])
            under = np.linspace(x, min(edge, places[-1]), 20)
            if places[-1] > x and np.any(np.abs(np.interp(under, places, rises) - y) < ROW):
                return False
    return True


def spread_ends(ends: Sequence[tuple[float, float, Curve]], frame: Frame) -> list[float]:
    """Return the heights of labels beside ends, moved apart."""
    return spread([y for _, y, _ in ends], frame.top + 4, frame.bottom - 4)


def end_label(x: float, y: float, curve: Curve, inside: bool = False) -> str:
    """Return a curve's name, its middle at y; with a rim that covers gridlines where it stands `inside` the plot."""
    kind = "end inside" if inside else "end"
    return f'<text x="{x:.1f}" y="{y + 4:.1f}" class="{kind}" style="fill:{curve.ink}">{escape(curve.label)}</text>'


def level_labels(levels: Sequence[Level], frame: Frame) -> list[str]:
    """Return the name of each level above its line, at the left edge, moved apart where levels are close."""
    places = spread([frame.up(level.y) - 5 for level in levels], frame.top + 9, frame.bottom - 3)
    return [svg.text(frame.left + 6, y, level.label, "level-name") for level, y in zip(levels, places, strict=True)]


def draw_legend(curves: Sequence[Curve], left: float, width: int) -> tuple[str, float]:
    """Return the curves' names above the plot with a piece of each line, in rows, and where the plot may begin."""
    parts, x, y = [], left, 12.0
    for curve in curves:
        room = 38 + 7.8 * len(curve.label)
        if x > left and x + room > width:
            x, y = left, y + 18
        dash = ";stroke-dasharray:5 4" if curve.dashed else ""
        parts.append(
            f'<path d="M{x:.1f} {y - 4:.1f}h18" class="curve" style="stroke:{curve.colour}{dash}"/>'
            f'<text x="{x + 23:.1f}" y="{y:.1f}" class="end" style="fill:{curve.ink}">{escape(curve.label)}</text>'
        )
        x += room
    return "".join(parts), y + 16
