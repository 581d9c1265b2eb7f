"""How gradio is imported: without what is for those who write programs with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from gencore.importing import wrap_import


def lean_gradio() -> None:
    """Keep gradio, before it is imported, from writing its components' interfaces anew: they came with it, for editors.

    It takes a second of a start.
    """
    wrap_import("gradio.component_meta", _unwritten)


@contextmanager
def _unwritten(module: ModuleType) -> Iterator[None]:
    yield
    module.create_or_modify_pyi = lambda *_: None  # type: ignore[attr-defined]
