"""Pixels as bytes, 0..255, and as the numbers that models see, [-1, 1]."""

from __future__ import annotations

import torch
from torch import Tensor


def to_uint8(x: Tensor) -> Tensor:
    """Return images in [-1, 1], any shape, as uint8 in 0..255: (x + 1) * 127.5 rounded and clamped."""
    return ((x.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


def to_float(x: Tensor) -> Tensor:
    """Return uint8 images in 0..255, any shape, as float32 in [-1, 1]."""
    return x.float() / 127.5 - 1
