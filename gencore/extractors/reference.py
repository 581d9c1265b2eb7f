"""What is learnt once from a data set's real images, so that a page or a metric needs no data set.

Two things. The reference of the diversity plots, in pixel space (values in [0, 1], flattened): the first two principal
components of the training images, real images projected on them, and the histogram of distances between pairs. And
the extractors (see `gencore.extractors`) with the features of the real images in each, which the metrics compare with.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gencore.checkpoint import read_tensors, roots, write_tensors
from gencore.data import Images, View, dataset_key, difference, identity, load_splits
from gencore.device import circumstances, pick_device
from gencore.errors import InputError
from gencore.extractors import EXTRACTORS, FOLDER, extractor_class, extractor_path, load_extractor, write_extractor
from gencore.extractors.base import FEW_ROWS, Classifies, Extractor, Options, Show, class_count, file_hash
from gencore.extractors.card import record_words, rounding_words, write_card
from gencore.metrics import METRICS, nearest, radial_spectrum
from gencore.paths import as_path

__all__ = [
    "EXTRACTORS", "REFERENCE", "Classifies", "Extractor", "Options", "Real", "load_extractor", "load_real",
    "pair_distances", "reference", "write_features", "write_reference",
]  # fmt: skip

REFERENCE = Path(FOLDER, "reference.safetensors")
SPECTRA = "spectra"  # of the test images
POINTS = 2000  # real images in the plots
BINS = 60
TEST_ROWS = 10_000  # real images kept in features: MNIST's
ROUNDING_ROWS, ROUNDING_KEYS = 5000, ("fd", "kid")  # images and distances that show what rounding does


@dataclass(frozen=True)
class Real:
    """The features of a data set's real images in one extractor: n <= 55,000, T <= 10,000, K classes, R radii.

    Stored as float16, whose rounding (at most 2^-11 of a value) the card compares with the distance of real images to
    real ones. Features of generated images need no rounding.

    Attributes:
        dataset: The data set.
        extractor: A key of EXTRACTORS.
        hash: The extractor's.
        test: float32 (T, d), of the first test images, in the split's order.
        train: float32 (n, d), of the first train images, in the split's order; see `finds_copies`.
        train_gaps: float32 (n,), the distance of each train row to its nearest other one.
        probabilities: float32 (T, K), the classes of the test images as the extractor tells them; None if it cannot.
        labels_histogram: float32 (K,), the share of each class among the test images' labels; None without labels.
        spectra: float32 (T, R), the radial power spectra of the test images, which all extractors share.
        identity: The fingerprint of each split's images; {} where it was not kept.
        view: In what form they were read: arguments of `gencore.data.View`.
    """

    dataset: str
    extractor: str
    hash: str
    test: Tensor
    train: Tensor
    train_gaps: Tensor
    probabilities: Tensor | None
    labels_histogram: Tensor | None
    spectra: Tensor
    identity: Mapping[str, Any] = field(default_factory=dict)
    view: Mapping[str, Any] = field(default_factory=dict)

    @property
    def finds_copies(self) -> bool:
        """Whether so many train images' features are kept that copies of train images can be looked for."""
        count = self.identity.get("train", {}).get("count", 0)
        return EXTRACTORS[self.extractor].finds_copies or len(self.train) == count

    @property
    def cannot_find_copies(self) -> str:
        """Why copies cannot be looked for, as a sentence; '' if they can."""
        if self.finds_copies:
            return ""
        others = " and ".join(name for name, cls in EXTRACTORS.items() if cls.finds_copies and not cls.pretrained)
        return (
            f"Only the first {len(self.train):,} train images have {self.extractor} features, too few to find copies "
            f"by; {others} have more."
        )


def flatten(x: Tensor) -> Tensor:
    """Return uint8 images (N, C, H, W) as float32 vectors (N, C*H*W) in [0, 1]."""
    return x.flatten(1).float() / 255


def pair_distances(rows: Tensor) -> Tensor:
    """Return the Euclidean distances between all pairs of distinct rows of (N, d): N (N - 1) / 2 numbers."""
    return torch.nn.functional.pdist(rows)


def reference(x: Tensor) -> dict[str, Tensor]:
    """Return the reference of a data set, from its training images, uint8 (N, C, H, W).

    Returns:
        `mean` (d,) and `basis` (2, d): pixel PCA; the rows are orthonormal, the largest entry of each positive.
        `explained` (2,): the share of the variance along each. `points` (2000, 2): real images projected.
        `bins` (61,) and `density` (60,): the histogram of distances between pairs of those images, of area 1.
    """
    rows = flatten(x)
    mean = rows.mean(0)
    values, vectors = torch.linalg.eigh(torch.cov(rows.T))
    basis = vectors[:, -2:].flip(1).T
    basis = basis * torch.take_along_dim(basis, basis.abs().argmax(1, keepdim=True), 1).sign()
    chosen = rows[:POINTS]  # splits come shuffled, so the first rows are a fair sample
    density, bins = np.histogram(pair_distances(chosen).numpy(), BINS, density=True)
    return {
        "mean": mean,
        "basis": basis.contiguous(),
        "explained": values.flip(0)[:2] / values.sum(),
        "points": (chosen - mean) @ basis.T,
        "bins": torch.from_numpy(bins).float(),
        "density": torch.from_numpy(density).float(),
    }


def write_reference(splits: Mapping[str, Images], root: Path, origin: Mapping[str, str]) -> Path:
    """Write a data set's reference under `root`, and the spectra of its test images, and return the file's path.

    Raises:
        InputError: if the file cannot be written.
    """
    train, test = splits["train"], splits["test"].x[:TEST_ROWS]
    path = root / dataset_key(train.name) / REFERENCE
    facts = {"data": dataset_key(train.name), "split": "train", "points": str(POINTS)}
    spectra = torch.cat([radial_spectrum(part) for part in test.split(1000)])
    write_tensors(path, {**reference(train.x), SPECTRA: spectra}, {**facts, **origin})
    return path


def load_real(dataset: str, name: str = "classifier") -> Real:
    """Return the cached features of the real images of a data set ('mnist', a Hub id, or a folder) in an extractor.

    Raises:
        InputError: if there are none, or the file is damaged, foreign, or was made with another extractor.
    """
    weights = extractor_path(dataset, name)
    path, key = real_path(weights), dataset_key(dataset)
    again = f"make it again with 'python -m gencore features {dataset}'"
    if not path.is_file():
        raise InputError(f"{path} is missing; {again}.")
    tensors, metadata = read_tensors(path)
    if (metadata.get("real"), metadata.get("data")) != (name, key):
        found = f"{metadata.get('real', 'something else')} of {metadata.get('data', 'another data set')}"
        raise InputError(f"{path} does not hold the {name} features of {key}'s real images, but {found}.")
    if metadata.get("hash") != file_hash(weights):
        raise InputError(f"{path} was made with another extractor than the {weights.name} beside it; {again}.")
    if SPECTRA not in tensors:  # as they are in files of before
        shared = path.parent / REFERENCE.name
        told = read_tensors(shared)[0] if shared.is_file() else {}
        tensors |= {SPECTRA: told[SPECTRA]} if SPECTRA in told else {}
    if problem := _shape_problem(tensors):
        raise InputError(f"{path} is damaged ({problem}); {again}.")
    optional = dict.fromkeys(("probabilities", "labels_histogram"))
    told = {what: json.loads(metadata.get(what, "{}")) for what in ("identity", "view")}
    return Real(key, name, metadata["hash"], **(optional | {what: x.float() for what, x in tensors.items()}), **told)


def real_path(weights: Path) -> Path:
    """Return the file with the features of the real images that belongs to an extractor's weights file."""
    return weights.with_name(f"{weights.stem}-real.safetensors")


def write_features(
    data: str,
    root: Path,
    name: str,
    options: Options,
    show: Show,
    view: View | None = None,
    keep: bool = False,
    replace: bool = False,
) -> Iterator[str]:
    """Make a data set's features in its folder under `root`, yielding a line for people as each thing is done.

    `name` is a key of EXTRACTORS, or 'all': those that the data set allows and that need nothing from elsewhere. With
    `keep`, those that are there of these very images stay as they are; with `replace`, those of the data set in another
    view are written over.

    Raises:
        InputError: if the data set cannot be had, is one image again and again or has no labels for `name`, on bad
            options, if features in another view are in the way, or if the disk refuses.
    """
    every = [cls for cls in EXTRACTORS.values() if not cls.pretrained]
    root, wanted = as_path(root), every if name == "all" else [extractor_class(name)]
    for cls in wanted:
        cls.check_at_hand(options)
    view = view or View()
    splits = load_splits(data, view)
    train = splits["train"].x  # which may be more than fit into memory
    if all(bool((part == train[:1]).all()) for part in torch.split(train, 1000)):
        raise InputError(f"All train images of {data} are one and the same, so there are no features to learn from it.")
    origin = {"identity": json.dumps(identity(splits)), "view": json.dumps(view.record())}
    if not replace:
        refuse_other_view(data, view, splits["train"].x.shape[1:], root)
    if changed := _others_there(data, root, json.loads(origin["identity"])):
        yield changed
    labelled = all(part.labelled for part in splits.values()) and class_count(splits) > 1
    barred = [cls.name for cls in wanted if cls.needs_labels and not labelled]
    if barred:
        sentence = f"{data} has no labels, so there can be no {' or '.join(barred)} features of it"
        if name != "all":
            others = ", ".join(cls.name for cls in every if not cls.needs_labels)
            raise InputError(f"{sentence}; there can be {others}.")
        yield f"{sentence}: the other extractors only."
    yield f"{write_reference(splits, root, origin)}"
    for cls in wanted:
        path = root / dataset_key(data) / FOLDER / f"{cls.name}.safetensors"
        if keep and _is_of(path, origin):
            yield f"{path}: as it is"
        elif cls.name not in barred:
            yield from _write_extractor(cls, data, splits, root, options, show, origin)
    yield f"{write_card(root / dataset_key(data) / FOLDER, dataset_key(data))}"


def refuse_other_view(data: str, view: View, shape: Sequence[int], root: Path) -> None:
    """Refuse features of a data set under `root` where those in another view lie, or would be found first.

    Features, rows and pages know a data set by its name alone, and images of two sizes are not compared.

    Args:
        data: The data set.
        view: In what form it is read.
        shape: (C, H, W) of its images so.
        root: Where its features are to go.

    Raises:
        InputError: naming the features that are in the way, and how to keep both.
    """
    known = [one.resolve() for one in roots()]
    first = roots()[: known.index(root.resolve())] if root.resolve() in known else []
    for path in (one / dataset_key(data) / REFERENCE for one in (*first, root)):
        if path.is_file() and (there := _other_view(path, view, shape)):
            raise InputError(
                f"{path.parent} holds the features of {dataset_key(data)} {there}, and those {form_words(shape)} "
                "need a root of their own, as the rows of both would stand in one table: GENCORE_CHECKPOINTS=FOLDER "
                "before the command, or features --replace to give up the others."
            )


def _other_view(path: Path, view: View, shape: Sequence[int]) -> str:
    """Return in what form other than this one a reference's images are, '' if in the same."""
    try:
        tensors, metadata = read_tensors(path)
        told, train = (
            json.loads(metadata.get("view", "{}")),
            json.loads(metadata.get("identity", "{}")).get("train", {}),
        )
        numbers = tensors["mean"].numel()
    except (InputError, ValueError, KeyError):
        return ""
    theirs = (train.get("channels"), train.get("size"), train.get("size")) if train else None
    if theirs and theirs != tuple(shape):
        return form_words(theirs)
    if numbers != math.prod(shape):
        return f"with {numbers:,} numbers an image"
    other = [key for key in ("fit", "label") if train and View(**told).record().get(key) != view.record().get(key)]
    return f"with another {other[0]} ({getattr(View(**told), other[0])})" if other else ""


def form_words(shape: Sequence[int]) -> str:
    """Return (C, H, W) for people: 'at 28x28 grey'."""
    channels, height, width = shape
    return f"at {height}x{width} {'grey' if channels == 1 else 'RGB'}"


def _others_there(data: str, root: Path, now: Mapping[str, Any]) -> str:
    """Return a sentence if features of other images lie where these are to go; '' if not."""
    path = root / dataset_key(data) / REFERENCE
    try:
        told = json.loads(read_tensors(path)[1].get("identity", "{}")) if path.is_file() else {}
    except (InputError, ValueError):
        return ""
    changed = difference(told, now)
    return f"These take the place of features of other images ({changed})." if changed else ""


def _is_of(weights: Path, origin: Mapping[str, str]) -> bool:
    """Return whether an extractor is there with the features of these very images."""
    path = real_path(weights)
    if not (weights.is_file() and path.is_file()):
        return False
    try:
        told = read_tensors(path)[1]
    except InputError:
        return False
    return told.get("hash") == file_hash(weights) and all(told.get(key) == value for key, value in origin.items())


def _write_extractor(
    cls: type[Extractor],
    data: str,
    splits: Mapping[str, Images],
    root: Path,
    options: Options,
    show: Show,
    origin: Mapping[str, str],
) -> Iterator[str]:
    key, start = dataset_key(data), time.perf_counter()
    path = root / key / FOLDER / f"{cls.name}.safetensors"
    device = pick_device(options.device)
    extractor, record = cls.learn(splits, options, show)
    extractor.to(device)
    show(1.0, f"{cls.name}: standardising")
    extractor.standardise(splits["train"].x)
    record |= extractor.examine(splits["test"])
    record |= {"images": {split: len(part.x) for split, part in splits.items()}, "seed": options.seed}
    record |= circumstances("features", device)
    record["seconds"] = round(time.perf_counter() - start, 1)
    extractor = write_extractor(path, extractor, key, record).to(device)
    yield f"{path}: {record_words(record)}"
    show(1.0, f"{cls.name}: features of the real images")
    exact, tensors = measure_real(extractor, splits, options.train_rows if cls.finds_copies else FEW_ROWS)
    rounding = rounding_effect(exact, tensors)
    metadata = {"real": cls.name, "data": key, "hash": extractor.hash, "rounding": json.dumps(rounding)}
    write_tensors(real_path(path), tensors, {**metadata, **origin})
    yield f"{real_path(path)}: {rounding_words(rounding)}"


def measure_real(
    extractor: Extractor, splits: Mapping[str, Images], train_rows: int
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return the features of real images as they are, `train_rows` of train ones, and what of `Real` is stored."""
    train, test = splits["train"].x[:train_rows], splits["test"].x[:TEST_ROWS]
    exact = {"train": extractor.features(train), "test": extractor.features(test)}
    stored = {split: x.half() for split, x in exact.items()}
    rows = stored["train"].float()  # the gaps are those of the rows as they are read back
    stored["train_gaps"] = nearest(rows, rows, exclude_self=True)[0].float()
    if isinstance(extractor, Classifies):
        stored["probabilities"] = extractor.probabilities(test)
    if all(part.labelled for part in splits.values()):
        counts = torch.bincount(splits["test"].labels[:TEST_ROWS], minlength=class_count(splits)).float()
        stored["labels_histogram"] = counts / counts.sum()
    return exact, stored


def rounding_effect(exact: Mapping[str, Tensor], stored: Mapping[str, Tensor]) -> dict[str, Any]:
    """Return what rounding the real features does to distances, beside how much these vary among real images.

    Returns:
        `n` images and `blocks` of train images; for each distance that so many images allow, over those blocks against
        the first n test images: `real` its mean, `spread` its range, `moved` the most that rounding changes it.
    """
    test, train = exact["test"], exact["train"]
    n = min(ROUNDING_ROWS, len(test), len(train))
    blocks = [part for part in train.split(n)[:5] if len(part) == n]
    found: dict[str, Any] = {"n": n, "blocks": len(blocks)}
    for key in ROUNDING_KEYS:
        metric = METRICS[key]
        if n >= metric.least(test.shape[1]):
            plain = [metric(test[:n], block) for block in blocks]
            rounded = [metric(stored["test"][:n].float(), block) for block in blocks]
            found[key] = {
                "real": sum(plain) / len(plain),
                "spread": max(plain) - min(plain),
                "moved": max(abs(a - b) for a, b in zip(plain, rounded, strict=True)),
            }
    return found


def _shape_problem(tensors: Mapping[str, Tensor]) -> str:
    """Return what keeps tensors from being those of `Real`, or ''."""
    shapes = {"test": "Td", "train": "nd", "train_gaps": "n", "spectra": "TR"}
    optional = {"probabilities": "TK", "labels_histogram": "K"}
    if not set(shapes) <= set(tensors) <= set(shapes | optional):
        return "it does not hold the tensors that it should"
    sizes: dict[str, int] = {}
    for what, x in tensors.items():
        letters = (shapes | optional)[what]
        if x.ndim != len(letters) or any(
            sizes.setdefault(letter, size) != size for letter, size in zip(letters, x.shape, strict=True)
        ):
            return f"{what} has the shape {tuple(x.shape)}, which does not fit the others"
    return ""
