"""What a comparison will train and measure, and about how long that takes: said before anything starts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gencore.checkpoint import roots
from gencore.comparison.mirror import flips
from gencore.comparison.recipes import Recipe, fastest_threads, recipe
from gencore.comparison.state import Member, State
from gencore.data import Images, View, dataset_key, difference, identity, load_splits
from gencore.errors import InputError, near
from gencore.evaluation.plan import SCORING_SECONDS, SIZES
from gencore.evaluation.task import about
from gencore.extractors import EXTRACTORS, FOLDER, Options, extractors_of
from gencore.extractors.base import class_count
from gencore.extractors.pace import pass_seconds
from gencore.extractors.reference import load_real, refuse_other_view
from gencore.families import FAMILIES
from gencore.metrics import metrics_of
from gencore.presets import Run

SIZES_TAKEN = range(8, 65, 2)  # pixels a side
LEAST = 200  # held-out images below which some metrics say little
DIMENSIONS = 64  # of most extractors' features
EXTRACTOR_SECONDS = 1.0  # of trying an extractor that learns
FEATURES_SHARE = 0.2  # of the time of all trainings, that learning extractors may take
TIMING_SHARE, TIMING_SECONDS = 0.1, (1.0, 60.0)  # of a family's time, to time a point; at least and at most
COST_SECONDS = 8.0  # of a row of costs beside the timing
SCORING_LEAST = 0.03  # seconds of scoring a generation in one extractor, however small its images are
SIDE = 28  # pixels a side of the images that `SCORING_SECONDS` is of
GENERATIONS = SIZES["headline"][1]
Show = Callable[[float, str], None]


@dataclass(frozen=True)
class Asked:
    """What was asked for: the data set, in what form it is read, minutes for each family, which, on which device."""

    data: str
    view: View
    minutes: float
    families: tuple[str, ...]
    device: str | None = None

    def __post_init__(self) -> None:
        """Check all that can be checked without reading the data.

        Raises:
            InputError: naming what is wrong.
        """
        if not 0 < self.minutes <= 100_000:
            raise InputError(f"minutes must be more than 0 and at most 100000, not {self.minutes:g}.")
        if not self.families:
            raise InputError(f"Name one family at least: {', '.join(FAMILIES)}.")
        for family in self.families:
            if family not in FAMILIES:
                raise InputError(f"There is no family {family!r}{near(family, list(FAMILIES))}")

    @property
    def seconds(self) -> float:
        """The time for each family."""
        return 60 * self.minutes


def plan(asked: Asked, show: Show) -> State:
    """Return a comparison that has not begun: recipes, what is measured, and estimates.

    Raises:
        InputError: if the data cannot be had or trained on, or if other images' features are in the way.
    """
    show(0.0, f"reading {asked.data}")
    splits = load_splits(asked.data, asked.view)
    check(asked, splits)
    flip, why = flips(splits["train"])
    run = Run("", asked.data, {}, {"flip": flip}, asked.view.record())
    run = replace(run, train=run.train | {"threads": fastest_threads(asked.families[0], run, splits, asked.device)})
    recipes: dict[str, Recipe] = {}
    for place, family in enumerate(asked.families):
        show(place / len(asked.families), f"timing steps of {family}")
        recipes[family] = recipe(family, run, splits, asked.seconds, asked.device)
    show(1.0, "timing steps of extractors")
    n = min(SIZES["headline"][0], len(splits["test"].x))
    effort, learning = extractors_time(asked, splits)
    state = State(
        data=asked.data, view=asked.view.record(), minutes=asked.minutes, created=f"{datetime.now():%Y-%m-%d %H:%M:%S}",
        members=tuple(member(family, made, asked.seconds) for family, made in recipes.items()),
        n=n, effort=effort, estimates=estimates(asked, splits, recipes, n, learning),
    )  # fmt: skip
    total = sum(state.estimates.values())
    return replace(state, eta_s=total, sentences=(*sentences(splits, n), why, *hurried(state, splits)))


def check(asked: Asked, splits: Mapping[str, Images]) -> None:
    """Refuse images that are not trained on here, and a data set whose name has the features of other images.

    Raises:
        InputError: in these cases.
    """
    size = splits["train"].x.shape[-1]
    if size not in SIZES_TAKEN:
        raise InputError(
            f"The images of {asked.data} have {size} pixels a side; compare takes even sizes from {SIZES_TAKEN[0]} to "
            f"{SIZES_TAKEN[-1]}: give one with --size, such as --size 32."
        )
    refuse_other_view(asked.data, asked.view, splits["train"].x.shape[1:], roots()[-1])
    if not makes_features(asked.data):
        theirs = load_real(asked.data, extractors_of(asked.data)[0])
        if changed := difference(theirs.identity, identity(splits)):
            raise InputError(
                f"There are features of other images called {dataset_key(asked.data)} ({changed}): read these images "
                "in the same form, or give their folder another name."
            )


def makes_features(data: str) -> bool:
    """Return whether features are made: not where they are shipped, outside the user's own root."""
    key = dataset_key(data)
    return not any(next((root / key / FOLDER).glob("*-real.safetensors"), None) for root in roots()[:-1])


def member(family: str, made: Recipe, seconds: float) -> Member:
    """Return a family's part at the beginning."""
    return Member(
        family=family, checkpoint=family, model=made.run.model, train=made.run.train, reasons=made.reasons,
        budget_s=seconds, images_per_s=made.images_per_s,
    )  # fmt: skip


def run_of(state: State, one: Member) -> Run:
    """Return the training of a family."""
    return Run(one.family, state.data, one.model, one.train, state.view)


def timing_seconds(seconds: float) -> float:
    """Return how long to time an operating point, where a family trains for so many seconds."""
    return min(max(TIMING_SHARE * seconds, TIMING_SECONDS[0]), TIMING_SECONDS[1])


def learnable(splits: Mapping[str, Images]) -> list[str]:
    """Return the extractors that a data set allows and that need nothing from elsewhere."""
    labelled = all(part.labelled for part in splits.values()) and class_count(splits) > 1
    return [cls.name for cls in EXTRACTORS.values() if not cls.pretrained and (labelled or not cls.needs_labels)]


def extractors_time(asked: Asked, splits: Mapping[str, Images]) -> tuple[float, float]:
    """Return with which effort extractors are learnt, and about how many seconds all that is made of real images takes.

    Real passes are timed. With the effort, learning takes `FEATURES_SHARE` of the time of all trainings, or more where
    extractors would see too little otherwise.
    """
    if not makes_features(asked.data):
        return 1.0, 0.0
    count, channels, *_ = splits["train"].x.shape
    named = [(name, EXTRACTORS[name]) for name in learnable(splits)]
    tried, options = [cls for _, cls in named if cls.passes(count, channels)], Options(device=asked.device)
    times = {cls: pass_seconds(cls, splits, options, EXTRACTOR_SECONDS) for cls in tried}
    whole = sum(cls.passes(count, channels) * each for cls, each in times.items())
    share = FEATURES_SHARE * asked.seconds * len(asked.families) / whole if whole else 1.0
    effort = min(1.0, max(share, 0.001))
    learning = sum(cls.passes(count, channels, effort) * each for cls, each in times.items())
    return effort, learning + len(named) * max(times.values(), default=0.0)  # the features of all real images, too


def hurried(state: State, splits: Mapping[str, Images]) -> Iterator[str]:
    """Yield a sentence if extractors learn in fewer passes than is usual."""
    count, channels, *_ = splits["train"].x.shape
    passes = {name: (EXTRACTORS[name].passes(count, channels, state.effort), EXTRACTORS[name].passes(count, channels))
              for name in learnable(splits)}  # fmt: skip
    fewer = [f"{name} in {now:,} passes, usually {full:,}" for name, (now, full) in passes.items() if now < full]
    if fewer:
        yield f"As the time is short, what images are compared in is learnt in less: {', '.join(fewer)}."


def estimates(
    asked: Asked, splits: Mapping[str, Images], recipes: Mapping[str, Recipe], n: int, learning: float
) -> dict[str, float]:
    """Return about how many seconds each phase takes; `learning` is the features'."""
    points = [seconds for made in recipes.values() for seconds in made.sampling_s.values()]
    side = splits["train"].x.shape[-1] / SIDE
    scoring = len(learnable(splits)) * (SCORING_LEAST + SCORING_SECONDS * side**2 * n / 5000)
    per_point = GENERATIONS * scoring + timing_seconds(asked.seconds) + COST_SECONDS
    return {
        "training": asked.seconds * len(recipes),
        "features": learning,
        "evaluating": GENERATIONS * n * sum(points) + len(points) * per_point + GENERATIONS * scoring,
    }


def sentences(splits: Mapping[str, Images], n: int) -> Iterator[str]:
    """Yield what there is to train on and to measure with, and what cannot be measured."""
    _, channels, size, _ = splits["train"].x.shape
    counts = ", ".join(f"{len(part.x):,} {split}" for split, part in splits.items())
    colour = "grey" if channels == 1 else "RGB"
    classes = f"{class_count(splits)} classes" if splits["train"].labelled else "no classes"
    yield f"Images: {counts}, {size}x{size} {colour}, {classes}."
    yield f"Measured in {', '.join(learnable(splits))} features: {GENERATIONS} generations of {n:,} images each."
    lacking = [one.name for one in metrics_of(splits["train"].name).values() if one.least(DIMENSIONS) > n]
    if n < LEAST:
        yield f"Only {n:,} held-out images: at least {LEAST} are needed for figures that can be relied on."
    if lacking:
        yield f"Too few held-out images for {', '.join(lacking)}: these say so."


def lines(state: State) -> Iterator[str]:
    """Yield what will be done, for people."""
    yield from state.sentences
    for one in state.members:
        how = f"{about(one.budget_s)} of training at {one.images_per_s:,.0f} images/s"
        yield f"{one.family}: {how}. {' '.join(one.reasons)}"
    words = ", ".join(f"{phase} {about(seconds)}" for phase, seconds in state.estimates.items() if seconds)
    yield f"In all {about(sum(state.estimates.values()))}: {words}."


def families_of(names: Sequence[str] | None) -> tuple[str, ...]:
    """Return the families of `--families`, separated by commas or given several times; all if none was given."""
    given = [part.strip() for name in names or () for part in name.split(",") if part.strip()]
    return tuple(dict.fromkeys(given)) if names else tuple(FAMILIES)
