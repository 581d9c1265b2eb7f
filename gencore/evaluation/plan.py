"""What an evaluation will measure, row by row, and about how long it takes: said before anything starts."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from gencore import checkpoint
from gencore.choices import choose_settings
from gencore.data import View, at_hand, identity, load_splits
from gencore.device import DTYPES, LAYOUTS, Settings, describe_machine, pick_device
from gencore.environment import processes
from gencore.errors import InputError
from gencore.evaluation import cost, rows, samples
from gencore.evaluation.assemble import training
from gencore.evaluation.failures import Broken, failures_for
from gencore.evaluation.given import given as read_given
from gencore.evaluation.options import EvalOptions
from gencore.evaluation.scoring import Reference
from gencore.evaluation.task import Plan, Task, about, plain_settings
from gencore.extractors import Show
from gencore.families import FAMILIES
from gencore.family import POINT_KINDS, Family, Point, image_seed
from gencore.paths import as_path

# Images per generation, and generations. Three of a sweep's 2,000 are more images than five of 1,000, but the interval
# of three is 1.4 times as wide (Student's t of 2 degrees of freedom is 4.30, of 4 is 2.78), too wide to rank by.
SIZES = {"headline": (5000, 5), "lecture": (5000, 5), "sweep": (1000, 5)}
SLOW_CALLS, SLOW_SIZES = 500, (400, 5)  # there the KID alone, which is unbiased, carries over to other n
NAMES = re.compile(r"[\w()+.-][\w ()+.-]{0,59}")  # of samples; no '/', as in a checkpoint's
MAX_CALLS = 1_000_000  # per image, of samples from elsewhere
TRIAL = 16  # images that tell how long a point takes
SCORING_SECONDS = 3.5  # features and metrics of 5,000 images in one extractor, on one core; only for the estimate


def prepare(names: Sequence[str] = (), points: str = "headline", *, show: Show | None = None, **options: Any) -> Plan:
    """Return what there is to measure, with an estimate from a small timed batch of each point.

    The arguments are those of `EvalOptions`, and `show`, which is told the progress of the timing.

    Raises:
        InputError: on anything bad, before anything is measured.
    """
    options = EvalOptions(names=names, points=points, **options)
    return Planner(options, show or (lambda share, words: None)).plan()


def prepare_samples(
    paths: str | Path | Sequence[str | Path],
    dataset: str,
    name: str,
    *,
    stated: Mapping[str, Any] | None = None,
    **options: Any,
) -> Plan:
    """Return the plan of scoring samples that were made elsewhere, and the baseline beside them.

    Args:
        paths: The files, see `gencore.evaluation.given`.
        dataset: The data set that they are compared with; it has features.
        name: What they are called on the pages.
        stated: What is known of how they were made: 'ms_per_image', and 'calls' and 'machine' with it.
        options: Of `EvalOptions`: `n`, `generations`, `out` and `device`.

    Raises:
        InputError: on anything bad.
    """
    if not isinstance(name, str) or not NAMES.fullmatch(name):
        raise InputError(f"The name must be 1 to 60 letters, digits, spaces and ()+-_., not {name!r}.")
    planner = Planner(EvalOptions(**options), lambda share, words: None)
    reference = planner.references[dataset] = Reference(dataset, planner.device)
    refuse_changed_data(reference)
    given = read_given(paths, reference.image_shape, min(SIZES["headline"][0], reference.size),
                       planner.options.n, planner.options.generations)  # fmt: skip
    if given.n > reference.size:
        raise InputError(f"n is {given.n:,}, but {dataset} has {reference.size:,} real test images to compare with.")
    stated = checked_statement(stated or {})
    task = Task(
        kind="samples", dataset=dataset, checkpoint=name, family="samples",
        point=Point(calls_words(stated.get("calls")), {}, "headline"), knobs={}, n=given.n,
        generations=given.generations, settings=plain_settings(), batch=planner.options.batch,
        hashes={"samples": given.hash, **reference.hashes}, given=given, stated=stated, reference=reference.size,
        path=as_path(planner.options.out or rows.rows_path(dataset, checkpoint.roots()[-1])),
        rest=given.generations * scoring_seconds(given.n, reference),
    )  # fmt: skip
    return planner.planned([task])


def refuse_changed_data(reference: Reference) -> None:
    """Refuse test images, where they are at hand, that are not those that the features are of.

    Raises:
        InputError: if they are others.
    """
    if not reference.identity or not at_hand(reference.dataset):
        return
    splits = {}
    with suppress(InputError):  # the features are enough
        splits = load_splits(reference.dataset, View(**reference.view), ("test",))
    reference.refuse_others(identity(splits), f"{reference.dataset} has")


def checked_statement(stated: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is said of how samples were made, without what is not said.

    Raises:
        InputError: if the time is none, or calls or a machine are told without it.
    """
    stated = {key: value for key, value in stated.items() if value not in (None, "")}
    ms, calls = stated.get("ms_per_image"), stated.get("calls", 1)
    number = isinstance(ms, int | float) and not isinstance(ms, bool) and math.isfinite(ms) and ms > 0
    if stated and not number:
        raise InputError("The time per image must be more than 0 ms, and calls or a machine are told only with a time.")
    cost.check_count("calls", calls, MAX_CALLS)
    return stated


def calls_words(calls: int | None) -> str:
    """Return the label of samples from elsewhere: '50 calls', or 'as given' where that is not told."""
    return "as given" if calls is None else f"{calls:,} call{'s' * (calls != 1)}"


class Planner:
    """Makes the plan of what was asked for."""

    def __init__(self, options: EvalOptions, show: Show):
        self.options, self.show = options, show
        self.device = str(pick_device(options.device))
        self.machine = describe_machine(self.device)
        self.left_out: list[str] = []
        self.problems: list[str] = []
        self.references: dict[str, Reference] = {}
        self.found: dict[Path, list[dict[str, Any]]] = {}

    def plan(self) -> Plan:
        """Return the plan.

        Raises:
            InputError: if there is nothing to measure, or no place for it.
        """
        return self.planned(self.tasks())

    def planned(self, tasks: Sequence[Task]) -> Plan:
        """Return the plan of some tasks with their baselines.

        Raises:
            InputError: if there is no place for it.
        """
        tasks = [*self.baselines(tasks), *tasks]
        ahead = [task for task in tasks if task.repeat or not any(map(task.is_measured_by, self.rows_of(task.path)))]
        for path in {task.path for task in ahead}:
            rows.check_writable(path)
        if any(task.lacking for task in ahead):
            rows.check_writable(samples.folder() / "any")
        self.problems += dict.fromkeys(sentence for task in ahead if task.samples for sentence in task.samples.torn)
        most = self.options.most_seconds
        slow = [task for task in ahead if most is not None and task.seconds > most]
        self.left_out += [f"{task.title} ({task.kind}) is left out: {about(task.seconds)}." for task in slow]
        return Plan(
            tasks=tuple(task for task in ahead if task not in slow),
            finished=len(tasks) - len(ahead),
            left_out=tuple(self.left_out),
            problems=tuple(self.problems),
            references=self.references,
            device=self.device,
        )

    def tasks(self) -> list[Task]:
        """Return the tasks of all checkpoints that were asked for, and of their data sets' failure labs.

        Raises:
            InputError: if there are none, or if a checkpoint that was named cannot be used.
        """
        entries, tasks, usable = self.checkpoints(), [], []
        for place, entry in enumerate(entries):
            self.show(place / len(entries), f"timing a small batch of each point of {entry.name}")
            try:
                tasks += list(self.of_checkpoint(entry))
                usable.append(entry)
            except InputError as error:  # only now were the weights read
                self.leave_out(entry, error)
        for path, dataset in dict.fromkeys((rows.path_for(entry, self.options.out), entry.dataset) for entry in usable):
            tasks += self.of_failures(path, dataset)
        if not usable:
            raise InputError(self.left_out[0])
        if not tasks:
            raise InputError(
                f"There is nothing to measure: no point of kind {self.options.points!r}"
                + (f" with {' or '.join(map(repr, self.options.only))} in its label" if self.options.only else "")
                + (f" and without {' or '.join(map(repr, self.options.skip))}." if self.options.skip else ".")
            )
        return tasks

    def leave_out(self, entry: checkpoint.Entry, error: InputError) -> None:
        """Leave out a checkpoint that cannot be used, unless it was asked for by name.

        Raises:
            InputError: if it was.
        """
        if self.options.names:
            raise error
        self.left_out.append(f"{entry.name} is left out: {error}")

    def checkpoints(self) -> list[checkpoint.Entry]:
        """Return the checkpoints that were asked for, those of a data set with features.

        Raises:
            InputError: if one that was named cannot be measured, or if there is none at all.
        """
        if self.options.names:
            named = {entry.path.resolve(): entry for entry in map(checkpoint.find, self.options.names)}
            for entry in named.values():
                self.prepare_reference(entry)
            return list(named.values())
        ready = []
        for entry in checkpoint.entries():
            if entry.name.startswith("runs/"):
                continue
            try:
                self.prepare_reference(entry)
                ready.append(entry)
            except InputError as error:
                self.leave_out(entry, error)
        if not ready:
            raise InputError(
                self.left_out[0] if self.left_out else "There is no checkpoint to measure; train one first."
            )
        return ready

    def prepare_reference(self, entry: checkpoint.Entry) -> None:
        """Load what a checkpoint's images are compared with, which measuring costs alone does not need.

        Raises:
            InputError: if the checkpoint is not usable, has no features, or if there are too few test images.
        """
        if entry.problem:
            raise InputError(entry.problem)
        if self.options.rows == "cost":
            return
        if entry.dataset not in self.references:
            self.references[entry.dataset] = Reference(entry.dataset, self.device)
        self.references[entry.dataset].refuse_others(entry.identity, f"{entry.name} was trained on")
        most = self.references[entry.dataset].size
        if self.options.n is not None and self.options.n > most:
            raise InputError(
                f"n is {self.options.n:,}, but {entry.dataset} has {most:,} real test images to compare with, and both "
                f"sides must be equally many; n can be at most {most:,}."
            )

    def rows_of(self, path: Path) -> list[dict[str, Any]]:
        """Return the rows of a file; lines that are none, or another data set's, are kept as problems."""
        if path not in self.found:
            dataset = None if self.options.out else path.parent.name  # a file of one's own may hold several
            read = [rows.read(one, dataset) for one in rows.beside(path)]
            self.found[path] = [row for good, _ in read for row in good]
            self.problems += [sentence for _, bad in read for sentence in bad]
        return self.found[path]

    # ---- the tasks

    def of_checkpoint(self, entry: checkpoint.Entry) -> Iterator[Task]:
        """Yield the tasks of a checkpoint, each once: a point's quality and its cost."""
        path = rows.path_for(entry, self.options.out)
        points = [
            point for point in points_of(FAMILIES[entry.family], self.options.points) if self.options.wants(point.label)
        ]
        if not points:
            return
        model = checkpoint.load(entry, self.device)
        if self.options.rows != "cost":
            blank = torch.zeros(1, *model.image_shape, dtype=torch.uint8)
            self.references[entry.dataset].extract(blank)  # do they fit?
        settings = self.settings(model, entry, path)
        settings.apply(model)
        hashes = {"checkpoint": rows.checkpoint_hash(entry.path)}
        trials: dict[str, tuple[int, float]] = {}
        timing = self.options.timing_seconds or cost.SECONDS
        seen = set()
        for point in points:
            knobs = model.resolve_knobs(point.knobs)
            key = json.dumps(knobs, sort_keys=True)
            if key not in trials:
                trials[key] = cost.estimate(model, TRIAL, knobs)
            calls, seconds = trials[key]
            timed = Task(
                kind="cost", dataset=entry.dataset, checkpoint=entry.name, family=entry.family, point=point,
                knobs=knobs, settings=settings, batch=self.options.batch, hashes=hashes, path=path, entry=entry,
                calls=calls, rest=min(timing, 300 * seconds) + 10, device=self.device,
                timing_seconds=timing,
                training=training(entry, cost.count_parameters(model)), repeat=self.options.again,
                auto=self.options.dtype == "auto",
            )  # fmt: skip
            for task in self.wanted(timed, seconds / TRIAL):
                if (key, task.kind, task.n) not in seen:
                    yield task
                seen.add((key, task.kind, task.n))

    def wanted(self, timed: Task, seconds_per_image: float) -> list[Task]:
        """Return the kinds of rows that were asked for of a point, given the task of its cost."""
        quality = replace(timed, kind="quality", repeat=False)
        return [
            *([] if self.options.rows == "cost" else [self.scored(quality, seconds_per_image)]),
            *([] if self.options.rows == "quality" else [timed]),
        ]

    def scored(self, task: Task, seconds_per_image: float) -> Task:
        """Return a task with the size of its sample and what that takes."""
        reference = self.references[task.dataset]
        usual = SIZES.get(task.point.kind, SIZES["headline"])
        n, generations = SLOW_SIZES if task.calls >= SLOW_CALLS else usual
        n = self.options.n or min(n, reference.size)
        sized = replace(
            task, n=n, generations=self.options.generations or generations, hashes={**task.hashes, **reference.hashes},
            reference=reference.size,
        )  # fmt: skip
        if self.options.again and sized.lacking:
            there = [row for row in self.rows_of(sized.path) if sized.is_measured_by(row)]
            sized = replace(sized, repeat=True, before=there[-1] if there else None)
        return replace(
            sized,
            sampling=sized.lacking * seconds_per_image / (1 if sized.broken else processes()),
            rest=sized.generations * scoring_seconds(n, reference),
        )

    def settings(self, model: Family, entry: checkpoint.Entry, path: Path) -> Settings:
        """Return how a checkpoint's networks compute: as for its last row here, so that 'auto' chooses once.

        Without one, as for its last row from another machine with such a device: pages set times beside scores of the
        same settings alone.
        """
        dtypes = DTYPES if self.options.dtype == "auto" else (self.options.dtype,)
        measured = [row for row in reversed(self.rows_of(path)) if row["kind"] in ("quality", "cost")]
        measured += [one for one in samples.ledgers().values() if not one["failure"]]
        for alike in (("device", "name"), ("device",)):
            for made in measured:
                used, mine = made["settings"], made["checkpoint"] == entry.name
                here = all(made["machine"].get(key) == self.machine[key] for key in alike)
                if mine and here and used["dtype"] in dtypes and used.get("layout") in LAYOUTS:
                    return Settings(used["dtype"], used["layout"], torch.get_num_threads())
        work = f"sampling of {TRIAL} images at default knobs"
        return choose_settings(model, lambda trial, _: cost.estimate(trial, TRIAL, {}), work, self.options.dtype)

    def of_failures(self, path: Path, dataset: str) -> Iterator[Task]:
        """Yield the tasks of a data set's failure lab: every broken model's scores."""
        if self.options.points not in ("failures", "all") or self.options.rows == "cost":
            return
        for broken in failures_for(dataset, load=partial(checkpoint.load, device=self.device)):
            if not self.options.wants(broken.label):
                continue
            try:
                seconds = seconds_of(broken)
            except InputError as error:
                self.left_out.append(f"{dataset}, {broken.label} is left out: {error}")
                continue
            folder = checkpoint.resolve(broken.checkpoint) if broken.checkpoint else None
            task = Task(
                kind="failure", dataset=dataset, checkpoint=broken.checkpoint, family=broken.family or "none",
                point=Point(broken.label, {}, "failure"), knobs={}, settings=plain_settings(),
                batch=self.options.batch, hashes={"checkpoint": rows.checkpoint_hash(folder)} if folder else {},
                path=path, broken=broken, failure=broken.key, device=self.device if folder else "cpu",
            )  # fmt: skip
            yield self.scored(task, seconds / TRIAL)

    def baselines(self, tasks: Sequence[Task]) -> Iterator[Task]:
        """Yield the baseline of each n: real train images against the real test images of the tasks."""
        done = set()
        for task in tasks:
            if task.kind == "cost" or (task.path, task.dataset, task.n) in done:
                continue
            done.add((task.path, task.dataset, task.n))
            reference = self.references[task.dataset]
            blocks = min(task.generations, reference.train_size // task.n)
            kept = [row["generations"] for row in self.rows_of(task.path) if _is_baseline(row, task, reference)]
            blocks = max([blocks, *kept])  # one of more blocks than could be made now is as good
            if blocks < 2:
                self.left_out.append(
                    f"Real images of {task.dataset} at n = {task.n:,} are left out: two blocks of so many are needed, "
                    f"and there are {reference.train_size:,} train images."
                )
                continue
            baseline = Task(
                kind="real", dataset=task.dataset, checkpoint="", family="real",
                point=Point("real train images", {}, "baseline"), knobs={}, n=task.n, generations=blocks,
                settings=plain_settings(), batch=task.batch, hashes=reference.hashes, path=task.path,
                reference=reference.size, rest=blocks * scoring_seconds(task.n, reference),
            )  # fmt: skip
            yield baseline


def _is_baseline(row: Mapping[str, Any], task: Task, reference: Reference) -> bool:
    """Return whether a row is the baseline of a task's n, of as many generations at most."""
    same = (row["kind"], row["dataset"], row.get("n"), row["hashes"])
    return same == ("real", task.dataset, task.n, reference.hashes) and row["generations"] <= task.generations


def points_of(family: type[Family], kind: str) -> list[Point]:
    """Return a family's operating points of a kind; of 'all' kinds headline first.

    A sweep is a whole curve, compared at one n: the points of the other kinds lie on it too and are measured again
    with the sweep's n.
    """
    if kind == "all":
        return [point for one in POINT_KINDS for point in points_of(family, one)]
    if kind == "sweep":
        return [replace(point, kind="sweep") for point in family.points]
    return [point for point in family.points if point.kind == kind]


def seconds_of(broken: Broken) -> float:
    """Return about how long a broken model takes for `TRIAL` images; it is made by this.

    Raises:
        InputError: if it cannot be made.
    """
    seeds = [image_seed(0, place) for place in range(TRIAL)]
    for _ in range(2):  # the first time is slower than the rest
        start = time.perf_counter()
        broken.generate(seeds).cpu()  # which waits for the device
        seconds = time.perf_counter() - start
    return seconds


def scoring_seconds(n: int, reference: Reference) -> float:
    """Return about how long features and metrics of a generation take: each image beside all real ones of a split."""
    return len(reference.extractors) * (0.1 + SCORING_SECONDS * n / 5000)
