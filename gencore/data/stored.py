"""Images that are too many for memory: decoded once into a file, and read from it as they are asked for.

A file of pixels, not the Arrow file of a table: a training step then copies rows instead of decoding them, folders of
images and every view come by the same way, and whatever reads a tensor reads this one.
"""

from __future__ import annotations

import mmap
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from torch import Tensor

from gencore.errors import InputError
from gencore.locks import lock
from gencore.paths import as_path

FOLDER_VARIABLE = "GENCORE_CACHE"
MOST_IN_MEMORY = 512 * 2**20  # bytes of a split's pixels, or of a table; more are read from a file
WAIT_SECONDS = 0.2  # between two looks at a file that another process is writing

Shape = tuple[int, int, int, int]  # (N, C, H, W)
Put = Callable[[int, np.ndarray], None]  # given an image's place and its values, uint8 (C, H, W)


class Stored:
    """Images in a file, uint8 (N, C, H, W), of which only those asked for come into memory.

    Attributes:
        shape: Their shape.
        device: Where what is read is: the CPU.
    """

    device = torch.device("cpu")

    def __init__(self, file: BinaryIO, shape: Shape):
        self.file, self.shape = file, shape
        self.begin = os.fstat(file.fileno()).st_size - prod(shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Tensor | slice) -> Tensor:
        """Return a copy of some images, uint8 (n, C, H, W).

        The file is mapped for that long only: a mapping holds on to every page that was ever touched.
        """
        with mmap.mmap(self.file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            values = np.frombuffer(content, np.uint8, offset=self.begin).reshape(self.shape)
            found = np.array(values[rows if isinstance(rows, slice) else rows.numpy()])
            del values  # the mapping closes only without it
        return torch.from_numpy(found)

    def split(self, size: int) -> Iterator[Tensor]:
        """Yield all images, `size` at a time."""
        for start in range(0, len(self), size):
            yield self[start : start + size]

    def mapped(self) -> Tensor:
        """Return all of them as one tensor, which the system reads as it is used; changes stay in memory."""
        return torch.from_numpy(np.memmap(self.file, np.uint8, "c", self.begin, self.shape))


def folder() -> Path:
    """Return the folder of such files: GENCORE_CACHE, else `gencore` in the user's cache."""
    cache = os.environ.get(FOLDER_VARIABLE) or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "gencore")
    return as_path(cache)


def stored(family: str, key: str, shape: Shape, fill: Callable[[Put], None]) -> Stored:
    """Return images in a file, which is written if it is not there yet; several processes write it once.

    Args:
        family: What the file is called up to its key; files of other keys are removed, as their images have changed.
        key: Changes whenever the images may; '' if that cannot be told: then the file ends with this process.
        shape: The images' shape.
        fill: Puts every image to its place.

    Raises:
        InputError: if there is no room, or the disk refuses.
    """
    family = re.sub(r"[^\w.-]+", "-", family).strip("-.")[-120:]
    try:
        folder().mkdir(parents=True, exist_ok=True)
        if not key or os.name == "nt":  # Windows cannot put a file that is open in its place
            file = tempfile.TemporaryFile(dir=folder())  # noqa: SIM115 - open as long as it is read
            return Stored(_filled(file, shape, fill), shape)
        path = folder() / f"{family}-{key}.npy"
        _write_once(path, shape, fill)
        _remove_others(family, path)
        return Stored(path.open("rb"), shape)
    except OSError as error:
        raise InputError(
            f"The images cannot be stored in {folder()} ({error.strerror or error}); name another folder in "
            f"{FOLDER_VARIABLE}."
        ) from error


def _remove_others(family: str, path: Path) -> None:
    """Remove a family's files of other keys, and what processes that were killed have left half-written of them."""

    def is_other(name: str) -> bool:
        return name != path.name and bool(re.fullmatch(rf"{re.escape(family)}-[0-9a-f]+\.npy", name))

    for other in folder().glob("*.npy"):
        if is_other(other.name):
            other.unlink(missing_ok=True)
    for part in folder().glob(".*.part"):
        if is_other(part.name.removeprefix(".").removesuffix(".part")):
            with lock(part) as free:
                if free:  # nobody writes it
                    part.unlink(missing_ok=True)


def _write_once(path: Path, shape: Shape, fill: Callable[[Put], None]) -> None:
    part = path.with_name(f".{path.name}.part")
    while not path.exists():
        with lock(part) as free:
            if free and path.exists():  # another process has written it meanwhile
                part.unlink()
                return
            if free:
                try:
                    with part.open("r+b") as file:
                        _filled(file, shape, fill)
                except BaseException:  # gigabytes that nobody would find again
                    part.unlink()
                    raise
                part.replace(path)
                return
        time.sleep(WAIT_SECONDS)


def _filled(file: BinaryIO, shape: Shape, fill: Callable[[Put], None]) -> BinaryIO:
    """Write an `.npy` file of uint8; written, not mapped, so that what is written need not stay in memory."""
    file.truncate(0)
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
    begin, size = file.tell(), prod(shape[1:])
    free = shutil.disk_usage(folder()).free
    if free < prod(shape):
        raise InputError(
            f"{prod(shape) / 1e9:,.1f} GB of images do not fit into {folder()}, which has {free / 1e9:,.1f} GB free; "
            f"name another folder in {FOLDER_VARIABLE}."
        )
    file.truncate(begin + prod(shape))

    def put(place: int, values: np.ndarray) -> None:
        file.seek(begin + place * size)
        file.write(values.tobytes())

    fill(put)
    file.flush()
    return file
