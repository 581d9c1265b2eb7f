"""What is ordered of the models, checked, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gencore.family import Knob, image_seed


def image_seeds(seed: int, n: int, first: int = 0) -> list[int]:
    """Return the seeds of n images of a run, from its first one on."""
    return [image_seed(seed, first + i) for i in range(n)]


def calls_knob(knobs: Sequence[Knob]) -> Knob | None:
    """Return a family's knob for the number of network calls: its first whole number; None when it has none."""
    return next((knob for knob in knobs if knob.integer and not knob.choices), None)


@dataclass(frozen=True)
class Part:
    """One lane of an order: a checkpoint, every knob's value, and about how many network calls they ask for."""

    family: str
    checkpoint: str
    knobs: Mapping[str, Any]
    calls: int = 1


@dataclass(frozen=True)
class Order:
    """What to generate, checked: the same number of images from the same seed for every part.

    `first` is the place of the first image in the run: a long run is ordered in pieces.
    """

    dataset: str
    n: int
    seed: int
    parts: tuple[Part, ...]
    first: int = 0

    @property
    def seeds(self) -> list[int]:
        """The seed of every image."""
        return image_seeds(self.seed, self.n, self.first)

    @property
    def calls(self) -> int:
        """The network calls of an image of every part, together."""
        return sum(part.calls for part in self.parts)


@dataclass(frozen=True)
class Result:
    """A lane's finished images.

    Attributes:
        family: The family's name, or 'real'.
        title: Its name for people.
        images: uint8 (N, C, H, W).
        ms_per_image: Milliseconds per image of this run; None for images that were not timed here.
        calls: Network calls per image.
        seconds: The run's whole time; 0 for images that were not timed here.
        part: The checkpoint and knobs, None for previews and real images.
        beside: The comparison that worked on the device meanwhile, which makes times longer; '' for none.
        kept: When it was made and timed, where that was not now; see `Frame`.
    """

    family: str
    title: str
    images: np.ndarray
    ms_per_image: float | None = None
    calls: int = 0
    seconds: float = 0.0
    part: Part | None = None
    beside: str = ""
    kept: str = ""


@dataclass(frozen=True)
class Frame:
    """One moment of a run.

    Attributes:
        family: The lane.
        state: 'waiting', 'loading', 'running', 'done', 'stopped', 'skipped' or 'failed'.
        index: Network calls done.
        total: Network calls in all.
        seconds: Time the model has taken so far, without loading, warm-up and showing.
        images: uint8 (N, C, H, W): the images the model would give now; None when there are none yet.
        problem: One sentence when it failed.
        kept: When it was made and timed, ISO 8601, where that was not now: '2026-11-29T14:03:10+00:00'.
    """

    family: str
    state: str
    index: int = 0
    total: int = 0
    seconds: float = 0.0
    images: np.ndarray | None = None
    problem: str = ""
    kept: str = ""
