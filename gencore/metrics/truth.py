"""What is true of pictures of `shapes`, from their readings: nothing is estimated in features here.

A reading is a row of seven numbers, the parameters of the nearest drawing and its error; `gencore.shapes` reads
them. Diversity is that of the valid pictures, so that it is no matter of quality as well; where none is valid it is the
worst that it can be.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gencore.shapes import factors as shapes
from gencore.shapes.reading import is_shape

COPIED = 0.005  # a picture is a train picture's copy if no factor differs by more than this share of its range
MISSING = 10  # a mode more than this many times rarer than it should be counts as missing


def valid_share(real: Tensor, fake: Tensor, readings: Tensor) -> float:
    """Return the share of pictures that are drawings of the set."""
    return float(is_shape(readings.numpy()).mean())


def mode_shares(readings: Tensor) -> np.ndarray:
    """Return the share of each of the 18 modes among the valid pictures, (18,): all 0 where there are none."""
    rows = valid(readings)
    return np.bincount(shapes.modes_of(rows), minlength=len(shapes.MODES)) / max(len(rows), 1)


def mode_distance(real: Tensor, fake: Tensor, readings: Tensor) -> float:
    """Return the total variation ½ Σ |p_m − q_m| from the frequencies of the modes; 1 where no picture is valid."""
    found = mode_shares(readings)
    return float(np.abs(found - shapes.MODE_SHARES).sum() / 2) if found.any() else 1.0


def modes_missing(real: Tensor, fake: Tensor, readings: Tensor) -> float:
    """Return how many of the 18 modes have less than a tenth of their frequency among the valid pictures."""
    return float((mode_shares(readings) * MISSING < shapes.MODE_SHARES).sum())


def scaled(rows: np.ndarray) -> np.ndarray:
    """Return x, y, size and rotation of parameters (N, 6 or more) as shares of their ranges, (N, 4).

    The rotation of a circle is NaN.
    """
    periods = shapes.PERIODS[rows[:, shapes.SHAPE].astype(np.int64)]
    turned = np.where(np.isfinite(periods), rows[:, shapes.ROTATION] / periods, np.nan)
    ranges = ((shapes.X, shapes.CENTRE), (shapes.Y, shapes.CENTRE), (shapes.EXTENT, shapes.SIZE))
    plain = [(rows[:, column] - low) / (high - low) for column, (low, high) in ranges]
    return np.stack([*plain, turned], 1)


def factor_distance(place: int, readings: Tensor) -> float:
    """Return the Kolmogorov-Smirnov distance of a factor of the valid pictures from its law, which is uniform.

    sup |F_n(u) − u|, u in [0, 1]; 1 where no picture is valid and has it.
    """
    values = scaled(valid(readings))[:, place]
    values = np.sort(values[np.isfinite(values)].clip(0, 1))
    if not len(values):
        return 1.0
    steps = np.arange(len(values) + 1) / len(values)
    return float(max((steps[1:] - values).max(), (values - steps[:-1]).max()))


def copied_share(real: Tensor, fake: Tensor, readings: Tensor) -> float:
    """Return the share of valid pictures with the parameters of a train picture; 0 where none is valid."""
    rows, train = valid(readings), shapes.parameters("train")
    mine, theirs = scaled(rows), scaled(train)
    modes, known, copied = shapes.modes_of(rows), shapes.modes_of(train), 0
    for mode in np.unique(modes):
        copied += _near(mine[modes == mode], theirs[known == mode]).sum()
    return float(copied / max(len(rows), 1))


def _near(mine: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Return which of some factors (N, 4) are all within `COPIED` of those of one of others (M, 4), bool (N,)."""
    near = np.ones((len(mine), len(theirs)), bool)
    for place in range(mine.shape[1]):
        gap = np.abs(mine[:, None, place] - theirs[None, :, place])
        gap = np.minimum(gap, 1 - gap) if place == 3 else gap  # a rotation by its period is none
        near &= ~(gap > COPIED)  # of circles it is NaN, and no matter
    return near.any(1)


def valid(readings: Tensor) -> np.ndarray:
    """Return the readings of valid pictures, (V, 7)."""
    rows = readings.numpy()
    return rows[is_shape(rows)]


def known_readings(split: str, order: np.ndarray) -> Tensor:
    """Return the readings of the real pictures of a split in some order, which are their parameters and no error."""
    rows = shapes.parameters(split)[order]
    return torch.from_numpy(np.concatenate([rows, np.zeros((len(rows), 1))], 1))
