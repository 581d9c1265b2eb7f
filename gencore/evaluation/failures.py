"""The failure lab: broken models made on purpose, each a known answer for the metrics.

A failure is made from a trained model that has the capabilities it needs (never from one of a certain name), from
real images, or from nothing. Each gives `generate(seeds)`, images that depend on their seeds alone, so that a broken
model is measured exactly as a healthy one is. Nothing here is written to disk: a model that has memorised images is
made when it is asked for, from the images at hand.

`notices` and `fooled` say what was measured on the MNIST models in classifier features, by the rule of
the Failure lab's `verdicts`; what lies close to that rule's limit is not stated. A test holds them against the
shipped rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor

from gencore import checkpoint, data
from gencore.errors import InputError, near
from gencore.family import Decodes, Denoises, Encodes, Family, Judges, Noise, image_seed

MODES = 5  # latents that a collapsed generator has left
CANDIDATES = 20  # latents that each of them is chosen from
JITTER = 0.05  # standard deviation around each, of latents of unit variance
DRAWS = 512  # latents whose images are averaged
CALLS = 2  # network calls of a sampler in too great a hurry
COPIES = 100  # training images that a copyist knows
MODEL, IMAGES, SHAPE = "model", "images", "shape"  # what a failure is made from

CRUDE = ("kid", "fd", "precision", "density", "sharpness", "recall", "coverage", "vendi_ratio")  # notice bad images

Generate = Callable[[Iterable[int]], Tensor]  # seeds -> (N, C, H, W) in [-1, 1]
Load = Callable[[str], Family]  # given a checkpoint's name
Models = Iterable[tuple[checkpoint.Entry, Family]]
ABLE = {Encodes: "encodes images", Decodes: "decodes latents", Denoises: "takes noise away step by step"}  # for people


@dataclass(frozen=True)
class Failure:
    """One way to be broken.

    Attributes:
        title: A short name for people.
        about: One sentence: what is broken.
        lesson: One sentence: what to learn from the metrics' answers.
        make: Returns the broken model, given what it is made from.
        source: What that is: MODEL (a `Family`), IMAGES (uint8 training images (N, C, H, W)) or SHAPE ((C, H, W)).
        needs: The capabilities that the model must have.
        suits: Capabilities of the models that break in this way by themselves; one with these is chosen first.
        notices: Metrics, by key, that put it clearly below a healthy model.
        fooled: Metrics, by key, that put it level with a healthy model, or above.
    """

    key: str
    title: str
    about: str
    lesson: str
    make: Callable[[Any], Generate]
    source: str
    needs: tuple[type, ...] = ()
    suits: tuple[type, ...] = ()
    notices: tuple[str, ...] = ()
    fooled: tuple[str, ...] = ()


@dataclass(frozen=True)
class Broken:
    """A failure of one data set, ready to be made.

    Attributes:
        failure: Which one.
        checkpoint: The checkpoint it is made from; '' when it is made from none.
        family: That checkpoint's family, 'none' when there is none.
        problem: One sentence when it cannot be made, else ''.
    """

    failure: Failure
    checkpoint: str = ""
    family: str = "none"
    problem: str = ""
    find: Callable[[], Any] | None = None

    @property
    def key(self) -> str:
        """The failure's key."""
        return self.failure.key

    @property
    def label(self) -> str:
        """The failure's title."""
        return self.failure.title

    @cached_property
    def generate(self) -> Generate:
        """The broken model: seeds -> images (N, C, H, W) in [-1, 1]; made at the first use.

        Raises:
            InputError: if it cannot be made, with the sentence of `problem`.
        """
        if self.problem:
            raise InputError(self.problem)
        return break_down(self.key, self.find())


def break_down(key: str, source: Any) -> Generate:
    """Return the broken model `key` made from `source`.

    Args:
        key: A key of FAILURES.
        source: What the failure's `source` says: a model, uint8 images (N, C, H, W), or a shape (C, H, W).

    Raises:
        InputError: if there is no such failure, or if it cannot be made from that.
    """
    if key not in FAILURES:
        raise InputError(f"There is no failure {key!r}{near(str(key), list(FAILURES))}")
    failure = FAILURES[key]
    if failure.source == MODEL and not fits(source, failure):
        wanted = " and ".join(kind.__name__ for kind in failure.needs)
        raise InputError(f"{failure.title} needs a model that is {wanted}, which {type(source).__name__} is not.")
    return failure.make(source)


def fits(model: Any, failure: Failure) -> bool:
    """Return whether a model has what a failure needs."""
    return isinstance(model, Family) and all(isinstance(model, kind) for kind in failure.needs)


def failures_for(dataset: str, chosen: Mapping[str, str] | None = None, load: Load = checkpoint.load) -> list[Broken]:
    """Return every failure of a data set, in the order of the registry, those that cannot be made with the reason.

    Args:
        dataset: A data set that has checkpoints.
        chosen: By failure, the checkpoint to make it from; by default the one that suits it best.
        load: Returns the model of a checkpoint, given its name.

    Raises:
        InputError: if `chosen` names an unknown failure, or a checkpoint that is not of this data set.
    """
    entries = _checkpoints(dataset)
    names = [entry.name for entry in entries]
    for key, name in (chosen or {}).items():
        if key not in FAILURES:
            raise InputError(f"There is no failure {key!r}{near(str(key), list(FAILURES))}")
        if name not in names:
            raise InputError(f"There is no checkpoint {name!r} on {dataset}{near(str(name), names)}")
    return [_prepare(dataset, failure, entries, (chosen or {}).get(key, ""), load) for key, failure in FAILURES.items()]


def _checkpoints(dataset: str) -> list[checkpoint.Entry]:
    """Return a data set's usable checkpoints, those named like their family first."""
    mine = [entry for entry in checkpoint.entries() if entry.dataset == dataset and not entry.problem]
    return sorted(mine, key=lambda entry: (entry.name.rpartition("/")[2] != entry.family, entry.name))


def _among(entries: list[checkpoint.Entry], chosen: str) -> list[checkpoint.Entry]:
    """Return the chosen checkpoint; without a choice the shipped ones, and the user's own where none is shipped."""
    if chosen:
        return [entry for entry in entries if entry.name == chosen]
    return [entry for entry in entries if not entry.name.startswith("runs/")] or entries


def _loaded(entries: list[checkpoint.Entry], load: Load) -> Iterator[tuple[checkpoint.Entry, Family]]:
    """Yield the checkpoints with their models, but for those whose weights turn out to be damaged."""
    for entry in entries:
        try:
            model = load(entry.name)
        except InputError:
            continue
        yield entry, model


def _prepare(dataset: str, failure: Failure, entries: list[checkpoint.Entry], chosen: str, load: Load) -> Broken:
    models = _loaded(_among(entries, chosen), load)
    if failure.source == MODEL:
        return _prepare_model(failure, chosen or dataset, models, load)
    entry, model = next(models, (None, None))
    if model is None:
        return Broken(failure, problem=f"{chosen or dataset} has no whole weights that say how large its images are.")
    shape = model.image_shape
    if failure.source == SHAPE:
        return Broken(failure, find=lambda: shape)
    if not data.at_hand(dataset):
        words = f"This one is made from training images, and those of {dataset} are not on this machine."
        return Broken(failure, problem=words)
    view = entry.view | {"size": shape[-1]}
    return Broken(failure, find=lambda: data.load_images(dataset, "train", **view).x)


def _prepare_model(failure: Failure, place: str, models: Models, load: Load) -> Broken:
    fitting = [
        (sum(isinstance(model, kind) for kind in failure.suits), entry)
        for entry, model in models
        if fits(model, failure)
    ]
    if not fitting:
        wanted = " and ".join(ABLE[kind] for kind in failure.needs)
        return Broken(failure, problem=f"{place} has no model to break in this way: that needs one that {wanted}.")
    entry = max(fitting, key=lambda pair: pair[0])[1]  # the first of equals
    return Broken(failure, entry.name, entry.family, find=lambda: load(entry.name))


# ---- the broken models


def choose(noise: Noise, count: int) -> Tensor:
    """Return a whole number from 0 to `count` - 1 for each seed, all equally likely: int64 (N,) on the CPU."""
    uniform = torch.special.ndtr(noise()).cpu()
    return (uniform * count).long().clamp_max(count - 1)


def collapse(model: Any) -> Generate:
    """Return a generator with `MODES` latents left, and a little jitter around each.

    A game collapses onto what fools its discriminator: each mode is the one of `CANDIDATES` latents whose image the
    model's own judge takes for real most readily. A model without a judge keeps the first.
    """
    with torch.no_grad():
        latents = model.latent([image_seed(0, i) for i in range(MODES * CANDIDATES)])
        groups = latents.unflatten(0, (MODES, CANDIDATES))
        best = torch.zeros(MODES, dtype=torch.long, device=latents.device)
        if isinstance(model, Judges):
            best = model.judge(model.decode(latents).clamp(-1, 1)).view(MODES, CANDIDATES).argmax(1)
        modes = groups[torch.arange(MODES, device=latents.device), best]

    @torch.no_grad()
    def generate(seeds: Iterable[int]) -> Tensor:
        noise = Noise(seeds, modes.device)
        which = choose(noise, MODES).to(modes.device)
        return model.decode(modes[which] + JITTER * noise(*modes.shape[1:])).clamp(-1, 1)

    return generate


def ignore_latent(model: Any) -> Generate:
    """Return a decoder that ignores its latent: it gives the mean of all that it gave before.

    With the latent unused, the constant that maximises a Gaussian likelihood is the mean image (Bowman et al. 2016;
    Lucas et al. 2019, on posterior collapse); here it is the mean of the images of `DRAWS` latents of the prior.
    """
    with torch.no_grad():
        latents = model.latent([image_seed(0, i) for i in range(DRAWS)])
        mean = torch.cat([model.decode(part) for part in latents.split(64)]).mean(0).clamp(-1, 1)

    def generate(seeds: Iterable[int]) -> Tensor:
        return mean.repeat(len(Noise(seeds)), 1, 1, 1)

    return generate


def hurry(model: Any) -> Generate:
    """Return a diffusion model whose sampler is given `CALLS` network calls, its other knobs as they were."""
    return partial(model.generate, **{calls_knob(model): CALLS})


def calls_knob(model: Family) -> str:
    """Return the name of the knob that sets how many network calls per image takes.

    Raises:
        InputError: if no knob does.
    """
    for knob in model.knobs:
        if knob.integer and knob.low <= CALLS <= knob.high:
            step = next(iter(model.sample([0], **{knob.name: CALLS})))
            if step.total == CALLS:
                return knob.name
    raise InputError(f"{model.title} has no knob that sets its number of network calls.")


def memorise(images: Tensor) -> Generate:
    """Return a model that gives back one of `COPIES` training images, uint8 (N, C, H, W), the first of them."""
    known = data.to_float(images[:COPIES])

    def generate(seeds: Iterable[int]) -> Tensor:
        return known[choose(Noise(seeds), len(known))]

    return generate


def give_noise(shape: tuple[int, int, int]) -> Generate:
    """Return a model that gives noise of `shape` (C, H, W): each value uniform on [-1, 1], on its own."""
    return lambda seeds: 2 * torch.special.ndtr(Noise(seeds)(*shape)) - 1


FAILURES: dict[str, Failure] = {
    failure.key: failure
    for failure in (
        Failure(
            "collapse", "Collapsed to a few modes",
            f"The generator has {MODES} latents left, with a little jitter, so it draws the same {MODES} images "
            "again and again.",
            f"{MODES} flawless images beat the healthy model in precision and density, which look at each image alone: "
            "ask recall, coverage or the Vendi ratio.",
            collapse, MODEL, needs=(Decodes,), suits=(Judges,),
            notices=("kid", "fd", "recall", "coverage", "vendi_ratio", "class_balance", "missing_modes"),
            fooled=("precision", "density", "confidence", "authenticity"),
        ),
        Failure(
            "posterior-collapse", "Posterior collapse",
            "The decoder ignores its latent, so every sample is the average image.",
            "In pixels the average image lies in the middle of the real ones, so precision and density like nothing "
            "better there: judge a blur by sharpness, and in a classifier's features.",
            ignore_latent, MODEL, needs=(Encodes, Decodes),
            notices=(*CRUDE, "pairwise_ratio", "class_balance", "missing_modes"),
            fooled=("confidence", "authenticity"),
        ),
        Failure(
            "too-few-steps", "Too few steps",
            f"The sampler makes {CALLS} network calls and stops, so shapes are still undecided.",
            "Blurred shapes lie between the real ones, so in pixels precision and density even rise: ask sharpness, "
            "coverage or a distance, or a classifier's features.",
            hurry, MODEL, needs=(Denoises,),  # a consistency model is whole after a call
            notices=(*CRUDE, "class_balance"),
            fooled=("pairwise_ratio", "authenticity"),
        ),
        Failure(
            "memorised", f"Memorised {COPIES} images",
            f"The model gives back {COPIES} training images and nothing else.",
            "Copies are perfect images: precision and density find nothing wrong, coverage tells how few they are, and "
            "authenticity alone that they are copies.",
            memorise, IMAGES,
            notices=("recall", "coverage", "vendi_ratio", "authenticity"),
            fooled=("precision", "density", "sharpness", "confidence", "pairwise_ratio"),
        ),
        Failure(
            "noise", "Nothing but noise",
            "Every pixel is random: nothing was learnt.",
            "The classifier is as sure of noise as of images, and noise copies nothing: neither confidence nor "
            "authenticity means anything by itself.",
            give_noise, SHAPE,
            notices=(*CRUDE, "class_balance", "missing_modes"),
            fooled=("pairwise_ratio", "confidence", "authenticity"),
        ),
    )
}  # fmt: skip
