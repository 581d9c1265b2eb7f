"""Intervals of the differences between points, from the values of their generations. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scipy import special

LEVEL = 0.95


def student(freedom: float) -> float:
    """Return Student's two-sided 95% quantile for any number of degrees of freedom from 1 on."""
    return float(special.stdtrit(freedom, (1 + LEVEL) / 2))


def welch_difference(values_a: Sequence[float], values_b: Sequence[float]) -> tuple[float, float, float]:
    """Return the mean of a less that of b, and the ends of Welch's 95% interval of it (Welch 1947).

    The ends are NaN where either has fewer than two generations.

    Args:
        values_a: One value per generation of a point, at least one.
        values_b: The other point's, in any number and order.
    """
    (a, va), (b, vb) = mean_and_error(values_a), mean_and_error(values_b)
    if math.isnan(va + vb):
        return a - b, math.nan, math.nan
    if va + vb == 0:
        return a - b, a - b, a - b
    freedom = (va + vb) ** 2 / (va**2 / (len(values_a) - 1) + vb**2 / (len(values_b) - 1))
    half = student(freedom) * math.sqrt(va + vb)
    return a - b, a - b - half, a - b + half


def mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean of some values and its squared standard error; that is NaN for a single value."""
    mean, n = math.fsum(values) / len(values), len(values)
    return mean, math.fsum((value - mean) ** 2 for value in values) / (n * (n - 1)) if n > 1 else math.nan


def paired_difference(values_a: Sequence[float], values_b: Sequence[float]) -> tuple[float, float, float]:
    """Return the mean of a - b over generations, and the ends of its 95% t-interval for pairs.

    Generation g of every point has the same seeds and is scored against the same real images, so what these do to both
    points is not in the differences: where the two are alike in it, the interval is narrower than Welch's.
    The ends are NaN for a single generation.

    Args:
        values_a: One value per generation of a point, at least one.
        values_b: The other point's, at the same n, of the same generations in the same order.

    Raises:
        ValueError: if their numbers differ: then they are not pairs.
    """
    if len(values_a) != len(values_b):
        raise ValueError(f"{len(values_a)} and {len(values_b)} generations are no pairs.")
    mean, error = mean_and_error([a - b for a, b in zip(values_a, values_b, strict=True)])
    half = student(len(values_a) - 1) * math.sqrt(error)
    return mean, mean - half, mean + half
