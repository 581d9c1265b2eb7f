"""The likelihood bound of real images, measured for a caller who waits: of a few images, and no row is written."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import Any

from dashboard import format
from dashboard.service.abilities import able
from dashboard.service.budget import limits
from dashboard.service.device import held
from dashboard.service.interrupting import in_words, interruptible
from dashboard.service.parsing import parse_choice, parse_seed, parse_whole
from dashboard.service.problems import in_a_sentence
from dashboard.service.service import MAX_IMAGES, Service
from gencore.errors import InputError
from gencore.evaluation.bound import prepare, run

BATCH = 20  # images at once
SPLITS = ("test", "validation", "train")


def measure_bound(
    service: Service, checkpoint: Any, n: Any, split: Any, seed: Any, stop: threading.Event
) -> dict[str, Any]:
    """Return the row of the bound of the first n real images of a split, as `python -m gencore bound` writes it.

    Raises:
        InputError: in one sentence, on anything bad, if it would take long, or when `stop` was set.
    """
    entry = able(service, checkpoint, "bound")
    n, seed = parse_whole(n, 2, MAX_IMAGES, "The number of images"), parse_seed(seed)
    parse_choice(split, SPLITS, "split")
    with held(service.device, stop, shared=True) as over, in_a_sentence(entry.name, entry.name), in_words():
        job = prepare(entry.name, n, split, seed=seed, batch=min(n, BATCH), keep=False)
        refuse_long(job.task.seconds, f"python -m gencore bound {entry.name} --n {n} --split {split}")
        with interruptible(job.model, over), closing(run(job)) as steps:
            *_, last = steps
    return dict(last.row)


def refuse_long(seconds: float, command: str) -> None:
    """Refuse work that would keep everybody else waiting for long.

    Raises:
        InputError: saying how long it would take, and the command that does it.
    """
    if seconds > limits().measuring:
        raise InputError(
            f"That would hold the device for about {format.minutes(seconds)}; ask for less, or run {command}."
        )
