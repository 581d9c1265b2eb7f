"""Paths as the user gives them, and files that are read from folders of anybody's."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from gencore.errors import InputError, cannot_write


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


def refuse_irregular(path: Path) -> None:
    """Refuse what is there and is no file: opening or reading a pipe or a device may never end.

    Raises:
        OSError: if it is a folder, a pipe, a socket or a device.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is no file", str(path))


def read_file(path: Path) -> bytes:
    """Return what a file holds.

    Raises:
        OSError: if it cannot be read, or is a folder, a pipe, a socket or a device.
    """
    refuse_irregular(path)
    return path.read_bytes()


@contextmanager
def whole(out: Path) -> Iterator[Path]:
    """Give an empty folder beside `out` that becomes it at the end: nobody meets half of it, and a failure leaves none.

    Raises:
        InputError: if the disk refuses, or there is something in `out`.
    """
    staging = out.with_name(f".{out.name}.tmp")
    try:
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        yield staging
        if out.exists():
            out.rmdir()
        staging.rename(out)
    except OSError as error:
        raise InputError(cannot_write(out, error)) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
