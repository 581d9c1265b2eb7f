"""The data set that comes with scikit-learn: 1,797 handwritten digits, 8x8, grey."""

from __future__ import annotations

import numpy as np

from gencore.data.decoding import Cell
from gencore.data.source import Part, Source

DIGITS_TEST = 297


def digits() -> Source:
    """Return scikit-learn's digits, the last 297 of a fixed permutation as the test split."""
    from sklearn.datasets import load_digits

    found = load_digits()
    values = np.round(found.images * (255 / 16)).astype(np.uint8)
    order = np.random.default_rng(0).permutation(len(values))
    rows = {"train": order[:-DIGITS_TEST], "test": order[-DIGITS_TEST:]}
    parts = {split: _part(values[mine], found.target[mine]) for split, mine in rows.items()}
    return Source("digits", parts, tuple(map(str, range(10))))


def _part(values: np.ndarray, labels: np.ndarray) -> Part:
    return Part(len(values), lambda row: Cell(f"Row {row} of digits", pixels=values[row]), labels.astype(np.int64))
