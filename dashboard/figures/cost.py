"""Figures of what generating images costs, as inline SVG: cost rows in, markup out. Pure: no torch, no gradio."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from dashboard import format, theme
from dashboard.figures import svg
from dashboard.figures.plot import Axis, Frame, Scale
from dashboard.format import plural, plus_minus
from dashboard.results.intervals import student
from dashboard.results.operating_points import BATCH, Measurements

APART = 22  # pixels between two ticks of batch sizes at least


@dataclass(frozen=True)
class Timed:
    """A cost row as the figures draw it: of a family `title`, `local` if measured here and not shipped."""

    row: Mapping[str, Any]
    title: str
    local: bool = False

    @property
    def family(self) -> str:
        """The family's name, for colour and marker."""
        return self.row["family"]

    @property
    def label(self) -> str:
        """The operating point's name."""
        return self.row["point"]["label"]

    @property
    def name(self) -> str:
        """The family and the operating point, for people."""
        return f"{self.title}, {self.label}"

    @property
    def calls(self) -> int:
        """Network calls per image."""
        return self.row["calls"]

    @property
    def source(self) -> str:
        """The machine, and whether it was measured here: what a visitor chooses among."""
        return f"{machine_name(self.row)}{' (measured here)' if self.local else ''}"

    @property
    def sweep(self) -> tuple[str, str]:
        """What points that one line is drawn through share: the checkpoint, and where they were measured."""
        return self.row["checkpoint"], self.source

    def timing(self, n: int) -> Mapping[str, Any] | None:
        """Return the timing of `n` images at once, None when it was not measured."""
        return next((batch for batch in self.row["batches"] if batch["n"] == n), None)


# ---- which rows


def timed(measured: Measurements, titles: Mapping[str, str]) -> list[Timed]:
    """Return the cost rows of known families that are not stale: the families in order, each in the rows' order."""
    order = list(titles)
    rows = [row for row in measured.costs if row["family"] in titles and not row.get("stale")]
    found = [Timed(row, titles[row["family"]], bool(row.get("local"))) for row in rows]
    return sorted(found, key=lambda point: order.index(point.family))


def headlines(points: Sequence[Timed]) -> list[Timed]:
    """Return each family's headline points, its first point where it has none, of each machine."""
    groups = format.grouped(((point.family, point.source), point) for point in points)
    return [
        point
        for group in groups.values()
        for point in ([p for p in group if p.row["point"]["kind"] == "headline"] or group[:1])
    ]


def cards(points: Sequence[Timed]) -> list[str]:
    """Return the cards of all figures, each of one machine: batch sizes and calls of each, then what it takes."""
    by_source = format.grouped((point.source, point) for point in sorted(points, key=lambda point: point.local))
    several = len(by_source) > 1
    drawn = [
        card
        for source, mine in by_source.items()
        for card in (batch_sizes(headlines(mine), source * several), network_calls(mine, source * several))
    ]
    return [*drawn, *(footprints(headlines(mine)) for mine in [*by_source.values()][:1])]


# ---- the machine


def machine_name(row: Mapping[str, Any]) -> str:
    """Return the machine of a cost row for people: 'Intel Xeon Processor, 2 threads, bfloat16'."""
    machine, settings = row["machine"], row["settings"]
    name = format.processor(machine["name"]) or str(machine["device"])
    threads = settings.get("threads") if machine["device"] == "cpu" else None
    return ", ".join(filter(None, [name, plural(threads, "thread") if threads else "", str(settings.get("dtype", ""))]))


def machines_of(points: Iterable[Timed]) -> str:
    """Return the machines behind some rows as one phrase."""
    return format.listing(list(dict.fromkeys(machine_name(point.row) for point in points)) or ["no machine"])


def sources(points: Sequence[Timed]) -> str:
    """Return the sentences that name the machine behind the filled marks and the one behind the hollow ones."""
    words = {False: "Filled:", True: "Hollow, dashed: measured here,"}
    groups = format.grouped((point.local, point) for point in sorted(points, key=lambda point: point.local))
    return " ".join(f"{words[local]} {machines_of(mine)}." for local, mine in groups.items())


# ---- the line through time against calls


@dataclass(frozen=True)
class Fit:
    """A least-squares line through milliseconds per image against network calls.

    Attributes:
        slope: Milliseconds per image that one more call takes.
        half: Half the slope's 95% interval; infinite with two points.
        intercept: Milliseconds per image that no call accounts for.
        furthest: The largest departure of a point from the line, as a share of the line.
        points: How many points there were.
    """

    slope: float
    half: float
    intercept: float
    furthest: float
    points: int

    def at(self, calls: float) -> float:
        """Return the line's milliseconds per image at `calls` network calls."""
        return self.intercept + self.slope * calls


def fit(calls: Sequence[float], ms: Sequence[float]) -> Fit | None:
    """Return the least-squares line through points, with a t-interval of its slope.

    Departures count as shares of a point's time, for a time is off by a share of itself: else one point of 1000 calls
    would decide where the line passes those of one to fifty.

    None when there are not two different numbers of calls, through which alone there is a line.
    """
    x, y = np.asarray(calls, float), np.asarray(ms, float)
    if len(set(x.tolist())) < 2:
        return None
    (slope, intercept), spread = np.polyfit(x, y, 1, w=1 / y, cov="unscaled")
    line = intercept + slope * x
    furthest = float(np.max(np.abs(y - line) / np.maximum(np.abs(line), 1e-12)))
    freedom, half = len(x) - 2, math.inf
    if freedom:
        half = student(freedom) * math.sqrt(float((((y - line) / y) ** 2).sum()) / freedom * spread[0, 0])
    return Fit(float(slope), half, float(intercept), furthest, len(x))


def fits(points: Sequence[Timed], n: int = BATCH) -> list[tuple[Timed, Fit]]:
    """Return the line of each checkpoint and source, with one of its points; those without a line are left out."""
    groups = format.grouped((point.sweep, point) for point in points if point.timing(n))
    lines = [
        (group[0], fit([p.calls for p in group], [p.timing(n)["ms_per_image"] for p in group]))
        for group in groups.values()
    ]
    return [(point, line) for point, line in lines if line]


def slope_words(title: str, line: Fit) -> str:
    """Return what a fitted line says, as a sentence."""
    if math.isinf(line.half):
        return f"{title}: a network call takes {format.duration(line.slope)} per image, by two points alone."
    share = f"{100 * line.furthest:.1f}%" if line.furthest < 0.1 else f"{100 * line.furthest:.0f}%"
    return (
        f"{title}: a network call takes {plus_minus(line.slope, line.half)} ms per image; no point is further than "
        f"{share} from the line through {line.points}."
    )


def path(spots: Iterable[svg.Spot], point: Timed) -> str:
    """Return a line in a point's colour, dashed where it was measured here."""
    dash = ";stroke-dasharray:5 4" * point.local
    return svg.path(svg.corners(spots), "trace", f"stroke:var(--mark-{point.family}){dash}")


# ---- time against batch size


def batch_sizes(points: Sequence[Timed], where: str = "") -> str:
    """Return the card of time per image and images per second against batch size, one line per operating point.

    `where` is their machine, for a title that is to tell it from others.
    """
    title = f"Many at once{f', {where}' if where else ''}"
    if not points:
        return svg.card(title, "Nothing has been timed on this data set yet.", "", "")
    answer = batch_words([p for p in points if not p.local] or points)
    drawing = svg.figure(lambda width: draw_batch_sizes(points, width), f"Time against batch size. {answer}")
    reading = (
        "Lower is faster. Left: milliseconds per image; right: the same as images per second; both axes are "
        "logarithmic. "
        f"A whisker reaches from the median to the 95th percentile. {sources(points)}"
    )
    return svg.card(title, answer, drawing + svg.badges({point.name: point.family for point in points}), reading)


def batch_words(points: Sequence[Timed]) -> str:
    """Return what making many images at once gains, as a sentence: each family's first point speaks for it."""
    gains = []
    for point in {p.family: p for p in reversed(points)}.values():
        alone, best = point.timing(1), min(point.row["batches"], key=lambda batch: batch["ms_per_image"])
        if alone and len(point.row["batches"]) > 1:
            gains.append((alone["ms_per_image"] / best["ms_per_image"], point.title, best["n"]))
    if not gains:
        return "Timed at one batch size only."
    gains.sort(key=lambda gain: -gain[0])
    words = [
        f"{title} {format.round_to(gain)} times at {n:,} at once" if gain >= 1.1 else f"{title} next to nothing"
        for gain, title, n in gains
    ]
    return f"What making many at once gains in images per second: {format.listing(words)}."


def draw_batch_sizes(points: Sequence[Timed], width: int) -> tuple[str, float]:
    """Return the drawing of time against batch size at one width, and its height."""
    batches = [batch for point in points for batch in point.row["batches"]]
    sizes = sorted({batch["n"] for batch in batches})
    across = Scale(sizes[0] / 1.25, max(sizes[-1], sizes[0] + 1) * 1.25, log=True)
    up = Scale.decades(batch["ms_per_image"] for batch in batches)
    frame = Frame(58, width - 62, 14, 296 if width > 400 else 276, across, up)
    kept: list[int] = []
    for size in sizes:
        if not kept or frame.x(size) - frame.x(kept[-1]) >= APART:
            kept.append(size)
    left = Axis("ms per image")
    parts = [frame.across(Axis("images made at once (log scale)", marks=kept, rule="")), frame.up(left)]
    parts += [svg.text(frame.right + 7, frame.y(ms) + 4, format.tick(1000 / ms), "tick") for ms in left.ticks(frame.y)]
    parts.append(svg.upright(width - 4, (frame.top + frame.bottom) / 2, "images per second"))
    several = {p.family for p in points if len({q.name for q in points if q.family == p.family}) > 1}
    parts += [batch_line(point, frame, point.family in several) for point in sorted(points, key=lambda p: p.local)]
    return "".join(parts), frame.height


def batch_line(point: Timed, frame: Frame, several: bool) -> str:
    """Return one operating point's line, whiskers and marks, and its calls where its family has `several` lines."""
    batches = sorted(point.row["batches"], key=lambda batch: batch["n"])
    spots = [frame.spot(batch["n"], batch["ms_per_image"]) for batch in batches]
    parts = [path(spots, point)]
    for batch, (x, y) in zip(batches, spots, strict=True):
        p95 = batch.get("ms_p95")
        if p95 and p95 > batch["ms"]:
            parts.append(svg.line(x, y, x, frame.y(p95 / batch["n"]), "trace", f"var(--mark-{point.family})"))
        each, rate = format.duration(batch["ms_per_image"]), format.round_to(batch["images_per_s"], 3)
        words = (
            f"{point.name}, {batch['n']:,} at once on {machine_name(point.row)}: {each} per image, "
            f"{rate} images per second, median of {batch['repeats']}"
        )
        parts.append(svg.titled(theme.mark(point.family, x, y, 10, point.local), words))
    if several and not point.local:
        parts.append(svg.text(spots[0][0], spots[0][1] - 10, plural(point.calls, "call"), "tick"))
    return "".join(parts)


# ---- time against network calls


def network_calls(points: Sequence[Timed], where: str = "", n: int = BATCH) -> str:
    """Return the card of time per image against network calls, with the line through each checkpoint's points.

    It is for `n` images at once; `where` is the machine, for a title that is to tell it from others.
    """
    title = f"What a network call costs{f', {where}' if where else ''}"
    shown = [point for point in points if point.timing(n)]
    if not shown:
        return svg.card(title, f"No operating point was timed with {n} images at once yet.", "", "")
    lines = fits(shown, n)
    sentences = [slope_words(f"{p.title}{' here' * p.local}", line) for p, line in lines]
    answer = " ".join(sentences) or "Every operating point takes the same number of network calls: there is no line."
    drawing = svg.figure(lambda width: draw_calls(shown, lines, n, width), f"Time against network calls. {answer}")
    left_out = len(points) - len(shown)
    reading = (
        f"Each mark is an operating point, {n} images at once. A line is the least-squares fit, in shares of the time, "
        f"through one checkpoint's points; ± is the 95% t-interval of its slope. Both axes are logarithmic. "
        f"{sources(shown)}"
    )
    if left_out:
        reading += f" Not timed at {n} at once, so not shown: {plural(left_out, 'point')}."
    return svg.card(title, answer, drawing + svg.badges({point.title: point.family for point in shown}), reading)


def draw_calls(points: Sequence[Timed], lines: Sequence[tuple[Timed, Fit]], n: int, width: int) -> tuple[str, float]:
    """Return the drawing of time against network calls at one width, and its height."""
    up = Scale.decades(point.timing(n)["ms_per_image"] for point in points)
    most = max(3, math.ceil(math.log10(max(point.calls for point in points))))
    across = Scale(0.75, 10.0**most * 1.3, log=True)
    frame = Frame(62, width - 20, 14, 296 if width > 400 else 276, across, up)
    parts = [frame.up(Axis(f"ms per image, {n} at once (log scale)"))]
    parts.append(frame.across(Axis("network calls per image (log scale)")))
    for point, line in lines:
        reach = [p.calls for p in points if p.sweep == point.sweep]
        steps = [calls for calls in np.geomspace(min(reach), max(reach), 40).tolist() if line.at(calls) > up.low]
        parts.append(path(frame.spots(steps, map(line.at, steps)), point) if len(steps) > 1 else "")
    for point in sorted(points, key=lambda p: p.local):
        ms = point.timing(n)["ms_per_image"]
        calls, where = plural(point.calls, "call"), machine_name(point.row)
        words = f"{point.name}, {calls} on {where}: {format.duration(ms)} per image"
        parts.append(svg.titled(theme.mark(point.family, *frame.spot(point.calls, ms), 10, point.local), words))
    return "".join(parts), frame.height


# ---- parameters, arithmetic, memory


def footprints(points: Sequence[Timed]) -> str:
    """Return the card that compares parameters, arithmetic and memory, one row per operating point."""
    title = "What it takes"
    if not points:
        return svg.card(title, "Nothing has been measured on this data set yet.", "", "")
    panels = [
        ("Parameters that are called", "", [p.row["parameters"] for p in points]),
        ("Arithmetic for one image", "FLOP", [p.row["flops"] for p in points]),
        ("Peak memory", "MB", [p.row.get("peak_memory_mb") for p in points]),
        ("Network calls per image", "", [p.calls for p in points]),
    ]
    drawings = "".join(panel(name, unit, values, points) for name, unit, values in panels)
    reading = (
        "Bars start at zero and share a scale within one panel. Arithmetic: floating point operations in matrix "
        "products and convolutions, a multiply and an add counted as two. Peak memory: the weights and what "
        f"generating adds, on {machines_of(points)}."
    )
    return svg.card(title, footprint_words(points), f'<div class="panels">{drawings}</div>', reading)


def footprint_words(points: Sequence[Timed]) -> str:
    """Return what stands out among parameters and arithmetic, as a sentence."""
    light, heavy = min(points, key=lambda p: p.row["flops"]), max(points, key=lambda p: p.row["flops"])
    if not light.row["flops"] or heavy.row["flops"] < 1.5 * light.row["flops"]:
        return "All take about the same arithmetic for an image."
    times = format.round_to(heavy.row["flops"] / light.row["flops"])
    sizes = heavy.row["parameters"] / max(1, light.row["parameters"])
    than = "with fewer parameters" if sizes < 1 else f"with {format.round_to(sizes)} times the parameters"
    return (
        f"One {heavy.title} image ({heavy.label}) takes {times} times the arithmetic of a {light.title} image, {than}."
    )


def panel(name: str, unit: str, values: Sequence[float | None], points: Sequence[Timed]) -> str:
    """Return one quantity as bars from zero, one row per operating point."""
    step, width, top = 40, 270, 24
    bars = Scale(0, max((value for value in values if value), default=0) or 1, end=width - 96)
    parts = [svg.text(0, 11, f"{name}{f', {unit}' if unit else ''}", "axis")]
    for index, (point, value) in enumerate(zip(points, values, strict=True)):
        y = top + step * index
        words = "not measured" if value is None else f"{format.count(value) if value >= 1000 else f'{value:,.4g}'}"
        parts.append(
            f'<text x="0" y="{y + 11}" class="tick"><tspan class="name" style="fill:var(--text-{point.family})">'
            f"{escape(point.title)}</tspan> {escape(format.shortened(point.label, 26))}</text>"
        )
        length = 0 if value is None else max(1.5, bars(value))
        parts.append(svg.rect(0, y + 17, length, 9, style=f"fill:var(--mark-{point.family})", rx=1.5))
        parts.append(svg.text(length + 7, y + 26, words, "value"))
    return svg.drawing("".join(parts), (width, top + step * len(points)), name, "panel")


# ---- the numbers


def numbers(points: Sequence[Timed]) -> str:
    """Return every timing as an HTML table, folded away."""
    head = ("model", "at once", "repeats", "median ms", "95th percentile ms", "ms per image", "images/s", "machine")
    body = []
    for point in points:
        for batch in point.row["batches"]:
            p95 = batch.get("ms_p95")
            numbers = (batch["ms"], p95, batch["ms_per_image"], batch["images_per_s"])
            cells = [f"{batch['n']:,}", f"{batch['repeats']}"]
            cells += ["–" if number is None else format.exact(number) for number in numbers]
            here = f"{machine_name(point.row)}{', measured here' * point.local}"
            figures = "".join(f"<td>{cell}</td>" for cell in cells)
            body.append(
                f'<tr><th scope="row">{escape(point.name)}</th>{figures}<td class="words">{escape(here)}</td></tr>'
            )
    heads = "".join(f'<th scope="col">{name}</th>' for name in head)
    return (
        '<details class="numbers"><summary>The numbers</summary><div class="sideways" tabindex="0" role="region" '
        f'aria-label="Every timing"><table><thead><tr>{heads}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'
        "</details>"
    )
