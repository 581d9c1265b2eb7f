"""Importance-weighted bounds of one image by the number of draws, as inline SVG. Pure: arrays in, markup out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dashboard import format
from dashboard.figures import line
from dashboard.figures.line import Curve, Level

NORMAL = 1.96  # the 97.5% point of the normal distribution
FEW = 5  # estimates that an interval needs at least


def interval(values: np.ndarray) -> float:
    """Return half of the 95% interval of the mean of independent estimates, NaN for fewer than `FEW`."""
    return NORMAL * float(values.std(ddof=1)) / len(values) ** 0.5 if len(values) >= FEW else float("nan")


def card(family: str, bounds: Mapping[int, np.ndarray], drawn: int) -> str:
    """Return the chart's markup.

    Args:
        family: Whose colour the curve has.
        bounds: Independent estimates of L_K in nats, by K; the least K is 1.
        drawn: Draws of z so far.
    """
    ks = np.array(list(bounds))
    means = np.array([values.mean() for values in bounds.values()])
    half = np.nan_to_num([interval(values) for values in bounds.values()])
    first, last = means[0], means[-1]
    answer = (
        f"The ELBO is {format.signed(first, 1)} nats; with K = {ks[-1]:,} draws the bound is {format.signed(last, 1)}, "
        f"{last - first:.1f} nats nearer to log p(x), which lies above both."
    )
    return line.lines(
        f"The bound after {drawn:,} draws of z",
        answer if len(ks) > 1 else f"The ELBO is {format.signed(first, 1)} nats.",
        "Each draw decodes one z and weighs it: K = 1 is the ELBO, and the mean of more weights comes nearer to p(x). "
        f"Band: 95% interval over independent groups of K draws, where there are {FEW} or more.",
        [Curve("the bound", ks, means, family, low=means - half, high=means + half)],
        "draws of z in one estimate, K", "nats", levels=[Level(float(first), "ELBO")], log_x=True,
    )  # fmt: skip
