"""From pictures to parameters, by drawing: the setting whose picture differs least, and by how much it differs.

The colour is the one in whose direction the picture leaves the ground; its moments say where a circle, a triangle and a
square of the same area would lie, and a few steps of Gauss and Newton's move each until its drawing fits best.
"""

from __future__ import annotations

import math

import numpy as np

from gencore.shapes.drawing import distance, normals, offsets, painted
from gencore.shapes.factors import (
    CENTRE,
    COLOUR,
    CORNERS,
    EXTENT,
    GROUND,
    INKS,
    PERIODS,
    ROTATION,
    SHAPE,
    SIZE,
    X,
    Y,
)

ERROR = 6  # the column of a reading beyond the six parameters
MOST_ERROR = 0.04  # pixels along the outline: see `docs/data.md`
MARGIN = 0.015  # how far centre and size may lie outside their ranges, in shares of the side
STRONG = 60.0  # of 255: what differs more from the ground tells the colour
FAINT = 0.2  # what is covered less tells nothing of where the shape lies: far from it, grain would outweigh it
STEPS, DAMPING = 8, 1e-3
LONGEST = 1.5  # pixels that a step may move a centre or a radius by
BLOCK = 500  # pictures that are fitted at once
AREAS = np.array([math.pi, 3 * math.sqrt(3) / 4, 2.0])  # of the shapes of size 1
OUTLINES = np.array([2 * math.pi, 3 * math.sqrt(3), 4 * math.sqrt(2)])  # how long they are


def read(images: np.ndarray) -> np.ndarray:
    """Return what pictures show, float64 (N, 7): the six parameters of the nearest drawing, and its error.

    The error is the sum of squared differences, over that of one pixel between ink and ground, for each pixel of the
    outline's length. In a clean picture with an outline that is off by d pixels it is about d.

    Args:
        images: uint8 (N, 3, S, S).
    """
    parts = [_read(images[start : start + BLOCK]) for start in range(0, len(images), BLOCK)]
    return np.concatenate(parts) if parts else np.empty((0, ERROR + 1))


def is_shape(readings: np.ndarray) -> np.ndarray:
    """Return which of the readings (N, 7) are of a picture of the set: drawn so within the tolerances, bool (N,)."""
    found = readings[:, ERROR] <= MOST_ERROR
    for column, (low, high) in ((X, CENTRE), (Y, CENTRE), (EXTENT, SIZE)):
        found &= (readings[:, column] >= low - MARGIN) & (readings[:, column] <= high + MARGIN)
    return found


def _read(images: np.ndarray) -> np.ndarray:
    pixels = images.transpose(0, 2, 3, 1)
    away = pixels.astype(np.float32) - np.array(GROUND, np.float32)
    colours = _colours(away)
    inks = (INKS - np.array(GROUND, np.float32))[colours]
    cover = np.einsum("nhwc,nc->nhw", away, inks / (inks * inks).sum(1, keepdims=True))
    moments = _moments(np.clip(cover, 0, 1) * (cover > FAINT))
    fits = [_fitted(cover, _guess(moments, index, cover.shape[1]), index) for index in range(len(CORNERS))]
    best = np.argmin([misfit for _, misfit in fits], 0)
    found = np.empty((len(images), ERROR + 1))
    for index, (rows, _) in enumerate(fits):
        mine = best == index
        found[mine, :ERROR] = rows[mine]
    found[:, COLOUR] = colours
    found[:, ERROR] = _errors(pixels, found, inks)
    return found


def _colours(away: np.ndarray) -> np.ndarray:
    """Return the index of the colour in whose direction each picture (N, S, S, 3), less the ground, goes."""
    strong = (away * away).sum(3, keepdims=True) > STRONG**2
    sums = (away * strong).sum((1, 2))
    inks = INKS - np.array(GROUND, np.float32)
    return np.argmax(sums @ (inks / np.linalg.norm(inks, axis=1, keepdims=True)).T, 1)


def _moments(cover: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return of coverage (N, S, S): area, centre (x and y, in pixels), and the angles of its 3rd and 4th moments."""
    side = np.arange(cover.shape[1]) + 0.5
    area = np.maximum(cover.sum((1, 2), dtype=np.float64), 1.0)
    x, y = (cover.sum(1) @ side) / area, (cover.sum(2) @ side) / area
    z = (side - x[:, None])[:, None, :] + 1j * (side - y[:, None])[:, :, None]
    cube = z * z * z * cover
    return area, x, y, np.angle(cube.sum((1, 2))), np.angle((cube * z).sum((1, 2)))


def _guess(moments: tuple[np.ndarray, ...], index: int, size: int) -> np.ndarray:
    """Return the parameters (N, 6) of a shape that has these moments."""
    area, x, y, third, fourth = moments
    rows = np.zeros((len(area), ERROR))
    rows[:, SHAPE] = index
    rows[:, X], rows[:, Y] = x / size, y / size
    rows[:, EXTENT] = np.sqrt(area / AREAS[index]) / size
    if corners := int(CORNERS[index]):  # its corners lie between its sides, and there the moment is largest
        rows[:, ROTATION] = ((third if corners == 3 else fourth) - math.pi) / corners
    return rows


def _fitted(cover: np.ndarray, rows: np.ndarray, index: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the parameters (N, 6) of the shape nearest to coverage (N, S, S), and the sum of squared differences."""
    size, corners = cover.shape[1], int(CORNERS[index])
    limits = np.array([LONGEST, LONGEST, LONGEST, 0.4 if corners else 0.0])
    scale = np.array([size, size, size, 1.0])
    best, least = rows, np.full(len(rows), np.inf)
    for step in range(STEPS + 1):
        far = distance(rows, corners, size)
        rest = np.clip(0.5 - far, 0, 1) - cover
        misfit = np.einsum("nhw,nhw->n", rest, rest)
        better = misfit < least
        best, least = np.where(better[:, None], rows, best), np.where(better, misfit, least)
        if step < STEPS:
            move = _step(rest, far, rows, corners)
            rows = rows.copy()
            rows[:, X:] += np.clip(move, -limits, limits) / scale
            rows[:, EXTENT] = np.clip(rows[:, EXTENT], 1 / size, 1.0)
    if corners:
        best[:, ROTATION] %= PERIODS[index]
    return best, least


def _step(rest: np.ndarray, far: np.ndarray, rows: np.ndarray, corners: int) -> np.ndarray:
    """Return by how much x, y, radius (in pixels) and rotation are to change, (N, 4), by the outline's pixels."""
    size = rest.shape[1]
    image, down, across = np.nonzero(np.abs(far) < 0.5)
    slopes = _slopes(rows, corners, size, image, down, across)
    residual = rest[image, down, across].astype(np.float64)
    matrix = np.empty((len(rows), 4, 4))
    right = np.empty((len(rows), 4))
    for one in range(4):
        right[:, one] = np.bincount(image, slopes[one] * residual, len(rows))
        for two in range(one + 1):
            matrix[:, one, two] = matrix[:, two, one] = np.bincount(image, slopes[one] * slopes[two], len(rows))
    matrix[:, range(4), range(4)] += DAMPING * (1 + matrix[:, range(4), range(4)])
    return -np.linalg.solve(matrix, right[:, :, None])[:, :, 0]


def _slopes(
    rows: np.ndarray, corners: int, size: int, image: np.ndarray, down: np.ndarray, across: np.ndarray
) -> np.ndarray:
    """Return how the coverage of some pixels changes with x, y, radius and rotation, float64 (4, P)."""
    east, south = offsets(rows[:, X], size)[image, across], offsets(rows[:, Y], size)[image, down]
    if not corners:
        radius = np.maximum(np.hypot(east, south), 1e-6)
        ones = np.ones_like(radius)
        return np.stack([east / radius, south / radius, ones, 0 * ones]).astype(np.float64)
    sides = np.stack(normals(rows[:, ROTATION], corners))[:, :, image]  # (corners, 2, P)
    nearest = np.argmax(sides[:, 0] * east + sides[:, 1] * south, 0)
    normal = sides[nearest, :, np.arange(len(image))].T
    inner = np.full(len(image), math.cos(math.pi / corners))
    turn = normal[1] * east - normal[0] * south
    return np.stack([normal[0], normal[1], inner, turn]).astype(np.float64)


def _errors(pixels: np.ndarray, readings: np.ndarray, inks: np.ndarray) -> np.ndarray:
    """Return the errors of readings of pictures uint8 (N, S, S, 3); see `read`."""
    size, shapes = pixels.shape[1], readings[:, SHAPE].astype(np.int64)
    drawn = np.empty(pixels.shape, np.float32)
    for index, corners in enumerate(CORNERS):
        mine = shapes == index
        cover = np.clip(0.5 - distance(readings[mine], int(corners), size), 0, 1)
        drawn[mine] = painted(cover, readings[mine, COLOUR].astype(np.int64))
    rest = drawn - pixels
    outline = OUTLINES[shapes] * np.maximum(readings[:, EXTENT] * size, 1.0)
    return np.einsum("nhwc,nhwc->n", rest, rest) / (inks * inks).sum(1) / outline
