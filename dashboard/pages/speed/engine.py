"""What generating images costs on this machine, timed while a visitor watches: planned, run in turn, and kept.

The timing itself is `gencore.evaluation.cost`'s; it works in a thread, so that the page can show how far it is, and a
hook on the network lets Stop end it within one network call.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from dashboard.results.operating_points import Measurements, knobs_key
from dashboard.service import Service, comparisons
from dashboard.service.device import Waiting
from dashboard.service.interrupting import TICK, Stopped, interruptible, wait_for
from dashboard.service.problems import in_a_sentence
from dashboard.service.public import check_open, is_public
from gencore import checkpoint
from gencore.device import DTYPES, LAYOUTS, Settings
from gencore.errors import InputError
from gencore.evaluation import cost, rows
from gencore.evaluation.costing import Costing
from gencore.evaluation.task import Task
from gencore.family import Family, Point, resolve_knobs

SCOPES = {"headline points": 20.0, "every point": 8.0}  # seconds of timing per point; the longer, the more repeats
MOST_CALLS = cost.MANY_CALLS  # points of more network calls take minutes each: the command line's business
WORDS = {"counting": "counting operations", "memory": "memory, in a process of its own"}
OVERHEAD = 10.0  # seconds per point besides its timing: loading, counting, memory in a fresh process

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """One operating point to time.

    Attributes:
        entry: The checkpoint.
        title: The family's name for people.
        point: The operating point.
        knobs: Every knob's value.
        settings: How the networks compute: as in the shipped row, so that machines are compared and not settings.
        seconds: How much timing it gets.
        expected: About how many seconds it takes in all.
    """

    entry: checkpoint.Entry
    title: str
    point: Point
    knobs: Mapping[str, Any]
    settings: Settings
    seconds: float
    expected: float

    @property
    def name(self) -> str:
        """The family and the operating point, for people."""
        return f"{self.title}, {self.point.label}"


@dataclass(frozen=True)
class Progress:
    """One moment of the work.

    Attributes:
        state: 'running', 'done' or 'stopped'.
        share: The share that is done, in [0, 1].
        left: About how many seconds are left.
        words: What is being done.
        row: The cost row that has just been measured, else None.
        problem: One sentence when this operating point could not be measured; the next ones follow.
    """

    state: str
    share: float = 0.0
    left: float = 0.0
    words: str = ""
    row: Mapping[str, Any] | None = None
    problem: str = ""


# ---- before it starts


def plan(service: Service, dataset: str, scope: str, known: Measurements) -> list[Job]:
    """Return what there is to time on a data set, the families in order, each operating point once.

    What is `known` from before tells how long each point takes.

    Raises:
        InputError: if there is no data set of that name with checkpoints, if `scope` is no key of `SCOPES`, while a
            comparison works on the device, or in a public app.
    """
    check_open()
    if dataset not in service.datasets():
        raise InputError(f"There is no data set {dataset!r} with checkpoints.")
    if scope not in SCOPES:
        raise InputError(f"What to time must be one of: {', '.join(SCOPES)}; not {scope!r}.")
    if title := comparisons.at_work():
        raise InputError(
            f"The comparison {title} works on this device, and times beside it would not be this device's own: measure "
            "when it has ended, or stop it on the page Your data."
        )
    jobs, seconds = [], SCOPES[scope]
    for entry in service.entries()[dataset]:
        if entry.problem or entry.name != service.lane(dataset, entry.family).checkpoint:
            continue  # a family's first checkpoint is the one that the pages compare
        kind, seen = service.families[entry.family], set()
        for point in kind.points:
            knobs = resolve_knobs(kind.knobs, point.knobs)
            key = knobs_key(knobs)
            if key in seen or (scope == next(iter(SCOPES)) and point.kind != "headline"):
                continue
            seen.add(key)
            row = before(known, entry.name, key)
            if row is None or row["calls"] <= MOST_CALLS:
                expected = OVERHEAD + (expect(row, seconds) if row else seconds)
                settings = settings_of(scored(known, entry.name, key) or row)
                jobs.append(Job(entry, kind.title, point, knobs, settings, seconds, expected))
    order = list(service.families)
    return sorted(jobs, key=lambda job: order.index(job.entry.family))


def before(known: Measurements, name: str, key: str) -> Mapping[str, Any] | None:
    """Return an operating point's cost row: one of this machine if there is one, else the first."""
    found = [row for row in known.costs if row["checkpoint"] == name and knobs_key(row["knobs"]) == key]
    return next((row for row in found if row.get("local")), next(iter(found), None))


def scored(known: Measurements, name: str, key: str) -> Mapping[str, Any] | None:
    """Return an operating point's row of scores: only a time in the same settings may stand beside them."""
    points = [point for point in known.points if point.checkpoint == name and knobs_key(point.knobs) == key]
    return next((point.quality for point in points if not point.stale), None)


def settings_of(row: Mapping[str, Any] | None) -> Settings:
    """Return how a row's networks computed; plain float32 when there is no row."""
    used = row["settings"] if row else {}
    dtype = used.get("dtype") if used.get("dtype") in DTYPES else "float32"
    layout = used.get("layout") if used.get("layout") in LAYOUTS else "contiguous"
    return Settings(dtype, layout, torch.get_num_threads())


def expect(row: Mapping[str, Any], seconds: float) -> float:
    """Return about how long `seconds` of timing really take, by a row of before; see `cost.Sweep`."""
    sizes = cost.SIZES if row["calls"] <= cost.MANY_CALLS else cost.SLOW_SIZES
    share, total = seconds / len(sizes), 0.0
    for n in sizes:
        nearest = min(row["batches"], key=lambda batch: abs(batch["n"] - n))
        each = nearest["ms_per_image"] * n / 1000
        total += 2 * each * min(1.0, cost.TRIAL_CALLS / row["calls"])
        if each > share and n > max(cost.SLOW_SIZES):
            break
        total += each * min(max(int(share / each) if each else 1, 1), cost.MOST_REPEATS)
    return total


def place(dataset: str) -> str:
    """Return the file that this machine's rows are kept in, for people: 'runs/mnist/rows.jsonl'."""
    return "/".join(rows.rows_path(dataset, checkpoint.roots()[-1]).parts[-3:])


def keeps(dataset: str) -> bool:
    """Return whether rows can be kept in a file here: not where strangers share it, nor in a read-only folder."""
    if is_public():
        return False
    path = rows.rows_path(dataset, checkpoint.roots()[-1])
    there = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    return os.access(there, os.W_OK)


def keep(dataset: str, row: Mapping[str, Any]) -> bool:
    """Add a row to this machine's file; return False where that is not possible."""
    try:
        if keeps(dataset):
            rows.append(rows.rows_path(dataset, checkpoint.roots()[-1]), row)
            return True
    except InputError as error:
        log.warning("%s", error)
    return False


# ---- the work


def measure(service: Service, jobs: Sequence[Job], stop: threading.Event) -> Iterator[Waiting | Progress]:
    """Time the operating points one after another, alone on the device; the last progress is 'done' or 'stopped'.

    A point that is stopped half-way leaves no row; a point that fails says so and the next goes on.
    """
    whole = sum(job.expected for job in jobs)
    with service.device.lease(stop, seconds=whole) as lease:
        yield from lease.line()
        if not lease.keep():
            yield Progress("stopped")
            return
        over, started = 0.0, time.monotonic()
        for place, job in enumerate(jobs):
            for seen in attend(job, stop, lease.keep):
                if seen.state == "stopped":
                    yield seen
                    return
                done = over + job.expected * seen.share
                pace = (time.monotonic() - started) / done if done > 0.1 * whole else 1.0
                words = f"{job.name} ({place + 1} of {len(jobs)}): {seen.words}"
                yield Progress("running", done / whole, (whole - done) * pace, words, seen.row, seen.problem)
            over += job.expected
        yield Progress("done", 1.0)


def attend(job: Job, stop: threading.Event, alive: Any) -> Iterator[Progress]:
    """Run a job in a thread and yield how far it is, the row or the problem at last.

    The thread is gone when this ends, whatever ends it, so that nothing else is timed beside it.
    """
    news: queue.Queue[Progress] = queue.Queue()
    halt = threading.Event()
    worker = threading.Thread(target=work, args=(job, halt, news.put), daemon=True)
    started, words = time.monotonic(), "loading"
    worker.start()
    try:
        while True:
            if stop.is_set() or not alive():
                halt.set()
            try:
                seen = news.get(timeout=TICK)
            except queue.Empty:
                seen = Progress("running", words=words)
            words = seen.words or words
            share = min((time.monotonic() - started) / job.expected, 0.97)
            yield Progress(seen.state, 1.0 if seen.row or seen.problem else share, 0, words, seen.row, seen.problem)
            if seen.row or seen.problem or seen.state == "stopped":
                return
    finally:
        halt.set()
        worker.join()


def work(job: Job, halt: threading.Event, tell: Any) -> None:
    """Measure one operating point, telling what is done; the last thing told has the row, a problem, or 'stopped'."""
    try:
        with in_a_sentence(job.entry.name, job.name):
            row = cost_row(job, halt, lambda words: tell(Progress("running", words=words)))
        tell(Progress("running", words="done", row=row))
    except Stopped:
        tell(Progress("stopped"))
    except InputError as error:
        tell(Progress("running", problem=str(error)))


def cost_row(job: Job, halt: threading.Event, tell: Any) -> Mapping[str, Any]:
    """Return the cost row of an operating point, as `gencore.evaluation.evaluate` writes it.

    Raises:
        Stopped: soon after `halt` is set.
        InputError: if the checkpoint cannot be used, or takes more than `MOST_CALLS` network calls.
    """
    model = checkpoint.load(job.entry)
    job.settings.apply(model)
    with interruptible(model, halt.is_set):
        calls, _ = cost.estimate(model, 1, job.knobs)
        if calls > MOST_CALLS:
            raise InputError(
                f"{job.name} takes {calls:,} network calls per image, more than {MOST_CALLS}; time it with: "
                f"python -m gencore evaluate {job.entry.name} --rows cost"
            )
        costing, done = Costing(task_of(job, model), wait=partial(wait_for, over=halt.is_set)), 0
        while not costing.is_over:
            for at in costing.part(model):
                done += at.timing is not None
                tell(WORDS.get(at.stage) or timing_words(done))
    return costing.row


def timing_words(done: int) -> str:
    """Return what is being timed once `done` batch sizes are."""
    n = cost.SIZES[min(done, len(cost.SIZES) - 1)]
    return f"timing {n:,} image{'s' * (n > 1)} at once"


def task_of(job: Job, model: Family) -> Task:
    """Return the job as the evaluation's own task, from which a row takes what every row holds."""
    entry = job.entry
    return Task(
        kind="cost", dataset=entry.dataset, checkpoint=entry.name, family=entry.family, point=job.point,
        knobs=job.knobs, settings=job.settings, batch=1, hashes={"checkpoint": rows.checkpoint_hash(entry.path)},
        path=rows.rows_path(entry.dataset, checkpoint.roots()[-1]), entry=entry, device=str(model.device),
        timing_seconds=job.seconds,
    )  # fmt: skip
