"""Importance-weighted bounds of log P(x) (Burda et al., Importance Weighted Autoencoders, 2016)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gencore.families.likelihood import discretised_normal
from gencore.family import DecodesNormal


def log_weights(model: DecodesNormal, x: Tensor, draws: int, generator: torch.Generator | None = None) -> Tensor:
    """Return log p(x|z) + log p(z) - log q(z|x) at draws z ~ q(z|x) of one image, float64 (draws,), in nats.

    The mean of the weights is P(x), that of their logarithms the ELBO. p(x|z) is of the image's 256 levels, p(z) is
    N(0, I), as in `bound`. Draws are made on the CPU, or by `generator`.

    Args:
        model: What encodes and decodes.
        x: (1, C, H, W) in [-1, 1].
        draws: How many.
        generator: Of the draws; the global one by default.
    """
    mean, std = model.encode(x)
    eps = torch.randn((draws, mean.shape[1]), generator=generator).to(mean.device)
    z = mean + std * eps
    levels = discretised_normal(x, *model.likelihood(z)).flatten(1).sum(1)
    # The constants of both normal densities cancel.
    ratio = 0.5 * (eps.square() - z.square()).sum(1) + std.log().sum()
    return (levels + ratio).cpu().double()


def importance_bound(weights: Tensor, k: int) -> Tensor:
    """Return independent estimates of L_k <= log P(x), (n // k,): logs of means of k weights (Burda et al., eq. 8).

    L_1 is the ELBO; L_k rises with k towards log P(x) (their theorem 1).

    Args:
        weights: `log_weights`, (n,).
        k: From 1 to n.
    """
    blocks = weights[: len(weights) // k * k].view(-1, k)
    return blocks.logsumexp(1) - math.log(k)
