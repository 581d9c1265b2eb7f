"""Rows: what was measured, one JSON object per line of `<root>/<dataset>/rows.jsonl`, in the format of `schema`.

A file of rows only ever grows at its end, one write per row, so that an interruption can spoil no row but the last one,
and that one is closed off before the next. Of several rows of one kind, checkpoint, knobs and n (for costs: of one
machine; for bounds: of one split), the last one counts. A line that is no row is named and passed over; it is never
removed or rewritten.
"""

from __future__ import annotations

import errno
import functools
import hashlib
import json
import os
import shlex
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gencore.checkpoint import (
    CONFIG,
    INSTALLED,
    WEIGHTS,
    Entry,
    cannot_write,
    entries,
    home,
    refuse_installed,
    resolve,
    roots,
)
from gencore.errors import InputError, near
from gencore.evaluation.schema import KINDS, VERSION, upgraded, violation
from gencore.extractors import dataset_key, extractor_path
from gencore.families import FAMILIES, changes_of
from gencore.family import resolve_knobs
from gencore.locks import lock
from gencore.paths import as_path, read_file

FILE = "rows.jsonl"
DIGITS = 16  # hex digits of a hash that are kept
LOCK_SECONDS = 0.02  # between two looks at a lock


def rows_path(dataset: str, root: Path) -> Path:
    """Return the file with a data set's rows under one of the checkpoint roots."""
    return root / dataset_key(dataset) / FILE


def path_for(entry: Entry, out: str | Path | None = None) -> Path:
    """Return the file for a checkpoint's rows: `out`, or by default the one under the root that it lies in.

    Rows of an installed package's checkpoints go under the user's root.

    Raises:
        InputError: if it lies under none of the roots and no file was named.
    """
    if out:
        return as_path(out)
    folder = entry.path.resolve()
    for root in roots():
        if folder.is_relative_to(root.resolve()):
            return own_place(rows_path(entry.dataset, root))
    raise InputError(f"{entry.name} lies in none of the folders of checkpoints; say with --out where its rows go.")


def own_place(path: Path) -> Path:
    """Return where rows go that are measured beside those of a file: into it, unless an installed package's."""
    return home() / path.relative_to(INSTALLED) if path.is_relative_to(INSTALLED) else path


def beside(path: Path) -> list[Path]:
    """Return the files whose rows count as measured already for a file: it, and an installed package's of the place."""
    shipped = [INSTALLED / path.relative_to(home())] if path.is_relative_to(home()) else []
    return [*(one for one in shipped if one.is_file()), path]


def read(path: str | Path, dataset: str | None = None) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the rows of a file, in its order, and one sentence per line that is none; a missing file has neither.

    Rows of an earlier format are returned as they would be written now; the file stays as it is.

    Args:
        path: The file.
        dataset: The data set that the file is for, under any of its names; another one's rows are passed over.
    """
    path = Path(path)
    try:
        content = read_file(path)
    except FileNotFoundError:
        return [], []
    except OSError as error:
        return [], [f"{path} cannot be read ({error.strerror or error})."]
    *lines, last = content.split(b"\n")
    good, bad = [], []
    for number, line in enumerate([*lines, last], start=1):
        if not line.strip():
            continue
        try:
            row = _row(line)
            reason = _foreign(row, dataset)
        except InputError as error:
            cut = number > len(lines)  # the last line of a whole file ends in a newline, so nothing follows it
            reason = "it is cut short, as by a program that was stopped while it wrote." if cut else str(error)
        if not reason:
            good.append(row)
        else:
            bad.append(f"Line {number} of {path} is passed over: {reason}")
    return good, bad


def _row(line: bytes) -> dict[str, Any]:
    def no_number(word: str) -> None:
        raise ValueError(f"{word} is no number in JSON")

    try:
        row = upgraded(json.loads(line.decode("utf-8"), parse_constant=no_number))
    except (ValueError, RecursionError) as error:
        raise InputError(f"it is not JSON ({str(error).splitlines()[0]}).") from None
    check(row)
    return row


def _foreign(row: Mapping[str, Any], dataset: str | None) -> str:
    if dataset is None or _same_dataset(row["dataset"], dataset):
        return ""
    return f"it is of the data set {row['dataset']!r}, not of {dataset!r}."


def _same_dataset(one: str, other: str) -> bool:
    """Return whether two names are one data set's; two folders of one last name are not."""
    places = [as_path(name) for name in (one, other)]
    folders = {place.resolve() for place in places if place.is_absolute()}
    return dataset_key(one) == dataset_key(other) and len(folders) < 2


def check(row: Any) -> None:
    """Check a row against the schema, that each score has a value per generation, and each mean lies in its interval.

    Raises:
        InputError: in one sentence, on the first thing that is wrong.
    """
    wrong = _wrong(row)
    if wrong:
        raise InputError(f"it is no row of measurements: {wrong}.")


def _wrong(row: Any) -> str:
    if not isinstance(row, dict):
        return f"it must be an object, not {type(row).__name__}"
    version, kind = row.get("row"), row.get("kind")
    if type(version) is not int:
        return "it has no whole number as 'row', the version of its format"
    if version != VERSION:
        return f"its format has version {version}, and this program knows version {VERSION}"
    if not isinstance(kind, str) or kind not in KINDS:
        return f"its kind is {kind!r}{near(str(kind), list(KINDS))}".rstrip(".")
    return violation(row, KINDS[kind]) or _wrong_score(row) or _wrong_interval(row)


def _wrong_score(row: Mapping[str, Any]) -> str:
    for extractor, scores in row.get("scores", {}).items():
        for key, score in scores.items():
            where = f"scores.{extractor}.{key}"
            if len(score["values"]) != row["generations"]:
                return f"{where} has {len(score['values'])} values for {row['generations']} generations"
            if not score["low"] <= score["mean"] <= score["high"]:
                return f"{where} has a mean outside its interval"
    return ""


def _wrong_interval(row: Mapping[str, Any]) -> str:
    if row["kind"] != "bound":
        return ""
    units = "nats", "bits_per_dim"
    found = {f"terms.{name}.{unit}": term[unit] for name, term in row["terms"].items() for unit in units}
    found |= {f"curve[{place}]": at for place, at in enumerate(row.get("curve", ()))}
    outside = (where for where, at in found.items() if not at["low"] <= at["mean"] <= at["high"])
    return next((f"{where} has a mean outside its interval" for where in outside), "")


def append(path: str | Path, row: Mapping[str, Any]) -> None:
    """Add a row at the end of a file, which is made if it is not there, in one write that is on the disk on return.

    Raises:
        InputError: if it is no row, or if the disk is full or refuses; the rows that are there stay.
    """
    check(row)
    append_line(path, row)


def append_unless(path: str | Path, row: Mapping[str, Any], known: Callable[[Mapping[str, Any]], bool]) -> bool:
    """Add a row, unless the file has one that is `known`: another process may have measured the same meanwhile.

    Returns:
        Whether it was added.

    Raises:
        InputError: as `append` does.
    """
    path = Path(path)
    try:
        with _locked(path):
            if any(map(known, read(path)[0])):
                return False
            append(path, row)
    except OSError as error:
        raise InputError(cannot_write(path, error)) from error
    return True


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file of rows, which no one holds for long."""
    while True:
        with lock(path) as free:
            if free:
                yield
                return
        time.sleep(LOCK_SECONDS)


def append_line(path: str | Path, value: Any) -> None:
    """Add `value` as a line of JSON at the end of a file; a half line that a crash has left there is closed off first.

    Raises:
        InputError: if the disk is full or refuses.
    """
    path = Path(path)
    refuse_installed(path)
    line = json.dumps(value, ensure_ascii=False, allow_nan=False).encode() + b"\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab+", buffering=0) as file:  # appending: two programs' lines cannot overwrite each other
            if file.seek(0, os.SEEK_END):
                file.seek(-1, os.SEEK_END)
                line = line if file.read(1) == b"\n" else b"\n" + line
            if file.write(line) < len(line):
                raise OSError(errno.ENOSPC, "the disk is full")
            os.fsync(file.fileno())
    except OSError as error:
        raise InputError(cannot_write(path, error)) from error


def check_writable(path: str | Path) -> None:
    """Check, before anything is measured, that rows can be added to a file.

    Raises:
        InputError: if they cannot.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A missing file is not made and removed: another evaluation may be writing its first row.
        with path.open("ab") if path.exists() else tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise InputError(cannot_write(path, error)) from error


def is_stale(row: Mapping[str, Any]) -> str:
    """Return one sentence if checkpoint, sampling or an extractor has changed since a row was measured, else ''.

    Of an operating point that is gone it says that, as nothing measures such a row again.
    A row of another data set's features, or of features that are not here, cannot be told from a fresh one.
    """
    name, hashes = row["checkpoint"], row["hashes"]
    if name and "checkpoint" in hashes:
        try:
            now = checkpoint_hash(resolve(name))
        except InputError:
            return f"The checkpoint {name} that this was measured on is not here any more."
        if now != hashes["checkpoint"]:
            return (
                _gone(row) or f"The checkpoint {name} has changed since it was measured on {row['date']}; {_again(row)}"
            )
    for extractor, known in hashes.items():
        now = extractor_hash(row["dataset"], extractor) if extractor != "checkpoint" else ""
        if now and now != known:
            changed = f"The features '{extractor}' of {row['dataset']} have changed since {row['date']}"
            return _gone(row) or f"{changed}; {_again(row)}"
    for change in changes_of(row["family"], row["knobs"])[row.get("revision", 0) :]:
        if "scores" in row:  # what it takes to sample, and a bound, are as they were
            return _gone(row) or f"{change.what} has changed since this was measured on {row['date']}; {_again(row)}"
    return ""


def _gone(row: Mapping[str, Any]) -> str:
    """Return a sentence if a row is of an operating point that its family does not have any more, else ''.

    Knobs that a family has got since are passed over.
    """
    kind = FAMILIES.get(row["family"])
    if kind is None or row["kind"] not in ("quality", "cost"):
        return ""
    for point in kind.points:
        settled = resolve_knobs(kind.knobs, point.knobs)
        if all(settled.get(name) == value for name, value in row["knobs"].items()):
            return ""
    return f"{row['point']['label']} is no operating point of the {kind.title} any more, so nothing measures it again."


def kid_reference(row: Mapping[str, Any]) -> int:
    """Return how many real images the KID of a row of scores is measured against; 0 if it does not say: the first n."""
    return next((one["kid"].get("reference", 0) for one in row["scores"].values() if "kid" in one), 0)


def _again(row: Mapping[str, Any]) -> str:
    """Return how to measure a row again: it alone, and the baseline at its n."""
    if row["kind"] == "bound":
        same = {"n": row["n"], "split": row["split"], "seed": row["seed"], "dtype": row["settings"]["dtype"]}
        options = [word for name, value in same.items() for word in (f"--{name}", str(value))]
        return f"measure it again: {shlex.join(['python', '-m', 'gencore', 'bound', row['checkpoint'], *options])}"
    if row["kind"] == "samples":
        same = {"data": row["dataset"], "name": row["checkpoint"], "n": row["n"]}
        same |= {key.replace("_", "-"): value for key, value in row.get("stated", {}).items()}
        options = [word for name, value in same.items() for word in (f"--{name}", str(value))]
        return f"measure it again: {shlex.join(['python', '-m', 'gencore', 'evaluate', '--samples', 'FILE', *options])}"
    mine = (entry.name for entry in entries() if entry.dataset == row["dataset"] and not entry.problem)
    words = ["python", "-m", "gencore", "evaluate", row["checkpoint"] or next(mine, "CHECKPOINT")]
    kind = {"failure": "failures", "baseline": "headline"}.get(row["point"]["kind"], row["point"]["kind"])
    words += [] if kind == "headline" else ["--points", kind]
    words += [] if row["kind"] == "real" else ["--only", row["point"]["label"]]
    if row["kind"] == "cost":
        words += ["--rows", "cost"]
    else:
        words += ["--n", str(row["n"]), "--generations", str(row["generations"]), "--rows", "quality"]
    return f"measure it again: {shlex.join(words)}"


def checkpoint_hash(folder: Path) -> str:
    """Return 16 hex digits that change when a checkpoint's weights or settings do.

    Raises:
        InputError: if a file cannot be read.
    """
    return _digest(folder / WEIGHTS, folder / CONFIG)


def extractor_hash(dataset: str, name: str) -> str:
    """Return the hash of an extractor's weights file, as the extractor gives it; '' when there is no such file."""
    try:
        return _digest(extractor_path(dataset, name))
    except (InputError, OSError):  # OSError: a row's data set may have a name that no system takes for a file's
        return ""


def _digest(*paths: Path) -> str:
    try:
        stamps = tuple((path, path.stat().st_mtime_ns, path.stat().st_size) for path in paths)
        return _digest_of(stamps)
    except OSError as error:
        raise InputError(f"{error.filename} cannot be read ({error.strerror}).") from None


@functools.lru_cache(maxsize=1000)  # pages ask for each row
def _digest_of(stamps: tuple[tuple[Path, int, int], ...]) -> str:
    total = hashlib.sha256()
    for path, _, _ in stamps:
        total.update(path.read_bytes())
    return total.hexdigest()[:DIGITS]
