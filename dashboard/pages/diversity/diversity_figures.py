"""The charts of the Diversity page, as inline SVG and markup: rows in, text out. Pure: no torch, no gradio."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from dashboard import format, theme
from dashboard.figures import svg
from dashboard.figures.plot import Axis, Frame, Scale, outline
from dashboard.figures.svg import line, text
from dashboard.results import axes
from dashboard.results.operating_points import Measured, Measurements, Score
from dashboard.results.projection import wilson

COLUMNS = (24, 8)  # of the pictures of missed images, on a wide screen and on a phone
LOPSIDED = 0.02  # an interval's two sides differ by more than this share of a side: it has no one half
NAMED = 6.5  # pixels that a character of a class's name takes, written upwards
MANY_CLASSES = 20  # above this, a class is too narrow for a label and a whisker each


@dataclass(frozen=True)
class Reading:
    """The value of one metric of a family, `title` for people, beside real images' at the same n.

    Attributes:
        n: Images, real and generated alike.
        value: The value, None when there is none.
        baseline: What fresh real images reach at the same n, None when unknown.
        note: Why there is no value, in a few words.
    """

    family: str
    title: str
    n: int = 0
    value: Score | None = None
    baseline: Score | None = None
    note: str = ""

    @property
    def as_real(self) -> bool | None:
        """Whether the interval reaches that of real images; None when that cannot be told."""
        if self.value is None or self.baseline is None:
            return None
        return self.value.low <= self.baseline.high and self.baseline.low <= self.value.high


@dataclass(frozen=True)
class Panel:
    """One metric of a chart of dots, with what is on its axis, and a reading per family in their order.

    `percent` is whether values are shares, shown as percent.
    """

    title: str
    unit: str
    readings: Sequence[Reading]
    percent: bool = False

    @property
    def scale(self) -> float:
        """What a value is multiplied with before it is shown."""
        return 100.0 if self.percent else 1.0

    def words(self, value: Score, margin: bool = True) -> str:
        """Return a value for people, to the digit that its interval reaches: '93.1 ± 0.4%' or '0.960 ± 0.008'.

        An interval that reaches further on one side, as Wilson's does, is told by its ends: '99.5% (96.3 to 99.9)'.
        """
        digits, unit = (1, "%") if self.percent else (2, "")
        half = value.half * self.scale
        if not margin or half <= 0:
            return f"{value.mean * self.scale:.{digits}f}{unit}"
        digits = min(max(digits, -math.floor(math.log10(half))), digits + 1)
        if abs(value.low + value.high - 2 * value.mean) > LOPSIDED * value.half:
            low, high = (f"{end * self.scale:.{digits}f}" for end in (value.low, value.high))
            return f"{value.mean * self.scale:.{digits}f}{unit} ({low} to {high})"
        return f"{value.mean * self.scale:.{digits}f} ± {half:.{digits}f}{unit}"


PANELS = {  # metric: its name and the axis title; shares are shown as percent
    "recall": ("Recall", "share of test images", True),
    "coverage": ("Coverage", "share of test images", True),
    "vendi_ratio": ("Vendi score", "ratio to real images", False),
    "pairwise_ratio": ("Distance of two images", "ratio to real images", False),
    "class_balance": ("Class imbalance", "total variation to the real classes", True),
}


def at_one_n(
    found: Mapping[str, tuple[str, Sequence[Measured]]], given: Sequence[Measured] = ()
) -> dict[str, tuple[str, Measured | None, str]]:
    """Return, by family, its title, its row at one n that all have, and a note where it has none.

    These scores depend on n. The n that most families were measured at is taken, of several the one that most of the
    samples `given` were scored at, too, of several the largest; who was not measured at it is left out with the n
    that it has. `found` has, by family, its title and the rows of its chosen setting, one per n.
    """
    sizes = {family: {row.n for row in rows} for family, (_, rows) in found.items() if rows}
    every, theirs = set().union(*sizes.values()), [point.n for point in given]
    n = max(every, key=lambda n: (sum(n in mine for mine in sizes.values()), theirs.count(n), n), default=0)
    chosen = {}
    for family, (title, rows) in found.items():
        row = next((row for row in rows if row.n == n), None)
        others = format.listing([f"{size:,}" for size in sorted(sizes[family])]) if rows else ""
        note = f"left out: measured at n = {others}" if rows else "not measured at this setting"
        chosen[family] = title, row, "" if row else note
    return chosen


def beside(
    chosen: Mapping[str, tuple[str, Measured | None, str]], given: Sequence[Measured]
) -> tuple[dict[str, tuple[str, Measured | None, str]], str]:
    """Return the rows of `at_one_n` with given samples that were measured at their n, and a sentence on the rest.

    Where no family was measured, each of them stands with the n that it has.
    """
    sizes = {row.n for _, row, _ in chosen.values() if row}
    fitting = [point for point in given if point.n in sizes or not sizes]
    others = [f"{point.checkpoint} (n = {point.n:,})" for point in given if point not in fitting]
    rows = {f"{point.family} {point.checkpoint} {point.n}": (point.checkpoint, point, "") for point in fitting}
    words = f"Measured at another n, and so not shown here: {format.listing(others)}." if others else ""
    return {**chosen, **rows}, words


def measured_panel(
    rows: Mapping[str, tuple[str, Measured | None, str]], measurements: Measurements, extractor: str, metric: str
) -> Panel:
    """Return a metric's panel from the rows of an evaluation, see `at_one_n`."""
    title, unit, percent = PANELS[metric]
    axis = axes.DIVERSITIES.get(metric) or axes.Axis(metric, title, title, "one")
    readings = []
    for family, (name, row, note) in rows.items():
        if row is None:
            readings.append(Reading(family, name, note=note))
            continue
        real = axis.of(measurements.baseline(row.n), extractor)
        note = "left out" if axis.why_not(row, extractor) else ""
        readings.append(Reading(row.family, name, row.n, axis.of(row, extractor), real, note))
    return Panel(title, unit, readings, percent)


def made_panel(metric: str, rows: Mapping[str, tuple[str, int, Mapping[str, Score], Mapping[str, Score]]]) -> Panel:
    """Return a metric's panel of samples: by family, its name for people, n, its scores, and real images' at n."""
    title, unit, percent = PANELS[metric]
    readings = [
        Reading(family, name, n, scores.get(metric), baseline.get(metric), "" if metric in scores else "too few images")
        for family, (name, n, scores, baseline) in rows.items()
    ]
    return Panel(title, unit, readings, percent)


# ---- dots: one row per family, one panel per metric


def dots(panels: Sequence[Panel], label: str) -> str:
    """Return a chart with a panel per metric side by side (one below the other where it is narrow)."""
    return svg.figure(lambda width: draw_dots(panels, width), label)


def draw_dots(panels: Sequence[Panel], width: int) -> tuple[str, float]:
    """Return the drawing of `dots` at one width, and its height."""
    if width < 500 and len(panels) > 1:
        parts, top = [], 0.0
        for panel in panels:
            body, height = draw_dots([panel], width)
            parts.append(f'<g transform="translate(0 {top:g})">{body}</g>')
            top += height + 10
        return "".join(parts), top - 10
    top, step, gap = 30.0, 46.0, 38.0
    bottom = top + step * len(panels[0].readings)
    start = svg.names_end(reading.title for reading in panels[0].readings)
    room = (width - start - gap * len(panels) + gap - 8) / len(panels)
    parts = []
    for row, reading in enumerate(panels[0].readings):
        y = top + step * (row + 0.5)
        parts.append(svg.label(reading.family, reading.title, y))
        if reading.n:
            parts.append(text(22, y + 19, f"n = {reading.n:,}", "tick"))
    for place, panel in enumerate(panels):
        left = start + place * (room + gap)
        parts.append(dot_panel(panel, left, left + room, top, step))
    return "".join(parts), bottom + 46


def dot_panel(panel: Panel, left: float, right: float, top: float, step: float) -> str:
    """Return one panel of a chart of dots: grid, axis, and each reading's baseline, interval, mark and value."""
    frame = Frame(left, right, top, top + step * len(panel.readings), limits(panel))
    axis = Axis(panel.unit, 4, words=lambda value: f"{format.tick(value)}{'%' * panel.percent}")
    drawn = [dot(panel, reading, frame, top + step * (row + 0.5)) for row, reading in enumerate(panel.readings)]
    return "".join([text(left, top - 14, panel.title, "name"), frame.across(axis), *drawn])


def dot(panel: Panel, reading: Reading, frame: Frame, y: float) -> str:
    """Return one reading: the baseline as a grey band, the interval as a line, the mark, and the value in words."""
    parts = []
    if reading.baseline is not None:
        x1, x2 = (frame.x(end * panel.scale) for end in (reading.baseline.low, reading.baseline.high))
        x1, x2 = min(x1, (x1 + x2) / 2 - 1.5), max(x2, (x1 + x2) / 2 + 1.5)
        words = f"real images: {panel.words(reading.baseline)}"
        parts.append(svg.rect(x1, y - 19, x2 - x1, 38, "baseline", title=words))
    if reading.value is None:
        return "".join([*parts, text(frame.left + 4, y + 4.5, reading.note or "not measured", "tick")])
    x, words, family = frame.x(reading.value.mean * panel.scale), panel.words(reading.value), reading.family
    low, high = (frame.x.nearest(end * panel.scale) for end in (reading.value.low, reading.value.high))
    half = 3.5 * len(words)
    place = min(max(x, frame.left + half), frame.right - half)
    mark = line(low, y + 4, high, y + 4, "whisker", f"var(--mark-{family})") + theme.mark(family, x, y + 4, 12)
    return "".join([*parts, svg.element("g", mark, kind="dot"), text(place, y - 8, words, "value", "middle")])


def limits(panel: Panel) -> Scale:
    """Return the scale of a panel in shown units: all intervals and baselines, and some room."""
    found = [value for reading in panel.readings for value in (reading.value, reading.baseline) if value is not None]
    if not found:
        return Scale(0.0, panel.scale)
    low = min(value.low for value in found) * panel.scale
    high = max(value.high for value in found) * panel.scale
    room = 0.12 * max(high - low, 0.05 * max(abs(high), abs(low)), 1e-6)
    low, high = low - room, high + room
    return Scale(max(low, 0.0), 100.0 if panel.percent and high > 100 >= low else high)


def verdicts(panel: Panel) -> str:
    """Return what each family's value says against its baseline, families with the same verdict together."""

    def verdict(reading: Reading) -> str:
        if reading.as_real is None:
            return panel.words(reading.value)
        if reading.as_real:
            return "as varied as real images, as far as can be told"
        return f"{'less' if reading.value.mean < reading.baseline.mean else 'more'} varied than real images"

    found = format.grouped((verdict(one), one.title) for one in panel.readings if one.value is not None)
    return " ".join(f"{format.listing(names)}: {words}." for words, names in found.items())


# ---- recall and coverage, Vendi and pairwise ratio


def reach(panels: Sequence[Panel], made: Sequence[Panel] = (), what: str = "", space: str = "") -> str:
    """Return the card of recall and coverage as measured, and of the samples `made` on the page, which are `what`.

    All of it is measured in the features `space`.
    """
    coverage = panels[1]
    known = [reading for reading in coverage.readings if reading.value is not None]
    shares = [f"{reading.title} {coverage.words(reading.value, margin=False)}" for reading in known]
    answer = f"Test images that have a generated one near them: {format.listing(shares)}." if shares else ""
    if shares:
        baselines = {coverage.words(one.baseline, margin=False) for one in known if one.baseline is not None}
        answer += f" Fresh real images reach {format.listing(sorted(baselines))}." if baselines else ""
        answer += "".join(f" {one.title}: {one.note}." for one in coverage.readings if one.value is None and one.note)
    reading = (
        "Recall: the share of test images that lie near a generated one, by the generated ones' own spacing. Coverage: "
        "the share with a generated one nearer than their 5th real neighbour. Right is better. Grey band: real "
        "training images in the same number, scored the same way. Line: 95% interval."
    )
    return two_charts("How much of the real variety do they reach?", answer, (panels, made), what, reading, space)


def variety(panels: Sequence[Panel], made: Sequence[Panel] = (), what: str = "", space: str = "") -> str:
    """Return the card of the Vendi ratio and the ratio of pairwise distances; see `reach`."""
    reading = (
        "Vendi: the effective number of different images, divided by that of as many real ones. Distance: the mean "
        "distance of two images, divided the same way. 1 is as varied as real; above 1 can be noise. Grey band: real "
        "training images in the same number. Line: 95% interval."
    )
    title = "How varied are they among themselves?"
    return two_charts(title, verdicts(panels[0]), (panels, made), what, reading, space)


def two_charts(
    title: str, answer: str, charts: tuple[Sequence[Panel], Sequence[Panel]], what: str, reading: str, space: str
) -> str:
    """Return a card with the measured chart and, once there are samples, theirs below it."""
    panels, made = charts
    answer = answer or "Nothing has been measured here yet: python -m gencore evaluate"
    drawing = dots(panels, f"{title} {answer}") if panels[0].readings else ""
    if made:
        drawing += f'<p class="part">{escape(what)}</p>{dots(made, what)}'
    return svg.card(title, answer, drawing, reading + (f" Scores in {space}." if space else ""))


# ---- classes


@dataclass(frozen=True)
class Classes:
    """How often the classifier sees each of K classes in the samples of a family, `title` for people."""

    family: str
    title: str
    counts: np.ndarray


def classes(
    real: np.ndarray | None,
    rows: Sequence[Classes],
    balance: Panel | None = None,
    what: str = "",
    note: str = "",
    names: Sequence[str] = (),
) -> str:
    """Return the card of the class histogram.

    Args:
        real: (K,) shares of the classes among real images; None without labels.
        rows: The samples of each family, none before they are made.
        balance: What was measured: the total variation to the real histogram.
        what: Which samples.
        note: One sentence on what is missing.
        names: (K,) what the classes are called; () where their numbers say it.
    """
    drawing, answer = "" if balance is None else dots([balance], "Measured class balance"), note
    reading = (
        "Total variation: the share of images that would have to change class to match real ones; 0 is best. "
        "Grey band: real training images in the same number."
    )
    if real is not None:
        answer = missing_classes(rows, names)
        label = f"Classes of real and generated images. {answer}"
        drawing += f'<p class="part">{escape(what)}</p>' if rows else ""
        drawing += svg.figure(lambda width: draw_classes(real, rows, width, names), label)
        reading += " Bars: the classes of real images."
        reading += " Marks: of the samples, with the 95% interval that so many leave." if rows else ""
    return svg.card("Does every class get its share?", answer, drawing, reading)


def missing_classes(rows: Sequence[Classes], names: Sequence[str] = ()) -> str:
    """Return a sentence on the classes that no sample falls in."""
    if not rows:
        return "Made by you, samples stand here beside the real classes."
    gone = [
        f"{row.title} has none of {'' if names else 'class '}"
        + format.listing([names[k] if names else str(k) for k in np.flatnonzero(row.counts == 0)])
        for row in rows
        if (row.counts == 0).any()
    ]
    return "; ".join(gone) + "." if gone else "No class is missing in any of the samples."


def draw_classes(real: np.ndarray, rows: Sequence[Classes], width: int, names: Sequence[str] = ()) -> tuple[str, float]:
    """Return the class histogram's drawing at one width, and its height."""
    ends = [wilson(row.counts, int(row.counts.sum())) for row in rows]
    high = 1.08 * max([float(real.max()), *(float(end[1].max()) for end in ends)])
    frame = Frame(44, width - 6, 24, 202, Scale(0, len(real)), Scale(0, 100 * high))
    parts = [frame.up(Axis(wanted=4, words=lambda value: f"{format.tick(value)}%"))]
    slot, bottom = frame.x(1) - frame.left, frame.bottom
    for k, share in enumerate(real):
        top, words = frame.y(100 * share), f"{class_name(k, names)}: {share:.1%} of real images"
        parts.append(svg.rect(frame.x(k + 0.08), top, 0.84 * slot, bottom - top, "real", title=words))
    for k in range(0, len(real), math.ceil(len(real) / MANY_CLASSES)):
        x = frame.x(k + 0.5)
        parts.append(
            svg.turned(x + 4, bottom + 8, names[k]) if names else text(x, bottom + 18, str(k), "tick", "middle")
        )
    for place, (row, (low, top)) in enumerate(zip(rows, ends, strict=True)):
        parts.append(class_marks(row, low, top, frame, (place + 1) / (len(rows) + 1), names))
    parts.append("" if names else frame.across(Axis("class, as the classifier sees it", marks=())))
    parts.append(text(frame.left, frame.top - 8, "share of images", "axis"))
    below = NAMED * max(map(len, names)) if names else 0.0
    return "".join([*parts, frame.base()]), max(frame.height, bottom + 16 + below)


def class_name(k: int, names: Sequence[str]) -> str:
    """Return what class k is called: its name, else its number."""
    return names[k] if names else f"class {k}"


def class_marks(
    row: Classes, low: np.ndarray, high: np.ndarray, frame: Frame, place: float, names: Sequence[str] = ()
) -> str:
    """Return one family's marks at a place in each class's slot, each with its whisker where there is room."""
    parts, colour = [], f"var(--mark-{row.family})"
    shares = row.counts / max(1, row.counts.sum())
    for k, share in enumerate(shares):
        x, (y, y1, y2) = frame.x(k + place), (frame.y(100 * float(value)) for value in (share, low[k], high[k]))
        if len(shares) <= MANY_CLASSES:
            parts.append(line(x, y1, x, y2, "whisker", colour))
        words = f"{row.title}: {int(row.counts[k])} of {class_name(k, names)}, {share:.1%}"
        size = min(9.0, 0.5 * (frame.x(1) - frame.left))
        parts.append(svg.titled(theme.mark(row.family, x, y, size), words))
    return "".join(parts)


# ---- the nearest training image


def nearness(gaps: np.ndarray, distance: float, family: str, space: str) -> str:
    """Return the histogram of real test images' distances to their nearest training image, with one sample's mark.

    `gaps` (m,) are the distances, `distance` is the sample's; they are measured in `space`.
    """
    high = 1.04 * max(float(np.quantile(gaps, 0.995)), distance)
    heights, edges = np.histogram(gaps, 36, (0, high), density=True)
    frame = Frame(8, 332, 26, 96, Scale(0, high))
    x = frame.x(distance)
    parts = [
        frame.base(),
        frame.across(Axis(f"distance to the nearest training image, {space}", rule="")),
        svg.path(outline(edges, heights / heights.max(), frame.x, frame.bottom, frame.bottom - frame.top), "real"),
        line(x, frame.top - 6, x, frame.bottom, "mean"),
        theme.mark(family, x, frame.top - 12, 12),
    ]
    label = f"Distances of real test images to their nearest training image; this sample: {distance:.2f}"
    return svg.drawing("".join(parts), (340, frame.height), label)


def copying(gaps: np.ndarray, distance: float) -> str:
    """Return what a sample's distance to its nearest training image says, beside real test images'."""
    nearer = float((gaps < distance).mean())
    if distance <= 1e-6:
        return "It is a training image."
    if nearer < 0.005:
        share = max(nearer, 1 / len(gaps))
        return f"Nearer to a training image than all but {share:.1%} of real test images: it may be a copy."
    if nearer > 0.995:
        return "Further from every training image than nearly all real test images: it looks like none of them."
    return f"{nearer:.0%} of real test images are nearer to a training image than this sample: nothing unusual."


# ---- real images that no sample covers


@dataclass(frozen=True)
class Missed:
    """The real images that the samples of a family, `title` for people, leave uncovered.

    Attributes:
        n: Real images, and samples.
        count: How many are uncovered.
        least: The lower end of the 95% interval of `count`.
        expected: How many real training images in the same number leave uncovered.
        pictures: The most uncovered ones as data URIs of two pictures, `COLUMNS` wide; () when the data set is not at
            hand.
        shown: How many are in a picture.
    """

    family: str
    title: str
    n: int
    count: int
    least: float
    expected: Score | None
    pictures: tuple[str, ...] = ()
    shown: int = 0

    @property
    def verdict(self) -> str:
        """What the count says against real images'."""
        if self.expected is None:
            return ""
        if self.least > self.expected.high:
            return "more than real images do"
        return "no more than real images do, as far as can be told"


def missed(rows: Sequence[Missed], at_hand: bool, note: str = "") -> str:
    """Return the card with the real images that no sample is near to."""
    title = "Which real images do they miss?"
    if not rows:
        note = note or "Generate samples to see the test images that none of them comes near."
        return svg.card(title, note, "", "")
    body = "".join(missed_row(row) for row in rows)
    groups = format.grouped((row.verdict, row.title) for row in rows if row.verdict)
    answer = " ".join(
        f"{format.listing(names)} miss{'es' * (len(names) == 1)} {words}." for words, names in groups.items()
    )
    reading = (
        "Missed: no sample is nearer to it than its 5th nearest other test image, the rule behind coverage. "
        "With more samples, fewer are missed; only equal numbers compare."
    )
    if not at_hand:
        reading += " The images themselves can be shown only where the data set is at hand."
    return svg.card(title, answer, body, reading)


def missed_row(row: Missed) -> str:
    """Return one family's row of the card of missed images."""
    expected = ""
    if row.expected is not None:
        margin = f" ± {row.expected.half:.0f}" if row.expected.half >= 0.5 else ""
        expected = f" Real training images in the same number miss {row.expected.mean:.0f}{margin}."
    more = f" Shown: the {row.shown} furthest from any sample." if 0 < row.shown < row.count else ""
    alt = f"{row.shown} test images that no {escape(row.title)} sample comes near"
    pictures = "".join(
        f'<img class="{kind}" src="{picture}" alt="{alt}" style="width:{min(1, row.shown / columns):.2%}">'
        for kind, picture, columns in zip(("wide", "narrow"), row.pictures, COLUMNS, strict=False)
    )
    return (
        f'<div class="missed f-{row.family}"><p>{theme.badge(row.family)}<span><b>{escape(row.title)}</b> '
        f"misses <strong>{row.count:,}</strong> of {row.n:,} test images.{expected}{more}</span></p>{pictures}</div>"
    )
