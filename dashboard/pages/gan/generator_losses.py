"""The generator's two losses over D(G(z)), and their gradients, as inline SVG. Pure: numbers in, markup out."""

from __future__ import annotations

import numpy as np

from dashboard.figures import line
from dashboard.figures.line import Curve

D = np.concatenate([np.linspace(0.005, 0.05, 19), np.linspace(0.06, 0.94, 89), np.linspace(0.95, 0.995, 19)])
START = 0.05


def minimax(d: np.ndarray | float) -> np.ndarray:
    """Return what G descends in the minimax game, log(1 - D), of D = D(G(z)) in (0, 1)."""
    return np.log1p(-np.asarray(d, float))


def non_saturating(d: np.ndarray | float) -> np.ndarray:
    """Return what G descends in practice, -log D."""
    return -np.log(d)


def pull(d: float) -> tuple[float, float]:
    """Return by how much either loss falls as D's logit rises: D for the minimax loss, 1 - D for the other.

    With D = 1 / (1 + exp(-a)), the derivative of log(1 - D) in a is -D, and that of -log D is D - 1.
    """
    return d, 1 - d


def losses(d: float, family: str) -> str:
    """Return the card of both losses."""
    return line.lines(
        "What G descends",
        f"At D(G(z)) = {d:.2f}: log(1 − D) = {float(minimax(d)):.2f}, −log D = {float(non_saturating(d)):.2f}.".replace(
            "= -", "= −"
        ),
        "Both fall as D takes G's image for more real, to the right. Early in training D is sure, far left: there the "
        "minimax loss is flat and the other is steep.",
        [Curve("−log D", D, non_saturating(D), family), Curve("log(1 − D)", D, minimax(D), dashed=True)],
        "D(G(z))", "loss", marker_x=d, x_range=(0, 1), y_range=(-5.5, 5.5),
    )  # fmt: skip


def gradients(d: float, family: str) -> str:
    """Return the card of both gradients."""
    mine, other = pull(d)
    ratio = f"{other / mine:.3g} times as hard" if other >= mine else f"{other / mine:.2f} times as hard"
    return line.lines(
        "How hard each pulls on G",
        f"The non-saturating loss pulls {other:.2f}, the minimax loss {mine:.2f}: {ratio}.",
        "How fast either loss falls as D's logit rises, which is what reaches G: D for minimax, 1 − D for the other. "
        "They have the same fixed point, and at 1/2 they pull alike.",
        [Curve("1 − D", D, 1 - D, family), Curve("D", D, D, dashed=True)],
        "D(G(z))", "fall per unit of the logit", marker_x=d, x_range=(0, 1), y_range=(0, 1),
    )  # fmt: skip
