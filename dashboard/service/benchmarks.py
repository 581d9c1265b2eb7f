"""What generating images costs, measured for a caller who waits: one setting, and no row is written."""

from __future__ import annotations

import threading
from dataclasses import asdict
from functools import partial
from typing import Any

from dashboard.service.abilities import usable
from dashboard.service.bounds import refuse_long
from dashboard.service.budget import limits
from dashboard.service.device import held
from dashboard.service.interrupting import in_words, interruptible, wait_for
from dashboard.service.parsing import expect_mapping, parse_whole
from dashboard.service.problems import in_a_sentence
from dashboard.service.public import check_open
from dashboard.service.service import MAX_IMAGES, Service
from gencore.evaluation import cost
from gencore.family import resolve_knobs

MOST_REPEATS = 20
UNTIMED = 4  # generations besides the timed ones, see `gencore.evaluation.cost.measure`


def measure_cost(
    service: Service, checkpoint: Any, n: Any, repeats: Any, knobs: Any, stop: threading.Event
) -> dict[str, Any]:
    """Return what generating n images at once costs, as `python -m gencore benchmark --json` tells it.

    Raises:
        InputError: in one sentence, on anything bad, if it would take long, when `stop` was set, or in a public app.
    """
    check_open()
    entry = usable(service, checkpoint)
    n = parse_whole(n, 1, MAX_IMAGES, "The number of images")
    repeats = parse_whole(repeats, 1, MOST_REPEATS, "The number of repeats")
    given = dict(expect_mapping(knobs or {}, "knobs"))
    settled = resolve_knobs(service.families[entry.family].knobs, given)
    long = limits().measuring  # for the line: nobody comes between what is timed
    with held(service.device, stop, seconds=long) as over, in_a_sentence(entry.name, entry.name), in_words():
        model = service.model(entry.name)
        with interruptible(model, over):
            _, seconds = cost.estimate(model, n, settled)
            refuse_long(seconds * (repeats + UNTIMED), f"python -m gencore benchmark {entry.name} --n {n}")
            found = cost.measure(model, n, repeats, wait=partial(wait_for, over=over), **given)
    return {"checkpoint": entry.name, **asdict(found)}
