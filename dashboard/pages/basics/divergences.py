"""KL(q||p) and KL(p||q) of a normal q and a p of two bumps, with where each is least. Pure: numbers in, markup out."""

from __future__ import annotations

import functools
import math

import numpy as np

from dashboard.figures import line
from dashboard.figures.line import Curve
from dashboard.pages.basics.toy import log_normal

X = np.linspace(-8, 8, 1601)
BUMPS = ((0.6, -1.6, 0.6), (0.4, 1.8, 0.7))  # weight, mean, deviation
SHOWN = np.abs(X) <= 5
FINE = slice(None, None, 8)
TOP = 0.66  # where the axis of densities ends


def log_p() -> np.ndarray:
    """Return log p at `X`."""
    return np.logaddexp(*(math.log(weight) + log_normal(X, mean, std) for weight, mean, std in BUMPS))


def divergences(mean: float, std: float) -> tuple[float, float]:
    """Return KL(q||p) and KL(p||q) of q = N(mean, std^2), in nats."""
    log_q, log = log_normal(X, mean, std), log_p()
    exclusive, inclusive = np.exp(log_q) * (log_q - log), np.exp(log) * (log - log_q)
    return float(np.trapezoid(exclusive, X)), float(np.trapezoid(inclusive, X))


@functools.cache
def argmins() -> tuple[tuple[float, float], tuple[float, float]]:
    """Return mean and deviation of the q with the least KL(q||p), and of that with the least KL(p||q)."""
    from scipy.optimize import minimize  # here: it loads for a while, and most visitors look at other pages

    def least(which: int) -> tuple[float, float]:
        def loss(at: np.ndarray) -> float:
            return divergences(at[0], math.exp(at[1]))[which]

        starts = [(mean, math.log(std)) for _, mean, std in BUMPS] + [(0.0, 0.5)]
        found = min((minimize(loss, start, method="Nelder-Mead") for start in starts), key=lambda one: one.fun)
        return float(found.x[0]), math.exp(found.x[1])

    return least(0), least(1)


def card(mean: float, std: float) -> str:
    """Return the card: p, q, and the best q of either divergence."""
    here = divergences(mean, std)
    least = [divergences(*at)[which] for which, at in enumerate(argmins())]
    x = X[SHOWN][FINE]

    def curve(label: str, at: tuple[float, float], **kind: str | bool) -> Curve:
        return Curve(label, x, np.minimum(np.exp(log_normal(x, *at)), TOP), **kind)

    p = np.exp(log_p())[SHOWN][FINE]
    seeking, covering = argmins()
    return line.lines(
        "Two ways to be close",
        f"KL(q‖p) = {here[0]:.2f} nats, at best {least[0]:.2f}; KL(p‖q) = {here[1]:.2f} nats, at best {least[1]:.2f}.",
        "KL(q‖p) is dear where q is and p is not: its best q keeps to one bump (mode-seeking; the VAE's posterior is "
        "fitted so). KL(p‖q) is dear where p is and q is not: its best q covers both, with p's own mean and deviation "
        "(mass-covering; maximum likelihood).",
        [
            Curve("p", x, p, "real", low=np.zeros_like(p), high=p),
            curve("best KL(q‖p)", seeking, family="vae", dashed=True),
            curve("best KL(p‖q)", covering, family="gan", dashed=True, dashes="2 3"),
            curve("q", (mean, std)),
        ],
        "x", "density", y_range=(0, TOP),
    )  # fmt: skip
