"""What there is in a data set, split by split: read before anything is trained on it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from gencore.data.identity import fingerprint, words
from gencore.data.images import labels_of, load, picked
from gencore.data.source import Look, Source, look
from gencore.data.sources import open_source
from gencore.data.splits import SPLITS
from gencore.data.view import View, check_sizes
from gencore.errors import InputError


@dataclass(frozen=True)
class SplitReport:
    """One split.

    Attributes:
        split: Its name.
        count: Images.
        classes: Images of each label, by its name or number; {} without labels.
        identity: What `fingerprint` returns; None where the images cannot be stacked without a size.
        pixels: The hash of each image as it is in the source, its shape included.
    """

    split: str
    count: int
    classes: dict[str, int]
    identity: dict[str, Any] | None
    pixels: list[bytes]


@dataclass(frozen=True)
class Report:
    """A data set.

    Attributes:
        source: What was opened.
        seen: What all its images have in common.
        splits: Each split.
        advice: What keeps the images from being stacked, in a sentence; '' if nothing.
    """

    source: Source
    seen: Look
    splits: tuple[SplitReport, ...]
    advice: str

    def duplicates(self) -> dict[tuple[str, str], int]:
        """Return how many images of the second split are in the first one too, to the last pixel: a leak."""
        kept = {one.split: set(one.pixels) for one in self.splits}
        pairs = (("train", "validation"), ("train", "test"), ("validation", "test"))
        found = {
            (first, second.split): sum(one in kept[first] for one in second.pixels)
            for first, name in pairs
            for second in self.splits
            if second.split == name
        }
        return {pair: count for pair, count in found.items() if count}

    def lines(self) -> Iterator[str]:
        """Yield the report, a line at a time."""
        for one in self.splits:
            told = words(one.identity) if one.identity else f"{one.count:,} images"
            classes = ", ".join(f"{name} {count:,}" for name, count in list(one.classes.items())[:12])
            more = f" and {len(one.classes) - 12} more" if len(one.classes) > 12 else ""
            yield f"{one.split}: {told}; {f'classes: {classes}{more}' if classes else 'no labels'}"
        sizes = sorted(self.seen.sizes.items(), key=lambda item: -item[1])
        listed = ", ".join(f"{width}x{height} ({count:,})" for (width, height), count in sizes[:5])
        colour = "grey" if self.seen.channels == 1 else "RGB"
        yield f"As stored: {colour}, {listed}{f' and {len(sizes) - 5} other sizes' if len(sizes) > 5 else ''}"
        for (first, second), count in self.duplicates().items():
            yield f"Leak: {count:,} images of {second} are in {first} too"
        for why, count in sorted(self.source.left_out.items()):
            yield f"Left out: {count:,} {why}"
        yield from self.source.notes
        if self.advice:
            yield self.advice


def report(name: str, view: View | None = None) -> Report:
    """Return what there is in a data set, as one sees it in a view.

    Raises:
        InputError: if it cannot be had, or an image cannot be read.
    """
    view = view or View()
    source = open_source(name, view.label, size=view.size)
    seen, advice = look(source), ""
    try:
        check_sizes(source.name, seen.sizes, view)
    except InputError as error:
        advice = str(error)
    splits = tuple(_of_split(source, seen, split, view, not advice) for split in SPLITS)
    return Report(source, seen, splits, advice)


def _of_split(source: Source, seen: Look, split: str, view: View, stackable: bool) -> SplitReport:
    pixels: list[bytes] = []

    def note(one: np.ndarray) -> None:
        pixels.append(hashlib.sha256(f"{one.shape}".encode() + one.tobytes()).digest())

    images = load(source, seen, split, view, note) if stackable else None
    if not pixels:  # not to be loaded, or stored before
        for one in picked(source, seen, split, as_stored=True):
            note(one)
    labels = labels_of(source, split)
    counts = Counter(() if labels is None else labels.tolist())
    names = dict(enumerate(source.classes))
    classes = {names.get(label, str(label)): counts[label] for label in sorted(counts)}
    return SplitReport(split, len(pixels), classes, None if images is None else fingerprint(images), pixels)
