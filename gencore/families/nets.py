"""Blocks that the families share: plain residual convolution pyramids, without layers that mix the batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from gencore.family import smallest_size

Activation = Callable[[], nn.Module]  # the activation's class


def keep_variance(module: nn.Module) -> None:
    """Initialise a layer so that its output varies as much as its input (He et al. 2015, gain 1), without bias.

    torch's default shrinks a signal by a factor of 1.7 per layer: a generator would start deaf to its latent.
    """
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(module.weight, nonlinearity="linear")
        nn.init.zeros_(module.bias)


def padded(x: Tensor, resolutions: int) -> Tensor:
    """Return images (N, C, H, W) with a margin of zeros, so that their side can be halved between `resolutions`.

    Zero is mid-grey, and what convolutions see beyond any edge. Those of a fitting side are returned as they are.
    """
    low, high = _margin(x.shape[-1], resolutions)
    return nn.functional.pad(x, (low, high, low, high)) if high else x


def cropped(x: Tensor, size: int) -> Tensor:
    """Return the images (N, C, size, size) inside the margin of `padded`."""
    low = (x.shape[-1] - size) // 2
    return x[..., low : low + size, low : low + size] if x.shape[-1] > size else x


def _margin(size: int, resolutions: int) -> tuple[int, int]:
    """Return how many pixels are added before an image and behind it."""
    both = smallest_size(size, resolutions) * 2 ** (resolutions - 1) - size
    return both // 2, both - both // 2


class Residual(nn.Module):
    """x + f(x) with f two 3x3 convolutions; f starts at zero, so that depth does not hurt at first (Fixup, 2019)."""

    def __init__(self, width: int, activation: Activation):
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.act1, self.act2 = activation(), activation()
        self.apply(keep_variance)
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, width, H, W) to the same shape."""
        return x + self.conv2(self.act2(self.conv1(self.act1(x))))


class Encoder(nn.Module):
    """Images to a vector: `blocks` residual blocks at each resolution, strided convolutions between them.

    `widths` are the feature maps at each resolution, from the image's downwards.
    """

    def __init__(
        self,
        channels: int,
        size: int,
        widths: Sequence[int],
        out: int,
        activation: Activation = nn.SiLU,
        blocks: int = 1,
    ):
        super().__init__()
        low, self.resolutions = smallest_size(size, len(widths)), len(widths)
        layers: list[nn.Module] = [nn.Conv2d(channels, widths[0], 3, padding=1)]
        for i, width in enumerate(widths):
            if i:
                layers += [nn.Conv2d(widths[i - 1], width, 4, stride=2, padding=1)]
            layers += [Residual(width, activation) for _ in range(blocks)]
        self.body = nn.Sequential(*layers, activation(), nn.Flatten())
        self.head = nn.Linear(widths[-1] * low * low, out)
        for layer in (*layers, self.head):
            keep_variance(layer)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, C, H, W) to vectors (N, out)."""
        return self.head(self.body(padded(x, self.resolutions)))


class Decoder(nn.Module):
    """A vector to images: the mirror of `Encoder`, upsampling by nearest neighbours; in (-1, 1) by tanh, or without."""

    def __init__(
        self,
        channels: int,
        size: int,
        widths: Sequence[int],
        latent: int,
        activation: Activation = nn.SiLU,
        blocks: int = 1,
        tanh: bool = True,
    ):
        super().__init__()
        self.size, self.low, self.width = size, smallest_size(size, len(widths)), widths[-1]
        self.head = nn.Linear(latent, self.width * self.low**2)
        layers: list[nn.Module] = []
        for i, width in reversed(list(enumerate(widths))):
            layers += [Residual(width, activation) for _ in range(blocks)]
            if i:
                layers += [nn.Conv2d(width, widths[i - 1], 1), nn.Upsample(scale_factor=2)]
        last = nn.Tanh() if tanh else nn.Identity()
        self.body = nn.Sequential(*layers, activation(), nn.Conv2d(widths[0], channels, 3, padding=1), last)
        for layer in (*layers, self.head):
            keep_variance(layer)

    def forward(self, z: Tensor) -> Tensor:
        """Map vectors (N, latent) to images (N, C, H, W)."""
        return cropped(self.body(self.head(z).view(-1, self.width, self.low, self.low)), self.size)


def slerp(a: Tensor, b: Tensor, share: float) -> Tensor:
    """Return the spherical interpolation between latents `a` and `b` (N, ...) at `share` in [0, 1].

    Gaussian latents have nearly constant norm in high dimension; the straight line between two passes through
    norms that the model has never seen (Shoemake 1985; White 2016).
    """
    flat_a, flat_b = a.flatten(1), b.flatten(1)
    cosine = torch.nn.functional.cosine_similarity(flat_a, flat_b).clamp(-1, 1)
    angle = torch.acos(cosine).clamp_min(1e-4).unsqueeze(1)
    weight_a, weight_b = torch.sin((1 - share) * angle), torch.sin(share * angle)
    return ((weight_a * flat_a + weight_b * flat_b) / torch.sin(angle)).view_as(a)
