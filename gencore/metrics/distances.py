"""Distances between two sets of feature vectors as distributions: KID (MMD²) and Fréchet, all in float64.

The Fréchet distance is BLAS's and LAPACK's for symmetric matrices, through SciPy: torch has no product or congruence
that does one half only.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from statistics import linear_regression

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

BLOCK = 2**20  # kernel values held at once: 8 MB
ROWS = 2048  # rows that a covariance sums at once
SINGULAR = 1e-10  # a squared pivot below this share of the largest: the covariance may be one of lower rank
PARTS = 3  # the extrapolated distance cuts the rows into 1, 2 and 3 parts


class KernelReference:
    """Real rows (N, d), N >= 2, that many sets are compared with: their own part of the KID is computed once."""

    def __init__(self, rows: Tensor):
        self.rows = rows.detach().double()

    @property
    def own(self) -> Tensor:
        """The mean of k between each row and the other ones, float64 (N,)."""
        return self._own[0]

    @cached_property
    def _own(self) -> tuple[Tensor, float]:
        """`own`, and the mean square of what k of two rows has beyond both rows' means."""
        n, itself = len(self.rows), kernel_of_itself(self.rows)
        sums = torch.cat([torch.stack([k.sum(1), k.square().sum(1)]) for k in kernel(self.rows, self.rows)], 1)
        means, squares = (sums - torch.stack([itself, itself.square()])) / (n - 1)
        grand = means.mean()
        return means, (squares.mean() - 2 * means.square().mean() + grand.square()).item()

    def distance(self, fake: Tensor) -> tuple[float, Tensor]:
        """Return the KID of fake (M, d), M >= 2, and each real row's part in it, float64 (N,), for `scatter`."""
        fake = fake.detach().double()
        m, crossed = len(fake), kernel_sums(self.rows, fake) / len(fake)
        others = (kernel_sums(fake, fake).sum() - kernel_of_itself(fake).sum()) / (m * (m - 1))
        return (self.own.mean() + others - 2 * crossed.mean()).item(), self.own - crossed

    def scatter(self, parts: Tensor) -> float:
        """Return the standard deviation that a KID has over real sets of the same size, the fake rows as they are.

        With Y fixed the KID is a U-statistic of the real rows and a mean over them. By Hoeffding's (1948, section 5)
        decomposition its variance is 4/N Var_x[E k(x, x') - mean_y k(x, y)], which is all to first order, and
        2/(N (N - 1)) E[r(x, x')²], r being what k has beyond both rows' means: all that is left where the distributions
        are equal. The variance of the parts has the second, over N, in it, as each E is a mean over N - 1 rows. The
        scatter of the generated images is another matter: the generations show it.

        Args:
            parts: (N,): what `distance` returns; for a mean over generations their mean.
        """
        n, rest = len(parts), self._own[1]
        first = parts.var().item() - rest / n
        return math.sqrt(max(4 * first, 0.0) / n + 2 * max(rest, 0.0) / (n * (n - 1)))


def kernel_inception_distance(real: Tensor, fake: Tensor) -> float:
    """Return the unbiased MMD² with the cubic kernel k(x, y) = (x·y / d + 1)³ of real (N, d) and fake (M, d).

    KID with one subset of all rows: Bińkowski et al. 2018. It may be negative. The features need not be Inception's.
    """
    return KernelReference(real).distance(fake)[0]


def kernel_of_itself(rows: Tensor) -> Tensor:
    """Return k between each row of (N, d) and itself, (N,)."""
    return (rows.square().sum(1) / rows.shape[1] + 1).pow(3)


def kernel_sums(x: Tensor, y: Tensor) -> Tensor:
    """Return the sum of k over y (M, d) for each row of x (N, d), (N,)."""
    return torch.cat([block.sum(1) for block in kernel(x, y)])


def kernel(x: Tensor, y: Tensor) -> Iterator[Tensor]:
    """Yield k between rows of x (N, d) and all of y (M, d), (n, M), in blocks; each overwrites the one before."""
    left, right = functional.pad(x / x.shape[1], (0, 1), value=1), functional.pad(y, (0, 1), value=1)
    size = max(1, BLOCK // len(y))
    memory = x.new_empty(2, size, len(y))
    for rows in left.split(size):
        values, squares = memory[:, : len(rows)]
        torch.square(torch.mm(rows, right.T, out=values), out=squares)
        yield values.mul_(squares)


def moments(rows: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean (d,) and the unbiased covariance (d, d) of the rows of (N, d), in float64 on the CPU.

    Only the lower half of the covariance is filled: the upper one would be the same arithmetic again.
    """
    from scipy.linalg import blas

    given = rows.detach().to("cpu", torch.promote_types(rows.dtype, torch.float32)).numpy()  # NumPy has no bfloat16
    mean = given.mean(0, dtype=np.float64)
    total = np.zeros((len(mean), len(mean)), order="F")
    for start in range(0, len(given), ROWS):
        part = given[start : start + ROWS] - mean
        total = blas.dsyrk(1.0, part.T, beta=1.0, c=total, lower=1, overwrite_c=1)
    return mean, total / (len(given) - 1)


def frechet(mean_a: np.ndarray, cov_a: np.ndarray, mean_b: np.ndarray, cov_b: np.ndarray) -> float:
    """Return ‖μ_a − μ_b‖² + tr(A + B − 2 (A B)^½): the squared 2-Wasserstein distance of two Gaussians.

    Of the covariances only the lower halves are read. The same in either order of the two, to the last bit: the one
    with the smaller trace comes first.
    """
    a, b = sorted((cov_a, cov_b), key=np.trace)
    total = np.square(mean_a - mean_b).sum() + (np.trace(a) + np.trace(b)) - 2 * root_trace(a, b)
    return max(total.item(), 0.0)


def root_trace(a: np.ndarray, b: np.ndarray) -> float:
    """Return tr((A B)^½) of two covariances, of which only the lower halves are read.

    With A = F Fᵀ the product A B has the eigenvalues of the symmetric Fᵀ B F, and the trace of its root is the sum of
    the roots of these. The root turns an eigenvalue that should be 0 and is a rounding error of 1e-16 into 1e-8. So
    where A or B is not of full rank, or nearly not, both are factored without what is rounding, and the roots are had
    without rooting anything: they are the singular values of F_aᵀ F_b.
    """
    from scipy.linalg import eigh, lapack, svdvals

    factor = cholesky(a)
    if factor is None or cholesky(b) is None:
        return svdvals(spectral_factor(a).T @ spectral_factor(b)).sum()
    product, _ = lapack.dsygst(b, factor, itype=2, lower=1)  # Lᵀ B L
    return np.sqrt(eigh(product, eigvals_only=True, driver="evd", overwrite_a=True).clip(0)).sum()


def cholesky(cov: np.ndarray) -> np.ndarray | None:
    """Return the lower factor L of a covariance (d, d), its upper half as it was; None if it is nearly singular."""
    from scipy.linalg import lapack

    factor, failed = lapack.dpotrf(cov, lower=1, clean=0)
    pivots = factor.diagonal()
    return None if failed or np.square(pivots.min() / pivots.max()) < SINGULAR else factor


def spectral_factor(cov: np.ndarray) -> np.ndarray:
    """Return F (d, r) with F Fᵀ the covariance (d, d), of rank r: without eigenvalues that are rounding errors."""
    from scipy.linalg import eigh

    values, vectors = eigh(cov)
    kept = values > values[-1].clip(0) * len(values) * np.finfo(values.dtype).eps
    return vectors[:, kept] * np.sqrt(values[kept])


def frechet_distance(real: Tensor, fake: Tensor) -> float:
    """Return the Fréchet distance of Gaussians fitted to real (N, d) and fake (M, d): Heusel et al. 2017."""
    return frechet(*moments(real), *moments(fake))


def frechet_infinity(real: Tensor, fake: Tensor) -> float:
    """Return the Fréchet distance extrapolated to infinitely many rows: Chong & Forsyth 2020.

    The distance's bias is about c / N. For p = 1, 2, 3 both sets are cut into p disjoint parts (part i takes the rows
    i, i + p, i + 2 p ...), the p distances averaged, and the mean is regressed on p / N by least squares; the line's
    value at 0 is returned. It may be negative. A line through p = 1 to 3 has as little bias and spread as through more.
    """
    parts = range(1, PARTS + 1)
    means = [sum(frechet_distance(real[i::p], fake[i::p]) for i in range(p)) / p for p in parts]
    return linear_regression(parts, means).intercept
