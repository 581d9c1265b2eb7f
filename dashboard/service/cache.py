"""Values worked out once and kept, within bounds, while the files that they come from are the same."""

from __future__ import annotations

import dataclasses
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakValueDictionary

T = TypeVar("T")
MISSING = object()


@dataclasses.dataclass(frozen=True)
class CacheKey:
    """What some files were when they were looked at.

    Attributes:
        name: Whose files they are.
        files: The path, the time of the last change (ns) and the size (bytes) of each that is there.
    """

    name: Hashable
    files: tuple[tuple[Path, int, int], ...]


def cache_key(name: Hashable, paths: Iterable[Path]) -> CacheKey:
    """Return the key of what is worked out from files; one that is not there is left out."""
    found = []
    for path in paths:
        with suppress(OSError):
            stat = path.stat()
            found.append((path, stat.st_mtime_ns, stat.st_size))
    return CacheKey(name, tuple(found))


class Cache:
    """Values by key, for several threads; the longest unused one goes when a bound is reached.

    A key is a `CacheKey`, or a tuple that begins with one, or anything else that can be hashed. A value whose
    `CacheKey` has the name of a new one, and other files, goes at once.

    Args:
        most: Values kept at most.
        most_bytes: Bytes that the arrays in them take at most; the newest value stays, however large it is.
    """

    def __init__(self, most: int, most_bytes: float = math.inf):
        self.most, self.most_bytes = most, most_bytes
        self._values: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()  # each with its bytes
        self._bytes = 0
        self._lock = threading.Lock()
        self._making: WeakValueDictionary[Hashable, threading.Lock] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._values)

    def find(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the value of a key, from `make` if it is not there.

        Threads that ask for one key at once wait for the first of them, those that ask for other keys do not. What
        `make` raises is not kept: the next one to ask makes it again.
        """
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            found = self.get(key, MISSING)
            return self.put(key, make()) if found is MISSING else found

    def get(self, key: Hashable, default: Any = None) -> Any:
        """Return the value of a key if it is there."""
        with self._lock:
            if key not in self._values:
                return default
            self._values.move_to_end(key)
            return self._values[key][0]

    def put(self, key: Hashable, value: T) -> T:
        """Keep a value, and return it."""
        with self._lock:
            for old in [old for old in self._values if old == key or outdated(old, key)]:
                self._drop(old)
            self._values[key] = value, bytes_in(value)
            self._bytes += self._values[key][1]
            while len(self._values) > self.most or (self._bytes > self.most_bytes and len(self._values) > 1):
                self._drop(next(iter(self._values)))
        return value

    def _drop(self, key: Hashable) -> None:
        self._bytes -= self._values.pop(key)[1]


def outdated(old: Hashable, new: Hashable) -> bool:
    """Return whether an old key is of the same files as a new one, as they were before."""
    one, other = (key[0] if isinstance(key, tuple) and key else key for key in (old, new))
    return isinstance(one, CacheKey) and isinstance(other, CacheKey) and one.name == other.name and one != other


def bytes_in(value: Any) -> int:
    """Return the bytes that arrays, tensors and bytes take in a value, which may hold them in any depth."""
    if value is None or isinstance(value, str | int | float):  # what most of a value's parts are
        return 0
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, Mapping):
        return sum(map(bytes_in, value.values()))
    if isinstance(value, list | tuple):
        return sum(map(bytes_in, value))
    if dataclasses.is_dataclass(value):
        return sum(map(bytes_in, vars(value).values()))
    return getattr(value, "nbytes", 0)
