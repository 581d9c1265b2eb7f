"""Maximum likelihood of a normal and of a categorical distribution. Pure: numbers in, markup out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from dashboard.figures import svg
from dashboard.figures.plot import Axis, Frame, Scale
from dashboard.format import signed
from dashboard.pages.basics.toy import log_normal

DATA = np.array([-0.9, -0.3, 0.1, 0.4, 0.6, 0.9, 1.0, 1.3, 1.7, 2.0, 2.4, 3.1])
MEANS, STDS = (-3.0, 4.0), (0.3, 3.0)  # of the sliders
STEPS = (0.5, 2, 5, 10, 20)  # nats below the maximum at which a line of the hill is drawn
COUNTS = {"A": 9, "B": 5, "C": 2}


def log_likelihood(mean: float, std: float) -> float:
    """Return log p of the data under N(mean, std^2), in nats."""
    return float(log_normal(DATA, mean, std).sum())


def best() -> tuple[float, float]:
    """Return the mean and the deviation with the highest likelihood: the data's own."""
    return float(DATA.mean()), float(DATA.std())


def crossings(height: Callable[[np.ndarray], np.ndarray]) -> tuple[float, float]:
    """Return where a height, above 0 at 1 and below it far off, is 0: below 1 and above it."""
    grid = np.geomspace(1 / 20, 20, 20001)
    values = height(grid)
    above = np.flatnonzero(values >= 0)
    (one, two), (three, four) = (above[0] - 1, above[0]), (above[-1], above[-1] + 1)
    low = np.interp(0, values[[one, two]], grid[[one, two]])
    return float(low), float(np.interp(0, -values[[three, four]], grid[[three, four]]))


def ring(below: float) -> list[list[tuple[float, float]]]:
    """Return where log p is `below` nats under its maximum, as (mean, deviation), in two branches within the sliders'.

    With n data of mean m and variance v, n log s + n ((mean - m)^2 + v) / (2 s^2) is n log sqrt(v) + n / 2 + below.
    """
    middle, own = best()

    def square(std: np.ndarray) -> np.ndarray:
        """Return (mean - m)^2 at a deviation, below 0 where no mean is that far down."""
        return 2 * std**2 * (math.log(own) + 0.5 + below / len(DATA) - np.log(std)) - own**2

    low, high = (own * end for end in crossings(lambda share: square(own * share)))
    quarter = np.linspace(0, math.pi / 2, 40)  # dense at the ends, where the line turns
    spaced = own * np.concatenate([(low / own) ** np.cos(quarter), (high / own) ** np.sin(quarter)])
    half = np.sqrt(np.maximum(square(spaced), 0))
    half[[0, -1]] = 0  # where the branches meet
    within = (spaced >= STDS[0]) & (spaced <= STDS[1])
    branches = []
    for side in (-1, 1):
        mean = middle + side * half
        kept = within & (mean >= MEANS[0]) & (mean <= MEANS[1])
        branches.append(list(zip(mean[kept].tolist(), spaced[kept].tolist(), strict=True)))
    return branches


def normal_card(mean: float, std: float) -> str:
    """Return the card of the data under a normal: each one's density is a stem, and their logarithms add up."""
    here, (middle, own) = log_likelihood(mean, std), best()
    x = np.linspace(-4, 6, 161)
    top = 1.0

    def draw(width: int) -> tuple[str, float]:
        frame = Frame(44, width - 10, 12, 202, Scale(-4, 6), Scale(0, top))
        curve = svg.corners(frame.spots(x, np.minimum(np.exp(log_normal(x, mean, std)), top)))
        stems = []
        for value in DATA:
            height = min(float(np.exp(log_normal(value, mean, std))), top)
            (left, base), (_, tip) = frame.spot(value, 0), frame.spot(value, height)
            stems += [svg.line(left, base, left, tip, "stem"), svg.circle(left, base, 4, "datum")]
        parts = [frame.across(Axis("x")), frame.up(Axis("density")), *stems, svg.path(curve, "curve ml"), frame.base()]
        return "".join(parts), frame.height

    return svg.chart(
        "Continuous: a normal",
        f"log p(data) = {signed(here, 2)}; at its highest {signed(log_likelihood(middle, own), 2)}, at the data's own "
        f"mean {middle:.2f} and deviation {own:.2f}.",
        "Dots are data, a stem is the density at one: log p(data) is the sum of their logarithms, and one stem near "
        "0 costs more than all others gain.",
        draw,
    )


def hill(mean: float, std: float) -> str:
    """Return the card of log p over both parameters: lines of equal height, the maximum, and where one stands."""
    middle, own = best()

    def draw(width: int) -> tuple[str, float]:
        frame = Frame(44, width - 10, 12, 202, Scale(*MEANS), Scale(*STDS))
        rings = [
            svg.path(svg.corners(frame.spot(*at) for at in branch), "ring")
            for below in STEPS for branch in ring(below) if branch
        ]  # fmt: skip
        (x, y), (best_x, best_y) = frame.spot(mean, std), frame.spot(middle, own)
        cross = f"M{best_x - 5:.1f} {best_y:.1f}h10M{best_x:.1f} {best_y - 5:.1f}v10"
        parts = [
            frame.across(Axis("mean")),
            frame.up(Axis("deviation")),
            *rings,
            svg.path(cross, "peak"),
            svg.circle(x, y, 6, "stand"),
            frame.base(),
        ]
        return "".join(parts), frame.height

    return svg.chart(
        "The hill of log p(data)",
        f"You stand {log_likelihood(middle, own) - log_likelihood(mean, std):.2f} nats below the top.",
        f"Lines of equal height, {', '.join(f'{step:g}' for step in STEPS)} nats below the top; cross: the maximum.",
        draw,
    )


def probabilities(weights: Sequence[float]) -> np.ndarray:
    """Return the probabilities that weights from 0 to 1 are shares of; equal ones where all weights are 0."""
    values = np.asarray(weights, float)
    return values / values.sum() if values.sum() > 0 else np.full(len(values), 1 / len(values))


def log_categorical(p: np.ndarray) -> float:
    """Return log p of the counted outcomes, in nats; minus infinity where one that was seen has probability 0."""
    counts = np.array([*COUNTS.values()])
    with np.errstate(divide="ignore"):
        return float((counts * np.log(p)).sum())


def categorical_card(weights: Sequence[float]) -> str:
    """Return the card of counted outcomes under a categorical distribution."""
    p, counts = probabilities(weights), np.array([*COUNTS.values()])
    shares = counts / counts.sum()
    here = log_categorical(p)
    said = signed(here, 2) if math.isfinite(here) else "−∞: what was seen has probability 0"

    def draw(width: int) -> tuple[str, float]:
        frame = Frame(44, width - 10, 12, 172, Scale(0, len(p)), Scale(0, 1))
        parts = [frame.up(Axis("probability"))]
        for place, (name, mine, seen) in enumerate(zip(COUNTS, p, shares, strict=True)):
            left, right = frame.x(place + 0.25), frame.x(place + 0.75)
            y, level = frame.y(float(mine)), frame.y(float(seen))
            parts.append(svg.rect(left, y, right - left, frame.bottom - y, "chance"))
            parts.append(svg.line(left - 8, level, right + 8, level, "seen"))
            parts.append(svg.text((left + right) / 2, frame.bottom + 18, f"{name}, seen {COUNTS[name]}×", "tick",
                                  "middle"))  # fmt: skip
        return "".join([*parts, frame.base()]), frame.bottom + 26

    return svg.chart(
        "Discrete: a categorical",
        f"log p(data) = {said}; at its highest {signed(log_categorical(shares), 2)}, at the shares that were seen.",
        "Bars are the distribution's probabilities, dashed lines the shares of what was seen; with two outcomes it is "
        "Bernoulli's.",
        draw,
    )
