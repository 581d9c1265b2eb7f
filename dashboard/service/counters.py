"""What the app has done since it started, counted: for whoever keeps it running."""

from __future__ import annotations

import threading
from collections import Counter

BEGUN, DONE, STOPPED, FAILED, REFUSED = OUTCOMES = ("begun", "done", "stopped", "failed", "refused")
SECONDS = "device_seconds"

_lock = threading.Lock()
_counted: Counter[str] = Counter(dict.fromkeys((*OUTCOMES, SECONDS), 0))


def count(name: str, by: float = 1) -> None:
    """Count something once more, or by an amount."""
    with _lock:
        _counted[name] += by


def counted() -> dict[str, float]:
    """Return all counts."""
    with _lock:
        return dict(_counted)
