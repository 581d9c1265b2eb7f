"""What a text field, a control or an API's caller gives, as numbers and images; else one sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from gencore import family
from gencore.errors import InputError

NOTHING = "Nothing is drawn yet: draw with the pointer or a finger on the black pad, or choose one of the images."


def tidy(value: Any) -> Any:
    """Return a text field's value as the number it spells, else as it is."""
    try:
        return int(value.strip()) if isinstance(value, str) else value
    except ValueError:
        return value.strip()


def expect_mapping(value: Any, what: str) -> Mapping[str, Any]:
    """Return `value`, which an API's caller may have made anything.

    Raises:
        InputError: if it does not map names to values.
    """
    if not isinstance(value, Mapping):
        raise InputError(f"{what} must be an object with names and values, not {value!r}.")
    return value


def parse_whole(value: Any, least: int, most: int, what: str) -> int:
    """Return a whole number from a field or an API's caller; `what` begins the sentence when it is none.

    Raises:
        InputError: if it is not a whole number from `least` to `most`.
    """
    value = tidy(value)
    try:
        good = not isinstance(value, bool) and int(value) == float(value) and least <= int(value) <= most
    except (TypeError, ValueError, OverflowError):
        good = False
    if not good:
        shown = "an empty field" if value in (None, "") else repr(value)
        raise InputError(f"{what} must be a whole number from {least:,} to {most:,}, not {shown}.")
    return int(value)


def parse_seed(value: Any) -> int:
    """Return a seed from a field or an API's caller.

    Raises:
        InputError: if it is not a whole number in [0, 2**63).
    """
    return family.parse_seed(tidy(value))


def parse_number(value: Any, least: float, most: float, what: str) -> float:
    """Return a number from a field or an API's caller; `what` begins the sentence when it is none.

    Raises:
        InputError: if it is not a number from `least` to `most`.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not least <= number <= most:
        raise InputError(f"{what} must be a number from {least:g} to {most:g}, not {value!r}.")
    return number


def parse_point(point: Any) -> tuple[float, float]:
    """Return a point of a map.

    Raises:
        InputError: if it is no pair of numbers.
    """
    try:
        where = [float(one) for one in point]
        good = len(where) == 2 and all(math.isfinite(one) for one in where)
    except (TypeError, ValueError):
        good = False
    if not good:
        raise InputError("A spot of the map is two numbers, across and up.")
    return where[0], where[1]


def parse_image(value: Any, shape: tuple[int, int, int]) -> np.ndarray:
    """Return an image as uint8 (C, H, W).

    Args:
        value: Numbers (H, W), or (C, H, W); one grey image stands for all channels.
        shape: (C, H, W), that of the models' images.

    Raises:
        InputError: in one sentence, if it is of another size, not of whole numbers from 0 to 255, or of one shade.
    """
    channels, height, width = shape
    wanted = f"An image here is {height} x {width} whole numbers from 0 to 255"
    array = parse_pixels(value, wanted)
    array = array[None] if array.ndim == 2 else array
    if array.ndim != 3 or array.shape[1:] != (height, width) or array.shape[0] not in (1, channels):
        size = " x ".join(map(str, np.shape(value)))
        raise InputError(f"{wanted}, not {size or 'a single one'}.")
    if array.min() == array.max():
        raise InputError(NOTHING)
    return np.broadcast_to(array, shape).copy()


def parse_pixels(value: Any, wanted: str) -> np.ndarray:
    """Return whole numbers from 0 to 255, nested in any way, as uint8; `wanted` begins the sentence when they are not.

    Raises:
        InputError: if they are something else.
    """
    try:
        array = np.asarray(value)
        good = array.dtype.kind in "iuf" and array.size > 0 and bool(((array >= 0) & (array <= 255)).all())
        good = good and bool((array == array.round()).all())
    except (TypeError, ValueError):
        good = False
    if not good:
        raise InputError(f"{wanted}; what came is not that.")
    return array.astype(np.uint8)
