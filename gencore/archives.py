"""ZIP archives from anyone, read or unpacked: what could do harm is refused first."""

from __future__ import annotations

import lzma
import stat
import zipfile
import zlib
from collections.abc import Callable
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


def read(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str = "") -> bytes:
    """Return what a member holds, no more of it than it says it has; `name` is the archive's in a sentence.

    Raises:
        InputError: if it is damaged.
    """
    try:
        with archive.open(member) as file:
            return file.read(member.file_size)
    except DAMAGE as error:
        raise InputError(f"{name or archive.filename} cannot be read at {member.filename[:80]!r} ({error}).") from None


def unpack(path: Path, target: Path, name: str, kept: Callable[[str], bool] = lambda _: True) -> int:
    """Write an archive's files into a folder, made if it is not there, and return how many.

    They are written as plain files that nobody can run, whatever the archive says of them.

    Args:
        path: The archive.
        target: The folder.
        name: What to call the archive in a sentence.
        kept: Whether a file of a path within the archive is wanted; by default all are.

    Raises:
        InputError: if the archive is damaged, one of its members could do harm (see `members`), the disk refuses, or
            two members have one path.
    """
    count = 0
    with opened(path, name) as archive:
        for member in members(archive, name):
            place = member.filename.replace("\\", "/")
            if not kept(place):
                continue
            content = read(archive, member, name)
            try:
                (target / place).parent.mkdir(parents=True, exist_ok=True)
                with (target / place).open("xb") as file:
                    file.write(content)
            except (FileExistsError, NotADirectoryError):
                raise InputError(f"{name} is refused: it has {place[:80]!r} twice.") from None
            except OSError as error:
                told = error.strerror or error
                raise InputError(f"{name} cannot be unpacked at {place[:80]!r}: {told}.") from None
            count += 1
    return count


def opened(path: Path, name: str = "") -> zipfile.ZipFile:
    """Return an archive, open for reading; `name` is what to call it in a sentence.

    Raises:
        InputError: if it is none, or damaged.
    """
    try:
        return zipfile.ZipFile(path)
    except DAMAGE as error:
        raise InputError(f"{name or path} cannot be read as a ZIP archive ({error}).") from None


def _harm(member: zipfile.ZipInfo) -> str:
    """Return why a member must not be read, as the end of a sentence; '' if nothing is wrong with it."""
    path = PurePosixPath(member.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in "".join(path.parts[:1]):
        return "has a path that leads out of the archive"
    kind = stat.S_IFMT(member.external_attr >> 16)
    if stat.S_ISLNK(kind):
        return "is a link"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is neither a file nor a folder"
    if member.flag_bits & 1:
        return "is encrypted"
    if member.file_size > SMALL and member.file_size > MOST_RATIO * max(member.compress_size, 1):
        return f"unpacks to over {MOST_RATIO} times its size"
    return ""
