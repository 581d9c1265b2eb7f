"""What a step of training must know of the processes that share it (torchrun): statistics of the whole batch."""

from __future__ import annotations

import torch.distributed as dist
from torch import Tensor


def place() -> tuple[int, int]:
    """Return this process's rank and how many there are: (0, 1) when there is one."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1


def mean(value: Tensor) -> Tensor:
    """Return the mean of a detached tensor over the processes, each of which must ask for it."""
    _, world = place()
    if world > 1:
        value = value.clone()
        dist.all_reduce(value)
        value /= world
    return value
