"""The charts of the Diversity page, as inline SVG and markup: rows in, text out. Pure: no torch, no gradio."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from dashboard import format, theme
from dashboard.figures import svg
from dashboard.figures.svg import line, text
from dashboard.results.operating_points import Measured, Measurements, Score
from dashboard.results.projection import wilson

LEFT = 86  # where the names end
COLUMNS = (24, 8)  # of the pictures of missed images, on a wide screen and on a phone
LOPSIDED = 0.02  # an interval's two sides differ by more than this share of a side: it has no one half
MANY_CLASSES = 20  # above this, a class is too narrow for a label and a whisker each


@dataclass(frozen=True)
class Reading:
    """One family's value of one metric, beside real images' at the same n.

    Attributes:
        family: The family's name, for colour and marker.
        title: The family's name for people.
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
    """One metric of a chart of dots.

    Attributes:
        title: The metric's name.
        unit: The axis title.
        readings: One a family, in the order of the families.
        percent: Whether values are shares, shown as percent.
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


def at_one_n(found: Mapping[str, tuple[str, Sequence[Measured]]]) -> dict[str, tuple[str, Measured | None, str]]:
    """Return, by family, its title, its row at one n that all have, and a note where it has none.

    These scores depend on n. The largest n that all families were measured at is taken; where they share none, the one
    that most were measured at (of several the largest), and the others are left out with the n that they have.

    Args:
        found: By family, its title and the rows of its chosen setting, one an n.
    """
    sizes = {family: {row.n for row in rows} for family, (_, rows) in found.items() if rows}
    every = set().union(*sizes.values())
    n = max(every, key=lambda n: (sum(n in mine for mine in sizes.values()), n), default=0)
    chosen = {}
    for family, (title, rows) in found.items():
        row = next((row for row in rows if row.n == n), None)
        others = format.listing([f"{size:,}" for size in sorted(sizes[family])]) if rows else ""
        note = f"left out: measured at n = {others}" if rows else "not measured at this setting"
        chosen[family] = title, row, "" if row else note
    return chosen


def measured_panel(
    rows: Mapping[str, tuple[str, Measured | None, str]], measurements: Measurements, extractor: str, metric: str
) -> Panel:
    """Return a metric's panel from the rows of an evaluation, see `at_one_n`."""
    title, unit, percent = PANELS[metric]
    readings = []
    for family, (name, row, note) in rows.items():
        if row is None:
            readings.append(Reading(family, name, note=note))
            continue
        baseline = measurements.baseline(row.n)
        readings.append(
            Reading(
                family, name, row.n, row.score(metric, extractor),
                baseline.score(metric, extractor) if baseline else None,
                "left out" if row.why_not(metric, extractor) else "",
            )
        )  # fmt: skip
    return Panel(title, unit, readings, percent)


def made_panel(metric: str, rows: Mapping[str, tuple[str, int, Mapping[str, Score], Mapping[str, Score]]]) -> Panel:
    """Return a metric's panel of samples: by family, its name for people, n, its scores, and real images' at n."""
    title, unit, percent = PANELS[metric]
    readings = [
        Reading(family, name, n, scores.get(metric), baseline.get(metric), "" if metric in scores else "too few images")
        for family, (name, n, scores, baseline) in rows.items()
    ]
    return Panel(title, unit, readings, percent)


# ---- dots: one row a family, one panel a metric


def dots(panels: Sequence[Panel], label: str) -> str:
    """Return a chart with a panel a metric side by side (one below the other where it is narrow)."""
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
    room = (width - LEFT - gap * len(panels) + gap - 8) / len(panels)
    parts = []
    for row, reading in enumerate(panels[0].readings):
        y = top + step * (row + 0.5)
        parts.append(svg.label(reading.family, reading.title, y))
        if reading.n:
            parts.append(text(22, y + 19, f"n = {reading.n:,}", "tick"))
    for place, panel in enumerate(panels):
        left = LEFT + place * (room + gap)
        parts.append(dot_panel(panel, left, left + room, top, step))
    return "".join(parts), bottom + 46


def dot_panel(panel: Panel, left: float, right: float, top: float, step: float) -> str:
    """Return one panel of a chart of dots: grid, axis, and each reading's baseline, interval, mark and value."""
    bottom = top + step * len(panel.readings)
    low, high = limits(panel)

    def at(value: float) -> float:
        return left + (right - left) * (value * panel.scale - low) / (high - low)

    parts = [text(left, top - 14, panel.title, "name")]
    for tick in svg.nice_ticks(low, high, 4):
        x = at(tick / panel.scale)
        parts.append(line(x, top, x, bottom, "grid"))
        parts.append(text(x, bottom + 18, f"{tick:g}{'%' * panel.percent}", "tick", "middle"))
    parts.append(text((left + right) / 2, bottom + 38, panel.unit, "axis", "middle"))
    for row, reading in enumerate(panel.readings):
        parts.append(dot(panel, reading, at, (left, right), top + step * (row + 0.5)))
    return "".join(parts)


def dot(panel: Panel, reading: Reading, at: Callable[[float], float], ends: tuple[float, float], y: float) -> str:
    """Return one reading: the baseline as a grey band, the interval as a line, the mark, and the value in words."""
    parts = []
    if reading.baseline is not None:
        x1, x2 = at(reading.baseline.low), at(reading.baseline.high)
        x1, x2 = min(x1, (x1 + x2) / 2 - 1.5), max(x2, (x1 + x2) / 2 + 1.5)
        words = f"real images: {panel.words(reading.baseline)}"
        parts.append(
            f'<rect class="baseline" x="{x1:.1f}" y="{y - 19:.1f}" width="{x2 - x1:.1f}" height="38">'
            f"<title>{escape(words)}</title></rect>"
        )
    if reading.value is None:
        return "".join([*parts, text(ends[0] + 4, y + 4.5, reading.note or "not measured", "tick")])
    x, words = at(reading.value.mean), panel.words(reading.value)
    low, high = (min(max(at(end), ends[0]), ends[1]) for end in (reading.value.low, reading.value.high))
    half = 3.5 * len(words)
    place = min(max(x, ends[0] + half), ends[1] - half)
    parts.append(
        f'<g class="dot"><line x1="{low:.1f}" y1="{y + 4:.1f}" x2="{high:.1f}" y2="{y + 4:.1f}" class="whisker" '
        f'style="stroke:var(--mark-{reading.family})"/>'
        f"{theme.mark(reading.family, x, y + 4, 12)}</g>"
    )
    return "".join([*parts, text(place, y - 8, words, "value", "middle")])


def limits(panel: Panel) -> tuple[float, float]:
    """Return the ends of a panel's axis in shown units: all intervals and baselines, and some room."""
    found = [value for reading in panel.readings for value in (reading.value, reading.baseline) if value is not None]
    if not found:
        return (0.0, 100.0) if panel.percent else (0.0, 1.0)
    low = min(value.low for value in found) * panel.scale
    high = max(value.high for value in found) * panel.scale
    span = max(high - low, 0.05 * max(abs(high), abs(low)), 1e-6)
    low, high = low - 0.12 * span, high + 0.12 * span
    return (max(low, 0.0), min(high, 100.0) if high > 100 >= low else high) if panel.percent else (max(low, 0.0), high)


def verdicts(panel: Panel) -> str:
    """Return what each family's value says against its baseline, families with the same verdict together."""
    groups: dict[str, list[str]] = {}
    for reading in panel.readings:
        if reading.value is None:
            continue
        if reading.as_real is None:
            words = panel.words(reading.value)
        elif reading.as_real:
            words = "as varied as real images, as far as can be told"
        else:
            words = f"{'less' if reading.value.mean < reading.baseline.mean else 'more'} varied than real images"
        groups.setdefault(words, []).append(reading.title)
    return " ".join(f"{format.listing(names)}: {words}." for words, names in groups.items())


# ---- recall and coverage, Vendi and pairwise ratio


def reach(panels: Sequence[Panel], made: Sequence[Panel] = (), what: str = "", space: str = "") -> str:
    """Return the card of recall and coverage.

    Args:
        panels: What was measured.
        made: The samples made on the page.
        what: Which samples those are.
        space: The features that all of it is measured in.
    """
    known = [reading for reading in panels[1].readings if reading.value is not None]
    shares = [f"{reading.title} {panels[1].words(reading.value, margin=False)}" for reading in known]
    answer = f"Test images that have a generated one near them: {format.listing(shares)}." if shares else ""
    if shares:
        baselines = {
            panels[1].words(reading.baseline, margin=False) for reading in known if reading.baseline is not None
        }
        answer += f" Fresh real images reach {format.listing(sorted(baselines))}." if baselines else ""
        answer += "".join(f" {one.title}: {one.note}." for one in panels[1].readings if one.value is None and one.note)
    return two_charts(
        "How much of the real variety do they reach?",
        answer or "Nothing has been measured here yet: python -m gencore evaluate",
        panels,
        made,
        what,
        "Recall: the share of test images that lie near a generated one, by the generated ones' own spacing. Coverage: "
        "the share with a generated one nearer than their 5th real neighbour. Right is better. Grey band: real "
        f"training images in the same number, scored the same way. Line: 95% interval.{in_features(space)}",
    )


def in_features(space: str) -> str:
    """Return the sentence that names the features, with a space before it; '' without a name."""
    return f" Scores in {space}." if space else ""


def variety(panels: Sequence[Panel], made: Sequence[Panel] = (), what: str = "", space: str = "") -> str:
    """Return the card of the Vendi ratio and the ratio of pairwise distances; see `reach`."""
    answer = verdicts(panels[0])
    return two_charts(
        "How varied are they among themselves?",
        answer or "Nothing has been measured here yet: python -m gencore evaluate",
        panels,
        made,
        what,
        "Vendi: the effective number of different images, divided by that of as many real ones. Distance: the mean "
        "distance of two images, divided the same way. 1 is as varied as real; above 1 can be noise. Grey band: real "
        f"training images in the same number. Line: 95% interval.{in_features(space)}",
    )


def two_charts(title: str, answer: str, panels: Sequence[Panel], made: Sequence[Panel], what: str, reading: str) -> str:
    """Return a card with the measured chart and, once there are samples, theirs below it."""
    drawing = dots(panels, f"{title} {answer}") if panels[0].readings else ""
    if made:
        drawing += f'<p class="part">{escape(what)}</p>{dots(made, what)}'
    return svg.card(title, answer, drawing, reading)


# ---- classes


@dataclass(frozen=True)
class Classes:
    """How often the classifier sees each class in a family's samples.

    Attributes:
        family: The family's name.
        title: Its name for people.
        counts: (K,) samples a class.
    """

    family: str
    title: str
    counts: np.ndarray


def classes(
    real: np.ndarray | None, rows: Sequence[Classes], balance: Panel | None = None, what: str = "", note: str = ""
) -> str:
    """Return the card of the class histogram.

    Args:
        real: (K,) shares of the classes among real images; None without labels.
        rows: The samples of each family, none before they are made.
        balance: What was measured: the total variation to the real histogram.
        what: Which samples.
        note: One sentence on what is missing.
    """
    drawing = ""
    if balance is not None:
        drawing += dots([balance], "Measured class balance")
    if real is not None:
        answer = missing_classes(rows)
        label = f"Classes of real and generated images. {answer}"
        drawing += f'<p class="part">{escape(what)}</p>' if rows else ""
        drawing += svg.figure(lambda width: draw_classes(real, rows, width), label)
    else:
        answer = note
    reading = (
        "Total variation: the share of images that would have to change class to match real ones; 0 is best. "
        "Grey band: real training images in the same number."
    )
    if real is not None:
        reading += " Bars: the classes of real images."
        reading += " Marks: of the samples, with the 95% interval that so many leave." if rows else ""
    return svg.card("Does every class get its share?", answer, drawing, reading)


def missing_classes(rows: Sequence[Classes]) -> str:
    """Return a sentence on the classes that no sample falls in."""
    if not rows:
        return "Made by you, samples stand here beside the real classes."
    gone = [
        f"{row.title} has none of class {format.listing([str(k) for k in np.flatnonzero(row.counts == 0)])}"
        for row in rows
        if (row.counts == 0).any()
    ]
    return "; ".join(gone) + "." if gone else "No class is missing in any of the samples."


def draw_classes(real: np.ndarray, rows: Sequence[Classes], width: int) -> tuple[str, float]:
    """Return the class histogram's drawing at one width, and its height."""
    left, right, top, bottom = 44.0, width - 6.0, 24.0, 202.0
    shares = [row.counts / max(1, row.counts.sum()) for row in rows]
    ends = [wilson(row.counts, int(row.counts.sum())) for row in rows]
    high = 1.08 * max([float(real.max()), *(float(end[1].max()) for end in ends)])
    slot = (right - left) / len(real)

    def at(share: float) -> float:
        return bottom - (bottom - top) * share / high

    parts = []
    for tick in svg.nice_ticks(0, 100 * high, 4):
        parts.append(line(left, at(tick / 100), right, at(tick / 100), "grid"))
        parts.append(text(left - 6, at(tick / 100) + 4, f"{tick:g}%", "tick", "end"))
    every = math.ceil(len(real) / MANY_CLASSES)
    for k, share in enumerate(real):
        x = left + slot * (k + 0.08)
        parts.append(
            f'<rect class="real" x="{x:.1f}" y="{at(share):.1f}" width="{slot * 0.84:.1f}" '
            f'height="{bottom - at(share):.1f}"><title>class {k}: {share:.1%} of real images</title></rect>'
        )
        if k % every == 0:
            parts.append(text(x + slot * 0.42, bottom + 18, str(k), "tick", "middle"))
    for place, (row, share, (low, top_end)) in enumerate(zip(rows, shares, ends, strict=True)):
        parts.append(class_marks(row, share, low, top_end, at, left + slot * (place + 1) / (len(rows) + 1), slot))
    parts.append(line(left, bottom, right, bottom, "firm"))
    parts.append(text((left + right) / 2, bottom + 38, "class, as the classifier sees it", "axis", "middle"))
    parts.append(text(left, top - 8, "share of images", "axis"))
    return "".join(parts), bottom + 46


def class_marks(
    row: Classes, share: np.ndarray, low: np.ndarray, high: np.ndarray,
    at: Callable[[float], float], x: float, slot: float,
) -> str:  # fmt: skip
    """Return one family's marks in the class histogram, each with its whisker where there is room."""
    parts = []
    size = min(9.0, slot * 0.5)
    for k in range(len(share)):
        here = x + slot * k
        if len(share) <= MANY_CLASSES:
            parts.append(
                f'<line x1="{here:.1f}" y1="{at(low[k]):.1f}" x2="{here:.1f}" y2="{at(high[k]):.1f}" class="whisker" '
                f'style="stroke:var(--mark-{row.family})"/>'
            )
        title = f"{row.title}: {int(row.counts[k])} of class {k}, {share[k]:.1%}"
        parts.append(f"<g><title>{escape(title)}</title>{theme.mark(row.family, here, at(share[k]), size)}</g>")
    return "".join(parts)


# ---- distances of pairs


def pairs(rows: Sequence[svg.Spread], bins: np.ndarray | None, density: np.ndarray | None, unit: str) -> str:
    """Return the card of the distances between two images.

    Args:
        rows: The families.
        bins: (B + 1,) edges of the histogram of real images' distances; None when there is none.
        density: (B,) that histogram, with integral 1.
        unit: What a distance is measured in.
    """
    real = None if bins is None else float(np.sum((bins[1:] + bins[:-1]) / 2 * density * np.diff(bins)))
    answer = svg.compare_spreads(rows, real)
    drawing = ""
    if rows:
        drawing = svg.figure(lambda w: svg.draw_spreads(rows, bins, density, real, w), f"Distances. {answer}")
    reading = f"Each outline: the distances of all pairs of a family's samples, {unit}. ± is a 95% jackknife interval."
    if real is not None:
        reading += " Grey: pairs of real images. Left of the dashed line: more alike than real ones."
    return svg.card("How far apart are two of them?", answer, drawing, reading)


# ---- the nearest training image


def nearness(gaps: np.ndarray, distance: float, family: str, space: str) -> str:
    """Return the histogram of real test images' distances to their nearest training image, with one sample's mark.

    Args:
        gaps: (m,) the distances.
        distance: The sample's.
        family: The sample's family.
        space: What the distances are measured in, for people.
    """
    left, right, top, bottom = 8.0, 332.0, 26.0, 96.0
    high = 1.04 * max(float(np.quantile(gaps, 0.995)), distance)
    heights, edges = np.histogram(gaps, 36, (0, high), density=True)

    def at(value: float) -> float:
        return left + (right - left) * value / high

    parts = [line(left, bottom, right, bottom, "firm")]
    for tick in svg.nice_ticks(0, high):
        parts.append(text(at(tick), bottom + 17, f"{tick:g}", "tick", "middle"))
    parts.append(f'<path class="real" d="{svg.steps(edges, heights / heights.max(), at, bottom, bottom - top)}"/>')
    parts.append(line(at(distance), top - 6, at(distance), bottom, "mean"))
    parts.append(theme.mark(family, at(distance), top - 12, 12))
    parts.append(
        text((left + right) / 2, bottom + 36, f"distance to the nearest training image, {space}", "axis", "middle")
    )
    label = f"Distances of real test images to their nearest training image; this sample: {distance:.2f}"
    return f'<svg class="fig" viewBox="0 0 340 {bottom + 42:g}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


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
    """The real images that one family's samples leave uncovered.

    Attributes:
        family: The family's name.
        title: Its name for people.
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
    groups: dict[str, list[str]] = {}
    for row in rows:
        groups.setdefault(row.verdict, []).append(row.title)
    answer = " ".join(
        f"{format.listing(names)} miss{'es' * (len(names) == 1)} {words}." for words, names in groups.items() if words
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
