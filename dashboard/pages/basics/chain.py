"""A diffusion model of the toy's x whose denoiser is the ideal one, and its bound of log p(x). Pure.

x_0 is one number of the density p(x) of `toy`, so that E[x_0|x_t], which a network would have to learn, is an integral.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from dashboard.pages.basics import toy
from dashboard.pages.basics.toy import log_normal

STEPS = 50  # T
X0 = np.linspace(-5, 12, 341)
X_T = np.linspace(-7, 13, 401)
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(15)
WEIGHTS = WEIGHTS / WEIGHTS.sum()
BETAS = np.linspace(0.002, 0.3, STEPS)
ABAR = np.cumprod(1 - BETAS)


class Chain:
    """The ideal denoiser of a density, and the bound that it gives.

    Args:
        density: Of x_0, at `X0`.
    """

    def __init__(self, density: np.ndarray):
        self.denoisers = [ideal(density, abar) for abar in ABAR]  # E[x_0|x_t] at `X_T` for t = 1..T

    def elbo(self, x: float) -> float:
        """Return the bound of log p(x), -(L_0 + sum of L_{t-1} + L_T) (Ho et al. 2020, eq. 5), with sigma^2 = beta.

        L_0 is minus the density N(x; E[x_0|x_1], beta_1) here; means over x_t are by Gauss-Hermite quadrature.
        """
        total = 0.5 * (ABAR[-1] * x**2 - ABAR[-1] - math.log1p(-ABAR[-1]))  # L_T
        for place, (abar, beta, seen) in enumerate(zip(ABAR, BETAS, self.denoisers, strict=True)):
            x0 = np.interp(math.sqrt(abar) * x + math.sqrt(1 - abar) * NODES, X_T, seen)
            if not place:
                total -= float(WEIGHTS @ log_normal(x, x0, math.sqrt(beta)))
                continue
            before = ABAR[place - 1]
            ratio = (1 - before) / (1 - abar)  # beta-tilde over beta
            gain = math.sqrt(before) * beta / (1 - abar)
            total += 0.5 * (ratio - 1 - math.log(ratio)) + float(WEIGHTS @ np.square(gain * (x - x0))) / (2 * beta)
        return -total


def ideal(density: np.ndarray, abar: float) -> np.ndarray:
    """Return E[x_0|x_t] at `X_T`, where x_0 has a density, at `X0`, and abar of x_t's variance is signal."""
    weight = density * np.exp(log_normal(X_T[:, None], math.sqrt(abar) * X0, math.sqrt(1 - abar)))
    total = weight.sum(1)
    nearest = np.clip(X_T / math.sqrt(abar), X0[0], X0[-1])  # where no x_0 is likely at all
    return np.where(total > 1e-300, (weight * X0).sum(1) / np.maximum(total, 1e-300), nearest)


@functools.cache
def of_toy() -> Chain:
    """Return the diffusion model of the toy's x."""
    return Chain(np.array([toy.likelihood(x) for x in X0.tolist()]))
