"""The processes of one run, as torchrun or `accelerate launch` started them; alone, they cost nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import nn

from gencore.device import Settings, pick_device
from gencore.environment import processes
from gencore.errors import InputError, near

TRACKERS = ("tensorboard", "trackio", "wandb")
PROJECT = "gencore"  # what trackers file runs under
PATIENCE = timedelta(days=7)  # the others wait while one measures or scores


def check_tracker(name: str | None) -> None:
    """Refuse a tracker that is unknown or not installed.

    Raises:
        InputError: saying which there are, or what to install.
    """
    if name is None:
        return
    if name not in TRACKERS:
        raise InputError(f"There is no tracker {name!r}{near(name, list(TRACKERS))}")
    from accelerate.tracking import get_available_trackers

    if name not in map(str, get_available_trackers()):
        raise InputError(f"--tracker {name} needs the package {name}, which is not installed: pip install {name}")


@dataclass
class ProcessGroup:
    """The processes of one run (torchrun); alone, it does nothing."""

    rank: int = 0
    world: int = 1
    accelerator: Any = None
    messages: Any = None  # a group for what is no gradient: on the CPU, so that no GPU is waited for

    @classmethod
    def assemble(cls, tracker: str | None = None, folder: Path | None = None) -> ProcessGroup:
        """Return the group of this process: one process unless torchrun says more.

        Args:
            tracker: One of `TRACKERS`, for `track`; its package was looked for by `check_tracker`.
            folder: Where a tracker of files writes them.
        """
        alone = processes() == 1
        if alone and not tracker:
            return cls()
        from accelerate import Accelerator

        accelerator = Accelerator(cpu=alone or pick_device().type == "cpu", log_with=tracker, project_dir=folder)
        if alone:
            return cls(accelerator=accelerator)
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

    def track(self, values: Mapping[str, float], step: int) -> None:
        """Hand scalars to the tracker, if there is one; the first process does."""
        if self.accelerator:
            self.accelerator.log(dict(values), step=step)

    def any(self, asked: bool) -> bool:
        """Return whether one of the processes was asked."""
        if self.world == 1:
            return asked
        answer = torch.tensor(int(asked))
        dist.all_reduce(answer, dist.ReduceOp.MAX, self.messages)
        return bool(answer)

    def end(self) -> None:
        """Wait until all processes are here, as torchrun ends the others once one is gone; then the tracker ends."""
        if self.world > 1:
            dist.barrier(self.messages)
        if self.accelerator:
            self.accelerator.end_training()

    def agree(self, settings: Settings | None) -> Settings | None:
        """Return rank 0's settings, or that it has none, everywhere."""
        if self.world == 1:
            return settings
        from accelerate.utils import broadcast_object_list

        return broadcast_object_list([settings])[0]
