"""What is ordered of the models, checked, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gencore.family import image_seed


def image_seeds(seed: int, n: int, first: int = 0) -> list[int]:
    """Return the seeds of n images of a run, from its first one on."""
    return [image_seed(seed, first + i) for i in range(n)]


@dataclass(frozen=True)
class Part:
    """One lane of an order: a checkpoint and every knob's value."""

    family: str
    checkpoint: str
    knobs: Mapping[str, Any]


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
    """

    family: str
    title: str
    images: np.ndarray
    ms_per_image: float | None = None
    calls: int = 0
    seconds: float = 0.0
    part: Part | None = None
    beside: str = ""


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
    """

    family: str
    state: str
    index: int = 0
    total: int = 0
    seconds: float = 0.0
    images: np.ndarray | None = None
    problem: str = ""
