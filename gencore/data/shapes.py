"""`shapes` as a data set like others: its splits, drawn a block at a time, each in the size that is asked for."""

from __future__ import annotations

import functools

import numpy as np

from gencore.data.decoding import Cell
from gencore.data.source import Look, Part, Source
from gencore.data.splits import divide
from gencore.shapes.drawing import draw
from gencore.shapes.factors import COUNTS, MODES, modes_of, parameters

USUAL, SIDES = 32, range(8, 65)  # pixels a side
BLOCK = 500  # pictures that are drawn at once
STAMP = "1"  # changes when a picture does


def shapes(size: int | None = None) -> Source:
    """Return the data set, drawn in `size` pixels a side where that is 8 to 64; else in 32, to be resized."""
    side = size if size in SIDES else USUAL
    seen = Look(3, 255, 0.0, 1.0, {(side, side): sum(COUNTS.values())})
    return Source("shapes", {split: _part(split, side) for split in COUNTS}, MODES, stamp=STAMP, seen=seen)


def row_order(split: str) -> np.ndarray:
    """Return which rows of `parameters(split)` a split's images are of, in its order."""
    return divide(COUNTS, split)[1]


def _part(split: str, side: int) -> Part:
    def cell(row: int) -> Cell:
        return Cell(f"Row {row} of shapes", pixels=_block(split, side, row // BLOCK)[row % BLOCK])

    return Part(COUNTS[split], cell, modes_of(_rows(split)))


@functools.cache
def _rows(split: str) -> np.ndarray:
    return parameters(split)


@functools.lru_cache(maxsize=4)
def _block(split: str, side: int, block: int) -> np.ndarray:
    return draw(_rows(split)[block * BLOCK : (block + 1) * BLOCK], side)
