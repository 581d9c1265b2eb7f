"""The joint density of x and z, the marginal of x, and the posterior of z, of the toy. Pure: numbers in, markup out."""

from __future__ import annotations

import functools
import math

import numpy as np

from dashboard.figures import line, svg
from dashboard.figures.line import Curve
from dashboard.figures.plot import Axis, Frame, Scale
from dashboard.format import signed
from dashboard.pages.basics import toy

LOW, HIGH = -2.0, 5.0  # of x
XS = np.linspace(LOW, HIGH, 113)
DRAWN = 400  # draws of the joint
FEW = 16  # dimensions of the shipped VAEs' z
FINE = slice(None, None, 10)  # of the integral's places, those that are drawn


def raised(number: int) -> str:
    """Return a number as an exponent: '⁵³'."""
    return str(number).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


@functools.cache
def marginal() -> tuple[np.ndarray, np.ndarray]:
    """Return p(x), and exp of the best ELBO of a normal q, at `XS`."""
    bounds = [toy.elbo(x, *toy.best(x)) for x in XS.tolist()]
    return np.array([toy.likelihood(x) for x in XS.tolist()]), np.exp(bounds)


def cloud(x: float) -> str:
    """Return the card of the joint density: draws of it, and the line of the chosen x."""
    z, drawn = toy.draws(DRAWN)

    def draw(width: int) -> tuple[str, float]:
        frame = Frame(44, width - 10, 12, 252, Scale(LOW, HIGH), Scale(-3.2, 3.2))
        inside = [(a, b) for a, b in zip(drawn, z, strict=True) if LOW < a < HIGH and abs(b) < 3.2]
        dots = "".join(f"M{a:.1f} {b:.1f}h0" for a, b in (frame.spot(*pair) for pair in inside))
        bend = svg.corners(frame.spot(toy.f(one), one) for one in np.linspace(-2.4, 2.4, 61))
        parts = [
            frame.across(Axis("x")),
            frame.up(Axis("z")),
            svg.path(dots, "joint-draws"),
            svg.path(bend, "joint-mean"),
            svg.line(frame.x(x), frame.top, frame.x(x), frame.bottom, "at"),
            frame.base(),
        ]
        return "".join(parts), frame.height

    return svg.chart(
        "The joint p(x, z)",
        "z is drawn first, x follows it: p(x, z) = p(x|z) p(z).",
        f"Dots: {DRAWN} draws; curve: f(z), the mean of p(x|z). The line is the x that is given: the joint along it, "
        "as a function of z, is drawn beside it.",
        draw,
    )


def slice_at(x: float) -> str:
    """Return the card of the joint along one x: its area is p(x), its shape the posterior's."""
    joint, p = np.exp(toy.log_joint(x)), toy.likelihood(x)
    mean, std = toy.best(x)
    normal = p * np.exp(toy.log_normal(toy.Z, mean, std))
    shown = np.abs(toy.Z) <= 3.2
    z, joint, normal = (values[shown][FINE] for values in (toy.Z, joint, normal))
    return line.lines(
        "Along one x: p(x, z) over z",
        f"The area is p(x) = {p:.3f}; divided by it, the curve is the posterior p(z|x).",
        "Dashed: the normal q(z) with the best ELBO, drawn with the same area. With one number in z the integral is a "
        f"sum of {len(toy.Z):,} terms; with {FEW}, as in the shipped VAEs, it would be some "
        f"10{raised(round(FEW * math.log10(len(toy.Z))))}: intractable.",
        [
            Curve("p(x, z)", z, joint, low=np.zeros_like(joint), high=joint),
            Curve("q(z) p(x)", z, normal, "vae", dashed=True),
        ],
        "z", "density", x_range=(-3.2, 3.2),
    )  # fmt: skip


def evidence(x: float) -> str:
    """Return the card of the marginal with the ELBO below it."""
    p, bound = marginal()
    here, below = math.log(toy.likelihood(x)), toy.elbo(x, *toy.best(x))
    return line.lines(
        "The marginal p(x), and the bound below it",
        f"log p(x) = {signed(here, 2)}, the ELBO {signed(below, 2)}: {here - below:.2f} nats of KL apart.",
        "Where the posterior has two bumps a normal q covers one of them, and the bound lies about log 2 = 0.69 below.",
        [Curve("p(x)", XS, p), Curve("exp ELBO", XS, bound, "vae", dashed=True)],
        "x", "density", marker_x=x,
    )  # fmt: skip
