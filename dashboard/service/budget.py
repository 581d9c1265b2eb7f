"""How much a visitor may ask for: of one request, within a while, at once, and in time. The one place that knows.

Work is counted in images times network calls: what a knob of steps and a number of images ask for, whatever the model.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dashboard import format
from dashboard.service.public import is_public
from gencore.errors import InputError

WINDOW = 600.0  # seconds in which the whole of a visitor's budget comes back
CROWD = 4  # visitors' budgets that one address has: a class is behind one, and a page is a new visitor when reloaded
MOST_VISITORS = 10_000  # of whom it is known how much they have asked for


@dataclass(frozen=True)
class Limits:
    """What visitors may ask for.

    Attributes:
        request: Images times network calls of one request.
        visitor: Images times network calls of one visitor within `WINDOW`.
        seconds: From a run's first moment on the device to its end.
        measuring: Seconds that a measurement may take which nobody can come between.
        calls: Calls of endpoints that run models, of one visitor at once.
    """

    request: int
    visitor: float
    seconds: float
    measuring: float
    calls: int


PRIVATE = Limits(1_000_000, math.inf, 3600.0, 120.0, 12)  # all that the pages' controls can ask for
PUBLIC = Limits(25_000, 100_000, 300.0, 10.0, 1)  # 24 images of 1,000 calls, the lecture's, are one request


def limits() -> Limits:
    """Return what visitors may ask for of this app."""
    return PUBLIC if is_public() else PRIVATE


def check_request(n: int, calls: int, least: int = 1) -> None:
    """Check the work of one request: n images, at least `least`, of so many network calls, all families together.

    Raises:
        InputError: if it is more than one request may take, saying what fits.
    """
    most = limits().request
    if n * calls <= most:
        return
    fit = [f"{most // n:,} calls for {n:,} images"] if most >= n else []
    fit += [f"{most // calls:,} images"] if most // calls >= least else []
    raise InputError(
        f"{n:,} images of {calls:,} network calls each are {n * calls:,} in all, and one request may take {most:,} "
        f"here: ask for at most {' or '.join(fit)}."
    )


class Budget:
    """What visitors have asked for lately. One instance serves all of them.

    Args:
        clock: Tells the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock, self._lock = clock, threading.Lock()
        self._spent: dict[str, tuple[float, float]] = {}  # by visitor: work, and when it was that much
        self._calls: Counter[str] = Counter()

    def check(self, visitor: str, work: int, address: str = "") -> None:
        """Check that a visitor, and all those of one address, may have more work done; nobody in particular may.

        Raises:
            InputError: if it is more than the rest of a budget, saying when it fits.
        """
        for who, one, most in _accounts(visitor, address):
            with self._lock:
                over = self._spent_by(who, most) + work - most
            if over > 0:
                raise InputError(
                    f"{one} may have {most:,.0f} network calls (images times calls) within {format.minutes(WINDOW)} "
                    f"here; these {work:,} fit in {format.minutes(max(1.0, over * WINDOW / most))}, or ask for fewer "
                    "now."
                )

    def charge(self, visitor: str, work: int, address: str = "") -> None:
        """Count work that was done for a visitor."""
        with self._lock:
            for who, _, most in _accounts(visitor, address):
                self._spent[who] = self._spent_by(who, most) + work, self._clock()
            while len(self._spent) > MOST_VISITORS:
                self._spent.pop(next(iter(self._spent)))

    def _spent_by(self, visitor: str, most: float) -> float:
        """Return what a visitor has spent and not got back."""
        work, when = self._spent.pop(visitor, (0.0, self._clock()))
        work = max(0.0, work - (self._clock() - when) * most / WINDOW)
        if work:
            self._spent[visitor] = work, self._clock()  # last, as the one who was here last
        return work

    @contextmanager
    def calling(self, visitor: str) -> Iterator[None]:
        """Count a visitor's call of an endpoint until it has ended.

        Raises:
            InputError: if the visitor has as many at work as one may have.
        """
        most = limits().calls
        with self._lock:
            if self._calls[visitor] >= most:
                has = "another call" if most == 1 else f"{most} calls"
                raise InputError(f"You have {has} at work, the most that one visitor may have here: wait for its end.")
            self._calls[visitor] += 1
        try:
            yield
        finally:
            with self._lock:
                self._calls[visitor] -= 1
                if not self._calls[visitor]:
                    del self._calls[visitor]


def _accounts(visitor: str, address: str) -> list[tuple[str, str, float]]:
    """Return whose budgets a visitor's work counts for: a key, who that is in words, and how much that is."""
    most = limits().visitor
    if not visitor or most == math.inf:
        return []
    of_address = [(f"at {address}", "All visitors of one address together", CROWD * most)] if address else []
    return [(visitor, "One visitor", most), *of_address]
