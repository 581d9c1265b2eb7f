"""Making the images of a point: micro-batches of a fixed size, by one process or by several together.

Which seeds share a micro-batch does not depend on the number of processes, and one process keeps them all, in order: so
neither the images nor the files do.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gencore import checkpoint
from gencore.data import to_uint8
from gencore.errors import InputError
from gencore.evaluation import rows
from gencore.evaluation.assemble import common
from gencore.evaluation.crew import Crew, Part, Piece
from gencore.evaluation.task import Task
from gencore.family import Family, Step, image_seed

WAIT_SECONDS = 0.2  # between two looks at images that another process is making
CHECKED = 4  # images that are made again to see whether kept ones are still what the same seeds give
ALIKE = 1.0  # uint8 levels that most may differ by on average: another batch gives 0, another number format 0.3


class Unmeasurable(InputError):
    """A row that cannot be measured; the next ones can."""


@contextmanager
def measuring(title: str) -> Iterator[None]:
    """Let bad input cost its own row alone; what the disk refuses stays outside, as it would refuse the next too."""
    try:
        yield
    except Unmeasurable:
        raise
    except (InputError, RuntimeError) as error:  # RuntimeError: no memory, or a process of ours was killed
        raise Unmeasurable(f"{title} cannot be measured: {error}") from error


@dataclass(frozen=True)
class RowProgress:
    """Where the measuring of one row is.

    `seconds` of those that were expected are done, the words say what is being done, and the row comes at the end.
    """

    seconds: float
    words: str
    row: Mapping[str, Any] | None = None


class Making:
    """Makes images, with one model in memory at a time.

    Attributes:
        device: The device of the networks.
        crew: The processes that share the work, of which this one leads.
    """

    def __init__(self, device: str, crew: Crew | None = None):
        self.device, self.crew = device, crew or Crew()
        self.loaded: tuple[Any, Family] | None = None

    def model(self, task: Task) -> Family:
        """Return a task's model, set up as the task says.

        Raises:
            Unmeasurable: if the checkpoint is gone or has changed since the plan was made.
        """
        key = (task.checkpoint, task.settings)
        try:
            if rows.checkpoint_hash(task.entry.path) != task.hashes["checkpoint"]:
                raise InputError(f"{task.checkpoint} has changed since this evaluation began; start it again.")
            if self.loaded is None or self.loaded[0] != key:
                self.loaded = None
                model = checkpoint.load(task.entry, self.device)
                task.settings.apply(model)
                self.loaded = key, model
        except InputError as error:
            raise Unmeasurable(str(error)) from error
        return self.loaded[1]

    def sampled(self, task: Task) -> Iterator[RowProgress]:
        """Yield the moments of making the images that are not kept yet, alone at this point.

        Raises:
            Unmeasurable: if they cannot be made, or those that are kept are not what is made now.
            InputError: if the disk refuses.
        """
        if not task.samples or task.elsewhere:
            return
        while True:
            with task.samples.alone() as free:
                if free:
                    yield from self.made(task)
                    return
            yield RowProgress(0.0, f"{task.title}: another evaluation is making these images, waiting for it")
            time.sleep(WAIT_SECONDS)

    def made(self, task: Task) -> Iterator[RowProgress]:
        """Yield the moments of making images, each micro-batch kept once it is whole."""
        samples, done = task.samples, 0
        with measuring(task.title):
            self.compare(task)
        lacking = max(task.lacking, 1)
        pieces = [
            (generation, start)
            for generation in range(task.generations)
            for start in range(samples.count(generation), task.n, task.batch)
        ]
        at_once = 1 if task.broken else self.crew.size  # a broken model is made in this process
        for first in range(0, len(pieces), at_once):
            mine = pieces[first : first + at_once]
            (generation, start), images = mine[0], len(mine) * task.batch
            words = f"{task.title}, generation {generation + 1} of {task.generations}"
            for share in self.together(task, mine):
                at = task.sampling * (done + images * share) / lacking
                yield RowProgress(at, f"{words}: {min(start + images * share, task.n):,.0f} of {task.n:,}")
            done += images

    def together(self, task: Task, pieces: Sequence[Piece]) -> Iterator[float]:
        """Make a micro-batch a process and keep them in order, yielding the share of this one's that is done.

        Raises:
            Unmeasurable: if one of them cannot be made; those before it are kept.
            InputError: if the disk refuses, or another process is gone.
        """
        self.crew.order(task, pieces)
        part: list[Part] = []
        yield from self.part(task, pieces[0], part)
        for (generation, _), made in zip(pieces, self.crew.collect(part[0]), strict=False):
            if isinstance(made, str):
                raise Unmeasurable(made)
            task.samples.add(generation, *made, provenance(task))

    def part(self, task: Task, piece: Piece, into: list[Part]) -> Iterator[float]:
        """Make a micro-batch, yielding the share that is done, and put it into a list: or what keeps it from that."""
        (generation, start), started = piece, time.monotonic()
        try:
            with measuring(task.title):
                for images, share in self.batch(task, generation, start, start + task.batch):  # noqa: B007 - kept
                    yield share
            into.append((images, time.monotonic() - started))
        except Unmeasurable as error:
            into.append(str(error))

    def compare(self, task: Task) -> None:
        """Make a few of the images that are kept again.

        Raises:
            Unmeasurable: if they come out otherwise: what makes them has changed since.
        """
        if not task.samples.count(0):
            return
        kept = next(task.samples.read(0, min(CHECKED, task.samples.count(0)))).float()
        *_, (again, _) = self.batch(task, 0, 0, len(kept))
        if (kept - again.float()).abs().flatten(1).mean(1).median() > ALIKE:
            raise Unmeasurable(
                f"{task.title} cannot be measured: the images that are kept of it are not those that its seeds give "
                f"now, so what makes them has changed since {task.samples.made.get('date', 'then')}; clear them: "
                f"python -m gencore evaluate --forget {task.checkpoint or task.dataset}"
            )

    def batch(self, task: Task, generation: int, start: int, stop: int) -> Iterator[tuple[Tensor | None, float]]:
        """Yield the share of a batch that is done, and at the end its images, uint8 (n, C, H, W)."""
        seeds = [image_seed(generation, place) for place in range(start, stop)]
        if task.broken:
            yield pixels(task.broken.generate(seeds), task.title), 1.0
            return
        for step in steps_of(self.model(task), seeds, task.knobs):
            yield None, step.index / step.total
        yield pixels(step.x0, task.title), 1.0


def serve(crew: Crew) -> None:
    """Make the micro-batches that the first process orders, until it has no more."""
    making: Making | None = None
    while order := crew.hear():
        if making is None or making.device != order.device:
            making = Making(order.device)
        part: list[Part] = []
        if order.piece:
            for _ in making.part(order.task, order.piece, part):
                pass
        crew.collect(part[0] if part else None)


def provenance(task: Task) -> dict[str, Any]:
    """Return what is to be known of a task's images beside what they depend on."""
    told = common(task, 0.0)
    kept = {key: told[key] for key in ("family", "point", "version", "date", "command")}
    return kept | {"threads": task.settings.threads, "torch": torch.__version__}


@torch.no_grad()
def steps_of(model: Family, seeds: Iterable[int], knobs: Mapping[str, Any]) -> Iterator[Step]:
    """Yield the steps of sampling, made without gradients; what happens between them keeps its own setting."""
    yield from model.sample(seeds, **knobs)


def pixels(x: Tensor, title: str) -> Tensor:
    """Return images in [-1, 1] as uint8 on the CPU.

    Raises:
        Unmeasurable: if they are not finite, which would pass for black pixels.
    """
    if not bool(torch.isfinite(x).all()):
        raise Unmeasurable(f"{title} cannot be measured: it gave images with NaN or infinity in them.")
    return to_uint8(x).cpu()
