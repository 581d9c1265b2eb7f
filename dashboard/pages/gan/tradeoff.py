"""What a knob trades: one score against another along its measured settings, as inline SVG. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dashboard import format
from dashboard.figures import line, scatter, svg
from dashboard.figures.svg import Spot, text
from dashboard.results.operating_points import Measured, Measurements, Score, at_usual_n

ACROSS, UP, ALSO = "precision", "coverage", "recall"


@dataclass(frozen=True)
class Sweep:
    """A knob's measured settings on one checkpoint, all of the same number of images.

    Attributes:
        values: (k,) the knob's values, rising.
        points: One per value.
        baseline: Real images against real ones at the same number, or None.
        features: The features of the scores, for people.
    """

    knob: str
    family: str
    values: np.ndarray
    points: tuple[Measured, ...]
    baseline: Measured | None
    features: str

    @property
    def title(self) -> str:
        """The knob's name for people."""
        return self.knob.replace("_", " ")

    @property
    def n(self) -> int:
        """Images per generation."""
        return self.points[0].n

    def scores(self, metric: str) -> list[Score]:
        """Return a metric's score at each value."""
        return [point.score(metric) for point in self.points]

    def at(self, metric: str, value: float) -> float:
        """Return a metric between its measured settings, on the straight line."""
        return float(np.interp(value, self.values, [score.mean for score in self.scores(metric)]))

    def measured(self, value: float) -> int | None:
        """Return the place of a value that was measured itself."""
        near = np.flatnonzero(np.abs(self.values - value) < 1e-6)
        return int(near[0]) if len(near) else None

    def spans(self, value: float) -> bool:
        """Return whether a value lies within the measured ones."""
        return bool(self.values[0] - 1e-6 <= value <= self.values[-1] + 1e-6)


def sweep(
    found: Measurements, checkpoint: str, knobs: Sequence[str], defaults: Mapping[str, object], family: str
) -> Sweep | None:
    """Return a checkpoint's measured sweep of the first knob that was varied alone; None when there is none.

    `knobs` are the names of those that are numbers, in order; `defaults` has every knob's default value.
    """
    mine = [
        point
        for point in found.points
        if point.checkpoint == checkpoint and not point.stale and all(point.score(one) for one in (ACROSS, UP, ALSO))
    ]
    for knob in knobs:
        alone = [p for p in mine if all(p.knobs.get(name) == value for name, value in defaults.items() if name != knob)]
        points = tuple(sorted(at_usual_n(alone), key=lambda point: point.knobs[knob]))
        if len(points) > 2:
            values = np.array([float(point.knobs[knob]) for point in points])
            return Sweep(knob, family, values, points, found.baseline(points[0].n), found.features())
    return None


# ---- in words


def sentence(found: Sweep, value: float) -> str:
    """Return what the marks say at the knob's present value."""
    place = found.measured(value)
    across, up = found.scores(ACROSS), found.scores(UP)
    if place is not None:
        return f"At {found.title} {value:g}: precision {words(across[place])}, coverage {words(up[place])}."
    here = f"{found.title.capitalize()} {value:g}"
    if not found.spans(value):
        return f"{here} was not measured: the marks go from {found.values[0]:g} to {found.values[-1]:g}."
    after = int(np.searchsorted(found.values, value))
    between = f"{found.values[after - 1]:g} and {found.values[after]:g}"
    return f"{here} lies between the measured {between}: the ring is on the straight line between them."


def overall(found: Sweep) -> str:
    """Return how the scores change from the knob's largest measured value to its smallest."""
    across, up, also = (found.scores(metric) for metric in (ACROSS, UP, ALSO))
    best = int(np.argmax([score.mean for score in up]))
    over = f" over {words(up[best])}, its highest, at {found.values[best]:g}" * (0 < best < len(up) - 1)
    return (
        f"From {found.title} {found.values[-1]:g} down to {found.values[0]:g}, precision goes from "
        f"{words(across[-1])} to {words(across[0])}, coverage from {words(up[-1])}{over} to {words(up[0])}, and "
        f"recall, which asks for variety alone, from {words(also[-1])} to {words(also[0])}."
    )


def words(score: Score) -> str:
    """Return a score with half its interval: '0.794 ± 0.017'."""
    return f"{score.mean:.3f} ± {score.half:.3f}" if score.half > 0 else f"{score.mean:.3f}"


def basis(found: Sweep) -> str:
    """Return what the marks rest on, as a sentence."""
    runs = found.points[0].generations
    return (
        f"Each mark: {found.n:,} images, {runs} generation{'s' * (runs != 1)}, in {found.features}; whiskers and bands "
        "are 95% intervals over generations."
    )


# ---- one score against the other


def against(found: Sweep, value: float) -> str:
    """Return the card of precision against coverage: a mark per setting, the baseline, a ring at the present value."""
    said = sentence(found, value)
    reading = "To the right: more of the samples look real. Up: more of the real images have a sample near."
    reading += f" {basis(found)}"
    if found.baseline is not None:
        reading += " Cross: real images against other real ones, as good as it gets."
    return svg.chart("Precision against coverage", said, reading, lambda width: draw(found, value, width))


def draw(found: Sweep, value: float, width: int) -> tuple[str, float]:
    """Return the chart at one width, and its height."""
    pairs = list(zip(found.scores(ACROSS), found.scores(UP), strict=True))
    real = (found.baseline.score(ACROSS), found.baseline.score(UP)) if found.baseline else ()
    reals = [real] if real and all(real) else []
    frame = scatter.frame([*pairs, *reals], (52, width - 16, 14, 264))
    parts = [
        scatter.axes(frame, "precision, a share of the samples", "coverage, a share of the real images"),
        scatter.trail(frame, pairs, found.family, "trace"),
        *(scatter.mark(frame, pair, found.family, 10) for pair in pairs),
    ]
    for pair in reals:
        x, y = scatter.spot(frame, pair)
        parts += [scatter.mark(frame, pair, "real", 12, "var(--quiet)"), text(x - 12, y - 10, "real", "tick", "end")]
    if found.spans(value):
        here = frame.spot(found.at(ACROSS, value), found.at(UP, value))
        parts.append(svg.circle(*here, 11, "here", data_at=f"{value:g}"))
    return "".join(parts) + names(found, [scatter.spot(frame, pair) for pair in pairs], value, width), frame.height


def names(found: Sweep, spots: Sequence[Spot], value: float, width: int) -> str:
    """Return the knob's value beside each mark, above and below in turn; on a phone at the ends and the ring alone."""
    kept = range(len(spots)) if width > 400 else {0, len(spots) - 1, found.measured(value)} - {None}
    parts = []
    for place in kept:
        x, y = spots[place]
        above = place % 2 == 0
        parts.append(text(x, y - 15 if above else y + 24, f"{found.values[place]:g}", "value level-name", "middle"))
    return "".join(parts)


# ---- both over the knob


def over(found: Sweep, value: float) -> str:
    """Return the card of precision, coverage and recall over the knob, with a line at its present value."""
    drawn = [
        line.Curve.of_scores(metric, found.values, found.scores(metric), family, dashed)
        for metric, family, dashed in ((ACROSS, found.family, False), (UP, "", False), (ALSO, "", True))
    ]
    reading = f"The line stands at the slider. Bands: 95% intervals. {real_words(found)}".strip()
    here = value if found.spans(value) else None
    return line.lines(
        f"The same over {found.title}", overall(found), reading, drawn, found.title, "share", marker_x=here
    )


def real_words(found: Sweep) -> str:
    """Return what real images reach against other real ones, as a sentence."""
    scores = [found.baseline.score(metric) for metric in (ACROSS, UP, ALSO)] if found.baseline is not None else []
    if not scores or not all(scores):
        return ""
    named = [f"{metric} {words(score)}" for metric, score in zip((ACROSS, UP, ALSO), scores, strict=True)]
    return f"Real images against other real ones: {format.listing(named)}."
