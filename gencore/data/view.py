"""How a source's images are made squares of one size, and of one number of channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from gencore.data.decoding import GROUND
from gencore.errors import InputError, near

MAX_SIZE = 1024
FITS = ("crop", "pad", "stretch")
CHANNELS = (1, 3)


@dataclass(frozen=True)
class View:
    """In what form a data set's images are read; part of what was trained or measured on.

    Attributes:
        size: Pixels a side; None for squares that are all of one size as they are.
        channels: 1 for grey, 3 for RGB; None for what the source has.
        fit: How other shapes become squares: 'crop' the central one, 'pad' with white, or 'stretch'.
        label: The column of the labels, in a table; None for one of the usual names.
    """

    size: int | None = field(default=None, metadata={"example": 32})
    channels: int | None = field(default=None, metadata={"example": 3})
    fit: str = field(default="crop", metadata={"example": "crop"})
    label: str | None = field(default=None, metadata={"example": "label"})

    def __post_init__(self) -> None:
        """Refuse what is no view.

        Raises:
            InputError: naming the setting and what would be right.
        """
        size = self.size
        if size is not None and (isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= MAX_SIZE):
            raise InputError(f"size must be a whole number of pixels from 1 to {MAX_SIZE}, not {size!r}.")
        if self.channels is not None and (isinstance(self.channels, bool) or self.channels not in CHANNELS):
            raise InputError(f"channels must be 1 (grey) or 3 (RGB), not {self.channels!r}.")
        if self.fit not in FITS:
            raise InputError(f"There is no fit {self.fit!r}{near(str(self.fit), list(FITS))}")

    def record(self) -> dict[str, Any]:
        """Return what differs from the usual, to be kept; `View(**record)` is this view again."""
        usual = asdict(View())
        return {key: value for key, value in asdict(self).items() if value != usual[key]}

    def fitted(self, values: np.ndarray) -> np.ndarray:
        """Return uint8 (H, W) or (H, W, 3) in this view's size, and grey if it is; colour is added in `planes`."""
        if self.channels == 1 and values.ndim == 3:
            values = np.asarray(Image.fromarray(values).convert("L"))  # ITU-R 601-2: 0.299 R + 0.587 G + 0.114 B
        if self.size is None or values.shape[:2] == (self.size, self.size):
            return values
        picture = Image.fromarray(values)
        if self.fit != "stretch":
            picture = _square(picture, self.fit == "pad")
        return np.asarray(picture.resize((self.size, self.size), Image.Resampling.LANCZOS))


def _square(picture: Image.Image, pad: bool) -> Image.Image:
    """Return the central square, or the square around a picture.

    Cropped before it is resized: given a box, as ImageOps.fit does, PIL's resize blends in pixels from beyond it.
    """
    side = max(picture.size) if pad else min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    if not pad:
        return picture.crop((left, top, left + side, top + side))
    square = Image.new(picture.mode, (side, side), (GROUND,) * len(picture.getbands()))
    square.paste(picture, (-left, -top))
    return square


def check_sizes(name: str, sizes: Mapping[tuple[int, int], int], view: View) -> None:
    """Refuse images that cannot be stacked as they are.

    Args:
        name: The data set.
        sizes: How many images have each width and height.
        view: The form in which they are wanted.

    Raises:
        InputError: if they are not squares of one size and the view has no size.
    """
    if view.size is not None or not sizes or (len(sizes) == 1 and len(set(next(iter(sizes)))) == 1):
        return
    words = [f"{width}x{height}" for width, height in sorted(sizes, key=lambda size: size[::-1])]
    shown = f"{' and '.join(words[:2])}{', ...' if len(words) > 2 else ''}"
    what = f"different sizes ({shown})" if len(words) > 1 else f"{shown} pixels"
    raise InputError(
        f"The images of {name} have {what}, but must be squares of one size; pass a `size` to crop and resize them, "
        "such as size=32 (train) or --size 32 (the other commands)."
    )


def planes(values: np.ndarray, channels: int) -> np.ndarray:
    """Return uint8 (channels, H, W) of an array (H, W) or (H, W, 3); a grey one among RGB becomes RGB."""
    if values.ndim == 3:
        return values.transpose(2, 0, 1)
    return np.broadcast_to(values, (channels, *values.shape))
