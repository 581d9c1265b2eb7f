"""How far apart the images of one family are, against real ones, as inline SVG. Pure: distances in, markup out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dashboard import format
from dashboard.figures import svg
from dashboard.figures.plot import Axis, Frame, Scale, outline

STEP = 54  # pixels from one family to the next


@dataclass(frozen=True)
class Spread:
    """The n (n - 1) / 2 distances between the n images of one family, `title` for people.

    `margin` is half the 95% interval of their mean; NaN when n is under 3.
    """

    family: str
    title: str
    n: int
    distances: np.ndarray
    mean: float
    margin: float


@dataclass(frozen=True)
class Reference:
    """The distances between two real images: a histogram of integral 1, `edges` (B + 1,) and `density` (B,)."""

    edges: np.ndarray
    density: np.ndarray
    what: str = "real images"

    @property
    def mean(self) -> float:
        """The mean distance."""
        return float(np.sum((self.edges[1:] + self.edges[:-1]) / 2 * self.density * np.diff(self.edges)))

    def ends(self) -> tuple[float, float]:
        """Return between which edges all but a thousandth lies on either side."""
        mass = np.cumsum(self.density * np.diff(self.edges))
        last = min(int(np.searchsorted(mass, 0.999)) + 1, len(self.edges) - 1)
        return float(self.edges[np.searchsorted(mass, 0.001)]), float(self.edges[last])


def card(title: str, what: str, rows: Sequence[Spread], real: Reference | None) -> str:
    """Return the chart's card: how far apart two images are, one row per family, against real images where known.

    `what` says what an outline shows: of which images, and what a distance is measured in.
    """
    answer = compare(rows, real)
    shown = [row for row in rows if len(row.distances)]
    drawing = svg.figure(lambda width: draw(shown, real, width), f"Distances. {answer}") if shown else ""
    reading = f"Each outline: {what}."
    if real:
        reading += f" Grey: pairs of {real.what}. Left of the dashed line: more alike than real ones."
    return svg.card(title, answer, drawing, f"{reading} ± is a 95% jackknife interval over images.")


def compare(rows: Sequence[Spread], real: Reference | None) -> str:
    """Return the chart's answer as a sentence."""
    rows = [row for row in rows if row.family != "real" and len(row.distances)]
    if not rows:
        return "Two images or more are needed to see how they differ."
    if real is None:
        means = [f"{row.title} {row.mean:.1f}" for row in rows]
        return f"Mean distance: {format.listing(means)}."
    found = []
    for row in rows:
        gap = row.mean - real.mean
        if not math.isfinite(row.margin) or abs(gap) <= row.margin:
            verdict = "as far apart as real images, as far as so few can tell"
        else:
            verdict = "more alike than real images" if gap < 0 else "further apart than real images"
        found.append((verdict, row.title))
    return ". ".join(f"{format.listing(names)}: {verdict}" for verdict, names in format.grouped(found).items()) + "."


def draw(rows: Sequence[Spread], real: Reference | None, width: int) -> tuple[str, float]:
    """Return the drawing at one width, and its height."""
    edges = coarse_edges(rows, real)
    heights = [np.histogram(row.distances, edges, density=True)[0] for row in rows]
    highest = max(float(np.max(height)) for height in heights)
    known = float(np.max(real.density)) if real else 0.0
    peak = max(min(2 * known or math.inf, highest), known, 1e-9)
    left = svg.names_end(row.title for row in rows)
    frame = Frame(left, width - 86, 22, 22 + STEP * len(rows), Scale(edges[0], edges[-1]))
    parts = [frame.across(Axis("distance between two images"))]
    for index, (row, height) in enumerate(zip(rows, heights, strict=True)):
        base = frame.top + STEP * (index + 1)
        if real:
            parts.append(svg.path(outline(real.edges, real.density / peak, frame.x, base, STEP - 8), "real"))
        colour = f"var(--mark-{row.family})"
        line = outline(edges, height / peak, frame.x, base, STEP - 8)
        parts.append(svg.path(line, "outline", f"stroke:{colour};fill:{colour}"))
        parts.append(svg.line(frame.left, base, frame.right, base, "firm"))
        parts.append(svg.label(row.family, row.title, base - 20))
        margin = f" ± {row.margin:.1f}" if math.isfinite(row.margin) else ""
        parts.append(svg.text(width - 4, base - 16, f"{row.mean:.1f}{margin}", "value", "end"))
    parts.append(svg.text(width - 4, frame.top - 8, "mean", "tick", "end"))
    if real:
        x = frame.x(real.mean)
        parts.append(svg.line(x, frame.top - 2, x, frame.bottom, "mean"))
        parts.append(svg.text(x, frame.top - 8, f"real {real.mean:.1f}", "tick", "middle"))
    return "".join(parts), frame.height


def coarse_edges(rows: Sequence[Spread], real: Reference | None) -> np.ndarray:
    """Return 25 bin edges that span the real distances (where they have mass) and the generated ones."""
    every = np.concatenate([*(row.distances for row in rows), real.ends() if real else ()])
    low, high = float(every.min()), float(every.max())
    if high - low < 1e-6:
        low, high = low - 0.5, high + 0.5
    return np.linspace(max(0.0, low), high, 25)
