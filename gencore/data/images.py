"""One split of a data set, or all of them, as uint8 tensors."""

from __future__ import annotations

import functools
import hashlib
import logging
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from gencore import __version__
from gencore.data.decoding import decode
from gencore.data.names import short_name
from gencore.data.source import Look, Source, look
from gencore.data.sources import open_source
from gencore.data.splits import SPLITS, by_hash, divide
from gencore.data.stored import MOST_IN_MEMORY, Put, Stored, stored
from gencore.data.view import View, check_sizes, planes
from gencore.errors import InputError, near

MOST_HASHED = 8
_hashes: dict[tuple[str, str], np.ndarray] = {}  # of the last sources without splits, by name and stamp
_hashing = threading.Lock()

MANY_HASHES = 100_000  # are kept in a file, as decoding so many images takes minutes
KEY = 16  # hex digits of what a file of images depends on


@dataclass(frozen=True)
class Images:
    """One split of a data set.

    Attributes:
        name: The data set: a short name where it has one ('mnist'), else as it was asked for.
        split: 'train', 'validation' or 'test'.
        x: uint8 (N, C, H, W) with H = W; C is 1 (grey) or 3 (RGB).
        labels: int64 (N,), aligned with `x`, or None when the source has none.
        stored: The images in a file, where they are many (`MOST_IN_MEMORY`): then `x` is that file, which the system
            reads as it is used, and holds in memory as long as there is room. None of few, which are in memory.
    """

    name: str
    split: str
    x: Tensor
    labels: Tensor | None
    stored: Stored | None = None

    @property
    def rows(self) -> Tensor | Stored:
        """The images to take some of at a time."""
        return self.x if self.stored is None else self.stored

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
        name: 'digits' (scikit-learn's 8x8 digits, embedded), 'shapes' (drawn, in 8 to 64 pixels a side), 'mnist',
            'cifar10', any Hub dataset id, or a local folder of parquet files or of images (see `gencore.data.layouts`).
            The folder named by GENCORE_DATA is looked in before the Hub.
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
    source = open_source(name, view.label, size=view.size)
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
    source = open_source(name, view.label, size=view.size)
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

    def fill(put: Put) -> None:
        for row in range(part.length):
            put(row, np.frombuffer(_hash(decode(part.cell(row))), np.uint8)[None, None])

    shape = (part.length, 1, 1, 8)
    if part.length < MANY_HASHES:
        x = np.empty(shape, np.uint8)
        fill(x.__setitem__)
    else:
        x = stored(f"{short_name(source.name)}-hashes", _key(source) if source.stamp else "", shape, fill)[:].numpy()
    found = x.view(">u8").astype(np.uint64).ravel()
    with _hashing:
        if source.stamp:
            _hashes[key] = found
        while len(_hashes) > MOST_HASHED:
            del _hashes[next(iter(_hashes))]
    return found


def _hash(values: np.ndarray) -> bytes:
    return hashlib.sha256(f"{values.shape}".encode() + np.ascontiguousarray(values).tobytes()).digest()[:8]


def _key(source: Source, *depends: object) -> str:
    """Return what names a file that was made of a source as it is now, by this version, and depends on this."""
    return hashlib.sha256(f"{source.name} {source.stamp} {__version__} {depends}".encode()).hexdigest()[:KEY]


def picked(source: Source, seen: Look, split: str, as_stored: bool = False) -> Iterator[np.ndarray]:
    """Yield a split's images in its order, or as they lie in the source, uint8 (H, W) or (H, W, 3), in their own sizes.

    Raises:
        InputError: naming an image that cannot be read.
    """
    part, rows = rows_of(source, split)
    for row in np.sort(rows) if as_stored else rows:
        yield seen.to_bytes(decode(source.parts[part].cell(int(row))))


def load(
    source: Source, seen: Look, split: str, view: View, note: Callable[[np.ndarray], None] = lambda values: None
) -> Images:
    """Return a split of a source that was looked at and whose sizes were checked.

    Each image that is decoded is noted as it is in the source; those that were stored before are not (`Images.stored`).
    """
    part, rows = rows_of(source, split)
    cell, channels = source.parts[part].cell, view.channels or seen.channels
    side = view.size or next((width for width, _ in seen.sizes), 1)  # of none that can be read: the first one says so
    shape = (len(rows), channels, side, side)

    def fill(put: Put) -> None:
        for place in np.argsort(rows):  # as they lie in the source, so that what is read there is read once
            values = seen.to_bytes(decode(cell(int(rows[place]))))
            note(values)
            put(int(place), planes(view.fitted(values), channels))

    name, labels = short_name(source.name), labels_of(source, split)
    if math.prod(shape) <= MOST_IN_MEMORY:
        x = np.empty(shape, np.uint8)
        fill(x.__setitem__)
        return Images(name, split, torch.from_numpy(x), labels)
    key = _key(source, shape, view, replace(seen, sizes={}), hashlib.sha256(rows).digest()) if source.stamp else ""
    found = stored(f"{name}-{split}-{channels}x{side}-{view.fit}", key, shape, fill)
    return Images(name, split, found.mapped(), labels, found)


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
