"""Closed forms of log-likelihoods and divergences of normal distributions; elementwise, in nats. Pure."""

from __future__ import annotations

import torch
from torch import Tensor

HALF_BIN = 1 / 255  # pixels are 256 levels in [-1, 1], so a level's bin is 2/255 wide


def normal_kl(mean: Tensor, std: Tensor) -> Tensor:
    """Return KL(N(mean, std^2) || N(0, 1)) elementwise, in nats (Kingma & Welling 2014, appendix B)."""
    return 0.5 * (mean.square() + std.square() - 1) - std.log()


def discretised_normal(x: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Return log P of the pixel levels `x` in [-1, 1] under N(mean, std^2) in bins 2/255 wide, open at the ends.

    From Ho et al. 2020, eq. 13; elementwise, in nats.
    """
    upper = torch.where(x > 1 - HALF_BIN, torch.inf, (x + HALF_BIN - mean) / std)
    lower = torch.where(x < -1 + HALF_BIN, -torch.inf, (x - HALF_BIN - mean) / std)
    # In the upper tail both values of the distribution function round to 1; by symmetry use the lower tail.
    flip = lower > 0
    upper, lower = torch.where(flip, -lower, upper), torch.where(flip, -upper, lower)
    log_upper, log_lower = torch.special.log_ndtr(upper), torch.special.log_ndtr(lower)
    return log_upper + torch.log(-torch.expm1((log_lower - log_upper).clamp_max(-1e-7)))
