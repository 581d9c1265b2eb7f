"""Generations of a point that are finished while the point is not: kept beside the rows, with their settings."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from gencore.evaluation.rows import DIGITS, append_line
from gencore.evaluation.schema import upgraded

OBJECTS = ("values", "left_out", "settings", "machine")  # what a generation holds that are objects


def file_for(rows: Path, identity: Any) -> Path:
    """Return the file beside `rows` for a point, named by all that a generation's values depend on."""
    name = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:DIGITS]
    return folder_for(rows) / f"{name}.jsonl"


def folder_for(rows: Path) -> Path:
    """Return the folder beside `rows`; there only while something is unfinished."""
    return rows.with_name(f".{rows.name}.unfinished")


def read(file: Path) -> dict[int, dict[str, Any]]:
    """Return the generations that are kept of a point, by number; one that cannot be read is to be measured again."""
    try:
        lines = file.read_bytes().splitlines()
    except OSError:
        return {}
    found = {}
    for line in lines:
        try:
            kept = upgraded(json.loads(line))
            if all(isinstance(kept[key], dict) for key in OBJECTS) and kept["seconds"] >= 0:
                found[int(kept["generation"])] = kept
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
    return found


def read_all(rows: Path) -> list[dict[str, Any]]:
    """Return the generations that are kept beside `rows`, of whatever point."""
    return [kept for file in sorted(folder_for(rows).glob("*.jsonl")) for kept in read(file).values()]


def keep(file: Path, generation: dict[str, Any]) -> None:
    """Add a generation.

    Raises:
        InputError: if the disk is full or refuses.
    """
    append_line(file, generation)


def forget(file: Path) -> None:
    """Remove what is kept of a point; its row is written."""
    file.unlink(missing_ok=True)
    with suppress(OSError):  # it is not empty, or another process has removed it
        file.parent.rmdir()
