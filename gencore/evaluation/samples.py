"""Kept samples: the images of a point, made once, and scored as often as a metric or an extractor changes.

In `runs/samples/` a point has an `.npy` of uint8 images (N, C, H, W) for each generation, and a ledger, a `.jsonl`
whose first line says what made them, and each other line which micro-batch was written, with its checksum, once it was.
So a process that is killed loses one micro-batch at the most, and what is torn or foreign is noticed and made again.
Micro-batches are made whole: a sample of 5,000 images begins with that of 2,000, to the bit.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gencore.checkpoint import roots
from gencore.errors import InputError, cannot_write
from gencore.evaluation.rows import DIGITS, append_line
from gencore.locks import lock
from gencore.paths import read_file

FOLDER = "samples"
NAMES = re.compile(r"[\w.-]+-[0-9a-f]{16}\.jsonl")  # of ledgers
KEYS = ("dataset", "checkpoint", "failure", "hash", "revision", "knobs", "settings", "machine")  # what images depend on


@dataclass(frozen=True)
class Batch:
    """A micro-batch that was written: images `start` to `stop` of a generation, what they hold, and their seconds."""

    generation: int
    start: int
    shape: tuple[int, int, int, int]
    crc32: int
    seconds: float

    @property
    def stop(self) -> int:
        """The number of the first image that is not in it."""
        return self.start + self.shape[0]


class Samples:
    """The kept images of one point: made by one checkpoint, in one way, on one machine, of any number.

    Attributes:
        about: What the images depend on, `KEYS`.
        path: The ledger.
        made: What else its first line says of how they came about; {} before there are any.
        kept: By generation, the micro-batches from the first on that are whole; what is behind a torn one is not used.
        torn: One sentence for each generation of which the ledger knows more images than are whole.
    """

    def __init__(self, about: Mapping[str, Any]):
        self.about = {key: about[key] for key in KEYS}
        name = hashlib.sha256(json.dumps(self.about, sort_keys=True).encode()).hexdigest()[:DIGITS]
        whose = re.sub(r"[^\w.-]+", "-", about["checkpoint"] or f"{about['dataset']}-{about['failure']}").strip("-.")
        self.path = folder() / f"{whose[-80:]}-{name}.jsonl"
        self.look()

    def look(self) -> None:
        """Read what there is; a line that is none of a ledger's is passed over.

        Raises:
            InputError: if the ledger cannot be read.
        """
        lines = list(map(_parsed, _lines(self.path)))
        first = next((place for place, line in enumerate(lines) if _is_first(line) and self._is_mine(line)), len(lines))
        self.made, *rest = lines[first:] or [{}]  # of what stands before, nothing says how it came about
        written = {(one.generation, one.start): one for line in rest if (one := _batch(line))}  # the last one counts
        self.kept: dict[int, list[Batch]] = {}
        told: dict[int, int] = {}
        for (generation, start), batch in sorted(written.items()):
            told[generation] = batch.stop
            if start == self.count(generation) and self._is_whole(batch):
                self.kept.setdefault(generation, []).append(batch)
        self.torn = tuple(
            f"{self.file(generation)} is damaged, cut short or another program's from image {self.count(generation):,} "
            f"of {stop:,} on; the images from there are made again."
            for generation, stop in told.items()
            if self.count(generation) < stop
        )

    def _is_mine(self, first: Mapping[str, Any]) -> bool:
        return all(first[key] == value for key, value in self.about.items())

    def _is_whole(self, batch: Batch) -> bool:
        try:
            return zlib.crc32(self._bytes(batch)) == batch.crc32
        except OSError:
            return False

    def _bytes(self, batch: Batch) -> bytes:
        with self.file(batch.generation).open("rb") as file:
            file.seek(len(header(batch.shape)) + batch.start * image_bytes(batch.shape))
            return file.read(batch.shape[0] * image_bytes(batch.shape))

    @property
    def size(self) -> int:
        """The micro-batch: how many images are made at once."""
        return self.about["settings"]["batch"]

    def file(self, generation: int) -> Path:
        """Return the file with a generation's images."""
        return self.path.with_name(f"{self.path.stem}.{generation}.npy")

    def count(self, generation: int) -> int:
        """Return how many images of a generation are kept."""
        batches = self.kept.get(generation)
        return batches[-1].stop if batches else 0

    def lacking(self, generations: int, n: int) -> int:
        """Return how many images are to be made for `n` of each of some generations, in whole micro-batches."""
        whole = -(-n // self.size) * self.size
        return sum(max(whole - self.count(generation), 0) for generation in range(generations))

    def seconds(self, generations: int, n: int) -> float:
        """Return how long the first `n` images of each of some generations took to make."""
        batches = [batch for generation in range(generations) for batch in self.kept.get(generation, [])]
        return sum(batch.seconds for batch in batches if batch.start < n)

    def read(self, generation: int, n: int) -> Iterator[Tensor]:
        """Yield a generation's first `n` images, uint8 (b, C, H, W), a micro-batch at a time.

        Raises:
            InputError: if so many are not kept, or not any more.
        """
        if self.count(generation) < n:
            raise InputError(f"{self.file(generation)} has {self.count(generation):,} images, fewer than {n:,}.")
        for batch in self.kept[generation]:
            if batch.start < n:
                try:
                    found = np.frombuffer(bytearray(self._bytes(batch)), np.uint8).reshape(batch.shape)
                except (OSError, ValueError):
                    raise InputError(f"{self.file(generation)} has changed meanwhile; start again.") from None
                yield torch.from_numpy(found[: n - batch.start])

    def add(self, generation: int, images: Tensor, seconds: float, made: Mapping[str, Any]) -> None:
        """Keep a generation's next micro-batch, uint8 (b, C, H, W); the ledger tells of it once it is written.

        Args:
            generation: The generation.
            images: The images.
            seconds: How long they took to make.
            made: For the ledger's first line: what else is to be known of how they were made.

        Raises:
            InputError: if the disk is full or refuses, or has something else there; what was kept before stays.
        """
        content, shape = images.numpy().tobytes(), tuple(images.shape)
        batch = Batch(generation, self.count(generation), shape, zlib.crc32(content), round(seconds, 4))
        if not self.made:
            first = {"samples": 1, **self.about, **made}
            append_line(self.path, first)
            self.made = first
        self._write(batch, content)
        append_line(self.path, vars(batch))
        self.kept.setdefault(generation, []).append(batch)

    def _write(self, batch: Batch, content: bytes) -> None:
        path, begin = self.file(batch.generation), header((batch.stop, *batch.shape[1:]))
        try:
            path.touch()
            with path.open("r+b") as file:
                if not _has_images(path, file.read(len(begin)), batch.shape):
                    file.write(header((0, *batch.shape[1:])))  # first: what is cut short from here on is still ours
                    file.flush()
                file.seek(len(begin) + batch.start * image_bytes(batch.shape))
                file.write(content)
                file.truncate()
                file.seek(0)
                file.write(begin)  # last: until then the file says how many images there were
        except OSError as error:
            raise InputError(cannot_write(path, error)) from error

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Give whether no other process is making this point's images; then none may until the end.

        Raises:
            InputError: if the disk refuses.
        """
        with ExitStack() as stack:
            try:
                free = stack.enter_context(lock(self.path))
            except OSError as error:
                raise InputError(cannot_write(self.path, error)) from error
            if free:
                self.look()  # another process may have added some
            yield free


def folder() -> Path:
    """Return the folder of kept samples: `samples` below the last of the checkpoint roots, the user's own `runs`."""
    return roots()[-1] / FOLDER


def header(shape: Iterable[int]) -> bytes:
    """Return the beginning of an `.npy` file of uint8; NumPy leaves room in it for the number of images to grow."""
    begin = io.BytesIO()
    np.lib.format.write_array_header_1_0(begin, {"descr": "|u1", "fortran_order": False, "shape": tuple(shape)})
    return begin.getvalue()


def image_bytes(shape: tuple[int, int, int, int]) -> int:
    """Return how many bytes an image of a batch of shape (N, C, H, W) takes."""
    return shape[1] * shape[2] * shape[3]


def _has_images(path: Path, begin: bytes, shape: tuple[int, int, int, int]) -> bool:
    """Return whether a file begins as one with such images does, or is empty; raise InputError if it is neither."""
    anything = header((0, *shape[1:])).replace(b"(0, ", b"(N, ").split()
    found = re.sub(rb"\(\d+, ", b"(N, ", begin, count=1).split()
    if begin and found != anything:
        raise InputError(f"{path} holds no images that an evaluation has kept; move it away.")
    return bool(begin)


def _lines(path: Path) -> list[bytes]:
    try:
        return read_file(path).splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}).") from None


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _is_first(line: Any) -> bool:
    """Return whether a line is the first of a ledger in this program's format."""
    return isinstance(line, dict) and line.get("samples") == 1 and set(KEYS) <= set(line)


def _batch(line: Any) -> Batch | None:
    """Return what a line of a ledger says; None of one that a crash has cut short."""
    try:
        generation, start, crc32 = (int(line[key]) for key in ("generation", "start", "crc32"))
        b, c, h, w = (int(size) for size in line["shape"])
        found = Batch(generation, start, (b, c, h, w), crc32, float(line["seconds"]))
    except (KeyError, TypeError, ValueError):
        return None
    return found if min(generation, start) >= 0 and min(found.shape) > 0 else None


# ---- all of them


def ledgers() -> dict[Path, Mapping[str, Any]]:
    """Return the first lines of all ledgers that are here; what is none is passed over."""
    paths = [path for path in sorted(folder().glob("*.jsonl")) if NAMES.fullmatch(path.name)]
    firsts = {path: next(filter(_is_first, map(_parsed, _lines(path))), None) for path in paths}
    return {path: first for path, first in firsts.items() if first}


def owner(about: Mapping[str, Any]) -> str:
    """Return the name of the checkpoint that samples are of, or else that of the data set."""
    return about["checkpoint"] or about["dataset"]


def files_of(ledger: Path) -> list[Path]:
    """Return the files that belong to a ledger, itself the last."""
    return [*sorted(ledger.parent.glob(f"{ledger.stem}.*.npy")), ledger]


def bytes_kept() -> int:
    """Return how many bytes the kept samples take."""
    return sum(path.stat().st_size for ledger in ledgers() for path in files_of(ledger))


def _remove_locked(ledger: Path) -> None:
    """Remove a ledger while it is locked; Windows, which refuses to remove an open file, empties it until it is closed.

    Whoever waits for its lock finds it gone, or begins it anew: never one whose first line is gone with the others.
    """
    if os.name == "nt":
        os.truncate(ledger, 0)
    else:
        ledger.unlink()


def forget(names: Iterable[str] = ()) -> tuple[int, int, list[str]]:
    """Remove the kept samples of some checkpoints, by their names, or all; other files in the folder stay.

    Those of a broken model that is made from no checkpoint go by the data set's name.

    Returns:
        The points and the bytes removed, and one sentence for each that could not be: another process makes images of
        it, or the system refuses.
    """
    points, total, problems = 0, 0, []
    for ledger, about in ledgers().items():
        if names and owner(about) not in names:
            continue
        try:
            with lock(ledger) as free:
                if not free:
                    problems.append(f"{ledger} is left: another evaluation is making its images.")
                    continue
                total += sum(path.stat().st_size for path in files_of(ledger))
                for path in files_of(ledger)[:-1]:
                    path.unlink()
                _remove_locked(ledger)
            if os.name == "nt":
                ledger.unlink()
            points += 1
        except OSError as error:
            problems.append(f"{ledger} is left: {error.strerror or error}.")
    return points, total, problems
