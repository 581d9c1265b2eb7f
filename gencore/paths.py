"""Paths as the user gives them."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from gencore.errors import InputError


def as_path(value: Any) -> Path:
    """Return a path with `~` and `~user` replaced by that home; a `~name` that is no user's stands for itself.

    Raises:
        InputError: if `value` is no path.
    """
    if not isinstance(value, str | os.PathLike):
        raise InputError(f"A path must be a text such as 'runs/mine', not {value!r}.")
    path = Path(value)
    with suppress(RuntimeError):  # there is no such user
        path = path.expanduser()
    return path
