"""What a model family is: its knobs, its operating points, its losses, and how it samples.

A family is a diffusers `ModelMixin` + `ConfigMixin`, so its constructor is its config. Everything outside
a family's own file works on this interface and on the capability protocols below, never on a family's name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, runtime_checkable

import torch
from diffusers import ConfigMixin, ModelMixin
from torch import Tensor, nn

from gencore.errors import InputError, near

MAX_SEED = 2**63 - 1
MAX_IMAGES = 100_000


@dataclass(frozen=True)
class Knob:
    """One inference-time setting. The CLI, the controls and the sweeps are all made from it.

    Attributes:
        name: The keyword of `Family.sample`.
        default: The value used when none is given; a string exactly when `choices` is not empty.
        low: Smallest value accepted (numbers only).
        high: Largest value accepted (numbers only).
        choices: The values accepted, for a choice.
        integer: Whether the number must be whole.
        help: One sentence for people.
        when: The knobs and values for which this one has an effect, `{"sampler": ("ddim",)}`.
    """

    name: str
    default: float | str
    low: float = 0
    high: float = 1
    choices: tuple[str, ...] = ()
    integer: bool = False
    help: str = ""
    when: Mapping[str, tuple] = field(default_factory=dict)

    def parse(self, value: Any) -> float | int | str:
        """Return `value` as this knob's type.

        Raises:
            InputError: if it is of another type, not one of the choices, or out of range.
        """
        if self.choices:
            if value not in self.choices:
                raise InputError(f"{self.name} is {value!r}{near(str(value), list(self.choices))}")
            return value
        kind = "a whole number" if self.integer else "a number"
        wanted = f"{self.name} must be {kind} from {self.low:g} to {self.high:g}, not {value!r}."
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            raise InputError(wanted) from None
        if isinstance(value, bool) or not self.low <= number <= self.high or (self.integer and number % 1):
            raise InputError(wanted)
        return int(number) if self.integer else number

    def applies(self, values: Mapping[str, Any]) -> bool:
        """Return whether this knob has an effect beside the other knobs' `values`."""
        return all(values.get(other) in allowed for other, allowed in self.when.items())


def resolve_knobs(knobs: Sequence[Knob], given: Mapping[str, Any]) -> dict[str, float | int | str]:
    """Return every knob's value: `given` where it is named there, else the default.

    Raises:
        InputError: if a name is unknown, a value is bad, or a knob is set where it has no effect.
    """
    names = [knob.name for knob in knobs]
    for name in given:
        if name not in names:
            raise InputError(f"There is no knob {name!r} here{near(name, names)}")
    values = {knob.name: knob.parse(given.get(knob.name, knob.default)) for knob in knobs}
    for knob in knobs:
        if knob.name in given and not knob.applies(values) and values[knob.name] != knob.default:
            need = " and ".join(f"{k} = {' or '.join(map(str, v))}" for k, v in knob.when.items())
            raise InputError(f"{knob.name} has an effect only with {need}; leave it out or change that.")
    return values


@dataclass(frozen=True)
class Point:
    """One operating point: what an evaluation walks and the pages name.

    Attributes:
        label: A short name for people, 'DDIM, 20 steps'.
        knobs: The knob values that differ from the defaults.
        kind: 'headline' (compared across families), 'sweep' (one of a curve) or 'lecture' (the lecture's own).
    """

    label: str
    knobs: Mapping[str, Any]
    kind: str


@dataclass(frozen=True)
class Step:
    """One moment of sampling.

    Attributes:
        index: Network calls done so far, from 1 to `total`.
        total: Network calls in all.
        x: The state now, (N, ...).
        x0: The images that the model would give now, (N, C, H, W) in [-1, 1].
    """

    index: int
    total: int
    x: Tensor
    x0: Tensor


@dataclass(frozen=True)
class Loss:
    """A scalar to minimise.

    Attributes:
        network: The key in `Family.networks` whose optimizer steps on `value`.
        value: The scalar, with its graph.
        logs: What to write to the log, by name; detached scalars or vectors.
    """

    network: str
    value: Tensor
    logs: Mapping[str, Tensor]


class Noise:
    """Standard normal noise that depends on each image's seed alone, whatever the batch or the device.

    One generator a seed, drawn on the CPU, so that image i is the same in a batch of 1 or of 100 and on a GPU.
    """

    def __init__(self, seeds: Iterable[int], device: torch.device | str = "cpu"):
        self.device = device
        self.generators = [torch.Generator().manual_seed(parse_seed(seed)) for seed in seeds]
        if not 1 <= len(self.generators) <= MAX_IMAGES:
            raise InputError(f"The number of images must be from 1 to {MAX_IMAGES}, not {len(self.generators)}.")

    def __call__(self, *shape: int) -> Tensor:
        """Return normal noise of shape (N, *shape), one independent draw a seed."""
        draws = [torch.randn(shape, generator=generator) for generator in self.generators]
        return torch.stack(draws).to(self.device)


def parse_seed(seed: Any) -> int:
    """Return `seed` as an int in [0, 2**63).

    Raises:
        InputError: if it is not a whole number in that range.
    """
    try:
        whole = int(seed)
        exact = isinstance(seed, int) or whole == float(seed)  # a float cannot hold every large int
        good = exact and not isinstance(seed, bool) and 0 <= whole <= MAX_SEED
    except (TypeError, ValueError, OverflowError):
        good = False
    if not good:
        raise InputError(f"A seed must be a whole number from 0 to {MAX_SEED}, not {seed!r}.")
    return whole


def image_seed(seed: int, index: int) -> int:
    """Return the seed of image `index` in the run with seed `seed`: the first 63 bits of a SHA-256.

    Neighbouring runs share no image: unlike `seed + index`, run 1's image 0 is not run 0's image 1.
    """
    digest = hashlib.sha256(f"{parse_seed(seed)}/{index}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


class Family(ModelMixin, ConfigMixin):
    """A family of generative models.

    Subclasses decorate their constructor with `@register_to_config` and take `channels` and `size` (square
    images of `size` x `size` pixels) among the arguments. Images are float tensors (N, C, H, W) in [-1, 1].
    """

    config_name = "config.json"
    name: ClassVar[str]  # the key in FAMILIES, and the config's family
    title: ClassVar[str]  # for people
    about: ClassVar[str] = ""  # one sentence for people: what it is
    knobs: ClassVar[tuple[Knob, ...]]
    points: ClassVar[tuple[Point, ...]]
    interpolation: ClassVar[str] = "linear"  # or 'slerp': the path that stays where latents have their mass
    compute_dtype: torch.dtype = torch.float32  # what the networks compute in; weights stay in float32

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(C, H, W) of one image."""
        return self.config.channels, self.config.size, self.config.size

    @property
    def networks(self) -> dict[str, nn.Module]:
        """The modules by optimizer. The moving average (EMA) follows the first."""
        raise NotImplementedError

    @property
    def network(self) -> nn.Module:
        """The module whose calls are counted as network calls (NFE) when sampling."""
        raise NotImplementedError

    def losses(self, x: Tensor, progress: float = 0.0) -> Iterator[Loss]:
        """Yield the losses of one training step on images `x`.

        Lazy: the trainer steps a loss's network before it asks for the next loss, so that a GAN's generator is
        judged by the discriminator just updated.

        Args:
            x: Real images (N, C, H, W) in [-1, 1].
            progress: The share of the training that is done, in [0, 1].
        """
        raise NotImplementedError

    def sample(self, seeds: Iterable[int], **knobs: Any) -> Iterator[Step]:
        """Yield the sampling step by step, one `Step` a network call; image i depends on `seeds[i]` alone.

        Raises:
            InputError: on a bad seed, knob name or knob value.
        """
        raise NotImplementedError

    @torch.no_grad()
    def generate(self, seeds: Iterable[int], **knobs: Any) -> Tensor:
        """Return the images of `seeds`: float32 (N, C, H, W) in [-1, 1], on the model's device.

        Raises:
            InputError: on a bad seed, knob name or knob value.
        """
        step = None
        for step in self.sample(seeds, **knobs):  # noqa: B007 - the last step is the result
            pass
        return step.x0

    def resolve_knobs(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return every knob's value, checked; see `resolve_knobs`."""
        return resolve_knobs(self.knobs, given)

    def autocast(self) -> AbstractContextManager:
        """Return the context in which the networks run: mixed precision if `compute_dtype` asks for it."""
        lower = self.compute_dtype != torch.float32
        return torch.autocast(self.device.type, self.compute_dtype if lower else torch.bfloat16, enabled=lower)


@runtime_checkable
class Decodes(Protocol):
    """Images are a deterministic function of a latent: gives interpolation."""

    def latent(self, seeds: Iterable[int]) -> Tensor:
        """Return the latents of `seeds`, (N, ...)."""

    def decode(self, latent: Tensor) -> Tensor:
        """Return the images (N, C, H, W) in [-1, 1] of latents (N, ...)."""


@runtime_checkable
class Encodes(Protocol):
    """Images have a latent: gives reconstruction."""

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation of q(z|x), both (N, d), of images (N, C, H, W) in [-1, 1]."""


@runtime_checkable
class Inverts(Protocol):
    """A latent can be found that decodes to a given image: gives interpolation between chosen images."""

    def invert(self, x: Tensor) -> Tensor:
        """Return latents (N, ...) whose `decode` is about the images (N, C, H, W) in [-1, 1]."""


@runtime_checkable
class Bounds(Protocol):
    """A lower bound of log P(x) can be computed, of images whose pixels are one of 256 levels."""

    def bound(self, x: Tensor, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """Return the terms of the bound in nats per image, each (N,); 'elbo' is the bound itself.

        Args:
            x: Images (N, C, H, W) in [-1, 1].
            generator: Of its random draws, on the CPU whatever the model's device; by default the global one.
        """

    def bound_basis(self) -> dict[str, str]:
        """Return what the bound rests on, for people, such as its variance; 'prior' names the prior."""


@dataclass(frozen=True)
class Part:
    """One part of a bound that is a sum over the steps of a chain.

    Attributes:
        index: Parts done so far, from 1 to `total`.
        total: Parts in all.
        term: The term that it is a part of, 'L_between'.
        low: The first of the steps that it stands for.
        high: The last of them.
        steps: How many they are; of strata that divide no whole number of steps, a fraction.
        value: Nats an image and step, (N,); `steps * value` is what the part adds to its term.
    """

    index: int
    total: int
    term: str
    low: int
    high: int
    steps: float
    value: Tensor


def sum_parts(parts: Iterable[Part]) -> dict[str, Tensor]:
    """Return the terms that the parts of a bound add up to, (N,) each, and 'elbo', which is minus their sum."""
    terms: dict[str, Tensor] = {}
    for part in parts:
        terms[part.term] = terms.get(part.term, 0) + part.steps * part.value
    return terms | {"elbo": -sum(terms.values())}


@runtime_checkable
class BoundsInParts(Bounds, Protocol):
    """The bound is a sum over the steps t of a chain: gives the curve of its terms."""

    def bound_at(self, x: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """Return the bound's term at t (N,) in nats per image, (N,), for images (N, C, H, W) and noise like them."""

    def bound_parts(self, x: Tensor, generator: torch.Generator | None = None) -> Iterator[Part]:
        """Yield the parts of `bound(x, generator)`, one a network call."""


@runtime_checkable
class Diffuses(Protocol):
    """A forward process turns images into noise: gives its film."""

    def diffuse(self, x0: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """Return x_t ~ q(x_t|x_0) for images (N, C, H, W), t (N,) in 0..T-1 and noise like x0."""

    def predict(self, x_t: Tensor, t: Tensor) -> Tensor:
        """Return the x_0 predicted from x_t (N, C, H, W) at t (N,), clipped to [-1, 1]."""

    def alphas_cumprod(self) -> Tensor:
        """Return abar_t for t = 0..T-1, (T,): the share of x_t's variance that is signal, falling."""

    def timesteps(self, **knobs: Any) -> list[int]:
        """Return the t of each network call of `sample` with these knobs, in order."""

    def latent(self, seeds: Iterable[int]) -> Tensor:
        """Return the noise (N, C, H, W) that `sample` starts from."""


@runtime_checkable
class Judges(Protocol):
    """Gives a probability that an image is real."""

    def judge(self, x: Tensor) -> Tensor:
        """Return D(x) in (0, 1), (N,), of images (N, C, H, W) in [-1, 1]."""


@runtime_checkable
class PostTrainingFit(Protocol):
    """Fits something once the weights are trained."""

    def fit_after_training(self, batches: Iterable[Tensor]) -> None:
        """Fit what comes after training on batches of training images (N, C, H, W) in [-1, 1].

        The trainer calls it on the averaged (EMA) weights, at the end and on Stop.
        """


@runtime_checkable
class FitsPrior(Protocol):
    """Latents are drawn from a prior that was fitted after training: gives its curve beside the encodings'."""

    def prior_density(self, z: Tensor) -> Tensor:
        """Return the fitted prior's density in each dimension, (d, G), at the places z (G,)."""


@runtime_checkable
class ValidationHook(Protocol):
    """Has figures to log that need held-out images."""

    def validation_figures(self, x: Tensor) -> dict[str, Tensor]:
        """Return figures on held-out images (N, C, H, W) in [-1, 1]; called without gradients."""
