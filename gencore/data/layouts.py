"""Folders of images: which folders are splits and which are classes, or a refusal that names them.

The layouts that are known, each below any number of wrapper folders: all images in one folder; a folder a class; a
folder a split, with or without class folders in it; a folder a class with split folders in it. Folders further down
count as what they lie in.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from gencore.data.annotations import annotations_in, read_annotations
from gencore.data.decoding import Cell
from gencore.data.files import Found, Parts, shown, stamp_of
from gencore.data.source import Part, Source
from gencore.data.splits import split_named
from gencore.errors import InputError

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")  # of 'seg_train', 'trainA', 'TestData', 'val2017'


def image_folder(name: str, folder: Path, found: Found) -> Source:
    """Return the images of a folder by split, labelled by the class folders that they are in, if in any.

    Raises:
        InputError: if the folders are in no known layout.
    """
    left_out = Counter(found.left_out)
    above, images = _unwrapped(found.images)
    placed = _by_split(name, images, left_out)
    rests = {split: _without_wrapper(files, placed) for split, files in placed.items()}
    notes = _label_by_text(folder.joinpath(*above), rests, left_out)
    classes = sorted({rest[0] for files in rests.values() for rest in files.values() if len(rest) > 1})
    numbers = {one: number for number, one in enumerate(classes)}
    parts = {}
    stamp = stamp_of(folder.joinpath(*above, *one) for files in rests.values() for one in files)
    for split, files in rests.items():
        paths = [folder.joinpath(*above, *parts) for parts in files]
        loose = sum(len(rest) == 1 for rest in files.values())
        labels = None
        if len(classes) > 1 and not loose:
            labels = np.array([numbers[rest[0]] for rest in files.values()], np.int64)
        elif len(classes) > 1 and loose < len(files):
            notes.append(f"{split}: {loose:,} images lie in no class folder, so there are no labels.")
        parts[split] = Part(len(paths), _Files(paths), labels)
    labelled = any(part.labels is not None for part in parts.values())
    return Source(name, parts, tuple(map(shown, classes)) if labelled else (), left_out, tuple(notes), stamp=stamp)


def _label_by_text(base: Path, rests: dict[str, dict[Parts, Parts]], left_out: Counter[str]) -> list[str]:
    """Put the images of a split that lie in no class folder into those that a text in the split's folder names.

    Only where other splits have class folders, and the text names one of these for every image.

    Returns:
        A sentence for each such text, that says what became of it.
    """
    known = {rest[0] for files in rests.values() for rest in files.values() if len(rest) > 1}
    said = []
    for split, files in rests.items():
        loose = files and known and all(len(rest) == 1 for rest in files.values())
        if not loose or (path := annotations_in(base / next(iter(files))[0])) is None:
            continue
        told = read_annotations(path, (parts[-1] for parts in files))
        lacking = sum(told.get(parts[-1]) not in known for parts in files)
        if lacking or len(told) < len(files):
            said.append(f"{split}: {path.name} names no known class for {lacking:,} images, so there are no labels.")
            continue
        rests[split] = {parts: (told[parts[-1]], *rest) for parts, rest in files.items()}
        said.append(f"{split}: the labels are those of {path.name}.")
        left_out["no image (.txt)"] -= 1
    left_out += Counter()  # what has come down to none
    return said


class _Files:
    """The image of a row: a file."""

    def __init__(self, paths: list[Path]):
        self.paths = paths

    def __call__(self, row: int) -> Cell:
        return Cell(shown(self.paths[row]), path=self.paths[row])


def _unwrapped(images: list[Parts]) -> tuple[Parts, list[Parts]]:
    """Return the folders that all images lie in, one in the other, and the images below them."""
    above: Parts = ()
    while len(first := {parts[0] if len(parts) > 1 else "" for parts in images}) == 1:
        (one,) = first
        if not one or split_named(one):
            break
        above, images = (*above, one), [parts[1:] for parts in images]
    return above, images


def _by_split(name: str, images: list[Parts], left_out: Counter[str]) -> dict[str, dict[Parts, Parts]]:
    """Return the images by split: each with its path without the split's folder."""
    splits = _splits_among(name, {parts[0] for parts in images if len(parts) > 1})
    if splits:
        return _below_splits(name, images, splits, left_out)
    second = {parts[1] for parts in images if len(parts) > 2}
    if any(map(split_named, second)):
        _refuse_strangers(name, [one for one in second if not split_named(one)], second)
        if loose := [parts for parts in images if len(parts) < 3]:
            left_out["beside the split folders"] += len(loose)
        return _grouped((split_named(parts[1]), parts, (parts[0], *parts[2:])) for parts in images if len(parts) > 2)
    deeper = {part for parts in images for part in parts[2:-1] if split_named(part)}
    if len({split_named(part) for part in deeper}) > 1:
        _refuse_strangers(name, sorted({parts[0] for parts in images}), deeper)
    return {"train": {parts: parts for parts in images}}


def _below_splits(
    name: str, images: list[Parts], splits: Mapping[str, str], left_out: Counter[str]
) -> dict[str, dict[Parts, Parts]]:
    """Return the images below split folders; what lies beside them is left out, unless it may be the train images."""
    strangers = sorted({parts[0] for parts in images if len(parts) > 1} - set(splits))
    named = set(splits.values())
    if "train" not in named or len(named) < 2:
        _refuse_strangers(name, strangers, splits)
    for parts in images:
        if len(parts) == 1:
            left_out["beside the split folders"] += 1
        elif parts[0] in strangers:
            left_out[f"in the folder {shown(parts[0])}, which is no split, beside the split folders"] += 1
    kept = [parts for parts in images if len(parts) > 1 and parts[0] in splits]
    return _grouped((splits[parts[0]], parts, parts[1:]) for parts in kept)


def _grouped(placed: Iterable[tuple[str, Parts, Parts]]) -> dict[str, dict[Parts, Parts]]:
    groups: dict[str, dict[Parts, Parts]] = {}
    for split, parts, rest in placed:
        groups.setdefault(split, {})[parts] = rest
    return groups


def _splits_among(name: str, folders: set[str]) -> dict[str, str]:
    """Return the split of each folder that names one: 'train', or 'seg_train' where there is a 'seg_test'.

    Raises:
        InputError: if several sets lie side by side, as 'train_a', 'test_a', 'train_b' and 'test_b'.
    """
    plain = {one: split for one in folders if (split := split_named(one))}
    if len(set(plain.values())) > 1:
        return plain
    families: dict[tuple[str, ...], dict[str, str]] = {}
    for one in sorted(folders - set(plain)):
        words = [word.lower() for word in _WORDS.findall(one)]
        if len(named := {split for word in words if (split := split_named(word))}) == 1:
            families.setdefault(tuple(word for word in words if not split_named(word)), {})[one] = named.pop()
    several = [family for family in families.values() if len(set(family.values())) > 1]
    if len(several) > 1:
        sets = " and ".join(", ".join(map(shown, family)) for family in several[:5])
        raise InputError(f"{name} holds several sets with splits of their own, {sets}; keep the folders of one.")
    family = several[0] if several else {}
    return plain if set(plain.values()) & set(family.values()) else plain | family


def _refuse_strangers(name: str, strangers: Iterable[str], splits: Iterable[str]) -> None:
    strangers = sorted(strangers)
    if strangers:
        raise InputError(
            f"The folders of {name} are in no layout that is known here: {_listed(sorted(splits))} named like a split, "
            f"and {_listed(strangers)} not; put train and test folders above the class folders, nothing beside them."
        )


def _listed(names: list[str]) -> str:
    shortened = ", ".join(map(shown, names[:5])) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return f"{shortened} {'is' if len(names) == 1 else 'are'}"


def _without_wrapper(files: Mapping[Parts, Parts], placed: Mapping[str, Mapping[Parts, Parts]]) -> dict[Parts, Parts]:
    """Return a split's files without a folder that all of them lie in, unless it is a class elsewhere."""
    files = dict(files)
    folders = [{rest[0] for rest in rests.values() if len(rest) > 1} for rests in placed.values()]
    classes = {one for several in folders if len(several) > 1 for one in several}
    while len(first := {rest[0] if len(rest) > 1 else "" for rest in files.values()}) == 1:
        (one,) = first
        if not one or one in classes:
            break
        files = {parts: rest[1:] for parts, rest in files.items()}
    return files
