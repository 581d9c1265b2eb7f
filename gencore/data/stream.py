"""The images of parquet files that are too many for memory: read a batch at a time, as they are asked for in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gencore.data.decoding import Cell
from gencore.data.stored import MOST_IN_MEMORY

if TYPE_CHECKING:
    from pyarrow.parquet import FileMetaData

BATCH = 1000  # rows read at once


def as_cell(value: Any, row: int, name: str) -> Cell:
    """Return a value of an arrow column of images, {'bytes': ..., 'path': ...} or bytes; the file if no bytes."""
    value = value.as_py()
    value = value if isinstance(value, dict) else {"bytes": value}
    where, path = f"Row {row} of {name}", value.get("path")
    if value.get("bytes") is not None or path is None:
        return Cell(where, raw=value.get("bytes"))
    return Cell(f"{path} ({where[0].lower()}{where[1:]})", path=Path(path))


class Stream:
    """The image of a row. Rows asked for in ascending order are read once; another one begins its row group again.

    Attributes:
        length: How many there are.
        whole: Whether the files say that they hold the bytes of all images, so that none lies in a file outside.
    """

    def __init__(self, paths: Sequence[Path], column: str, name: str):
        import pyarrow.parquet

        self.column, self.name = column, name
        told = [pyarrow.parquet.read_metadata(path) for path in paths]
        self.groups = [(path, i) for path, one in zip(paths, told, strict=True) for i in range(one.num_row_groups)]
        self.ends = np.cumsum([one.row_group(i).num_rows for one in told for i in range(one.num_row_groups)])
        self.length = int(self.ends[-1])
        self.whole = all(_is_whole(one, column) for one in told)
        self.open, self.batches = -1, iter(())  # the row group that is read, and the batches left of it
        self.start, self.batch = 0, ()  # the latest batch and the number of its first row

    @classmethod
    def of_many(cls, paths: Sequence[Path], column: str, name: str) -> Stream | None:
        """Return the stream of files that are too large for memory; None if they are not."""
        import pyarrow.parquet

        told = [pyarrow.parquet.read_metadata(path) for path in paths]
        size = sum(one.row_group(i).total_byte_size for one in told for i in range(one.num_row_groups))
        return cls(paths, column, name) if size > MOST_IN_MEMORY else None

    def __call__(self, row: int) -> Cell:
        """Return the image of a row."""
        place = int(np.searchsorted(self.ends, row, side="right"))
        if place != self.open or row < self.start:
            self.open, self.batches, self.batch = place, self._read(*self.groups[place]), ()
            self.start = int(self.ends[place - 1]) if place else 0
        while row >= self.start + len(self.batch):
            self.start += len(self.batch)
            self.batch = next(self.batches)
        return as_cell(self.batch[row - self.start], row, self.name)

    def _read(self, path: Path, group: int) -> Iterator[Any]:
        import pyarrow.parquet

        with pyarrow.parquet.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20) as file:
            for batch in file.iter_batches(BATCH, row_groups=[group], columns=[self.column]):
                yield batch.column(0)


def _is_whole(told: FileMetaData, column: str) -> bool:
    groups = [told.row_group(i) for i in range(told.num_row_groups)]
    chunks = [group.column(i) for group in groups for i in range(group.num_columns)]
    found = [chunk.statistics for chunk in chunks if chunk.path_in_schema in (column, f"{column}.bytes")]
    return len(found) == len(groups) and all(one and one.has_null_count and not one.null_count for one in found)
