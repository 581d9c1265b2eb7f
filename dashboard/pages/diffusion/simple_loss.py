"""The squared error of the noise over t, and the bound's weights of it, as inline SVG. Pure: arrays in, markup out."""

from __future__ import annotations

import numpy as np

from dashboard.figures import line
from dashboard.figures.line import Curve

SIMPLE, BOUND = "L_simple: all alike", "as the bound does"
WEIGHTS = (SIMPLE, BOUND)


def bound_weight(abar: np.ndarray) -> np.ndarray:
    """Return what the bound weighs the squared error of the noise by at t = 1..T-1, (T - 1,).

    beta_t^2 / (2 sigma_t^2 alpha_t (1 - abar_t)), with sigma_t^2 = beta-tilde_t (Ho et al. 2020, eq. 12).
    """
    before, now = abar[:-1], abar[1:]
    alpha = now / before
    beta = 1 - alpha
    tilde = beta * (1 - before) / (1 - now)
    return beta**2 / (2 * tilde * alpha * (1 - now))


def card(family: str, abar: np.ndarray, t: np.ndarray, errors: np.ndarray, weights: str) -> str:
    """Return the chart's markup.

    Args:
        family: Whose colour the curve has.
        abar: abar_t for t = 0..T-1.
        t: (N,) where the errors are, in 1..T-1.
        errors: (N,) mean squared error of the predicted noise per pixel.
        weights: One of `WEIGHTS`.
    """
    scale = bound_weight(abar)[t - 1]
    weighed = weights == BOUND
    shown = errors * scale if weighed else errors
    share = shown[t <= len(abar) // 10].sum() / shown.sum()
    return line.lines(
        "The error of the noise over t" + (", weighted as in the bound" if weighed else ""),
        f"The lowest tenth of t has {share:.0%} of the sum. The bound would weigh t = {t[0]} "
        f"{scale[0] / scale[len(scale) // 2]:,.0f} times as much as t = {t[len(t) // 2]}.",
        "Noise is hard to see where there is little of it, on the left, and easy where there is nothing else. L_simple "
        "weighs all t alike; the bound would look at the left almost alone, where the eye sees least.",
        [Curve("", t, shown, family)],
        "t", "nats per pixel" if weighed else "squared error per pixel", log_y=weighed,
    )  # fmt: skip
