"""ZIP archives from anyone, read without being unpacked to the disk: what could do harm is refused first."""

from __future__ import annotations

import lzma
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from gencore.errors import InputError

MOST_MEMBERS = 100_000
MOST_BYTES = 2**30  # unpacked, of all members together
MOST_RATIO = 100  # unpacked to packed, of a member; small ones may have more
SMALL = 2**20  # bytes
DAMAGE = (  # what reading a damaged archive ends in
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, EOFError, OSError, RuntimeError, ValueError
)  # fmt: skip


def members(archive: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    """Return the files in an archive, in order of their names.

    Raises:
        InputError: if it has over `MOST_MEMBERS` members, unpacks to over `MOST_BYTES`, or if a member is a link, is
            encrypted, has an absolute path or one with '..', or unpacks to over `MOST_RATIO` times its size.
    """
    found = archive.infolist()
    if len(found) > MOST_MEMBERS:
        raise InputError(f"{name} has {len(found):,} members; {MOST_MEMBERS:,} are the most that is read.")
    if (total := sum(one.file_size for one in found)) > MOST_BYTES:
        raise InputError(f"{name} unpacks to {total / MOST_BYTES:.1f} GiB; 1 GiB is the most that is read.")
    for one in found:
        if why := _harm(one):
            raise InputError(f"{name} is refused: its member {one.filename[:80]!r} {why}.")
    return sorted((one for one in found if not one.is_dir()), key=lambda one: one.filename)


def read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Return what a member holds, no more of it than it says it has.

    Raises:
        InputError: if it is damaged.
    """
    try:
        with archive.open(member) as file:
            return file.read(member.file_size)
    except DAMAGE as error:
        raise InputError(f"{archive.filename} cannot be read at {member.filename[:80]!r} ({error}).") from None


def opened(path: Path) -> zipfile.ZipFile:
    """Return an archive, open for reading.

    Raises:
        InputError: if it is none, or damaged.
    """
    try:
        return zipfile.ZipFile(path)
    except DAMAGE as error:
        raise InputError(f"{path} cannot be read as a ZIP archive ({error}).") from None


def _harm(member: zipfile.ZipInfo) -> str:
    """Return why a member must not be read, as the end of a sentence; '' if nothing is wrong with it."""
    path = PurePosixPath(member.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in "".join(path.parts[:1]):
        return "has a path that leads out of the archive"
    if stat.S_ISLNK(member.external_attr >> 16):
        return "is a link"
    if member.flag_bits & 1:
        return "is encrypted"
    if member.file_size > SMALL and member.file_size > MOST_RATIO * max(member.compress_size, 1):
        return f"unpacks to over {MOST_RATIO} times its size"
    return ""
