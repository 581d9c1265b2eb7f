"""METRICS: the registry of what is measured, each metric a function of real and generated images' features.

Every entry carries its name, axis, direction, range, the fewest rows it can be had from, and its source; calling it
checks its input first. `docs/metrics.md` has the formulas and what fools each. `scores` computes all that can be had
and shares the work; `interval` puts a 95% t-interval around the generations' values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial

import torch
from torch import Tensor

from gencore.errors import InputError, near
from gencore.metrics import truth
from gencore.metrics.checks import (
    check_features,
    check_images,
    check_probabilities,
    check_readings,
    check_spectra,
    check_train,
)
from gencore.metrics.distances import PARTS, frechet_distance, frechet_infinity, kernel_inception_distance
from gencore.metrics.neighbours import NEIGHBOURS, mean_distance, nearest, nearest_other, prdc
from gencore.metrics.spectrum import radial_spectrum, sharpness_of_spectra

ROWS_PER_DIMENSION = 10  # under it the Fréchet distance's bias drowns what it measures
MISSING = 10  # a class more than this many times rarer than in the real data counts as missing
LEVEL = 0.95


@dataclass(frozen=True)
class Metric:
    """One metric. Calling it checks the input and returns a float.

    Attributes:
        key: Its name in rows, 'kid'.
        name: Its name for people, 'KID'.
        axis: 'distance', 'quality', 'diversity' or 'memorisation'.
        better: 'lower', 'higher', or 'one' where 1 is as real.
        low: The least value it can have.
        high: The greatest.
        least: The fewest rows, of the real set and of the fake one, by the features' dimensions.
        needs: What it compares: 'features'; 'images'; or features and, as a third argument, 'probabilities' (the pair
            of real and fake class probabilities, (N, K) and (M, K)), 'train' (the train images' features, (T, d)) or
            'readings' (what the fake pictures show, (M, 7); see `gencore.metrics.truth`).
        compute: The function behind it, which checks nothing.
        source: The paper.
        about: One sentence for people.
        data: The data set that it is for, where its truth is known; '' for any.
    """

    key: str
    name: str
    axis: str
    better: str
    low: float
    high: float
    least: Callable[[int], int]
    needs: str
    compute: Callable[..., float]
    source: str
    about: str
    data: str = ""

    @torch.no_grad()
    def __call__(self, real: Tensor, fake: Tensor, *more) -> float:
        """Return the metric's value for real (N, d) and fake (M, d) features, or uint8 images (N, C, H, W).

        Raises:
            InputError: if the input is not what the metric needs.
        """
        check = check_images if self.needs == "images" else check_features
        check(real, fake)
        third = self.needs in THIRD
        if len(more) != third:
            what = f"real, fake and {NEEDS[self.needs]}" if third else "real and fake alone"
            raise InputError(f"{self.name} compares {what}; there are {2 + len(more)} arguments.")
        if self.needs == "probabilities":
            check_probabilities(*more, len(real), len(fake))
        if self.needs == "train":
            check_train(more[0], real)
        if self.needs == "readings":
            check_readings(more[0], len(fake))
        if reason := self.too_few(real, fake):
            raise InputError(reason)
        return finite(self, self.compute(real, fake, *more))

    def too_few(self, real: Tensor, fake: Tensor) -> str:
        """Return '' or, in one sentence, that there are too few rows."""
        rows, dimensions = min(len(real), len(fake)), real.shape[1]
        if rows >= self.least(dimensions):
            return ""
        of = f" for features of {dimensions} dimensions" if self.least(1) != self.least(2) else ""
        return f"{self.name} needs {self.least(dimensions):,} rows or more of each set{of}; there are {rows:,}."


NEEDS = {
    "features": "features",
    "images": "the radial spectra of real and fake images",
    "probabilities": "the class probabilities of real and fake images",
    "train": "the train images' features",
    "readings": "the readings of the fake images",
}
THIRD = ("probabilities", "train", "readings")  # what comes as a third argument


def finite(metric: Metric, value: float) -> float:
    """Return the value.

    Raises:
        InputError: if it is NaN or infinite, which is when the real data give no scale to measure by.
    """
    if not math.isfinite(value):
        raise InputError(f"{metric.name} cannot be had: the real data do not vary, so there is no scale to measure by.")
    return value


# ---- formulas that need no file of their own


def vendi_score(rows: Tensor, mean: Tensor) -> float:
    """Return exp of the entropy of the eigenvalues of K / N, with K the cosines between rows less `mean`.

    Friedman & Dieng 2023. K / N (N, N) has the nonzero eigenvalues of Xᵀ X / N (d, d), which is what is decomposed. The
    mean is that of the REAL rows: less its own mean, a collapsed set would look diverse.
    """
    x = torch.nn.functional.normalize(rows.double() - mean)
    values = torch.linalg.eigvalsh(x.T @ x / len(x))
    return torch.special.entr(values.clamp_min(0)).sum().exp().item()


def vendi_ratio(real: Tensor, fake: Tensor) -> float:
    """Return the fake rows' Vendi score over the real rows'."""
    mean = real.double().mean(0)
    return vendi_score(fake, mean) / vendi_score(real, mean)


def pairwise_ratio(real: Tensor, fake: Tensor) -> float:
    """Return the mean distance between two fake rows over that between two real ones; NaN if the latter is 0."""
    scale = mean_distance(real)
    return mean_distance(fake) / scale if scale else math.nan


def sharpness(real: Tensor, fake: Tensor) -> float:
    """Return the fake images' power at high spatial frequencies over the real images'."""
    return sharpness_of_spectra(radial_spectrum(real), radial_spectrum(fake))


def class_shares(probabilities: Tensor) -> Tensor:
    """Return the share of rows of (N, K) in which each class is the likeliest, (K,)."""
    return torch.bincount(probabilities.argmax(1), minlength=probabilities.shape[1]).double() / len(probabilities)


def class_balance(real: Tensor, fake: Tensor, probabilities: tuple[Tensor, Tensor]) -> float:
    """Return the total variation ½ Σ |p_c − q_c| between the shares of classes."""
    p, q = map(class_shares, probabilities)
    return (p - q).abs().sum().item() / 2


def missing_modes(real: Tensor, fake: Tensor, probabilities: tuple[Tensor, Tensor]) -> float:
    """Return how many classes have less than a tenth of their real share."""
    p, q = map(class_shares, probabilities)
    return float((q * MISSING < p).sum())


def confidence(real: Tensor, fake: Tensor, probabilities: tuple[Tensor, Tensor]) -> float:
    """Return the mean of the likeliest class's probability over fake images, over that mean over real ones."""
    p, q = (rows.double().amax(1).mean().item() for rows in probabilities)
    return q / p


def authenticity(real: Tensor, fake: Tensor, train: Tensor, train_gaps: Tensor | None = None) -> float:
    """Return the share of fake rows farther from their nearest train row than that is from its nearest other.

    Alaa et al. 2022; equally far counts as copied. `train_gaps` are the distances of train rows (T, d) to their nearest
    others, (T,); found where needed if not given.
    """
    distances, index = nearest(fake, train)
    if train_gaps is None:
        which, place = index.unique(return_inverse=True)
        gaps = nearest_other(train, which)[0][place]
    else:
        gaps = train_gaps[index]
    return (distances > gaps).double().mean().item()


def of_prdc(key: str) -> Callable[[Tensor, Tensor], float]:
    """Return the function that gives one of precision, recall, density and coverage."""
    return lambda real, fake: prdc(real, fake)[key]


# ---- the registry


def at_least(rows: int, per_dimension: int = 0) -> Callable[[int], int]:
    """Return the function of d that gives max(rows, per_dimension * d)."""
    return lambda dimensions: max(rows, per_dimension * dimensions)


INF = math.inf
KYNKAANNIEMI = "Kynkäänniemi et al. 2019, Improved Precision and Recall Metric for Assessing Generative Models"
NAEEM = "Naeem et al. 2020, Reliable Fidelity and Diversity Metrics for Generative Models"
PRDC = (  # key, axis, greatest value, source, and a sentence for people
    ("precision", "quality", 1, KYNKAANNIEMI, "The share of generated images that lie among the real ones."),
    ("recall", "diversity", 1, KYNKAANNIEMI, "The share of real images that lie among the generated ones."),
    ("density", "quality", INF, NAEEM,
     "How crowded with real images the places of the generated ones are; 1 is as crowded as for real images."),
    ("coverage", "diversity", 1, NAEEM,
     "The share of real images that have a generated one nearby; about 0.97 for real against real."),
)  # fmt: skip

FACTORS = {  # by key, in the order of `truth.scaled`: the name, and of what
    "x_distance": ("x distance", "the place across of"),
    "y_distance": ("y distance", "the place down of"),
    "size_distance": ("size distance", "the size of"),
    "rotation_distance": ("rotation distance", "the rotation of triangles and squares in"),
}
KOLMOGOROV = "Kolmogorov 1933, Sulla determinazione empirica di una legge di distribuzione"
TRUE = (
    Metric(
        "true_quality", "True quality", "quality", "higher", 0, 1, at_least(1), "readings", truth.valid_share,
        "Read by drawing; see docs/metrics.md",
        "The share of pictures that are a shape of the set: drawn again from what they show they come out the same. "
        "Known here, not estimated.", "shapes",
    ),
    Metric(
        "true_imbalance", "True imbalance", "diversity", "lower", 0, 1, at_least(2), "readings", truth.mode_distance,
        "Total variation distance",
        "The share of valid pictures that would have to change shape or colour for the 18 modes to be as frequent as "
        "they are drawn. Known here, not estimated.", "shapes",
    ),
    Metric(
        "true_missing", "True missing modes", "diversity", "lower", 0, len(truth.shapes.MODES), at_least(3000),
        "readings", truth.modes_missing,
        "After Srivastava et al. 2017, VEEGAN: Reducing Mode Collapse in GANs",
        "How many of the 18 modes have less than a tenth of their frequency among valid pictures. Known here, not "
        "estimated.", "shapes",
    ),
    *(
        Metric(
            f"true_{key}", f"True {name}", "diversity", "lower", 0, 1, at_least(2), "readings",
            lambda real, fake, readings, place=place: truth.factor_distance(place, readings), KOLMOGOROV,
            f"The greatest difference between how {what} valid pictures is distributed and how it is drawn. Known "
            "here, not estimated.", "shapes",
        )
        for place, (key, (name, what)) in enumerate(FACTORS.items())
    ),
    Metric(
        "true_copies", "True copies", "memorisation", "lower", 0, 1, at_least(1), "readings", truth.copied_share,
        "Read by drawing; see docs/metrics.md",
        "The share of valid pictures with the very parameters of a train picture; read it beside that of real test "
        "images, which is chance.", "shapes",
    ),
)  # fmt: skip

METRICS = {
    metric.key: metric
    for metric in (
        Metric(
            "kid", "KID", "distance", "lower", -INF, INF, at_least(2), "features", kernel_inception_distance,
            "Bińkowski et al. 2018, Demystifying MMD GANs",
            "How far apart the two distributions are, without bias whatever the number of images; real against real "
            "is 0 give or take, so it may be negative. The kernel inception distance, in the features that are named "
            "and not in Inception's. Its ± is over generated images; over other real ones it would scatter as well.",
        ),
        Metric(
            "fd", "Fréchet distance", "distance", "lower", 0, INF, at_least(2, ROWS_PER_DIMENSION), "features",
            frechet_distance,
            "Heusel et al. 2017, GANs Trained by a Two Time-Scale Update Rule",
            "The distance of Gaussians fitted to both sets; it falls with the number of images, so compare it at equal "
            "numbers only.",
        ),
        Metric(
            "fd_infinity", "Fréchet distance, extrapolated", "distance", "lower", -INF, INF,
            at_least(2 * PARTS, PARTS * ROWS_PER_DIMENSION), "features", frechet_infinity,
            "Chong & Forsyth 2020, Effectively Unbiased FID and Inception Score and Where to Find Them",
            "What the Fréchet distance would be with infinitely many images, by a line through it over 1 / N.",
        ),
        *(
            Metric(key, key.capitalize(), axis, "higher", 0, high, at_least(NEIGHBOURS + 1), "features", of_prdc(key),
                   source, about)
            for key, axis, high, source, about in PRDC
        ),
        Metric(
            "vendi_ratio", "Vendi ratio", "diversity", "one", 0, INF, at_least(2), "features", vendi_ratio,
            "Friedman & Dieng 2023, The Vendi Score: A Diversity Evaluation Metric for Machine Learning",
            "The effective number of different images, over that of real images.",
        ),
        Metric(
            "pairwise_ratio", "Pairwise distance ratio", "diversity", "one", 0, INF, at_least(2), "features",
            pairwise_ratio,
            "The mean over all pairs",
            "The mean distance between two generated images, over that between two real ones.",
        ),
        Metric(
            "sharpness", "Sharpness", "quality", "one", 0, INF, at_least(1), "images", sharpness,
            "The radial power spectrum, as in Durall et al. 2020, Watch Your Up-Convolution",
            "Power at high spatial frequencies over that of real images: below 1 is blur, above 1 is noise.",
        ),
        Metric(
            "class_balance", "Class imbalance", "diversity", "lower", 0, 1, at_least(2), "probabilities", class_balance,
            "Total variation distance",
            "The share of images that would have to change class for the classes to be as frequent as in real images.",
        ),
        Metric(
            "missing_modes", "Missing modes", "diversity", "lower", 0, INF, at_least(100), "probabilities",
            missing_modes,
            "After Srivastava et al. 2017, VEEGAN: Reducing Mode Collapse in GANs",
            "The number of classes with less than a tenth of their real share.",
        ),
        Metric(
            "confidence", "Confidence ratio", "quality", "one", 0, INF, at_least(1), "probabilities", confidence,
            "After Salimans et al. 2016, Improved Techniques for Training GANs",
            "How sure the classifier is of its answer, over how sure it is of real images.",
        ),
        Metric(
            "authenticity", "Authenticity", "memorisation", "higher", 0, 1, at_least(1), "train", authenticity,
            "Alaa et al. 2022, How Faithful is your Synthetic Data?",
            "The share of generated images that are no nearer to a train image than another train image is; read it "
            "beside that of real test images, much lower means copying.",
        ),
        *TRUE,
    )
}  # fmt: skip


def metrics_of(dataset: str) -> dict[str, Metric]:
    """Return by key the metrics that a data set can have."""
    return {key: metric for key, metric in METRICS.items() if metric.data in ("", dataset)}


# ---- all at once

Pair = tuple[Tensor, Tensor] | None  # of the real images and of the fake ones, if given


@torch.no_grad()
def scores(
    real: Tensor,
    fake: Tensor,
    *,
    spectra: Pair = None,
    probabilities: Pair = None,
    train: Tensor | None = None,
    train_gaps: Tensor | None = None,
    readings: Tensor | None = None,
    keys: Sequence[str] | None = None,
) -> tuple[dict[str, float], dict[str, str]]:
    """Return every metric that can be had, and for each other one why not.

    Args:
        real: Features (N, d).
        fake: Features (M, d).
        spectra: `radial_spectrum` of the real images and of the fake ones, (N, R) and (M, R).
        probabilities: Class probabilities of the real images and of the fake ones, (N, K) and (M, K).
        train: The train images' features, (T, d).
        train_gaps: The distance of each train row to its nearest other, (T,); found where needed if not given.
        readings: What the fake pictures show, (M, 7), where the truth is known.
        keys: The metrics asked for; all that are for any data set if not given.

    Returns:
        Values by key, and one sentence by key for those left out: too few rows, or something not given.

    Raises:
        InputError: if what is given is not what it should be, or a key is unknown.
    """
    keys = list(metrics_of("")) if keys is None else list(keys)
    if unknown := [key for key in keys if key not in METRICS]:
        raise InputError(f"There is no metric {unknown[0]!r}{near(unknown[0], list(METRICS))}")
    check_features(real, fake)
    ways = ways_to(real, fake, spectra, probabilities, train, train_gaps)
    if readings is not None:
        check_readings(readings, len(fake))
        ways |= {metric.key: partial(metric.compute, real, fake, readings) for metric in TRUE}
    values, left_out = {}, {}
    for metric in (METRICS[key] for key in keys):
        if metric.key not in ways:
            left_out[metric.key] = f"{metric.name} needs {NEEDS[metric.needs]}, which were not given."
        elif reason := metric.too_few(real, fake):
            left_out[metric.key] = reason
        else:
            try:
                values[metric.key] = finite(metric, ways[metric.key]())
            except InputError as error:
                left_out[metric.key] = str(error)
    return values, left_out


def ways_to(
    real: Tensor, fake: Tensor, spectra: Pair, probabilities: Pair, train: Tensor | None, train_gaps: Tensor | None
) -> dict[str, Callable[[], float]]:
    """Return by key how to compute each metric that what is given suffices for; work is shared where it can be.

    Raises:
        InputError: if what is given beside the features is not what it should be.
    """
    needing = {needs: [key for key, metric in METRICS.items() if metric.needs == needs] for needs in NEEDS}
    ways = {key: partial(METRICS[key].compute, real, fake) for key in needing["features"]}
    four = cache(partial(prdc, real, fake))
    ways |= {key: lambda key=key: four()[key] for key, *_ in PRDC}
    if spectra is not None:
        check_spectra(spectra, len(real), len(fake))
        ways["sharpness"] = partial(sharpness_of_spectra, *spectra)
    if probabilities is not None:
        check_probabilities(probabilities, len(real), len(fake))
        ways |= {key: partial(METRICS[key].compute, real, fake, probabilities) for key in needing["probabilities"]}
    if train is not None:
        check_train(train, real, train_gaps)
        ways["authenticity"] = partial(authenticity, real, fake, train, train_gaps)
    return ways


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the mean of independent generations' values and the ends of its 95% t-interval.

    A single value has no interval: its ends are minus and plus infinity.

    Raises:
        InputError: if there is no value, or one that is not finite.
    """
    from scipy.special import stdtrit

    if not len(values) or not all(map(math.isfinite, values)):
        raise InputError(f"An interval needs finite values, one per generation, not {list(values)}.")
    mean = math.fsum(values) / len(values)
    if len(values) == 1:
        return mean, -math.inf, math.inf
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
    half = stdtrit(len(values) - 1, (1 + LEVEL) / 2).item() * deviation / math.sqrt(len(values))
    return mean, mean - half, mean + half
