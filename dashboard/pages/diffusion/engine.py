"""Diffusion, looked into: images under noise, sampling trajectories, samples by the number of steps.

It asks for the capability `Diffuses` and for no family.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import threading
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from dashboard.results.operating_points import knobs_key
from dashboard.service import PREVIEW, Frame, InputError, Lane, Order, Part, Service
from dashboard.service.cache import Cache
from dashboard.service.device import Busy, Lease, Waiting, finish
from dashboard.service.lanes import checkpoint_key
from dashboard.service.orders import calls_knob, image_seeds
from dashboard.service.parsing import parse_seed, parse_whole
from dashboard.service.pixels import to_input, to_pixels
from dashboard.service.problems import in_a_sentence
from gencore import pictures
from gencore.algorithms import training_step
from gencore.device import synchronise
from gencore.family import BoundsInParts, Denoises, Diffuses, Family, Knob, Noise

MOST_SNAPSHOTS = 60  # of a trajectory
STRIP = 8  # pictures of a strip
SHEET = 16  # samples of a sheet
TRIAL_CALLS = 3  # that tell what a call takes
WAIT = 1.5  # seconds that a picture which should come at once waits for the device
LEVELS, DRAWN = 25, 4  # t at which the error of the noise is measured, and draws of noise at each
SHADE = 2.0  # standard deviations of noise that are drawn white
FRAME_SECONDS = 0.15  # between two updates with pictures, at least: the browser has no way to ask for fewer
QUIET_SECONDS = 0.5  # between two updates without
GIF_MS, SCALE, GAP = 80, 5, 2  # milliseconds per picture; screen pixels per pixel; pixels between two trajectories


@dataclass(frozen=True)
class Level:
    """The noise at one t.

    Attributes:
        t: In 0..T-1.
        signal: sqrt(abar_t), what x_0 is multiplied by.
        noise: sqrt(1 - abar_t), what the noise is multiplied by.
        snr: abar_t / (1 - abar_t).
    """

    t: int
    signal: float
    noise: float
    snr: float

    @property
    def decibels(self) -> float:
        """The signal-to-noise ratio in dB."""
        return 10 * math.log10(self.snr) if self.snr > 0 else -math.inf


@dataclass(frozen=True)
class Noised:
    """An image under noise.

    Attributes:
        level: The noise.
        x_t: uint8 (C, H, W), what lies beyond black and white cut off.
        x0: uint8 (C, H, W), what the network sees in it; None when the device is busy.
    """

    level: Level
    x_t: np.ndarray
    x0: np.ndarray | None


@dataclass(frozen=True)
class Snapshot:
    """One point of a sampling trajectory: the state that the network is called on, and what it predicts from it.

    Attributes:
        calls: Network calls done before.
        t: The state's t; None at the end, where the state is the image.
        x: uint8 (C, H, W), the state.
        x0: uint8 (C, H, W), the network's prediction of the image.
    """

    calls: int
    t: int | None
    x: np.ndarray
    x0: np.ndarray


@dataclass(frozen=True)
class Segment:
    """What a trajectory has gained since the last look.

    Attributes:
        side: Which of the trajectories.
        state: 'running', 'done' or 'stopped'.
        calls: Network calls done.
        total: Network calls in all.
        snapshots: The new ones.
    """

    side: int
    state: str
    calls: int
    total: int
    snapshots: tuple[Snapshot, ...] = ()


@dataclass(frozen=True)
class Rate:
    """What a network call takes: seconds, and where that is known from, for people."""

    seconds: float
    words: str


@dataclass(frozen=True)
class Sheet:
    """Finished samples, uint8 (N, C, H, W), and the model's seconds for all of them; None for shipped ones."""

    images: np.ndarray
    seconds: float | None


@dataclass(frozen=True)
class Training:
    """One step of Algorithm 1 on one image; pictures are uint8 (C, H, W).

    Attributes:
        t: In 1..T, as in the paper.
        level: The noise at t.
        x0: The image.
        noise: What is added.
        x_t: The image under noise.
        predicted: The noise that the network sees in it.
        loss: The squared norm of noise less prediction.
        gradient_norm: That of the loss's gradient by all weights.
    """

    t: int
    level: Level
    x0: np.ndarray
    noise: np.ndarray
    x_t: np.ndarray
    predicted: np.ndarray
    loss: float
    gradient_norm: float


@dataclass(frozen=True)
class Descent:
    """Algorithm 2 on its way from x_T to x_0.

    Attributes:
        source: The checkpoint.
        noise: Where each z comes from.
        t: In 0..T, as in the paper: that of the state.
        x: The state x_t, (1, C, H, W).
    """

    source: str
    noise: Noise
    t: int
    x: torch.Tensor

    @property
    def picture(self) -> np.ndarray:
        """The state as a picture, uint8 (C, H, W)."""
        return to_pixels(self.x)[0]


@dataclass(frozen=True)
class Pass:
    """One pass of Algorithm 2's loop; pictures are uint8 (C, H, W).

    Attributes:
        t: In 1..T, as in the paper.
        x: The state x_t.
        z: The fresh noise, 0 at the last t.
        noise: What is taken to be the noise in x_t.
        x0: The image that is left when all of it is taken off.
        after: The next state x_{t-1}.
    """

    t: int
    x: np.ndarray
    z: np.ndarray
    noise: np.ndarray
    x0: np.ndarray
    after: np.ndarray


class Trajectories:
    """Makes what the diffusion page shows. One instance serves all visitors."""

    def __init__(self, service: Service):
        self.service = service
        self._strips = Cache(16)
        self._errors = Cache(64)
        self._sheets = Cache(64)
        self._rates = Cache(64)  # by checkpoint and number of images

    # ---- what there is

    @property
    def kinds(self) -> dict[str, type[Family]]:
        """The registered families that diffuse."""
        return self.service.able(Diffuses)

    def sources(self, dataset: str) -> list[Lane]:
        """Return the usable checkpoints of a data set that diffuse, each family's own name first."""
        return [lane for lane in self.service.checkpoints(dataset, Diffuses) if not lane.problem]

    def datasets(self) -> list[str]:
        """Return the data sets that have such a checkpoint."""
        return [dataset for dataset in self.service.datasets() if self.sources(dataset)]

    def problem(self, dataset: str) -> str:
        """Return why there is nothing to show on a data set, as a sentence."""
        if not self.kinds:
            return "No registered family has a forward process that turns images into noise."
        return " ".join(self.service.lane(dataset, name).problem for name in self.kinds)

    def find(self, dataset: Any, name: Any) -> Lane:
        """Return a data set's checkpoint by its name.

        Raises:
            InputError: if it has none of that name which diffuses.
        """
        known = isinstance(dataset, str) and dataset in self.service.datasets()
        found = [source for source in self.sources(dataset) if source.checkpoint == name] if known else []
        if not found:
            raise InputError(f"There is no checkpoint {name!r} here that diffuses; choose one from the list.")
        return found[0]

    def step_knob(self, family: str) -> Knob | None:
        """Return a family's knob for the number of steps; None when it has none."""
        return calls_knob(self.kinds[family].knobs)

    def bounded(self, source: Lane) -> bool:
        """Return whether a checkpoint's bound is a sum over t, which can be measured."""
        return issubclass(self.kinds[source.family], BoundsInParts)

    # ---- forward

    def abar(self, source: Lane) -> np.ndarray:
        """Return abar_t for t = 0..T-1, float64 (T,)."""
        return self.service.model(source.checkpoint).alphas_cumprod().cpu().double().numpy()

    def noised(self, source: Lane, image: np.ndarray, t: Any, seed: Any) -> Iterator[Noised]:
        """Yield an image, uint8 (C, H, W), under noise, with what the network sees in it; alone while that has to wait.

        Raises:
            InputError: in one sentence, if t is not a whole number in 0..T-1, or on anything else bad.
        """
        abar = self.abar(source)
        level = noise_level(abar, parse_whole(t, 0, len(abar) - 1, "t"))
        x_t = under_noise(self.service.model(source.checkpoint), image, [level.t], seed)
        drawn = to_pixels(x_t[0])
        if self.service.device.busy:
            yield Noised(level, drawn, None)
        try:
            yield Noised(level, drawn, self._seen(source, x_t, [level.t])[0])
        except Busy:
            yield Noised(level, drawn, None)

    def strip(self, source: Lane, image: np.ndarray, seed: Any) -> list[Noised]:
        """Return an image under noise at `STRIP` t from 0 to T - 1; without what the network sees when it is busy.

        Raises:
            InputError: in one sentence, on anything bad.
        """
        abar = self.abar(source)
        places = evenly(len(abar) - 1, STRIP)
        key = checkpoint_key(source.checkpoint), hashlib.sha256(image.tobytes()).digest(), image.shape, parse_seed(seed)
        if (kept := self._strips.get(key)) is not None:
            return kept
        x_t = under_noise(self.service.model(source.checkpoint), image, places, seed)
        levels, drawn = [noise_level(abar, t) for t in places], to_pixels(x_t)
        try:
            seen = self._seen(source, x_t, places)
        except Busy:
            return [Noised(*pair, None) for pair in zip(levels, drawn, strict=True)]
        return self._strips.put(key, [Noised(*three) for three in zip(levels, drawn, seen, strict=True)])

    def _seen(self, source: Lane, x_t: torch.Tensor, places: Sequence[int]) -> np.ndarray:
        """Return what the network sees in each x_t, uint8 (N, C, H, W).

        Raises:
            Busy: if the device is not to be had soon.
        """
        t = torch.tensor(places, device=x_t.device)
        return finish(self.service.with_model(source.checkpoint, lambda m: to_pixels(m.predict(x_t, t)), patience=WAIT))

    # ---- the algorithms

    def steps_through(self, source: Lane) -> bool:
        """Return whether the two algorithms can be run with a checkpoint a step at a time."""
        return issubclass(self.kinds[source.family], Denoises)

    def training(
        self, source: Lane, image: np.ndarray, number: Any, stop: threading.Event | None = None
    ) -> Generator[Waiting, None, Training]:
        """Return, once the device is had, step `number` of Algorithm 1 on an image, uint8 (C, H, W).

        Its t and its noise depend on the number alone.

        Raises:
            InputError: in one sentence, if the number is no seed, or the image is not of the model's shape.
        """
        seed = parse_seed(number)

        def step(model: Family) -> Training:
            abar, x0 = self.abar(source), to_input(image[None].copy(), model)
            t = int(np.random.default_rng(seed).integers(len(abar)))
            noise = Noise(image_seeds(seed, 1), model.device)(*model.image_shape)
            found = training_step(model, x0, torch.tensor([t], device=model.device), noise)
            return Training(
                t=t + 1,
                level=noise_level(abar, t),
                x0=image,
                noise=shaded(noise),
                x_t=to_pixels(found.x_t)[0],
                predicted=shaded(found.predicted),
                loss=found.loss,
                gradient_norm=found.gradient_norm,
            )

        return (yield from self.service.with_model(source.checkpoint, step, stop))

    def errors(self, source: Lane, image: np.ndarray, stop: threading.Event | None = None
               ) -> Generator[Waiting, None, tuple[np.ndarray, np.ndarray]]:  # fmt: skip
        """Return, once the device is had, `LEVELS` t in 1..T-1 and a pixel's squared error of the noise there.

        Each is the mean over `DRAWN` draws of noise, the same at every t.

        Raises:
            InputError: in one sentence, if the image is not of the model's shape.
        """
        key = self._errors, (checkpoint_key(source.checkpoint), image.shape, image.tobytes())

        def measure(model: Family) -> tuple[np.ndarray, np.ndarray]:
            x0 = to_input(image[None].copy(), model).expand(DRAWN, -1, -1, -1)
            noise = Noise(image_seeds(0, DRAWN), model.device)(*model.image_shape)
            last = len(self.abar(source)) - 1
            places = np.unique(np.linspace(1, last, LEVELS).round().astype(int))
            found = []
            for place in places.tolist():
                t = torch.full((DRAWN,), place, device=model.device)
                seen = model.noise_in(model.diffuse(x0, t, noise), t)
                found.append((seen - noise).square().mean().item())
            return places, np.array(found)

        return (yield from self.service.with_model(source.checkpoint, measure, stop, keep=key))

    def begin(self, source: Lane, seed: Any) -> Descent:
        """Return Algorithm 2 at x_T.

        Raises:
            InputError: if the seed is none.
        """
        model = self.service.model(source.checkpoint)
        noise = Noise(image_seeds(parse_seed(seed), 1), model.device)
        return Descent(source.checkpoint, noise, len(model.alphas_cumprod()), noise(*model.image_shape))

    def descend(
        self, descent: Descent, passes: int, stop: threading.Event | None = None
    ) -> Generator[Waiting, None, tuple[Descent, Pass]]:
        """Return, once the device is had, Algorithm 2 after so many more passes, and the last of them."""

        def walk(model: Family) -> tuple[Descent, Pass]:
            x, last = descent.x, max(descent.t - passes, 0)
            for t in range(descent.t, last, -1):
                before, z = x, descent.noise(*model.image_shape) if t > 1 else torch.zeros_like(x)
                x, noise = model.denoise(before, t - 1, z)
            share = model.alphas_cumprod()[last].item()
            x0 = (before - math.sqrt(1 - share) * noise) / math.sqrt(share)
            state, left, after = (to_pixels(values)[0] for values in (before, x0, x))
            return Descent(descent.source, descent.noise, last, x), Pass(
                last + 1, state, shaded(z), shaded(noise), left, after
            )

        return (yield from self.service.with_model(descent.source, walk, stop))

    # ---- sampling

    def calls(self, part: Part) -> int:
        """Return how many network calls sampling takes with a part's knobs."""
        return len(self.service.model(part.checkpoint).timesteps(**part.knobs))

    def rate(self, source: str, n: int) -> Rate:
        """Return what a network call of a checkpoint on n images takes: as in its last run here, else timed now.

        While another run has the device, the shipped rows say it; a rate of 0 seconds is not known.
        """
        key = checkpoint_key(source), n
        if (known := self._rates.get(key)) is not None:
            return known

        def trial(model: Family) -> Rate:
            seeds, knobs = image_seeds(0, n), model.resolve_knobs({})
            self.service.warm_up(model, seeds, knobs)
            started = time.perf_counter()
            *_, step = itertools.islice(model.sample(seeds, **knobs), TRIAL_CALLS)
            synchronise(model.device)
            return Rate((time.perf_counter() - started) / step.index, "from a few calls timed here")

        try:
            patience = 0 if self.service.device.busy else WAIT
            return finish(self.service.with_model(source, trial, patience=patience, keep=(self._rates, key)))
        except InputError:  # it is busy, or the model fails, which whoever runs it will be told
            return self._measured_rate(source, n)

    def _measured_rate(self, source: str, n: int) -> Rate:
        found = [
            batch["ms"] / row["calls"] / 1000
            for row in self.service.measurements(source.partition("/")[0]).costs
            if row["checkpoint"] == source and not row.get("stale") and row["calls"]
            for batch in row["batches"]
            if batch["n"] == n
        ]
        return Rate(float(np.median(found)) if found else 0.0, "after the shipped timings")

    def sample(self, parts: Sequence[Part], seed: int, stop: threading.Event) -> Iterator[Waiting | list[Segment]]:
        """Sample from one seed with several settings, which advance together, alone on the device.

        Every trajectory ends in 'done' or 'stopped'; a stop takes effect within one network call.

        Raises:
            InputError: in one sentence, if the model fails.
        """
        expected = sum(self.service.pace.seconds_of(part, 1) for part in parts)
        device = self.service.device
        with device.lease(stop, seconds=expected, shares=True) as lease, in_a_sentence(parts[0].checkpoint):
            yield from lease.line()
            trajectories = [Trajectory(self.service.model(part.checkpoint), part.knobs, seed) for part in parts]
            yield from self._sample(trajectories, stop, lease)
            if lease.visit.why:
                raise InputError(lease.visit.why)
            if all(trajectory.over for trajectory in trajectories):
                calls = sum(trajectory.total for trajectory in trajectories)
                rate = Rate(sum(trajectory.seconds for trajectory in trajectories) / calls, "as in the last film here")
                self._rates.put((checkpoint_key(parts[0].checkpoint), 1), rate)

    def _sample(
        self, trajectories: Sequence[Trajectory], stop: threading.Event, lease: Lease
    ) -> Iterator[Waiting | list[Segment]]:
        running, shown = dict(enumerate(trajectories)), 0.0
        while running:
            yield from lease.share()
            if stop.is_set() or not lease.keep():
                yield [trajectory.segment(side, "stopped") for side, trajectory in running.items()]
                return
            running[min(running, key=lambda side: running[side].share)].advance()
            over = [side for side, trajectory in running.items() if trajectory.over]
            segments = [running.pop(side).segment(side, "done") for side in over]
            waited = time.monotonic() - shown
            if waited >= QUIET_SECONDS or (waited >= FRAME_SECONDS and any(one.fresh for one in running.values())):
                segments += [trajectory.segment(side, "running") for side, trajectory in running.items()]
                shown = time.monotonic()
            if segments:
                yield segments

    # ---- how many steps

    def sheet(self, order: Order) -> Sheet | None:
        """Return an order's samples if they were drawn before, or are among the checkpoint's shipped pictures."""
        if (kept := self._sheets.get(sheet_key(order))) is not None:
            return kept
        (part,) = order.parts
        usual = {knob.name: knob.default for knob in self.kinds[part.family].knobs}
        shipped = self.service.lane(order.dataset, part.family, part.checkpoint).preview
        if order.seed == PREVIEW["seed"] and knobs_key(part.knobs) == knobs_key(usual) and shipped is not None:
            return Sheet(shipped[: order.n], None) if len(shipped) >= order.n else None
        return None

    def draw(self, order: Order, stop: threading.Event) -> Iterator[Waiting | Frame]:
        """Draw an order's samples and keep them; yield frames as they form, as `Service.run`."""
        (part,) = order.parts
        for frame in self.service.run(order, stop):
            if isinstance(frame, Frame) and frame.state == "done":
                self._sheets.put(sheet_key(order), Sheet(frame.images, frame.seconds))
                rate = Rate(frame.seconds / frame.index, "as in the last run here")
                self._rates.put((checkpoint_key(part.checkpoint), order.n), rate)
            yield frame


class Trajectory:
    """A trajectory in the making: samples from one seed, and keeps snapshots evenly spread over its calls."""

    def __init__(self, model: Family, knobs: Mapping[str, Any], seed: int):
        seeds = image_seeds(seed, 1)
        self.times = model.timesteps(**knobs)
        self.total, self.calls, self.seconds = len(self.times), 0, 0.0
        self._kept = set(evenly(self.total, MOST_SNAPSHOTS))
        self._x = model.latent(seeds)
        self._steps = model.sample(seeds, **knobs)
        self.fresh: list[Snapshot] = []  # kept, and not taken yet

    @property
    def share(self) -> float:
        """The share of the way that is done."""
        return self.calls / self.total

    @property
    def over(self) -> bool:
        """Whether the image is there."""
        return self.calls == self.total

    def advance(self) -> None:
        """Make one network call; `seconds` are of all of them so far."""
        started = time.perf_counter()
        step = next(self._steps)
        if self.calls in self._kept:
            self._keep(self.times[self.calls], self._x, step.x0)
        self._x, self.calls = step.x, self.calls + 1
        if self.over:
            self._keep(None, step.x0, step.x0)
        self.seconds += time.perf_counter() - started

    def _keep(self, t: int | None, x: torch.Tensor, x0: torch.Tensor) -> None:
        self.fresh.append(Snapshot(self.calls, t, to_pixels(x)[0], to_pixels(x0)[0]))

    def segment(self, side: int, state: str) -> Segment:
        """Return what the trajectory has gained since the last time this was asked."""
        fresh, self.fresh = tuple(self.fresh), []
        return Segment(side, state, self.calls, self.total, fresh)


# ---- numbers and places


def noise_level(abar: np.ndarray, t: int) -> Level:
    """Return the noise at t, of abar_t for t = 0..T-1."""
    share = float(abar[t])
    return Level(t, math.sqrt(share), math.sqrt(1 - share), share / (1 - share))


def evenly(last: int, most: int) -> list[int]:
    """Return up to so many of 0..last, evenly chosen, the first and the last among them."""
    return np.linspace(0, last, min(most, last + 1)).round().astype(int).tolist()


def sheet_key(order: Order) -> tuple:
    """Return what stands for an order of one part."""
    (part,) = order.parts
    return checkpoint_key(part.checkpoint), knobs_key(part.knobs), order.n, order.seed


# ---- tensors


def under_noise(model: Family, image: np.ndarray, places: Sequence[int], seed: Any) -> torch.Tensor:
    """Return x_t (N, C, H, W) of one image, uint8 (C, H, W), at several t with the same noise.

    Raises:
        InputError: if the image is not of the model's shape, or the seed is bad.
    """
    x0, n = to_input(image[None].copy(), model), len(places)
    noise = Noise(image_seeds(parse_seed(seed), 1), model.device)(*model.image_shape)
    t = torch.tensor(places, device=model.device)
    return model.diffuse(x0.expand(n, -1, -1, -1), t, noise.expand(n, -1, -1, -1))


# ---- pictures


def shaded(noise: torch.Tensor) -> np.ndarray:
    """Return noise (1, C, H, W) as a picture, uint8 (C, H, W): 0 is grey, `SHADE` and more are white."""
    return to_pixels((noise / SHADE).clamp(-1, 1))[0]


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """Return the mean difference of two uint8 images, in levels of 255."""
    return float(np.abs(one.astype(float) - other.astype(float)).mean())


def two_rows(snapshots: Sequence[Snapshot]) -> np.ndarray:
    """Return snapshots as one picture, uint8 (2 H, N W, C): the states above, the predictions from them below."""
    above = np.stack([snapshot.x for snapshot in snapshots])
    below = np.stack([snapshot.x0 for snapshot in snapshots])
    return pictures.grid(np.concatenate([above, below]), len(snapshots))


def side_by_side(sides: Sequence[Snapshot]) -> np.ndarray:
    """Return snapshots of several trajectories side by side as one picture, uint8 (H', W', C), with a gap between."""
    towers = [two_rows([snapshot]) for snapshot in sides]
    gap = np.full((towers[0].shape[0], GAP, towers[0].shape[2]), 128, np.uint8)
    parts = [piece for tower in towers for piece in (tower, gap)]
    return np.concatenate(parts[:-1], axis=1)


def as_gif(sides: Sequence[Sequence[Snapshot]]) -> bytes:
    """Return trajectories as one animated GIF, side by side, each walked over the same time."""
    last = max(len(snapshots) for snapshots in sides) - 1
    shares = [place / max(1, last) for place in range(last + 1)]
    moments = [[snapshots[round(share * (len(snapshots) - 1))] for snapshots in sides] for share in shares]
    return pictures.gif([side_by_side(moment) for moment in moments], GIF_MS, SCALE)


def as_strip(sides: Sequence[Sequence[Snapshot]]) -> bytes:
    """Return trajectories as the bytes of a PNG: `STRIP` snapshots of each, from first to last, one below another."""
    width = min(STRIP, *(len(snapshots) for snapshots in sides))
    bands = [two_rows([snapshots[place] for place in evenly(len(snapshots) - 1, width)]) for snapshots in sides]
    return pictures.png(larger(np.concatenate(bands, axis=0)))


def larger(picture: np.ndarray) -> np.ndarray:
    """Return a picture (H, W, C) with each pixel as a plain square."""
    return picture.repeat(SCALE, axis=0).repeat(SCALE, axis=1)
