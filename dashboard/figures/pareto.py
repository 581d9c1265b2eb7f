"""Every operating point, quality against time, as inline SVG. Pure: a question in, markup out."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from html import escape

from dashboard import format, theme
from dashboard.figures import svg
from dashboard.figures.plot import GLYPH, Axis, Box, Frame, Label, Room, Scale, along
from dashboard.results.explanations import number, plus_minus
from dashboard.results.operating_points import Measured
from dashboard.results.question import Question, name

WIDTHS = {"broad": (1128, 400), "middle": (760, 400), "slim": (340, 400)}  # name: width and height in pixels
BAND = 34  # the real-data band above the plot
MARK = 12


class Plane:
    """The chart's frame at one width, and where its labels may stand.

    Quality grows upwards. It is clamped at the baseline, and on a log axis at the triangle's centre, so that one
    hopeless point does not squeeze all the others together.
    """

    def __init__(self, question: Question, width: int, height: int):
        self.question, self.width = question, width
        left, right = (52, width - 22) if width > 500 else (58, width - 14)
        ms = question.ms
        times = Scale(ms.min() / 1.7, ms.max() * 1.9, log=True)
        self.frame = Frame(left, right, 4 + BAND, height - 46, times, self._levels())
        self.room = Room(Box(left, 4, width, height - 46))

    def _levels(self) -> Scale:
        """Return the scale of quality: of raw values where lower is better, else of what they are worth."""
        axis, (scale, *_) = self.question.quality, self.question.scales
        scores = [self.question.score(point, axis) for point in self.question.points]
        worst = min((bound for score in scores for bound in (score.low, score.high)), key=axis.worth)
        best = self.level(scale.rim)
        self.end = self.level(scale.centre if cut(self.question) else worst)
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


def cut(question: Question) -> bool:
    """Return whether the quality axis ends at the triangle's centre, with points beyond it."""
    axis, centre = question.quality, question.scales[0].centre
    return axis.better == "lower" and any(question.score(point, axis).mean > centre for point in question.points)


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
    title = f"{question.quality.title} against milliseconds per image, {len(question.points)} operating points"
    drawings = []
    for kind, size in WIDTHS.items():
        plane = Plane(question, *size)
        body = axes(plane) + baseline(plane) + curves(plane)
        body += joined(plane, question.front, "pareto") + points(plane)  # that nothing measured beats in both
        drawings.append(svg.drawing(body + plane.room.place(labels(plane)), size, title, f"front {kind}", "group"))
    return "".join(drawings)


def axes(plane: Plane) -> str:
    """Return grid lines, ticks and the axes' names."""
    percent = plane.question.quality.percent
    up = Axis(quality_title(plane.question), words=lambda value: f"{100 * value:g}%" if percent else format.tick(value))
    return plane.frame.across(Axis("ms per image (log scale)", above=BAND)) + plane.frame.up(up)


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
    plane.room.taken.append(Box(right - 8 - GLYPH * len(words), top, right, frame.top - 6))
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
        joined(plane, [i for i in group if fresh[i]], f"curve f-{points[group[0]].family}")
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
    for i in sorted(range(len(question.points)), key=lambda i: (question.ms[i], i)):
        point = question.points[i]
        score, (x, y) = question.score(point, question.quality), plane.spot(i)
        ends = sorted((plane.y(score.low), plane.y(score.high)))
        plane.room.taken.append(Box(x - 6, y - 6, x + 6, y + 6))
        plane.room.crossed.append(Box(x - 2, ends[0], x + 2, ends[1]))
        kind = f"point f-{point.family}" + " stale" * bool(point.stale) + " rough" * bool(question.rough[0][i])
        words = escape(spoken(question, i))
        parts.append(
            f'<g class="{kind}" data-i="{i}" role="button" tabindex="-1" aria-label="{words}">'
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


def labels(plane: Plane) -> list[Label]:
    """Return the labels that would be good to have: on a curve the calls, and its name once; elsewhere the label.

    Those of curves and of the front come first. One that finds no room is left out, and its point still says everything
    when pointed at.
    """
    question, found = plane.question, []
    front = set(question.front)
    for group in groups(question.points):
        members = [question.points[i] for i in group]
        ink = f"var(--text-{members[0].family})"
        curve = is_curve(question.points, group)
        words = [f"{point.calls:,}" for point in members] if curve else plain_labels(members)
        for i, text in zip(group, words, strict=True):
            score = question.score(question.points[i], question.quality)
            if plane.beyond(score.mean):
                text = f"{text} ({question.quality.name} {number(question.quality, score.mean)})"
            rank = 1 if i in front else 2 if question.points[i].kind != "sweep" else 3
            found.append(Label(*plane.spot(i), text, ink, rank))
        if curve and (label := shared_name(members)):
            named = next((i for i in group if question.points[i].kind != "sweep"), group[len(group) // 2])
            found.append(Label(*plane.spot(named), label, ink))
    return found


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
