"""What is learnt once from a data set's real images, so that a page or a metric needs no data set.

Now: the reference of the diversity plots, in pixel space (values in [0, 1], flattened): the first two principal
components of the training images, real images projected on them, and the histogram of distances between pairs.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gencore.checkpoint import write_tensors
from gencore.data import load_images

REFERENCE = Path("features", "reference.safetensors")
POINTS = 2000  # real images in the plots
BINS = 60


def flatten(x: Tensor) -> Tensor:
    """Return uint8 images (N, C, H, W) as float32 vectors (N, C*H*W) in [0, 1]."""
    return x.flatten(1).float() / 255


def pair_distances(rows: Tensor) -> Tensor:
    """Return the Euclidean distances between all pairs of distinct rows of (N, d): N (N - 1) / 2 numbers."""
    return torch.nn.functional.pdist(rows)


def reference(name: str) -> dict[str, Tensor]:
    """Return the reference of a data set, from its training images.

    Returns:
        `mean` (d,) and `basis` (2, d): pixel PCA; the rows are orthonormal, the largest entry of each positive.
        `explained` (2,): the share of the variance along each. `points` (2000, 2): real images projected.
        `bins` (61,) and `density` (60,): the histogram of distances between pairs of those images, of area 1.

    Raises:
        InputError: if the data set cannot be had.
    """
    rows = flatten(load_images(name, "train").x)
    mean = rows.mean(0)
    values, vectors = torch.linalg.eigh(torch.cov(rows.T))
    basis = vectors[:, -2:].flip(1).T
    basis = basis * torch.take_along_dim(basis, basis.abs().argmax(1, keepdim=True), 1).sign()
    chosen = rows[:POINTS]  # splits come shuffled, so the first rows are a fair sample
    density, bins = np.histogram(pair_distances(chosen).numpy(), BINS, density=True)
    return {
        "mean": mean,
        "basis": basis.contiguous(),
        "explained": values.flip(0)[:2] / values.sum(),
        "points": (chosen - mean) @ basis.T,
        "bins": torch.from_numpy(bins).float(),
        "density": torch.from_numpy(density).float(),
    }


def write_reference(name: str, root: Path) -> Path:
    """Write a data set's reference under `root`, atomically, and return the file's path.

    Raises:
        InputError: if the data set cannot be had or the file cannot be written.
    """
    path = root / Path(name).name / REFERENCE
    write_tensors(path, reference(name), {"data": Path(name).name, "split": "train", "points": str(POINTS)})
    return path
