"""Locks between processes, on the very files that they protect: nothing is left behind, by a killed process neither."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

if os.name == "nt":
    import msvcrt

    FAR = 2**40  # one byte beyond the end of any file here: on Windows what is locked cannot be read

    def _acquire(file: BinaryIO) -> None:
        file.seek(FAR)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

    def _release(file: BinaryIO) -> None:
        file.seek(FAR)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _acquire(file: BinaryIO) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _release(file: BinaryIO) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)


TAKEN = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)  # another one has it; all else would stay so for ever


@contextmanager
def lock(path: Path) -> Iterator[bool]:
    """Give whether the file, made if it is not there, was free; then it is locked for others until the end.

    Raises:
        OSError: if it cannot be opened for writing, or if the file system has no locks.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        try:
            _acquire(file)
        except OSError as error:
            if error.errno not in TAKEN:
                raise
            yield False
            return
        try:
            yield _is_there(file, path)
        finally:
            with suppress(OSError):
                _release(file)


def _is_there(file: BinaryIO, path: Path) -> bool:
    """Return whether an open file is still the one of that path: it may have been removed before it was locked."""
    with suppress(OSError):
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    return False
