"""Images and features as points, for the charts: distances, projections, density, intervals. Pure: NumPy alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

SHADES = 64  # cells along each side of a density


def flatten(images: np.ndarray) -> np.ndarray:
    """Return uint8 images (N, C, H, W) as float64 rows (N, C H W) with pixels in [0, 1]."""
    return images.reshape(len(images), -1).astype(np.float64) / 255


def pair_distances(rows: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Return the Euclidean distances of all pairs of rows (N, d), their mean, and half its 95% jackknife interval.

    The pairs are not independent, so the interval leaves out one row (not one pair) at a time: Efron and Stein
    (1981). It is NaN under three rows.
    """
    n = len(rows)
    if n < 2:
        return np.zeros(0), float("nan"), float("nan")
    rows = np.asarray(rows, np.float64)
    squares = (rows**2).sum(1)
    table = np.sqrt(np.maximum(squares[:, None] + squares - 2 * rows @ rows.T, 0))
    np.fill_diagonal(table, 0)
    pairs = table[np.triu_indices(n, 1)]
    if n < 3:
        return pairs, float(pairs.mean()), float("nan")
    without = (table.sum() / 2 - table.sum(1)) / ((n - 1) * (n - 2) / 2)
    error = np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum())
    return pairs, float(pairs.mean()), 1.96 * float(error)


@dataclass(frozen=True)
class Plane:
    """Two directions that were found on real images, and real images along them.

    Attributes:
        mean: (d,) the point that becomes the origin.
        basis: (2, d) the directions, orthonormal rows.
        points: (m, 2) real rows on the plane.
        axes: What the two directions are, for people.
    """

    mean: np.ndarray
    basis: np.ndarray
    points: np.ndarray
    axes: tuple[str, str]

    def project(self, rows: np.ndarray) -> np.ndarray | None:
        """Return rows (N, d) as points (N, 2); None when they have another number of columns."""
        return (rows - self.mean) @ self.basis.T if rows.shape[1] == len(self.mean) else None


def axis_titles(what: str, shares: Sequence[float]) -> tuple[str, str]:
    """Return the titles of a first and a second direction, each with its share of the spread where that is known."""
    first, second = [f" ({share:.0%})" for share in shares] or ["", ""]
    return f"1st {what}{first}", f"2nd {what}{second}"


def pixel_plane(reference: Mapping[str, np.ndarray]) -> Plane:
    """Return the plane of a data set's shipped reference (see `gencore features`): PCA of the pixels."""
    shares = [float(share) for share in reference.get("explained", ())]
    axes = axis_titles("principal component", shares)
    return Plane(reference["mean"].ravel(), reference["basis"], reference["points"], axes)


def class_plane(rows: np.ndarray, classes: np.ndarray, shown: int = 2000) -> Plane:
    """Return the plane on which the classes of real rows lie furthest apart: PCA of their means, weighted by size.

    For whitened rows these are Fisher's (1936) discriminant directions; PCA of such rows themselves would have none to
    prefer.

    Args:
        rows: (N, d) features of real images.
        classes: (N,) their classes, three or more in all.
        shown: How many of the rows become points.
    """
    rows = np.asarray(rows, np.float64)
    mean = rows.mean(0)
    kinds, counts = np.unique(classes, return_counts=True)
    means = np.stack([rows[classes == kind].mean(0) for kind in kinds]) - mean
    basis, shares = principal(means * np.sqrt(counts / len(rows))[:, None])
    return Plane(mean, basis, (rows[:shown] - mean) @ basis.T, axis_titles("direction between classes", shares))


def spread_plane(rows: np.ndarray) -> Plane:
    """Return the plane along which rows (N, d) spread most: PCA."""
    rows = np.asarray(rows, np.float64)
    mean = rows.mean(0)
    basis, shares = principal(rows - mean)
    return Plane(mean, basis, (rows - mean) @ basis.T, axis_titles("principal component", shares))


def principal(centred: np.ndarray) -> tuple[np.ndarray, list[float]]:
    """Return the two directions (2, d) along which rows around 0 spread most, and each one's share of the spread.

    The largest entry of each direction is positive, so that the same rows always give the same picture.
    """
    _, spread, directions = np.linalg.svd(centred, full_matrices=False)
    basis = directions[:2]
    basis = basis * np.sign(np.take_along_axis(basis, np.abs(basis).argmax(1)[:, None], 1))
    return basis, (spread[:2] ** 2 / (spread**2).sum()).tolist()


@dataclass(frozen=True)
class Shade:
    """The density of points on a plane, as the share of them that lie where it is lower.

    Attributes:
        x: (s,) the cells' middles along the first axis.
        y: (s,) the same along the second.
        depth: (s, s), by row y and column x, from 0 (outside all points) to 1 (at the peak): the region with depth
            over 1 - p holds the share p of the density.
    """

    x: np.ndarray
    y: np.ndarray
    depth: np.ndarray


def shade(points: np.ndarray, cells: int = SHADES) -> Shade:
    """Return the density of points (m, 2): Gaussian kernels as wide as Scott (1992) says, along each axis its own."""
    width = points.std(0) * len(points) ** (-1 / 6) + 1e-12
    low, high = points.min(0) - 3 * width, points.max(0) + 3 * width
    grid = np.linspace(low, high, cells).T
    across, up = np.exp(-0.5 * ((grid[:, :, None] - points.T[:, None]) / width[:, None, None]) ** 2)  # (cells, m) each
    density = up @ across.T
    order = np.argsort(density.ravel())
    depth = np.empty(density.size)
    depth[order] = np.cumsum(density.ravel()[order]) / density.sum()
    return Shade(*grid, depth.reshape(density.shape))


def wilson(counts: np.ndarray, n: float, z: float = 1.96) -> tuple[np.ndarray, np.ndarray]:
    """Return both ends, each (K,), of Wilson's (1927) interval of shares, given counts (K,) of `n`; 95% by default."""
    n = max(1, n)
    share = counts / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)
