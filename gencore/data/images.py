"""One split of a data set, or all of them, as uint8 tensors."""

from __future__ import annotations

import functools
import hashlib
import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gencore.data.decoding import decode
from gencore.data.names import short_name
from gencore.data.source import Look, Source, look
from gencore.data.sources import open_source
from gencore.data.splits import SPLITS, by_hash, divide
from gencore.data.view import View, check_sizes, stacked
from gencore.errors import InputError, near

MOST_HASHED = 8
_hashes: dict[tuple[str, str], np.ndarray] = {}  # of the last sources without splits, by name and stamp
_hashing = threading.Lock()


@dataclass(frozen=True)
class Images:
    """One split of a data set, in memory.

    Attributes:
        name: The data set: a short name where it has one ('mnist'), else as it was asked for.
        split: 'train', 'validation' or 'test'.
        x: uint8 (N, C, H, W) with H = W; C is 1 (grey) or 3 (RGB).
        labels: int64 (N,), aligned with `x`, or None when the source has none.
    """

    name: str
    split: str
    x: Tensor
    labels: Tensor | None

    @property
    def labelled(self) -> bool:
        """Whether every image has a label; some sources mark those without by -1."""
        return self.labels is not None and int(self.labels.min()) >= 0


def load_images(
    name: str,
    split: str = "train",
    size: int | None = None,
    *,
    channels: int | None = None,
    fit: str = "crop",
    label: str | None = None,
) -> Images:
    """Return one split of a data set; see `gencore.data.splits` for the splits.

    Args:
        name: 'digits' (scikit-learn's 8x8 digits, embedded), 'mnist', 'cifar10', any Hub dataset id, or a local
            folder of parquet files or of images (see `gencore.data.layouts`). The folder named by GENCORE_DATA is
            looked in before the Hub.
        split: 'train', 'validation' or 'test'.
        size: If given, every image is made a square (see `fit`) and resized to `size` x `size` pixels.
        channels: 1 or 3; by default 1 if all images of the source are grey.
        fit: 'crop', 'pad' or 'stretch'.
        label: The column of the labels in a table; by default one of the usual names.

    Raises:
        InputError: if the data set, its images or the split cannot be had, or if the images are not all squares
            of one size and `size` is not given.
    """
    return load_splits(name, View(size, channels, fit, label), (split,))[split]


def load_splits(name: str, view: View | None = None, splits: Sequence[str] = SPLITS) -> dict[str, Images]:
    """Return splits of a data set in one view, the source opened once; the errors are those of `load_images`."""
    for split in splits:
        _check_split(split)
    view = view or View()
    source = open_source(name, view.label)
    if source.said:
        _tell(source.said)
    seen = look(source)
    check_sizes(source.name, seen.sizes, view)
    return {split: load(source, seen, split, view) for split in splits}


def image_shape(name: str, view: View | None = None) -> tuple[int, int]:
    """Return the channels and the side of a data set's images in a view; no more than one of them is decoded.

    The errors are those of `load_images`.
    """
    view = view or View()
    source = open_source(name, view.label)
    seen = look(source)
    check_sizes(source.name, seen.sizes, view)
    return view.channels or seen.channels, view.size or len(next(picked(source, seen, "train")))


def load_labels(name: str, split: str = "train", label: str | None = None) -> Tensor | None:
    """Return the labels int64 (N,) of one split, in the order of `load_images`.

    Images are decoded only where they decide on the split: in a source without any.
    None when the source has none; the arguments and errors are those of `load_images`.
    """
    _check_split(split)
    source = open_source(name, label, images=False)
    if unsplit(source) and any(part.labels is not None for part in source.parts.values()):
        source = open_source(name, label)  # the images decide
    return labels_of(source, split)


def unsplit(source: Source) -> bool:
    """Return whether a source came without splits."""
    return set(source.parts) == {"train"}


def rows_of(source: Source, split: str) -> tuple[str, np.ndarray]:
    """Return the source's part and its rows that make up `split`; see `gencore.data.splits`.

    Raises:
        InputError: naming an image that cannot be read, in a source without splits.
    """
    if unsplit(source):
        return "train", by_hash(hashes(source))[split]
    return divide({key: part.length for key, part in source.parts.items()}, split)


def hashes(source: Source) -> np.ndarray:
    """Return a hash of each image of a source without splits, uint64 (N,): of its decoded numbers and their shape.

    They are kept while the source's files stay as they are, as decoding takes long.
    """
    key = source.name, source.stamp
    with _hashing:
        if source.stamp and key in _hashes:
            return _hashes[key]
    part = source.parts["train"]
    found = np.array([_hash(decode(part.cell(row))) for row in range(part.length)], np.uint64)
    with _hashing:
        if source.stamp:
            _hashes[key] = found
        while len(_hashes) > MOST_HASHED:
            del _hashes[next(iter(_hashes))]
    return found


def _hash(values: np.ndarray) -> int:
    digest = hashlib.sha256(f"{values.shape}".encode() + np.ascontiguousarray(values).tobytes())
    return int.from_bytes(digest.digest()[:8], "big")


def picked(source: Source, seen: Look, split: str) -> Iterator[np.ndarray]:
    """Yield a split's images in its order, uint8 (H, W) or (H, W, 3), in their own sizes.

    Raises:
        InputError: naming an image that cannot be read.
    """
    part, rows = rows_of(source, split)
    for row in rows:
        yield seen.to_bytes(decode(source.parts[part].cell(int(row))))


def load(source: Source, seen: Look, split: str, view: View) -> Images:
    """Return a split of a source that was looked at; images that do not fit each other are for `check_sizes` to see."""
    return as_images(source, seen, split, view, [view.fitted(values) for values in picked(source, seen, split)])


def as_images(source: Source, seen: Look, split: str, view: View, arrays: list[np.ndarray]) -> Images:
    """Return a split of a source from its images in the view's form and in the split's order."""
    x = stacked(arrays, view.channels or seen.channels)
    return Images(short_name(source.name), split, x, labels_of(source, split))


def labels_of(source: Source, split: str) -> Tensor | None:
    """Return the labels int64 (N,) of a split in its order; None if it has none."""
    part, rows = rows_of(source, split)
    labels = source.parts[part].labels
    return None if labels is None else torch.from_numpy(labels[rows])


@functools.cache  # once in a process, however often the images are read
def _tell(sentence: str) -> None:
    logging.getLogger(__name__).warning(sentence)


def _check_split(split: str) -> None:
    if split not in SPLITS:
        raise InputError(f"There is no split {split!r}{near(str(split), list(SPLITS))}")
