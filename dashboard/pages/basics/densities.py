"""Explicit and implicit densities: what each of the three families can say of one x. Pure: numbers in, markup out."""

from __future__ import annotations

import functools
import math

import numpy as np

from dashboard.figures import svg
from dashboard.figures.plot import Axis, Frame, Scale
from dashboard.pages.basics import chain, joint, toy

MOST = 1000  # draws
NEAR = 0.25  # on either side of x
BINS = np.linspace(joint.LOW, joint.HIGH, 57)
TOP = 0.62  # where the axis of densities ends
LANE, GAP = 64, 46  # pixels of a lane's plot, and of its words


@functools.cache
def of_chain() -> np.ndarray:
    """Return exp of the diffusion model's bound at `joint.XS`."""
    return np.exp([chain.of_toy().elbo(x) for x in joint.XS.tolist()])


def sayings(x: float, n: int) -> tuple[str, str, str]:
    """Return what each family says of x, after n draws of the generator: VAE, GAN, diffusion."""
    drawn = toy.draws(MOST, 1)[1][:n]
    near = int((np.abs(drawn - x) <= NEAR).sum())
    return (
        f"explicit: p(x) ≥ {math.exp(toy.elbo(x, *toy.best(x))):.3f}, by the ELBO",
        f"implicit: {near} of {n} draws within {NEAR:g} of x, and no p(x)",
        f"explicit: p(x) ≥ {math.exp(chain.of_toy().elbo(x)):.3f}, by a bound in {chain.STEPS} steps",
    )


def card(x: float, n: int) -> str:
    """Return the card: a lane for each family, above each other over the same x."""
    truth, bound = joint.marginal()
    drawn = toy.draws(MOST, 1)[1][:n]
    heights = np.histogram(drawn, BINS)[0] / n / np.diff(BINS)
    marks, names, curves = ("vae", "gan", "ddpm"), ("VAE", "GAN", "Diffusion"), (bound, None, of_chain())
    rows = list(zip(marks, names, sayings(x, n), curves, strict=True))

    def draw(width: int) -> tuple[str, float]:
        parts, top = [], 0
        for family, name, said, curve in rows:
            frame = Frame(44, width - 10, top + GAP, top + GAP + LANE, Scale(joint.LOW, joint.HIGH), Scale(0, TOP))
            words = said if width > 400 else said.partition(", ")[0]
            parts += [svg.label(family, name, top + 18), svg.text(22, top + 38, words, "tick")]
            parts += [frame.across(Axis("x" if family == marks[-1] else "")), frame.up(Axis(wanted=3))]
            if curve is None:
                parts.append(_histogram(frame, heights, family))
            else:
                spots = frame.spots(joint.XS, curve)
                data = svg.corners([frame.spot(joint.LOW, 0), *spots, frame.spot(joint.HIGH, 0)])
                parts.append(svg.path(data, "explicit", f"fill:var(--mark-{family});stroke:var(--mark-{family})"))
                parts.append(svg.path(svg.corners(frame.spots(joint.XS, truth)), "truth"))
            parts += [svg.line(frame.x(x), frame.top, frame.x(x), frame.bottom, "at"), frame.base()]
            top = frame.bottom + 26
        return "".join(parts), top + 20

    return svg.chart(
        "What can each say of this x?",
        "All three draw. Two of them also say how likely an x is, from below; the GAN can only be counted.",
        "Areas: what the model says p(x) is at least; dashed: the p(x) of the data, known here as x is one number. "
        "The GAN's bars are draws alone.",
        draw,
    )


def _histogram(frame: Frame, heights: np.ndarray, family: str) -> str:
    """Return the generator's draws as bars."""
    bars = [
        svg.rect(frame.x(left), frame.y(min(height, TOP)), frame.x(right) - frame.x(left) - 1,
                 frame.bottom - frame.y(min(height, TOP)), style=f"fill:var(--mark-{family});opacity:.55")
        for left, right, height in zip(BINS[:-1], BINS[1:], heights, strict=True) if height
    ]  # fmt: skip
    return "".join(bars)
