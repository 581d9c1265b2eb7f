"""Which t a process of T steps of noise is trained and walked at; t counts from 0 to T - 1, as in diffusers."""

import numpy as np
import torch
from torch import Tensor

from gencore.families import processes

TRAIN_STEPS = 1000  # T


def trailing(steps: int) -> np.ndarray:
    """Return `steps` timesteps from T - 1 downwards, evenly spaced (Lin et al. 2024, table 2, 'trailing')."""
    return np.round(TRAIN_STEPS - np.arange(steps) * (TRAIN_STEPS / steps)).astype(np.int64) - 1


def stratified(count: int, device: torch.device, skew: float = 1.0) -> Tensor:
    """Return the t (count,) of this process's images of a batch: each is uniform, but no two lie in one stratum.

    There is one in each of N equal strata of 0..T-1, N over all processes, which lowers the gradient's variance
    (Kingma et al. 2021, appendix I.1).

    Args:
        count: How many.
        device: Where to draw them.
        skew: With another than 1, the density at t is as t^(skew - 1): more than 1 draws more of much noise.
    """
    rank, world = processes.place()
    place = rank + world * torch.arange(count, device=device)
    strata = (place + torch.rand(count, device=device)) / (world * count)
    strata = strata if skew == 1 else strata ** (1 / skew)
    return (strata * TRAIN_STEPS).long().clamp_max(TRAIN_STEPS - 1)
