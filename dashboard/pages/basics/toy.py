"""A model of one number x with one number z, all of it known: p(z) = N(0, 1), p(x|z) = N(z^2 - 1, 0.5^2). Pure."""

from __future__ import annotations

import math

import numpy as np

STD = 0.5  # of p(x|z)
Z = np.linspace(-5, 5, 2001)  # where integrals over z are taken
LOG_2PI = math.log(2 * math.pi)


def log_normal(x: np.ndarray | float, mean: np.ndarray | float, std: float) -> np.ndarray:
    """Return the logarithm of the density of a normal at x."""
    return -0.5 * (np.square((x - mean) / std) + LOG_2PI) - math.log(std)


def f(z: np.ndarray) -> np.ndarray:
    """Return the mean of p(x|z): both signs of z give the same x, so that a posterior has two bumps."""
    return np.square(z) - 1


def log_joint(x: float, z: np.ndarray = Z) -> np.ndarray:
    """Return log p(x, z) at places z."""
    return log_normal(x, f(z), STD) + log_normal(z, 0.0, 1.0)


def likelihood(x: float) -> float:
    """Return p(x), the integral of p(x, z) over z."""
    return float(np.trapezoid(np.exp(log_joint(x)), Z))


def draws(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return n draws of z and of x, (n,) each: z from the prior, then x from p(x|z)."""
    z, noise = np.random.default_rng(seed).standard_normal((2, n))
    return z, f(z) + STD * noise


def elbo(x: float, mean: float, std: float) -> float:
    """Return the ELBO with q(z) = N(mean, std^2), in closed form: the moments of a normal are known."""
    second = mean**2 + std**2
    fourth = mean**4 + 6 * mean**2 * std**2 + 3 * std**4
    squares = (x + 1) ** 2 - 2 * (x + 1) * second + fourth  # E[(x - f(z))^2]
    reconstruction = -0.5 * (squares / STD**2 + LOG_2PI) - math.log(STD)
    return reconstruction - 0.5 * (second - 1) + math.log(std)


def best(x: float) -> tuple[float, float]:
    """Return mean and deviation of the normal q with the highest ELBO; its mean is not negative.

    In u = mean^2 and v = std^2 the derivatives of the ELBO are 0 where u = x + 1 - 3 v - s^2 / 2, which leaves
    12 v^2 - (4 (x + 1) - 2 s^2) v + s^2 = 0; or where u = 0 and 6 v^2 - (2 (x + 1) - s^2) v - s^2 = 0.
    """
    square = STD**2
    found = [(0.0, math.sqrt(v)) for v in roots(6, -(2 * (x + 1) - square), -square) if v > 0]
    for v in roots(12, -(4 * (x + 1) - 2 * square), square):
        u = x + 1 - 3 * v - square / 2
        if u > 0 and v > 0:
            found.append((math.sqrt(u), math.sqrt(v)))
    return max(found, key=lambda at: elbo(x, *at))


def roots(a: float, b: float, c: float) -> list[float]:
    """Return the real roots of a v^2 + b v + c."""
    inside = b * b - 4 * a * c
    return [(-b + sign * math.sqrt(inside)) / (2 * a) for sign in (-1, 1)] if inside >= 0 else []


def expectations(x: float, mean: float, std: float) -> dict[str, float]:
    """Return what the derivation of the ELBO is made of, by sums over z: expectations over q(z) = N(mean, std^2)."""
    log_q, joint = log_normal(Z, mean, std), log_joint(x)
    evidence = math.log(likelihood(x))
    q = np.exp(log_q)

    def expected(values: np.ndarray) -> float:
        return float(np.trapezoid(q * values, Z))

    return {
        "log q": expected(log_q),
        "log posterior": expected(joint - evidence),
        "log joint": expected(joint),
        "evidence": evidence,
        "reconstruction": expected(log_normal(x, f(Z), STD)),
        "prior": expected(log_normal(Z, 0.0, 1.0)),
        "kl": expected(log_q - joint + evidence),
    }
