"""Rows put together from what was measured, in the format of `schema`."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import torch

from gencore import __version__
from gencore.checkpoint import Entry
from gencore.data import short_hashes
from gencore.evaluation.schema import VERSION
from gencore.evaluation.scoring import KID, Reference, Scores
from gencore.evaluation.task import Task
from gencore.metrics import interval

COMMANDS = (["evaluate"], ["bound"])  # those that write rows


def common(task: Task, seconds: float) -> dict[str, Any]:
    """Return what every row holds."""
    return {
        "row": VERSION,
        "kind": task.kind,
        "dataset": task.dataset,
        "checkpoint": task.checkpoint,
        "family": task.family,
        "point": {"label": task.point.label, "kind": task.point.kind},
        "knobs": dict(task.knobs),
        "hashes": dict(task.hashes),
        **({"data": data} if (data := short_hashes(task.entry.identity if task.entry else {})) else {}),
        "settings": {**task.settings.record(), "batch": task.batch},
        "machine": dict(task.machine),
        "seconds": round(seconds, 2),
        "version": __version__,
        "date": datetime.now(UTC).date().isoformat(),
        "command": f"python -m gencore {shlex.join(sys.argv[1:])}" if sys.argv[1:2] in COMMANDS else "",
    }


def scored_row(task: Task, generations: Sequence[Scores], reference: Reference, seconds: float) -> dict[str, Any]:
    """Return the row of a task whose generations are all there, scored against a reference."""
    scores, left_out = {}, {}
    for name in generations[0].values:
        values = [generation.values[name] for generation in generations]
        reasons = {key: reason for one in generations for key, reason in one.left_out[name].items()}
        whole = [key for key in values[0] if all(key in one for one in values)]
        scores[name] = {key: score([one[key] for one in values]) for key in whole}
        parts = torch.stack([generation.parts[name] for generation in generations]).mean(0)
        scores[name][KID] |= {"reference": len(parts), "reference_sd": reference.kernels[name].scatter(parts)}
        left_out[name] = {key: reason for key, reason in reasons.items() if key not in whole}
    uncertainty = {"real": "disjoint blocks of train images", "samples": "the samples given"}
    return {
        **common(task, seconds),
        **({"data": data} if (data := short_hashes(reference.identity)) else {}),
        "n": task.n,
        "generations": task.generations,
        "seeds": [0, task.generations - 1],
        "revision": task.revision,
        "split": "test",
        "scores": scores,
        "left_out": left_out,
        "uncertainty": f"sampling only: {uncertainty.get(task.kind, 'one training run')}",
        "training": dict(task.training),
        **({"failure": task.failure} if task.failure else {}),
        **({"stated": dict(task.stated)} if task.stated else {}),
    }


def score(values: list[float]) -> dict[str, Any]:
    """Return a metric's values over the generations with their mean and 95% t-interval."""
    mean, low, high = interval(values)
    return {"mean": mean, "low": low, "high": high, "values": values}


def training(entry: Entry, parameters: int) -> dict[str, Any]:
    """Return what a checkpoint's training came to, as far as its run.json tells: unequal ones compare unequally."""
    parts = {"device": ("machine", "device"), "init": ("init", "checkpoint"), "teacher": ("teacher", "checkpoint")}
    told = {}
    for key, (part, name) in parts.items():
        record = entry.run.get(part)
        text = record.get(name) if isinstance(record, dict) else None
        told |= {key: text} if isinstance(text, str) else {}
    return {**entry.trained, **told, "parameters": parameters}
