"""Every operating point, quality against time, as inline SVG. Pure: a question in, markup out."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from dashboard import format, theme
from dashboard.figures import svg
from dashboard.results.explanations import number, plus_minus
from dashboard.results.operating_points import Measured
from dashboard.results.recommendation import Question, name

WIDTHS = {"broad": (1128, 400), "middle": (760, 400), "slim": (340, 400)}  # name: width and height in pixels
BAND = 34  # the real-data band above the axis
GLYPH = 6.4  # pixels a character of a label
LINE = 13
FEW_DECADES = 1.3  # a time axis of fewer has ticks between its powers of ten, of which it may hold one or none
MARK = 12
# Where a label may stand beside its marker: offset and text anchor, best first.
PLACES = (
    (10, 4, "start"), (-10, 4, "end"), (0, -11, "middle"), (0, 20, "middle"),
    (9, -8, "start"), (9, 16, "start"), (-9, -8, "end"), (-9, 16, "end"),
    (16, -20, "start"), (16, 28, "start"), (-16, -20, "end"), (-16, 28, "end"),
    (10, 4 - 2 * LINE, "start"), (10, 4 + 2 * LINE, "start"), (0, -26, "middle"), (0, 36, "middle"),
)  # fmt: skip


@dataclass(frozen=True)
class Box:
    """A rectangle that labels keep clear of."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Return whether two boxes overlap."""
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom


@dataclass
class Plane:
    """The chart's axes at one width, in pixels.

    Quality grows upwards. It is clamped at the baseline, and on a log axis at the triangle's centre, so that one
    hopeless point does not squeeze all the others together.
    """

    question: Question
    width: int
    height: int
    taken: list[Box] = field(default_factory=list)
    crossed: list[Box] = field(default_factory=list)  # lines: better kept clear of, but a label may stand on them

    def __post_init__(self):
        self.left, self.right = (52, self.width - 22) if self.width > 500 else (58, self.width - 14)
        self.top, self.bottom = 4 + BAND, self.height - 46
        ms = self.question.ms
        self.fast, self.slow = math.log10(ms.min() / 1.7), math.log10(ms.max() * 1.9)
        scores = [point.score(self.question.quality.key) for point in self.question.points]
        self.rim = self.question.scales[0].rim
        worst = min((bound for score in scores for bound in (score.low, score.high)), key=self.question.quality.worth)
        self.high, self.low = self._level(self.rim), self._level(worst)
        least = 0.3 if self.logarithmic else 0.05 * abs(self.high)  # where all are as good as real, or nearly
        self.end = self._level(self.question.scales[0].centre) if cut(self.question) else self.low
        self.low = min(self.end - 0.06 * (self.high - self.end), self.high - least)

    @property
    def logarithmic(self) -> bool:
        """Whether the quality axis is logarithmic: where lower is better."""
        return self.question.quality.better == "lower"

    def _level(self, value: float) -> float:
        return -math.log10(max(value, self.rim)) if self.logarithmic else self.question.quality.worth(value)

    def beyond(self, value: float) -> bool:
        """Return whether a raw quality is worse than where the axis ends."""
        return self._level(value) < self.end

    def x(self, ms: float) -> float:
        """Return the pixel of a time."""
        return self.left + (self.right - self.left) * (math.log10(ms) - self.fast) / (self.slow - self.fast)

    def y(self, value: float) -> float:
        """Return the pixel of a raw quality: at the edge of the real-data band for all that is as good or better."""
        share = (max(self._level(value), self.end) - self.low) / (self.high - self.low)
        return self.bottom - (self.bottom - self.top) * min(1.0, share)

    def ticks(self) -> list[float]:
        """Return round raw values on the quality axis."""
        if not self.logarithmic:
            return [tick for tick in svg.nice_ticks(self.low, self.high) if tick > self.low]
        return round_values(10**-self.high, 10**-self.low, 2)

    def times(self) -> list[float]:
        """Return round times on the time axis."""
        return round_values(10**self.fast, 10**self.slow, FEW_DECADES)


def round_values(low: float, high: float, most: float) -> list[float]:
    """Return the powers of ten between two values; their 2 and 5 fold, too, where there are at most `most` decades."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if math.log10(high / low) <= most else (1,)
    return [value for decade in decades for step in steps if low < (value := step * 10.0**decade) < high]


@dataclass(frozen=True)
class Label:
    """Words to be placed beside a marker."""

    x: float
    y: float
    words: str
    family: str
    rank: int  # smaller is placed first


def cut(question: Question) -> bool:
    """Return whether the quality axis ends at the triangle's centre, with points beyond it."""
    axis, centre = question.quality, question.scales[0].centre
    return axis.better == "lower" and any(point.score(axis.key).mean > centre for point in question.points)


def ending(question: Question) -> str:
    """Return the sentence, with a space before it, on what lies beyond the end of the quality axis; '' for nothing."""
    if not cut(question):
        return ""
    end = f"{question.quality.name} {number(question.quality, question.scales[0].centre)}"
    return f" Below {end}, the triangle's centre, the axis ends; an arrow marks what lies there."


def draw(question: Question) -> str:
    """Return the chart's drawings, one for each width of screen; the style sheet shows the one that fits."""
    if not question.points:
        return ""
    title = escape(f"{question.quality.title} against milliseconds per image, {len(question.points)} operating points")
    drawings = []
    for kind, (width, height) in WIDTHS.items():
        plane = Plane(question, width, height)
        body = axes(plane) + baseline(plane) + curves(plane) + pareto(plane) + points(plane) + labels(plane)
        drawings.append(
            f'<svg class="fig front {kind}" viewBox="0 0 {width} {height}" role="group" aria-label="{title}">'
            f"{body}</svg>"
        )
    return "".join(drawings)


def axes(plane: Plane) -> str:
    """Return grid lines, ticks and the axes' names."""
    parts = []
    for ms in plane.times():
        x = plane.x(ms)
        parts.append(svg.line(x, plane.top - BAND, x, plane.bottom, "grid"))
        parts.append(svg.text(x, plane.bottom + 18, f"{ms:,g}", "tick", "middle"))
    for tick in plane.ticks():
        y = plane.y(tick)
        parts.append(svg.line(plane.left, y, plane.right, y, "grid"))
        shown = f"{100 * tick:g}%" if plane.question.quality.percent else f"{tick:g}"
        parts.append(svg.text(plane.left - 8, y + 4, shown, "tick", "end"))
    middle = (plane.left + plane.right) / 2
    parts.append(svg.text(middle, plane.bottom + 38, "ms per image (log scale)", "axis", "middle"))
    y = (plane.top + plane.bottom) / 2
    parts.append(
        f'<text transform="translate(11 {y:.0f}) rotate(-90)" text-anchor="middle" class="axis">'
        f"{escape(quality_title(plane.question))}</text>"
    )
    return "".join(parts)


def quality_title(question: Question) -> str:
    """Return the quality axis's name and direction."""
    axis = question.quality
    how = {"lower": "log scale, lower is closer to real", "higher": "higher is better", "one": "1 is as real"}
    return f"{axis.name} ({how[axis.better]})"


def baseline(plane: Plane) -> str:
    """Return the band of real data against real data, and its words."""
    question = plane.question
    top, right = plane.top - BAND, plane.right
    band = f'<rect x="{plane.left}" y="{top}" width="{right - plane.left:.1f}" height="{BAND}" class="band"/>'
    real = question.real(question.quality, question.n)
    if not real:
        return band + svg.text(right - 8, top + 21, "real data was not measured at this n", "tick", "end")
    words = f"real data: {plus_minus(question.quality, real)}, n = {question.n:,}"
    if plane.width > 500:
        words = f"real-data baseline, real against real: {plus_minus(question.quality, real)}, n = {question.n:,}"
    plane.taken.append(Box(right - 8 - GLYPH * len(words), top, right, plane.top - 6))
    return band + svg.text(right - 8, top + 18, words, "tick", "end")


# ---- curves


def groups(points: Sequence[Measured]) -> list[list[int]]:
    """Return the points that differ in numbers only (a sampler's steps, a temperature), fewest calls first."""
    found: dict[tuple, list[int]] = {}
    for i, point in enumerate(points):
        words = tuple(sorted((knob, value) for knob, value in point.knobs.items() if isinstance(value, str)))
        found.setdefault((point.checkpoint, words), []).append(i)
    return [sorted(group, key=lambda i: (points[i].calls or 0, points[i].ms_per_image)) for group in found.values()]


def is_curve(points: Sequence[Measured], group: Sequence[int]) -> bool:
    """Return whether a group's points differ in network calls, so that a line through them means something."""
    return len({points[i].calls for i in group}) > 1


def curves(plane: Plane) -> str:
    """Return a line through each group of points that differ in network calls."""
    question, parts = plane.question, []
    for group in groups(question.points):
        if not is_curve(question.points, group):
            continue
        spots = [spot(plane, i) for i in group if question.fresh[i]]
        plane.crossed += [box for one, two in itertools.pairwise(spots) for box in along(one, two)]
        family = question.points[group[0]].family
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
        parts.append(f'<polyline points="{line}" class="curve f-{family}"/>')
    return "".join(parts)


def along(one: tuple[float, float], two: tuple[float, float]) -> list[Box]:
    """Return small boxes along a line."""
    steps = max(1, int(math.dist(one, two) / 6))
    spots = [tuple(a + (b - a) * k / steps for a, b in zip(one, two, strict=True)) for k in range(steps + 1)]
    return [Box(x - 1, y - 1, x + 1, y + 1) for x, y in spots]


def spot(plane: Plane, index: int) -> tuple[float, float]:
    """Return a point's pixel."""
    point = plane.question.points[index]
    return plane.x(point.ms_per_image), plane.y(point.score(plane.question.quality.key).mean)


def pareto(plane: Plane) -> str:
    """Return the dashed line through the points that nothing measured beats in both."""
    spots = [spot(plane, i) for i in plane.question.front]
    plane.crossed += [box for one, two in itertools.pairwise(spots) for box in along(one, two)]
    return f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in spots)}" class="pareto"/>'


# ---- points


def points(plane: Plane) -> str:
    """Return every point: its interval, its marker, and a wide circle that is easy to hit."""
    question, parts = plane.question, []
    for i in sorted(range(len(question.points)), key=lambda i: (question.ms[i], i)):
        point = question.points[i]
        score, (x, y) = point.score(question.quality.key), spot(plane, i)
        ends = sorted((plane.y(score.low), plane.y(score.high)))
        plane.taken.append(Box(x - 6, y - 6, x + 6, y + 6))
        plane.crossed.append(Box(x - 2, ends[0], x + 2, ends[1]))
        kind = f"point f-{point.family}" + (" stale" if point.stale else "")
        words = escape(spoken(question, point))
        parts.append(
            f'<g class="{kind}" data-i="{i}" role="button" tabindex="-1" aria-label="{words}">'
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="13" class="hit"/>'
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="10" class="ring"/>'
            f"{svg.line(x, ends[0], x, ends[1], 'whisker')}"
            f"{arrow(x, y) if plane.beyond(score.mean) else ''}"
            f"{theme.mark(point.family, x, y, MARK, hollow=point.n != question.n)}</g>"
        )
    return "".join(parts)


def arrow(x: float, y: float) -> str:
    """Return the arrow under the marker of a point that lies beyond the end of the axis."""
    return f'<path d="M{x:.1f} {y + 7:.1f}v9m-3.5 -4l3.5 4l3.5 -4" class="beyond"/>'


def spoken(question: Question, point: Measured) -> str:
    """Return a point in words, for who cannot see it."""
    score = plus_minus(question.quality, point.score(question.quality.key))
    stale = ", stale" if point.stale else ""
    return f"{name(point)}: {question.quality.name} {score}, {format.duration(point.ms_per_image)} per image{stale}"


# ---- labels


def labels(plane: Plane) -> str:
    """Return the labels that find room: first those of curves and of the front, then the others.

    A label never stands on a marker or on another label; one that finds no room is left out, and its point still
    says everything when pointed at.
    """
    parts = []
    for label in sorted(wanted(plane), key=lambda label: label.rank):
        tries = [(offset, box_of(label, *offset)) for offset in PLACES]
        free = [(offset, box) for offset, box in tries if inside(plane, box) and not meets(box, plane.taken)]
        if not free:
            continue
        offset, box = min(free, key=lambda pair: sum(box_.meets(pair[1]) for box_ in plane.crossed))
        plane.taken.append(box)
        dx, dy, anchor = offset
        if math.hypot(dx, dy) > 18:
            parts.append(svg.line(label.x, label.y, label.x + 0.7 * dx, label.y + 0.7 * (dy - 4), "leader"))
        parts.append(
            f'<text x="{label.x + dx:.1f}" y="{label.y + dy:.1f}" text-anchor="{anchor}" class="label" '
            f'style="fill:var(--text-{label.family})">{escape(label.words)}</text>'
        )
    return "".join(parts)


def box_of(label: Label, dx: float, dy: float, anchor: str) -> Box:
    """Return the room that a label takes at an offset from its marker."""
    width = GLYPH * len(label.words) + 4
    left = label.x + dx - {"start": 0, "middle": width / 2, "end": width}[anchor]
    return Box(left, label.y + dy - 10, left + width, label.y + dy + 3)


def inside(plane: Plane, box: Box) -> bool:
    """Return whether a box lies within the axes."""
    return (
        box.left > plane.left and box.right < plane.width and plane.top - BAND < box.top and box.bottom < plane.bottom
    )


def meets(box: Box, others: Sequence[Box]) -> bool:
    """Return whether a box overlaps one of the others."""
    return any(box.meets(other) for other in others)


def wanted(plane: Plane) -> list[Label]:
    """Return the labels that would be good to have: on a curve the calls, and its name once; elsewhere the label."""
    question, found = plane.question, []
    front = set(question.front)
    for group in groups(question.points):
        members = [question.points[i] for i in group]
        curve = is_curve(question.points, group)
        words = curve_labels(members) if curve else plain_labels(members)
        for i, text in zip(group, words, strict=True):
            score = question.points[i].score(question.quality.key)
            if plane.beyond(score.mean):
                text = f"{text} ({question.quality.name} {number(question.quality, score.mean)})"
            rank = 1 if i in front else 2 if question.points[i].kind != "sweep" else 3
            found.append(Label(*spot(plane, i), text, question.points[i].family, rank))
        if curve:
            named = next((i for i in group if question.points[i].kind != "sweep"), group[len(group) // 2])
            label = shared_name(members)
            if label:
                found.append(Label(*spot(plane, named), label, members[0].family, 0))
    return found


def curve_labels(members: Sequence[Measured]) -> list[str]:
    """Return the network calls of a curve's points."""
    return [f"{point.calls:,}" for point in members]


def shared_name(members: Sequence[Measured]) -> str:
    """Return what the labels of a curve's points begin with: 'DDIM' of 'DDIM, 5 calls' and 'DDIM, 50 calls'."""
    columns = zip(*(point.label for point in members), strict=False)
    shared = itertools.takewhile(lambda letters: len(set(letters)) == 1, columns)
    return "".join(letters[0] for letters in shared).rstrip(" ,0123456789")


def plain_labels(members: Sequence[Measured]) -> list[str]:
    """Return labels without what they share with the first one declared: 'temperature 0.8' after 'fitted prior'."""
    heads = [point.label for point in members if point.kind != "sweep"]
    found = []
    for point in members:
        head = next((head for head in heads if point.label.startswith(f"{head}, ")), "")
        found.append(point.label[len(head) :].lstrip(" ,") if head else point.label)
    return found
