"""The bound of the likelihood, measured: its terms on real images, with intervals over the images, as one row.

The bound is the checkpoint's, not an operating point's: it belongs to the model as it was trained, with the prior and
the variances that the row names, and no knob changes it.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gencore import checkpoint
from gencore.data import to_float
from gencore.device import pick_device
from gencore.errors import InputError
from gencore.evaluation import cost, rows
from gencore.evaluation.assemble import common, training
from gencore.evaluation.evaluate import Clock, turn_at
from gencore.evaluation.real_images import real_images
from gencore.evaluation.task import Task, plain_settings
from gencore.families import FAMILIES
from gencore.family import MAX_IMAGES, Bounds, BoundsInParts, Family, Part, Point, parse_seed, sum_parts
from gencore.metrics import interval

POINT = Point("likelihood bound", {}, "bound")
UNCERTAINTY = "sampling uncertainty over images only: one training run"
TRIAL_PARTS = 3  # network calls that tell how long all of them take


@dataclass(frozen=True)
class Job:
    """What there is to measure: the images `x`, uint8 (n, C, H, W), the first of `split`; `seed` is of the draws.

    Without `keep` the row is told and not written.
    """

    task: Task
    model: Family
    x: Tensor
    split: str
    seed: int
    keep: bool = True


@dataclass(frozen=True)
class Progress:
    """Where the measuring is.

    Attributes:
        share: The share that is done, in [0, 1].
        words: What is being done.
        eta_s: About how many seconds are left.
        row: The row, which is written if it is to be kept, at the end.
    """

    share: float
    words: str
    eta_s: float
    row: Mapping[str, Any] | None = None


def measure(name: str, n: int = 1000, split: str = "test", **options: Any) -> Iterator[Progress]:
    """Measure a checkpoint's bound, adding a row; see `prepare` for the arguments."""
    yield from run(prepare(name, n, split, **options))


def prepare(
    name: str,
    n: int = 1000,
    split: str = "test",
    *,
    seed: int = 0,
    dtype: str = "float32",
    device: str | None = None,
    batch: int = 100,
    out: str | Path | None = None,
    keep: bool = True,
) -> Job:
    """Return what there is to measure, with an estimate of its time from a few timed network calls.

    Args:
        name: A checkpoint, by name or folder.
        n: Images: the first n of the split, 2 at the least, as one has no interval.
        split: 'train', 'validation' or 'test', of the data set that the checkpoint was trained on.
        seed: Of the bound's random draws; with the same batch it gives the same numbers.
        dtype: 'float32', 'bfloat16' or 'float16': what the networks compute in.
        device: As for `pick_device`.
        batch: Images at once.
        out: The file for the row; by default `rows.jsonl` beside the data set's checkpoints.
        keep: Whether the row is written.

    Raises:
        InputError: on anything bad, before anything is measured.
    """
    cost.check_count("n", n, MAX_IMAGES, 2)
    cost.check_count("batch", batch, MAX_IMAGES)
    seed, place = parse_seed(seed), str(pick_device(device))
    entry = checkpoint.find(name)
    if entry.problem:
        raise InputError(entry.problem)
    path = rows.path_for(entry, out)
    hashes = {"checkpoint": rows.checkpoint_hash(entry.path)}
    model = checkpoint.load(entry, place, dtype)
    if not isinstance(model, Bounds):
        having = ", ".join(kind.title for kind in FAMILIES.values() if issubclass(kind, Bounds))
        raise InputError(f"A {model.title} has no bound of the likelihood, so {entry.name} has none ({having} have).")
    x = images_of(entry, model, n, split)
    if keep:
        rows.check_writable(path)
    task = Task(
        kind="bound", dataset=entry.dataset, checkpoint=entry.name, family=entry.family, point=POINT, knobs={}, n=n,
        generations=1, settings=plain_settings(dtype), batch=batch, hashes=hashes, path=path, entry=entry,
        rest=estimate(model, to_float(x[:batch])) * n / min(n, batch), device=place,
    )  # fmt: skip
    return Job(task, model, x, split, seed, keep)


def images_of(entry: checkpoint.Entry, model: Family, n: int, split: str) -> Tensor:
    """Return the first n real images of a split, uint8 (n, C, H, W), in the model's size.

    Raises:
        InputError: if they cannot be had, are others than it was trained on, fewer, or have other channels than its.
    """
    x = real_images(entry, split, model.config.size).x
    if n > len(x):
        raise InputError(f"n is {n:,}, but the {split} split of {entry.dataset} has {len(x):,} images.")
    if x.shape[1:] != model.image_shape:
        have, want = ("x".join(map(str, shape)) for shape in (x.shape[1:], model.image_shape))
        raise InputError(f"The images of {entry.dataset} are {have}, but {entry.name} is made for {want}.")
    return x[:n]


def estimate(model: Family, x: Tensor) -> float:
    """Return about how many seconds the bound of images x, float (N, C, H, W) in [-1, 1], takes at once."""

    def trial() -> list[tuple]:
        return [*islice(of_batch(model, x.to(model.device), torch.Generator()), TRIAL_PARTS)]

    for _ in range(2):  # the first time is slower than the rest
        found, seconds = cost.timed(model.device, trial)
    share, _, _ = found[-1]
    return seconds / share


def of_batch(
    model: Family, x: Tensor, generator: torch.Generator
) -> Iterator[tuple[float, dict[str, Tensor], list[Part]]]:
    """Yield the share of a batch that is done, and at the end with its terms and the parts that they are the sum of.

    Args:
        model: A model with `Bounds`; one without `BoundsInParts` has no parts.
        x: Images (N, C, H, W) in [-1, 1].
        generator: Of the random draws.
    """
    if not isinstance(model, BoundsInParts):
        with torch.no_grad():
            terms = model.bound(x, generator)
        yield 1.0, terms, []
        return
    parts: list[Part] = []
    for part in model.bound_parts(x, generator):
        parts.append(part)
        if part.index < part.total:
            yield part.index / part.total, {}, []
    yield 1.0, sum_parts(parts), parts


def run(job: Job) -> Iterator[Progress]:
    """Measure; a row to keep is on the disk when the `Progress` with it is yielded, and an interruption leaves none.

    It waits for an evaluation that writes into the same file of rows, as that does for it.

    Raises:
        InputError: if the bound of an image is not finite, or if the row cannot be written.
    """
    with ExitStack() as mine:
        for words in turn_at([job.task.path] if job.keep else [], mine):
            yield Progress(0.0, words, job.task.seconds)
        yield from _measured(job)


def _measured(job: Job) -> Iterator[Progress]:
    task, started, clock = job.task, time.monotonic(), Clock(job.task.seconds)
    job.task.settings.apply(job.model)
    generator = torch.Generator().manual_seed(job.seed)
    terms: dict[str, list[float]] = defaultdict(list)
    curve: dict[tuple[int, int], list[float]] = defaultdict(list)
    for start in range(0, task.n, task.batch):
        x = to_float(job.x[start : start + task.batch]).to(job.model.device)
        for share, found, parts in of_batch(job.model, x, generator):  # noqa: B007 - the last ones are the result
            done = (start + share * len(x)) / task.n
            words = f"{task.title}, images {start + 1:,} to {start + len(x):,} of {task.n:,}"
            share_done, eta_s = clock.read(task.seconds * done)
            yield Progress(share_done, words, eta_s)
        for name, values in found.items():
            terms[name] += finite(values, f"{name} of {task.checkpoint}", start)
        for part in parts:
            if part.steps > 1:  # a term of one step alone is no curve
                curve[part.low, part.high] += finite(part.value, f"{part.term} of {task.checkpoint}", start)
    row = row_of(job, terms, curve, time.monotonic() - started)
    if job.keep:
        rows.append(task.path, row)
    yield Progress(1.0, task.title, 0.0, row)


def finite(values: Tensor, what: str, start: int) -> list[float]:
    """Return values as numbers.

    Raises:
        InputError: if one is NaN or infinite, naming the image; `start` is the place of the first.
    """
    bad = (~torch.isfinite(values)).nonzero()
    if len(bad):
        raise InputError(f"{what} cannot be measured: it is not finite at image {start + bad[0].item()}.")
    return values.cpu().double().tolist()


# ---- the row


def row_of(
    job: Job, terms: Mapping[str, list[float]], curve: Mapping[tuple[int, int], list[float]], seconds: float
) -> dict[str, Any]:
    """Return the row.

    Args:
        job: What was measured.
        terms: Each term in nats, one value per image.
        curve: By the first and last t of a stratum, nats per image and step of t, one value per image.
        seconds: How long it took.
    """
    pixels = job.x[0].numel()
    row = common(job.task, seconds) | {
        "n": job.task.n,
        "split": job.split,
        "seed": job.seed,
        "dimensions": pixels,
        "terms": {name: {"nats": ends(v), "bits_per_dim": ends(v, pixels * math.log(2))} for name, v in terms.items()},
        "basis": job.model.bound_basis(),
        "uncertainty": UNCERTAINTY,
        "training": training(job.task.entry, cost.count_parameters(job.model)),
    }
    steps = [{"t_low": low, "t_high": high, **ends(values)} for (low, high), values in sorted(curve.items())]
    return row | ({"curve": steps} if steps else {})


def ends(values: list[float], scale: float = 1.0) -> dict[str, float]:
    """Return the mean over images with the ends of its 95% t-interval, all divided by `scale`."""
    return dict(zip(("mean", "low", "high"), (end / scale for end in interval(values)), strict=True))
