"""What an extractor makes of samples beside real images.

A `Judge` holds a data set's extractor and the cached features of its real images, and works out once what it is asked
for again; `Judges` finds them.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from scipy import special
from torch import Tensor

from dashboard.results import projection
from dashboard.results.operating_points import EXTRACTOR, Score
from dashboard.service.cache import Cache, bytes_in, cache_key
from dashboard.service.problems import without_paths
from dashboard.service.samples import Sampled
from dashboard.service.service import Service
from gencore import metrics
from gencore.data import difference
from gencore.device import pick_device
from gencore.errors import InputError
from gencore.extractors import extractors_of, reference
from gencore.metrics.neighbours import radii

SHARES, RATIOS = ("recall", "coverage"), ("vendi_ratio", "pairwise_ratio")
SCORES = (*SHARES, *RATIOS)
EXCESS = 1.5  # a share's variance over the binomial one; see `share_score`
QUICK = ("precision", "coverage", "sharpness")
GROUPS = 10  # of the jackknife
TEST_GAPS = 2000  # real test images whose nearest training image is looked up
BLOCKS = 40  # of real images, for the range of so few


@dataclass(frozen=True)
class Verdict:
    """What an extractor makes of samples, against as many real test images: the first ones.

    Attributes:
        n: Samples, and real images.
        features: float32 (n, d).
        scores: By metric, its value with a 95% interval over samples (see `share_score` and `jackknife`).
        left_out: By metric, one sentence: why it has no value.
        missed: The places of the real test images that no sample covers, the furthest from any sample first.
    """

    n: int
    features: np.ndarray
    scores: Mapping[str, Score]
    left_out: Mapping[str, str]
    missed: np.ndarray


@dataclass(frozen=True)
class Neighbour:
    """A sample's nearest training image.

    Attributes:
        distance: How far it is, in the extractor's features.
        place: Its place in the train split.
        gaps: (m,) how far real test images are from their nearest training image.
    """

    distance: float
    place: int
    gaps: np.ndarray


@dataclass(frozen=True)
class Quick:
    """A small batch's scores against as many real images, beside those that real images get.

    Attributes:
        n: Images per family, and real ones.
        scores: By family, then by metric.
        classes: By family, (K,) images that fall in each class; empty when the extractor knows no classes.
        real: By metric, the mean over disjoint blocks of n real images, and between which values 95% of them lie.
        blocks: How many blocks of real images there were.
        left_out: By metric, one sentence: why it has no value.
    """

    n: int
    scores: Mapping[str, Mapping[str, float]]
    classes: Mapping[str, np.ndarray]
    real: Mapping[str, Score]
    blocks: int
    left_out: Mapping[str, str]


class Judge:
    """An extractor of a data set, and what it knows of the real images."""

    def __init__(self, dataset: str, name: str):
        self.extractor = reference.load_extractor(dataset, name).to(pick_device())
        self.real = reference.load_real(dataset, name)
        self.name = name
        self._known = Cache(64, 200e6)  # by samples, or number of real images; bytes: 1,000 features take 0.3 MB

    @property
    def nbytes(self) -> int:
        """The bytes that the features of the real images take."""
        return bytes_in(self.real)

    @functools.cached_property
    def plane(self) -> projection.Plane | None:
        """The directions along which the real test images' classes lie furthest apart; None under three classes."""
        if self.real.probabilities is None or self.real.probabilities.shape[1] < 3:
            return None
        return projection.class_plane(self.real.test.numpy(), self.real.probabilities.argmax(1).numpy())

    @functools.cached_property
    def gaps(self) -> np.ndarray:
        """How far real test images are from their nearest training image, (m,)."""
        return metrics.nearest(self.real.test[:TEST_GAPS], self.real.train)[0].numpy()

    @property
    def class_shares(self) -> np.ndarray | None:
        """(K,) the shares of the classes among real test images, as labelled, else as the extractor tells them."""
        if self.real.labels_histogram is not None:
            return self.real.labels_histogram.numpy()
        return None if self.real.probabilities is None else self.real.probabilities.mean(0).numpy()

    def features(self, images: np.ndarray) -> Tensor:
        """Return the features, (n, d), of uint8 images (n, C, H, W)."""
        return self.extractor.features(torch.from_numpy(images)).float().cpu()

    def features_of(self, sampled: Sampled) -> Tensor:
        """Return `features` of samples, from memory when they were computed before."""
        return self._known.find((*sampled.key, "features"), lambda: self.features(sampled.images))

    @property
    def knows_classes(self) -> bool:
        """Whether the extractor tells the classes of images."""
        return isinstance(self.extractor, reference.Classifies)

    def classes(self, images: np.ndarray) -> np.ndarray:
        """Return how many of the images fall in each class, (K,), for an extractor that knows them."""
        probabilities = self.extractor.probabilities(torch.from_numpy(images))
        return torch.bincount(probabilities.argmax(1), minlength=probabilities.shape[1]).cpu().numpy()

    def counts(self, sampled: Sampled) -> np.ndarray:
        """Return `classes` of samples, from memory when they were counted before."""
        return self._known.find((*sampled.key, "classes"), lambda: self.classes(sampled.images))

    def radii(self, n: int) -> Tensor:
        """Return how far each of the first n test images is from its 5th nearest other one, (n,)."""
        return self._known.find(("radii", n), lambda: radii(self.real.test[:n]))

    def baseline(self, n: int) -> dict[str, Score]:
        """Return what real training images score at n, with a t-interval over up to five disjoint blocks."""

        def measure() -> dict[str, Score]:
            blocks = [block for block in self.real.train[: 5 * n].split(n) if len(block) == n]
            found = [metrics.scores(self.real.test[:n], block, keys=SCORES)[0] for block in blocks]
            return {key: score([one[key] for one in found]) for key in SCORES if found and key in found[0]}

        return self._known.find(("baseline", n), measure) if n <= len(self.real.test) else {}

    def missed_by_real(self, n: int) -> Score | None:
        """Return how many of the first n test images are not covered by as many training images."""
        coverage = self.baseline(n).get("coverage")
        if coverage is None:
            return None
        return Score(n * (1 - coverage.mean), n * (1 - coverage.high), n * (1 - coverage.low))

    def pair_histogram(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Return bin edges (B + 1,) and density (B,) of the distances between two of the first n test images."""

        def measure() -> tuple[np.ndarray, np.ndarray]:
            density, edges = np.histogram(projection.pair_distances(self.real.test[:n].numpy())[0], 60, density=True)
            return edges, density

        return self._known.find(("pairs", n), measure)

    def verdict(self, sampled: Sampled) -> Verdict:
        """Return what the extractor makes of samples, from memory when they were judged before.

        Raises:
            InputError: if the images are not like those the extractor was made for.
        """
        return self._known.find((*sampled.key, "verdict"), lambda: self._verdict(self.features_of(sampled)))

    def _verdict(self, fake: Tensor) -> Verdict:
        n = len(fake)
        if n > len(self.real.test):
            reason = (
                f"Only {len(self.real.test):,} real test images have features: make that many samples at most to "
                "compare equal numbers."
            )
            return Verdict(n, fake.numpy(), {}, dict.fromkeys(SCORES, reason), np.zeros(0, np.int64))
        real = self.real.test[:n]
        values, left_out = metrics.scores(real, fake, keys=SCORES)
        margins = jackknife(lambda rows: metrics.scores(real, rows, keys=RATIOS)[0], fake)
        scores = {key: Score(values[key], values[key] - half, values[key] + half) for key, half in margins.items()}
        scores |= {key: share_score(values[key], n) for key in SHARES if key in values}
        reach = metrics.nearest(real, fake)[0] / self.radii(n).clamp_min(1e-12)
        order = reach.argsort(descending=True)
        return Verdict(n, fake.numpy(), scores, left_out, order[reach[order] >= 1].numpy())

    def nearest(self, image: np.ndarray) -> Neighbour:
        """Return the training image nearest to one uint8 image (C, H, W).

        Raises:
            InputError: if too few training images are kept for that.
        """
        if self.real.cannot_find_copies:
            raise InputError(self.real.cannot_find_copies)
        distance, place = metrics.nearest(self.features(image[None]), self.real.train)
        return Neighbour(float(distance[0]), int(place[0]), self.gaps)

    def quick(self, batches: Mapping[str, np.ndarray]) -> Quick:
        """Return the scores of small batches of equal size n: by family, uint8 (n, C, H, W).

        Raises:
            InputError: if the batches differ in size, or are not images like those the extractor was made for.
        """
        sizes = {len(images) for images in batches.values()}
        if len(sizes) != 1:
            raise InputError("Only batches of equal size can be compared.")
        n = sizes.pop()
        real, spectra = self.real.test[:n], self.real.spectra[:n]
        scores, classes, left_out = {}, {}, {}
        for family, images in batches.items():
            mine = metrics.radial_spectrum(torch.from_numpy(images))
            scores[family], why = metrics.scores(real, self.features(images), spectra=(spectra, mine), keys=QUICK)
            left_out |= why
            if self.knows_classes:
                classes[family] = self.classes(images)
        ranges, blocks = self._known.find(("quick", n), lambda: self._ranges(n))
        return Quick(n, scores, classes, ranges, blocks, left_out)

    def _ranges(self, n: int) -> tuple[dict[str, Score], int]:
        used = min(len(self.real.test) // n, BLOCKS + 1) * n
        (real, *blocks), (spectrum, *spectra) = (rows[:used].split(n) for rows in (self.real.test, self.real.spectra))
        found = [
            metrics.scores(real, block, spectra=(spectrum, other), keys=QUICK)[0]
            for block, other in zip(blocks, spectra, strict=True)
        ]
        columns = {key: [one[key] for one in found] for key in QUICK if found and key in found[0]}
        ranges = {
            key: Score(float(np.mean(column)), *map(float, np.quantile(column, (0.025, 0.975))))
            for key, column in columns.items()
        }
        return ranges, len(found)


class Judges:
    """Finds the extractors of data sets. One instance serves all visitors."""

    def __init__(self, service: Service):
        self.service = service
        self._judges = Cache(16, 600e6)  # by data set and extractor; bytes: MNIST's take 18 MB each

    def find(self, dataset: str, name: str = EXTRACTOR) -> Judge:
        """Return a data set's extractor with its real features, read again only when a file has changed.

        Raises:
            InputError: in one sentence, if they are not there, or are another extractor's or data set's.
        """
        try:
            if dataset not in self.service.entries():  # the name becomes a path
                raise InputError(f"There is no data set {dataset!r} with checkpoints.")
            weights = reference.extractor_path(dataset, name)
            key = cache_key((dataset, name), [weights, reference.real_path(weights)])
            return self._judges.find(key, lambda: Judge(dataset, name))
        except InputError as error:
            raise InputError(without_paths(str(error))) from None

    def of_these(self, dataset: str, checkpoints: Iterable[str], name: str = EXTRACTOR) -> Judge:
        """Return a data set's extractor, as `find` does, to judge samples of some checkpoints.

        Raises:
            InputError: as `find`; and if one was trained on other images than the features are of.
        """
        judge = self.find(dataset, name)
        mine = {entry.name: entry for entry in self.service.entries()[dataset]}
        for one in checkpoints:
            if changed := difference(mine[one].identity if one in mine else {}, judge.real.identity):
                raise InputError(
                    f"{one} was trained on other images than those that the features of {dataset} are of ({changed}): "
                    "make them again with python -m gencore features."
                )
        return judge

    def counting(self, dataset: str) -> Judge | None:
        """Return the first of a data set's judges that knows the classes."""
        return next((judge for judge in self.all(dataset)[0].values() if judge.knows_classes), None)

    def all(self, dataset: str) -> tuple[dict[str, Judge], dict[str, str]]:
        """Return the judges that a data set has, and one sentence for each that cannot be used, or if there is none."""
        found, problems = {}, {}
        for name in extractors_of(dataset) or list(reference.EXTRACTORS)[:1]:
            try:
                found[name] = self.find(dataset, name)
            except InputError as error:
                problems[name] = str(error)
        return found, problems


def score(values: list[float]) -> Score:
    """Return the mean of values with its 95% t-interval; without width for a single one."""
    if len(values) < 2:
        return Score(values[0], values[0], values[0], tuple(values))
    return Score(*metrics.interval(values), tuple(values))


def share_score(share: float, n: int) -> Score:
    """Return a recall or coverage at n with a 95% interval over samples: Wilson's, with half as much variance again.

    The real images count one by one, but share samples: over 18 to 60 disjoint blocks of 200, 500 and 1,000 real images
    of MNIST, of their central half and of 300 of them again and again, the variance was 0.2 to 2.2 times the binomial
    one, mostly 0.6 to 1.5. A jackknife over samples came out up to three times too wide: one sample is often the only
    one near a real image.
    """
    low, high = projection.wilson(np.array([share * n / EXCESS]), n / EXCESS)
    return Score(share, float(low[0]), float(high[0]))


def jackknife(scores: Callable[[Tensor], Mapping[str, float]], rows: Tensor) -> dict[str, float]:
    """Return half the 95% interval of each score of samples, by leaving out a tenth of them at a time.

    Delete-a-group jackknife (Efron and Tibshirani 1993, section 11.5): without replacement, as repeats would pass for a
    lack of variety; with Student's t for ten groups. Real images are taken as they are.
    """
    groups = torch.arange(len(rows)) % GROUPS
    found = [scores(rows[groups != group]) for group in range(GROUPS)]
    spread = {key: np.array([one[key] for one in found if key in one]) for key in found[0]}
    student = special.stdtrit(GROUPS - 1, 0.975)
    return {
        key: student * math.sqrt((GROUPS - 1) / GROUPS * ((values - values.mean()) ** 2).sum())
        for key, values in spread.items()
    }
