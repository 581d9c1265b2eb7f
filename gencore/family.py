"""What a model family is: its knobs, its operating points, its losses, and how it samples.

`Family`'s docstring is the whole contract. Everything outside a family's own file works on that interface and on the
capability protocols below, never on a family's name.
"""

from __future__ import annotations

import hashlib
import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import torch
from diffusers import ConfigMixin, ModelMixin
from torch import Tensor, nn

from gencore.errors import InputError, near
from gencore.philox import normal

if TYPE_CHECKING:
    from diffusers import DiffusionPipeline

MAX_SEED = 2**63 - 1
MAX_IMAGES = 100_000
POINT_KINDS = ("headline", "lecture", "sweep")
INTERPOLATIONS = ("linear", "slerp")


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
class Change:
    """A change of `Family.sample`: from then on the same seeds and knobs give images of another distribution.

    Attributes:
        what: What has changed, as a sentence begins with it: 'The DDIM sampler'.
        when: The knobs and values that it concerns, `{"sampler": ("ddim",)}`; all of them by default.
    """

    what: str
    when: Mapping[str, tuple] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One moment of sampling.

    Attributes:
        index: Network calls done so far, from 1 to `total`.
        total: Network calls in all.
        x: The state now, (N, ...), finite.
        x0: The images that the model would give now, float32 (N, C, H, W) in [-1, 1].
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
        value: The scalar, with its graph. The trainer logs it: as 'loss' for the first network, which is the one kept
            averaged, and as 'NETWORK_loss' for any other.
        logs: More to log, by name; detached scalars or vectors. One of the name that the trainer gives `value` is
            logged in its place: a loss without its penalties, say.
    """

    network: str
    value: Tensor
    logs: Mapping[str, Tensor] = field(default_factory=dict)


class Noise:
    """Standard normal noise that depends on each image's seed alone, whatever the batch or the device.

    The seed is the key of a counter-based generator (`gencore.philox`), so that a batch is drawn at once, on the CPU,
    and image i is the same to the bit in a batch of 1 or of 100 and on a GPU.
    """

    def __init__(self, seeds: Iterable[int], device: torch.device | str = "cpu"):
        self.device, self.draws = device, 0
        if not isinstance(seeds, Iterable):
            raise InputError(f"Each image needs a seed of its own, as range(5) gives five, not {seeds!r} alone.")
        self.keys = np.array([parse_seed(seed) for seed in seeds], np.uint64)
        if not 1 <= len(self) <= MAX_IMAGES:
            raise InputError(f"The number of images must be from 1 to {MAX_IMAGES}, not {len(self)}.")

    def __len__(self) -> int:
        """Return the number of seeds, N."""
        return len(self.keys)

    def __call__(self, *shape: int) -> Tensor:
        """Return normal noise of shape (N, *shape), one draw per seed, independent of those before."""
        numbers = normal(self.keys, self.draws, math.prod(shape))
        self.draws += 1
        return torch.from_numpy(numbers).view(len(self), *shape).to(self.device)


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
    return derived_seed(seed, index)


def derived_seed(seed: int, *use: int | str) -> int:
    """Return the seed for one use of a run's seed, such as ("step", 5, 0): no two uses, nor runs, share one."""
    digest = hashlib.sha256("/".join(map(str, (parse_seed(seed), *use))).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def smallest_size(size: int, resolutions: int) -> int:
    """Return the side of the lowest of `resolutions`, each half of the one above, rounded up.

    Networks see images of another size with a margin, see `gencore.families.nets.padded`.

    Raises:
        InputError: if `size` cannot be halved that often.
    """
    halvings = 2 ** (resolutions - 1)
    if size < halvings:
        raise InputError(f"Images of {size} pixels cannot be halved {resolutions - 1} times; give fewer widths.")
    return -(-size // halvings)


class Family(ModelMixin, ConfigMixin):
    """A family of generative models. This is all that one provides; everything else follows from it.

    A family is one file, `gencore/families/NAME.py`, with a subclass of this class, and its entry in
    `gencore/families/__init__.py`. Its entry checks what can be seen without building a model (see
    `gencore.families.registration`), `tests/gencore/families/test_contract.py` the rest. A preset 'digits/NAME' with
    every argument at its default is there at once; `gencore/presets.py` takes others.

    Images are float32 (N, C, H, W) in [-1, 1] with H = W, on the model's device (`self.device`), grey (C = 1) or RGB
    (C = 3). Errors that the user can mend are `InputError`s of one sentence.

    Required:

    - `name`: Its key in FAMILIES and in commands: lower-case letters, digits, '-' and '_'. The class's own name, by
      which checkpoints find it, must be unique too.
    - A constructor decorated with `diffusers.configuration_utils.register_to_config`. It takes `channels` (C) and
      `size` (H) by name, and any other arguments, which have defaults: numbers, truth values, strings, or tuples of
      positive whole numbers, as presets and `key=value` set them. It calls `super().__init__()` before anything else;
      `self.config` then holds the arguments. They and the weights (parameters and buffers) are what a checkpoint keeps.
      An argument called `widths` lists the feature maps at each resolution, each half of the one above, rounded up; a
      `size` that cannot be halved so often is then refused for you. Models are copied with `copy.deepcopy`.
    - `networks`, a property: the modules to train, by name. Each has an Adam optimizer of its own, and together they
      hold all parameters. The first is the one that makes images: a moving average (EMA) of its weights is what is kept
      and sampled; of the others and of buffers the latest is.
    - `losses(x, progress)`, a generator: yields one training step's `Loss(network, value, logs)`es on real images `x`,
      for each network at least one, whatever N. The trainer steps a loss's network before it asks for the next loss, so
      that a GAN's generator is judged by the discriminator just updated; it does all of zeroing, backward pass,
      clipping and stepping. It logs the first network's loss as 'loss', any other's as 'NETWORK_loss', and `logs`: more
      figures by name, detached scalars or vectors, none by default (one of the loss's name replaces it). Where
      processes share a batch, x is one's part of it, and `gencore.families.processes.mean` is over all. `progress`, 0
      by default, is the share of the training that is done, in [0, 1]. Draw from torch's global generator only, which
      the trainer seeds anew for every step, and keep no state but parameters and buffers: then a resumed run ends in
      the same bits. The model is in train mode here, and in eval mode elsewhere.
    - `sample(seeds, **knobs)`, a generator under `@torch.no_grad()`: yields a `Step(index, total, x, x0)` after each
      call of `network`: `index` counts from 1 to `total`, x is the state, x0 the images that the model would give now,
      in [-1, 1]; the last one's are the result. Checks its knobs first, by `self.resolve_knobs(knobs)`, which returns
      all of them, and draws from `Noise(seeds, self.device)` alone, which checks the seeds. Image i depends on
      `seeds[i]` alone, not on the rest of the batch: no batch normalisation.

    In both, and in all capabilities, networks are called in `with self.autocast():`, and what they return is taken to
    float32 by `.float()` before anything is computed from it: weights stay float32, `compute_dtype` is the loader's.

    Optional, with what holds by default:

    - `title`: For people; the name in capitals.
    - `about`: One sentence for people on what it is; none.
    - `knobs`: The settings of `sample` that the CLI, the controls and the sweeps offer, each a `Knob(name, default,
      low, high, choices, integer, help, when)`; none. If the number of network calls can be chosen, a knob of whole
      numbers does that, the first of such knobs.
    - `points`: The `Point(label, knobs, kind)`s that evaluations walk and pages name, the first of them what pages
      begin with; `kind` is 'headline' (compared across families: at least one), 'sweep' (one of a curve) or 'lecture'
      (the lecture's own). One headline point, all knobs at their defaults.
    - `changes`: The `Change(what, when)`s of `sample` since the family was first measured, oldest first; none. One is
      added when the same seeds and knobs give images of another distribution, and none is taken out: a row says how
      many of them its knobs had when it was measured (`revision`), and is stale when they have more.
    - `interpolation`: The path between latents that stays where they have their mass: 'slerp' for Gaussian noise of
      many dimensions, else 'linear', the default.
    - `network`, a property: The module that `sample` calls, by which network calls (NFE) are counted; the first of
      `networks`. To be given where that is a larger module, as is a whole VAE, whose sampling calls its decoder.

    Capabilities: methods that a family has or has not; a page or measure that needs one takes the families that have
    it. A family has all methods of a capability or none. Their callers hold `torch.no_grad()`. Here x are images (N, C,
    H, W), t (N,) are whole numbers in 0..T-1, and noise is standard normal and like x.

    - `Decodes`: `latent(seeds)`, latents (N, ...) as `sample` starts from by default, and `decode(latent)`, their
      images: the same each time. Gives interpolation.
    - `Encodes`: `encode(x)`, mean and standard deviation of q(z|x), (N, d) each. With `Decodes`, gives reconstructions
      and the map of latents.
    - `Inverts`: `Decodes`, and `invert(x)`, latents (N, ...) whose `decode` is about x. Gives interpolation between
      chosen images.
    - `Bounds`: `bound(x, generator=None)`, the terms of a lower bound of log P(x) by name, (N,) each, nats per image of
      256 pixel levels; 'elbo' is the bound itself. Draws come from `generator` on the CPU, or the global one. And
      `bound_basis()`, what the bound rests on, texts by name; 'prior' names the prior.
    - `BoundsInParts`: `Bounds` of a sum over t; `bound_at(x, t, noise)`, its term at t, (N,), and `bound_parts(x,
      generator=None)`, which yields `Part`s, one per network call, that add up to `bound`'s terms.
    - `Diffuses`: `diffuse(x0, t, noise)`, x_t = sqrt(abar_t) x0 + sqrt(1 - abar_t) noise; `predict(x_t, t)`, the x0
      that the network sees in it, in [-1, 1]; `alphas_cumprod()`, abar (T,), falling; `timesteps(**knobs)`, the t of
      each call of `sample`, a list that falls from T - 1; and `latent(seeds)`, the noise (N, C, H, W) it starts from.
      Gives the diffusion page.
    - `Denoises`: `Diffuses`; `noise_in(x_t, t)`, the noise that the network sees, not clipped and with gradients; and
      `denoise(x_t, t, z)` at one t, x_{t-1} of ancestral sampling in T steps, and the noise beside the x0 it went on
      with. Gives the two algorithms, line by line.
    - `DecodesNormal`: `Encodes` with the prior N(0, I), and `likelihood(z)`, mean and standard deviation of p(x|z),
      (N, C, H, W) each. Gives importance-weighted bounds.
    - `Judges`: `judge(x)`, the probability that each is real, (N,) in (0, 1). Gives the page of the game.
    - `PostTrainingFit`: `fit_after_training(batches)`, which fits buffers on batches of training images, at the end of
      training and when it is stopped, on the averaged weights.
    - `Distils`: `learn_from(teacher)`, which takes a trained model for `losses` to learn from beside the images; it is
      no part of this one. Gives `--teacher` to the training.
    - `FitsPrior`: `Encodes`, and `prior_density(z)`, the density in each dimension, (d, G), at the places z (G,), of a
      prior that was fitted after training.
    - `ValidationHook`: `validation_figures(x)`, scalars or vectors by name that the log gets now and then, on held-out
      x.
    - `Pipes`: `from_pipeline(network, scheduler)`, static: an untrained model for the configs of a diffusers pipeline's
      network, which is then this model's `network`, and scheduler; and `pipeline()`, such a pipeline of this model.
      Gives import and export.

    The whole of a family that has a network `net` and can choose its number of calls:

        class Yours(Family):
            name = "yours"
            knobs = (Knob("calls", 10, low=1, high=100, integer=True, help="Network calls per image."),)
            points = (Point("10 calls", {}, "headline"), Point("50 calls", {"calls": 50}, "sweep"))

            @register_to_config
            def __init__(self, channels: int = 1, size: int = 28, widths: tuple[int, ...] = (32, 64)):
                super().__init__()
                self.net = build_net(self.image_shape, widths)

            @property
            def networks(self):
                return {"net": self.net}

            def losses(self, x, progress=0.0):
                error = (self.call(x + torch.randn_like(x)) - x).square()
                yield Loss("net", error.mean(), {"largest_error": error.detach().max()})

            @torch.no_grad()
            def sample(self, seeds, **knobs):
                total = self.resolve_knobs(knobs)["calls"]
                noise = Noise(seeds, self.device)
                x = noise(*self.image_shape)  # (N, C, H, W); the next `noise(...)` is fresh
                for index in range(1, total + 1):
                    x = self.call(x)
                    yield Step(index, total, x, x.clamp(-1, 1))

            def call(self, x):
                with self.autocast():
                    return self.net(x).float()
    """

    config_name = "config.json"
    name: ClassVar[str]
    title: ClassVar[str]
    about: ClassVar[str] = ""
    knobs: ClassVar[tuple[Knob, ...]] = ()
    points: ClassVar[tuple[Point, ...]] = (Point("default", {}, "headline"),)
    changes: ClassVar[tuple[Change, ...]] = ()
    interpolation: ClassVar[str] = "linear"
    compute_dtype: torch.dtype = torch.float32  # what the networks compute in; weights stay in float32

    def __init_subclass__(cls, **options: Any) -> None:
        """Give a family that has a name and no title of its own one."""
        super().__init_subclass__(**options)
        if isinstance(name := vars(cls).get("name"), str) and "title" not in vars(cls):
            cls.title = name.upper()

    def __init__(self) -> None:
        """Refuse a size that cannot be halved between the resolutions of `widths`.

        Raises:
            InputError: in that case.
        """
        super().__init__()
        if "widths" in self.config:
            smallest_size(self.config.size, len(self.config.widths))

    @property
    def device(self) -> torch.device:
        """Where the weights are; diffusers searches all layers for offloading first, which takes a U-Net 0.6 ms."""
        first = next(self.parameters(), None)
        return super().device if first is None else first.device

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(C, H, W) of one image."""
        return self.config.channels, self.config.size, self.config.size

    @property
    def networks(self) -> dict[str, nn.Module]:
        """The modules to train, by name; see the class."""
        raise NotImplementedError

    @property
    def network(self) -> nn.Module:
        """The module whose calls are counted as network calls (NFE) when sampling: the first of `networks`."""
        return next(iter(self.networks.values()))

    def losses(self, x: Tensor, progress: float = 0.0) -> Iterator[Loss]:
        """Yield the losses of one training step on real images `x`; see the class."""
        raise NotImplementedError

    def sample(self, seeds: Iterable[int], **knobs: Any) -> Iterator[Step]:
        """Yield the sampling step by step; see the class.

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
        return deque(self.sample(seeds, **knobs), maxlen=1).pop().x0

    @classmethod
    def changes_of(cls, knobs: Mapping[str, Any]) -> list[Change]:
        """Return the `changes` that concern these knobs, those not named at their defaults."""
        values = {knob.name: knob.default for knob in cls.knobs} | dict(knobs)
        return [one for one in cls.changes if all(values.get(name) in allowed for name, allowed in one.when.items())]

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
class Inverts(Decodes, Protocol):
    """A latent can be found that decodes to a given image: gives interpolation between chosen images."""

    def invert(self, x: Tensor) -> Tensor:
        """Return latents (N, ...) whose `decode` is about the images (N, C, H, W) in [-1, 1]."""


@runtime_checkable
class Bounds(Protocol):
    """A lower bound of log P(x) can be computed, of images whose pixels are one of 256 levels."""

    def bound(self, x: Tensor, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """Return the terms of the bound in nats per image, (N,) each; draws on the CPU, whatever the device."""

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
        value: Nats per image and step, (N,); `steps * value` is what the part adds to its term.
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
        """Yield the parts of `bound(x, generator)`, one per network call."""


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
class Denoises(Diffuses, Protocol):
    """The noise is predicted, and taken off step by step: gives both algorithms of Ho et al. 2020, line by line."""

    def noise_in(self, x_t: Tensor, t: Tensor) -> Tensor:
        """Return the noise that the network sees in x_t (N, C, H, W) at t (N,), not clipped, with its gradients."""

    def denoise(self, x_t: Tensor, t: int, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return x_{t-1} of ancestral sampling in T steps, with the fresh noise z, and the noise taken to be in x_t."""


@runtime_checkable
class DecodesNormal(Encodes, Protocol):
    """p(x|z) is normal, and p(z) is N(0, I): gives importance-weighted bounds."""

    def likelihood(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation of p(x|z), f_mu(z) and f_sigma(z), (N, C, H, W) each, of z (N, d)."""


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
class Distils(Protocol):
    """Can learn from a trained model, its teacher, beside the images."""

    def learn_from(self, teacher: Family) -> None:
        """Take a teacher for the training to come; it is no part of the model, and neither trained nor saved with it.

        Raises:
            InputError: if it is none that this model can learn from.
        """


@runtime_checkable
class FitsPrior(Encodes, Protocol):
    """Latents are drawn from a prior that was fitted after training: gives its curve beside the encodings'."""

    def prior_density(self, z: Tensor) -> Tensor:
        """Return the fitted prior's density in each dimension, (d, G), at the places z (G,)."""


@runtime_checkable
class ValidationHook(Protocol):
    """Has figures to log that need held-out images."""

    def validation_figures(self, x: Tensor) -> dict[str, Tensor]:
        """Return figures on held-out images (N, C, H, W) in [-1, 1]; called without gradients."""


@runtime_checkable
class Pipes(Protocol):
    """Is what one of diffusers' pipelines is: gives import and export."""

    @staticmethod
    def from_pipeline(network: Mapping[str, Any], scheduler: Mapping[str, Any]) -> Family:
        """Return an untrained model for the configs of a pipeline's network, which is its `network`, and scheduler."""

    def pipeline(self) -> DiffusionPipeline:
        """Return this model as a pipeline."""


CAPABILITIES = (
    Decodes, Encodes, Inverts, Bounds, BoundsInParts, Diffuses, Denoises, DecodesNormal, Judges, PostTrainingFit,
    Distils, FitsPrior, ValidationHook, Pipes,
)  # fmt: skip
