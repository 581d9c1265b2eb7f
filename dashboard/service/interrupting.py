"""How work inside gencore is ended: at a model's next network call, or while a process is waited for."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gencore.errors import InputError
from gencore.family import Family

TICK = 0.25  # seconds between two looks
HALTED = "Stopped on the way."


class Stopped(BaseException):
    """The work was told to stop: no fault, so nothing on the way may take it for one."""


@contextmanager
def interruptible(model: Family, over: Callable[[], bool]) -> Iterator[None]:
    """Let the model's next network call inside raise `Stopped` once `over` says so."""

    def look(*_: Any) -> None:
        if over():
            raise Stopped

    handle = model.network.register_forward_pre_hook(look)
    try:
        yield
    finally:
        handle.remove()


def wait_for(child: subprocess.Popen, words: str, over: Callable[[], bool]) -> tuple[str, str]:
    """Return a process's output and errors once it has read `words` and ended.

    Raises:
        Stopped: soon after `over` says so; the process is killed.
    """
    unsent: str | None = words
    while True:
        try:
            return child.communicate(unsent, timeout=TICK)
        except subprocess.TimeoutExpired:
            unsent = None  # `communicate` goes on with what it has
            if over():
                child.kill()
                raise Stopped from None


@contextmanager
def in_words() -> Iterator[None]:
    """Tell that work was stopped as an InputError, for a caller who waits for its end."""
    try:
        yield
    except Stopped:
        raise InputError(HALTED) from None
