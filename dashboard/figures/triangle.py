"""The triangle of quality, diversity and speed as inline SVG. Pure: a question in, markup out.

Every point is drawn once, as a faint outline; the page's script marks the best of each family, and they fill. The
mapping of raw values to places is `dashboard.results.axes.Scale`; `docs/metrics.md` writes it out.
"""

from __future__ import annotations

import math

from dashboard import format, theme
from dashboard.figures import svg
from dashboard.results.axes import Axis, Scale
from dashboard.results.explanations import number
from dashboard.results.question import Question

WIDTH, HEIGHT = 440, 306
CENTRE = (220.0, 185.0)
RADIUS = 150.0
CORNERS = ("Quality", "Diversity", "Speed")
ANGLES = (-90.0, 150.0, 30.0)  # degrees, clockwise from the right as SVG's y grows downwards
MARK = 11


def spot(corner: int, place: float) -> tuple[float, float]:
    """Return the pixel of a place (0 the centre, 1 the rim) on the way to a corner."""
    angle = math.radians(ANGLES[corner])
    return CENTRE[0] + RADIUS * place * math.cos(angle), CENTRE[1] + RADIUS * place * math.sin(angle)


def draw(question: Question) -> str:
    """Return the triangle's drawing, one group per point with its place in the question as `data-i`."""
    shapes = [shape(question, i) for i in range(len(question.points)) if question.fresh[i]]
    reals = *(question.real(axis, question.n) for axis in (question.quality, question.diversity)), None
    corners = [corner(i, question.scales[i], real is not None) for i, real in enumerate(reals)]
    spokes = [svg.line(*CENTRE, *spot(i, 1), "grid") for i in range(3)]
    rings = [f'<polygon points="{path([share] * 3)}" class="grid" fill="none"/>' for share in (1 / 3, 2 / 3)]
    body = (
        f'{"".join(rings + spokes)}<polygon points="{path([1, 1, 1])}" class="rim"/>'
        f'<g data-at="shapes">{"".join(shapes)}</g>{"".join(ticks(i, s) for i, s in enumerate(question.scales))}'
        f"{''.join(corners)}"
    )
    return svg.drawing(body, (WIDTH, HEIGHT), "Quality, diversity and speed of each family's best point", "triangle")


def path(places: list[float]) -> str:
    """Return an outline's points attribute; corners whose place is NaN are left out."""
    spots = [spot(i, place) for i, place in enumerate(places) if not math.isnan(place)]
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)


def shape(question: Question, index: int) -> str:
    """Return a point's outline and markers: open where its diversity may not be compared, marked where it is rough."""
    point, places = question.points[index], [float(place) for place in question.places[index]]
    whole = not any(math.isnan(place) for place in places)
    kind = "polygon" if whole else "polyline"
    marks = "".join(
        theme.mark(point.family, *spot(i, place), MARK) for i, place in enumerate(places) if not math.isnan(place)
    )
    rough = " rough" * any(rough[index] for rough in question.rough)
    return (
        f'<g class="shape f-{point.family}{"" if whole else " open"}{rough}" data-i="{index}">'
        f'<{kind} points="{path(places)}"/>{marks}</g>'
    )


def corner(index: int, scale: Scale, real: bool) -> str:
    """Return a corner's name, and under it the raw value at the rim; `real` where real data was measured there."""
    x, y = spot(index, 1)
    x, y = (x, y - 26) if index == 0 else (x + (12 if index == 1 else -12), y + 22)
    words = rim(scale, real)
    return svg.text(x, y, CORNERS[index], "corner", "middle") + svg.text(x, y + 15, words, "tick", "middle")


def rim(scale: Scale, real: bool) -> str:
    """Return what the rim is, in raw units: real data's, or the best there is where that was not measured."""
    if scale.axis.key == "ms":
        return f"rim: {format.duration(scale.rim)} per image"
    sign = "≤" if scale.axis.better == "lower" else "≥"
    sign = "closer to 1 than" if scale.axis.better == "one" else sign
    return f"rim: {scale.axis.name} {sign} {number(scale.axis, scale.rim)}{', real' * real}"


def ticks(index: int, scale: Scale) -> str:
    """Return the raw values along the way from the centre to a corner."""
    parts = []
    for value in scale.ticks:
        x, y = spot(index, scale.place(value))
        parts.append(svg.circle(x, y, 1.6, "dot"))
        dx, dy, anchor = ((6, 3.5, "start"), (-2, -5, "end"), (2, -5, "start"))[index]
        parts.append(svg.text(x + dx, y + dy, tick(scale.axis, value), "scale", anchor))
    return "".join(parts)


def tick(axis: Axis, value: float) -> str:
    """Return a round raw value for a tick: '0.01', '50%', '10 s'."""
    if axis.key == "ms":
        return f"{value / 1000:g} s" if value >= 1000 else f"{value:g} ms"
    return f"{100 * value:g}%" if axis.percent else f"{value:g}"
