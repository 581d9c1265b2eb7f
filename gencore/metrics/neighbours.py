"""Nearest neighbours and what is made of them, in blocks: no matrix of all pairs is ever held.

Squared distances come from one matrix product per block, ‖a − b‖² = ‖a‖² + ‖b‖² − 2 a·b, in float64 on centred rows.
The distances that are returned, and the radii, are computed again from the differences, so that equal rows are at
distance 0; comparisons with a radius count numbers that agree to about twelve digits as ties.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional

NEIGHBOURS = 5  # k of precision, recall, density and coverage
PAIRS = 2**22  # distances held at once: 32 MB; with small blocks threads spend their time waiting for each other
LANES = 256  # groups among which the smallest entries of a row are looked for
TIE = 1e-12  # of (‖a‖ + radius)²: more than a squared distance's rounding error, less than means anything


def centre(real: Tensor, *others: Tensor) -> list[Tensor]:
    """Return all rows in float64, less the mean of `real`: distances stay, rounding errors shrink."""
    mean = real.double().mean(0)
    return [rows.double() - mean for rows in (real, *others)]


def squared_norms(rows: Tensor) -> Tensor:
    """Return ‖row‖² of (N, d): (N,)."""
    return rows.square().sum(1)


def blocks(queries: Tensor, points: Tensor, pad: int = 0) -> Iterator[tuple[slice, Tensor]]:
    """Yield slices of the queries (M, d), each with its squared distances to all points (T, d), (rows, T + pad).

    They are one product of (−2 q, 1, ‖q‖²) and (p, ‖p‖², 1), in float64, and `pad` columns at infinity. The memory is
    used again for the next block.
    """
    norms, one = squared_norms(queries)[:, None], queries.new_ones(1, 1)
    left = torch.cat([-2 * queries, one.expand(len(queries), 1), norms], 1)
    right = torch.cat([points, squared_norms(points)[:, None], one.expand(len(points), 1)], 1)
    right = functional.pad(right, (0, 0, 0, pad))
    right[len(points) :, -2] = torch.inf
    size = max(1, min(len(queries), PAIRS // len(right)))
    memory = queries.new_empty(size, len(right))
    for start in range(0, len(queries), size):
        part = left[start : start + size]
        yield slice(start, start + len(part)), torch.mm(part, right.T, out=memory[: len(part)])


def closest(queries: Tensor, points: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the Euclidean distances, float64 (M, count), of queries (M, d) to the nearest of points (T, d).

    Nearest first; and the indices of these points, (M, count). T >= count.
    """
    points, queries = centre(points, queries)
    lanes = LANES if len(points) > 4 * LANES and count <= LANES else 1  # each neighbour may need a lane of its own
    missing = -len(points) % lanes  # made up with points at infinity, so that the lanes are of equal length
    found = [smallest(squared, count, lanes) for _, squared in blocks(queries, points, missing)]
    index, distances = torch.cat(found), []
    size = max(1, PAIRS // (count * queries.shape[1]))
    for some, theirs in zip(queries.split(size), index.split(size), strict=True):
        distances.append((some[:, None] - points[theirs]).square_().sum(2).sqrt_())
    distances, order = torch.cat(distances).sort(1)
    return distances, index.gather(1, order)


def smallest(table: Tensor, count: int, lanes: int) -> Tensor:
    """Return the column indices of the `count` smallest entries of each row of (rows, T), in no order.

    The columns j, j + lanes, j + 2 lanes ... are lane j. The smallest entries lie in the `count` lanes whose minima are
    the smallest, so only those are searched: one fast pass for the minima instead of a selection among all.
    """
    if lanes == 1:
        return table.topk(count, 1, largest=False, sorted=False).indices
    table = table.view(len(table), -1, lanes)
    chosen = table.amin(1).topk(count, 1, largest=False, sorted=False).indices
    held = table.gather(2, chosen[:, None].expand(-1, table.shape[1], -1)).flatten(1)
    best = held.topk(count, 1, largest=False, sorted=False).indices
    return best // count * lanes + chosen.gather(1, best % count)


@torch.no_grad()
def nearest(queries: Tensor, points: Tensor, exclude_self: bool = False) -> tuple[Tensor, Tensor]:
    """Return the Euclidean distance, float32 (M,), of each query (M, d) to its nearest point (T, d), and whose it is.

    With `exclude_self` the queries are the points: point i is no neighbour of query i (an equal one elsewhere is).
    """
    if exclude_self:
        return nearest_other(points, torch.arange(len(points), device=points.device))
    distances, index = closest(queries, points, 1)
    return distances[:, 0].float(), index[:, 0]


def nearest_other(points: Tensor, which: Tensor) -> tuple[Tensor, Tensor]:
    """Return for the points (T, d) named by `which` (M,) the distance to the nearest other point, and its index."""
    distances, index = closest(points[which], points, 2)
    second = (index[:, :1] == which[:, None]).long()  # the first of the two is the point itself, or equal to it
    return distances.gather(1, second)[:, 0].float(), index.gather(1, second)[:, 0]


def radii(points: Tensor, k: int = NEIGHBOURS) -> Tensor:
    """Return each point's distance to its k-th nearest other point, (T,) in float64; T > k."""
    return closest(points, points, k + 1)[0][:, -1]  # the nearest is the point itself


@torch.no_grad()
def prdc(real: Tensor, fake: Tensor, k: int = NEIGHBOURS) -> dict[str, float]:
    """Return precision, recall, density and coverage of fake (M, d) beside real (N, d); N, M > k.

    With r_i the distance of real row i to its k-th nearest other real row, and f_j likewise among the fake rows:
    precision is the share of fake rows j with |x_i − y_j| < r_i for some i, recall the share of real rows i with
    |x_i − y_j| < f_j for some j, density the number of pairs with |x_i − y_j| < r_i over k M, and coverage the share of
    real rows i with |x_i − y_j| < r_i for some j. Kynkäänniemi et al. 2019 (precision, recall), Naeem et al. 2020.
    """
    real, fake = centre(real, fake)
    real_reach, fake_reach = reach(real, k)[:, None], reach(fake, k)
    precise = torch.zeros(len(fake), dtype=torch.uint8, device=fake.device)
    covered = torch.zeros(len(real), dtype=torch.uint8, device=real.device)
    recalled = torch.zeros_like(covered)
    pairs = 0
    for rows, squared in blocks(real, fake):
        inside = (squared < real_reach[rows]).view(torch.uint8)  # amax of bytes is many times faster than any
        pairs += int(inside.count_nonzero())
        precise = torch.maximum(precise, inside.amax(0))
        covered[rows] = inside.amax(1)
        recalled[rows] = (squared.sub_(fake_reach).amin(1) < 0).view(torch.uint8)
    share = {"precision": precise, "recall": recalled, "coverage": covered}
    return {name: hits.double().mean().item() for name, hits in share.items()} | {"density": pairs / (k * len(fake))}


def reach(points: Tensor, k: int) -> Tensor:
    """Return radius² of each point (T, d), less the margin within which two squared distances count as equal: (T,)."""
    radius = radii(points, k)
    return radius.square() - TIE * (squared_norms(points).sqrt() + radius).square()


def mean_distance(rows: Tensor) -> float:
    """Return the mean Euclidean distance over all pairs of distinct rows of (N, d), N >= 2."""
    (rows,) = centre(rows)
    total = sum(squared.clamp_min_(0).sqrt_().sum().item() for _, squared in blocks(rows, rows))
    return total / (len(rows) * (len(rows) - 1))
