"""How a process is asked to end: Ctrl-C (SIGINT), and SIGTERM, which `kill`, `docker stop` and Slurm send.

Both raise KeyboardInterrupt, so that whatever a command does at Ctrl-C it does for either. SIGINT is left ignored where
the process was started so (by nohup, or `&` in a script): the Ctrl-C there is meant for another one.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

KINDS = (signal.SIGINT, signal.SIGTERM)
SAME_SECONDS = 2.0  # torchrun hands its workers a signal on that they may have been sent already: that is no second one


_raised = threading.Event()


@contextmanager
def unmasked(*but: type[Exception]) -> Iterator[None]:
    """Raise the KeyboardInterrupt that a signal was, where a library's C code, or who reads a file, made another error.

    Args:
        but: Errors that are none, and pass.
    """
    try:
        yield
    except (ValueError, TypeError, RuntimeError, OSError) as error:
        if _raised.is_set() and not isinstance(error, but):
            raise KeyboardInterrupt from None
        raise


def _interrupt(number: int = 0, frame: FrameType | None = None) -> None:
    _raised.set()
    raise KeyboardInterrupt


def heed_sigterm() -> None:
    """Let SIGTERM raise KeyboardInterrupt in this process's main thread, also as a container's first process."""
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGINT) == signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)


class Stop:
    """Whether to stop, for work that ends well only between its steps.

    Called, it says whether a signal has come; from its first call on a signal waits to be asked for. One that comes
    before, or another one more than `SAME_SECONDS` after the first, raises KeyboardInterrupt at once.
    """

    def __init__(self) -> None:
        self.waits, self.came = False, 0.0

    def __call__(self) -> bool:
        """Return whether a signal has come."""
        self.waits = True
        return bool(self.came)

    def take(self, number: int, frame: FrameType | None) -> None:
        """Take a signal, as its handler."""
        now = time.monotonic()
        if not self.waits or (self.came and now - self.came > SAME_SECONDS):
            _interrupt()
        self.came = self.came or now


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Give a `Stop` that this process's signals go to until the end; outside the main thread none come."""
    stop, before = Stop(), {}
    if threading.current_thread() is threading.main_thread():
        before = {kind: signal.getsignal(kind) for kind in KINDS}
        for kind, handler in before.items():
            if handler != signal.SIG_IGN:
                signal.signal(kind, stop.take)
    try:
        yield stop
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
