"""Left out of libraries' imports: what nothing here uses, and what takes a second or more of every start."""

from __future__ import annotations

import importlib.abc
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

Around = Callable[[ModuleType], AbstractContextManager[Any]]


class _Wrapped(importlib.abc.MetaPathFinder):
    """Finds one module as the others would, and lets it run in a context; once."""

    def __init__(self, name: str, around: Around):
        self.name, self.around = name, around

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the module's spec, None for any other."""
        if name != self.name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def wrapped(module: ModuleType) -> None:
                with self.around(module):
                    run(module)

            spec.loader.exec_module = wrapped  # type: ignore[method-assign]
        return spec


def wrap_import(name: str, around: Around) -> None:
    """Let a module run in a context when it is imported for the first time; nothing where it has been already.

    Args:
        name: The module's full name.
        around: Takes the module, which is empty before and whole after, and returns the context.
    """
    if name not in sys.modules:
        sys.meta_path.insert(0, _Wrapped(name, around))


@contextmanager
def without(name: str) -> Iterator[None]:
    """Have imports of a module fail meanwhile, as if it were not installed; nothing where it was imported before."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]


def lean_diffusers() -> None:
    """Keep torch's compiler out of `import diffusers`, which takes a mark for it from there, or does without.

    The mark stands on layers that no network here has.
    """
    wrap_import("diffusers.utils.torch_utils", lambda _: without("torch._dynamo"))
