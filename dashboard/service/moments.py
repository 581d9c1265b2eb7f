"""Images in the making: what sampling has reached after each network call, and in what time, wherever it runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from dashboard.service.pixels import to_pixels
from gencore.device import synchronise
from gencore.family import Family

FRAME_SECONDS = 0.1  # at most ten frames a second: the browser has no way to ask for fewer


@dataclass(frozen=True)
class Moment:
    """What there is after a network call.

    Attributes:
        index: Network calls done.
        total: Network calls in all.
        seconds: Time that the model has taken so far.
        images: Makes the images that it would give now, uint8 (N, C, H, W); None where there are none yet.
    """

    index: int
    total: int
    seconds: float
    images: Callable[[], np.ndarray | None]


def moments(model: Family, seeds: Sequence[int], knobs: Mapping[str, Any]) -> Iterator[Moment]:
    """Sample with a loaded model, and yield after each network call; what happens between two of them is not timed."""
    steps, seconds = model.sample(seeds, **knobs), 0.0
    while True:
        started = time.perf_counter()
        with torch.no_grad():
            step = next(steps, None)
        synchronise(model.device)
        seconds += time.perf_counter() - started
        if step is None:
            return
        yield Moment(step.index, step.total, seconds, partial(to_pixels, step.x0))


def first_call(model: Family, seeds: Sequence[int], knobs: Mapping[str, Any]) -> None:
    """Do one network call before the clock starts: the first of a new model and batch is slower than the rest."""
    with torch.no_grad():
        next(model.sample(seeds, **knobs))
    synchronise(model.device)
