"""A discriminator's belief: samples and real test images, judged by a model that gives a probability of 'real'."""

from __future__ import annotations

import threading
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from dashboard.service.cache import Cache
from dashboard.service.device import Waiting
from dashboard.service.images import shipped
from dashboard.service.lanes import checkpoint_key
from dashboard.service.orders import image_seeds
from dashboard.service.parsing import parse_seed
from dashboard.service.pixels import to_input, to_pixels
from dashboard.service.service import Service
from gencore.checkpoint import Entry
from gencore.family import Family, Judges

JUDGED = 200  # images of each kind that are judged
BATCH = 50  # images at once: what a processor's cache holds
PROBE = "probe"  # the player that stands in where the discriminator itself gives no probability


@dataclass(frozen=True)
class Contestant:
    """One checkpoint whose model judges.

    Attributes:
        name: The checkpoint.
        family: Its family's name.
        title: Its family's name for people.
        objective: What its players play for, as its config says; '' when it does not.
        problem: One sentence: why it cannot be used; '' when it can.
    """

    name: str
    family: str
    title: str
    objective: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Judged:
    """What a model believes of fresh samples and of real test images.

    Attributes:
        contestant: Whose model.
        seed: The run's seed.
        by_probe: Whether the probability is a probe's, not the discriminator's.
        fake: uint8 (n, C, H, W) samples, with the default knobs.
        fake_scores: (n,) D(G(z)).
        real: uint8 (m, C, H, W) real test images; None when they are not at hand.
        real_scores: (m,) D(x); empty without real images.
    """

    contestant: Contestant
    seed: int
    by_probe: bool
    fake: np.ndarray
    fake_scores: np.ndarray
    real: np.ndarray | None
    real_scores: np.ndarray

    @property
    def who(self) -> str:
        """Whose probabilities they are, for people."""
        return "the probe, a discriminator that never trained G" if self.by_probe else "the discriminator"


class Judging:
    """Lets models judge, and keeps what they believed. One instance serves all visitors."""

    def __init__(self, service: Service):
        self.service = service
        self._judged = Cache(16)

    def contestant(self, entry: Entry, problem: str = "") -> Contestant:
        """Return a checkpoint of a family that judges."""
        objective = str(entry.config.get("objective") or "")
        return Contestant(entry.name, entry.family, self.service.families[entry.family].title, objective, problem)

    def judge(
        self, one: Contestant, dataset: str, seed: Any, stop: threading.Event
    ) -> Generator[Waiting, None, Judged]:
        """Let a model, once the device is had, judge `JUDGED` fresh samples and as many real test images.

        Raises:
            InputError: in one sentence, on a bad seed, or when `stop` was set first.
        """
        seed = parse_seed(seed)
        key = checkpoint_key(one.name), seed

        def judge(model: Family) -> Judged:
            seeds, real = image_seeds(seed, JUDGED), self.real(dataset, seed)
            if real is not None and real.shape[1:] != tuple(
                model.image_shape
            ):  # shipped beside a model of another size
                real = None
            pieces = [model.generate(seeds[start : start + BATCH]) for start in range(0, JUDGED, BATCH)]
            fake = to_pixels(torch.cat(pieces))
            judged = Judged(one, seed, PROBE in model.networks, fake, probability_real(model, fake), real, np.zeros(0))
            return judged if real is None else replace(judged, real_scores=probability_real(model, real))

        return (yield from self.service.with_model(one.name, judge, stop, keep=(self._judged, key)))

    def real(self, dataset: str, seed: int) -> np.ndarray | None:
        """Return up to `JUDGED` different real test images, picked by the seed: of the data, else of those shipped.

        None when there are neither.
        """
        images = self.service.split(dataset, "test")
        if images is None:
            images, _ = shipped(self.service, dataset)
        if not len(images):
            return None
        return images[np.sort(np.random.default_rng(seed).permutation(len(images))[:JUDGED])]


def probability_real(model: Judges, images: np.ndarray) -> np.ndarray:
    """Return D of uint8 images (n, C, H, W), (n,): generated and real ones alike at 256 levels, as they are shown."""
    pieces = to_input(images, model).split(BATCH)
    return torch.cat([model.judge(piece) for piece in pieces]).cpu().double().numpy()
