"""Where a data set is: what scikit-learn brings, a local folder, or the Hub."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from gencore.data.builtin import digits
from gencore.data.files import find_files, stamp_of
from gencore.data.layouts import image_folder
from gencore.data.names import EMBEDDED, FOLDER_VARIABLE, HUB_IDS, at_hand, folder_of, is_path, short_name
from gencore.data.shapes import shapes
from gencore.data.source import Source
from gencore.data.tables import dataset_tables, parquet_folder
from gencore.errors import InputError, near, reason

if TYPE_CHECKING:
    from datasets import Dataset

MIN_IMAGES = 20


def open_source(name: str, label: str | None = None, images: bool = True, size: int | None = None) -> Source:
    """Return a data set, opened but not decoded.

    Args:
        name: As for `load_images`.
        label: The column of the labels in a table; by default one of the usual names.
        images: Whether the images will be asked for, and not the labels alone.
        size: The pixels a side that are wanted, for images that are drawn and not stored.

    Raises:
        InputError: if it cannot be had, is in no known layout, or has too few train images.
    """
    name = short_name(name)
    source = _embedded(name, size) or _open(name, label, images)
    parts = dict(source.parts)
    if "train" not in parts and len(parts) == 1:
        parts = {"train": next(iter(parts.values()))}
    if "train" not in parts:
        raise InputError(f"{name} has no train split, only {', '.join(parts) or 'nothing'}.")
    parts = {split: part for split, part in parts.items() if part.length}
    if (n := parts["train"].length if "train" in parts else 0) < MIN_IMAGES:
        raise InputError(f"{name} has {n} images to train on; at least {MIN_IMAGES} are needed.")
    if label is not None and not source.label:
        raise InputError(f"{name} is no table, so there is no column {label!r} to take labels from.")
    return replace(source, parts=parts)


def files_stamp(name: str) -> str:
    """Return what changes when a file of a data set's folder does; '' for one that is no local folder."""
    folder = folder_of(short_name(name))
    found = find_files(folder) if folder is not None else None
    return stamp_of(folder.joinpath(*parts) for parts in found.tables + found.images) if found else ""


def _embedded(name: str, size: int | None) -> Source | None:
    if name == "digits":
        return digits()
    return shapes(size) if name == "shapes" else None


def _open(name: str, label: str | None, images: bool) -> Source:
    folder = folder_of(name)
    if folder is not None:
        found = find_files(folder)
        if found.tables:
            return parquet_folder(name, folder, found, label, images)
        if found.images:
            return image_folder(name, folder, found)
        raise InputError(f"The folder {folder} has no images and no parquet files in it{_listed(found.left_out)}.")
    if is_path(name):
        raise InputError(f"There is no folder {name!r}; give a folder of parquet files or images.")
    return dataset_tables(name, _from_hub(name), label, images)


def _listed(left_out: Mapping[str, int]) -> str:
    listed = ", ".join(f"{count:,} {why}" for why, count in sorted(left_out.items()))
    return f" (left out: {listed})" if listed else ""


def _from_hub(name: str) -> Mapping[str, Dataset]:
    import datasets
    from huggingface_hub import constants, get_session

    datasets.disable_progress_bars()
    try:
        if not at_hand(name):  # says at once that there is no network, where load_dataset tries for 23 seconds
            get_session().head(constants.ENDPOINT, timeout=10)
        return datasets.load_dataset(HUB_IDS.get(name, name))
    except Exception as error:  # of `datasets`, `huggingface_hub`, `httpx`, ...: they share no base class
        raise InputError(_unreachable(name, reason(error))) from error


def _unreachable(name: str, why: str) -> str:
    base = os.environ.get(FOLDER_VARIABLE)
    local = f"not in {FOLDER_VARIABLE}={base}" if base else f"{FOLDER_VARIABLE} is not set"
    hint = near(name, [*EMBEDDED, *HUB_IDS]) if "/" not in name and name not in HUB_IDS else "."
    return (
        f"The data set {name!r} was not found: {local}, no local folder has this name, and loading "
        f"{HUB_IDS.get(name, name)!r} from the Hugging Face Hub failed ({why}){hint}"
    )
