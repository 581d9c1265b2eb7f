"""Walks through latent space: paths between latents, single dimensions, and spots of a map. For what decodes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gencore.families.nets import slerp
from gencore.family import Family


def path(model: Family, a: Tensor, b: Tensor, shares: Sequence[float]) -> Tensor:
    """Return the latents (len(shares), ...) on the family's path from `a` to `b`, each (...).

    Straight for a family whose latents fill the space, along the great circle (see `slerp`) for one whose latents are
    Gaussian of many dimensions. Share 0 is `a` and share 1 is `b`.
    """
    if model.interpolation == "slerp":
        return torch.cat([slerp(a[None], b[None], share) for share in shares])
    weights = torch.tensor(list(shares), dtype=a.dtype, device=a.device).view(-1, *[1] * a.ndim)
    return torch.lerp(a.expand(len(weights), *a.shape), b.expand(len(weights), *b.shape), weights)


def traversal(latent: Tensor, dimension: int, offsets: Sequence[float]) -> Tensor:
    """Return `latent` (d,) with each of the offsets added to one dimension, (len(offsets), d)."""
    walked = latent.repeat(len(offsets), 1)
    walked[:, dimension] += torch.tensor(list(offsets), dtype=latent.dtype, device=latent.device)
    return walked


def spot(point: Tensor, plane: Tensor, centre: Tensor, means: Tensor, width: float) -> Tensor:
    """Return the latent (d,) at a spot of a map: what the map does not show of it is that of the images nearby.

    Args:
        point: (2,) the spot.
        plane: (2, d) orthonormal directions of the map.
        centre: (d,) the latent at the map's origin.
        means: (N, d) encoded images.
        width: Of the Gaussian, in the map's units, by which nearby images count.
    """
    rest = means - centre
    places = rest @ plane.T
    rest = rest - places @ plane
    weights = torch.softmax(-(places - point).square().sum(1) / (2 * width**2), 0)
    return centre + point @ plane + weights @ rest
