"""What a text field, a control or an API's caller gives, as numbers and images; else one sentence."""

from __future__ import annotations

import math
import numbers
import re
import reprlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from gencore.errors import InputError, near
from gencore.family import MAX_SEED

NOTHING = "Nothing is drawn yet: draw with the pointer or a finger on the black pad, or choose one of the images."
WHOLE = re.compile(r"[+-]?[0-9]{1,30}")
SPELLED = re.compile(r"[+-]?([0-9]{1,30}\.?[0-9]{0,30}|\.[0-9]{1,30})([eE][+-]?[0-9]{1,5})?")

brief = reprlib.Repr()
brief.maxstring = brief.maxother = brief.maxlong = 60


def expect_mapping(value: Any, what: str) -> Mapping[str, Any]:
    """Return `value`, which an API's caller may have made anything.

    Raises:
        InputError: if it does not map names to values.
    """
    if not isinstance(value, Mapping):
        raise InputError(f"{what} must be an object with names and values, not {value!r}.")
    return value


def number_of(value: Any) -> int | float | None:
    """Return the number that a value is, or spells in plain digits: '12', ' 0.5 ', '1e3'; None when it is none.

    Neither true and false, which Python counts as 1 and 0, nor what only Python's own `int` and `float` read as a
    number: '1_000', 'nan', digits of other scripts.
    """
    if isinstance(value, str) and SPELLED.fullmatch(value.strip()):
        return int(value) if WHOLE.fullmatch(value.strip()) else float(value)
    return value if isinstance(value, numbers.Real) and not isinstance(value, bool) else None


def whole_of(value: Any) -> int | None:
    """Return the whole number that a value is, or spells without a point: '12', 12.0, but not '12.0'; else None."""
    number = None if isinstance(value, str) and not WHOLE.fullmatch(value.strip()) else number_of(value)
    return int(number) if number is not None and number % 1 == 0 else None  # NaN and infinity leave NaN


def whole_or(value: Any, default: int) -> int:
    """Return the whole number that a link's value spells, else the default; see `whole_of`."""
    number = whole_of(value)
    return default if number is None else number


def shown(value: Any) -> str:
    """Return a value that was refused, for the end of a sentence; the middle of a long one is left out."""
    if value is None or value == "" or value != value:  # NaN: see `dashboard.ui.events.Updates`
        return "an empty field"
    number = whole_of(value) if isinstance(value, str) else None
    return brief.repr(value if number is None else number)


def parse_whole(value: Any, least: int, most: int, what: str) -> int:
    """Return a whole number from a field or an API's caller; `what` begins the sentence when it is none.

    Raises:
        InputError: if it is not a whole number from `least` to `most`.
    """
    number = whole_of(value)
    if number is None or not least <= number <= most:
        raise InputError(f"{what} must be a whole number from {least:,} to {most:,}, not {shown(value)}.")
    return number


def parse_seed(value: Any) -> int:
    """Return a seed from a field or an API's caller.

    Raises:
        InputError: if it is not a whole number from 0 to 2**63 - 1.
    """
    number = whole_of(value)
    if number is None or not 0 <= number <= MAX_SEED:
        raise InputError(f"A seed must be a whole number from 0 to {MAX_SEED}, not {shown(value)}.")
    return number


def parse_number(value: Any, least: float, most: float, what: str) -> float:
    """Return a number from a field or an API's caller; `what` begins the sentence when it is none.

    Raises:
        InputError: if it is not a number from `least` to `most`.
    """
    number = number_of(value)
    if number is None or not least <= number <= most:
        raise InputError(f"{what} must be a number from {least:g} to {most:g}, not {shown(value)}.")
    return float(number)


def parse_choice(value: Any, known: Iterable[str], what: str) -> str:
    """Return a name from an API's caller; `what` says of what kind it is.

    Raises:
        InputError: if it is none of the known ones, with those that are near.
    """
    names = list(known)
    if not isinstance(value, str) or value not in names:
        raise InputError(f"There is no {what} {value!r}{near(str(value), names)}")
    return value


def parse_point(point: Any) -> tuple[float, float]:
    """Return a point of a map.

    Raises:
        InputError: if it is no pair of numbers.
    """
    where = [number_of(one) for one in point] if isinstance(point, list | tuple) else []
    if len(where) != 2 or any(one is None or not abs(one) < math.inf for one in where):
        raise InputError("A spot of the map is two numbers, across and up.")
    return float(where[0]), float(where[1])


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
