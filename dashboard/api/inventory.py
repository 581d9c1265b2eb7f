"""What there is: models and their settings, and what their trainings logged."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np

from dashboard.api.endpoint import Call, Checkpoint
from dashboard.service import runs
from dashboard.service.catalogue import catalogue
from dashboard.service.parsing import parse_whole

MOST_LINES = 100_000


def models(call: Call) -> dict[str, Any]:
    """List the generative models that can be asked here, their settings and what each can do. Call this first.

    Args:
        call: Who calls.

    Returns:
        `families`: what each can do, its knobs (default, range or choices, meaning) and usual operating points;
        `datasets`: their checkpoints.
    """
    return catalogue(call.service)


def training_log(
    call: Call, checkpoint: Checkpoint, lines: Annotated[int, {"minimum": 1, "maximum": MOST_LINES}] = 200
) -> dict[str, Any]:
    """Show what a model's training logged: losses and speed against images seen and seconds.

    Args:
        call: Who calls.
        checkpoint: Name of a checkpoint, as models lists them.
        lines: Lines of the log at most, spread evenly over the training.

    Returns:
        A list for each column, with a number or a list of numbers for each line; null where a line lacks the column.
    """
    most = parse_whole(lines, 1, MOST_LINES, "The number of lines")
    columns = runs.log_of(call.service, checkpoint).columns
    total = len(columns["images"])
    places = np.unique(np.linspace(0, total - 1, min(most, total)).round().astype(int))
    found = {name: column[places] for name, column in columns.items()}
    return {name: np.where(np.isfinite(c), c.astype(object), None).tolist() for name, c in found.items()}
