"""One image from its file or bytes to numbers, by one rule a mode; `docs/data.md` is this in words."""

from __future__ import annotations

import importlib
import io
import struct
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from gencore.errors import InputError

GROUND = 255  # what shows through transparent pixels: white, as on a page
GREY_MODES = ("1", "L", "LA", "La")
ALPHA_MODES = ("LA", "La", "PA", "RGBA", "RGBa")
PALETTES = ("P", "PA")
ORIENTATION, SIDEWAYS = 0x0112, (5, 6, 7, 8)  # EXIF: the values that exchange width and height
_TELLS_ORIENTATION = ("exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif")
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_HEADER = 26  # bytes up to the kind of its colours
_TROUBLE = (OSError, ValueError, SyntaxError, EOFError, struct.error, Image.DecompressionBombError)

with suppress(ImportError):  # .heic is read where this optional package is
    importlib.import_module("pillow_heif").register_heif_opener()


@dataclass(frozen=True)
class Cell:
    """An image that is still to be decoded: bytes, or else a file, or else pixels as they are.

    Attributes:
        where: Where it is from, to begin a sentence with.
        raw: The file's bytes.
        path: The file.
        pixels: uint8 (H, W) or (H, W, 3).
    """

    where: str
    raw: bytes | None = None
    path: Path | None = None
    pixels: np.ndarray | None = None


@dataclass(frozen=True)
class Header:
    """What an image is, as far as that can be told without decoding it.

    Attributes:
        size: Width and height in pixels, as it is to be seen.
        colour: Whether it has colours; None where only its pixels can tell (a palette).
        deep: Whether its numbers have more than 8 bits, or are no whole numbers.
    """

    size: tuple[int, int]
    colour: bool | None
    deep: bool


def decode(cell: Cell) -> np.ndarray:
    """Return an image's numbers: uint8 (H, W) or (H, W, 3), or int32 or float32 (H, W) of a deeper grey.

    Turned as its EXIF or XMP orientation says, its transparent parts on white; of several frames the first.

    Raises:
        InputError: naming the image, if it cannot be read.
    """
    if cell.pixels is not None:
        return cell.pixels
    try:
        with _opened(cell) as picture:
            return numbers(_upright(picture))
    except _TROUBLE as error:
        reason = "no known image format" if isinstance(error, UnidentifiedImageError) else error
        raise InputError(f"{cell.where} cannot be read as an image; remove or replace it ({reason}).") from None


def header(cell: Cell) -> Header | None:
    """Return what an image is; None if it cannot be read."""
    if cell.pixels is not None:
        return Header(cell.pixels.shape[1::-1], cell.pixels.ndim == 3, False)
    if quick := _png_header(cell.raw or b""):
        return quick
    try:
        with _opened(cell) as picture:
            sideways = _tells_orientation(picture) and picture.getexif().get(ORIENTATION) in SIDEWAYS
            grey = picture.mode in GREY_MODES or _is_deep_grey(picture)
            colour = None if picture.mode in PALETTES else not grey
            return Header(picture.size[::-1] if sideways else picture.size, colour, _is_deep(picture))
    except (*_TROUBLE, InputError):
        return None


def _png_header(raw: bytes) -> Header | None:
    """Return what a PNG's first bytes say; None if it is none, or may be turned."""
    if raw[:8] != _PNG or raw[12:16] != b"IHDR" or len(raw) < _PNG_HEADER:
        return None
    if b"eXIf" in raw or b"XML:com.adobe" in raw or b"Raw prof" in raw:
        return None
    width, height, depth, kind = struct.unpack(">IIBB", raw[16:26])  # kind: 1 palette, 2 colour, 4 alpha
    return Header((width, height), None if kind & 1 else bool(kind & 2), depth > 8)


def numbers(picture: Image.Image) -> np.ndarray:
    """Return a picture's pixels as `decode` does."""
    if picture.mode.startswith("I"):
        return np.asarray(picture).astype(np.int32)
    if picture.mode == "F":
        return np.asarray(picture, np.float32)
    grey = picture.mode in GREY_MODES
    if picture.mode in ALPHA_MODES or "transparency" in picture.info:
        values = _on_ground(np.asarray(picture.convert("LA" if grey else "RGBA")))
        values = values[..., 0] if grey else values
    else:
        values = np.asarray(picture.convert("L" if grey else "RGB"))
    return values[..., 0] if picture.mode in PALETTES and _is_grey(values) else values


def _on_ground(values: np.ndarray) -> np.ndarray:
    """Return uint8 (H, W, C + 1), the last of them alpha, as (H, W, C) on `GROUND`: rounded to the nearest."""
    alpha = values[..., -1:].astype(np.int32)
    return ((values[..., :-1] * alpha + GROUND * (255 - alpha) + 127) // 255).astype(np.uint8)


def _is_grey(values: np.ndarray) -> bool:
    return bool((values == values[..., :1]).all())


def _opened(cell: Cell) -> Image.Image:
    if cell.raw is None and cell.path is None:
        raise InputError(f"{cell.where} holds no image.")
    with warnings.catch_warnings():  # large, but below the size that Pillow refuses
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(cell.path if cell.raw is None else io.BytesIO(cell.raw))


def _upright(picture: Image.Image) -> Image.Image:
    picture.load()
    return ImageOps.exif_transpose(picture) if _tells_orientation(picture) else picture


def _tells_orientation(picture: Image.Image) -> bool:
    return any(key in picture.info for key in _TELLS_ORIENTATION) or picture.format in ("TIFF", "MPO")


def _is_deep(picture: Image.Image) -> bool:
    return _is_deep_grey(picture) or ";16" in str(picture.tile)  # such as 'RGB;16B', of which Pillow keeps 8 bits


def _is_deep_grey(picture: Image.Image) -> bool:
    return picture.mode.startswith("I") or picture.mode == "F"
