"""The adversarial game on trained models, of the families that give a probability of 'real'.

A `Games` lists the checkpoints of every family that judges, lets a model judge fresh samples and real test images,
and makes the few samples that follow a slider. Each call has the device to itself for as long as it lasts.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from dashboard.results.operating_points import knobs_key
from dashboard.service import PREVIEW, InputError, Knob, Service, resolve_knobs
from dashboard.service.cache import Cache
from dashboard.service.device import Waiting
from dashboard.service.lanes import checkpoint_key, missing
from dashboard.service.orders import image_seeds
from dashboard.service.parsing import parse_seed
from dashboard.service.pixels import to_input, to_pixels
from dashboard.service.problems import without_paths
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


class Games:
    """Finds the models that judge and lets them. One instance serves all visitors."""

    def __init__(self, service: Service):
        self.service = service
        self._judged = Cache(16)
        self._samples = Cache(64)

    # ---- what there is

    def families(self) -> dict[str, type]:
        """Return the families that judge, in the order of the registry."""
        return self.service.able(Judges)

    def datasets(self) -> list[str]:
        """Return the data sets with a checkpoint of a family that judges, those with one that can be used first."""
        found = {name: self.contestants(name) for name in self.service.datasets()}
        known = [name for name, mine in found.items() if mine]
        return sorted(known, key=lambda name: all(one.problem for one in found[name]))

    def contestants(self, dataset: str) -> list[Contestant]:
        """Return the checkpoints of a data set whose models judge; those that can be used come first."""
        kinds = self.service.able(Judges)
        found = [entry for entry in self.service.entries().get(dataset, []) if entry.family in kinds]
        found.sort(key=lambda entry: (bool(entry.problem), entry.name.rpartition("/")[2] != entry.family, entry.name))
        objectives = [str(entry.config.get("objective") or "") for entry in found]
        return [
            Contestant(entry.name, entry.family, kinds[entry.family].title, objective, without_paths(entry.problem))
            for entry, objective in zip(found, objectives, strict=True)
        ]

    def contestant(self, dataset: str, name: str) -> Contestant:
        """Return a data set's checkpoint by its name.

        Raises:
            InputError: in one sentence, if there is none or it cannot be used.
        """
        found = next((one for one in self.contestants(dataset) if one.name == name), None)
        if found is None:
            raise InputError(self.nobody(dataset))
        if found.problem:
            raise InputError(found.problem)
        return found

    def nobody(self, dataset: str) -> str:
        """Return the sentence of a data set without a checkpoint that judges."""
        for kind in self.families().values():
            return missing(dataset, kind)
        return "No family here has a discriminator: none of the registered ones gives a probability of 'real'."

    # ---- what the models make and believe

    def samples(
        self, dataset: str, name: str, knobs: Mapping[str, Any], stop: threading.Event
    ) -> Generator[Waiting, None, np.ndarray]:
        """Return, once the device is had, as many samples as a preview has at some knobs: always of the same seeds.

        They are uint8 (n, C, H, W).

        Raises:
            InputError: in one sentence, on a checkpoint that cannot be used, a bad knob, or when `stop` was set first.
        """
        one = self.contestant(dataset, name)
        values = resolve_knobs(self.service.families[one.family].knobs, knobs)
        key = checkpoint_key(one.name), knobs_key(values)

        def make(model: Family) -> np.ndarray:
            return to_pixels(model.generate(image_seeds(**PREVIEW), **values))

        return (yield from self.service.with_model(one.name, make, stop, keep=(self._samples, key)))

    def judge(self, dataset: str, name: str, seed: Any, stop: threading.Event) -> Generator[Waiting, None, Judged]:
        """Let a model, once the device is had, judge `JUDGED` fresh samples and as many real test images.

        Raises:
            InputError: in one sentence, on a checkpoint that cannot be used, a bad seed, or when `stop` was set first.
        """
        one, seed = self.contestant(dataset, name), parse_seed(seed)
        key = checkpoint_key(one.name), seed

        def judge(model: Family) -> Judged:
            seeds, real = image_seeds(seed, JUDGED), self.real(dataset, seed)
            pieces = [model.generate(seeds[start : start + BATCH]) for start in range(0, JUDGED, BATCH)]
            fake = to_pixels(torch.cat(pieces))
            judged = Judged(one, seed, PROBE in model.networks, fake, probability_real(model, fake), real, np.zeros(0))
            return judged if real is None else replace(judged, real_scores=probability_real(model, real))

        return (yield from self.service.with_model(one.name, judge, stop, keep=(self._judged, key)))

    def real(self, dataset: str, seed: int) -> np.ndarray | None:
        """Return up to `JUDGED` different real test images, picked by the seed; None when they are not at hand."""
        images = self.service.split(dataset, "test")
        if images is None:
            return None
        return images[np.sort(np.random.default_rng(seed).permutation(len(images))[:JUDGED])]


def probability_real(model: Any, images: np.ndarray) -> np.ndarray:
    """Return D of uint8 images (n, C, H, W), (n,): generated and real ones alike at 256 levels, as they are shown."""
    pieces = to_input(images, model).split(BATCH)
    return torch.cat([model.judge(piece) for piece in pieces]).cpu().double().numpy()


def number_knobs(kind: type) -> tuple[Knob, ...]:
    """Return a family's knobs that are numbers: those that a slider can move."""
    return tuple(knob for knob in kind.knobs if not knob.choices)
