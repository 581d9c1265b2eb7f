"""Images between a model's numbers and pixels."""

from __future__ import annotations

import numpy as np
import torch

from gencore import data
from gencore.errors import InputError
from gencore.family import Family


def to_pixels(x: torch.Tensor) -> np.ndarray:
    """Return images in [-1, 1] as uint8 on the CPU, same shape."""
    return data.to_uint8(x).cpu().numpy()


def to_input(images: np.ndarray, model: Family) -> torch.Tensor:
    """Return uint8 images (N, C, H, W) as a model takes them: in [-1, 1], on its device.

    Raises:
        InputError: if they are not of the model's shape.
    """
    given, own = images.shape[1:], tuple(model.image_shape)
    if given != own:
        raise InputError(f"The image is {shape_words(given)}, but the model is made for {shape_words(own)}.")
    return data.to_float(torch.from_numpy(images)).to(model.device)


def encode(image: np.ndarray, model: Family) -> tuple[torch.Tensor, torch.Tensor]:
    """Return mean and standard deviation, each float32 (d,) on the CPU, of the latent of an image, uint8 (C, H, W)."""
    mean, std = model.encode(to_input(image[None], model))
    return mean[0].float().cpu(), std[0].float().cpu()


def shape_words(shape: tuple[int, ...]) -> str:
    """Return an image's shape (C, H, W) for people."""
    channels, height, width = shape
    return f"{height} × {width} pixels with {channels} channel{'s' * (channels != 1)}"
