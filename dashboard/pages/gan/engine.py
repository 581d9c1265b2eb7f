"""The adversarial game on trained models, of the families that give a probability of 'real'.

A `Games` lists the checkpoints of every family that judges, lets a model judge fresh samples and real test images,
and makes the few samples that follow a slider. Each call has the device to itself for as long as it lasts.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Mapping
from typing import Any

import numpy as np

from dashboard.results.operating_points import knobs_key
from dashboard.service import PREVIEW, InputError, Knob, Service, resolve_knobs
from dashboard.service.cache import Cache
from dashboard.service.device import Waiting
from dashboard.service.judging import JUDGED, Contestant, Judged, Judging
from dashboard.service.lanes import checkpoint_key, missing
from dashboard.service.orders import image_seeds
from dashboard.service.pixels import to_pixels
from dashboard.service.problems import without_paths
from gencore.family import Family, Judges

__all__ = ["JUDGED", "Contestant", "Games", "Judged", "number_knobs"]


class Games:
    """Finds the models that judge and lets them. One instance serves all visitors."""

    def __init__(self, service: Service):
        self.service = service
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
        judging = self.service.shared(Judging)
        return [judging.contestant(entry, without_paths(entry.problem)) for entry in found]

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
        return self.service.shared(Judging).judge(self.contestant(dataset, name), dataset, seed, stop)


def number_knobs(kind: type) -> tuple[Knob, ...]:
    """Return a family's knobs that are numbers: those that a slider can move."""
    return tuple(knob for knob in kind.knobs if not knob.choices)
