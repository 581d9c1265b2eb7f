"""Checkpoints at their operating points, measured: a row with intervals per point, and a row of its cost.

Generation g = 0, 1, ... has the images of the seeds `image_seed(g, i)`, made in micro-batches of a fixed size and
quantised to uint8. They are kept (`samples`), so an interruption loses one micro-batch at the most, and scored from
what is kept. All rows are compared with the same real test images: the cached features.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from torch import Tensor

from gencore.checkpoint import roots
from gencore.data import View, at_hand, identity, load_splits
from gencore.errors import InputError
from gencore.evaluation import rows
from gencore.evaluation.assemble import scored_row
from gencore.evaluation.costing import Costing
from gencore.evaluation.crew import Crew
from gencore.evaluation.given import keep_first_images
from gencore.evaluation.making import Making, RowProgress, Unmeasurable, measuring
from gencore.evaluation.plan import prepare
from gencore.evaluation.scoring import BatchFeatures, Scores
from gencore.evaluation.task import Plan, Task
from gencore.locks import DEVICE, holder, owned, taken

ROUNDS = 10  # in which the points' times are taken in turn
COST_WORDS = {"counting": "counting calls and operations", "memory": "memory", "timing": "timing"}
PATIENCE, TICK = 300.0, 0.1  # seconds to wait for the device, and between two looks at it
MEANWHILE = "measured by another evaluation meanwhile"
CAUTION = 0.05  # the share of the work before which its pace so far says less than the estimate


class Unfinished(InputError):
    """Some rows could not be measured; all others are written."""


@dataclass(frozen=True)
class Progress:
    """Where an evaluation is.

    Attributes:
        task: What is being measured.
        place: Its place among `total`, from 1 on.
        total: Rows to measure.
        share: The share of the whole work that is done, in [0, 1].
        eta_s: About how many seconds are left.
        words: What is being done.
        row: The row that has just been written, else None.
        same: Whether a row that was scored again came out as it stands there, so that none was written.
        problem: One sentence when this row could not be measured, else ''; the next ones follow.
    """

    task: Task
    place: int
    total: int
    share: float
    eta_s: float
    words: str
    row: Mapping[str, Any] | None = None
    same: bool = False
    problem: str = ""


def evaluate(names: Sequence[str] = (), points: str = "headline", **options: Any) -> Iterator[Progress]:
    """Measure checkpoints at their operating points, adding a row each; see `prepare` for the arguments."""
    yield from run(prepare(names, points, **options))


def run(plan: Plan, crew: Crew | None = None) -> Iterator[Progress]:
    """Measure what was planned; a row is on the disk when the `Progress` with it is yielded.

    One evaluation at a time writes into a file of rows: a second one waits, and then leaves out what is measured.

    Args:
        plan: What to measure.
        crew: The processes that make the images, of which this one leads; by default this one alone.

    Raises:
        InputError: if the rows cannot be written; and at the end, if one could not be measured.
    """
    with ExitStack() as mine:
        for words in turn_at({task.path for task in plan.tasks}, mine):
            yield Progress(plan.tasks[0], 1, len(plan.tasks), 0.0, plan.seconds, words)
        yield from measured(plan, crew)


def turn_at(paths: Collection[Path], mine: ExitStack) -> Iterator[str]:
    """Wait, with words, until no other evaluation writes rows into some files, and keep others from it meanwhile.

    Two evaluations of the same points side by side would do all the work twice, each slowed down by the other.

    Args:
        paths: The files.
        mine: Until it is closed no other evaluation has them.

    Raises:
        InputError: if a file cannot be locked.
    """
    for path in sorted(paths):  # all in one order, so that no two wait for each other
        lock = path.with_name(f".{path.name}.lock")
        while owned(lock, mine) is None:
            yield f"waiting for another evaluation, {holder(lock)}, that writes into {path}"
            time.sleep(TICK)


def measured(plan: Plan, crew: Crew | None) -> Iterator[Progress]:
    """Measure what was planned: first the rows of scores, each in turn, then those of costs; see `run`."""
    evaluation, failed = Evaluation(plan, crew), 0
    for moment in chain(scored(evaluation), costs(evaluation)):
        failed += bool(moment.problem)
        yield moment
    if failed:
        raise Unfinished(f"{failed} of {len(plan.tasks)} rows could not be measured; the others are written.")


def scored(evaluation: Evaluation) -> Iterator[Progress]:
    """Measure the rows of scores that are planned, one after another."""
    for task in evaluation.plan.tasks:
        if task.kind == "cost":
            continue
        try:
            for moment in evaluation.measure(task):
                new = moment.row is not None and add(task, moment.row)
                same = moment.row is not None and not new and task.before is not None
                words = moment.words if new or same or moment.row is None else f"{task.title}: {MEANWHILE}"
                yield evaluation.progress(task, moment.seconds, words, row=moment.row if new else None, same=same)
        except Unmeasurable as error:
            yield evaluation.progress(task, task.seconds, task.title, problem=str(error))
        evaluation.clock.passed += task.seconds


def costs(evaluation: Evaluation) -> Iterator[Progress]:
    """Measure the rows of costs that are planned, all of them side by side; a row is written when all are measured.

    An interruption leaves rows of the repeats that there are by then, once every size of a point has been timed.
    """
    costings = []
    for task in evaluation.plan.tasks:
        if task.kind == "cost" and evaluation.is_there(task):
            yield evaluation.progress(task, task.seconds, f"{task.title}: {MEANWHILE}")
            evaluation.clock.passed += task.seconds
        elif task.kind == "cost":
            costings.append(Costing(task, ROUNDS))
    try:
        yield from rounds(evaluation, costings)
        while costings:
            costing = costings.pop(0)
            new = add(costing.task, costing.row)
            words = f"{costing.task.title}: {'done' if new else MEANWHILE}"
            yield evaluation.progress(costing.task, 0.0, words, row=costing.row if new else None)
    except BaseException:  # an interruption, or nobody listens any more
        for costing in costings:
            if costing.is_timed:
                add(costing.task, costing.row)
        raise


def rounds(evaluation: Evaluation, costings: list[Costing]) -> Iterator[Progress]:
    """Count at each point, then time all of them, round by round; one that cannot be measured is taken out."""
    while going := [costing for costing in costings if not costing.is_over]:
        for costing in going:
            task, before = costing.task, costing.share
            try:
                for moment in evaluation.cost(costing):
                    yield evaluation.progress(task, moment.seconds, moment.words)
                evaluation.clock.passed += task.rest * (costing.share - before)
            except Unmeasurable as error:
                costings.remove(costing)
                evaluation.clock.passed += task.rest * (1 - before)
                yield evaluation.progress(task, 0.0, task.title, problem=str(error))


def add(task: Task, row: Mapping[str, Any]) -> bool:
    """Add a task's row to its file; return whether it was added.

    It is not if another process has meanwhile, or if it is scored again and comes out as it stands there.

    Raises:
        InputError: if it cannot be written.
    """

    def is_there(known: Mapping[str, Any]) -> bool:
        if task.before:
            return known == task.before and all(row[key] == known.get(key) for key in ("scores", "hashes", "version"))
        return not task.repeat and task.is_measured_by(known)

    return rows.append_unless(task.path, row, is_there)


class Clock:
    """Tells how far the work is and how long the rest takes, from what was expected and what it took so far.

    Attributes:
        passed: The seconds that the work that is done was expected to take.
    """

    def __init__(self, expected: float):
        self.expected, self.passed, self.started = expected, 0.0, time.monotonic()

    def read(self, inside: float) -> tuple[float, float]:
        """Return the share that is done and the seconds left, `inside` expected seconds into a task."""
        done, trust = self.passed + inside, CAUTION * self.expected
        pace = (time.monotonic() - self.started + trust) / (done + trust) if trust else 1.0
        return done / self.expected if self.expected else 1.0, max(self.expected - done, 0.0) * pace


class Evaluation(Making):
    """Measures tasks, with one model in memory at a time."""

    def __init__(self, plan: Plan, crew: Crew | None = None):
        super().__init__(plan.device, crew)
        self.plan, self.clock = plan, Clock(plan.seconds)
        self.places = {id(task): place for place, task in enumerate(plan.tasks, start=1)}
        self.images: tuple[str, Tensor | None] | None = None

    def progress(self, task: Task, inside: float, words: str, **more: Any) -> Progress:
        """Return where the evaluation is, `inside` expected seconds into a part of a task."""
        return Progress(task, self.places[id(task)], len(self.places), *self.clock.read(inside), words, **more)

    def measure(self, task: Task) -> Iterator[RowProgress]:
        """Yield the moments of a row of scores, the last one with it, unless another process has written that.

        Raises:
            Unmeasurable: if this task cannot be measured.
            InputError: if the disk refuses.
        """
        if self.is_there(task):
            yield RowProgress(task.seconds, f"{task.title}: {MEANWHILE}")
        else:
            yield from self.sampled(task)
            yield from self.scored(task)

    def is_there(self, task: Task) -> bool:
        """Return whether another process has meanwhile written the row of a task that is not to be repeated."""
        return not task.repeat and any(map(task.is_measured_by, rows.read(task.path)[0]))

    def scored(self, task: Task) -> Iterator[RowProgress]:
        """Yield the moments of scoring a row's images, generation by generation."""
        started, generations = time.monotonic(), []
        for generation in range(task.generations):
            parts = []
            with measuring(task.title):
                for found, share in self.batch_features(task, generation):
                    parts.append(found)
                    at = task.sampling + task.rest * (generation + share) / task.generations
                    yield RowProgress(at, f"{task.title}, scoring generation {generation + 1} of {task.generations}")
                generations.append(self.scores(task, BatchFeatures.join(parts), generation))
        seconds = task.samples.seconds(task.generations, task.n) if task.samples else 0.0
        reference = self.plan.references[task.dataset]
        row = scored_row(task, generations, reference, seconds + time.monotonic() - started)
        if task.samples:
            row["settings"]["threads"] = task.samples.made["threads"]
        if task.given:
            keep_first_images(task.path, task.given)
        yield RowProgress(task.seconds, task.title, row)

    def batch_features(self, task: Task, generation: int) -> Iterator[tuple[BatchFeatures, float]]:
        """Yield the features of a generation's images, batch by batch, and the share of it that they complete."""
        reference, done = self.plan.references[task.dataset], 0
        if task.kind == "real" and self.train_images(task.dataset) is None:
            yield reference.cached_train(generation * task.n, (generation + 1) * task.n), 1.0
            return
        for images in self.batches(task, generation):
            done += len(images)
            yield reference.extract(images), done / task.n

    def batches(self, task: Task, generation: int) -> Iterator[Tensor]:
        """Yield a generation's images, uint8 (b, C, H, W), in batches: real, given, or kept ones."""
        if task.kind == "real":
            return self.real_batches(task, generation)
        return task.given.read(generation) if task.given else task.samples.read(generation, task.n)

    def real_batches(self, task: Task, generation: int) -> Iterator[Tensor]:
        """Yield the train images of a baseline's block, uint8 (b, C, H, W), in batches."""
        last = (generation + 1) * task.n
        for start in range(generation * task.n, last, task.batch):
            yield self.train_images(task.dataset)[start : min(start + task.batch, last)]

    def train_images(self, dataset: str) -> Tensor | None:
        """Return the real train images of a data set, uint8 (N, C, H, W); None if they are not here or are damaged.

        Raises:
            InputError: if they are not those that the features are of.
        """
        if self.images is None or self.images[0] != dataset:
            reference, splits = self.plan.references[dataset], {}
            with suppress(InputError):
                splits = load_splits(dataset, View(**reference.view), ("train",)) if at_hand(dataset) else {}
            reference.refuse_others(identity(splits), f"{dataset} has")
            self.images = dataset, splits["train"].x if splits else None
        return self.images[1]

    def scores(self, task: Task, features: BatchFeatures, generation: int) -> Scores:
        """Return what a generation scores."""
        reference = self.plan.references[task.dataset]
        if task.kind == "real":
            return reference.baseline_scores(features, generation, task.generations)
        return reference.scores(features)

    def turn(self, task: Task, mine: ExitStack) -> Iterator[RowProgress]:
        """Wait until no run of the app has the device, and keep others from it until `mine` is closed.

        An app that holds it for longer than any run of its takes has lost sight of it: then it is timed all the same.
        """
        path, last = roots()[-1] / DEVICE, time.monotonic() + PATIENCE
        while (held := taken(path)) is None and time.monotonic() < last:
            yield RowProgress(0.0, f"{task.title}: waiting for a run of the app to end, as both would be slower")
            time.sleep(TICK)
        mine.enter_context(held or ExitStack())

    def cost(self, costing: Costing) -> Iterator[RowProgress]:
        """Yield the moments of a point's next part of measuring what it costs, alone on the device."""
        task, before = costing.task, costing.share
        with measuring(task.title), ExitStack() as mine:
            yield from self.turn(task, mine)
            for at in costing.part(self.model(task)):
                words = f"{task.title}: {COST_WORDS[at.stage]}"
                if at.timing:
                    words = f"{task.title}: {at.timing.n} at once, {at.timing.ms_per_image:,.2f} ms per image"
                yield RowProgress(task.rest * (at.share - before), words)
