"""Tables: which column holds the images and which the labels, by name, and what the labels are, once for all splits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gencore.errors import InputError, near

if TYPE_CHECKING:
    from datasets import Features
    from pyarrow import ChunkedArray

IMAGES = ("image", "img")
LABELS = ("label", "labels", "target", "class", "fine_label")
Labels = dict[str, np.ndarray | None]  # by split, int64


def image_column(name: str, features: Features) -> str:
    """Return the column of the images: 'image', else 'img', else the only one.

    Raises:
        InputError: naming the columns, if there is none or several may be meant.
    """
    found = [key for key, kind in features.items() if _holds_files(kind)]
    if not found:
        raise InputError(f"{name} has no image column, only {', '.join(features) or 'no columns'}.")
    usual = [key for key in IMAGES if key in found]
    if not usual and len(found) > 1:
        raise InputError(f"{name} has several image columns: {', '.join(found)}; name the one to use 'image'.")
    return (usual or found)[0]


def _holds_files(kind: Any) -> bool:
    from datasets import Image, Value

    # As written without the Hub's metadata, an image is a struct with the file's bytes, or the bytes alone.
    binary = isinstance(kind, Value) and kind.dtype in ("binary", "large_binary")
    return binary or isinstance(kind, Image) or (isinstance(kind, dict) and "bytes" in kind)


def label_column(name: str, features: Features, wanted: str | None = None) -> tuple[str | None, str]:
    """Return the column of the labels, `wanted` or the first of LABELS or the only one of classes, and a note on it.

    Raises:
        InputError: if there is no `wanted`, or it holds no labels.
    """
    from datasets import ClassLabel

    usable = [key for key, kind in features.items() if _holds_labels(kind)]
    if wanted is not None:
        if wanted not in usable:
            what = "holds no labels" if wanted in features else "is not there"
            raise InputError(f"The column {wanted!r} of {name} {what}{near(wanted, usable)}")
        return wanted, ""
    usual = [key for key in LABELS if key in usable]
    classes = [key for key in usable if isinstance(features[key], ClassLabel)]
    if not usual and len(classes) > 1:
        return (
            None,
            f"Several columns may be the labels ({', '.join(classes)}), so there are none; choose with `label`.",
        )
    return next(iter(usual or classes), None), ""


def _holds_labels(kind: Any) -> bool:
    from datasets import ClassLabel, Value

    words = ("int", "bool", "string", "float", "double")
    return isinstance(kind, ClassLabel) or (isinstance(kind, Value) and any(word in kind.dtype for word in words))


def read_labels(
    columns: Mapping[str, ChunkedArray], kinds: Mapping[str, Any]
) -> tuple[Labels, tuple[str, ...], tuple[str, ...]]:
    """Return each split's labels, the classes' names, and notes: decided from all splits together, by name.

    Args:
        columns: By split.
        kinds: What `datasets` takes each of them for.
    """
    nulls = [split for split, column in columns.items() if column.null_count]
    notes = [f"{split}: {columns[split].null_count:,} rows have no label, so there are no labels." for split in nulls]
    whole = {split: column for split, column in columns.items() if split not in nulls}
    named = {split: _names(column, kinds[split]) for split, column in whole.items()}
    if whole and all(names is not None for names in named.values()):
        labels, classes = _by_name(named)
    else:
        labels, classes = {split: _integers(column) for split, column in whole.items()}, ()
        notes += [f"{split}: the labels are no classes." for split, one in labels.items() if one is None]
    return labels | dict.fromkeys(nulls), classes, tuple(notes)


def _names(column: ChunkedArray, kind: Any) -> tuple[list[str], np.ndarray] | None:
    """Return names in their order, and each row's place among them or -1; None where labels are numbers."""
    from datasets import ClassLabel

    if isinstance(kind, ClassLabel):
        return list(kind.names), column.to_numpy().astype(np.int64)
    values = column.to_numpy()
    if values.dtype.kind == "b":
        return ["False", "True"], values.astype(np.int64)
    if values.dtype.kind in "iuf":
        return None
    names, places = np.unique(values.astype(str), return_inverse=True)
    return names.tolist(), places.astype(np.int64)


def _by_name(named: Mapping[str, tuple[list[str], np.ndarray]]) -> tuple[Labels, tuple[str, ...]]:
    """Return labels that mean the same class in every split; an order that all splits share is kept."""
    orders = [names for names, _ in named.values()]
    same = all(names == orders[0] for names in orders)
    classes = orders[0] if same else sorted({one for names in orders for one in names})
    numbers = {one: number for number, one in enumerate(classes)}
    labels: Labels = {}
    for split, (names, places) in named.items():
        place_of = np.array([*(numbers[one] for one in names), -1], np.int64)
        labels[split] = place_of[np.where(places < 0, len(names), places)]
    return labels, tuple(classes)


def _integers(column: ChunkedArray) -> np.ndarray | None:
    values = column.to_numpy()
    if values.dtype.kind == "f" and not (np.isfinite(values).all() and (values == np.round(values)).all()):
        return None
    return values.astype(np.int64) if values.dtype.kind in "iufb" else None
