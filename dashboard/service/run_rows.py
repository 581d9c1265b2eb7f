"""The rows of a comparison's checkpoints, in its ZIP and out of it: what was measured need not be measured again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from dashboard.service.problems import anonymous
from gencore import checkpoint
from gencore.data import dataset_key, difference
from gencore.evaluation import rows

KINDS = ("quality", "cost", "bound")  # of a checkpoint's rows that go with it


def data_name(name: object) -> str:
    """Return the name of a data set; of a path that is not of an upload, its last part alone."""
    windows = PureWindowsPath(str(name))
    if windows.drive:
        return windows.name or "unknown"
    parts = PurePosixPath(str(name)).parts
    if str(name).startswith(("/", "~")) or ".." in parts or not parts:
        return parts[-1] if parts and parts[-1] not in ("/", "..", "~") else "unknown"
    return str(name)


def packed(folder: Path) -> str:
    """Return the rows that go with a comparison, a line each: fresh ones of its checkpoints, and of real images.

    A checkpoint is called by its place in the folder, so that it may be taken in under any name.
    """
    entries = [entry for entry in checkpoint.entries() if entry.path.is_relative_to(folder)]
    places = {entry.name: entry.path.relative_to(folder).as_posix() for entry in entries}
    found = [row for path in sorted({rows.path_for(entry) for entry in entries}) for row in rows.read(path)[0]]
    mine = [row for row in found if row["checkpoint"] in places and row["kind"] in KINDS and not rows.is_stale(row)]
    compared = {(row["n"], json.dumps(row.get("data"))) for row in mine if row["kind"] == "quality"}
    real = [row for row in found if row["kind"] == "real" and (row["n"], json.dumps(row.get("data"))) in compared]
    last = {_point(row): row for row in (*real, *mine)}
    return "".join(f"{json.dumps(_without_places(row, places), ensure_ascii=False)}\n" for row in last.values())


def _point(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["kind"], row["checkpoint"], json.dumps(row["knobs"], sort_keys=True), row.get("n"), row.get("split")


def _without_places(row: Mapping[str, Any], places: Mapping[str, str]) -> dict[str, Any]:
    named = {"checkpoint": places.get(row["checkpoint"], ""), "dataset": data_name(row["dataset"])}
    return {**row, **named, "command": anonymous(row["command"])}


def clashes(entry: checkpoint.Entry) -> bool:
    """Return whether a checkpoint here was trained on other images of the same name as this one's."""
    key = dataset_key(entry.dataset)
    others = [one for one in checkpoint.entries() if one.path != entry.path and dataset_key(one.dataset) == key]
    return any(difference(one.identity, entry.identity) for one in others)


def take_in(folder: Path, found: list[dict[str, Any]]) -> int:
    """Add rows that came with a comparison to those of its data, and return how many are new.

    Those of checkpoints that did not come, or that were measured on other weights, are passed over.

    Args:
        folder: Where the comparison is now.
        found: Its rows as they were packed.
    """
    return sum(_added(row) for row in _owned(folder, found))


def _owned(folder: Path, found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    entries = {entry.path.relative_to(folder).as_posix(): entry for entry in checkpoint.entries()
               if entry.path.is_relative_to(folder)}  # fmt: skip
    datasets = {entry.dataset for entry in entries.values()}
    for row in found:
        entry = entries.get(row["checkpoint"])
        if row["kind"] == "real" and len(datasets) == 1:
            yield row | {"dataset": next(iter(datasets))}
        elif entry and row["kind"] in KINDS and row["family"] == entry.family:
            mine = row | {"checkpoint": entry.name, "dataset": entry.dataset}
            if row["hashes"].get("checkpoint") == rows.checkpoint_hash(entry.path):
                yield mine


def _added(row: dict[str, Any]) -> bool:
    path = rows.rows_path(row["dataset"], checkpoint.roots()[-1])
    return rows.append_unless(path, row, lambda known: _point(known) == _point(row))
