"""One row to measure, and the plan of an evaluation: all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from gencore.checkpoint import Entry
from gencore.device import Settings, describe_machine
from gencore.evaluation import unfinished
from gencore.evaluation.failures import Broken
from gencore.evaluation.scoring import Reference
from gencore.families import changes_of
from gencore.family import Point


def plain_settings(dtype: str = "float32") -> Settings:
    """Return how numbers are computed where no network is there to be sped up, or none of it is wanted."""
    return Settings(dtype, "contiguous", torch.get_num_threads())


@dataclass(frozen=True, kw_only=True)
class Task:
    """One row to measure.

    Attributes:
        kind: 'quality', 'cost', 'real' (the baseline: real train images against real test images) or 'failure'.
        checkpoint: The checkpoint's name, '' for the baseline and for a failure that is made from none.
        family: Its family, 'real' for the baseline.
        point: The operating point, as the row names it.
        knobs: Every knob's value.
        n: Images per generation; 0 for a cost.
        generations: Independent generations; 0 for a cost.
        settings: How the networks compute.
        batch: Images made at once.
        hashes: Of the checkpoint and the extractors.
        path: The file for the row.
        entry: The checkpoint; None where there is no model to load.
        broken: The broken model of a failure.
        seconds: About how long it takes from where it was stopped.
        device: The device of its networks; 'cpu' where there are none.
    """

    kind: str
    dataset: str
    checkpoint: str
    family: str
    point: Point
    knobs: Mapping[str, Any]
    n: int = 0
    generations: int = 0
    settings: Settings
    batch: int
    hashes: Mapping[str, str]
    path: Path
    entry: Entry | None = None
    broken: Broken | None = None
    calls: int = 0
    seconds: float = 0.0
    device: str = "cpu"

    @property
    def title(self) -> str:
        """What is measured, for people."""
        return f"{self.checkpoint or self.dataset}, {self.point.label}"

    @property
    def failure(self) -> str:
        """The key of the failure, '' if it is none."""
        return self.broken.key if self.broken else ""

    @cached_property
    def unfinished(self) -> Path:
        """The file with the generations that are finished while the row is not."""
        what = [self.kind, self.dataset, self.checkpoint, self.failure, dict(self.knobs), self.n, self.generations]
        what += [self.revision]
        machine = describe_machine(self.device)  # another one's arithmetic gives other bits
        how = [dict(self.hashes), self.settings.record(), self.batch, machine["device"], machine["name"]]
        return unfinished.file_for(self.path, what + how)

    @property
    def ahead(self) -> list[int]:
        """The generations still to be measured."""
        kept = unfinished.read(self.unfinished)
        return [generation for generation in range(self.generations) if generation not in kept]

    @property
    def revision(self) -> int:
        """How many changes of the family's sampling concern the knobs."""
        return len(changes_of(self.family, self.knobs))

    def is_measured_by(self, row: Mapping[str, Any]) -> bool:
        """Return whether a row is what this task would measure, wherever it was."""
        same = ["kind", "dataset", "checkpoint", "hashes", "knobs"]
        same += [] if self.kind == "cost" else ["n", "generations"]
        return (
            all(row[key] == getattr(self, key) for key in same)
            and row.get("failure", "") == self.failure
            and row["settings"]["dtype"] == self.settings.dtype
            and (self.kind == "cost" or row.get("revision", 0) == self.revision)
        )


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What there is to measure.

    Attributes:
        tasks: The rows to measure, in order.
        finished: How many rows are there already.
        left_out: What is not measured, one sentence each.
        problems: Lines of row files that are no rows, one sentence each.
        references: By data set, what generated images are compared with.
        device: The name of the device that the networks run on.
    """

    tasks: tuple[Task, ...]
    finished: int
    left_out: tuple[str, ...]
    problems: tuple[str, ...]
    references: Mapping[str, Reference]
    device: str

    @property
    def seconds(self) -> float:
        """About how long all of it takes."""
        return sum(task.seconds for task in self.tasks)


def about(seconds: float) -> str:
    """Return a time in words: 'about 40 s', 'about 12 min', 'about 2.5 h'."""
    if seconds < 100:
        return f"about {max(round(seconds), 1)} s"
    return f"about {seconds / 60:.0f} min" if seconds < 6000 else f"about {seconds / 3600:.1f} h"
