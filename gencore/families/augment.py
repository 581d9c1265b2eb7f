"""Differentiable augmentation for adversarial training ('DiffAugment', Zhao et al. 2020: colour, translation, cutout).

A discriminator that has seen every real image many times learns them by heart. It is shown images changed at random
instead, real and generated alike, so that the generator learns the images and not the changes.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

SHIFT, HOLE = 0.125, 0.5  # the longest shift and the hole's side, as shares of the image's side


def augment(x: Tensor, probability: float = 1.0) -> Tensor:
    """Return images (N, C, H, W), each changed in colour, shifted and with a hole in it; gradients pass through.

    Pixels that come from outside the image and those of the hole are 0: mid-grey in [-1, 1]. Draws come from torch's
    global generator of the images' device.

    Args:
        x: The images.
        probability: That of each image to be changed, in [0, 1]; else it stays as it is. Under 1 the changes leak less
            into what is generated, as images to which nothing was done are seen, too (Karras et al. 2020, 2.2).
    """
    changed = cut(shift(colour(x)))
    if probability >= 1:
        return changed
    chosen = torch.rand(len(x), 1, 1, 1, device=x.device) < probability
    return torch.where(chosen, changed, x)


def colour(x: Tensor) -> Tensor:
    """Return images with brightness moved by up to 0.5, saturation times 0 to 2, contrast times 0.5 to 1.5."""
    bright, saturation, contrast = torch.rand(3, len(x), 1, 1, 1, device=x.device, dtype=x.dtype).unbind()
    x = x + (bright - 0.5)
    grey = x.mean(1, keepdim=True)
    x = grey + (x - grey) * (2 * saturation)
    mean = x.mean((1, 2, 3), keepdim=True)
    return mean + (x - mean) * (contrast + 0.5)


def shift(x: Tensor) -> Tensor:
    """Return images moved by up to `SHIFT` of their side in both directions, zeros moving in."""
    n, _, height, width = x.shape
    down, across = _places(n, height, x.device), _places(n, width, x.device)
    rows = torch.arange(height, device=x.device).view(1, height, 1) + down.view(n, 1, 1)
    columns = torch.arange(width, device=x.device).view(1, 1, width) + across.view(n, 1, 1)
    edge = 1 + int(height * SHIFT + 0.5), 1 + int(width * SHIFT + 0.5)
    padded = F.pad(x, (edge[1], edge[1], edge[0], edge[0])).permute(0, 2, 3, 1)
    which = torch.arange(n, device=x.device).view(n, 1, 1)
    return padded[which, rows + edge[0], columns + edge[1]].permute(0, 3, 1, 2)


def cut(x: Tensor) -> Tensor:
    """Return images with a square hole of `HOLE` of their side, centred anywhere in the image."""
    n, _, height, width = x.shape
    inside = [_hole(n, side, x.device) for side in (height, width)]
    hole = inside[0].view(n, 1, height, 1) & inside[1].view(n, 1, 1, width)
    return x * ~hole


def _places(n: int, side: int, device: torch.device) -> Tensor:
    most = int(side * SHIFT + 0.5)
    return torch.randint(-most, most + 1, (n,), device=device)


def _hole(n: int, side: int, device: torch.device) -> Tensor:
    """Return which rows (or columns) of each image a hole covers, (n, side)."""
    length = int(side * HOLE + 0.5)
    first = torch.randint(0, side + 1 - length % 2, (n, 1), device=device) - length // 2
    place = torch.arange(side, device=device)
    return (place >= first) & (place < first + length)
