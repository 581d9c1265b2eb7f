"""Tables of images, as parquet files and Hub data sets hold them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gencore.data.columns import image_column, label_column, read_labels
from gencore.data.decoding import Cell
from gencore.data.files import Found, Parts, shown, stamp_of
from gencore.data.source import Part, Source
from gencore.data.splits import splits_in
from gencore.data.stream import Stream, as_cell
from gencore.errors import InputError, reason

if TYPE_CHECKING:
    from datasets import Dataset, Features
    from pyarrow import ChunkedArray, Table


def parquet_folder(name: str, folder: Path, found: Found, label: str | None, images: bool = True) -> Source:
    """Return the images of a folder's parquet files, read as they are now: no cache, and no path taken for a pattern.

    Without `images`, no more than the labels is read where there are any, and there are no cells.

    Raises:
        InputError: if they cannot be read, or their columns are not told apart.
    """
    left_out = Counter(found.left_out)
    left_out["images beside parquet files"] += len(found.images)
    files = _by_split(name, found.tables, left_out)
    try:
        features = {split: _features(folder.joinpath(*paths[0])) for split, paths in files.items()}
        image, chosen, note = _chosen(name, features, label)
        stamp = stamp_of(folder.joinpath(*parts) for paths in files.values() for parts in paths)
        tables, streams = {}, {}
        for split, paths in files.items():
            there = [folder.joinpath(*parts) for parts in paths]
            if images and (stream := Stream.of_many(there, image, name)):
                streams[split] = stream
            tables[split] = _read(there, image, chosen, images and split not in streams, split in streams)
    except InputError:
        raise
    except Exception as error:  # of pyarrow and `datasets`: they share no base class
        raise InputError(f"The parquet files in {folder} cannot be read as a data set: {reason(error)}.") from error
    return _source(name, tables, features, image, chosen, left_out, note, stamp, streams)


def dataset_tables(name: str, parts: Mapping[str, Dataset], label: str | None, images: bool = True) -> Source:
    """Return the images of a data set that `datasets` has opened; for `images` see `parquet_folder`.

    Raises:
        InputError: if its columns are not told apart.
    """
    left_out: Counter[str] = Counter()
    named: dict[str, Dataset] = {}
    for key, part in parts.items():
        split = _one_split(name, key)
        if len(parts) > 1 and (not split or split in named):
            left_out[f"in the split {key}"] += len(part)
        else:
            named[split or "train"] = part
    features = {split: part.features for split, part in named.items()}
    image, chosen, note = _chosen(name, features, label)
    wanted = {split: _wanted(kinds, image, chosen, images) for split, kinds in features.items()}
    prints = [getattr(part, "_fingerprint", "") for part in named.values()]  # the package's own, by what it was made of
    tables = {split: part.select_columns(wanted[split]).with_format("arrow")[:] for split, part in named.items()}
    stamp = " ".join(prints) if all(prints) else ""
    return _source(name, tables, features, image, chosen, left_out, note, stamp)


def _by_split(name: str, tables: list[Parts], left_out: Counter[str]) -> dict[str, list[Parts]]:
    """Return the files by the split that their own name, or else the nearest folder, names."""
    files: dict[str, list[Parts]] = {}
    above: dict[str, set[str]] = {}
    for parts in tables:
        depth, split = next(
            ((at, split) for at in reversed(range(len(parts))) if (split := _one_split(name, parts[at]))), (0, "")
        )
        files.setdefault(split, []).append(parts)
        above.setdefault(split, set()).add("/".join(parts[:depth]) or ".")
    for split, folders in above.items():
        if len(folders) > 1:
            names = ", ".join(map(shown, sorted(folders)[:5]))
            raise InputError(f"{name} has {split} parquet files of several data sets, in {names}; name one of them.")
    rest = files.pop("", [])
    if not files:
        return {"train": rest}
    if rest and "train" not in files:
        names = ", ".join(shown("/".join(parts)) for parts in rest[:5])
        raise InputError(f"{name} has parquet files of {', '.join(files)}, and others that name no split: {names}.")
    left_out["a parquet file that names no split"] += len(rest)
    return files


def _one_split(name: str, text: str) -> str:
    splits = splits_in(text)
    if len(splits) > 1:
        raise InputError(f"{shown(text)!r} of {name} names several splits: {', '.join(sorted(splits))}.")
    return next(iter(splits), "")


def _features(path: Path) -> Features:
    import pyarrow.parquet
    from datasets import Features

    return Features.from_arrow_schema(pyarrow.parquet.read_schema(path))


def _chosen(name: str, features: Mapping[str, Features], label: str | None) -> tuple[str, str | None, str]:
    """Return the columns of images and of labels, which all splits have alike, and a note."""
    first = features.get("train") or next(iter(features.values()))
    image = image_column(name, first)
    lacking = [split for split, kinds in features.items() if image not in kinds]
    if lacking:
        raise InputError(f"{name} has no column {image!r} in {', '.join(lacking)}, but in the other splits.")
    return image, *label_column(name, first, label)


def _wanted(there: Iterable[str], image: str, label: str | None, images: bool) -> list[str]:
    """Return the columns to read: the labels alone if that is enough, and the images where there are none."""
    found = [key for key in ((image, label) if images else (label,)) if key in there]
    return found or [image]


def _read(paths: list[Path], image: str, label: str | None, images: bool, streamed: bool) -> Table:
    import pyarrow
    import pyarrow.parquet

    read = []
    for path in paths:
        file = pyarrow.parquet.ParquetFile(path)
        wanted = _wanted(file.schema_arrow.names, image, label, images)
        read.append(file.read(columns=[key for key in wanted if not (streamed and key == image)]))
    return pyarrow.concat_tables([table.replace_schema_metadata(None) for table in read], promote_options="default")


def _source(
    name: str,
    tables: Mapping[str, Table],
    features: Mapping[str, Features],
    image: str,
    label: str | None,
    left_out: Counter[str],
    note: str,
    stamp: str,
    streams: Mapping[str, Stream] | None = None,
) -> Source:
    columns: dict[str, Any] = {}
    for split, table in tables.items():
        if label in table.column_names and len(table):
            columns[split] = _plain(table[label])
    kinds = {split: features[split][label] for split in columns}
    labels, classes, notes = read_labels(columns, kinds)
    pictures = {split: table[image] if image in table.column_names else None for split, table in tables.items()}
    streams, parts = streams or {}, {}
    for split, table in tables.items():
        stream = streams.get(split)
        cell, length = (stream, stream.length) if stream else (_Rows(pictures[split], name), len(table))
        parts[split] = Part(length, cell, labels.get(split))
        if not (stream.whole if stream else _is_whole(pictures[split])):
            stamp = ""
    counted = {why: count for why, count in left_out.items() if count}
    return Source(name, parts, classes, counted, tuple(filter(None, (note, *notes))), label, stamp)


def _plain(column: ChunkedArray) -> ChunkedArray:
    """Return a column without the dictionary that its values may be written in."""
    import pyarrow

    return column.cast(column.type.value_type) if pyarrow.types.is_dictionary(column.type) else column


def _is_whole(pictures: ChunkedArray | None) -> bool:
    """Return whether a column holds the bytes of all its images, so that none lies in a file outside."""
    import pyarrow

    if pictures is None or not pyarrow.types.is_struct(pictures.type):
        return pictures is not None
    place = pictures.type.get_field_index("bytes")
    return place >= 0 and not any(chunk.field(place).null_count for chunk in pictures.chunks)


class _Rows:
    """The image of a row: a cell of an arrow column, {'bytes': ..., 'path': ...} or bytes; the file if no bytes."""

    def __init__(self, column: ChunkedArray | None, name: str):
        self.chunks, self.name = [] if column is None else column.chunks, name
        self.ends = np.cumsum([len(chunk) for chunk in self.chunks])

    def __call__(self, row: int) -> Cell:
        place = int(np.searchsorted(self.ends, row, side="right"))
        return as_cell(self.chunks[place][int(row - self.ends[place] + len(self.chunks[place]))], row, self.name)
