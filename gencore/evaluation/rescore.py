"""Rows scored again from the samples that are kept: no model is loaded, and no image is made."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gencore import checkpoint
from gencore.device import Settings, pick_device
from gencore.errors import InputError
from gencore.evaluation import rows
from gencore.evaluation.options import EvalOptions
from gencore.evaluation.plan import scoring_seconds
from gencore.evaluation.scoring import Reference
from gencore.evaluation.task import Plan, Task
from gencore.families import changes_of
from gencore.family import Point
from gencore.paths import as_path

SCORED = ("quality", "failure", "real")
MOST_NAMED = 3  # rows of one checkpoint that a sentence names


def prepare_again(names: Sequence[str] = (), **options: Any) -> Plan:
    """Return what can be scored again: the rows that count, of which all images are kept, and the baselines.

    Args:
        names: Checkpoints, by name or folder: their rows, and the baselines; none for all rows that are here.
        options: Of `EvalOptions`: `only`, `skip`, `out` and `device`. All else is as in the rows.

    Raises:
        InputError: on anything bad, and if there is nothing to score again.
    """
    asked = EvalOptions(names=names, **options)
    plan = Rescoring(asked).plan()
    if not plan.tasks:
        raise InputError(plan.left_out[0] if plan.left_out else "There are no rows to score again; evaluate first.")
    for path in {task.path for task in plan.tasks}:
        rows.check_writable(path)
    return plan


class Rescoring:
    """Makes the plan."""

    def __init__(self, options: EvalOptions):
        self.options = options
        self.device = str(pick_device(options.device))
        self.problems: list[str] = []
        self.left_out: list[str] = []
        self.lacking: dict[str, list[str]] = {}  # by checkpoint or data set, the rows whose images are not kept
        self.references: dict[str, Reference] = {}

    def plan(self) -> Plan:
        """Return the plan."""
        tasks = [task for path, row in self.found() if (task := self.task(path, row))]
        return Plan(
            tasks=tuple(tasks),
            finished=0,
            left_out=(*self.left_out, *map(self.lacking_words, self.lacking)),
            problems=tuple(self.problems),
            references=self.references,
            device=self.device,
        )

    def found(self) -> Iterator[tuple[Path, Mapping[str, Any]]]:
        """Yield the rows that were asked for, of several of one kind the last one, each with its file."""
        entries = [checkpoint.find(name) for name in self.options.names]
        mine = {entry.name for entry in entries}
        paths = [rows.path_for(entry) for entry in entries]
        paths = paths or [path for root in checkpoint.roots() for path in sorted(root.glob(f"*/{rows.FILE}"))]
        for path in dict.fromkeys(paths):
            lines, problems = rows.read(path, path.parent.name)
            self.problems += problems
            last = {identity(row): row for row in lines if row["kind"] in SCORED}
            for row in last.values():
                wanted = row["kind"] == "real" or self.options.wants(row["point"]["label"])
                if wanted and (not mine or row["kind"] == "real" or row["checkpoint"] in mine):
                    yield path, row

    def task(self, path: Path, row: Mapping[str, Any]) -> Task | None:
        """Return the task of scoring a row again; None, with a reason kept, if that cannot be."""
        title = f"{row['checkpoint'] or row['dataset']}, {row['point']['label']}, n = {row['n']:,}"
        try:
            reference = self.reference(row["dataset"])
            refuse_changed(row)
            enough = row["n"] * row["generations"] <= reference.train_size if row["kind"] == "real" else True
            if row["n"] > reference.size or not enough:
                raise InputError("there are fewer real images now.")
            task = task_of(row, reference, as_path(self.options.out or rows.own_place(path)))
            if not task.lacking:
                return task
        except InputError as error:
            self.left_out.append(f"{title} stays as it is: {error}")
            return None
        self.lacking.setdefault(row["checkpoint"] or row["dataset"], []).append(
            f"{row['point']['label']}, n = {row['n']:,}"
        )
        return None

    def reference(self, dataset: str) -> Reference:
        """Return what a data set's images are compared with.

        Raises:
            InputError: if it has no features.
        """
        if dataset not in self.references:
            self.references[dataset] = Reference(dataset, self.device)
        return self.references[dataset]

    def lacking_words(self, whose: str) -> str:
        """Return which rows of a checkpoint, or of a data set's broken models, have no kept samples, as a sentence."""
        labels = self.lacking[whose]
        some = "; ".join(labels[:MOST_NAMED]) + (f" and {len(labels) - MOST_NAMED} more" * (len(labels) > MOST_NAMED))
        count = "1 row has" if len(labels) == 1 else f"{len(labels)} rows have"
        name = whose if "/" in whose else "CHECKPOINT"
        command = shlex.join(
            ["python", "-m", "gencore", "evaluate", name, "--points", "all", "--rows", "quality", "--again"]
        )
        return f"{whose}: {count} no kept samples of all images ({some}); they are made by: {command}"


def identity(row: Mapping[str, Any]) -> str:
    """Return what rows share of which the last one counts."""
    same = ("kind", "dataset", "checkpoint", "failure", "knobs", "n", "generations")
    return json.dumps([*(row.get(key) for key in same), row["settings"]["dtype"]], sort_keys=True)


def refuse_changed(row: Mapping[str, Any]) -> None:
    """Raise InputError if a row's checkpoint is gone or has changed, or its sampling: its images were other ones."""
    if row["checkpoint"]:
        folder = checkpoint.resolve(row["checkpoint"])
        if rows.checkpoint_hash(folder) != row["hashes"]["checkpoint"]:
            raise InputError(f"the checkpoint has changed since {row['date']}.")
    for change in changes_of(row["family"], row["knobs"])[row.get("revision", 0) :]:
        raise InputError(f"{change.what} has changed since {row['date']}.")


def task_of(row: Mapping[str, Any], reference: Reference, path: Path) -> Task:
    """Return the task of scoring a row again, whose new row goes to `path`."""
    used = row["settings"]
    made = {key: value for key, value in row["hashes"].items() if key == "checkpoint"}
    return Task(
        kind=row["kind"], dataset=row["dataset"], checkpoint=row["checkpoint"], family=row["family"],
        point=Point(row["point"]["label"], {}, row["point"]["kind"]), knobs=row["knobs"], n=row["n"],
        generations=row["generations"], failure=row.get("failure", ""), path=path, training=row["training"],
        settings=Settings(used["dtype"], used.get("layout", "contiguous"), used["threads"]),
        batch=used.get("batch", EvalOptions.batch), hashes={**made, **reference.hashes}, reference=reference.size,
        rest=row["generations"] * scoring_seconds(row["n"], reference),
        elsewhere=row["machine"], before=row, repeat=True,
    )  # fmt: skip
