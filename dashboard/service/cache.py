"""Values worked out once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any


class Kept(OrderedDict):
    """Values by key, worked out when first asked for; the longest unused is forgotten first."""

    def __init__(self, most: int):
        super().__init__()
        self.most = most

    def find(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return the value of `key`, from `make` if it is not there."""
        value = self.pop(key, None)
        value = self[key] = make() if value is None else value
        while len(self) > self.most:
            self.popitem(last=False)
        return value
