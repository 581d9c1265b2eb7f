"""What each family is trained with: the nearest preset, made to fit the images and the time there is for them.

Widths are those that leave time to see enough images: a small network that has learnt beats a large one that has not.
How fast each is, real training steps of a few seconds tell.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch

from gencore.comparison.watch import FEW
from gencore.data import Images
from gencore.device import synchronise
from gencore.evaluation.cost import estimate
from gencore.families import FAMILIES
from gencore.family import smallest_size
from gencore.presets import PRESETS, Run
from gencore.train import Trainer, rehearsal

PROBE_SECONDS = 5.0  # for a family
SMALL_SIZE = 12  # pixels a side up to which the presets of the 8x8 digits are the nearest
LOWEST = 7  # pixels a side that the lowest resolution has at most
FACTORS = (1.0, 0.5, 0.25)  # of a preset's widths
LEAST_WIDTH = 8  # which normalisation in groups of 8 needs, too
ENOUGH = 0.5  # of the images that a preset trains with, at least: then a family has learnt what it is about
WARMUP, AVERAGED = 0.03, 0.05  # shares of the images: until the learning rate is up; the average's half-life
WORTH = 0.7  # of the fastest one's speed: narrower networks than that are worth nothing
AUGMENT, AUGMENTED = "augment", 0.3  # an argument of families with a discriminator, and its value for few images
REPEATED = 100  # times that each image is shown, from which on they are augmented; see docs/experiments.md
TRIAL = 16  # images made at once to tell how long sampling takes


@dataclass(frozen=True)
class Recipe:
    """How a family is trained, and how fast that goes here.

    Attributes:
        run: The training.
        reasons: Why so, a sentence each.
        images_per_s: Images per second of training.
        sampling_s: Seconds to make one image, by the operating points that are compared.
    """

    run: Run
    reasons: tuple[str, ...]
    images_per_s: float
    sampling_s: Mapping[str, float]


def recipe(family: str, run: Run, splits: Mapping[str, Images], seconds: float, device: str | None = None) -> Recipe:
    """Return how to train a family within a time, found by timing real steps.

    Args:
        family: Its key in FAMILIES.
        run: The data set, its view, and what was settled for all families: `flip`, `seed`.
        splits: The images.
        seconds: The time.
        device: As for `pick_device`.

    Raises:
        InputError: if the family cannot be built for such images.
    """
    _, channels, size, _ = splits["train"].x.shape
    base = nearest_preset(family, channels, size)
    enough, end = ENOUGH * base.config.images, time.monotonic() + PROBE_SECONDS
    ahead, tried = list(candidates(family, base, size)), []
    while ahead and not (tried and tried[-1][0] * seconds >= enough):
        probe = replace(run, family=family, model=ahead.pop(0), train=base.train | run.train)
        trainer = rehearsal(probe, splits, device)
        tried.append((images_per_s(trainer, (end - time.monotonic()) / (len(ahead) + 2)), trainer))
    fastest = max(rate for rate, _ in tried)
    rate, trainer = next(one for one in tried if one[0] * seconds >= enough or one[0] >= WORTH * fastest)
    images, count = max(int(rate * seconds), trainer.config.batch), len(splits["train"].x)
    settings, why = augmented(family, images, count)
    return Recipe(
        settled(trainer, images, settings),
        (*reasons(base, trainer, images, count), *why),
        rate,
        sampling_seconds(trainer),
    )


def nearest_preset(family: str, channels: int, size: int) -> Run:
    """Return the preset of a family whose images are the nearest in size and colour; each family has one of digits."""
    wanted = [] if size <= SMALL_SIZE else [f"mnist/{family}"] if channels == 1 else [f"cifar10/{family}-small"]
    return next(PRESETS[name] for name in (*wanted, f"digits/{family}") if name in PRESETS)


def candidates(family: str, base: Run, size: int) -> Iterator[dict[str, Any]]:
    """Yield the arguments of a family's constructor to try, the widest first, each of other widths than before."""
    defaults = {key: one.default for key, one in _arguments(family).items() if key.endswith("widths")}
    widths = {key: base.model.get(key, default) for key, default in defaults.items()}
    seen = []
    for factor in FACTORS:
        narrower = {key: scaled(fitted(value, size), factor) for key, value in widths.items()}
        if narrower not in seen:
            seen.append(narrower)
            yield base.model | narrower


def fitted(widths: tuple[int, ...], size: int) -> tuple[int, ...]:
    """Return widths for as many resolutions as bring images of a size down to `LOWEST` pixels or less."""
    levels = next(levels for levels in range(1, 16) if smallest_size(size, levels) <= LOWEST)
    return (*widths[:levels], *widths[-1:] * (levels - len(widths)))


def scaled(widths: tuple[int, ...], factor: float) -> tuple[int, ...]:
    """Return widths times a factor, in multiples of 8 where they were, 8 at the least."""
    return tuple(width if factor == 1 else max(LEAST_WIDTH, round(width * factor / 8) * 8) for width in widths)


def _arguments(family: str) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(FAMILIES[family].__init__).parameters


def images_per_s(trainer: Trainer, seconds: float) -> float:
    """Return the images per second of real training steps: of one at least, after one to warm up."""
    trainer.advance()
    synchronise(trainer.model.device)
    start, steps = time.perf_counter(), 0
    while not steps or time.perf_counter() - start < seconds:
        trainer.advance()
        steps += 1
    synchronise(trainer.model.device)
    return steps * trainer.config.batch / (time.perf_counter() - start)


def augmented(family: str, images: int, count: int) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the constructor's arguments by which a family learns from few images, and why, in a sentence.

    A discriminator that sees the same images again and again learns them by heart; one that has seen them a few times
    only learns from images as they are.

    Args:
        family: Its key in FAMILIES; one that cannot augment is left as it is.
        images: How many it will see, repeats included.
        count: How many there are.
    """
    if AUGMENT not in _arguments(family) or count >= FEW:
        return {}, ()
    if images < REPEATED * count:
        return {AUGMENT: 0.0}, ()
    why = f"{AUGMENTED:.0%} of them are shown to the discriminator changed at random, as it sees each of so few often."
    return {AUGMENT: AUGMENTED}, (why,)


def settled(trainer: Trainer, images: int, settings: Mapping[str, Any]) -> Run:
    """Return a trainer's run with what depends on the number of images, and with how the probe found it computes best.

    So a run that is resumed measures nothing again.

    Args:
        trainer: Of the probe.
        images: How many it will see.
        settings: Arguments of the constructor that differ from the probe's.
    """
    chosen = {
        "images": images,
        "warmup": min(trainer.config.warmup, round(WARMUP * images)),
        "ema_halflife": max(trainer.config.batch, round(AVERAGED * images)),
        "dtype": trainer.settings.dtype,
        "layout": trainer.settings.layout,
        "threads": trainer.settings.threads,
    }
    return replace(trainer.run, model=trainer.run.model | settings, train=trainer.run.train | chosen)


@torch.no_grad()
def sampling_seconds(trainer: Trainer) -> dict[str, float]:
    """Return the seconds that one image takes at each operating point that is compared across families."""
    model = trainer.averaged_model()
    points = [point for point in model.points if point.kind == "headline"]
    return {point.label: estimate(model, TRIAL, point.knobs)[1] / TRIAL for point in points}


def reasons(base: Run, trainer: Trainer, images: int, count: int) -> Iterator[str]:
    """Yield why a family is trained so, a sentence each."""
    widths = trainer.run.model.get("widths")
    if widths:
        narrowed = widths != fitted(tuple(base.model.get("widths", widths)), trainer.model.config.size)
        why = "narrowed, so that it sees enough images in this time" if narrowed else "as in the nearest preset"
        yield f"Widths {', '.join(map(str, widths))}: {why}."
    yield f"About {images:,} images in all, each of the {count:,} shown {images / count:,.1f} times."


def fastest_threads(family: str, run: Run, splits: Mapping[str, Images], device: str | None = None) -> int:
    """Return how many threads train fastest: torch's own choice or one, as small images are done before all have begun.

    Where other programs keep the cores busy, threads wait for each other, and one is many times as fast.
    """
    usual = torch.get_num_threads()
    if usual == 1:
        return 1
    _, channels, size, _ = splits["train"].x.shape
    base = nearest_preset(family, channels, size)
    model = next(candidates(family, base, size))
    rates = {}
    for threads in (1, usual):
        probe = replace(run, family=family, model=model, train=base.train | run.train | {"threads": threads})
        rates[threads] = images_per_s(rehearsal(probe, splits, device), PROBE_SECONDS / 5)
    return max(rates, key=rates.__getitem__)
