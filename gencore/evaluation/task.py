"""One row to measure, and the plan of an evaluation: all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from gencore.checkpoint import Entry
from gencore.device import Settings, describe_machine
from gencore.evaluation.failures import Broken
from gencore.evaluation.given import Given
from gencore.evaluation.rows import kid_reference
from gencore.evaluation.samples import Samples
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
        kind: 'quality', 'cost', 'real' (the baseline: real train images against real test images), 'failure' or
            'samples' (made elsewhere).
        checkpoint: The checkpoint's name or the samples', '' for the baseline and a failure that is made from none.
        family: Its family, 'real' for the baseline, 'samples' for samples.
        point: The operating point, as the row names it.
        knobs: Every knob's value.
        n: Images per generation; 0 for a cost.
        generations: Independent generations; 0 for a cost.
        settings: How the networks compute.
        batch: Images made at once.
        hashes: Of the checkpoint and the extractors.
        path: The file for the row.
        entry: The checkpoint; None where there is no model to load.
        broken: The broken model of a failure; None where its images are all kept.
        given: The samples that were made elsewhere; None of others.
        stated: What is said of how fast these were made, for the row; {} if nothing is.
        failure: The failure's key, '' if it is none.
        calls: Network calls per image.
        sampling: About how many seconds its images take that are still to be made.
        rest: About how many seconds the rest takes: scoring them, or timing.
        device: The device of its networks; 'cpu' where there are none.
        elsewhere: The machine that its images were made on, where they are all kept; else they are made on this one.
        training: What its model's training came to, as the row tells it.
        reference: How many real test images the KID is measured against; 0 for a cost.
        timing_seconds: About how long to time, for a cost.
        before: The row that is scored again, None for a new one.
        repeat: Whether it is measured though its row is there.
        auto: Whether the number format was left to the program, so that a row of this machine counts in any.
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
    given: Given | None = None
    stated: Mapping[str, Any] = field(default_factory=dict)
    failure: str = ""
    calls: int = 0
    sampling: float = 0.0
    rest: float = 0.0
    device: str = "cpu"
    elsewhere: Mapping[str, Any] | None = None
    training: Mapping[str, Any] = field(default_factory=dict)
    reference: int = 0
    timing_seconds: float = 0.0
    before: Mapping[str, Any] | None = None
    repeat: bool = False
    auto: bool = False

    @property
    def title(self) -> str:
        """What is measured, for people."""
        return f"{self.checkpoint or self.dataset}, {self.point.label}"

    @property
    def seconds(self) -> float:
        """About how long it takes from where it was stopped."""
        return self.sampling + self.rest

    @property
    def machine(self) -> Mapping[str, Any]:
        """The machine that it is measured on."""
        return self.elsewhere or describe_machine(self.device)

    @cached_property
    def samples(self) -> Samples | None:
        """The images that are kept of its point, which rows of every n share; None where none are: real ones, a cost's.

        Raises:
            InputError: if they cannot be read.
        """
        if self.kind not in ("quality", "failure"):
            return None
        settings = {"dtype": self.settings.dtype, "layout": self.settings.layout, "batch": self.batch}
        return Samples({
            "dataset": self.dataset, "checkpoint": self.checkpoint, "failure": self.failure,
            "hash": self.hashes.get("checkpoint", ""), "revision": self.revision, "knobs": dict(self.knobs),
            "settings": settings,
            "machine": {key: self.machine[key] for key in ("device", "name")},  # another one gives other bits
        })  # fmt: skip

    @property
    def lacking(self) -> int:
        """How many images are still to be made."""
        return self.samples.lacking(self.generations, self.n) if self.samples else 0

    @property
    def revision(self) -> int:
        """How many changes of the family's sampling concern the knobs."""
        return len(changes_of(self.family, self.knobs))

    def is_measured_by(self, row: Mapping[str, Any]) -> bool:
        """Return whether a row is what this task would measure: scores wherever they were, a cost on this machine."""
        same = ["kind", "dataset", "checkpoint", "hashes", "knobs"]
        same += [] if self.kind == "cost" else ["n", "generations"]
        if not all(row[key] == getattr(self, key) for key in same):
            return False
        if row.get("stated", {}) != self.stated:
            return False
        if row.get("failure", "") != self.failure:
            return False
        here = all(row["machine"].get(key) == self.machine[key] for key in ("device", "name"))
        if row["settings"]["dtype"] != self.settings.dtype and not (self.auto and here):
            return False
        if self.kind == "cost":
            return all(row["machine"].get(key) == self.machine[key] for key in ("device", "name", "threads"))
        return row.get("revision", 0) == self.revision and (kid_reference(row) or self.n) == self.reference


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What there is to measure.

    Attributes:
        tasks: The rows to measure, in order.
        finished: How many rows are there already.
        left_out: What is not measured, one sentence each.
        problems: Lines of row files that are no rows and kept samples that are torn, one sentence each.
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

    @property
    def sampling(self) -> float:
        """About how many seconds of these make images."""
        return sum(task.sampling for task in self.tasks)


def about(seconds: float) -> str:
    """Return a time in words: 'about 40 s', 'about 12 min', 'about 2.5 h'."""
    if seconds < 100:
        return f"about {max(round(seconds), 1)} s"
    return f"about {seconds / 60:.0f} min" if seconds < 6000 else f"about {seconds / 3600:.1f} h"
