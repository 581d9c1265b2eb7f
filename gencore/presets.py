"""Presets: what to train, on what, and how, by name; and the settings of a training run."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from gencore.data import View
from gencore.device import LAYOUTS, check_training_dtype
from gencore.environment import MOST_THREADS
from gencore.errors import InputError, near
from gencore.families import FAMILIES


@dataclass(frozen=True)
class TrainingConfig:
    """How the one training loop trains. Images are counted as shown to the model, repeats included."""

    # fmt: off
    images: int = 100_000         # train until this many images were seen
    batch: int = 64               # images per step, over all processes
    lr: float = 1e-3              # Adam's step size at its highest
    lr_final: float = 0.0         # its share left at the end; between, a cosine
    warmup: int = 5_000           # images over which it rises from zero
    beta1: float = 0.9            # Adam's betas
    beta2: float = 0.99
    clip: float = 0.0             # largest norm of a network's gradient; 0 for no limit
    ema_halflife: int = 10_000    # images after which a weight's share in the average has halved
    ema_rampup: float = 0.05      # ... but at most this share of the images seen so far (Karras et al. 2022)
    flip: bool = False            # whether images are mirrored at random
    compile: bool = False         # whether the sampled network is compiled; worth it on a GPU, after a minute's wait
    seed: int = 0                 # step t's batch and noise depend on (seed, t) alone
    dtype: str = "auto"           # float32 | bfloat16 | auto: by a micro-benchmark at the start
    layout: str = "auto"          # contiguous | channels_last | auto: likewise
    threads: int = 0              # CPU threads; 0 for torch's own choice
    timelapse: int = 24           # images in each time-lapse grid
    validation_images: int = 500  # held-out images for the figures that need them
    # fmt: on


RANGES = (
    (("images", "batch", "lr", "ema_halflife", "ema_rampup"), lambda v: 0 < v < float("inf"), "more than 0"),
    (("lr_final", "warmup", "clip", "timelapse", "validation_images", "seed"), lambda v: 0 <= v < 2**63, "0 or more"),
    (("threads",), lambda v: 0 <= v <= MOST_THREADS, f"from 0 (torch's own choice) to {MOST_THREADS}"),
    (("beta1", "beta2"), lambda v: 0 <= v < 1, "at least 0 and less than 1"),
)  # fmt: skip
VIEW = {one.name: one.metadata["example"] for one in fields(View)}
RENAMED = {"watch": "validation_images"}  # training settings: what records of before say, and the name now


@dataclass(frozen=True)
class Run:
    """A training run: which family, on which data, with which constructor and training arguments.

    Attributes:
        family: Key in FAMILIES.
        data: Name of a data set for `gencore.data.load_images`.
        model: Constructor arguments of the family, beside `channels` and `size`, which the data give.
        train: Fields of `TrainingConfig`.
        view: Fields of `gencore.data.View`: in what form the images are read.
    """

    family: str
    data: str
    model: dict[str, Any] = field(default_factory=dict)
    train: dict[str, Any] = field(default_factory=dict)
    view: dict[str, Any] = field(default_factory=dict)

    @property
    def config(self) -> TrainingConfig:
        """The training settings, with defaults filled in."""
        return TrainingConfig(**self.train)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Run:
        """Return the run that a run.json or a training state tells of; settings may have their former names."""
        train = {RENAMED.get(name, name): value for name, value in record["train"].items()}
        return cls(record["family"], record["data"], record["model"], train, record.get("view") or {})


SMALL = {"widths": (16, 32)}  # 8x8 digits: seconds, not minutes
GAMES = {"widths": (16, 64, 128)}  # few feature maps at full resolution, where a CPU's time goes

PRESETS: dict[str, Run] = {f"digits/{name}": Run(name, "digits") for name in FAMILIES} | {
    "digits/vae": Run("vae", "digits", SMALL | {"latent": 8, "components": 20}, {"images": 100_000}),
    # At 64 pixels the defaults' penalties (gamma 20 to 3, for 784) leave a critic that is all but flat.
    "digits/gan": Run("gan", "digits",
                      SMALL | {"latent": 16, "probe_widths": (8, 16), "gamma": 2.0, "gamma_final": 0.3},
                      {"images": 200_000, "lr": 1e-3, "beta1": 0.0}),
    "digits/ddpm": Run("ddpm", "digits", SMALL | {"prediction": "v_prediction", "min_snr": 5.0},
                       {"images": 260_000, "clip": 1.0}),
    "digits/consistency": Run("consistency", "digits", SMALL | {"hold": 0.5}, {"images": 300_000, "clip": 1.0}),
    "mnist/vae": Run("vae", "mnist", {}, {"images": 600_000, "batch": 128}),
    "mnist/gan": Run("gan", "mnist", GAMES,
                     {"images": 340_000, "lr": 5e-4, "beta1": 0.0}),
    "mnist/ddpm": Run("ddpm", "mnist", {"prediction": "v_prediction"}, {"images": 500_000, "clip": 1.0}),
    # From nothing. To tune the DDPM: `hold=0 first_gap=0.25 lr=4e-4 images=120000 --init mnist/ddpm`.
    # To distil it then: `hold=0 first_gap=0.016 skew=2.0 lr=1e-4 images=60000 --init ... --teacher mnist/ddpm`.
    "mnist/consistency": Run("consistency", "mnist", {"hold": 0.5}, {"images": 500_000, "clip": 1.0}),
    # The lecture's objective, for its log and time-lapse; without the penalties D wins within 10,000 images.
    "mnist/gan-minimax": Run("gan", "mnist", GAMES | {"objective": "minimax", "gamma": 20.0, "gamma_final": 5.0},
                             {"images": 49_216, "lr": 5e-4, "beta1": 0.0}),
    # For a CPU core and an hour each. A generator with tanh gets no slope from a ground that is all but white; what the
    # GAN here does not learn in that time, docs/experiments.md tells.
    "shapes/vae": Run("vae", "shapes", GAMES | {"latent": 32, "components": 20},
                      {"images": 400_000, "batch": 128, "ema_halflife": 20_000}),
    "shapes/gan": Run("gan", "shapes",
                      {"widths": (24, 48, 96, 128), "probe_widths": (8, 16, 32), "gamma": 10.0, "gamma_final": 2.0,
                       "noise": 0.3, "tanh": False},
                      {"images": 240_000, "lr": 5e-4, "beta1": 0.0}),
    "shapes/ddpm": Run("ddpm", "shapes", {"widths": (24, 32, 64, 96), "prediction": "v_prediction", "min_snr": 5.0},
                       {"images": 420_000, "batch": 32, "lr": 1.2e-3, "warmup": 10_000, "clip": 1.0,
                        "ema_halflife": 20_000}),
    # From nothing. To distil the DDPM, which is far quicker: `hold=0 first_gap=0.15 last_gap=0.15 shortest=0.04 lr=5e-5
    # images=30000 --init shapes/ddpm --teacher shapes/ddpm`, and on with `skew=0.65` and wider gaps: the model's card.
    "shapes/consistency": Run("consistency", "shapes", {"widths": (24, 32, 64, 96), "hold": 0.5},
                              {"images": 600_000, "batch": 32, "clip": 1.0, "ema_halflife": 20_000}),
    # For a GPU: each exports to less than 10 MB. Budgets are for about eight minutes; --minutes overrules them.
    "cifar10/vae": Run("vae", "cifar10",
                       {"widths": (64, 96, 128, 128), "latent": 96, "blocks": 2, "components": 20},
                       {"images": 5_000_000, "batch": 256, "flip": True, "ema_halflife": 100_000}),
    "cifar10/gan": Run("gan", "cifar10",
                       {"widths": (64, 96, 160), "probe_widths": (16, 32, 64), "latent": 128, "blocks": 2,
                        "gamma": 1.0, "gamma_final": 0.1, "augment": 1.0},
                       {"images": 3_000_000, "batch": 256, "lr": 4e-4, "beta1": 0.0, "flip": True,
                        "ema_halflife": 100_000}),
    "cifar10/ddpm": Run("ddpm", "cifar10",
                        {"widths": (80, 96, 96), "layers": 2, "prediction": "v_prediction", "dropout": 0.1,
                         "min_snr": 5.0},
                        {"images": 6_000_000, "batch": 256, "lr": 6e-4, "warmup": 50_000, "clip": 1.0, "flip": True,
                         "ema_halflife": 200_000}),
    # For two CPU cores and several hours each.
    "cifar10/vae-small": Run("vae", "cifar10", GAMES | {"latent": 64, "components": 20},
                             {"images": 2_000_000, "batch": 128, "flip": True, "ema_halflife": 50_000}),
    "cifar10/gan-small": Run("gan", "cifar10",
                             GAMES | {"probe_widths": (8, 16, 32), "gamma": 1.0, "gamma_final": 0.1, "augment": 1.0},
                             {"images": 1_500_000, "lr": 4e-4, "beta1": 0.0, "flip": True, "ema_halflife": 20_000}),
    "cifar10/ddpm-small": Run("ddpm", "cifar10", {"widths": (32, 64, 96), "prediction": "v_prediction", "min_snr": 5.0},
                              {"images": 2_500_000, "batch": 128, "clip": 1.0, "flip": True, "ema_halflife": 50_000}),
    "cifar10/consistency-small": Run("consistency", "cifar10", {"widths": (32, 64, 96), "hold": 0.5},
                                     {"images": 2_500_000, "batch": 128, "clip": 1.0, "flip": True,
                                      "ema_halflife": 50_000}),
}  # fmt: skip


def resolve_run(preset: str, overrides: Sequence[str] = ()) -> Run:
    """Return the preset's run with `key=value` overrides.

    A key is a training setting, a model argument, `data`, or a field of `gencore.data.View` such as `size`.

    Raises:
        InputError: if the preset or a key is unknown, or a value is of the wrong type.
    """
    if preset not in PRESETS:
        raise InputError(f"There is no preset {preset!r}{near(preset, list(PRESETS))}")
    run = PRESETS[preset]
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals or not text:
            raise InputError(f"{override!r} is not a setting; write key=value, for example lr=0.001.")
        run = _override(run, key, text)
    check_training(run.config)
    return run


def check_training(config: TrainingConfig) -> None:
    """Refuse settings that cannot train.

    Raises:
        InputError: naming the setting and what would be right.
    """
    for names, good, words in RANGES:
        for name in names:
            if not good(value := getattr(config, name)):
                raise InputError(f"{name} must be {words}, not {value!r}.")
    check_training_dtype(config.dtype)
    if config.layout not in (choices := ["auto", *LAYOUTS]):
        raise InputError(f"layout is {config.layout!r}{near(config.layout, choices)}")


def _override(run: Run, key: str, text: str) -> Run:
    arguments = inspect.signature(FAMILIES[run.family].__init__).parameters
    model_keys = {name: p.default for name, p in arguments.items() if name not in ("self", "channels", "size")}
    train_keys = {f.name: f.default for f in fields(TrainingConfig)}
    if key == "data":
        return replace(run, data=text)
    if key in VIEW:
        return replace(run, view=View(**run.view | {key: _parse(key, text, VIEW[key])}).record())
    if key in train_keys:
        return replace(run, train=run.train | {key: _parse(key, text, train_keys[key])})
    if key in model_keys:
        return replace(run, model=run.model | {key: _parse(key, text, model_keys[key])})
    if key in RENAMED:
        raise InputError(f"{key} is now called {RENAMED[key]}; write {RENAMED[key]}={text}.")
    raise InputError(f"There is no setting {key!r}{near(key, ['data', *VIEW, *train_keys, *model_keys])}")


def _parse(key: str, text: str, example: Any) -> Any:
    """Return `text` as the type of `example`, the setting's default."""
    if isinstance(example, str):
        return text
    wrong = InputError(f"{key} must be like {example!r}, not {text!r}.")
    try:
        value = ast.literal_eval({"true": "True", "false": "False"}.get(text, text))
    except (ValueError, SyntaxError):
        raise wrong from None
    if isinstance(example, tuple):
        value = (value,) if isinstance(value, int) else value
        if not isinstance(value, tuple) or not all(type(v) is int and v > 0 for v in value):
            raise wrong
        return value
    if isinstance(example, float) and type(value) is int:
        return float(value)
    if isinstance(example, int) and not isinstance(example, bool) and isinstance(value, float) and value.is_integer():
        return int(value)  # 2e5 images
    if type(value) is not type(example):
        raise wrong
    return value
