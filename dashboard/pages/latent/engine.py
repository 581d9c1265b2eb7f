"""The latent spaces of the models: paths between images, a map, single dimensions, images encoded and decoded."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
import torch

from dashboard.results.projection import Plane, class_plane, spread_plane
from dashboard.service import InputError, Lane, Service
from dashboard.service.cache import Cache
from dashboard.service.device import Waiting, finish
from dashboard.service.downloads import Walk
from dashboard.service.images import encodings
from dashboard.service.lanes import checkpoint_key
from dashboard.service.parsing import parse_point, parse_seed, parse_whole
from dashboard.service.pixels import encode, to_input, to_pixels
from dashboard.service.problems import without_paths
from gencore.encodings import FILE, Encodings
from gencore.evaluation.cost import counted_calls
from gencore.families.likelihood import normal_kl
from gencore.family import (
    Bounds,
    BoundsInParts,
    Decodes,
    Diffuses,
    Encodes,
    Family,
    Inverts,
    Noise,
    Part,
    image_seed,
    sum_parts,
)  # fmt: skip
from gencore.latents import path, spot, traversal
from gencore.pictures import gif

STRIP = 9  # pictures of a path that are seen side by side
FINE, COARSE = 33, 17  # pictures of a path in all: where one network call decodes, and where it takes many
CHUNK = 16  # pictures decoded at once
PLANES = ("most spread", "classes apart")
NEAR = 0.15  # of a map's spread: how near an image must be to count
OFFSETS = (-3, -2, -1, 0, 1, 2, 3)  # of a traversal, in spreads
DRAWS = 16  # of z, that a bound is the mean of where one takes one network call
WAIT = 1.5  # seconds that a picture which should come at once waits for the device
PATIENT = 30.0  # seconds that a picture waits which nobody will ask for again
CALLS = 52  # of a bound that takes many, about
GIF_MS, GIF_SCALE = 60, 6

T = TypeVar("T")


@dataclass(frozen=True)
class Ends:
    """The two ends of a path, checked: two seeds, or two images, uint8 (2, C, H, W)."""

    seeds: tuple[int, int] | None = None
    images: np.ndarray | None = None


def parse_seeds(a: Any, b: Any) -> Ends:
    """Return two seeds as ends.

    Raises:
        InputError: if one of them is no seed.
    """
    return Ends(seeds=(parse_seed(a), parse_seed(b)))


def morph(frames: Mapping[int, np.ndarray]) -> bytes:
    """Return the frames of a path as an animated GIF that goes there and back."""
    there = [np.ascontiguousarray(frames[place].transpose(1, 2, 0)) for place in sorted(frames)]
    return gif([*there, *there[-2:0:-1]], GIF_MS, GIF_SCALE)


@dataclass(frozen=True)
class Row:
    """One family's path, as far as it is decoded.

    Attributes:
        family: The family's name.
        title: Its name for people.
        great_circle: Whether the path is a great circle, else it is straight.
        total: Pictures in all, at even shares from 0 to 1.
        frames: uint8 (C, H, W) by place; those that are there.
        state: 'waiting', 'running', 'done', 'stopped' or 'absent'.
        seconds: The model's time so far.
        problem: One sentence when it is absent.
        checkpoint: What decodes it.
        ends: What it is between.
        decoded: The places of the pictures that are there, in the groups that one call decoded each.
    """

    family: str
    title: str
    great_circle: bool = False
    total: int = 0
    frames: Mapping[int, np.ndarray] = field(default_factory=dict)
    state: str = "waiting"
    seconds: float = 0.0
    problem: str = ""
    checkpoint: str = ""
    ends: Ends = field(default_factory=Ends)
    decoded: tuple[tuple[int, ...], ...] = ()


def walked(row: Row) -> Walk:
    """Return a row that is done as what a bundle has of it."""
    seeds = None if row.ends.seeds is None else tuple(image_seed(seed, 0) for seed in row.ends.seeds)
    images = np.stack([row.frames[place] for place in range(row.total)])
    return Walk(row.checkpoint, seeds, row.ends.images, row.decoded, images)


@dataclass(frozen=True)
class Map:
    """A plane through a latent space, with encoded images on it.

    Attributes:
        plane: The plane, with the encoded images as its points.
        labels: int64 (N,) their classes, or None.
        means: float32 (N, d) their encodings.
        width: How near an image must be to count for what the map does not show; see `gencore.latents.spot`.
        split: Which split of the data set they are the first of.
    """

    plane: Plane
    labels: np.ndarray | None
    means: np.ndarray
    width: float
    split: str


@dataclass(frozen=True)
class Spot:
    """What a spot of a map decodes to: uint8 (C, H, W), and which encoded image is nearest in the latent space."""

    image: np.ndarray
    nearest: int


@dataclass(frozen=True)
class Traversal:
    """An image's latent moved along one dimension at a time.

    Attributes:
        dimensions: The dimensions, the strongest first.
        kl: Nats of each of them, the mean over real images where encodings are kept, else of this image.
        images: uint8 (dimensions, offsets, C, H, W).
        measured: Whether kl, and how far an offset of 1 moves, are those of real images.
    """

    dimensions: np.ndarray
    kl: np.ndarray
    images: np.ndarray
    measured: bool


@dataclass(frozen=True)
class Rebuilt:
    """What a family gives back of an image.

    Attributes:
        family: The family's name.
        title: Its name for people.
        image: uint8 (C, H, W), or None when it is not there.
        error: The sum of the squared differences from the original, pixels from 0 to 1.
        elbo: The lower bound of log p(x) in nats, or None when it was not computed.
        draws: How many random draws the bound is the mean of.
        share: How far the bound is, from 0 to 1.
        bounds: Whether the family has a bound at all.
        long: Whether its bound takes many network calls and waits to be asked for.
        state: 'waiting', 'running', 'done' or 'absent'.
        problem: One sentence when it is absent.
    """

    family: str
    title: str
    image: np.ndarray | None = None
    error: float = 0.0
    elbo: float | None = None
    draws: int = 0
    share: float = 0.0
    bounds: bool = False
    long: bool = False
    state: str = "waiting"
    problem: str = ""


class Latents:
    """Asks the models of a service for latents and what they decode to. One instance serves all visitors."""

    def __init__(self, service: Service):
        self.service = service
        self._rows = Cache(24)  # by checkpoint and ends: a finished path's frames
        self._encoded = Cache(64)  # by checkpoint and image: mean and standard deviation
        self._rebuilt = Cache(64)  # by checkpoint and image: what it gives back
        self._maps = Cache(8)
        self._rates = Cache(64)  # by checkpoint: seconds per decoded image, and per bound, as last seen here

    # ---- what there is

    def lanes(self, dataset: str, *capabilities: type) -> list[Lane]:
        """Return the lanes of the families that have all the capabilities, usable or not."""
        return [self.service.lane(dataset, name) for name in self.service.able(*capabilities)]

    def decoders(self, dataset: str) -> list[Lane]:
        """Return the lanes of the families whose images are a function of a latent."""
        return self.lanes(dataset, Decodes)

    def encoders(self, dataset: str) -> list[Lane]:
        """Return the usable checkpoints of a data set that encode and decode, each as a lane of its own."""
        return [lane for lane in self.service.checkpoints(dataset, Decodes, Encodes) if not lane.problem]

    def encoder(self, dataset: str, name: str = "") -> Lane:
        """Return a checkpoint that encodes and decodes: the one named, else the first.

        Raises:
            InputError: if there is none.
        """
        found = self.encoders(dataset)
        if not found:
            problems = [lane.problem for lane in self.lanes(dataset, Decodes, Encodes)]
            nobody = "No family here encodes images, so there is nothing to show."
            raise InputError(next(filter(None, problems), nobody))
        return next((lane for lane in found if lane.checkpoint == name), found[0])

    def diffusers(self, dataset: str) -> list[Lane]:
        """Return the usable lanes of the families that turn images into noise."""
        return [lane for lane in self.lanes(dataset, Diffuses) if not lane.problem]

    def levels(self, dataset: str) -> int:
        """Return how many noise levels the first family that diffuses has; 0 when there is none."""
        return next((len(self.service.model(lane.checkpoint).alphas_cumprod()) for lane in self.diffusers(dataset)), 0)

    def promise(self, lane: Lane, images: int) -> float:
        """Return about how many seconds a family takes to decode so many images; 0 when that is not known."""
        seen = self._rates.get((checkpoint_key(lane.checkpoint), "image"))
        return images * (seen or (lane.cost.get("ms_per_image") or 0) / 1000)

    def in_parts(self, dataset: str) -> list[Lane]:
        """Return the usable lanes of the families whose bound takes many network calls."""
        return [lane for lane in self.lanes(dataset, BoundsInParts) if not lane.problem]

    def promise_bound(self, lane: Lane) -> float:
        """Return about how many seconds the bound of one image takes, as seen here, else by the checkpoint's cost."""
        call = (lane.cost.get("ms_per_image") or 0) / 1000 / max(1, lane.cost.get("calls") or 1)
        return self._rates.get((checkpoint_key(lane.checkpoint), "bound"), CALLS * call)

    # ---- paths

    def walk(self, dataset: str, ends: Ends, stop: threading.Event) -> Iterator[Waiting | Row]:
        """Decode the path between two ends with every family that decodes, and yield the rows as they grow.

        The device is had for a few pictures at a time, so that others get in between.
        """
        for lane in self.decoders(dataset):
            round_about = self.service.families[lane.family].interpolation == "slerp"
            row = Row(lane.family, lane.title, round_about, checkpoint=lane.checkpoint, ends=ends)
            reason = lane.problem or self._no_way_back(lane, ends)
            if reason or stop.is_set():
                yield replace(row, state="absent" if reason else "stopped", problem=reason)
                continue
            try:
                for new in self._walk(lane, row, ends, stop):
                    row = row if isinstance(new, Waiting) else new  # what was decoded before an error stays
                    yield new
            except InputError as error:
                if stop.is_set():
                    yield replace(row, state="stopped")
                else:
                    yield replace(row, state="absent", problem=without_paths(str(error)))

    def _no_way_back(self, lane: Lane, ends: Ends) -> str:
        if ends.images is None or issubclass(self.service.families[lane.family], Inverts):
            return ""
        return (
            f"The {lane.title} has no way back from an image to its latent, so it can only walk between seeds: "
            "nothing in it was trained to encode."
        )

    def _walk(self, lane: Lane, row: Row, ends: Ends, stop: threading.Event) -> Iterator[Waiting | Row]:
        key = checkpoint_key(lane.checkpoint), ends.seeds or ends.images.tobytes()
        kept = self._rows.get(key)
        if kept is not None:
            yield kept
            return
        yield row

        def begin(model: Family) -> tuple[np.ndarray, int, torch.Tensor]:
            a, b = self._latents_of(model, ends)
            with counted_calls(model) as called:
                first = to_pixels(model.decode(a[None]))[0]
            calls = called.total()
            return first, calls, path(model, a, b, np.linspace(0, 1, FINE if calls <= 1 else COARSE).tolist())

        (first, calls, latents), seconds = yield from self.service.with_model(lane.checkpoint, timed(begin), stop)
        row = replace(row, state="running", frames={0: first}, seconds=seconds, total=len(latents), decoded=((0,),))
        for places in batches(row.total, CHUNK if calls <= 1 else 1):
            if stop.is_set():
                yield replace(row, state="stopped")
                return
            decode = timed(lambda model, places=places: to_pixels(model.decode(latents[places])))
            pictures, seconds = yield from self.service.with_model(lane.checkpoint, decode, stop)
            frames = {**row.frames, **dict(zip(places, pictures, strict=True))}
            row = replace(row, frames=frames, seconds=row.seconds + seconds, decoded=(*row.decoded, tuple(places)))
            yield row
        self._rates.put((key[0], "image"), row.seconds / row.total)
        yield self._rows.put(key, replace(row, state="done"))

    def _latents_of(self, model: Family, ends: Ends) -> torch.Tensor:
        """Return the latents of two ends, (2, ...)."""
        if ends.images is None:
            return model.latent([image_seed(seed, 0) for seed in ends.seeds])
        return model.invert(to_input(ends.images, model))

    # ---- the map

    def map(self, name: str, kind: str = PLANES[0]) -> Map:
        """Return a map, of one of the `PLANES`, of the latent space of a checkpoint that encodes and decodes.

        Raises:
            InputError: if its encodings are not there, or the plane cannot be had.
        """
        kept = encodings(name)
        return self._maps.find((checkpoint_key(name, FILE), kind), lambda: self._map(kept, kind))

    def _map(self, kept: Encodings, kind: str) -> Map:
        means, labels = kept.mean.numpy(), None if kept.labels is None else kept.labels.numpy()
        if kind == PLANES[0]:
            plane = spread_plane(means)
        elif labels is None or len(np.unique(labels)) < 3:
            raise InputError("The classes of these images are not known, so there is no plane that sets them apart.")
        else:
            plane = class_plane(means, labels, len(means))
        return Map(plane, labels, means, NEAR * float(np.sqrt(plane.points.var(0).mean())), kept.split)

    def place(self, name: str, image: np.ndarray, kind: str) -> tuple[float, float]:
        """Return where an image lies on a map."""
        u, v = self.map(name, kind).plane.project(finish(self.encode(name, image))[0][None])[0]
        return float(u), float(v)

    def spot(self, name: str, point: Any, kind: str, wait: float = WAIT) -> Spot:
        """Return what a spot of a map decodes to, having waited for the device no longer than so many seconds.

        Raises:
            InputError: if the point is no pair of numbers.
        """
        found = self.map(name, kind)
        reach = 1.5 * np.abs(found.plane.points).max()  # a point far outside counts as one of the rim
        where = np.clip(parse_point(point), -reach, reach)
        arrays = where, found.plane.basis, found.plane.mean, found.means
        z = spot(*(torch.as_tensor(array, dtype=torch.float32) for array in arrays), found.width)
        work = self.service.with_model(name, lambda m: to_pixels(m.decode(z[None].to(m.device)))[0], patience=wait)
        return Spot(finish(work), int(np.square(found.means - z.numpy()).sum(1).argmin()))

    def real(self, dataset: str, name: str, index: int) -> np.ndarray | None:
        """Return the real image (C, H, W) that an encoding is of; None when it is not at hand."""
        kept = encodings(name)
        images = self.service.split(dataset, kept.split)
        images = kept.images.numpy() if images is None else images
        return images[index] if index < len(images) else None

    # ---- one image

    def encode(self, name: str, image: np.ndarray) -> Generator[Waiting, None, tuple[np.ndarray, np.ndarray]]:
        """Return, once the device is had, mean and standard deviation (d,) of an image's latent.

        Raises:
            InputError: if the image is of another size than the model's.
        """
        keep = self._encoded, (checkpoint_key(name), image.tobytes())
        work = functools.partial(encode, image)
        mean, std = yield from self.service.with_model(name, work, patience=PATIENT, keep=keep)
        return mean.numpy(), std.numpy()

    def traverse(self, name: str, image: np.ndarray, rows: int | None = None) -> Generator[Waiting, None, Traversal]:
        """Return, once the device is had, an image's latent moved along its strongest dimensions, `rows` or all."""
        mean, std = yield from self.encode(name, image)
        try:
            kept = encodings(name)
            kl, spreads = kept.kl.numpy(), np.sqrt(kept.mean.numpy().var(0) + np.square(kept.std.numpy()).mean(0))
        except InputError:
            kept, spreads = None, np.ones_like(mean)
            kl = normal_kl(torch.from_numpy(mean), torch.from_numpy(std)).numpy()
        order = np.argsort(-kl, kind="stable")[:rows]
        z = torch.from_numpy(mean)
        walked = torch.cat([traversal(z, int(i), [step * float(spreads[i]) for step in OFFSETS]) for i in order])
        images = yield from self.service.with_model(
            name, lambda model: to_pixels(model.decode(walked.to(model.device))), patience=PATIENT
        )
        shape = (len(order), len(OFFSETS), *images.shape[1:])
        return Traversal(order, kl[order], images.reshape(shape), kept is not None)

    def rebuild(self, dataset: str, image: np.ndarray, stop: threading.Event) -> Iterator[Waiting | Rebuilt]:
        """Yield what every family gives back of an image, encoded and decoded; with its bound if that is quick."""
        for lane in (self.service.lane(dataset, name) for name in self.service.families):
            kind = self.service.families[lane.family]
            long = issubclass(kind, BoundsInParts)
            start = Rebuilt(lane.family, lane.title, bounds=issubclass(kind, Bounds), long=long)
            reason = lane.problem or no_return(kind)
            if reason or stop.is_set():
                yield replace(start, state="absent", problem=reason or "Stopped before its turn.")
                continue
            yield replace(start, state="running")
            try:
                keep = self._rebuilt, (checkpoint_key(lane.checkpoint), image.tobytes())
                work = functools.partial(given_back, start=start, image=image)
                yield (yield from self.service.with_model(lane.checkpoint, work, stop, keep=keep))
            except InputError as error:
                yield replace(start, state="absent", problem=without_paths(str(error)))

    def bound(self, dataset: str, image: np.ndarray, stop: threading.Event) -> Iterator[Waiting | Rebuilt]:
        """Compute the bounds that take many network calls, part by part, and yield how far they are.

        Raises:
            InputError: if one fails, or `stop` was set in the device's line.
        """

        def begin(model: Family) -> Iterator[Part]:
            return model.bound_parts(to_input(image[None], model), torch.Generator().manual_seed(0))

        for lane in self.in_parts(dataset):
            start, started = Rebuilt(lane.family, lane.title, bounds=True, long=True, state="running"), time.monotonic()
            key, parts = (checkpoint_key(lane.checkpoint), image.tobytes()), list[Part]()
            steps = yield from self.service.with_model(lane.checkpoint, begin, stop)
            while not parts or parts[-1].index < parts[-1].total:
                if stop.is_set():
                    return
                parts.append((yield from self.service.with_model(lane.checkpoint, lambda _, s=steps: next(s), stop)))
                yield replace(start, share=parts[-1].index / parts[-1].total)
            elbo = float(sum_parts(parts)["elbo"])
            self._rates.put((key[0], "bound"), time.monotonic() - started)
            if (known := self._rebuilt.get(key)) is not None:
                self._rebuilt.put(key, replace(known, elbo=elbo, draws=1, share=1.0))
            yield replace(start, elbo=elbo, draws=1, share=1.0, state="done")

    def noised(
        self, lane: Lane, image: np.ndarray, t: Any, wait: float = WAIT
    ) -> Generator[Waiting, None, tuple[np.ndarray, np.ndarray, float]]:
        """Return, once the device is had, an image under noise, what the network sees in it, and its share of signal.

        Both are uint8 (C, H, W).

        Raises:
            InputError: if t is no noise level.
        """

        def add_noise(model: Family) -> tuple[np.ndarray, np.ndarray, float]:
            levels = model.alphas_cumprod()
            x, place = to_input(image[None], model), parse_whole(t, 0, len(levels) - 1, "t")
            at = torch.tensor([place], device=model.device)
            x_t = model.diffuse(x, at, Noise([image_seed(0, 0)], model.device)(*x.shape[1:]))
            return to_pixels(x_t)[0], to_pixels(model.predict(x_t, at))[0], float(levels[place])

        return self.service.with_model(lane.checkpoint, add_noise, patience=wait)


def timed(work: Callable[[Family], T]) -> Callable[[Family], tuple[T, float]]:
    """Return work with a model that also tells how many seconds it took."""

    def run(model: Family) -> tuple[T, float]:
        started = time.perf_counter()
        return work(model), time.perf_counter() - started

    return run


def given_back(model: Family, start: Rebuilt, image: np.ndarray) -> Rebuilt:
    """Return what a model gives back of an image, uint8 (C, H, W), with its bound if that is quick."""
    x = to_input(image[None], model)
    latent = model.invert(x) if isinstance(model, Inverts) else model.encode(x)[0]
    decoded = model.decode(latent).clamp(-1, 1)
    error = float(((decoded - x) / 2).square().sum())
    elbo = None
    if start.bounds and not start.long:
        elbo = float(model.bound(x.expand(DRAWS, *x.shape[1:]), torch.Generator().manual_seed(0))["elbo"].mean())
    return replace(start, image=to_pixels(decoded)[0], error=error, elbo=elbo, draws=DRAWS, state="done")


def no_return(kind: type[Family]) -> str:
    """Return why a family cannot give an image back, as a sentence; '' when it can."""
    if issubclass(kind, Decodes) and (issubclass(kind, Inverts) or issubclass(kind, Encodes)):
        return ""
    return f"The {kind.title} has no encoder: it makes images, and cannot say which latent a given one came from."


def batches(total: int, size: int) -> list[list[int]]:
    """Return the places 1..total - 1 in the order in which they are decoded: those of the strip, then the others."""
    step = (total - 1) // (STRIP - 1)
    order = sorted(range(1, total), key=lambda place: (place % step != 0, place))
    return [order[start : start + size] for start in range(0, len(order), size)]
