"""Line charts as inline SVG: arrays in, markup out. Pure: no torch, no gradio.

A chart is drawn wide and narrow, as in `figures.svg`. A long curve is thinned to means over equal pieces of its
axis, so that the markup of a whole training stays small; a point of a thinned curve is a mean of its neighbours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dashboard.figures import plot, svg
from dashboard.figures.plot import ROW, Axis, Entry, Frame, Scale
from dashboard.results.operating_points import Score

MOST_POINTS = 400  # of one curve, in the wide drawing
BUDGET = 2400  # points of all curves together, bands counted twice more: some 60 KB of markup in both drawings
DOTS = 24  # curves of so few points show each of them
GLYPH = 7.8  # pixels per character of a curve's name


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
        dashes: Pixels of a dashed line's dashes and gaps, to tell several apart.
    """

    label: str
    x: np.ndarray
    y: np.ndarray
    family: str = ""
    dashed: bool = False
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    dashes: str = "5 4"

    @classmethod
    def of_scores(cls, label: str, x: Sequence[float], scores: Sequence[Score], family: str = "", dashed: bool = False):
        """Return the curve through the means of some scores, with their intervals as its band."""
        mean, low, high = (np.array([getattr(score, end) for score in scores]) for end in ("mean", "low", "high"))
        return cls(label, np.asarray(x), mean, family, dashed, low, high)

    @property
    def colour(self) -> str:
        """The CSS colour of the line."""
        return f"var(--mark-{self.family})" if self.family else "var(--ink)"

    @property
    def ink(self) -> str:
        """The CSS colour of its label."""
        return f"var(--text-{self.family})" if self.family else "var(--ink)"

    def stroke(self, data: str) -> str:
        """Return path data as a line of the curve's kind."""
        return svg.path(data, "curve", f"stroke:{self.colour}{f';stroke-dasharray:{self.dashes}' * self.dashed}")


@dataclass(frozen=True)
class Level:
    """A dashed horizontal line, such as an equilibrium: its height and what it is."""

    y: float
    label: str


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
    y_range: tuple[float, float] | None = None,
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
        log_y: The same of the vertical axis.
        marker_x: Where a vertical line stands, with a dot on each curve; None for none.
        x_range: The least and the largest x of the axis, for charts that share one; by default that of the curves.
        y_range: The same of y, for a chart that must hold still while something is dragged; by default what the
            curves and the levels need.
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
        x = across(x_range or [v for c in drawn for v in (c.x[0], c.x[-1])], log_x)
        y = Scale(*y_range, log_y) if y_range else Scale.around(heights(drawn, levels), log_y)
        return draw_lines(drawn, levels, (x, y), (x_title, y_title), marker_x, width)

    return svg.chart(title, answer, reading, draw)


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
    known = {name: values for name in ("x", "y", "low", "high") if (values := getattr(curve, name)) is not None}
    means = {name: np.bincount(piece, values, most)[filled] / counts[filled] for name, values in known.items()}
    return replace(curve, **means)


def heights(curves: Sequence[Curve], levels: Sequence[Level]) -> list[float]:
    """Return the values that the vertical axis has to reach."""
    rows = [row for curve in curves for row in (curve.y, curve.low, curve.high) if row is not None]
    return [*(float(f(row)) for row in rows for f in (np.min, np.max)), *(level.y for level in levels)]


def across(values: Sequence[float], log: bool) -> Scale:
    """Return the horizontal scale of some values, without room; a count that starts with the first step starts at 0."""
    scale = Scale.around(values, log, room=0)
    return replace(scale, low=0.0) if not log and 0 < scale.low < 0.05 * scale.high else scale


# ---- the drawing


def draw_lines(
    curves: Sequence[Curve],
    levels: Sequence[Level],
    scales: tuple[Scale, Scale],
    titles: tuple[str, str],
    marker_x: float | None,
    width: int,
) -> tuple[str, float]:
    """Return the drawing of a line chart at one width, and its height."""
    x, y = scales
    up = Axis(titles[1])
    left = 29 + 6.9 * max(len(up.words(tick)) for tick in up.ticks(y))
    named = [curve for curve in curves if curve.label]
    margin = max((label_width(curve) for curve in named), default=0)
    beside = bool(named) and width > 400 and margin <= 0.28 * width and ROW * len(named) <= 210
    right = width - (margin + 16 if beside else 12)
    legend, top = "", 12.0
    if named and not beside:
        entries = [Entry(curve.stroke("M0 -4h18"), curve.label, curve.ink) for curve in named]
        legend, top = plot.legend(entries, left, width, "end", GLYPH)
    frame = Frame(left, right, top, top + (226 if width > 400 else 190), x, y)
    title = f"{titles[0]}{' (log scale)' * x.log}"
    parts = [legend, frame.up(up), frame.across(Axis(title, 6 if width > 400 else 4, rule="firm")), frame.base()]
    parts += [band(curve, frame) for curve in curves if curve.low is not None and curve.high is not None]
    parts += [svg.line(left, frame.y(level.y), right, frame.y(level.y), "mean level") for level in levels]
    parts += [trace(curve, frame) for curve in curves]
    parts += level_labels(levels, frame)
    if marker_x is not None and x.low <= marker_x <= x.high:
        parts.append(marker(curves, marker_x, frame))
    if beside:
        parts += end_labels(named, frame)
    return "".join(parts), frame.height


def trace(curve: Curve, frame: Frame) -> str:
    """Return one line, with a dot per point when these are few."""
    spots = frame.spots(curve.x, curve.y)
    drawn = curve.stroke(svg.corners(spots))
    if len(spots) <= DOTS:
        drawn += "".join(dot(*spot, curve) for spot in spots)
    return svg.titled(drawn, curve.label) if curve.label else drawn


def band(curve: Curve, frame: Frame) -> str:
    """Return the shaded band of one curve."""
    rim = frame.spots(curve.x, curve.high) + frame.spots(curve.x[::-1], curve.low[::-1])
    return svg.path(f"{svg.corners(rim)}Z", "band", f"fill:{curve.colour}")


def dot(x: float, y: float, curve: Curve) -> str:
    """Return a small dot in a curve's colour."""
    return svg.circle(x, y, 2.6, style=f"fill:{curve.colour}")


def marker(curves: Sequence[Curve], x: float, frame: Frame) -> str:
    """Return the vertical line at x with a dot on every curve that reaches it."""
    place = frame.x(x)
    parts = [svg.line(place, frame.top, place, frame.bottom, "at")]
    for curve in curves:
        if curve.x[0] <= x <= curve.x[-1]:
            ends = (np.log(curve.x), math.log(x)) if frame.x.log else (curve.x, x)
            parts.append(dot(place, frame.y(float(np.interp(ends[1], ends[0], curve.y))), curve))
    return svg.element("g", "".join(parts), kind="marker")


# ---- labels


def label_width(curve: Curve) -> float:
    """Return about how many pixels a curve's name takes."""
    return 7.6 * len(curve.label)


def end_labels(curves: Sequence[Curve], frame: Frame) -> list[str]:
    """Return each curve's name beside its end: right of the plot, or within it where a curve ends early."""
    ends = [(*frame.spot(curve.x[-1], curve.y[-1]), curve) for curve in curves]
    inside = [room_after(x, y, curve, curves, frame) for x, y, curve in ends]
    early, late = ([end for end, within in zip(ends, inside, strict=True) if within is side] for side in (True, False))
    parts = []
    for (x, _, curve), place in zip(early, spread_ends(early, frame), strict=True):
        parts.append(end_label(x + 7, min(place, frame.bottom - 9), curve, "end inside"))
    for (x, y, curve), place in zip(late, spread_ends(late, frame), strict=True):
        if frame.right - x > 14 or abs(place - y) > 3:
            parts.append(svg.path(svg.corners([(x, y), (frame.right + 8, place)]), "leader"))
        parts.append(end_label(frame.right + 10, place, curve, "end"))
    return parts


def room_after(x: float, y: float, curve: Curve, curves: Sequence[Curve], frame: Frame) -> bool:
    """Return whether a curve's name fits between its end and the plot's edge, with no other curve passing there."""
    edge = x + label_width(curve) + 12
    if edge >= frame.right:
        return False
    for other in curves:
        if other is not curve:
            places, rises = np.array(frame.spots(other.x, other.y)).T
            under = np.linspace(x, min(edge, places[-1]), 20)
            if places[-1] > x and np.any(np.abs(np.interp(under, places, rises) - y) < ROW):
                return False
    return True


def spread_ends(ends: Sequence[tuple[float, float, Curve]], frame: Frame) -> list[float]:
    """Return the heights of labels beside ends, moved apart."""
    return plot.spread([y for _, y, _ in ends], frame.top + 4, frame.bottom - 4)


def end_label(x: float, y: float, curve: Curve, kind: str) -> str:
    """Return a curve's name, its middle at y; 'end inside' has a rim that covers the gridlines under it."""
    return svg.text(x, y + 4, curve.label, kind, ink=curve.ink)


def level_labels(levels: Sequence[Level], frame: Frame) -> list[str]:
    """Return the name of each level above its line, at the left edge, moved apart where levels are close."""
    places = plot.spread([frame.y(level.y) - 5 for level in levels], frame.top + 9, frame.bottom - 3)
    return [svg.text(frame.left + 6, y, level.label, "level-name") for level, y in zip(levels, places, strict=True)]
