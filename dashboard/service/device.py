"""The device, which one run has at a time: how it is leased, waited for, shared, and given back whatever happens."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TypeVar

from dashboard import format
from dashboard.service import counters
from dashboard.service.problems import in_a_sentence
from dashboard.service.visits import visit_of
from gencore.errors import InputError
from gencore.locks import taken

T = TypeVar("T")
TICK = 0.1  # seconds between two looks of one who waits
QUICK = 1.0  # seconds of work that go ahead of longer work
TURN = 10.0  # seconds after which longer work lets other longer work go on
SHARE = 3.0  # seconds of quick work after which longer work that waits has a turn all the same
OWED = 0.5  # seconds of that turn
MOST = 48  # pieces of quick work in line, and of longer work: each that waits holds a thread
PRESENT = 1.0  # seconds after which one who was silent in line lets the next one go first
QUIET = 1.0  # seconds of letting others go ahead of which nothing is told
UNKNOWN = 0.5  # seconds of work of which nothing is known
STOPPED = "Stopped before its turn on the device."
LATE = "Another run has the device; try again when it has ended."


@dataclass(frozen=True)
class Waiting:
    """Told of work that waits in line for the device.

    Attributes:
        ahead: How many are ahead of it, the one who has the device among them.
        seconds: In about how many seconds it begins.
    """

    ahead: int
    seconds: float = field(default=0.0, compare=False)


class Busy(InputError):
    """The device could not be had in time, or the run was stopped before."""


class Device:
    """One run at a time: quick work first, in the order in which it was asked for, and longer work by turns.

    Longer work lets others go ahead between two network calls (`Lease.share`): quick work at once, that of another
    visitor after a turn. Of one visitor's work of a kind one piece is in line, the others behind it.

    A plain lock would stay taken for ever when a generator is dropped half-way and never closed. So whoever has the
    device, or waits for it, says now and then that it is there, and is passed over when it was silent for too long.

    Args:
        silence: Seconds after which a silent holder has lost the device.
        line_silence: Seconds after which somebody silent in line has lost its place.
        shared: Says which file to lock while somebody has the device, so that other processes time nothing beside it,
            and it is not had while they do; None for none.
        clock: Tells the time in seconds.
    """

    def __init__(
        self,
        silence: float = 120.0,
        line_silence: float = 10.0,
        shared: Callable[[], Path] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.silence, self.line_silence, self._shared, self._clock = silence, line_silence, shared, clock
        self._locked: ExitStack | None = None
        self._elsewhere = False  # whether another process has it, so far as is known
        self._lock = threading.Lock()
        self._holder: Lease | None = None
        self._line: list[Lease] = []
        self._places = count(1)
        self._quick_seconds = 0.0  # of quick work since longer work that waits had a turn

    @property
    def busy(self) -> bool:
        """Whether somebody has the device."""
        return self._holder is not None and self._clock() - self._holder.seen < self.silence

    @property
    def waiting(self) -> int:
        """How many wait in line."""
        return len(self._line)

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

    def _order(self) -> list[Lease]:
        """Return those in line in the order in which they are served."""
        first: dict[object, Lease] = {}
        holding = [self._holder] if self._holder else []
        for one in sorted([*holding, *self._line], key=lambda one: one.joined):
            first.setdefault((one.visit.visitor or one, one.quick), one)
        mine, owed = set(first.values()), self._quick_seconds >= SHARE

        def rank(one: Lease) -> tuple[bool, bool, bool, int]:
            return not one.present, one not in mine, one.quick == owed, one.place

        return sorted(self._line, key=rank)

    def _release(self, lease: Lease) -> None:
        """Take the device from who has it, or somebody out of the line."""
        if self._holder is lease:
            counters.count(counters.SECONDS, self._clock() - lease.taken)
            quick, seconds = lease.quick, self._clock() - lease.taken
            longer_waits = any(not one.quick for one in self._line)
            self._quick_seconds = self._quick_seconds + seconds * quick if longer_waits else 0.0
            lease.visit.had, lease.had, self._holder = lease.visit.had + seconds, lease.had + seconds, None
            self._unlock()
        self._line = [one for one in self._line if one is not lease]

    def _call_next(self) -> None:
        """Let the next one in line know that the device may be had."""
        for one in self._order()[:1]:
            one.turn.notify()

    def lease(
        self,
        stop: threading.Event | None = None,
        patience: float | None = None,
        seconds: float = 0.0,
        shares: bool = False,
    ) -> Lease:
        """Return a lease, to be waited for and given back.

        Args:
            stop: Ends the wait when it is set; a `Visit` says whose work it is.
            patience: Seconds after which the wait is over; None for any time.
            seconds: How long the work will take, so far as is known: what is not quick waits for what is.
            shares: Whether it calls `Lease.share` on the way, for the estimates of those who wait.
        """
        return Lease(self, stop, patience, seconds, shares)

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
            Busy: if the device was not had before `stop` was set or the patience over, or too many wait for it.
            InputError: in one sentence, if the work fails in any way.
        """
        with self.lease(stop, patience) as lease:
            yield from lease.line()
            if not lease.keep():
                raise Busy(STOPPED if patience is None else LATE)
            with in_a_sentence(name, name):
                return work()


class Lease:
    """The use of the device, from joining its line to giving it back, which leaving the `with` block does.

    Attributes:
        visit: Whose work it is.
        seen: When it last said that it is there.
        joined: Its place among all that have ever joined the line; 0 before.
        place: The same, of the last time that it joined.
        taken: When it took the device last.
        had: Seconds that it had the device before that.
        turn: Notified when the device may be its own.
    """

    def __init__(
        self, device: Device, stop: threading.Event | None, patience: float | None, seconds: float, shares: bool
    ):
        self._device, self._stop, self._patience, self._seconds, self._shares = device, stop, patience, seconds, shares
        self.visit, self.turn = visit_of(stop), threading.Condition(device._lock)
        self.seen = self.taken = self.had = 0.0
        self.joined = self.place = 0
        self._owed = False  # whether it has the device before quick work that waits
        self._turn = 0.0  # seconds of its turn that it had before quick work went ahead

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.end()
        if (self._stop is not None and self._stop.is_set()) or kind is GeneratorExit:
            counters.count(counters.STOPPED)
        elif self.taken:
            counters.count(counters.FAILED if kind else counters.DONE)

    @property
    def quick(self) -> bool:
        """Whether it goes ahead of longer work: neither it nor what its visit has had before takes long."""
        now = self._device._clock()
        return max(self._seconds, self.visit.had + (now - self.taken if self._device._holder is self else 0.0)) <= QUICK

    @property
    def present(self) -> bool:
        """Whether it has just said that it is there."""
        return self._device._clock() - self.seen < PRESENT

    def line(self, quiet: float = 0.0) -> Iterator[Waiting]:
        """Wait in line, telling how many are ahead when that has changed; `keep` says whether the device was had.

        Nothing is told within the first `quiet` seconds.

        Raises:
            Busy: if too many are in line.
        """
        clock, told = self._device._clock, 0
        begun = clock()
        while True:
            with self._device._lock:
                if self._take():
                    return
                late = self._patience is not None and clock() - begun > self._patience
                if late or (self._stop is not None and self._stop.is_set()):
                    self._leave()
                    return
                self.turn.wait(TICK)
                found = self._ahead()
            if found.ahead and found.ahead != told and clock() - begun >= quiet:
                told = found.ahead
                yield found

    def _take(self) -> bool:
        """Take the device if it is this lease's turn; else stand in line."""
        device, self.seen = self._device, self._device._clock()
        device._line = [one for one in device._line if self.seen - one.seen < device.line_silence]
        if self not in device._line:
            self._join()
        if device.busy or device._order()[0] is not self or not device._free_elsewhere():
            return False
        device._line.remove(self)
        if not self.taken:
            counters.count(counters.BEGUN)
        device._holder, self.taken = self, self.seen
        self.visit.begin()
        self._owed = not self.quick and device._quick_seconds >= SHARE
        if not self.quick:
            device._quick_seconds = 0.0
        return True

    def _join(self, place: int = 0) -> None:
        """Stand in line: at a place that it had, or at the end."""
        device, quick = self._device, self.quick
        alike = [one for one in device._line if one.quick == quick]
        if not self.joined and len(alike) >= MOST:
            wait = format.minutes(sum(one._next(TURN) for one in alike))
            raise Busy(f"The device is busy, {len(alike)} ahead, about {wait}: no more can wait. Try again then.")
        self.place, self.seen = place or next(device._places), device._clock()
        self.joined = self.joined or self.place
        device._line.append(self)

    def _next(self, most: float) -> float:
        """Return about how many seconds it has the device when it has it next, at most so many if it shares."""
        left = max(self._seconds - self.had, 0.0) or UNKNOWN
        return left if self.quick or not self._shares else min(left, most)

    def _ahead(self) -> Waiting:
        """Return how many are ahead, and how long they take."""
        device = self._device
        order = device._order() if self in device._line else [*device._line, self]
        before = order[: order.index(self)]
        if device.busy and device._holder is not None:
            before.append(device._holder)
        most = OWED if self.quick else TURN
        return Waiting(len(before) + device._elsewhere, sum(one._next(most) for one in before))

    def keep(self) -> bool:
        """Say that the holder is there; return whether the device is still its own."""
        with self._device._lock:
            if self._device._holder is self:
                self.seen = self._device._clock()
            return self._device._holder is self

    def share(self) -> Iterator[Waiting]:
        """Between two network calls: let others go ahead if it is their turn, and wait until the device is had again.

        What it tells is that it waits, as in line; `keep` says whether the device was had again. Whoever times its work
        leaves this time out.
        """
        if self._device._line and self._gives_way():
            yield from self.line(QUIET)

    def _gives_way(self) -> bool:
        """Give the device back if it is another one's turn."""
        device = self._device
        with device._lock:
            had = device._clock() - self.taken
            turn = self._turn + had
            following = next(iter(device._order()), None)
            if device._holder is not self or self.quick or following is None or not following.present:
                return False
            other = not self.visit.visitor or following.visit.visitor != self.visit.visitor
            if had < (OWED if self._owed else 0.0) if following.quick else turn < TURN or not other:
                return False
            ends = turn >= TURN  # what was only interrupted goes on before the others, or none would ever end
            self._turn = 0.0 if ends else turn
            device._release(self)
            self._join(0 if ends else self.place)  # before anybody else of the same visitor's can have it
            device._call_next()
            return True

    def _leave(self) -> None:
        self._device._release(self)
        self._device._call_next()

    def end(self) -> None:
        """Give the device back, or leave the line."""
        with self._device._lock:
            self._leave()


@contextmanager
def held(
    device: Device, stop: threading.Event, shared: bool = False, seconds: float = 0.0
) -> Iterator[Callable[[], bool]]:
    """Hold the device for work of some length; give what says whether it must end: stopped, or no longer its own.

    Asking says at the same time that the holder is there, and lets others go ahead where the device is `shared`: not by
    whoever times the work. `seconds` is how long it will take, so far as is known.

    Raises:
        Busy: if `stop` was set before the device was had, or too many wait for it.
    """
    with device.lease(stop, seconds=seconds, shares=shared) as lease:
        for _ in lease.line():
            pass
        if stop.is_set() or not lease.keep():
            raise Busy(STOPPED)

        def over() -> bool:
            for _ in lease.share() if shared else ():
                pass
            return stop.is_set() or not lease.keep()

        yield over


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
