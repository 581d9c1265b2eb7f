"""The chart 'which metric can be believed': each estimate's rank correlation with the truth. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from dashboard.figures import svg
from dashboard.figures.plot import Axis, Frame, Scale
from dashboard.results import belief
from dashboard.results.axes import Metric
from dashboard.results.belief import Belief, Correlation
from dashboard.results.operating_points import Measurements

TITLE = "Which metric can be believed?"
HEADS = {"quality": "with true quality", "diversity": "with true diversity"}
GROUPS = {"quality": "Estimates of quality", "diversity": "Estimates of diversity", "distance": "Distances"}
STEP, GAP, TOP, WIDE = 17, 30, 26, 900  # pixels: from one estimate to the next, above a group, above all; in all
NAMES = {"wide": 230, "narrow": 138}  # of the column of names


def card(measured: Measurements, metrics: Mapping[str, Metric]) -> str:
    """Return the chart's card; a sentence where the truth is known of too few points, '' where it is of none."""
    found = belief.beliefs(measured, metrics)
    if not found:
        words = belief.too_few(measured)
        return svg.card(TITLE, words, "", "") if words else ""
    points, told = belief.judged(measured), belief.finding(found)
    reading = (
        f"Right is better: at 1 an estimate puts the {len(points)} operating points and broken models (n = "
        f"{points[0].n:,}) in the order of the truth, at 0 it knows nothing of it, below 0 it is misled. Bars: 95% "
        "bootstrap intervals over these points; full marks: what it is an estimate of."
    )
    return svg.card(TITLE, told, svg.figure(partial(draw, found), f"{TITLE} {told}", WIDE), reading)


def draw(found: Sequence[Belief], width: int) -> tuple[str, float]:
    """Return the drawing at one width, and its height: a row an estimate, a plot each true figure."""
    rows = places(found)
    bottom = rows[-1] + STEP
    names = NAMES["wide" if width > 400 else "narrow"]
    half = (width - names - 14) / 2
    frames = {
        key: Frame(names + place * (half + 14), names + place * (half + 14) + half - 7, TOP, bottom, Scale(-1, 1))
        for place, key in enumerate(HEADS)
    }
    parts = [
        frame.across(Axis(marks=(-1, 0, 1) if half < 200 else (-1, -0.5, 0, 0.5, 1))) + head(frame, key)
        for key, frame in frames.items()
    ]
    for one, y, first in zip(found, rows, starts(found), strict=True):
        if first:
            parts.append(svg.text(0, y - 15, GROUPS[one.metric.axis], "name"))
        parts.append(svg.text(0, y + 4, one.name if width > 400 else short(one), "tick"))
        own = HEADS if one.metric.axis not in HEADS else (one.metric.axis,)
        parts += [mark(frame, one, key, y, key in own) for key, frame in frames.items()]
    return "".join(parts), bottom + 24


def head(frame: Frame, key: str) -> str:
    """Return what stands above a plot."""
    return svg.text((frame.left + frame.right) / 2, 12, HEADS[key], "axis", "middle")


def starts(found: Sequence[Belief]) -> list[bool]:
    """Return which estimates are the first of their group."""
    axes = [one.metric.axis for one in found]
    return [axis not in axes[:place] for place, axis in enumerate(axes)]


def places(found: Sequence[Belief]) -> list[float]:
    """Return how far down each estimate stands."""
    places, y = [], float(TOP)
    for first in starts(found):
        y += STEP + (GAP - STEP / 2 if first else 0)
        places.append(y)
    return places


def short(one: Belief) -> str:
    """Return an estimate's name where there is little room."""
    name = f"{one.metric.name}, {one.extractor[:4]}." if one.extractor else one.metric.name
    return name if len(name) <= 24 else f"{name[:23]}…"


def mark(frame: Frame, one: Belief, key: str, y: float, own: bool) -> str:
    """Return an estimate's correlation with one true figure: its interval, and a spot."""
    found: Correlation | None = one.truths[key]
    if found is None:
        return ""
    ink = "var(--ink)" if own else "var(--cloud)"
    bar = svg.line(frame.x(found.low), y, frame.x(found.high), y, "whisker", ink)
    spot = svg.circle(frame.x(found.mean), y, 4.0, style=f"fill:{ink}")
    return svg.titled(bar + spot, f"{one.name} {HEADS[key]}: {belief.said(found)} ({found.points} points)")
