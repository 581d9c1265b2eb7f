"""A comparison from its plan to its verdict. Whatever ends it, the same command goes on where it was."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from gencore import checkpoint
from gencore.checkpoint import LOG, TIMELAPSE
from gencore.comparison.card import CARD, write_card
from gencore.comparison.plan import Asked, makes_features, run_of, timing_seconds
from gencore.comparison.state import FILE, LOCK, Member, State, read_state, write_state
from gencore.comparison.verdict import verdict
from gencore.comparison.watch import Watch
from gencore.data import View, load_splits
from gencore.errors import InputError, reason
from gencore.evaluation import evaluate, rows
from gencore.evaluation.plan import prepare
from gencore.extractors import Options, default_extractor
from gencore.extractors.reference import write_features
from gencore.locks import Owner, alone
from gencore.presets import Run
from gencore.train import Diverged, train

WRITE_SECONDS = 1.0  # between two writings of the state
ILL = (InputError, RuntimeError, OSError, MemoryError)  # RuntimeError: a device without memory, too
TRAINED = ("trained", "measured")
LEFT = (checkpoint.STATE, checkpoint.WEIGHTS, checkpoint.CONFIG, checkpoint.RUN, LOG)
MEMORY = "There is not enough memory for this; try a smaller --size, or fewer other programs."


@dataclass(frozen=True)
class Moment:
    """Where a comparison is: its phase, how much of that is done in [0, 1], seconds left in it, and a few words."""

    phase: str
    share: float
    eta_s: float
    words: str


class Comparison:
    """One comparison in its folder, worked on by this process alone; see `opened`.

    Attributes:
        folder: Where it is.
        state: Where it stands; `comparison.json` is at most a second older.
    """

    def __init__(self, folder: Path, state: State, device: str | None, stop: Callable[[], bool]):
        self.folder, self.state, self.device, self.stop = folder, state, device, stop
        self.written = 0.0

    def put(self, now: bool = False, **changes: Any) -> None:
        """Change the state, and write it: at once, or when it is time to."""
        self.state = replace(self.state, **changes)
        if now or time.monotonic() - self.written > WRITE_SECONDS:
            write_state(self.folder, self.state)
            self.written = time.monotonic()

    def put_member(self, family: str, now: bool = False, **changes: Any) -> None:
        """Change one family's part."""
        self.put(now, members=self.state.with_member(family, **changes).members)

    def run(self) -> Iterator[Moment]:
        """Train, make features, measure, judge; each only as far as it is not done.

        Raises:
            InputError: if it cannot go on; the state says why, too.
            KeyboardInterrupt: if it was asked to stop.
        """
        try:
            for phase, work in (("training", self.train), ("features", self.features), ("evaluating", self.evaluate)):
                self.put(now=True, phase=phase, share=0.0, words="")
                with closing(work()) as moments:  # what is under way is saved here, and says here if it cannot be
                    for moment in moments:
                        self.put(share=moment.share, eta_s=self.left(phase, moment.eta_s), words=moment.words)
                        yield moment
                        if self.stop():
                            raise KeyboardInterrupt
            self.put(now=True, share=1.0, eta_s=0.0, words="", verdict=self.verdict())
            self.write_cards()
            self.put(now=True, phase="done")
        except (KeyboardInterrupt, GeneratorExit):
            self.put(now=True, phase="stopped", words="Stopped; the same command goes on from here.")
            raise
        except ILL as error:
            with suppress(InputError):  # a disk that is full takes no sentence either
                self.put(now=True, phase="failed", words=sentence_of(error))
            raise InputError(sentence_of(error)) from error

    def left(self, phase: str, seconds: float) -> float:
        """Return about how many seconds are left in all, given those of this phase."""
        later = list(self.state.estimates)[list(self.state.estimates).index(phase) + 1 :]
        return seconds + sum(self.state.estimates[one] for one in later)

    # ---- training

    def train(self) -> Iterator[Moment]:
        """Train each family that is not trained yet; one that fails leaves the others their turn.

        Raises:
            InputError: if all have failed.
        """
        ahead = [one.family for one in self.state.members if one.state not in TRAINED]
        watch = Watch(load_splits(self.state.data, View(**self.state.view), ("train", "validation"))) if ahead else None
        for family in ahead:
            try:
                yield from self.train_one(self.state.member(family), watch.fresh())
            except Diverged as error:
                self.put_member(family, now=True, state="failed", **gentler(self.state, family, error))
            except ILL as error:
                self.put_member(family, now=True, state="failed", words=sentence_of(error))
        if not any(one.state in TRAINED for one in self.state.members):
            raise InputError(" ".join(f"{one.family}: {one.words}" for one in self.state.members))

    def train_one(self, one: Member, watch: Watch) -> Iterator[Moment]:
        """Train one family, from where it was."""
        out = self.folder / one.checkpoint
        if diverged(out, run_of(self.state, one)):
            self.put_member(one.family, now=True, seconds=0.0, images=0)
            clear(out)
        resume = (out / checkpoint.STATE).exists()
        self.put_member(one.family, now=True, state="training", words="")
        steps = train(
            run_of(self.state, one), out, minutes=self.state.minutes, resume=resume, device=self.device,
            stop=lambda: watch.copies or self.stop(),
        )  # fmt: skip
        with closing(steps):
            for at in steps:
                watch.look(at)
                self.put_member(
                    one.family, seconds=round(at.seconds, 2), images=at.images, images_per_s=round(at.images_per_s, 1),
                    words=watch.words,
                )  # fmt: skip
                yield self.training_moment(one.family, at.eta_s)
        if self.stop():
            raise KeyboardInterrupt
        record = checkpoint.find(str(out)).run  # a run that was killed after its last step takes none to tell of
        self.put_member(
            one.family, now=True, state="trained", images=record["images"], seconds=round(record["seconds"], 2)
        )

    def training_moment(self, family: str, eta: float) -> Moment:
        """Return how far all trainings are, where one has some seconds to go."""
        place = [one.family for one in self.state.members].index(family)
        waiting = [one for one in self.state.members[place + 1 :] if one.state not in TRAINED]
        left = eta + sum(one.budget_s for one in waiting)
        whole = sum(one.budget_s for one in self.state.members)
        return Moment("training", max(0.0, 1 - left / whole), left, f"training {family}")

    # ---- features and rows

    def features(self) -> Iterator[Moment]:
        """Make the features of the real images that are not there yet."""
        if not makes_features(self.state.data):
            return
        seconds, start = max(self.state.estimates.get("features", 0.0), 1.0), time.monotonic()

        def moment(words: str) -> Moment:
            left = max(seconds - (time.monotonic() - start), 0.0)
            return Moment("features", 1 - left / seconds, left, words)

        def show(share: float, words: str) -> None:
            """Take what an extractor that learns says of itself; here a stop is heard, too, as it takes long."""
            now = moment(words)
            self.put(share=now.share, eta_s=self.left("features", now.eta_s), words=words)
            if self.stop():
                raise KeyboardInterrupt

        options, view = Options(device=self.device, effort=self.state.effort), View(**self.state.view)
        for line in write_features(self.state.data, checkpoint.roots()[-1], "all", options, show, view, keep=True):
            yield moment(line)

    def evaluate(self) -> Iterator[Moment]:
        """Measure the trained families at the points that are compared, a row each; rows that are there are kept."""
        trained = [one for one in self.state.members if one.state in TRAINED]
        names = [str(self.folder / one.checkpoint) for one in trained]
        # As in training, also where it was interrupted since: times depend on it.
        torch.set_num_threads(run_of(self.state, trained[0]).config.threads or torch.get_num_threads())
        out = None if self.inside() else rows.rows_path(self.state.data, checkpoint.roots()[-1])
        plan = prepare(
            names, "headline", show=lambda share, words: self.put(words=words), device=self.device, out=out,
            timing_seconds=timing_seconds(60 * self.state.minutes),
        )  # fmt: skip
        problems: dict[str, str] = {}
        with closing(evaluate.run(plan)) as steps, suppress(evaluate.Unfinished):
            for at in steps:
                problems |= {at.task.family: at.problem} if at.problem else {}
                yield Moment("evaluating", at.share, at.eta_s, at.words)
        for one in self.state.members:
            if one.state in TRAINED:
                self.put_member(one.family, state="measured", words=problems.get(one.family, one.words))

    def inside(self) -> bool:
        """Return whether the folder lies under one of the roots of checkpoints, so that its rows have a place."""
        return any(self.folder.resolve().is_relative_to(root.resolve()) for root in checkpoint.roots())

    def entries(self) -> list[checkpoint.Entry]:
        """Return the checkpoints of the families that are trained."""
        return [checkpoint.find(str(self.folder / one.checkpoint)) for one in self.state.members
                if one.state in TRAINED]  # fmt: skip

    def known(self) -> list[dict[str, Any]]:
        """Return the rows of the data set that are not stale."""
        data, inside = self.state.data, self.inside()
        path = rows.path_for(self.entries()[0]) if inside else rows.rows_path(data, checkpoint.roots()[-1])
        return [row for row in rows.read(path)[0] if not rows.is_stale(row)]

    def verdict(self) -> str:
        """Return what to use for what."""
        return verdict(self.known(), [entry.name for entry in self.entries()], default_extractor(self.state.data))

    def write_cards(self) -> None:
        """Write a card beside each trained checkpoint; one that there is, perhaps changed by hand, stays."""
        known = self.known()
        for entry in self.entries():
            if not (entry.path / CARD).exists():
                write_card(entry, self.state, known, default_extractor(self.state.data))


@contextmanager
def opened(folder: Path, asked: Asked, planned: Callable[[], State], stop: Callable[[], bool]) -> Iterator[Comparison]:
    """Give the comparison in a folder, begun or gone on with, while no other process has it.

    Args:
        folder: Where it is, or will be.
        asked: What was asked for.
        planned: Makes the plan of one that has not begun.
        stop: Asked between steps whether to stop.

    Raises:
        InputError: if another process works on it, if it is another comparison, or if the folder cannot be written to.
    """
    with alone(folder / LOCK, "worked on") as mine:
        state = read_state(folder) if (folder / FILE).exists() else None
        if state:
            refuse_another(folder, asked, state)
        comparison = Comparison(folder, owned(state or planned(), mine), asked.device, stop)
        comparison.put(now=True)
        yield comparison


def owned(state: State, mine: Owner) -> State:
    """Return a state that names its process; what failed before is tried again."""
    members = tuple(replace(one, state="waiting") if one.state == "failed" else one for one in state.members)
    return replace(state, members=members, pid=mine.pid, since=mine.since)


def refuse_another(folder: Path, asked: Asked, state: State) -> None:
    """Refuse to go on with a comparison of something else than what was asked for.

    Raises:
        InputError: naming what differs.
    """
    before = {"data": state.data, "view": View(**state.view).record(), "minutes": state.minutes,
              "families": [one.family for one in state.members]}  # fmt: skip
    now = {"data": asked.data, "view": asked.view.record(), "minutes": asked.minutes, "families": [*asked.families]}
    for key, value in before.items():
        if value != now[key]:
            raise InputError(
                f"{folder} holds a comparison with {key} {value}, not {now[key]}: go on with the same, or choose "
                "another folder with --out."
            )


def gentler(state: State, family: str, error: Diverged) -> dict[str, Any]:
    """Return the changes of a family whose training diverged: the next one begins anew, with half the learning rate."""
    run = run_of(state, state.member(family))
    lr = run.config.lr / 2
    return {"train": run.train | {"lr": lr}, "words": f"{error} The same command does so, with an lr of {lr:g}."}


def diverged(out: Path, run: Run) -> bool:
    """Return whether what a folder holds was trained with another learning rate than a run is to be: it diverged."""
    try:
        return Run.from_record(checkpoint.read_json(out / checkpoint.RUN)).config.lr != run.config.lr
    except (InputError, OSError):
        return False


def clear(out: Path) -> None:
    """Remove what a training that diverged has left."""
    for path in (*(out / name for name in LEFT), *(out / TIMELAPSE).glob("*.png")):
        path.unlink(missing_ok=True)


def sentence_of(error: BaseException) -> str:
    """Return what an error means for people."""
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
        return MEMORY
    return str(error) if isinstance(error, InputError) else f"{reason(error)}."
