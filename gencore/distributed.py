"""The processes of one run, as torchrun or `accelerate launch` started them; alone, they cost nothing."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import nn

from gencore.device import Settings, pick_device

PATIENCE = timedelta(days=7)  # the others wait while one measures or scores


@dataclass
class ProcessGroup:
    """The processes of one run (torchrun); alone, it does nothing."""

    rank: int = 0
    world: int = 1
    accelerator: Any = None
    messages: Any = None  # a group for what is no gradient: on the CPU, so that no GPU is waited for

    @classmethod
    def assemble(cls) -> ProcessGroup:
        """Return the group of this process: one process unless torchrun says more."""
        if int(os.environ.get("WORLD_SIZE", "1")) == 1:
            return cls()
        from accelerate import Accelerator

        accelerator = Accelerator(cpu=pick_device().type == "cpu")
        messages = dist.new_group(backend="gloo", timeout=PATIENCE)
        return cls(accelerator.process_index, accelerator.num_processes, accelerator, messages)

    def average(self, parameters: list[nn.Parameter]) -> None:
        """Replace the gradients by their mean over the processes: one flattened exchange.

        By hand instead of DistributedDataParallel, so that families call any method and double backward is plain.
        """
        if self.world == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = self.accelerator.reduce(torch.cat([g.flatten() for g in gradients]), "mean")
        for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))

    def any(self, asked: bool) -> bool:
        """Return whether one of the processes was asked."""
        if self.world == 1:
            return asked
        answer = torch.tensor(int(asked))
        dist.all_reduce(answer, dist.ReduceOp.MAX, self.messages)
        return bool(answer)

    def wait(self) -> None:
        """Wait until all processes are here: torchrun ends the others as soon as one is gone."""
        if self.world > 1:
            dist.barrier(self.messages)

    def agree(self, settings: Settings) -> Settings:
        """Return rank 0's settings everywhere."""
        if self.world == 1:
            return settings
        from accelerate.utils import broadcast_object_list

        return broadcast_object_list([settings])[0]
