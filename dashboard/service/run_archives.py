"""A comparison as a ZIP to take away, and one from anybody taken in: verified like any foreign checkpoint."""

from __future__ import annotations

import json
import re
import shutil
import time
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path, PurePosixPath
from typing import Any

from dashboard.service import run_rows
from dashboard.service.comparisons import JOB, Comparison, Job
from dashboard.service.problems import anonymous
from dashboard.service.public import check_open
from dashboard.service.run_rows import data_name
from dashboard.service.uploads import free_name
from gencore import archives, checkpoint
from gencore.checkpoint import LOG, TIMELAPSE
from gencore.comparison.state import FILE, State, read_state, write_state
from gencore.data import View, dataset_key
from gencore.errors import InputError
from gencore.evaluation import rows

# What other people need of a checkpoint: not the state that a training goes on from, which is three times as large.
FILES = (checkpoint.CONFIG, checkpoint.WEIGHTS, checkpoint.RUN, LOG, "README.md", "cost.json", "preview.png")
PICTURE = re.compile(rf"{TIMELAPSE}/\d+(-finished)?\.png")


def pack(one: Comparison, target: Path) -> Path:
    """Write a comparison's state, checkpoints and rows into a folder as NAME.zip, and return its path.

    What is text in it names no folder of this machine.

    Raises:
        InputError: if it has no checkpoint yet.
    """
    path = target / f"{one.name}.zip"
    found = list(_contents(one.folder))
    if not any(file.name == checkpoint.WEIGHTS for file in found):
        raise InputError(f"{one.title} has no checkpoint yet that could be saved.")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in found:
            place = file.relative_to(one.folder).as_posix()
            if file.suffix in (".json", ".md"):
                archive.writestr(place, _for_others(file))
            else:
                archive.write(file, place)
        archive.writestr(rows.FILE, run_rows.packed(one.folder))
    return path


def _for_others(file: Path) -> str:
    """Return what a text file holds without paths of this machine; of a data set that is one, its name alone.

    A file that names none is as it was, to the letter: rows know a checkpoint by the hash of its files.
    """
    text = file.read_text(encoding="utf-8")
    if file.suffix != ".json":
        return anonymous(text)
    told = checkpoint.read_json(file)
    plain = _plain(told)
    return text if plain == told else json.dumps(plain, indent=2, ensure_ascii=False)


def _plain(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _plain(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, str):
        return data_name(value) if key == "data" else anonymous(value)
    return value


def _contents(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder).as_posix()
        if path.is_file() and not path.is_symlink() and (place == FILE or _is_wanted(place)):
            yield path


def _is_wanted(place: str) -> bool:
    """Return whether a file is one of a checkpoint: 'vae/config.json', 'vae/timelapse/000000001.png'."""
    parts = PurePosixPath(place).parts
    if any(part.startswith(".") for part in parts) or len(parts) > 4:
        return False
    return (len(parts) > 1 and parts[-1] in FILES) or bool(PICTURE.fullmatch("/".join(parts[-2:])))


def is_run(path: Path) -> bool:
    """Return whether a ZIP holds checkpoints.

    Raises:
        InputError: if it is damaged.
    """
    with archives.opened(path, path.name) as archive:
        return any(PurePosixPath(name).name == checkpoint.WEIGHTS for name in archive.namelist())


def take_in(path: Path) -> tuple[str, list[str]]:
    """Keep the checkpoints in a ZIP among the user's own, and return the name of their folder and their own names.

    Nothing but configs, safetensors, logs and pictures is unpacked, and every checkpoint is loaded once.

    Raises:
        InputError: if the app is public, if the ZIP could do harm, or if a checkpoint in it is not what it should be.
    """
    check_open()
    root = checkpoint.roots()[-1]
    incoming = root / f".incoming-{uuid.uuid4().hex[:8]}"
    try:
        kept = (FILE, rows.FILE)
        archives.unpack(path, incoming, path.name, lambda place: PurePosixPath(place).name in kept or _is_wanted(place))
        if not any(incoming.rglob(checkpoint.WEIGHTS)):
            raise InputError(f"{path.name} has no checkpoint in a folder of its own, such as 'vae/config.json'.")
        folder = _lifted(incoming)
        found = sorted(file.parent for file in folder.rglob(checkpoint.WEIGHTS))
        for one in found:
            _verify(one, path.name, incoming)
        measured = rows.read(folder / rows.FILE)[0]
        (folder / rows.FILE).unlink(missing_ok=True)  # where a data set of this name has its rows
        name = free_name(path.stem)
        _rename_data(folder, found)
        _adopt(folder, name)
        folder.rename(root / name)
        run_rows.take_in(root / name, measured)
    except OSError as error:
        raise InputError(checkpoint.cannot_write(incoming, error)) from None
    finally:
        shutil.rmtree(incoming, ignore_errors=True)
    return name, [f"{name}/{one.relative_to(folder).as_posix()}" for one in found]


def _lifted(folder: Path) -> Path:
    """Return the folder that holds the checkpoints' folders: inside a wrapper, where the ZIP has one."""
    inner = list(folder.iterdir())
    wrapped = len(inner) == 1 and inner[0].is_dir() and not (inner[0] / checkpoint.WEIGHTS).exists()
    return inner[0] if wrapped else folder


def _verify(folder: Path, name: str, incoming: Path) -> None:
    """Load a checkpoint, and take its data for a name where it is a path of another machine."""
    try:
        checkpoint.load(folder, device="cpu")
        record = checkpoint.read_json(folder / checkpoint.RUN) if (folder / checkpoint.RUN).exists() else {}
    except InputError as error:
        raise InputError(f"{name} is refused: {str(error).replace(f'{incoming}/', '')}") from None
    if "data" in record:
        checkpoint.write_json(folder / checkpoint.RUN, record | {"data": data_name(record["data"])})


def _rename_data(folder: Path, found: list[Path]) -> None:
    """Give data another name where there are checkpoints of other images of that name, as rows of both would mix."""
    entries = [checkpoint.find(one) for one in found]
    clashing = {entry.dataset for entry in entries if run_rows.clashes(entry)}
    names = {one: free_name(dataset_key(one)) for one in clashing}
    for entry in entries:
        if entry.dataset in names:
            checkpoint.write_json(entry.path / checkpoint.RUN, entry.run | {"data": names[entry.dataset]})
    with suppress(InputError):
        state = read_state(folder)
        write_state(folder, replace(state, data=names.get(data_name(state.data), state.data)))


def _adopt(folder: Path, name: str) -> None:
    """Write down what a comparison that came was asked for; one whose state is none that can be read loses it."""
    try:
        state = read_state(folder)
        if not all(_inside(one.checkpoint) for one in state.members):
            raise InputError("A checkpoint would lie outside.")
        view = View(**state.view).record()
    except (InputError, TypeError):
        (folder / FILE).unlink(missing_ok=True)
        return
    state = replace(state, data=data_name(state.data), view=view, pid=0)
    write_state(folder, state)
    checkpoint.write_json(folder / JOB, asdict(_job(state, name)))


def _job(state: State, name: str) -> Job:
    families = tuple(one.family for one in state.members)
    return Job(state.data, state.minutes, families, dict(state.view), name, time.time(), brought=True)


def _inside(place: str) -> bool:
    path = PurePosixPath(place)
    return not path.is_absolute() and ".." not in path.parts
