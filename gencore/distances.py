"""Distances between two sets of feature vectors as distributions: kernel (MMD²) and Fréchet, all in float64."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional

BLOCK = 2**20  # kernel values held at once: 8 MB
ROWS = 4096  # rows that a covariance sums at once
PANELS = 8  # of a symmetric matrix of which only one half is computed
FLOOR = 10  # rows a dimension: under it the Fréchet distance's bias drowns what it measures
PARTS = 3  # the extrapolated distance cuts the rows into 1, 2 and 3 parts


def kernel_distance(real: Tensor, fake: Tensor) -> float:
    """Return the unbiased MMD² with the cubic kernel k(x, y) = (x·y / d + 1)³ of real (N, d) and fake (M, d).

    As KID with one subset of all rows: Bińkowski et al. 2018. It may be negative.
    """
    real, fake = real.detach().double(), fake.detach().double()
    n, m = len(real), len(fake)
    own = kernel_sum_of_pairs(real) / (n * (n - 1)) + kernel_sum_of_pairs(fake) / (m * (m - 1))
    return own - 2 * kernel_sum(real, fake) / (n * m)


def kernel_sum(x: Tensor, y: Tensor) -> float:
    """Return the sum of k over all pairs of a row of x (N, d) and a row of y (M, d), in blocks."""
    left, right = functional.pad(x / x.shape[1], (0, 1), value=1), functional.pad(y, (0, 1), value=1)
    size, total = max(1, BLOCK // len(y)), 0.0
    memory = x.new_empty(2, size, len(y))
    for rows in left.split(size):
        values, squares = memory[:, : len(rows)]
        torch.square(torch.mm(rows, right.T, out=values), out=squares)
        total += torch.dot(values.flatten(), squares.flatten()).item()
    return total


def kernel_sum_of_pairs(x: Tensor) -> float:
    """Return the sum of k over all ordered pairs of distinct rows of (N, d)."""
    itself = (x.square().sum(1) / x.shape[1] + 1).pow(3).sum()
    return kernel_sum(x, x) - itself.item()


def panels(dimensions: int) -> Iterator[slice]:
    """Yield slices that cut range(dimensions) into about `PANELS` equal ones."""
    width = -(-dimensions // PANELS)
    return (slice(start, min(start + width, dimensions)) for start in range(0, dimensions, width))


def moments(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean (d,) and the unbiased covariance (d, d) of the rows of (N, d), in float64.

    Of the covariance only the lower half is summed, in panels of columns: little more than half the arithmetic.
    """
    mean = rows.sum(0, dtype=torch.float64) / len(rows)
    total = mean.new_zeros(len(mean), len(mean))
    for part in rows.split(ROWS):
        part = part.double() - mean
        for panel in panels(len(mean)):
            total[panel.start :, panel].addmm_(part[:, panel.start :].T, part[:, panel])
    lower = total.tril()
    return mean, (lower + lower.T - lower.diagonal().diag()) / (len(rows) - 1)


def frechet(mean_a: Tensor, cov_a: Tensor, mean_b: Tensor, cov_b: Tensor) -> float:
    """Return ‖μ_a − μ_b‖² + tr(A + B − 2 (A B)^½): the squared 2-Wasserstein distance of two Gaussians.

    With A = F Fᵀ the product A B has the eigenvalues of the symmetric Fᵀ B F, and the trace of its root is the sum of
    the roots of these.
    """
    factor, failed = torch.linalg.cholesky_ex(cov_a)
    if failed:  # A is not of full rank: F from the eigenvectors, without those whose eigenvalues are rounding errors
        values, vectors = torch.linalg.eigh(cov_a)
        kept = values > values[-1].clamp_min(0) * len(values) * torch.finfo(values.dtype).eps
        factor = vectors[:, kept] * values[kept].sqrt()
        product = factor.T @ cov_b @ factor
    else:
        product = lower_congruence(factor, cov_b)
    cross = torch.linalg.eigvalsh(product).clamp_min(0).sqrt().sum()  # it reads the lower half alone
    distance = (mean_a - mean_b).square().sum() + cov_a.trace() + cov_b.trace() - 2 * cross
    return max(distance.item(), 0.0)


def lower_congruence(factor: Tensor, matrix: Tensor) -> Tensor:
    """Return the lower half of Lᵀ B L for a lower triangular L and a symmetric B, both (d, d).

    Panel by panel and without the zeros of L, in 4/3 d³ operations or little more, not 4 d³.
    """
    product = torch.zeros_like(matrix)
    for panel in panels(len(matrix)):
        rest = slice(panel.start, None)
        product[rest, panel] = factor[rest, rest].T @ (matrix[rest, rest] @ factor[rest, panel])
    return product


def frechet_distance(real: Tensor, fake: Tensor) -> float:
    """Return the Fréchet distance of Gaussians fitted to real (N, d) and fake (M, d): Heusel et al. 2017."""
    return frechet(*moments(real), *moments(fake))


def frechet_infinity(real: Tensor, fake: Tensor) -> float:
    """Return the Fréchet distance extrapolated to infinitely many rows: Chong & Forsyth 2020.

    The distance's bias is about c / N. For p = 1, 2, 3 both sets are cut into p disjoint parts (part i takes the rows
    i, i + p, i + 2 p ...), the p distances averaged, and the mean is regressed on p / N by least squares; the line's
    value at 0 is returned. It may be negative. A line through p = 1 to 3 has as little bias and spread as through more.
    """
    parts = torch.arange(1, PARTS + 1, dtype=torch.float64)
    means = [sum(frechet_distance(real[i::p], fake[i::p]) for i in range(p)) / p for p in range(1, PARTS + 1)]
    means, centred = torch.tensor(means, dtype=torch.float64), parts - parts.mean()
    slope = centred @ means / centred.square().sum()
    return (means.mean() - slope * parts.mean()).item()
