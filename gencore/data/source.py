"""A data set's source, opened but not decoded, and what is decided once for all of it."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from gencore.data.decoding import Cell, decode, header
from gencore.errors import InputError

DEPTHS = (8, 10, 12, 14, 16)  # bits that whole numbers may have
DIM = 32  # 16 bits a colour are read by their upper 8, which reach this where at least 14 of the 16 are used
MOST_LOOKS = 8
_looks: OrderedDict[tuple[str, str], Look] = OrderedDict()  # the last ones, by a source's name and stamp
_looking = threading.Lock()


@dataclass(frozen=True)
class Part:
    """One split of a source, in the source's order.

    Attributes:
        length: Its number of images.
        cell: Returns the image of a row.
        labels: int64 (length,), or None.
    """

    length: int
    cell: Callable[[int], Cell]
    labels: np.ndarray | None = None


@dataclass(frozen=True)
class Source:
    """A data set.

    Attributes:
        name: What it is called.
        parts: By split, those that the source has.
        classes: The classes' names, where they have any, in the order of the labels.
        left_out: How many files or rows were left out, by the reason.
        notes: Sentences about what was decided.
        label: The column that the labels are from; None if it is no table or has none.
        stamp: What changes when its images do (see `stamp_of`); '' if that cannot be told.
        seen: What all its images have in common, where that is known before they are looked at.
    """

    name: str
    parts: Mapping[str, Part]
    classes: tuple[str, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    label: str | None = None
    stamp: str = ""
    seen: Look | None = None

    @property
    def said(self) -> str:
        """What was left out and what was decided, in one line; '' if nothing was."""
        counts = ", ".join(f"{count:,} {why}" for why, count in sorted(self.left_out.items()))
        parts = [*([f"left out: {counts}."] if counts else []), *self.notes]
        return f"{self.name}: {' '.join(parts)}" if parts else ""


@dataclass(frozen=True)
class Look:
    """What all images of a source have in common, so that no split differs from another.

    Attributes:
        channels: 1 if all are grey, else 3.
        top: The number that is white in whole numbers of more than 8 bits: 2^k - 1.
        low: The number that is black in floats.
        high: The number that is white in floats.
        sizes: How many have each width and height.
    """

    channels: int
    top: int
    low: float
    high: float
    sizes: Mapping[tuple[int, int], int]

    def to_bytes(self, values: np.ndarray) -> np.ndarray:
        """Return an image's numbers as `decode` gives them as uint8, rounded to the nearest."""
        if values.dtype == np.uint8:
            return values
        low, high = (0, self.top) if values.dtype.kind == "i" else (self.low, self.high)
        return ((values.astype(np.float64) - low) * (255 / (high - low))).round().astype(np.uint8)


def look(source: Source) -> Look:
    """Return what is decided once for a source, from every one of its images; those that cannot be read do not count.

    It is kept while the source's files stay as they are, as the headers of many images take long.

    Raises:
        InputError: if its deep images have no range that is known here.
    """
    if source.seen is not None:
        return source.seen
    key = source.name, source.stamp
    with _looking:
        if source.stamp and key in _looks:
            _looks.move_to_end(key)
            return _looks[key]
    seen = _look(source)
    with _looking:
        if source.stamp:
            _looks[key] = seen
        while len(_looks) > MOST_LOOKS:
            _looks.popitem(last=False)
    return seen


def _look(source: Source) -> Look:
    sizes: Counter[tuple[int, int]] = Counter()
    colour, extremes = False, {}
    for part in source.parts.values():
        for row in range(part.length):
            found = header(cell := part.cell(row))
            if found is None:
                continue
            sizes[found.size] += 1
            colour = colour or bool(found.colour)
            if found.deep or (found.colour is None and not colour):
                try:
                    values = decode(cell)
                except InputError:
                    continue
                colour = colour or values.ndim == 3
                if found.deep:
                    _widen(extremes, values)
    low, high = _float_range(source.name, extremes.get("f"))
    _refuse_unused_bits(source.name, extremes.get("u"))
    return Look(3 if colour else 1, _whole_top(source.name, extremes.get("i")), low, high, sizes)


def _widen(extremes: dict[str, tuple[float, float]], values: np.ndarray) -> None:
    """Let the lowest and highest number of a kind of numbers take in those of one image."""
    low, high = extremes.get(values.dtype.kind, (np.inf, -np.inf))
    extremes[values.dtype.kind] = float(np.minimum(low, values.min())), float(np.maximum(high, values.max()))


def _whole_top(name: str, range_: tuple[float, float] | None) -> int:
    low, high = range_ or (0, 0)
    top = next((2**bits - 1 for bits in DEPTHS if low >= 0 and high < 2**bits), 0)
    if not top:
        raise InputError(
            f"The grey images of {name} have whole numbers from {low:.0f} to {high:.0f}, and only 0 to 65535 is a "
            "range that is known here; save them with 8 or 16 bits."
        )
    return top


def _float_range(name: str, range_: tuple[float, float] | None) -> tuple[float, float]:
    low, high = range_ or (0.0, 1.0)
    found = next((one for one in ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)) if one[0] <= low and high <= one[1]), None)
    if found is None:
        raise InputError(
            f"The images of {name} have floats from {low:g} to {high:g}; known ranges are 0 to 1, -1 to 1 and 0 to 255."
        )
    return found


def _refuse_unused_bits(name: str, range_: tuple[float, float] | None) -> None:
    if range_ and range_[1] < DIM:
        raise InputError(
            f"The images of {name} that have 16 bits a channel use less than 14 of them, and would be all but black; "
            "save them with 8 bits."
        )
