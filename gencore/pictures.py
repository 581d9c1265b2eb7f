"""Images to files, exactly: grids, PNG and NumPy arrays of uint8 pixels; never through JPEG.

Arrays and tensors are uint8, (N, C, H, W) for a batch as in `gencore.data.Images` and (H, W, C) for one picture.
"""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from gencore.checkpoint import write_atomic
from gencore.errors import InputError


def columns_for(n: int) -> int:
    """Return the columns of the squarest grid of `n` images: the root of n, rounded up."""
    return math.isqrt(n - 1) + 1


def channels_last(x: np.ndarray | Tensor) -> np.ndarray:
    """Return a batch (N, C, H, W) as (N, H, W, C), on the CPU.

    Raises:
        InputError: if it is not a batch of uint8 images with 1 or 3 channels.
    """
    array = x.cpu().numpy() if isinstance(x, Tensor) else np.asarray(x)
    if array.dtype != np.uint8 or array.ndim != 4 or array.shape[1] not in (1, 3) or not array.size:
        raise InputError(
            f"Images must be uint8 of shape (N, 1 or 3, H, W) with N >= 1, not {array.dtype} of shape {array.shape}."
        )
    return array.transpose(0, 2, 3, 1)


def grid(x: np.ndarray | Tensor, columns: int | None = None) -> np.ndarray:
    """Return the images of a batch side by side, row by row, with no gap; places left over are black.

    Args:
        x: uint8 (N, C, H, W), C of 1 or 3.
        columns: Images a row, at least 1; by default that of the squarest grid.

    Returns:
        uint8 (rows * H, columns * W, C).

    Raises:
        InputError: if `x` is no such batch or `columns` is below 1.
    """
    images = channels_last(x)
    n, height, width, channels = images.shape
    columns = columns_for(n) if columns is None else columns
    if columns < 1:
        raise InputError(f"A grid needs at least 1 column, not {columns}.")
    rows = -(-n // columns)
    cells = np.zeros((rows * columns, height, width, channels), np.uint8)
    cells[:n] = images
    cells = cells.reshape(rows, columns, height, width, channels)
    return cells.transpose(0, 2, 1, 3, 4).reshape(rows * height, columns * width, channels)


def png(picture: np.ndarray) -> bytes:
    """Return a picture as the bytes of an optimised PNG, without loss.

    Args:
        picture: uint8 (H, W), (H, W, 1) or (H, W, 3); one channel gives a grey PNG (mode 'L').
    """
    flat = picture[..., 0] if picture.ndim == 3 and picture.shape[2] == 1 else picture
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(flat)).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def write_png(path: str | Path, picture: np.ndarray) -> None:
    """Write a picture, uint8 (H, W), (H, W, 1) or (H, W, 3), as a PNG file, atomically.

    Raises:
        InputError: if the file cannot be written.
    """
    content = png(picture)
    write_atomic(Path(path), lambda temporary: temporary.write_bytes(content))


def write_npy(path: str | Path, x: np.ndarray | Tensor) -> None:
    """Write a batch, uint8 (N, C, H, W), as a .npy file: (N, H, W) when grey, (N, H, W, 3) in colour.

    Raises:
        InputError: if `x` is no such batch, or the file cannot be written.
    """
    images = channels_last(x)
    images = np.ascontiguousarray(images[..., 0] if images.shape[3] == 1 else images)

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:  # given a name, np.save would append .npy to the temporary one
            np.save(file, images, allow_pickle=False)

    write_atomic(Path(path), write)
