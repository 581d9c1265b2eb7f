"""One score against another, each with its interval, as inline SVG. Pure: scores in, markup out."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard import theme
from dashboard.figures import svg
from dashboard.figures.plot import Axis, Frame, Scale
from dashboard.figures.svg import Spot
from dashboard.results.operating_points import Score

ROOM = 0.08  # of the scores' range, on either side
Pair = tuple[Score, Score]  # the score across and the score up


def frame(pairs: Sequence[Pair], box: tuple[float, float, float, float]) -> Frame:
    """Return the frame that holds scores with their intervals; `box` is its left, right, top and bottom edge."""
    scales = [
        Scale.around([end for pair in pairs for end in (pair[side].low, pair[side].high)], room=ROOM) for side in (0, 1)
    ]
    return Frame(*box, *scales)


def axes(frame: Frame, across: str, up: str) -> str:
    """Return both axes with their titles."""
    few = frame.right < 400
    return frame.up(Axis(up)) + frame.across(Axis(across, 4 if few else 6)) + frame.base()


def spot(frame: Frame, pair: Pair) -> Spot:
    """Return the pixels of a pair of scores."""
    return frame.spot(pair[0].mean, pair[1].mean)


def mark(frame: Frame, pair: Pair, family: str, size: float, colour: str = "", hollow: bool = False) -> str:
    """Return a family's mark with both intervals as thin lines, in its colour if in no other."""
    (x, y), (across, up) = spot(frame, pair), pair
    lines = svg.line(frame.x(across.low), y, frame.x(across.high), y, "reach")
    lines += svg.line(x, frame.y(up.low), x, frame.y(up.high), "reach")
    lines = svg.element("g", lines, style=f"stroke:{colour or f'var(--mark-{family})'}")
    return lines + theme.mark(family, x, y, size, hollow)


def trail(frame: Frame, pairs: Sequence[Pair], family: str, kind: str) -> str:
    """Return the line through a family's pairs of scores."""
    return svg.path(svg.corners(spot(frame, pair) for pair in pairs), kind, f"stroke:var(--mark-{family})")
