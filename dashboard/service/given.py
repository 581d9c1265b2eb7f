"""Samples made elsewhere, scored against a data set's real images as `evaluate --samples` does."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from dashboard.results.operating_points import Measured
from dashboard.service.device import Waiting
from dashboard.service.parsing import number_of, whole_of
from dashboard.service.problems import in_a_sentence
from dashboard.service.public import check_open
from dashboard.service.service import Service
from gencore import checkpoint
from gencore.errors import InputError
from gencore.evaluation import given, rows
from gencore.evaluation.evaluate import run
from gencore.evaluation.plan import prepare_samples
from gencore.paths import read_file

SUFFIXES = (".npy", ".npz", ".zip")  # folders cannot be uploaded
MOST_FILES = 20
MOST_BYTES = 1_000_000  # of the picture of first images: 16 of 64 x 64 in colour are 200 kB at most
HASH = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Scoring:
    """One moment of scoring samples.

    Attributes:
        share: The share of the work that is done, in [0, 1].
        words: What is being done, or at the end what came of it.
        done: Whether the row is written, or was there before.
    """

    share: float
    words: str
    done: bool = False


def scored(service: Service, dataset: str, name: str) -> Measured:
    """Return what was measured of samples that have been scored, by their name.

    Raises:
        InputError: if there is no such row.
    """
    found = [point for point in service.measurements(dataset).points if point.given and point.checkpoint == name]
    if not found:
        raise InputError(f"No row of samples {name!r} is kept for {dataset}.")
    return found[-1]


def first_images(service: Service, dataset: str, point: Measured) -> str:
    """Return the first images of samples that were made elsewhere, as a picture's data URI; '' where none are kept."""
    samples = str(point.quality["hashes"].get("samples", ""))
    if not HASH.fullmatch(samples) or dataset not in service.entries():  # both become parts of a path
        return ""
    for root in checkpoint.roots():
        with suppress(OSError):
            content = read_file(given.first_images(rows.rows_path(dataset, root), samples))
            return f"data:image/png;base64,{base64.b64encode(content).decode()}" if len(content) <= MOST_BYTES else ""
    return ""


def score_samples(
    service: Service, dataset: str, files: Sequence[str], name: str, stated: Sequence[str], stop: Event
) -> Iterator[Waiting | Scoring]:
    """Score samples made elsewhere against a data set's real images; the row goes beside the user's own.

    Args:
        service: The service.
        dataset: The data set.
        files: Uploaded ones, a generation each.
        name: What the samples are called.
        stated: Milliseconds per image, network calls per image and the machine of that time, as texts; '' if unknown.
        stop: Once it is set, no row is written any more; nothing is yielded that is `done`.

    Raises:
        InputError: in one sentence, on anything bad, or where the app is public.
    """
    check_open()
    service.check_dataset(dataset)
    paths = [Path(file) for file in files or ()]
    if not 1 <= len(paths) <= MOST_FILES or any(path.suffix.lower() not in SUFFIXES for path in paths):
        raise InputError(f"Choose the samples' file: {', '.join(SUFFIXES)}; up to {MOST_FILES}, a generation each.")
    with by_name(paths), in_a_sentence("given samples"), service.device.lease(stop, shares=True) as lease:
        yield from lease.line()
        if stop.is_set() or not lease.keep():
            return
        yield Scoring(0.0, "Reading the samples.")
        plan = prepare_samples(paths, dataset, name.strip(), stated=as_stated(*stated))
        with closing(run(plan)) as steps:
            for at in steps:
                if at.problem:
                    raise InputError(at.problem)
                yield from lease.share()
                if stop.is_set() or not lease.keep():
                    return
                yield Scoring(at.share, f"{at.words}.")
        written = [task for task in plan.tasks if task.kind == "samples"]
        words = f"Scored {written[0].generations} × {written[0].n:,} images" if written else "They were scored before"
        yield Scoring(1.0, f"{words}: {name.strip()} is the grey diamond.", done=True)


def as_stated(ms: str, calls: str, machine: str) -> dict[str, Any]:
    """Return what is said of how samples were made, as `gencore.evaluation.plan.prepare_samples` takes it.

    Raises:
        InputError: if the time is no number, or the calls are no whole one.
    """
    time, whole = number_of(ms), whole_of(calls)
    if (ms.strip() and time is None) or (calls.strip() and whole is None):
        raise InputError("A time is a number of milliseconds such as 12.5, and calls are a whole number.")
    return {"ms_per_image": time, "calls": whole, "machine": machine.strip()}


@contextmanager
def by_name(paths: Sequence[Path]) -> Iterator[None]:
    """Tell what is wrong with uploaded files by their names: where the server keeps them is nobody's concern."""
    try:
        yield
    except InputError as error:
        words = str(error)
        for path in paths:
            words = words.replace(str(path), path.name)
        raise InputError(words) from None
