"""One run at a time on the device."""

from __future__ import annotations

import threading
import time
from collections import deque


class Turn:
    """One run at a time, first come, first served. The turn of a holder silent for `patience` seconds is over.

    A plain lock would stay taken for ever when a generator is dropped half-way and never closed.
    """

    def __init__(self, patience: float = 120.0):
        self.patience = patience
        self._condition = threading.Condition()
        self._holder, self._seen, self._tickets = 0, 0.0, 0
        self._line: deque[object] = deque()  # those who wait

    @property
    def busy(self) -> bool:
        """Whether somebody has the turn."""
        return self._holder != 0 and time.monotonic() - self._seen < self.patience

    def take(self, stop: threading.Event) -> int:
        """Wait for the turn and return its ticket, or 0 when `stop` was set first."""
        me = object()
        with self._condition:
            self._line.append(me)
            try:
                while self.busy or self._line[0] is not me:
                    if stop.is_set():
                        return 0
                    self._condition.wait(0.1)
                self._tickets += 1
                self._holder, self._seen = self._tickets, time.monotonic()
                return self._holder
            finally:
                self._line.remove(me)
                self._condition.notify_all()

    def keep(self, ticket: int) -> bool:
        """Say that the holder is alive; return False when the turn has gone to another."""
        with self._condition:
            self._seen = time.monotonic() if self._holder == ticket else self._seen
            return self._holder == ticket

    def give(self, ticket: int) -> None:
        """Hand the turn back."""
        with self._condition:
            if self._holder == ticket:
                self._holder = 0
            self._condition.notify_all()


class Patience:
    """A stop that comes by itself after some seconds: for pictures that should come at once."""

    def __init__(self, seconds: float):
        self.end = time.monotonic() + seconds

    def is_set(self) -> bool:
        """Return whether the time is over."""
        return time.monotonic() > self.end
