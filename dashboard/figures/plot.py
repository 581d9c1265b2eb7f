"""The grammar of the charts: one way from values to pixels, one rule for ticks, one way to place words. Pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from dashboard import format
from dashboard.figures import svg
from dashboard.figures.svg import Spot

BELOW = 46  # pixels that the words of an axis take below a plot
ROW = 15  # pixels between two lines of words at least
SIZE = 11.5  # pixels of a label's type
# What a glyph of bold DejaVu Sans takes, in ems: of the fonts that a browser may choose here, the widest.
ADVANCES = {"MW%m": 1.1, "ABCDEFGHKNOPQRSTUVXYZw+±−×≤≥": 0.85, "fijlrtIJ .,:;()[]-/": 0.5}  # fmt: skip
ADVANCE = 0.72  # of every other
# Where a label may stand beside its spot: offset and text anchor, best first.
PLACES = (
    (10, 4, "start"), (-10, 4, "end"), (0, -11, "middle"), (0, 20, "middle"),
    (9, -8, "start"), (9, 16, "start"), (-9, -8, "end"), (-9, 16, "end"),
    (16, -20, "start"), (16, 28, "start"), (-16, -20, "end"), (-16, 28, "end"),
    (10, -22, "start"), (10, 30, "start"), (0, -26, "middle"), (0, 36, "middle"),
)  # fmt: skip


# ---- values and pixels


def ticks(low: float, high: float, wanted: int = 5, log: bool = False) -> list[float]:
    """Return round numbers between two values, about as many as wanted.

    On a logarithmic axis these are powers of ten and, where they are fewer than three, 3 times or 2 and 5 times them.
    """
    low, high = sorted((low, high))
    found: list[float] = []
    if log:
        exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        for steps in ((1,), (1, 3), (1, 2, 5)):
            every = [step * 10.0**exponent for exponent in exponents for step in steps]
            found = [value for value in every if low * 0.999 <= value <= high * 1.001]
            if len(found) > 2:
                break
    if len(found) > 1:
        return found[:: -(-len(found) // (wanted + 2))]
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = min((m * power for m in (1, 2, 5, 10)), key=lambda s: abs(s - rough))
    return [round(i * step, 10) for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


@dataclass(frozen=True)
class Scale:
    """A way from values to pixels and back: from `low`, at the pixel `start`, to `high`, at the pixel `end`.

    `low` may be above `high`; on a logarithmic scale both are above 0.
    """

    low: float
    high: float
    log: bool = False
    start: float = 0.0
    end: float = 1.0

    @classmethod
    def around(cls, values: Iterable[float], log: bool = False, room: float = 0.05) -> Scale:
        """Return the scale that holds some values and a share of their range as room; never of no length."""
        values = list(values)
        low, high = float(min(values)), float(max(values))
        if log:
            more = (high / low) ** room
            more = more if high * more > low / more * 1.01 else 2.0
            return cls(low / more, high * more, True)
        more = room * (high - low)
        if high - low <= 1e-9 * max(abs(low), abs(high), 1e-9):
            more = 0.5 * abs(low) or 0.5
        return cls(low - more, high + more)

    @classmethod
    def decades(cls, values: Iterable[float], room: float = 1.15) -> Scale:
        """Return the logarithmic scale from one power of ten to another that holds values and a factor of room."""
        values = list(values)
        low, high = math.floor(math.log10(min(values) / room)), math.ceil(math.log10(max(values) * room))
        return cls(10.0**low, 10.0 ** max(high, low + 1), True)

    def between(self, start: float, end: float) -> Scale:
        """Return the same scale between other pixels."""
        return replace(self, start=start, end=end)

    def __call__(self, value: float) -> float:
        """Return a value's pixel."""
        if self.log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + (self.end - self.start) * share

    def value(self, pixel: float) -> float:
        """Return the value at a pixel."""
        share = (pixel - self.start) / (self.end - self.start)
        if self.log:
            return self.low * (self.high / self.low) ** share
        return self.low + (self.high - self.low) * share

    def nearest(self, value: float) -> float:
        """Return the pixel of the value on the scale that is nearest."""
        return self(min(max(value, min(self.low, self.high)), max(self.low, self.high)))

    def ticks(self, wanted: int = 5) -> list[float]:
        """Return round values on the scale, about as many as wanted."""
        return ticks(self.low, self.high, wanted, self.log)


# ---- the box of a plot


@dataclass(frozen=True)
class Axis:
    """What is written along a side of a plot.

    Attributes:
        title: What is shown, with its unit; '' where something else says it.
        wanted: About how many ticks.
        marks: The values with a tick, None for round numbers.
        words: How a tick's value is written.
        rule: What a tick draws: 'grid' a line through the plot, 'firm' a short one below it, '' nothing.
        above: Pixels that gridlines reach above the plot.
    """

    title: str = ""
    wanted: int = 5
    marks: Sequence[float] | None = None
    words: Callable[[float], str] = format.tick
    rule: str = "grid"
    above: float = 0.0

    def ticks(self, scale: Scale) -> Sequence[float]:
        """Return the values with a tick."""
        return scale.ticks(self.wanted) if self.marks is None else self.marks


@dataclass(frozen=True)
class Frame:
    """The box of a plot: its edges in pixels, and the scales across and up, which are fitted into it."""

    left: float
    right: float
    top: float
    bottom: float
    x: Scale
    y: Scale | None = None

    def __post_init__(self):
        object.__setattr__(self, "x", self.x.between(self.left, self.right))
        if self.y is not None:
            object.__setattr__(self, "y", self.y.between(self.bottom, self.top))

    @property
    def height(self) -> float:
        """The height of a drawing that ends with the words below the plot."""
        return self.bottom + BELOW

    def spot(self, x: float, y: float) -> Spot:
        """Return the pixels of a pair of values."""
        return self.x(x), self.y(y)

    def spots(self, xs: Iterable[float], ys: Iterable[float]) -> list[Spot]:
        """Return the pixels of many pairs of values."""
        return [self.spot(x, y) for x, y in zip(xs, ys, strict=True)]

    def across(self, axis: Axis) -> str:
        """Return the horizontal axis: gridlines, ticks, and its title below."""
        parts = []
        for value in axis.ticks(self.x):
            x = self.x(value)
            if axis.rule:
                ends = (self.top - axis.above, self.bottom) if axis.rule == "grid" else (self.bottom, self.bottom + 4)
                parts.append(svg.line(x, ends[0], x, ends[1], axis.rule))
            anchor = "middle" if x > 4 else "start"  # else it would be cut off
            parts.append(svg.text(x, self.bottom + 18, axis.words(value), "tick", anchor))
        if axis.title:
            parts.append(svg.text((self.left + self.right) / 2, self.bottom + 38, axis.title, "axis", "middle"))
        return "".join(parts)

    def up(self, axis: Axis) -> str:
        """Return the vertical axis: gridlines, ticks, and its title at the drawing's left edge."""
        parts = []
        for value in axis.ticks(self.y):
            y = self.y(value)
            parts.append(svg.line(self.left, y, self.right, y, "grid"))
            parts.append(svg.text(self.left - 7, y + 4, axis.words(value), "tick", "end"))
        if axis.title:
            parts.append(svg.upright(12, (self.top + self.bottom) / 2, axis.title))
        return "".join(parts)

    def base(self) -> str:
        """Return the firm line that the plot stands on."""
        return svg.line(self.left, self.bottom, self.right, self.bottom, "firm")


def outline(edges: np.ndarray, heights: np.ndarray, x: Scale, base: float, rise: float) -> str:
    """Return a histogram's outline as path data; heights over 1 are cut, empty bins at its beginning left out.

    The bins have `edges` (B + 1,) and `heights` (B,); a height of 0 is at the pixel `base`, one of 1 `rise` above it.
    """
    full = np.flatnonzero(heights > 0)
    if not len(full):
        return svg.corners([(x(edges[0]), base)] * 2)
    kept = slice(full[0], len(heights))
    spots = [(x(edges[full[0]]), base)]
    for one, two, height in zip(edges[kept], edges[full[0] + 1 :], heights[kept], strict=True):
        y = base - min(float(height), 1.0) * rise
        spots += [(x(one), y), (x(two), y)]
    return svg.corners([*spots, (x(edges[-1]), base)])


# ---- a legend


@dataclass(frozen=True)
class Entry:
    """One entry of a legend: a swatch, drawn 18 pixels wide on the line of the words, its words, and their colour."""

    swatch: str
    words: str
    ink: str = ""


def legend(
    entries: Sequence[Entry], left: float, right: float, kind: str = "", glyph: float = 6.6
) -> tuple[str, float]:
    """Return entries in rows between two pixels, and where what comes below may begin.

    The words are of the class `kind`, of which a character takes `glyph` pixels.
    """
    parts, x, y = [], left, 12.0
    for entry in entries:
        room = 38 + glyph * len(entry.words)
        if x > left and x + room > right:
            x, y = left, y + 18
        parts.append(svg.element("g", entry.swatch, transform=f"translate({x:.1f} {y:.1f})"))
        parts.append(svg.text(x + 23, y, entry.words, kind, ink=entry.ink))
        x += room
    return "".join(parts), y + 16


# ---- labels


def spread(wanted: Sequence[float], low: float, high: float, gap: float = ROW) -> list[float]:
    """Return positions near the wanted ones, in [low, high] as far as they fit, no two nearer than `gap`."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    placed = [0.0] * len(wanted)
    floor = low
    for i in order:
        placed[i] = floor = max(wanted[i], floor)
        floor += gap
    ceiling = high
    for i in reversed(order):
        placed[i] = ceiling = min(placed[i], ceiling)
        ceiling -= gap
    return placed


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

    def holds(self, other: Box) -> bool:
        """Return whether another box lies within this one."""
        across = self.left < other.left and other.right < self.right
        return across and self.top < other.top and other.bottom < self.bottom


def along(spots: Sequence[Spot]) -> list[Box]:
    """Return small boxes along the straight lines that join spots."""
    boxes = []
    for one, two in itertools.pairwise(spots):
        steps = max(1, int(math.dist(one, two) / 6))
        boxes += [Box(x - 1, y - 1, x + 1, y + 1) for x, y in np.linspace(one, two, steps + 1)]
    return boxes


def width_of(words: str) -> float:
    """Return the pixels that a label's words take at most."""
    return SIZE * sum(next((em for glyphs, em in ADVANCES.items() if one in glyphs), ADVANCE) for one in words)


@dataclass(frozen=True)
class Label:
    """Words to be placed beside a spot, in a CSS colour; a smaller rank is placed first."""

    x: float
    y: float
    words: str
    ink: str
    rank: int = 0

    def box(self, dx: float, dy: float, anchor: str) -> Box:
        """Return the room that the label takes at an offset from its spot."""
        width = width_of(self.words) + 4
        left = self.x + dx - {"start": 0, "middle": width / 2, "end": width}[anchor]
        return Box(left, self.y + dy - 10, left + width, self.y + dy + 3)

    def draw(self, dx: float, dy: float, anchor: str) -> str:
        """Return the label at an offset from its spot, with a line between the two where it stands far off."""
        far = math.hypot(dx, dy) > 18
        leader = svg.line(self.x, self.y, self.x + 0.7 * dx, self.y + 0.7 * (dy - 4), "leader") if far else ""
        return leader + svg.text(self.x + dx, self.y + dy, self.words, "label", anchor, self.ink)


@dataclass
class Room:
    """Where labels may stand: within `bounds`, on nothing `taken`, and rather not on what is `crossed`."""

    bounds: Box
    taken: list[Box] = field(default_factory=list)
    crossed: list[Box] = field(default_factory=list)

    def place(self, labels: Iterable[Label]) -> str:
        """Return the labels that find room, by rank; the others are left out."""
        parts = []
        for label in sorted(labels, key=lambda label: label.rank):
            tries = [
                (place, box)
                for place in PLACES
                if self.bounds.holds(box := label.box(*place)) and not any(map(box.meets, self.taken))
            ]
            if tries:
                place, box = min(tries, key=lambda pair: sum(map(pair[1].meets, self.crossed)))
                self.taken.append(box)
                parts.append(label.draw(*place))
        return "".join(parts)
