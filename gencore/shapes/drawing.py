"""From parameters to pictures: a pixel's share of the shape is one half less its distance from the outline, in pixels.

Everything is float32, added and multiplied element by element, which is the same to the bit on every machine.
"""

from __future__ import annotations

import math

import numpy as np

from gencore.shapes.factors import COLOUR, CORNERS, EXTENT, GRID, GROUND, INKS, ROTATION, SHAPE, X, Y


def draw(rows: np.ndarray, size: int) -> np.ndarray:
    """Return the pictures of parameters (N, 6), uint8 (N, size, size, 3)."""
    cover = np.empty((len(rows), size, size), np.float32)
    for index, corners in enumerate(CORNERS):
        mine = rows[:, SHAPE] == index
        cover[mine] = coverage(rows[mine], int(corners), size)
    return painted(cover, rows[:, COLOUR].astype(np.int64))


def coverage(rows: np.ndarray, corners: int, size: int) -> np.ndarray:
    """Return the share of each pixel that a shape of so many corners covers, float32 (N, size, size)."""
    return np.clip(np.float32(0.5) - distance(rows, corners, size), 0, 1)


def distance(rows: np.ndarray, corners: int, size: int) -> np.ndarray:
    """Return how far each pixel's middle lies outside the outline, in pixels, float32 (N, size, size).

    Of a polygon it is the distance to the farthest of the lines through its sides.
    """
    across, down = (offsets(rows[:, column], size) for column in (X, Y))
    radius = (rows[:, EXTENT] * size).astype(np.float32)[:, None, None]
    if not corners:
        return np.sqrt((across * across)[:, None, :] + (down * down)[:, :, None]) - radius
    inner = radius * np.float32(math.cos(math.pi / corners))
    found = None
    for normal in normals(rows[:, ROTATION], corners):
        along = (across * normal[0][:, None])[:, None, :] + (down * normal[1][:, None])[:, :, None]
        found = along if found is None else np.maximum(found, along, out=found)
    return found - inner


def offsets(centre: np.ndarray, size: int) -> np.ndarray:
    """Return how far the middle of each pixel of a row lies from a centre (N,), in pixels, float32 (N, size)."""
    return (np.arange(size) + 0.5 - centre[:, None] * size).astype(np.float32)


def normals(rotation: np.ndarray, corners: int) -> list[np.ndarray]:
    """Return for each side the direction that it faces, float32 (2, N): the first side faces the rotation."""
    angles = (rotation + 2 * math.pi * side / corners for side in range(corners))
    return [(np.round(np.stack([np.cos(one), np.sin(one)]) * GRID) / GRID).astype(np.float32) for one in angles]


def painted(cover: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Return the pictures of coverage (N, S, S) in colours (N,), indices in `COLOURS`: uint8 (N, S, S, 3)."""
    found = np.empty((*cover.shape, 3), np.uint8)
    for channel, ground in enumerate(GROUND):
        found[..., channel] = np.rint(cover * (INKS[colours, channel] - ground)[:, None, None] + np.float32(ground))
    return found
