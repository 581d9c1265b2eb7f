"""Images that a visitor brings: uploaded, or in a folder that the owner has opened; as names of data sets."""

from __future__ import annotations

import re
import shutil
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from dashboard.service.problems import without_paths
from dashboard.service.public import check_open
from gencore import archives, checkpoint, data
from gencore.data.files import OPTIONAL, SUFFIXES, unread
from gencore.errors import InputError

TABLE = ".parquet"
LONGEST = 40  # characters of an upload's name
DEPTH, MOST_FOLDERS = 2, 300  # of the folders that can be picked
HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")


def uploads() -> list[str]:
    """Return the data sets that were uploaded, the newest first."""
    found = [path for path in _home().glob("[!.]*") if path.is_dir()]
    return [dataset_of(path) for path in sorted(found, key=lambda path: -path.stat().st_mtime)]


def take_in(files: Sequence[Path]) -> str:
    """Keep a ZIP of images, or several images, below `uploads` and return the name of the data set that they are.

    Raises:
        InputError: if the app is public, or if the files are neither one ZIP that does no harm nor images.
    """
    check_open()
    zipped = [file for file in files if file.suffix.lower() == ".zip"]
    pictures = [file for file in files if _is_picture(file)]
    if len(zipped) > 1 or (zipped and len(files) > 1):
        raise InputError("Upload one ZIP, or several images, not both and not several ZIPs.")
    if not zipped and not pictures:
        raise InputError("Upload one ZIP of images, or several images; what came is neither.")
    incoming = _home() / f".incoming-{uuid.uuid4().hex[:8]}"
    try:
        incoming.mkdir(parents=True)
        if zipped:
            _unpack(zipped[0], incoming)
        else:
            _copy(pictures, incoming)
        target = _home() / free_name(zipped[0].stem if zipped else "pictures")
        incoming.rename(target)
        target.touch()  # the newest
    except OSError as error:
        raise InputError(checkpoint.cannot_write(_home(), error)) from None
    finally:
        shutil.rmtree(incoming, ignore_errors=True)
    return dataset_of(target)


def left_out(files: Sequence[Path]) -> Counter[str]:
    """Return how many of the files that came beside pictures `take_in` does not keep, by the reason."""
    if not any(map(_is_picture, files)):
        return Counter()
    return Counter(unread(file.suffix.lower()) for file in files if not _is_picture(file))


def _is_picture(file: Path) -> bool:
    return file.suffix.lower() in (*SUFFIXES, *OPTIONAL)


def _unpack(path: Path, folder: Path) -> None:
    count = archives.unpack(path, folder, path.name)
    if any(
        one.suffix.lower() == TABLE for one in folder.rglob("*")
    ):  # whose images may lie in any file of this machine
        raise InputError(f"{path.name} is refused: it has parquet tables; a ZIP of image files is read here.")
    if not count:
        raise InputError(f"{path.name} is empty.")


def _copy(pictures: Sequence[Path], folder: Path) -> None:
    for picture in pictures:
        names = (picture.name, *(f"{picture.stem}-{number}{picture.suffix}" for number in range(2, len(pictures) + 2)))
        shutil.copyfile(picture, next(folder / name for name in names if not (folder / name).exists()))


def free_name(wanted: str) -> str:
    """Return a name that stands for no data set and no run yet, made of the characters that are plain in a path."""
    plain = re.sub(r"[^\w.-]+", "-", wanted, flags=re.ASCII).strip("-._").lower()[:LONGEST] or "pictures"
    taken = {
        *data.EMBEDDED,
        *data.HUB_IDS,
        *(path.name for root in (*checkpoint.roots(), _home()) for path in root.glob("*")),
    }
    numbered = (plain, *(f"{plain}-{number}" for number in range(2, len(taken) + 3)))
    return next(name for name in numbered if name not in taken)


def dataset_of(path: Path) -> str:
    """Return the name of the data set that a folder is: its path, from where this process runs on if it lies there."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path.absolute())


def folders(root: Path | None) -> list[str]:
    """Return the folders that can be picked, as paths from the root on, '.' for itself; [] without a root."""
    if root is None or not root.is_dir():
        return []
    found = [path.relative_to(root).as_posix() for path in _below(root, DEPTH)]
    return [".", *sorted(found)[:MOST_FOLDERS]]


def _below(folder: Path, depth: int) -> Iterator[Path]:
    try:
        inner = [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith((".", "__"))]
    except OSError:
        return
    for path in inner:
        yield path
        if depth > 1:
            yield from _below(path, depth - 1)


def in_folder(root: Path | None, place: str) -> str:
    """Return the name of the data set that a folder below the root is, given its path from there on.

    Raises:
        InputError: if the app is public, or if there is no root, or no such folder below it.
    """
    check_open()
    if root is None:
        raise InputError("No folder can be picked here: start the app with python app.py --data-root FOLDER.")
    try:
        path = (root / place).resolve()
        inside = path.is_relative_to(root.resolve()) and path.is_dir()
    except (OSError, ValueError):
        inside = False
    if not inside:
        raise InputError(f"There is no folder {place[:80]!r} below the one that this app was started with.")
    return str(path)


def on_hub(name: str) -> str:
    """Return the name of a data set of the Hub.

    Raises:
        InputError: if the app is public, or if it is no such name, or that of a folder here.
    """
    check_open()
    name = name.strip().removeprefix("https://huggingface.co/datasets/").rstrip("/")
    if not HUB_ID.fullmatch(name) or ".." in name.split("/"):
        raise InputError(f"{name[:80]!r} is no id of a data set on the Hugging Face Hub, such as ylecun/mnist.")
    if name not in (*data.EMBEDDED, *data.HUB_IDS, *data.SHORT_NAMES) and Path(name).exists():
        raise InputError(f"{name} is a folder on this machine, which cannot be opened as a data set of the Hub.")
    return name


def told(sentence: str) -> str:
    """Return a sentence of the engine with the folders of the server shortened: visitors need no paths of it."""
    return without_paths(sentence).replace(f"{_home()}/", "").replace(f"{dataset_of(_home())}/", "")


def _home() -> Path:
    return checkpoint.roots()[-1] / checkpoint.UPLOADS
