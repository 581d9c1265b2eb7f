"""Locks between processes: on the very files that they protect, or on one that names its owner; a kill ends them."""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from gencore.errors import InputError, cannot_write
from gencore.paths import refuse_irregular

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


DEVICE = ".device.lock"  # in the user's root: held by who times something, or has the device in the app
PATIENCE = 0.5  # seconds in which one that only looks who holds a lock has let go of it again
TAKEN = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)  # another one has it; all else would stay so for ever


@contextmanager
def lock(path: Path) -> Iterator[bool]:
    """Give whether the file, made if it is not there, was free; then it is locked for others until the end.

    Raises:
        OSError: if it cannot be opened for writing or is no file, or if the file system has no locks.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    refuse_irregular(path)  # opening a pipe would wait for its other end
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


def taken(path: Path) -> ExitStack | None:
    """Return a lock on a file, to be closed in the end; None if another process has it.

    Where no file can be locked, as its folder is not there or is read-only, nobody else can hold it either: the lock is
    of nothing then.
    """
    stack = ExitStack()
    if path.parent.is_dir():
        with suppress(OSError):
            if not stack.enter_context(lock(path)):
                stack.close()
                return None
    return stack


def _is_there(file: BinaryIO, path: Path) -> bool:
    """Return whether an open file is still the one of that path: it may have been removed before it was locked."""
    with suppress(OSError):
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    return False


@dataclass(frozen=True)
class Owner:
    """The process that holds a lock file.

    Attributes:
        pid: Its number.
        since: When it took the lock, local time to the second: '2026-11-28 21:15:10'.
    """

    pid: int
    since: str


@contextmanager
def alone(path: Path, doing: str) -> Iterator[Owner]:
    """Be the only process that does something to a folder, by a lock file in it that is gone at the end.

    Args:
        path: The lock file.
        doing: What, in words that follow 'is being': 'trained'.

    Raises:
        InputError: if another process does it, naming that one, or if the folder cannot be written to.
    """
    made, last = not path.parent.exists(), time.monotonic() + PATIENCE
    with ExitStack() as stack:
        while (me := owned(path, stack)) is None:
            if time.monotonic() > last:
                raise InputError(f"{path.parent} is being {doing} by {holder(path)}; wait for it or stop it.")
            time.sleep(PATIENCE / 10)
        if made:
            stack.callback(_remove_made, path)
        yield me


def owned(path: Path, stack: ExitStack) -> Owner | None:
    """Return this process as the owner of a lock file until a stack is closed; None if another process has it.

    Raises:
        InputError: if it cannot be written.
    """
    mine = ExitStack()
    try:
        if not mine.enter_context(lock(path)):
            mine.close()
            return None
        me = Owner(os.getpid(), f"{datetime.now():%Y-%m-%d %H:%M:%S}")
        path.write_text(json.dumps(asdict(me)), encoding="utf-8")
    except OSError as error:
        mine.close()
        raise InputError(cannot_write(path, error)) from error
    stack.push(mine)
    stack.callback(_remove, path)  # while it is still locked: nobody else's can be removed
    return me


def holder(path: Path) -> str:
    """Return who holds a lock file, in words."""
    other = _named(path)
    return f"process {other.pid} since {other.since}" if other else "another process"


def _remove(path: Path) -> None:
    with suppress(OSError):  # on Windows no open file can be removed
        path.unlink()


def _remove_made(path: Path) -> None:
    _remove(path)
    with suppress(OSError):  # there is something in it
        path.parent.rmdir()


def owner(path: Path) -> Owner | None:
    """Return the process that holds a lock file of `alone` now; None if none does, as after it was killed."""
    try:
        with path.open("rb+") as file:
            _acquire(file)
            _release(file)
    except FileNotFoundError:
        return None
    except OSError as error:
        return _named(path) if error.errno in TAKEN else None
    return None


def _named(path: Path) -> Owner | None:
    with suppress(OSError, ValueError, TypeError):
        return Owner(**json.loads(path.read_text(encoding="utf-8")))
    return None
