"""Comparisons of families on one data set: started as processes of their own, in a line, found again from their files.

What a comparison is and how far it is stands in its folder: `comparison.json`, which the process itself writes, and
`job.json`, which says what was asked for, its title, its place in the line. So the app may be closed and started again.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from dashboard.service import processes
from dashboard.service.cache import Cache, cache_key
from dashboard.service.problems import without_paths
from dashboard.service.public import check_open, is_open, is_public
from dashboard.service.uploads import free_name
from gencore import checkpoint
from gencore.comparison.state import FILE, LOCK, State, read_state
from gencore.errors import InputError
from gencore.locks import lock, owner
from gencore.paths import read_file

JOB, LOG, LINE = "job.json", "compare.log", ".comparisons.lock"
DELETED = ".deleted"
DAYS = 7  # that a deleted comparison is kept
LOOK_EVERY = 2.0  # seconds between two looks at the line
STARTING = 120.0  # seconds in which a process takes up its comparison
PATIENCE = {signal.SIGTERM: 60.0, signal.SIGKILL: 300.0}  # seconds after Stop until it is said again, and harder
LONGEST = 80  # characters of a title
UNFINISHED = ("waiting", "training", "failed")  # families that are trained when it is gone on with
BROUGHT = "It came as a ZIP, which has no images and no state to go on from, so it stays as it is."
ERROR = "Error: "  # how the command line begins a sentence that refuses something
QUEUED, BEGUN, RUNNING, STOPPING = "queued", "starting", "running", "stopping"
BUSY = (BEGUN, RUNNING, STOPPING)
ENDED = ("done", "failed", "stopped", "interrupted")
_ended = Cache(500)
WAIT = 0.05  # seconds between two looks at whether the line is free
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """What was asked for.

    Attributes:
        data: The data set.
        minutes: Of training for each family.
        families: Which; () for all.
        view: In what form the images are read: `size`, `channels` and so on, those that are not the usual.
        title: What people call it.
        asked: When it was first asked for (seconds since 1970).
        queued: When it joined the line (seconds since 1970); 0 for one that is not in it.
        pid: The process that was started last.
        started: When (seconds since 1970).
        stopped: When Stop was pressed (seconds since 1970); 0 if it was not.
        brought: Whether it came in a ZIP: what its trainings go on from stayed where it was made.
    """

    data: str
    minutes: float
    families: tuple[str, ...] = ()
    view: dict[str, Any] = field(default_factory=dict)
    title: str = ""
    asked: float = 0.0
    queued: float = 0.0
    pid: int = 0
    started: float = 0.0
    stopped: float = 0.0
    brought: bool = False

    def arguments(self, folder: Path, *options: str) -> list[str]:
        """Return the command that begins it, or goes on with it; with more options, what these make of it."""
        chosen = ["--families", ",".join(self.families)] if self.families else []
        view = [part for key, value in self.view.items() for part in (f"--{key}", str(value))]
        where = ["--out", str(folder), "--", self.data]  # a name that begins with '-' is no option
        return ["compare", "--minutes", f"{self.minutes:g}", *chosen, *view, *options, *where]


@dataclass(frozen=True)
class Comparison:
    """A comparison as it is now.

    Attributes:
        name: Its folder's name.
        folder: Where it is.
        job: What was asked for.
        state: What the process wrote; None before it did.
        status: 'queued', 'starting', 'running', 'stopping', 'interrupted', 'stopped', 'failed' or 'done'.
        problem: Why it ended, where it says so.
    """

    name: str
    folder: Path
    job: Job
    state: State | None
    status: str
    problem: str = ""

    @property
    def title(self) -> str:
        """What people call it."""
        return self.job.title or self.name

    @property
    def lacking(self) -> str:
        """What it lacks to be gone on with, in a sentence; '' if nothing."""
        begun = (
            [self.folder / one.checkpoint for one in self.state.members if one.state in UNFINISHED]
            if self.state
            else []
        )
        lost = any((one / checkpoint.WEIGHTS).is_file() and not (one / checkpoint.STATE).is_file() for one in begun)
        return BROUGHT if self.job.brought or lost else ""


# ---- what there is


def comparisons() -> list[Comparison]:
    """Return the comparisons: those that run, then those in line, then the others, the newest first."""
    folders = {path.parent for file in (JOB, FILE) for path in _root().glob(f"[!.]*/{file}")}
    found = [one for folder in folders if (one := _read(folder)) is not None]
    order = {**dict.fromkeys(BUSY, 0), QUEUED: 1}

    def rank(one: Comparison) -> tuple:
        place = order.get(one.status, 2)
        return place, one.job.queued if place == 1 else -one.job.asked, one.name

    return sorted(found, key=rank)


def at_work() -> str:
    """Return the title of the comparison that works on this machine, beside which all else is slower; '' if none."""
    return next((one.title for one in comparisons() if one.status in BUSY), "")


def find(name: str) -> Comparison:
    """Return a comparison.

    Raises:
        InputError: if there is none of this name.
    """
    found = next((one for one in comparisons() if one.name == name), None)
    if found is None:
        raise InputError(f"There is no comparison {str(name)[:80]!r} any more.")
    return found


def _read(folder: Path) -> Comparison | None:
    """Return the comparison in a folder; None where it is none that can be read.

    The page asks for all of them while it is looked at, so those that have ended are read when a file has changed.
    """
    key = cache_key((folder, is_public()), [folder / file for file in (JOB, FILE, LOG, LOCK)])
    if (known := _ended.get(key)) is not None:
        return known
    found = _read_now(folder)
    if found and found.status in ENDED and not (folder / LOCK).exists():  # whose holder may end unseen
        _ended.put(key, found)
    return found


def _read_now(folder: Path) -> Comparison | None:
    job, state, problem = _read_job(folder), None, ""
    if (folder / FILE).is_file():
        try:
            state = _for_visitors(read_state(folder))
        except InputError as error:
            problem = without_paths(str(error))
    if job is None and state is not None:  # started at a terminal
        families = tuple(one.family for one in state.members)
        asked = (folder / FILE).stat().st_mtime
        job = Job(state.data, state.minutes, families, dict(state.view), folder.name, asked)
    if job is None:
        return None
    status = _status(folder, job, state)
    if status in ENDED and status != "done":
        problem = problem or _last_words(folder)
    return Comparison(folder.name, folder, job, state, status, problem)


def _for_visitors(state: State) -> State:
    """Return a state whose sentences name no folders of this machine."""
    members = tuple(replace(one, words=without_paths(one.words)) for one in state.members)
    sentences = tuple(map(without_paths, state.sentences))
    verdict, words = without_paths(state.verdict), without_paths(state.words)
    return replace(state, words=words, verdict=verdict, sentences=sentences, members=members)


def _status(folder: Path, job: Job, state: State | None) -> str:
    if state is not None and state.running:
        return STOPPING if job.stopped else RUNNING
    if job.queued:
        return QUEUED
    just = job.pid and time.time() - job.started < STARTING and processes.is_alive(job.pid)
    if just or (state is None and owner(folder / LOCK) is not None):  # it plans, which takes long on much data
        return STOPPING if job.stopped else BEGUN
    if state is None:
        return "stopped" if job.stopped else "failed"
    return "interrupted" if state.interrupted else state.phase


def _read_job(folder: Path) -> Job | None:
    try:
        told = checkpoint.read_json(folder / JOB)
        known = {one.name for one in fields(Job)}
        job = Job(**{key: value for key, value in told.items() if key in known})
        return replace(job, families=tuple(job.families), view=dict(job.view))
    except (InputError, TypeError, ValueError):
        return None


def _write_job(folder: Path, job: Job) -> None:
    checkpoint.write_json(folder / JOB, asdict(job))


def _last_words(folder: Path) -> str:
    """Return the sentence that a process ended with, '' if it said none."""
    try:
        last = processes.last_line(read_file(folder / LOG).decode("utf-8", errors="replace")[-4000:])
    except OSError:
        return ""
    return without_paths(last.removeprefix(ERROR)) if last.startswith(ERROR) else ""


def _root() -> Path:
    return checkpoint.roots()[-1]


# ---- the line


@contextmanager
def _changing() -> Iterator[None]:
    """Wait until nobody moves the line on, or changes what is in it, and keep others from it."""
    _root().mkdir(parents=True, exist_ok=True)
    while True:
        with lock(_root() / LINE) as free:
            if free:
                yield
                return
        time.sleep(WAIT)


def ask(job: Job) -> str:
    """Put a comparison at the end of the line, and return its name.

    Raises:
        InputError: if the app is public, or the disk refuses.
    """
    check_open()
    now = time.time()
    with _changing():
        name = free_name(f"compare-{Path(job.data).name}")
        _write_job(_root() / name, replace(job, asked=now, queued=now))
    move_on()
    return name


def move_on() -> None:
    """Start the first in line if none runs; say it again to those that do not stop; empty what was deleted long ago."""
    if not _root().is_dir():
        return
    with suppress(OSError), lock(_root() / LINE) as free:
        if not free:
            return
        found = comparisons()
        for one in found:
            _insist(one)
        waiting = next((one for one in found if one.status == QUEUED), None)
        if waiting is not None and not any(one.status in BUSY for one in found):
            _start(waiting)
        _empty()


def keep_moving() -> None:
    """Look after the line for as long as the app runs, in a thread of its own."""

    def look() -> None:
        while True:
            try:
                if is_open():
                    move_on()
            except Exception:  # whatever it is, the next look may go well
                log.exception("The line of comparisons could not be moved on")
            time.sleep(LOOK_EVERY)

    threading.Thread(target=look, daemon=True, name="comparisons").start()


def _start(one: Comparison) -> None:
    try:
        pid = processes.start(one.job.arguments(one.folder), one.folder / LOG)
    except OSError as error:
        (one.folder / LOG).write_text(f"Error: The process could not be started: {error}.\n", encoding="utf-8")
        pid = 0
    _write_job(one.folder, replace(one.job, queued=0.0, pid=pid, started=time.time(), stopped=0.0))


def _insist(one: Comparison) -> None:
    """Send a stronger signal to a process that goes on long after it was told to stop."""
    if one.status != STOPPING:
        return
    # A second SIGTERM ends at once what waits for the end of its step.
    late = [kind for kind, seconds in PATIENCE.items() if time.time() - one.job.stopped > seconds]
    if late:
        processes.interrupt(_pid(one), late[-1])


def _pid(one: Comparison) -> int:
    return one.state.pid if one.state is not None and one.state.running else one.job.pid


@dataclass(frozen=True)
class Plan:
    """What a comparison would be.

    Attributes:
        parts: About how many seconds each of its phases takes, by its name.
        sentences: What is trained, measured and left out, and why.
    """

    parts: Mapping[str, float]
    sentences: tuple[str, ...]


def probe(job: Job, stop: threading.Event) -> Plan | None:
    """Return the plan of a comparison, whose steps the engine tries for some seconds; None if it was stopped.

    Raises:
        InputError: if the app is public, if it cannot be planned, or if another one runs, which would slow the steps.
    """
    check_open()
    if any(one.status in BUSY for one in comparisons()):
        raise InputError("How long measuring takes is not tried out while another comparison runs.")
    found = processes.answer(job.arguments(_root() / "planned", "--dry", "--json"), stop)
    if found is None:
        return None
    code, told, said = found
    if code:
        raise InputError(without_paths(said.removeprefix(ERROR)) or "How long this takes could not be found out.")
    try:
        plan = json.loads(told)
        parts = {str(phase): float(seconds) for phase, seconds in plan["estimates"].items()}
        return Plan(parts, tuple(map(str, plan["sentences"])))
    except (ValueError, TypeError, KeyError, AttributeError):
        raise InputError("How long this takes could not be found out.") from None


# ---- what can be done with one


def stop(name: str) -> None:
    """Stop a comparison: it leaves a usable checkpoint of each family; one in line leaves it."""
    check_open()
    with _changing():
        one = find(name)
        if one.status == QUEUED:
            _write_job(one.folder, replace(one.job, queued=0.0))
            if one.state is None and not one.job.started:
                _delete(one)
        elif one.status in (BEGUN, RUNNING):
            _write_job(one.folder, replace(one.job, stopped=time.time()))
            processes.interrupt(_pid(one))


def resume(name: str) -> None:
    """Put a comparison that ended early into the line again: it goes on where it was."""
    check_open()
    with _changing():
        one = find(name)
        if one.status in BUSY or one.status in (QUEUED, "done"):
            raise InputError(f"{one.title} cannot be resumed: it is {one.status}.")
        if one.lacking:
            raise InputError(f"{one.title} cannot be resumed. {one.lacking}")
        _write_job(one.folder, replace(one.job, queued=time.time(), stopped=0.0))
    move_on()


def rename(name: str, title: str) -> None:
    """Give a comparison another title; its folder, which other files name, stays."""
    check_open()
    title = re.sub(r"\s+", " ", str(title)).strip()[:LONGEST]
    if not title:
        raise InputError("A title has at least one letter.")
    with _changing():
        one = find(name)
        _write_job(one.folder, replace(one.job, title=title))


def delete(name: str) -> str:
    """Move a comparison to what was deleted, and return the name under which `undo` brings it back."""
    check_open()
    with _changing():
        one = find(name)
        if one.status in BUSY:
            raise InputError(f"{one.title} is {one.status}: stop it first.")
        return _delete(one)


def _delete(one: Comparison) -> str:
    bin_ = _root() / DELETED
    kept = f"{time.time():.0f}-{one.name}"
    try:
        bin_.mkdir(exist_ok=True)
        one.folder.rename(bin_ / kept)
    except OSError as error:
        raise InputError(checkpoint.cannot_write(one.folder, error)) from None
    return kept


def undo(kept: str) -> str:
    """Bring a deleted comparison back, and return its name."""
    check_open()
    folder = next((path for path in (_root() / DELETED).glob("*") if path.name == kept), None)
    if folder is None:
        raise InputError("What was deleted is not kept any more.")
    name = kept.partition("-")[2]
    if (_root() / name).exists():
        raise InputError(f"{name} cannot be brought back: there is another folder of this name now.")
    folder.rename(_root() / name)
    if (job := _read_job(_root() / name)) is not None and job.queued:
        _write_job(_root() / name, replace(job, queued=0.0))
    return name


def _empty() -> None:
    """Remove what was deleted long ago."""
    for folder in (_root() / DELETED).glob("*-*"):
        with suppress(ValueError):
            if time.time() - int(folder.name.partition("-")[0]) > DAYS * 86400:
                shutil.rmtree(folder, ignore_errors=True)
