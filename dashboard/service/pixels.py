"""Images between a model's numbers and pixels."""

from __future__ import annotations

import numpy as np
import torch

from gencore import data
from gencore.family import Family


def to_pixels(x: torch.Tensor) -> np.ndarray:
    """Return images in [-1, 1] as uint8 on the CPU, same shape."""
    return data.to_uint8(x).cpu().numpy()


def to_input(images: np.ndarray, model: Family) -> torch.Tensor:
    """Return uint8 images (N, C, H, W) as a model takes them: in [-1, 1], on its device."""
    return data.to_float(torch.from_numpy(images)).to(model.device)
