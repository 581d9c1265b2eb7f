"""Every operating point, quality against time, as inline SVG. Pure: a question in, markup out."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from html import escape

import numpy as np

from dashboard import format, theme
from dashboard.figures import svg
from dashboard.figures.plot import Axis, Box, Frame, Label, Room, Scale, along, width_of
from dashboard.results.explanations import number, plus_minus
from dashboard.results.operating_points import Measured
from dashboard.results.question import Question, name

HEAP, HEAP_SHARE = 5, 0.12  # so many points, within such a share of the axis of time, are drawn again alone
WIDTHS = {"broad": (1128, 400), "middle": (760, 400), "slim": (340, 400)}  # name: width and height in pixels
BAND = 34  # the real-data band above the plot
MARK = 12


class Plane:
    """The chart's frame at one width, and where its labels may stand.

    Quality grows upwards. It is clamped at the baseline, and on a log axis at the triangle's centre, so that one
    hopeless point does not squeeze all the others together. `shown` are the places of the points that it shows, None
    for all.
    """

    def __init__(self, question: Question, width: int, height: int, shown: Sequence[int] | None = None):
        self.question, self.width = question, width
        self.shown = list(range(len(question.points)) if shown is None else shown)
        left, right = (52, width - 22) if width > 500 else (58, width - 14)
        ms = question.ms[self.shown]
        near = shown is not None and ms.max() < 2 * ms.min()  # too near for a logarithm to matter
        times = Scale.around(ms, room=0.15) if near else Scale(ms.min() / 1.7, ms.max() * 1.9, log=True)
        self.frame = Frame(left, right, 4 + BAND, height - 46, times, self._levels())
        self.room = Room(Box(left, 4, width, height - 46))

    def _levels(self) -> Scale:
        """Return the scale of quality: of raw values where lower is better, else of what they are worth."""
        axis, (scale, *_) = self.question.quality, self.question.scales
        scores = [self.question.score(self.question.points[i], axis) for i in self.shown]
        worst = min((bound for score in scores for bound in (score.low, score.high)), key=axis.worth)
        best = self.level(scale.rim)
        self.end = self.level(scale.centre if any(beyond(self.question, i) for i in self.shown) else worst)
        if self.logarithmic:  # where all are as good as real, or nearly, it still has a length
            return Scale(max(self.end * (self.end / best) ** 0.06, best * 10**0.3), best, log=True)
        return Scale(min(self.end - 0.06 * (best - self.end), best - 0.05 * abs(best)), best)

    @property
    def logarithmic(self) -> bool:
        """Whether the quality axis is logarithmic: where lower is better."""
        return self.question.quality.better == "lower"

    def level(self, value: float) -> float:
        """Return where a raw quality stands on the scale of quality."""
        return max(value, self.question.scales[0].rim) if self.logarithmic else self.question.quality.worth(value)

    def beyond(self, value: float) -> bool:
        """Return whether a raw quality is worse than where the axis ends."""
        return self.level(value) > self.end if self.logarithmic else self.level(value) < self.end

    def y(self, value: float) -> float:
        """Return the pixel of a raw quality: at the edge of the real-data band for all that is as good or better."""
        return self.frame.y.nearest(self.end if self.beyond(value) else self.level(value))

    def spot(self, index: int) -> svg.Spot:
        """Return a point's pixel."""
        point = self.question.points[index]
        return self.frame.x(point.ms_per_image), self.y(self.question.score(point, self.question.quality).mean)


def beyond(question: Question, index: int) -> bool:
    """Return whether a point is worse than the triangle's centre, where an axis of what is to be low ends."""
    axis, centre = question.quality, question.scales[0].centre
    return axis.better == "lower" and question.score(question.points[index], axis).mean > centre


def cut(question: Question) -> bool:
    """Return whether the quality axis ends at the triangle's centre, with points beyond it."""
    return any(beyond(question, i) for i in range(len(question.points)))


def heap(question: Question) -> list[int]:
    """Return the places of the points in the fullest stretch of the axis of time; [] where none is crowded."""
    order = sorted(range(len(question.points)), key=lambda i: question.ms[i])
    times = np.log(question.ms[order])
    if len(order) < HEAP or times[-1] - times[0] < 1e-9:
        return []
    ends = np.searchsorted(times, times + HEAP_SHARE * (times[-1] - times[0]), "right")
    first = int((ends - np.arange(len(times))).argmax())
    found = order[first : ends[first]]
    return sorted(found) if len(found) >= HEAP else []


def heap_words(question: Question) -> str:
    """Return what a heap is, for who may look closer: '17 points at 0.342 to 0.42 ms'; '' where there is none."""
    ms = question.ms[heap(question)]
    if not len(ms):
        return ""
    ends = dict.fromkeys(format.duration(end) for end in (ms.min(), ms.max()))
    return f"{len(ms)} points at {' to '.join(ends)}"


def ending(question: Question) -> str:
    """Return the sentence, with a space before it, on what lies beyond the end of the quality axis; '' for nothing."""
    if not cut(question):
        return ""
    end = f"{question.quality.name} {number(question.quality, question.scales[0].centre)}"
    return f" Below {end}, the triangle's centre, the axis ends; an arrow marks what lies there."


def draw(question: Question) -> str:
    """Return the chart's drawings, one for each width of screen; the style sheet shows the one that fits."""
    return drawn(question, "front") if question.points else ""


def draw_heap(question: Question) -> str:
    """Return the drawings of the points in a heap alone, larger; '' where there is none."""
    found = heap(question)
    return drawn(question, "heap", found) if found else ""


def drawn(question: Question, what: str, shown: Sequence[int] | None = None) -> str:
    """Return the drawings of some points, None for all; `what` is their class."""
    drawings = []
    for kind, size in WIDTHS.items():
        plane = Plane(question, *size, shown)
        title = f"{question.quality.title} against milliseconds per image, {len(plane.shown)} operating points"
        body = axes(plane) + baseline(plane) + curves(plane)
        body += joined(plane, [i for i in question.front if i in plane.shown], "pareto")  # that nothing beats in both
        body += points(plane)
        drawings.append(svg.drawing(body + words(plane), size, title, f"{what} {kind}", "group"))
    return "".join(drawings)


def axes(plane: Plane) -> str:
    """Return grid lines, ticks and the axes' names."""
    percent = plane.question.quality.percent
    up = Axis(quality_title(plane.question), words=lambda value: f"{100 * value:g}%" if percent else format.tick(value))
    return plane.frame.across(Axis(f"ms per image{' (log scale)' * plane.frame.x.log}", above=BAND)) + plane.frame.up(
        up
    )


def quality_title(question: Question) -> str:
    """Return the quality axis's name and direction."""
    axis = question.quality
    how = {"lower": "log scale, lower is closer to real", "higher": "higher is better", "one": "1 is as real"}
    return f"{axis.name} ({how[axis.better]})"


def baseline(plane: Plane) -> str:
    """Return the band of real data against real data, and its words."""
    question, frame = plane.question, plane.frame
    top, right = frame.top - BAND, frame.right
    band = svg.rect(frame.left, top, right - frame.left, BAND, "band")
    real = question.real(question.quality, question.n)
    if not real:
        return band + svg.text(right - 8, top + 21, "real data was not measured at this n", "tick", "end")
    whose = "real-data baseline, real against real" if plane.width > 500 else "real data"
    words = f"{whose}: {plus_minus(question.quality, real)}, n = {question.n:,}"
    plane.room.taken.append(Box(right - 8 - width_of(words), top, right, frame.top - 6))
    return band + svg.text(right - 8, top + 18, words, "tick", "end")


# ---- curves


def groups(points: Sequence[Measured]) -> list[list[int]]:
    """Return the points that differ in numbers only (a sampler's steps, a temperature), fewest calls first."""
    found = format.grouped(((point.checkpoint, point.choices), i) for i, point in enumerate(points))
    return [sorted(group, key=lambda i: (points[i].calls or 0, points[i].ms_per_image)) for group in found.values()]


def is_curve(points: Sequence[Measured], group: Sequence[int]) -> bool:
    """Return whether a group's points differ in network calls, so that a line through them means something."""
    return len({points[i].calls for i in group}) > 1


def curves(plane: Plane) -> str:
    """Return a line through each group of points that differ in network calls."""
    points, fresh = plane.question.points, plane.question.fresh
    return "".join(
        joined(plane, [i for i in group if fresh[i] and i in plane.shown], f"curve f-{points[group[0]].family}")
        for group in groups(points)
        if is_curve(points, group)
    )


def joined(plane: Plane, indices: Sequence[int], kind: str) -> str:
    """Return the line through some points, which labels rather keep clear of."""
    spots = [plane.spot(i) for i in indices]
    plane.room.crossed += along(spots)
    return svg.element("polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in spots), kind=kind)


# ---- points


def points(plane: Plane) -> str:
    """Return every point: its interval, its marker, and a wide circle that is easy to hit."""
    question, parts = plane.question, []
    group = {i: place for place, members in enumerate(groups(question.points)) for i in members}
    for i in sorted(plane.shown, key=lambda i: (question.ms[i], i)):
        point = question.points[i]
        score, (x, y) = question.score(point, question.quality), plane.spot(i)
        ends = sorted((plane.y(score.low), plane.y(score.high)))
        plane.room.taken.append(Box(x - 6, y - 6, x + 6, y + 6))
        plane.room.crossed.append(Box(x - 2, ends[0], x + 2, ends[1]))
        kind = f"point f-{point.family}" + " stale" * bool(point.stale) + " rough" * bool(question.rough[0][i])
        words = escape(spoken(question, i))
        parts.append(
            f'<g class="{kind}" data-i="{i}" data-of="{group[i]}" role="button" tabindex="-1" aria-label="{words}">'
            f"{svg.circle(x, y, 13, 'hit')}{svg.circle(x, y, 10, 'ring')}"
            f"{svg.line(x, ends[0], x, ends[1], 'whisker')}"
            f"{arrow(x, y) if plane.beyond(score.mean) else ''}"
            f"{theme.mark(point.family, x, y, MARK, hollow=point.n != question.n)}</g>"
        )
    return "".join(parts)


def arrow(x: float, y: float) -> str:
    """Return the arrow under the marker of a point that lies beyond the end of the axis."""
    return svg.path(f"M{x:.1f} {y + 7:.1f}v9m-3.5 -4l3.5 4l3.5 -4", "beyond")


def spoken(question: Question, index: int) -> str:
    """Return a point in words, for who cannot see it."""
    point = question.points[index]
    score = plus_minus(question.quality, question.score(point, question.quality))
    marks = ", stale" * bool(point.stale) + ", too few generations to be ranked" * bool(question.rough[0][index])
    return f"{name(point)}: {question.quality.name} {score}, {format.duration(point.ms_per_image)} per image{marks}"


# ---- labels


def words(plane: Plane) -> str:
    """Return what is written beside the points: each group's name once, and what its points are called, when asked for.

    A drawing of a heap has room for the latter at once. What finds no room is left out: its point still says everything
    when pointed at.
    """
    parts = [plane.room.place(names(plane))]
    for place, group in enumerate(groups(plane.question.points)):
        if told := plane.room.place(steps(plane, [i for i in group if i in plane.shown])):
            parts.append(svg.element("g", told, kind="steps", data_of=f"{place}"))
    return "".join(parts)


def names(plane: Plane) -> list[Label]:
    """Return the name of each group, at the end of its line, where its points lie on one; and those beyond the axis."""
    question, found = plane.question, []
    for group in groups(question.points):
        members = [i for i in group if i in plane.shown]
        if not members:
            continue
        points = [question.points[i] for i in group]
        curve = is_curve(question.points, group)
        headline = next((i for i in members if question.points[i].kind != "sweep"), members[len(members) // 2])
        end = members[-1] if curve else headline
        text = (shared_name(points) if curve else "") or question.points[end].label
        if len(question.families) > 1:
            text = f"{question.points[end].title}, {text}"
        found.append(Label(*plane.spot(end), text, ink(question.points[end])))
        found += [
            Label(*plane.spot(i), f"{question.points[i].label} ({question.quality.name} {raw(question, i)})",
                  ink(question.points[i]), 1)
            for i in members if plane.beyond(question.score(question.points[i], question.quality).mean)
        ]  # fmt: skip
    return found


def steps(plane: Plane, members: Sequence[int]) -> list[Label]:
    """Return what the points of one group are called beside its name: on a curve the network calls."""
    question = plane.question
    points = [question.points[i] for i in members]
    curve = is_curve(question.points, members)
    texts = [f"{point.calls:,}" for point in points] if curve else plain_labels(points)
    front = set(question.front)
    return [
        Label(*plane.spot(i), text, ink(point), 1 if i in front else 2 if point.kind != "sweep" else 3)
        for i, point, text in zip(members, points, texts, strict=True)
        if curve or point.kind == "sweep"
    ]


def ink(point: Measured) -> str:
    """Return the colour of a point's words."""
    return f"var(--text-{point.family})"


def raw(question: Question, index: int) -> str:
    """Return a point's raw quality, for people."""
    return number(question.quality, question.score(question.points[index], question.quality).mean)


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
