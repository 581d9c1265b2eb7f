"""What a timing chose, kept for the machine, so that the same command computes in the same way each time.

A number format changes the bits of a result, and two timings of one machine may well disagree. So each question is
asked once: the answers stand in `settings.json` in the user's cache (GENCORE_CACHE), by what they depend on. A file
that is damaged, or cannot be written, costs another timing and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from torch import nn

from gencore import device
from gencore.checkpoint import read_json, write_json
from gencore.data.stored import folder
from gencore.device import DTYPES, Settings, candidates, describe_machine
from gencore.distributed import ProcessGroup
from gencore.errors import InputError
from gencore.locks import taken

ALONE = ProcessGroup()
FILE, LOCK = "settings.json", ".settings.lock"
MOST = 500  # answers that are kept
COMPUTES = 2  # raised where the networks compute in another way than before, which may make another choice the fastest
PATIENCE, TICK = 300.0, 0.1  # seconds to wait for another process's timing, and between two looks at it


def choose_settings(
    model: nn.Module,
    step: Callable[[nn.Module, Settings], None],
    work: str,
    dtype: str = "auto",
    layout: str = "auto",
    known: Collection[str] = tuple(DTYPES),
    group: ProcessGroup = ALONE,
) -> Settings:
    """Return the fastest settings for `step(model, settings)`, timed once for this machine; see `fastest_settings`.

    Args:
        model: The network.
        step: What is timed.
        work: What that is, with all that its speed depends on beside the network: 'a training step of 64 images'.
        dtype: A number format, or 'auto'.
        layout: A memory layout, or 'auto'.
        known: The number formats that may be tried.
        group: The processes that ask together: a step may wait for those of the others, so all of them time it or none.
    """
    possible = candidates(model, dtype, layout, known)
    if len(possible) == 1:
        return possible[0]
    what = _question(model, work, possible)
    key = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]
    if answer := group.agree(_known(key, possible)):
        return answer
    with nullcontext() if group.rank else _alone():
        answer = group.agree(_known(key, possible))  # another run may have timed it meanwhile
        if answer is None:
            answer = group.agree(device.fastest_settings(model, step, dtype, layout, known))
            if not group.rank:
                _keep(key, {"dtype": answer.dtype, "layout": answer.layout, "of": what})
    return answer


def _question(model: nn.Module, work: str, possible: Sequence[Settings]) -> dict[str, Any]:
    """Return what an answer depends on: machine, PyTorch, threads, network and how it computes, work, the choices."""
    machine = describe_machine(model.device)
    del machine["python"]
    shapes = [(name, tuple(value.shape)) for name, value in model.state_dict().items()]
    return {
        "machine": machine,
        "network": type(model).__name__,
        "computes": COMPUTES,
        "shapes": hashlib.sha256(repr(shapes).encode()).hexdigest()[:16],
        "work": work,
        "choices": [f"{one.dtype}, {one.layout}" for one in possible],
    }


def _path() -> Path:
    return folder() / FILE


def _answers() -> dict[str, Any]:
    try:
        return read_json(_path())
    except (InputError, OSError):
        return {}


def _known(key: str, possible: Sequence[Settings]) -> Settings | None:
    kept = _answers().get(key)
    if not isinstance(kept, dict):
        return None
    return next((one for one in possible if (one.dtype, one.layout) == (kept.get("dtype"), kept.get("layout"))), None)


def _keep(key: str, answer: dict[str, Any]) -> None:
    others = {name: value for name, value in _answers().items() if name != key}
    last = dict(list(others.items())[-(MOST - 1) :])
    with suppress(InputError, OSError):
        write_json(_path(), last | {key: answer | {"date": datetime.now(UTC).date().isoformat()}})


@contextmanager
def _alone() -> Iterator[None]:
    """Let no other process time something meanwhile; one that waits too long does so all the same."""
    with suppress(OSError, InputError):
        folder().mkdir(parents=True, exist_ok=True)
    last = time.monotonic() + PATIENCE
    while (held := taken(folder() / LOCK)) is None and time.monotonic() < last:
        time.sleep(TICK)
    try:
        yield
    finally:
        if held is not None:
            held.close()
