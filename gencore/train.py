"""The one training loop. It knows networks, never a family."""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from gencore import checkpoint
from gencore.checkpoint import LOG, TIMELAPSE
from gencore.choices import choose_settings
from gencore.data import Images, Stored, View, difference, identity, load_splits, to_float, to_uint8
from gencore.device import TRAINING_DTYPES, Settings, circumstances, pick_device
from gencore.distributed import PROJECT, ProcessGroup, check_tracker
from gencore.errors import InputError, near, reason
from gencore.families import FAMILIES
from gencore.family import Distils, Family, PostTrainingFit, ValidationHook, derived_seed, image_seed
from gencore.locks import alone
from gencore.paths import as_path, read_file
from gencore.pictures import grid, write_png
from gencore.presets import Run, TrainingConfig, check_training

LOG_LINES = 1000  # in a run; a page draws them all
VALIDATE_EVERY = 10  # log lines
SAVE_SECONDS = 60  # between two saves at most
LEAST_SECONDS = 2  # and at least
SAVE_SHARE = 0.02  # of the time that may be spent on saving, within these
LOG_SECONDS = 2  # between two writings of the log
PICTURE_SHARE = 0.05  # of a budget in minutes that may be spent on time-lapse grids
LOCK = ".training.lock"
ASK_EVERY = 8  # steps: how often several processes ask each other whether to stop


class Diverged(InputError):
    """A training's figures or weights are no longer finite numbers."""


@dataclass(frozen=True)
class Progress:
    """Where a training stands.

    Attributes:
        step: Steps done.
        images: Images seen, repeats included.
        seconds: Seconds of training, earlier parts of a resumed run included.
        images_per_s: Images per second since this process began.
        eta_s: Seconds to go.
        logs: The latest line of the log: scalars by name.
        generate: Makes images of seeds with the averaged weights as they are now; see `Family.generate`.
    """

    step: int
    images: int
    seconds: float
    images_per_s: float
    eta_s: float
    logs: Mapping[str, float]
    generate: Callable[[list[int]], Tensor]


@dataclass
class Trainer:
    """A run in memory: everything that `state.safetensors` holds, and the data."""

    run: Run
    out: Path
    preset: str
    model: Family
    settings: Settings
    data: Tensor | Stored  # uint8 (N, C, H, W), on the device if they are in memory
    held_out: Tensor  # float (n, C, H, W)
    group: ProcessGroup
    minutes: float | None = None
    identity: dict[str, Any] = field(default_factory=dict)  # the fingerprints of what it is trained on
    init: dict[str, Any] | None = None  # the checkpoint whose weights it began with, and what had gone into those
    teacher: dict[str, Any] | None = None  # the same of the checkpoint that it learns from
    step: int = 0
    images: int = 0
    seconds: float = 0.0
    logged: dict[str, tuple[Tensor, int]] = field(default_factory=dict)  # sum and number of values since the last line
    orders: dict[int, np.ndarray] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    logs: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the average and the optimizers."""
        self.config = self.run.config
        self.settings.apply(self.model)
        self.ema = copy.deepcopy(self.model).eval().requires_grad_(False)
        self.optimizers = {
            name: torch.optim.Adam(network.parameters(), self.config.lr, (self.config.beta1, self.config.beta2))
            for name, network in self.model.networks.items()
        }
        self.first = next(iter(self.model.networks))
        self.averaged = list(self.ema.networks[self.first].parameters())
        self.followed = list(self.model.networks[self.first].parameters())
        own = {id(parameter) for parameter in self.followed}  # a parameter may stand in the model under several names
        parameters = self.model.named_parameters(remove_duplicate=False)
        self.averaged_names = {name for name, parameter in parameters if id(parameter) in own}

    @property
    def progress(self) -> float:
        """The share of the budget that is spent, in [0, 1]."""
        if self.minutes is not None:
            return min(1.0, self.seconds / (60 * self.minutes))
        return min(1.0, self.images / self.config.images)

    def advance(self) -> None:
        """Do one step: every network's, then the average's."""
        # Step t's batch and noise depend on (seed, t, rank) alone: a resumed run needs no generator's state.
        torch.manual_seed(derived_seed(self.config.seed, "step", self.step, self.group.rank))
        lr = self._lr()
        for loss in self.model.losses(self.batch(), self.progress):
            self._descend(loss.network, loss.value, lr)
            own = "loss" if loss.network == self.first else f"{loss.network}_loss"
            for name, value in ({own: loss.value.detach()} | dict(loss.logs)).items():
                total, count = self.logged.get(name, (0, 0))
                self.logged[name] = (total + value, count + 1)
        self.step += 1
        self.images += self.config.batch
        halflife = min(self.config.ema_halflife, self.images * self.config.ema_rampup)
        get_ema_multi_avg_fn(0.5 ** (self.config.batch / halflife))(self.averaged, self.followed, None)

    def _descend(self, network: str, value: Tensor, lr: float) -> None:
        optimizer = self.optimizers[network]
        optimizer.zero_grad()
        value.backward()
        parameters = optimizer.param_groups[0]["params"]
        self.group.average(parameters)
        if self.config.clip:
            nn.utils.clip_grad_norm_(parameters, self.config.clip)
        optimizer.param_groups[0]["lr"] = lr
        optimizer.step()

    def _lr(self) -> float:
        """Return the learning rate: a linear warm-up, times a cosine from 1 to `lr_final`."""
        rise = min(1.0, (self.images + self.config.batch) / max(1, self.config.warmup))
        final = self.config.lr_final
        return self.config.lr * rise * (final + (1 - final) * 0.5 * (1 + math.cos(math.pi * self.progress)))

    def batch(self) -> Tensor:
        """Return this rank's part of this step's batch, float (B / world, C, H, W) in [-1, 1].

        Batches walk through one fixed permutation of the data per epoch, without a gap between epochs.
        """
        first = self.step * self.config.batch
        rows = range(first + self.group.rank, first + self.config.batch, self.group.world)
        index = torch.tensor([self._order(row // len(self.data))[row % len(self.data)] for row in rows])
        x = to_float(self.data[index.to(self.data.device)].to(self.model.device))
        if self.config.flip:
            mirrored = torch.rand(len(x), 1, 1, 1, device=x.device) < 0.5
            x = torch.where(mirrored, x.flip(3), x)
        return self.settings.arrange(x)

    def _order(self, epoch: int) -> np.ndarray:
        """Return the epoch's permutation of the rows; kept while a batch may still need it."""
        if epoch not in self.orders:
            self.orders = {e: order for e, order in self.orders.items() if e >= epoch - 1}
            self.orders[epoch] = np.random.default_rng((self.config.seed, epoch)).permutation(len(self.data))
        return self.orders[epoch]

    def averaged_model(self, finished: bool = False) -> Family:
        """Return the model to keep: the averaged first network, the others and all buffers as they are now.

        Once finished, its buffers are left as they were fitted after training.
        """
        now = {} if finished else self.model.state_dict()
        for name, value in self.ema.state_dict().items():
            if name in now and name not in self.averaged_names:
                value.copy_(now[name])
        return self.ema

    # --- the log -----------------------------------------------------------------------------------------------

    def log(self) -> None:
        """Write one line: the means of what the losses logged since the last, and now and then held-out figures.

        Raises:
            Diverged: if a figure is no longer finite.
        """
        values = {name: total / count for name, (total, count) in self.logged.items()}
        if len(self.lines) % VALIDATE_EVERY == 0 and isinstance(self.ema, ValidationHook) and len(self.held_out):
            with torch.no_grad():
                values |= self.averaged_model().validation_figures(self.held_out)
        plain = {name: _plain(value) for name, value in values.items()}
        for name, value in plain.items():
            if not np.isfinite(value).all():
                raise self.diverged(name)
        line = {
            "step": self.step,
            "images": self.images,
            "seconds": round(self.seconds, 2),
            "lr": float(f"{self._lr():.6g}"),
        } | plain
        self.lines.append(json.dumps(line))
        self.logs = {name: value for name, value in plain.items() if isinstance(value, float)}
        self.group.track({"images": self.images, "seconds": self.seconds, "lr": line["lr"]} | self.logs, self.step)
        self.logged = {}

    def diverged(self, what: str) -> Diverged:
        """Return what is raised once something is no longer finite: with what there is of the training from before.

        To go on from there would end as this did: every step depends on the seed and the step alone.
        """
        return Diverged(
            f"{what} is no longer a finite number at step {self.step}: the training diverged; {self._kept()}. Begin "
            f"anew with a smaller lr (it was {self.config.lr:g}); going on from there would end as this did."
        )

    def _kept(self) -> str:
        """Return what the checkpoint in the folder is worth, in words."""
        if not (self.out / checkpoint.WEIGHTS).is_file():
            return "nothing had been saved yet"
        seen = checkpoint.find(str(self.out)).run.get("images", 0)
        if seen < len(self.data):
            return f"what {self.out} holds has seen {seen:,} images, not each once, and is of no use yet"
        return f"the checkpoint of {self.out}, of {seen:,} images, is the last good one"

    def generate(self, seeds: list[int], finished: bool = False) -> Tensor:
        """Return the images of seeds at default knobs with the averaged weights, float32 (N, C, H, W) in [-1, 1]."""
        return self.averaged_model(finished).generate(seeds)

    def picture(self, finished: bool = False) -> None:
        """Write the time-lapse grid of now: the same seeds all through the run, default knobs, averaged weights."""
        if self.config.timelapse and self.group.rank == 0:
            seeds = [image_seed(self.config.seed, i) for i in range(self.config.timelapse)]
            images = to_uint8(self.generate(seeds, finished))
            name = f"{self.images:09d}{'-finished' if finished else ''}.png"
            write_png(self.out / TIMELAPSE / name, grid(images, columns=6))

    # --- saving and resuming -----------------------------------------------------------------------------------

    def begin(self) -> None:
        """Save the state before the first step, so that a run resumed from there computes as this one does.

        How it computes may have been chosen by a timing, which could come out otherwise the second time.
        """
        if not self.group.rank:
            self._write_state(self._tensors())

    def forget(self) -> None:
        """Remove the state of the beginning, where no later one was saved: to go on from there would be of no use."""
        if not self.group.rank and not (self.out / checkpoint.WEIGHTS).exists():
            (self.out / checkpoint.STATE).unlink(missing_ok=True)

    def save(self) -> None:
        """Save the log, the state to resume from, then the averaged model and run.json; each file atomically.

        The log comes first: lines of steps behind the state are left out when it is resumed, lines that are not there
        are lost.

        Raises:
            Diverged: if a figure or a weight is no longer finite; what was saved before stays.
        """
        if self.logged:
            self.log()
        if self.group.rank:
            return
        tensors = self._tensors()
        if not all(bool(x.isfinite().all()) for x in tensors.values()):  # by a last step whose loss was still finite
            raise self.diverged("A weight")
        self.write_log()
        self._write_state(tensors)
        self.publish()

    def publish(self, finished: bool = False) -> None:
        """Save the averaged model and run.json."""
        checkpoint.save_model(self.out, self.averaged_model(finished))
        checkpoint.write_json(self.out / checkpoint.RUN, self._record() | {"finished": finished})

    def write_log(self) -> None:
        """Write the log as it is now, by the first process."""
        if not self.group.rank:
            checkpoint.write_atomic(self.out / LOG, "".join(f"{line}\n" for line in self.lines).encode())

    def _write_state(self, tensors: Mapping[str, Tensor]) -> None:
        checkpoint.write_tensors(self.out / checkpoint.STATE, tensors, {"run": json.dumps(self._record())})

    def _tensors(self) -> dict[str, Tensor]:
        tensors = {f"model.{name}": value for name, value in self.model.state_dict().items()}
        tensors |= {f"ema.{i}": value for i, value in enumerate(self.averaged)}
        for network, optimizer in self.optimizers.items():
            for i, state in optimizer.state_dict()["state"].items():
                tensors |= {f"optimizer.{network}.{i}.{name}": value for name, value in state.items()}
        return tensors

    def restore(self, tensors: Mapping[str, Tensor], record: Mapping[str, Any]) -> None:
        """Take up a saved state."""
        self.step, self.images, self.seconds = record["step"], record["images"], record["seconds"]
        self.init = record.get("init")
        self.model.load_state_dict({n.removeprefix("model."): v for n, v in tensors.items() if n.startswith("model.")})
        for i, value in enumerate(self.averaged):
            value.copy_(tensors[f"ema.{i}"])
        for network, optimizer in self.optimizers.items():
            state: dict[int, dict[str, Tensor]] = {}
            for name, value in tensors.items():
                if name.startswith(f"optimizer.{network}."):
                    index, key = name.removeprefix(f"optimizer.{network}.").split(".")
                    state.setdefault(int(index), {})[key] = value
            optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
        if (self.out / LOG).is_file():
            lines = read_file(self.out / LOG).decode("utf-8", errors="replace").splitlines()
            self.lines = [line for line in lines if _step_of(line) <= self.step]

    def stops(self, stop: Callable[[], bool]) -> bool:
        """Return whether the training ends before its next step: in all processes, as one's signal is enough."""
        return (self.group.world == 1 or self.step % ASK_EVERY == 0) and self.group.any(stop())

    def finish(self) -> None:
        """Fit what comes after training, save, and take the last picture; all processes end together."""
        self._finish()
        self.group.end()

    def _finish(self) -> None:
        self.save()
        if self.group.rank:
            return
        if isinstance(self.averaged_model(), PostTrainingFit):
            self.ema.fit_after_training(
                self.settings.arrange(to_float(part.to(self.model.device))) for part in self.data.split(1000)
            )
        self.publish(finished=True)
        self.picture(finished=True)

    def _record(self) -> dict[str, Any]:
        return {
            "preset": self.preset,
            **asdict(self.run),
            "seed": self.config.seed,
            "step": self.step,
            "images": self.images,
            "minutes": self.minutes,
            "seconds": round(self.seconds, 2),
            "init": self.init,
            "teacher": self.teacher,
            "train_images": len(self.data),
            "identity": self.identity,
            "processes": self.group.world,
            "settings": self.settings.record(),
            **circumstances("train", self.model.device, diffusers),
        }


def train(
    run: Run,
    out: Path,
    *,
    preset: str = "",
    minutes: float | None = None,
    images: int | None = None,
    resume: bool = False,
    init: str | None = None,
    teacher: str | None = None,
    device: str | None = None,
    stop: Callable[[], bool] = lambda: False,
    tracker: str | None = None,
) -> Iterator[Progress]:
    """Train, yielding where it stands after every step; closing the generator saves a usable checkpoint.

    Args:
        run: What to train.
        out: The checkpoint folder to write.
        preset: The preset's name, for the record.
        minutes: Budget in minutes of training, instead of images.
        images: Budget in images, instead of the config's.
        resume: Go on from the state in `out`. On the CPU and with a budget in images, an interrupted and resumed
            run ends in the same weights, bit for bit, as one that never stopped.
        init: A checkpoint to start from instead of random weights.
        teacher: A checkpoint to learn from beside the images, for a family that can; see `Distils`.
        device: 'cuda', 'mps' or 'cpu'; see `gencore.device.pick_device`.
        stop: Asked before each step whether to end here, with the checkpoint saved; several processes end at the
            same step, within `ASK_EVERY`, when one of them says so.
        tracker: 'tensorboard' (its files go to `out`), 'trackio' or 'wandb': shown each line of the log by accelerate.

    Raises:
        InputError: on bad settings, data, or folder, or when the training diverges.
    """
    check_tracker(tracker)
    group = ProcessGroup.assemble(tracker, as_path(out))
    with alone(as_path(out) / LOCK, "trained") if not group.rank else nullcontext():
        trainer = _prepare(run, as_path(out), preset, minutes, images, resume, init, teacher, device, tracker, group)
        try:
            yield from _loop(trainer, stop)
        except (GeneratorExit, KeyboardInterrupt):
            trainer.finish()
            raise
        except Diverged:
            trainer.forget()
            raise
        trainer.finish()


def _loop(trainer: Trainer, stop: Callable[[], bool]) -> Iterator[Progress]:
    start_images, start_seconds = trainer.images, trainer.seconds
    pictures = {round(2 ** (k / 2)) for k in range(64)}  # log-spaced: early steps change the most
    clock, logged, rhythm = time.perf_counter(), trainer.progress, Rhythm()
    if trainer.step == 0:
        trainer.begin()
        trainer.picture()
    while trainer.progress < 1 and not trainer.stops(stop):
        trainer.advance()
        now = time.perf_counter()
        trainer.seconds, clock = trainer.seconds + now - clock, now
        if trainer.step == 1 or trainer.progress - logged >= 1 / LOG_LINES:
            trainer.log()
            logged = trainer.progress
        if trainer.step in pictures and (trainer.minutes is None or rhythm.spent <= PICTURE_SHARE * trainer.seconds):
            rhythm.spent += _seconds_of(trainer.picture)
        rhythm.keep(trainer)
        spent = trainer.seconds - start_seconds
        speed = (trainer.images - start_images) / max(spent, 1e-9)
        budget = 60 * trainer.minutes if trainer.minutes else trainer.config.images / speed
        eta = (1 - trainer.progress) * budget
        yield Progress(trainer.step, trainer.images, trainer.seconds, speed, eta, trainer.logs, trainer.generate)


class Rhythm:
    """When a training writes to the disk: often enough that a kill costs little, seldom enough that saving does.

    Attributes:
        spent: Seconds spent on pictures.
    """

    def __init__(self) -> None:
        self.spent, self.pause = 0.0, min(LEAST_SECONDS, SAVE_SECONDS)
        self.saved = self.logged = -math.inf  # the first step is saved: however often it is killed, it gets on

    def keep(self, trainer: Trainer) -> None:
        """Save what is due: the state to resume from and the model, or the log alone."""
        now = time.monotonic()
        if now - self.saved > self.pause:
            seconds = _seconds_of(trainer.save)
            self.pause = min(max(seconds / SAVE_SHARE, LEAST_SECONDS), SAVE_SECONDS)
            self.saved = self.logged = time.monotonic()
        elif now - self.logged > LOG_SECONDS:
            trainer.write_log()
            self.logged = now


def _seconds_of(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _prepare(
    run: Run,
    out: Path,
    preset: str,
    minutes: float | None,
    images: int | None,
    resume: bool,
    init: str | None,
    teacher: str | None,
    device: str | None,
    tracker: str | None,
    group: ProcessGroup,
) -> Trainer:
    """Check everything, load the data, and return a trainer at its start or where it was left."""
    run = _budgeted(run, minutes, images, group)
    state = _read_state(out) if resume else None
    if state:
        run = _same_run(run, Run.from_record(state[1]), out)
    elif _holds_steps(out):
        raise InputError(f"{out} already holds a run; go on with --resume, or choose another folder with --out.")
    torch.manual_seed(derived_seed(run.config.seed, "weights"))
    splits = load_splits(run.data, View(**run.view), ("train", "validation"))
    known = identity(splits)
    if state:
        _same_images(state[1], known, out)
        _same_teacher(state[1], teacher, out)
    train_set, held_out = splits["train"], splits["validation"]
    model = _build(run, train_set).to(group.accelerator.device if group.world > 1 else pick_device(device))
    origin = _start_from(model, init) if init else None
    settings = _settings_of(state[1], out) if state else _settings(model, run.config, group)
    model.train()
    trainer = Trainer(
        run, out, preset, model, settings, _rows(train_set, model.device),
        settings.arrange(to_float(held_out.x[: run.config.validation_images].to(model.device))), group, minutes,
        known, origin,
    )  # fmt: skip
    if teacher:
        trainer.teacher = _teach(trainer, teacher)
    if state:
        trainer.restore(*state)
    if run.config.compile:
        model.network.compile()
    if tracker:
        about = {"family": run.family, "data": run.data, "preset": preset, **asdict(run.config)}
        group.accelerator.init_trackers(PROJECT, about, {"trackio": {"name": out.name}, "wandb": {"name": out.name}})
    return trainer


def _rows(images: Images, device: torch.device) -> Stored | Tensor:
    """Return the images to train on: on the device, or in their file where they are more than fit into memory."""
    return images.stored or images.x.to(device)


def rehearsal(run: Run, splits: Mapping[str, Images], device: str | None = None) -> Trainer:
    """Return a trainer of a run at its start, to time its steps with; it has no folder and writes nothing.

    Raises:
        InputError: on bad settings, or if the family cannot be built so.
    """
    check_training(run.config)
    torch.manual_seed(derived_seed(run.config.seed, "weights"))
    model, group = _build(run, splits["train"]).to(pick_device(device)), ProcessGroup()
    settings = _settings(model, run.config, group)
    model.train()
    return Trainer(run, Path(), "", model, settings, _rows(splits["train"], model.device), torch.empty(0), group)


def _budgeted(run: Run, minutes: float | None, images: int | None, group: ProcessGroup) -> Run:
    """Return the run with its budget set, its settings checked."""
    if minutes is not None and images is not None:
        raise InputError("Give a budget in minutes or in images, not both.")
    if minutes is not None and not 0 < minutes <= 100_000:
        raise InputError(f"minutes must be more than 0 and at most 100000, not {minutes!r}.")
    if minutes is not None and group.world > 1:
        raise InputError("Several processes keep step by images, not by the clock: use --images instead of --minutes.")
    if images is not None:
        run = replace(run, train=run.train | {"images": images})
    check_training(run.config)
    if run.config.batch % group.world:
        raise InputError(f"The batch of {run.config.batch} cannot be shared by {group.world} processes equally.")
    return run


def _build(run: Run, data: Images) -> Family:
    if run.family not in FAMILIES:
        raise InputError(f"There is no family {run.family!r}{near(run.family, list(FAMILIES))}")
    _, channels, size, _ = data.x.shape
    return FAMILIES[run.family](channels=channels, size=size, **run.model)


def _start_from(model: Family, init: str) -> dict[str, Any]:
    """Copy another checkpoint's weights, and return its name and what its training came to."""
    other = checkpoint.load(init, device=str(model.device))
    mine, theirs = model.state_dict(), other.state_dict()
    if {n: v.shape for n, v in mine.items()} != {n: v.shape for n, v in theirs.items()}:
        raise InputError(f"{init} cannot be started from: its networks differ from this run's in kind or size.")
    model.load_state_dict(theirs)
    return _told(init)


def _teach(trainer: Trainer, teacher: str) -> dict[str, Any]:
    """Give the model being trained its teacher, and return that one's name and what its training came to."""
    if not isinstance(trainer.model, Distils):
        raise InputError(f"A {trainer.model.title} learns from images alone, so it takes no teacher.")
    other = checkpoint.load(teacher, device=str(trainer.model.device))
    trainer.settings.apply(other)
    trainer.model.learn_from(other)
    return _told(teacher)


def _told(name: str) -> dict[str, Any]:
    """Return what a run records of another checkpoint: its name, and what its training came to."""
    entry = checkpoint.find(name)
    return {"checkpoint": entry.path.name if Path(entry.name).is_absolute() else entry.name, **entry.trained}


def _settings(model: Family, config: TrainingConfig, group: ProcessGroup) -> Settings:
    """Return how this run computes, measured if the config says 'auto'."""
    if config.threads:
        torch.set_num_threads(config.threads)

    images = torch.zeros(config.batch // group.world, *model.image_shape, device=model.device)

    def step(trial: Family, settings: Settings) -> None:
        for loss in trial.losses(settings.arrange(images)):
            loss.value.backward()

    work = f"a training step of {len(images)} images"
    return group.agree(choose_settings(model, step, work, config.dtype, config.layout, TRAINING_DTYPES, group))


def _settings_of(record: Mapping[str, Any], out: Path) -> Settings:
    """Return how a run that is resumed computes: as it did."""
    try:
        return Settings(**record["settings"])
    except (TypeError, KeyError, InputError) as error:
        raise InputError(f"{out / checkpoint.STATE} does not say how it computed ({reason(error)}).") from None


def _holds_steps(out: Path) -> bool:
    """Return whether a folder holds a training that has got anywhere: more than its beginning."""
    if (out / checkpoint.WEIGHTS).exists():
        return True
    return (out / checkpoint.STATE).exists() and _read_state(out)[1].get("step") != 0


def _read_state(out: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors and the record of `out`'s saved state."""
    path = out / checkpoint.STATE
    if not path.exists():
        raise InputError(f"There is nothing to resume in {out}: it has no {checkpoint.STATE}.")
    try:
        if not path.is_file():  # a pipe would be waited for
            raise OSError
        with safe_open(path, "pt") as file:
            record = json.loads(file.metadata()["run"])
            check_training(Run.from_record(record).config)
            return {name: file.get_tensor(name) for name in file.keys()}, record  # noqa: SIM118
    except (SafetensorError, OSError, AttributeError, KeyError, TypeError, ValueError):
        raise InputError(f"{path} is damaged or not a training state; start again in another folder.") from None


def _same_run(asked: Run, saved: Run, out: Path) -> Run:
    """Return the saved run with the budget asked for; refuse any other difference."""
    saved = replace(saved, train=saved.train | {"images": asked.config.images})
    asked = replace(asked, model=json.loads(json.dumps(asked.model)))  # with lists for tuples, as they are read back
    before, now = (
        {**asdict(r.config), **r.model, "family": r.family, "data": r.data, **asdict(View(**r.view))}
        for r in (saved, asked)
    )
    for key in sorted(before.keys() | now.keys()):
        if before.get(key) != now.get(key):
            raise InputError(
                f"{out} was trained with {key} = {before.get(key)}, not {now.get(key)}: resume with the same settings."
            )
    return saved


def _same_images(record: Mapping[str, Any], now: Mapping[str, Mapping[str, Any]], out: Path) -> None:
    """Refuse to go on with other images than those that were trained on: some of these may now be test images."""
    changed = difference(record.get("identity") or {}, now)
    if not changed and record.get("train_images", now["train"]["count"]) != now["train"]["count"]:  # of before
        changed = f"train: {record['train_images']:,} images, not {now['train']['count']:,}"
    if changed:
        raise InputError(
            f"{out} was trained on other images of {record['data']} ({changed}): resume with those, or train anew in "
            "another folder."
        )


def _same_teacher(record: Mapping[str, Any], asked: str | None, out: Path) -> None:
    """Refuse to go on with another teacher, or without the one there was."""
    before, now = (record.get("teacher") or {}).get("checkpoint"), _told(asked)["checkpoint"] if asked else None
    if before != now:
        raise InputError(f"{out} was trained with {before or 'no checkpoint'} as its teacher, not {now or 'none'}: "
                         "resume with the same.")  # fmt: skip


def _step_of(line: str) -> float:
    """Return the step of a line of the log; infinity for one that was cut short."""
    try:
        return json.loads(line)["step"]
    except (ValueError, KeyError, TypeError):
        return math.inf


def _plain(value: Tensor) -> float | list[float]:
    """Return a logged tensor as numbers with 6 significant digits."""
    return [float(f"{v:.6g}") for v in value.tolist()] if value.ndim else float(f"{value.item():.6g}")
