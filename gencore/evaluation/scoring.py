"""Images of any origin, scored against the cached features of a data set's real images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from gencore import metrics
from gencore.data import at_hand, dataset_key, difference
from gencore.errors import InputError
from gencore.evaluation.rows import extractor_hash
from gencore.evaluation.truth import truth_of
from gencore.extractors import reference as features

WITHOUT_FEATURES = ("images", "probabilities", "readings")  # what metrics need that cached features do not give
KID = "kid"  # the metric that is measured against all real test images


@dataclass(frozen=True)
class Scores:
    """What a generation scores, by extractor.

    Attributes:
        values: Then by metric.
        left_out: The same: why a metric has no value, in one sentence.
        parts: Each real test image's part in the KID, float64 (R,), for `metrics.KernelReference.scatter`.
    """

    values: dict[str, dict[str, float]]
    left_out: dict[str, dict[str, str]]
    parts: dict[str, Tensor]


@dataclass(frozen=True)
class BatchFeatures:
    """What is kept of images: enough for every metric, and small.

    Attributes:
        features: By extractor, float32 (N, d).
        probabilities: By extractor that knows the classes, float32 (N, K).
        spectra: Radial power spectra, float32 (N, R); None where the images were never seen.
        readings: What they show, float64 (N, 7), where the truth of the data set is known; else None.
    """

    features: Mapping[str, Tensor]
    probabilities: Mapping[str, Tensor] = field(default_factory=dict)
    spectra: Tensor | None = None
    readings: Tensor | None = None

    @classmethod
    def join(cls, parts: Sequence[BatchFeatures]) -> BatchFeatures:
        """Return several batches as one."""
        first = parts[0]
        return cls(
            {name: torch.cat([part.features[name] for part in parts]) for name in first.features},
            {name: torch.cat([part.probabilities[name] for part in parts]) for name in first.probabilities},
            None if first.spectra is None else torch.cat([part.spectra for part in parts]),
            None if first.readings is None else torch.cat([part.readings for part in parts]),
        )


class Reference:
    """A data set's extractors, on a device, and the cached features of its real images, which stay on the CPU.

    Metrics of the images themselves (`needs` of 'images' or 'readings') have one value, under the first extractor.
    The KID, which is without bias whatever the numbers, is measured against all real test images, so that rows of
    every n are compared with the same ones; the other metrics depend on n, and have the first n.

    Raises:
        InputError: if the data set has no features, with the command that makes them, or if a file is broken.
    """

    def __init__(self, dataset: str, device: str = "cpu"):
        names = [name for name in features.EXTRACTORS if extractor_hash(dataset, name)]
        if not names:
            raise InputError(
                f"{dataset} has no features to measure with; make them first: python -m gencore features {dataset}"
            )
        self.dataset = dataset
        self.extractors = {name: features.load_extractor(dataset, name).to(device) for name in names}
        self.reals = {name: features.load_real(dataset, name) for name in names}
        self.identity, self.view = self._origin()
        self.truth = truth_of(dataset, self.identity)
        self.kernels = {name: metrics.KernelReference(real.test[: self.size]) for name, real in self.reals.items()}

    def _origin(self) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """Return the fingerprints and the view of the real images, which all extractors must share."""
        known = {name: real for name, real in self.reals.items() if real.identity}
        for name, real in known.items():
            first, one = next(iter(known.items()))
            if changed := difference(one.identity, real.identity):
                raise InputError(
                    f"The {first} and {name} features of {self.dataset} are of different images ({changed}); make them "
                    f"all again: python -m gencore features {self.dataset}"
                )
        real = next(iter(known.values()), next(iter(self.reals.values())))
        return real.identity, real.view

    def refuse_others(self, identity: Mapping[str, Any], whose: str) -> None:
        """Refuse images that are not those that the features are of; what is unknown passes.

        Args:
            identity: The fingerprints of splits.
            whose: Whose they are, to begin a sentence with.

        Raises:
            InputError: if a split differs.
        """
        if changed := difference(identity, self.identity):
            raise InputError(
                f"{whose} other images than those that the features of {dataset_key(self.dataset)} are of ({changed}); "
                f"make the features of the same images: python -m gencore features {self.dataset}"
            )

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(C, H, W) of the images."""
        return next(iter(self.extractors.values())).image_shape

    @property
    def size(self) -> int:
        """How many real test images there are to compare with."""
        return min(len(real.test) for real in self.reals.values())

    @property
    def train_size(self) -> int:
        """How many real train images there are: where the data set is not at hand, those with all features cached."""
        cached = [len(real.train) for real in self.reals.values()]
        if not at_hand(self.dataset):
            return min(cached)
        return self.identity.get("train", {}).get("count") or max(cached)  # unknown in features of before

    @property
    def hashes(self) -> dict[str, str]:
        """Each extractor's hash."""
        return {name: extractor.hash for name, extractor in self.extractors.items()}

    def extract(self, images: Tensor) -> BatchFeatures:
        """Return the features of uint8 images (N, C, H, W), and what else is kept of them."""
        return BatchFeatures(
            {name: extractor.features(images) for name, extractor in self.extractors.items()},
            {
                name: extractor.probabilities(images)
                for name, extractor in self.extractors.items()
                if isinstance(extractor, features.Classifies)
            },
            metrics.radial_spectrum(images),
            self.truth.read(images) if self.truth else None,
        )

    def scores(self, batch: BatchFeatures) -> Scores:
        """Return every metric of images against the real test images; and why one is left out."""
        return self._scores(batch, authentic=True)

    def baseline_scores(self, batch: BatchFeatures, block: int, blocks: int) -> Scores:
        """Return the same for real train images, block `block` of `blocks` disjoint ones.

        Authenticity would find the train images in the train split. It does not depend on N, and what generated images
        are read against is fresh real ones: so it is that of the test images, in as many disjoint blocks.
        """
        scores = self._scores(batch, authentic=False)
        unseen = f"This needs the train images themselves, and those of {self.dataset} were not at hand."
        scarce = f"{self.dataset} has fewer test images than generations."
        for name, real in self.reals.items():
            values, reasons = scores.values[name], scores.left_out[name]
            size = len(real.test) // blocks
            fresh = real.test[block * size : (block + 1) * size]
            for key, metric in metrics.metrics_of(dataset_key(self.dataset)).items():
                if key in reasons and metric.needs in WITHOUT_FEATURES and batch.spectra is None:
                    reasons[key] = unseen
                elif metric.needs == "readings" and metric.axis == "memorisation" and key in values and size:
                    values[key] = metric(fresh, fresh, self.truth.test[block * size : (block + 1) * size])
                elif metric.needs == "train" and not real.finds_copies:
                    reasons[key] = real.cannot_find_copies
                elif metric.needs == "train" and size:
                    values[key] = metric(real.test, fresh, real.train)
                elif metric.needs == "train":
                    reasons[key] = scarce
        return scores

    def cached_train(self, start: int, stop: int) -> BatchFeatures:
        """Return train images by their cached features alone, where the data set is not at hand.

        Raises:
            InputError: if fewer are cached.
        """
        cached = min(len(real.train) for real in self.reals.values())
        if stop > cached:
            raise InputError(
                f"the train images of {self.dataset} are not at hand, and of only {cached:,} all features are kept."
            )
        return BatchFeatures({name: real.train[start:stop] for name, real in self.reals.items()})

    def _scores(self, batch: BatchFeatures, authentic: bool) -> Scores:
        values, reasons, parts = {}, {}, {}
        for name, real in self.reals.items():
            fake = batch.features[name]
            n = len(fake)
            mine = {"features"} | ({"train"} if authentic and real.finds_copies else set())
            if name == next(iter(self.reals)):
                mine |= {"images", "readings"} if self.truth else {"images"}
            mine |= {"probabilities"} if real.probabilities is not None else set()
            probabilities = batch.probabilities.get(name)
            found, reasons[name] = metrics.scores(
                real.test[:n],
                fake,
                spectra=None if batch.spectra is None else (real.spectra[:n], batch.spectra),
                probabilities=None if probabilities is None else (real.probabilities[:n], probabilities),
                train=real.train if authentic else None,
                train_gaps=real.train_gaps if authentic else None,
                readings=batch.readings if "readings" in mine else None,
                keys=[key for key, metric in metrics.METRICS.items() if metric.needs in mine and key != KID],
            )
            if authentic and not real.finds_copies:
                missing = [key for key, metric in metrics.METRICS.items() if metric.needs == "train"]
                reasons[name] |= dict.fromkeys(missing, real.cannot_find_copies)
            kid, parts[name] = self.kernels[name].distance(fake)
            values[name] = {KID: kid} | found
        return Scores(values, reasons, parts)
