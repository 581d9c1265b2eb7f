"""The files of a folder, links followed, and what is left out of them with reason and count."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

Parts = tuple[str, ...]  # the parts of a file's path below the data set's folder
SUFFIXES = (
    ".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".gif", ".webp", ".avif", ".avifs", ".tif",
    ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".pfm", ".tga", ".jp2", ".j2k",
)  # fmt: skip
OPTIONAL = (".heic", ".heif")  # of the package pillow-heif
SYSTEM = ("@eadir", "#recycle", "$recycle.bin", "lost+found", "system volume information", "thumbs.db", "desktop.ini")
HIDDEN = "hidden or the system's own"


@dataclass(frozen=True)
class Found:
    """The files of a folder that can be read, sorted by the parts of their paths.

    Attributes:
        tables: The parquet files.
        images: The images.
        left_out: How many others there are, by the reason.
    """

    tables: list[Parts]
    images: list[Parts]
    left_out: Counter[str]


def find_files(folder: Path) -> Found:
    """Return the files below a folder."""
    found = Found([], [], Counter())
    for parts, ancestors in _walk(folder, found.left_out):
        suffix, path = Path(parts[-1]).suffix.lower(), folder.joinpath(*parts)
        if any(map(_is_systems, parts)):
            found.left_out[HIDDEN] += 1
        elif not path.is_file():
            found.left_out["a link to a folder that it lies in" if ancestors else "a link to nothing"] += 1
        elif suffix == ".parquet":
            found.tables.append(parts)
        elif suffix in SUFFIXES or (suffix in OPTIONAL and suffix in Image.registered_extensions()):
            found.images.append(parts)
        else:
            found.left_out[unread(suffix)] += 1
    found.tables.sort()
    found.images.sort()
    return found


def stamp_of(paths: Iterable[Path]) -> str:
    """Return what changes when files do: a hash of their paths, sizes and times; '' if one cannot be looked at."""
    stamp = hashlib.sha256()
    for path in paths:
        try:
            told = path.stat()
        except OSError:
            return ""
        # The time of the last change of what is known of a file as well: the other can be set back.
        stamp.update(os.fsencode(path.absolute()) + b"\0")
        stamp.update(f"{told.st_size} {told.st_mtime_ns} {told.st_ctime_ns};".encode())
    return stamp.hexdigest()


def _walk(folder: Path, left_out: Counter[str]) -> Iterator[tuple[Parts, bool]]:
    """Yield the parts of each file's path, and whether it is a link back to a folder that it lies in."""

    def closed(_: OSError) -> None:
        left_out["a folder that cannot be opened"] += 1

    for place, folders, files in os.walk(folder, followlinks=True, onerror=closed):
        above = Path(place).relative_to(folder).parts
        round_ = [one for one in folders if _leads_back(folder, Path(place, one))]
        folders[:] = [one for one in folders if one not in round_]
        yield from (((*above, one), True) for one in round_)
        yield from (((*above, one), False) for one in files)


def _leads_back(folder: Path, path: Path) -> bool:
    """Return whether a folder is a link to one of those that it was come by."""
    above = [folder, *(one for one in path.parents if one.is_relative_to(folder))]
    return path.is_symlink() and os.path.realpath(path) in map(os.path.realpath, above)


def _is_systems(part: str) -> bool:
    return part.startswith((".", "__")) or part.lower() in SYSTEM


def unread(suffix: str) -> str:
    """Return why a file of a suffix is left out."""
    if suffix in OPTIONAL:
        return f"{suffix}, which needs the package pillow-heif"
    return f"no image ({suffix})" if suffix else "no image (no suffix)"


def shown(path: Path | str) -> str:
    """Return a path for people, with bytes that are no text written out."""
    return str(path).encode("utf-8", "backslashreplace").decode("utf-8")
