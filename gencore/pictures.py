"""Images to files, exactly: grids, PNG and NumPy arrays of uint8 pixels; never through JPEG.

Arrays and tensors are uint8, (N, C, H, W) for a batch as in `gencore.data.Images` and (H, W, C) for one picture.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from gencore.checkpoint import write_atomic
from gencore.errors import InputError

GIF_REST = 1500  # milliseconds


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

    uint8 (N, C, H, W), C of 1 or 3, become uint8 (rows * H, columns * W, C), by default the squarest grid.

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
    """Return a picture, uint8 (H, W), (H, W, 1) or (H, W, 3), as an optimised PNG: one channel is grey."""
    flat = picture[..., 0] if picture.ndim == 3 and picture.shape[2] == 1 else picture
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(flat)).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def write_png(path: str | Path, picture: np.ndarray) -> None:
    """Write a picture, uint8 (H, W), (H, W, 1) or (H, W, 3), as a PNG file, atomically.

    Raises:
        InputError: if the file cannot be written.
    """
    write_atomic(path, png(picture))


def gif(frames: Sequence[np.ndarray], ms: int, scale: int = 1) -> bytes:
    """Return pictures as the bytes of an animated GIF that runs for ever and rests on its last picture.

    Grey pictures keep every level; colour ones are reduced to one palette of 256 colours a picture.

    Args:
        frames: uint8 (H, W), (H, W, 1) or (H, W, 3) pictures, all of one shape.
        ms: Milliseconds per picture is shown, at least 20; the last one stays `GIF_REST` milliseconds more.
        scale: Screen pixels per pixel, each a plain square.

    Raises:
        InputError: if there is no picture, if they differ in shape, or if `ms` or `scale` is out of range.
    """
    pictures = [np.asarray(frame) for frame in frames]
    if not pictures:
        raise InputError("A GIF needs at least 1 picture, not 0.")
    shapes = sorted({picture.shape for picture in pictures})
    if len(shapes) > 1:
        raise InputError(f"The pictures of a GIF must all have one shape, not {shapes[0]} and {shapes[1]}.")
    if any(picture.dtype != np.uint8 for picture in pictures) or shapes[0][2:] not in ((), (1,), (3,)):
        raise InputError(f"A GIF's pictures must be uint8 of shape (H, W) or (H, W, 3), not {shapes[0]}.")
    if ms < 20 or scale < 1:
        raise InputError(f"A GIF needs at least 20 ms per picture and scale 1, not {ms} ms and scale {scale}.")
    drawn = [enlarged(picture, scale) for picture in pictures]
    times = [ms] * (len(drawn) - 1) + [ms + GIF_REST]
    buffer = io.BytesIO()
    drawn[0].save(buffer, format="GIF", save_all=True, append_images=drawn[1:], duration=times, loop=0, optimize=False)
    return buffer.getvalue()


def enlarged(picture: np.ndarray, scale: int) -> Image.Image:
    """Return a picture as a Pillow image with a palette, each pixel a square of `scale`; grey ones exactly."""
    flat = picture[..., 0] if picture.ndim == 3 and picture.shape[2] == 1 else picture
    image = Image.fromarray(np.ascontiguousarray(flat))
    if image.mode == "L":
        image.putpalette(bytes(level for level in range(256) for _ in "rgb"))  # becomes mode 'P' with the same levels
    else:
        image = image.quantize(256, dither=Image.Dither.NONE)
    return image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)


def write_npy(path: str | Path, x: np.ndarray | Tensor) -> None:
    """Write a batch, uint8 (N, C, H, W), as a .npy file: (N, H, W) when grey, (N, H, W, 3) in colour.

    Raises:
        InputError: if `x` is no such batch, or the file cannot be written.
    """
    images = channels_last(x)
    buffer = io.BytesIO()  # given a name, np.save would append .npy to the temporary one
    np.save(buffer, np.ascontiguousarray(images[..., 0] if images.shape[3] == 1 else images), allow_pickle=False)
    write_atomic(path, buffer.getvalue())
