"""How long work will take, as the runs of before tell: for whoever waits, and for whose work is quick."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from dashboard.service.orders import Order, Part

UNKNOWN = 1e-3  # seconds per image and network call of a checkpoint that has neither run here nor brought a time
MOST = 1000  # checkpoints of which it is known


class Pace:
    """Seconds per image and network call of each checkpoint, measured whenever it runs.

    Args:
        shipped: What a checkpoint's own timing says before it has run here; None where it has none.
    """

    def __init__(self, shipped: Callable[[Part], float | None] = lambda part: None):
        self._shipped, self._lock = shipped, threading.Lock()
        self._rates: OrderedDict[str, float] = OrderedDict()

    def seconds(self, order: Order) -> float:
        """Return about how many seconds an order takes."""
        return sum(self.seconds_of(part, order.n) for part in order.parts)

    def seconds_of(self, part: Part, n: int) -> float:
        """Return about how many seconds n images of one part take."""
        with self._lock:
            known = self._rates.get(part.checkpoint)
        return n * part.calls * (known or self._shipped(part) or UNKNOWN)

    def learn(self, part: Part, work: int, seconds: float) -> None:
        """Take note of what so many images times network calls took; the last run counts as much as all before."""
        if not work:
            return
        with self._lock:
            before = self._rates.pop(part.checkpoint, seconds / work)
            self._rates[part.checkpoint] = (before + seconds / work) / 2
            while len(self._rates) > MOST:
                self._rates.popitem(last=False)
