"""The processes that make images together: the first one leads, plans, keeps, scores and writes; the others make.

The first tells all which micro-batch is whose, each makes its own, and the first collects them, round by round.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch.distributed as dist
from torch import Tensor

from gencore.device import describe_machine, pick_device
from gencore.distributed import ProcessGroup
from gencore.errors import InputError
from gencore.evaluation.task import Task

Piece = tuple[int, int]  # a micro-batch: its generation and the number of its first image
Part = tuple[Tensor, float] | str  # its images, uint8 (b, C, H, W), and seconds; or why it could not be made


@dataclass(frozen=True)
class Order:
    """What a process is to make in a round; no piece where there are fewer than processes."""

    task: Task
    piece: Piece | None
    device: str


class Crew:
    """The processes of one evaluation; alone, this one.

    Attributes:
        group: All of them.
        size: How many they are.
        leads: Whether this one leads.
    """

    def __init__(self, group: ProcessGroup | None = None):
        self.group = group or ProcessGroup()
        self.size, self.leads = self.group.world, self.group.rank == 0
        self.busy = False  # in a round, which the others wait for the end of

    def order(self, task: Task, pieces: Sequence[Piece]) -> None:
        """Tell the others what to make; the first piece is this process's own.

        Raises:
            InputError: if one of them is gone.
        """
        if len(pieces) > 1:
            self.busy = True
            alone = replace(task)  # without what this process has found out about the samples
            self._broadcast([alone, *pieces])

    def hear(self) -> Order | None:
        """Return what this process is to make, None if there is no more.

        Raises:
            InputError: if another process is gone.
        """
        told = self._broadcast(None)
        if told is None:
            return None
        task, *pieces = told
        piece = pieces[self.group.rank] if self.group.rank < len(pieces) else None
        return Order(task, piece, task.device)

    def collect(self, part: Part | None) -> list[Part | None]:
        """Return the parts of all processes in the first one, and none in the others.

        Raises:
            InputError: if one of them is gone.
        """
        if self.leads and not self.busy:
            return [part]
        parts: list[Part | None] = [None] * self.size
        with _together():
            dist.gather_object(part, parts if self.leads else None, 0, self.group.messages)
        self.busy = False
        return parts

    def dismiss(self) -> None:
        """Tell the others that there is no more; in mid-round they notice by themselves that this one is gone."""
        if self.size > 1 and self.leads and not self.busy:
            self._broadcast(None)

    def _broadcast(self, told: list | None) -> list | None:
        box = [told]
        with _together():
            dist.broadcast_object_list(box, 0, self.group.messages)
        return box[0]


@contextmanager
def _together() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # of the connection
        raise InputError(
            "Another process of this evaluation has ended; what was made is kept, and the same command goes on."
        ) from error


@contextmanager
def assembled(device: str | None) -> Iterator[Crew]:
    """Give the crew that this process belongs to: itself alone, unless torchrun says more.

    Args:
        device: As for `pick_device`.

    Raises:
        InputError: if the processes are on unlike machines, which would make unlike images.
    """
    crew = Crew(ProcessGroup.assemble())
    if crew.size > 1:
        mine = describe_machine(str(pick_device(device)))
        machines: list[dict] = [{}] * crew.size
        dist.all_gather_object(machines, mine, crew.group.messages)
        kinds = sorted({f"{one['name']} ({one['device']}, {one['threads']} threads)" for one in machines})
        if len(kinds) > 1:
            raise InputError(
                f"The processes are on unlike machines, which would make unlike images: {', '.join(kinds)}; start them "
                "on nodes of one kind, with one OMP_NUM_THREADS."
            )
    try:
        yield crew
    finally:
        crew.dismiss()
