"""Small charts as inline SVG: rows in, markup out. Pure: no torch, no gradio.

SVG draws at once, follows the theme through the CSS variables of `dashboard.theme`, and can be replaced often
without cost. Every chart comes in a wide and a narrow drawing, and the style sheet shows the one that fits.
All text goes through `html.escape`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from dashboard import format, theme


@dataclass(frozen=True)
class Timing:
    """One row of the timing chart: a family's milliseconds per image, now and as shipped.

    Attributes:
        family: The family's name, for colour and marker.
        title: The family's name for people.
        ms: Milliseconds per image, of the last run; None when there was none.
        shipped: Milliseconds per image, as the checkpoint's `cost.json` says; None when there is none.
        calls: Network calls per image; 0 when unknown.
    """

    family: str
    title: str
    ms: float | None
    shipped: float | None
    calls: int


@dataclass(frozen=True)
class Spread:
    """One row of the diversity chart: the distances between the images of one family.

    Attributes:
        family: The family's name, for colour and marker.
        title: The family's name for people.
        n: Images.
        distances: (n (n - 1) / 2,) Euclidean distances between two images, pixels in [0, 1].
        mean: Their mean.
        margin: Half the 95% interval of the mean; NaN when n is under 3.
    """

    family: str
    title: str
    n: int
    distances: np.ndarray
    mean: float
    margin: float


def figure(draw: Callable[[int], str], label: str, wide: int = 560) -> str:
    """Return both drawings of a chart, wide and narrow; `draw` takes the width in pixels."""
    drawings = []
    for name, width in (("wide", wide), ("narrow", 330)):
        body, height = draw(width)
        drawings.append(
            f'<svg class="fig {name}" viewBox="0 0 {width} {height:g}" role="img" aria-label="{escape(label)}">'
            f"{body}</svg>"
        )
    return "".join(drawings)


def card(title: str, answer: str, drawing: str, reading: str) -> str:
    """Return a chart's card: title, what it says, the drawing, and one line that says how to read it."""
    return (
        f'<h3>{escape(title)}</h3><p class="answer">{escape(answer)}</p>{drawing}'
        f'<p class="reading">{escape(reading)}</p>'
    )


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    """Return one line of SVG text with its baseline at y."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """Return one SVG line."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def label(family: str, title: str, y: float) -> str:
    """Return a row's name with its family's marker, at the left edge."""
    return theme.mark(family, 8, y, 12) + (
        f'<text x="22" y="{y + 4.5:.1f}" class="name" style="fill:var(--text-{family})">{escape(title)}</text>'
    )


# ---- time per image


def compare_times(rows: Sequence[Timing]) -> str:
    """Return the timing chart's answer as a sentence."""
    known = [(row.ms or row.shipped, row.title) for row in rows if row.ms or row.shipped]
    if not known:
        return "Nothing has been timed yet. Generate times every lane."
    (fast, quick), (slow, steady) = min(known), max(known)
    if len(known) == 1:
        return f"{quick}: {format.duration(fast)} per image."
    if slow < 1.5 * fast:
        return f"All within a factor of {format.round_to(slow / fast)}: about {format.duration(fast)} per image."
    return f"In the time of one {steady} image, {quick} makes {format.round_to(slow / fast)}."


def timing(rows: Sequence[Timing], shipped_on: str = "") -> str:
    """Return the timing chart: milliseconds per image on a log axis, one row a family.

    Args:
        rows: The families, in the order of the lanes.
        shipped_on: The machine behind the hollow markers.
    """
    values = [ms for row in rows for ms in (row.ms, row.shipped) if ms]
    reading = "Further left is faster; each gridline is ten times the one before."
    if any(row.ms for row in rows):
        reading += " Filled: the last run here, this device alone."
    if any(row.shipped for row in rows):
        reading += f" Hollow: measured with the checkpoint{' on ' + shipped_on if shipped_on else ''}."
    answer = compare_times(rows)
    drawing = figure(lambda width: draw_timing(rows, values or [1, 100], width), f"Time per image. {answer}")
    return card("Time per image", answer, drawing, reading)


def draw_timing(rows: Sequence[Timing], values: Sequence[float], width: int) -> tuple[str, float]:
    """Return the timing chart's drawing at one width, and its height."""
    low, high = math.floor(math.log10(min(values) / 1.6)), math.ceil(math.log10(max(values) * 1.6))
    left, right, top, step = 86, width - 22, 12, 44
    bottom = top + step * max(1, len(rows))

    def at(ms: float) -> float:
        return left + (right - left) * (math.log10(ms) - low) / (high - low)

    parts = []
    for decade in range(low, high + 1):
        parts.append(line(at(10**decade), top, at(10**decade), bottom, "grid"))
        tick = f"{10**decade:,}" if decade >= 0 else f"{10.0**decade:g}"
        parts.append(text(at(10**decade), bottom + 18, tick, "tick", "middle"))
    parts.append(text((left + right) / 2, bottom + 38, "ms per image (log scale)", "axis", "middle"))
    for index, row in enumerate(rows):
        parts.append(timing_row(row, top + step * (index + 0.5), at, right))
    return "".join(parts), bottom + 46


def timing_row(row: Timing, y: float, at: Callable[[float], float], right: float) -> str:
    """Return one family's row of the timing chart."""
    parts = [label(row.family, row.title, y)]
    if row.shipped:
        if row.ms:
            parts.append(line(at(row.shipped), y, at(row.ms), y, "firm"))
        parts.append(theme.mark(row.family, at(row.shipped), y, 11, hollow=True))
    if row.ms:
        parts.append(theme.mark(row.family, at(row.ms), y, 14))
    shown = row.ms or row.shipped
    if not shown:
        return "".join([*parts, text(right, y + 4.5, "not timed yet", "tick", "end")])
    words = format.duration(shown) + (f", {row.calls:,} call{'s' * (row.calls != 1)}" if row.calls else "")
    ends = [at(ms) for ms in (row.ms, row.shipped) if ms]
    room = right + 20 - max(ends) > 7.2 * len(words) + 16
    parts.append(
        text(max(ends) + 14, y + 4.5, words, "value") if room else text(min(ends) - 14, y + 4.5, words, "value", "end")
    )
    return "".join(parts)


# ---- distances between images


def compare_spreads(rows: Sequence[Spread], real: float | None) -> str:
    """Return the diversity chart's answer as a sentence; `real` is the mean distance of real images."""
    rows = [row for row in rows if row.family != "real" and len(row.distances)]
    if not rows:
        return "Two images or more are needed to see how they differ."
    if real is None:
        means = [f"{row.title} {row.mean:.1f}" for row in rows]
        return f"Mean distance: {format.listing(means)}."
    groups: dict[str, list[str]] = {}
    for row in rows:
        gap = row.mean - real
        if not math.isfinite(row.margin) or abs(gap) <= row.margin:
            verdict = "as far apart as real images, as far as so few can tell"
        else:
            verdict = "more alike than real images" if gap < 0 else "further apart than real images"
        groups.setdefault(verdict, []).append(row.title)
    return ". ".join(f"{format.listing(names)}: {verdict}" for verdict, names in groups.items()) + "."


def distances(rows: Sequence[Spread], bins: np.ndarray | None = None, density: np.ndarray | None = None) -> str:
    """Return the diversity chart: how far apart two images are, one row a family, against real images.

    Args:
        rows: The families, in the order of the lanes.
        bins: (B + 1,) edges of the histogram of real images' distances; None when there is none.
        density: (B,) that histogram, with integral 1.
    """
    real = None if bins is None else float(np.sum((bins[1:] + bins[:-1]) / 2 * density * np.diff(bins)))
    reading = "Each outline: the distances between all pairs of a lane's images (Euclidean, pixels from 0 to 1)."
    if real is not None:
        reading += " Grey: pairs of real training images. Left of the dashed line: more alike than real ones."
    reading += " ± is a 95% jackknife interval over images."
    answer = compare_spreads(rows, real)
    shown = [row for row in rows if len(row.distances)]
    drawing = ""
    if shown:
        drawing = figure(lambda width: draw_spreads(shown, bins, density, real, width), f"Diversity. {answer}")
    return card("How different are they from one another?", answer, drawing, reading)


def draw_spreads(
    rows: Sequence[Spread], bins: np.ndarray | None, density: np.ndarray | None, real: float | None, width: int
) -> tuple[str, float]:
    """Return the diversity chart's drawing at one width, and its height."""
    edges = coarse_edges(rows, bins, density)
    left, right, top, step = 86, width - 86, 22, 54
    bottom = top + step * len(rows)
    span = edges[-1] - edges[0]

    def at(distance: float) -> float:
        return left + (right - left) * float(distance - edges[0]) / span

    peak = 2.0 * float(np.max(density)) if density is not None else 0.0
    heights = [np.histogram(row.distances, edges, density=True)[0] for row in rows]
    peak = max(min(peak or math.inf, max(float(np.max(h)) for h in heights)), float(peak) / 2, 1e-9)
    parts = []
    for tick in nice_ticks(edges[0], edges[-1]):
        parts.append(line(at(tick), top, at(tick), bottom, "grid"))
        parts.append(text(at(tick), bottom + 18, f"{tick:g}", "tick", "middle"))
    parts.append(text((left + right) / 2, bottom + 38, "distance between two images", "axis", "middle"))
    for index, (row, values) in enumerate(zip(rows, heights, strict=True)):
        base = top + step * (index + 1)
        if density is not None:
            parts.append(f'<path class="real" d="{steps(bins, density / peak, at, base, step - 8)}"/>')
        parts.append(
            f'<path d="{steps(edges, values / peak, at, base, step - 8)}" class="outline" '
            f'style="stroke:var(--mark-{row.family});fill:var(--mark-{row.family})"/>'
        )
        parts.append(line(left, base, right, base, "firm"))
        parts.append(label(row.family, row.title, base - 20))
        margin = f" ± {row.margin:.1f}" if math.isfinite(row.margin) else ""
        parts.append(text(width - 4, base - 16, f"{row.mean:.1f}{margin}", "value", "end"))
    parts.append(text(width - 4, top - 8, "mean", "tick", "end"))
    if real is not None:
        parts.append(line(at(real), top - 2, at(real), bottom, "mean"))
        parts.append(text(at(real), top - 8, f"real {real:.1f}", "tick", "middle"))
    return "".join(parts), bottom + 46


def coarse_edges(rows: Sequence[Spread], bins: np.ndarray | None, density: np.ndarray | None) -> np.ndarray:
    """Return about 24 bin edges that span the real distances (where they have mass) and the generated ones."""
    low = min(float(np.min(row.distances)) for row in rows)
    high = max(float(np.max(row.distances)) for row in rows)
    if bins is not None:
        mass = np.cumsum(density * np.diff(bins))
        low = min(low, float(bins[np.searchsorted(mass, 0.001)]))
        high = max(high, float(bins[min(np.searchsorted(mass, 0.999) + 1, len(bins) - 1)]))
    if high - low < 1e-6:
        low, high = low - 0.5, high + 0.5
    return np.linspace(max(0.0, low), high, 25)


def steps(edges: np.ndarray, heights: np.ndarray, at: Callable[[float], float], base: float, rise: float) -> str:
    """Return a histogram's outline as SVG path data; heights over 1 are cut, bins outside the axis left out."""
    first, last = at(edges[0]), at(edges[0])
    path = []
    for x1, x2, height in zip(edges[:-1], edges[1:], heights, strict=True):
        if height <= 0 and not path:
            first = at(x2)
            continue
        y = base - min(float(height), 1.0) * rise
        path.append(f"L{at(x1):.1f} {y:.1f}L{at(x2):.1f} {y:.1f}")
        last = at(x2)
    return f"M{first:.1f} {base:.1f}{''.join(path)}L{last:.1f} {base:.1f}"


def nice_ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Return round numbers between low and high, about as many as wanted."""
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = min((m * power for m in (1, 2, 5, 10)), key=lambda s: abs(s - rough))
    first = math.ceil(low / step)
    return [round(i * step, 10) for i in range(first, math.floor(high / step) + 1)]
