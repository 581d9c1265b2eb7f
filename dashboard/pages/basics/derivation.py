"""The derivation of the ELBO, a line at a time, each with its rule, and its value on the toy. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard import format
from dashboard.pages.basics import toy

X, MEAN, STD = 1.0, 1.3, 0.2  # the x, and the q that the values are of
KL_POSTERIOR = r"D_{KL}\left(q(z)\,\|\,p(z|x)\right)"
E = r"E_q\left[{}\right]"
LOG_Q, JOINT, POSTERIOR, BAYES, EVIDENCE, DECODED = (
    E.format(inside)
    for inside in (
        r"\log q(z)", r"\log p(z,x)", r"\log p(z|x)", r"\log \frac{p(z,x)}{p(x)}", r"\log p(x)", r"\log p(x|z)"
    )
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One line.

    Attributes:
        left: What stands left of the sign, '' where it is that of the line before.
        sign: '=' or its like, LaTeX.
        right: LaTeX.
        rule: Which rule leads to it, as a sentence.
        value: What the right side is on the toy, in nats.
    """

    left: str
    sign: str
    right: str
    rule: str
    value: float


def lines() -> list[Line]:
    """Return the derivation."""
    of = toy.expectations(X, MEAN, STD)
    elbo = of["log joint"] - of["log q"]
    kl_prior = of["log q"] - of["prior"]
    return [
        Line(KL_POSTERIOR, "=", E.format(r"\log \frac{q(z)}{p(z|x)}"),
             "This is what the KL divergence is.", of["kl"]),
        Line("", "=", f"{LOG_Q} - {POSTERIOR}",
             "The logarithm of a quotient is a difference, and so is its mean.", of["log q"] - of["log posterior"]),
        Line("", "=", f"{LOG_Q} - {BAYES}",
             "Bayes: the posterior is the joint over the marginal.", of["log q"] - (of["log joint"] - of["evidence"])),
        Line("", "=", f"{LOG_Q} - {JOINT} + {EVIDENCE}",
             "A quotient again.", of["log q"] - of["log joint"] + of["evidence"]),
        Line("", "=", rf"{LOG_Q} - {JOINT} + \log p(x)",
             "log p(x) does not depend on z, so it is its own mean.", of["log q"] - of["log joint"] + of["evidence"]),
        Line(r"\log p(x)", "=", rf"{KL_POSTERIOR} + \underbrace{{{JOINT} - {LOG_Q}}}_{{ELBO(q)}}",
             "Sorted: what cannot be computed comes first, what can stands above the brace.", of["kl"] + elbo),
        Line("", r"\ge", rf"{JOINT} - {LOG_Q}",
             "A KL divergence is never below 0: what is left is a lower bound.", elbo),
        Line("", "=", rf"{DECODED} - D_{{KL}}\left(q(z)\,\|\,p(z)\right)",
             "The joint is p(x|z) p(z): what a VAE is trained on.", of["reconstruction"] - kl_prior),
    ]  # fmt: skip


def shown(count: int) -> str:
    """Return the first lines of the derivation as Markdown with LaTeX."""
    rows = []
    for number, one in enumerate(lines()[:count], start=1):
        left = one.left or r"\phantom{D_{KL}}"
        value = format.signed(one.value, 2)
        rows.append(f"$$ {left} {one.sign} {one.right} $$\n\n**{number}.** {one.rule} *On the toy: {value}.*")
    return "\n\n".join(rows)
