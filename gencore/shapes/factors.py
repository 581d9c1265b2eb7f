"""What the pictures of `shapes` are drawn from: six numbers each, drawn by a fixed seed.

A picture's parameters are a row of six floats: the index of its shape in `SHAPES`, that of its colour in `COLOURS`, x
and y of its centre, its size (the radius of the circle through its corners) and its rotation. Lengths are shares of the
picture's side, from its upper left corner; the rotation is in radians, from x towards y, and below the angle that turns
the shape into itself.
"""

from __future__ import annotations

import math

import numpy as np

SHAPES = {"circle": 0, "triangle": 3, "square": 4}  # by name: how many corners
COLOURS = {  # by name: RGB, and the share of the pictures that have it
    "red": ((214, 48, 49), 0.400),
    "blue": ((34, 94, 200), 0.280),
    "green": ((32, 142, 72), 0.170),
    "orange": ((240, 150, 20), 0.100),
    "purple": ((140, 60, 160), 0.045),
    "turquoise": ((20, 170, 175), 0.005),
}
GROUND = (245, 243, 238)
CENTRE = (0.3, 0.7)  # the least and greatest x and y
SIZE = (0.15, 0.28)
COUNTS = {"train": 50_000, "validation": 5_000, "test": 5_000}
SEED = 20261129
GRID = 2.0**16  # parameters are whole multiples of 1 / GRID, so that no machine's last bit changes a picture
SHAPE, COLOUR, X, Y, EXTENT, ROTATION = range(6)  # the columns

CORNERS = np.array(list(SHAPES.values()))
INKS = np.array([ink for ink, _ in COLOURS.values()], np.float32)
SHARES = np.array([share for _, share in COLOURS.values()])
PERIODS = np.array([2 * math.pi / corners if corners else math.inf for corners in CORNERS])
MODES = tuple(f"{colour} {shape}" for colour in COLOURS for shape in SHAPES)
MODE_SHARES = np.repeat(SHARES, len(SHAPES)) / len(SHAPES)


def modes_of(rows: np.ndarray) -> np.ndarray:
    """Return the index in `MODES` of each row of parameters (N, 6), int64 (N,)."""
    return (rows[:, COLOUR] * len(SHAPES) + rows[:, SHAPE]).astype(np.int64)


def parameters(split: str) -> np.ndarray:
    """Return the parameters of a split in the order in which it is drawn, float64 (N, 6)."""
    place = list(COUNTS).index(split)
    draws = np.random.default_rng((SEED, place)).random((COUNTS[split], 6))
    rows = np.empty_like(draws)
    rows[:, SHAPE] = np.floor(draws[:, SHAPE] * len(SHAPES))
    rows[:, COLOUR] = np.searchsorted(np.cumsum(SHARES)[:-1], draws[:, COLOUR], side="right")
    rows[:, [X, Y]] = CENTRE[0] + (CENTRE[1] - CENTRE[0]) * draws[:, [X, Y]]
    rows[:, EXTENT] = SIZE[0] + (SIZE[1] - SIZE[0]) * draws[:, EXTENT]
    corners = CORNERS[rows[:, SHAPE].astype(np.int64)]
    rows[:, ROTATION] = np.where(corners > 0, draws[:, ROTATION] * 2 * math.pi / np.maximum(corners, 1), 0.0)
    rows[:, X:] = np.floor(rows[:, X:] * GRID) / GRID
    return rows
