"""What strangers are told of checkpoints: nothing of where their images and origins lie on the server."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gencore.checkpoint import Entry
from gencore.data import dataset_key
from gencore.data.names import is_path


def shown_name(dataset: str) -> str:
    """Return a data set's name for strangers: of a folder the last part, which its rows and features go by, too."""
    return dataset_key(dataset) if is_path(dataset) else dataset


def for_strangers(entry: Entry) -> Entry:
    """Return a checkpoint's entry without the folders that it names: where it was imported from, its data."""
    run = entry.run | {"data": shown_name(entry.dataset)}
    if entry.origin:
        source = entry.origin.get("source", "")
        run["origin"] = entry.origin | {"source": Path(source).name if is_path(source) else source}
    return replace(entry, run=run)
