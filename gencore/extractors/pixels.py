"""Pixels in their principal components: features without a network, a second opinion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from gencore.data import Images
from gencore.extractors.base import LARGE_BATCH, Extractor, Options, Show

DIMENSIONS = 64
LARGEST = 32  # pixels a side that are looked at; larger images are averaged down to it


class Pixels(Extractor):
    """The first 64 principal components of the train images, all divided by one number: mean variance 1.

    Not whitened, so that distances are those between images. Whitened, the faint last components count as much as the
    first ones, noise then has them all, and its coverage is four times as high.
    """

    name: ClassVar[str] = "pixels"
    about: ClassVar[str] = "the first principal components of the train images' pixels, of mean variance 1"
    sees: ClassVar[str] = "see where the ink lies and forgive grain"
    finds_copies: ClassVar[bool] = False
    half: ClassVar[bool] = False
    basis: Tensor

    def __init__(self, channels: int, size: int, dimensions: int):
        super().__init__(dimensions, channels=channels, size=size, dimensions=dimensions)
        side = min(size, LARGEST)
        self.register_buffer("basis", torch.zeros(dimensions, channels * side * side))

    def raw(self, x: Tensor) -> Tensor:
        """Project (n, C, H, W) on the basis: (n, d); the mean is taken off with the standardising."""
        return pixels(x) @ self.basis.T

    def fit_scale(self, rows: Tensor) -> None:
        """Centre, and divide by the root of the mean variance."""
        super().fit_scale(rows)
        self.std.fill_(self.std.square().mean().sqrt())

    @classmethod
    def learn(cls, splits: Mapping[str, Images], options: Options, show: Show) -> tuple[Self, dict[str, Any]]:
        """Return the extractor, its basis the leading eigenvectors of the train images' covariance."""
        x = splits["train"].x
        show(0.0, "principal components")
        values, vectors = torch.linalg.eigh(covariance(x))
        values, vectors = values.flip(0), vectors.flip(1).T
        kept = min(DIMENSIONS, int((values > 1e-6 * values[0]).sum()))  # 8x8 digits have pixels that never change
        basis = vectors[:kept]
        basis = basis * torch.take_along_dim(basis, basis.abs().argmax(1, keepdim=True), 1).sign()
        extractor = cls(channels=x.shape[1], size=x.shape[2], dimensions=kept)
        extractor.basis.copy_(basis)
        return extractor, {"explained": round(float(values[:kept].sum() / values.sum()), 4)}


def pixels(x: Tensor) -> Tensor:
    """Return uint8 images (n, C, H, W) as float32 vectors in [0, 1], at most 32 pixels a side."""
    x = x.float() / 255
    return (adaptive_avg_pool2d(x, LARGEST) if x.shape[2] > LARGEST else x).flatten(1)


def covariance(x: Tensor) -> Tensor:
    """Return the covariance, float64 (D, D), of the pixels of uint8 images (N, C, H, W), in blocks."""
    mean = sum(pixels(part).double().sum(0) for part in x.split(LARGE_BATCH)) / len(x)
    gram = torch.zeros(len(mean), len(mean), dtype=torch.float64)
    for part in x.split(LARGE_BATCH):
        centred = pixels(part).double() - mean
        gram.addmm_(centred.T, centred)
    return gram / (len(x) - 1)
