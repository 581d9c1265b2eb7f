"""The device, which one run has at a time: how it is leased, waited for, and given back whatever happens."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from dashboard.service.problems import in_a_sentence
from gencore.errors import InputError
from gencore.locks import taken

T = TypeVar("T")
TICK = 0.1  # seconds between two looks of one who waits
STOPPED = "Stopped before its turn on the device."
LATE = "Another run has the device; try again when it has ended."


@dataclass(frozen=True)
class Waiting:
    """Told of work that waits in line for the device: how many are ahead of it, the one who has it among them."""

    ahead: int


class Busy(InputError):
    """The device could not be had in time, or the run was stopped before."""


class Device:
    """One run at a time, first come, first served.

    A plain lock would stay taken for ever when a generator is dropped half-way and never closed. So whoever has the
    device, or waits for it, says now and then that it is there, and is passed over when it was silent for too long.

    Args:
        silence: Seconds after which a silent holder has lost the device.
        line_silence: Seconds after which somebody silent in line has lost its place.
        shared: Says which file to lock while somebody has the device, so that other processes time nothing beside it,
            and it is not had while they do; None for none.
    """

    def __init__(self, silence: float = 120.0, line_silence: float = 10.0, shared: Callable[[], Path] | None = None):
        self.silence, self.line_silence, self._shared = silence, line_silence, shared
        self._locked: ExitStack | None = None
        self._elsewhere = False  # whether another process has it, so far as is known
        self._condition = threading.Condition()
        self._holder: Lease | None = None
        self._line: list[Lease] = []

    @property
    def busy(self) -> bool:
        """Whether somebody has the device."""
        return self._holder is not None and time.monotonic() - self._holder.seen < self.silence

    def _free_elsewhere(self) -> bool:
        """Lock the device for other processes, and return whether it is: not while one of them has it."""
        if self._locked is None:
            self._locked = taken(self._shared()) if self._shared else ExitStack()
        self._elsewhere = self._locked is None
        return not self._elsewhere

    def _unlock(self) -> None:
        if self._locked is not None:
            self._locked.close()
        self._locked = None

    def lease(self, stop: threading.Event | None = None, patience: float | None = None) -> Lease:
        """Return a lease, to be waited for and given back, until `stop` is set or `patience` (seconds) is over."""
        return Lease(self, stop, patience)

    def alone(
        self,
        name: str,
        work: Callable[[], T],
        stop: threading.Event | None = None,
        patience: float | None = None,
    ) -> Generator[Waiting, None, T]:
        """Tell how many are ahead until the device is had, then return what some short work makes, alone on it.

        `name` says whose code it is, for the sentence when it fails; for `stop` and `patience` see `lease`.

        Raises:
            Busy: if the device was not had before `stop` was set or the patience over.
            InputError: in one sentence, if the work fails in any way.
        """
        with self.lease(stop, patience) as lease:
            yield from lease.line()
            if not lease.keep():
                raise Busy(STOPPED if patience is None else LATE)
            with in_a_sentence(name, name):
                return work()


class Lease:
    """The use of the device, from joining its line to giving it back, which leaving the `with` block does."""

    def __init__(self, device: Device, stop: threading.Event | None, patience: float | None):
        self._device, self._stop, self._patience = device, stop, patience
        self.seen = 0.0  # when it last said that it is there

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def line(self) -> Iterator[Waiting]:
        """Wait in line, telling how many are ahead when that has changed; `keep` says whether the device was had."""
        begun, told = time.monotonic(), 0
        while not self._take():
            late = self._patience is not None and time.monotonic() - begun > self._patience
            if late or (self._stop is not None and self._stop.is_set()):
                self.end()
                return
            ahead = self._wait()
            if ahead and ahead != told:
                told = ahead
                yield Waiting(ahead)

    def _take(self) -> bool:
        """Take the device if it is this lease's turn; else stand in line."""
        device, self.seen = self._device, time.monotonic()
        with device._condition:
            device._line = [one for one in device._line if self.seen - one.seen < device.line_silence]
            if self not in device._line:
                device._line.append(self)
            if device.busy or device._line[0] is not self or not device._free_elsewhere():
                return False
            device._line.remove(self)
            device._holder = self
            return True

    def _wait(self) -> int:
        """Wait until something may have changed; return how many are ahead."""
        device = self._device
        with device._condition:
            device._condition.wait(TICK)
            here = device._line.index(self) if self in device._line else len(device._line)
            return here + (device.busy or device._elsewhere)

    def keep(self) -> bool:
        """Say that the holder is there; return whether the device is still its own."""
        with self._device._condition:
            if self._device._holder is self:
                self.seen = time.monotonic()
            return self._device._holder is self

    def end(self) -> None:
        """Give the device back, or leave the line."""
        device = self._device
        with device._condition:
            if device._holder is self:
                device._holder = None
                device._unlock()
            device._line = [one for one in device._line if one is not self]
            device._condition.notify_all()


@contextmanager
def held(device: Device, stop: threading.Event) -> Iterator[Callable[[], bool]]:
    """Hold the device for work of some length; give what says whether it must end: stopped, or no longer its own.

    Asking says at the same time that the holder is there.

    Raises:
        Busy: if `stop` was set before the device was had.
    """
    with device.lease(stop) as lease:
        for _ in lease.line():
            pass
        if stop.is_set() or not lease.keep():
            raise Busy(STOPPED)
        yield lambda: stop.is_set() or not lease.keep()


def finish(work: Generator[Waiting, None, T]) -> T:
    """Return what a piece of work makes in the end, for whoever has nobody to tell that it waits."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def without_waiting(frames: Iterable[Waiting | T]) -> Iterator[T]:
    """Return the frames alone, for whoever has nobody to tell that they wait."""
    return (frame for frame in frames if not isinstance(frame, Waiting))
