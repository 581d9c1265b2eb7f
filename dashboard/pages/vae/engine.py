"""What an encoder makes of one image: its posterior, draws of it decoded, and the price of the image.

It asks for the capabilities `Encodes` and `Decodes` and for no family. `Posteriors` asks models one at a time, in the
service's turn, and keeps what does not change from one slider's move to the next.
"""

from __future__ import annotations

import functools
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from threading import Event
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dashboard.pages.vae import posterior_figure
from dashboard.pages.vae.elbo_figure import Price, to_pay
from dashboard.pages.vae.posterior_figure import Aggregate, Posterior
from dashboard.service import InputError, Service
from dashboard.service.cache import Cache
from dashboard.service.device import Waiting
from dashboard.service.images import encodings
from dashboard.service.lanes import checkpoint_key
from dashboard.service.orders import image_seeds
from dashboard.service.parsing import parse_number, parse_seed
from dashboard.service.pixels import encode, to_input, to_pixels
from gencore.encodings import FILE, Encodings
from gencore.errors import near
from gencore.families.likelihood import normal_kl
from gencore.family import Bounds, Decodes, DecodesNormal, Encodes, Family, FitsPrior, Noise
from gencore.importance import importance_bound, log_weights

DRAWS = 12  # of z, from the posterior of one image
WIDEST = 10.0  # times sigma
MOST_WEIGHED, AT_ONCE = 1000, 100  # draws of z for importance-weighted bounds: in all, and between two pictures
GROUPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)  # draws in one estimate of these
LIKELY = 6  # draws of x from p(x|z)
PRICED = 16  # draws of z that an image's price is the mean of
NORMAL = 1.96  # the 97.5% point of the normal distribution


@dataclass(frozen=True)
class Drawn:
    """Draws of z from one image's posterior, decoded.

    Attributes:
        image: uint8 (C, H, W), the image itself.
        centre: uint8 (C, H, W), decoded from mu.
        images: uint8 (n, C, H, W), decoded from the draws.
        spread: (H, W) standard deviation of each pixel over the draws, pixels from 0 to 1, mean over channels.
        between_z: Mean Euclidean distance between two draws of z.
        between_images: Mean Euclidean distance between two decoded images, pixels from 0 to 1.
    """

    image: np.ndarray
    centre: np.ndarray
    images: np.ndarray
    spread: np.ndarray
    between_z: float
    between_images: float


@dataclass(frozen=True)
class Likely:
    """p(x|z) at the mean of one image's posterior.

    Attributes:
        mean: uint8 (C, H, W), f_mu(z).
        std: (H, W) f_sigma(z), of pixels in [-1, 1], mean over channels.
        images: uint8 (n, C, H, W), draws of x.
        error: The root mean square of the image less f_mu(z), of pixels in [-1, 1].
    """

    mean: np.ndarray
    std: np.ndarray
    images: np.ndarray
    error: float


class Posteriors:
    """Asks the models that encode and decode. One instance serves all visitors."""

    def __init__(self, service: Service):
        self.service = service
        self._encoded = Cache(64)  # by checkpoint and image: mean and std
        self._priced = Cache(256)  # by checkpoint and image, or images
        self._aggregates = Cache(8)  # by checkpoint

    # ---- what there is

    @property
    def kinds(self) -> dict[str, type[Family]]:
        """The families that encode and decode, by name."""
        return self.service.able(Encodes, Decodes)

    def checkpoints(self, dataset: str) -> dict[str, str]:
        """Return the checkpoints of a data set that encode and decode, each with its family's name; usable ones first.

        Those that cannot be used are among them: `check` says what is wrong with them.
        """
        lanes = sorted(self.service.checkpoints(dataset, Encodes, Decodes), key=lambda lane: bool(lane.problem))
        return {lane.checkpoint: lane.family for lane in lanes}

    def check(self, dataset: str, name: str) -> str:
        """Return the family of a checkpoint.

        Raises:
            InputError: in one sentence, if it cannot be used or there is none.
        """
        known = {lane.checkpoint: lane for lane in self.service.checkpoints(dataset, Encodes, Decodes)}
        if not known:
            missing = [self.service.lane(dataset, family).problem for family in self.kinds]
            raise InputError(" ".join(missing) or "No family here both encodes and decodes images.")
        if name not in known:
            raise InputError(f"There is no checkpoint {name!r} that encodes and decodes{near(str(name), list(known))}")
        if known[name].problem:
            raise InputError(known[name].problem)
        return known[name].family

    def bounds(self, family: str) -> bool:
        """Return whether a family has a bound of the likelihood."""
        return issubclass(self.service.families[family], Bounds)

    # ---- one image

    def posterior(self, name: str, image: np.ndarray, stop: Event | None = None) -> Generator[Waiting, None, Posterior]:
        """Return q(z|x) of an image, uint8 (C, H, W), once the device is had."""
        mean, std = yield from self.service.with_model(name, lambda model: self._encode(name, model, image), stop)
        return Posterior(*(one.double().numpy() for one in (mean, std, normal_kl(mean, std))))

    def _encode(self, name: str, model: Family, image: np.ndarray) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation (d,) of an image's posterior, on the CPU."""
        return self._encoded.find((checkpoint_key(name), image.shape, image.tobytes()), lambda: encode(image, model))

    def draws(
        self, name: str, image: np.ndarray, seed: Any, scale: Any, stop: Event | None = None
    ) -> Generator[Waiting, None, Drawn]:
        """Return, once the device is had, `DRAWS` draws z = mu + scale * sigma * eps of an image's posterior, decoded.

        Raises:
            InputError: in one sentence, on a bad seed or scale, or an image of another size.
        """
        seed, scale = parse_seed(seed), parse_number(scale, 0, WIDEST, "The scale of σ")

        def draw(model: Family) -> tuple[Tensor, Tensor]:
            mean, std = self._encode(name, model, image)
            z = mean + scale * std * noise(seed, DRAWS, len(mean))
            return z, model.decode(torch.cat([mean[None], z]).to(model.device)).clamp(-1, 1).cpu()

        z, decoded = yield from self.service.with_model(name, draw, stop)
        pixels = (decoded[1:] + 1) / 2
        return Drawn(
            image=image,
            centre=to_pixels(decoded[:1])[0],
            images=to_pixels(decoded[1:]),
            spread=pixels.std(0).mean(0).numpy(),
            between_z=torch.pdist(z).mean().item(),
            between_images=torch.pdist(pixels.flatten(1)).mean().item(),
        )

    def decodes_normal(self, family: str) -> None:
        """Check that a family's p(x|z) is normal.

        Raises:
            InputError: saying that it is not.
        """
        if not issubclass(self.service.families[family], DecodesNormal):
            raise InputError(f"A {self.service.families[family].title} has no normal p(x|z) to be looked at.")

    def likely(
        self, name: str, image: np.ndarray, seed: Any, scale: Any, stop: Event | None = None
    ) -> Generator[Waiting, None, Likely]:
        """Return, once the device is had, p(x|z) at z = mu(x) of an image, and draws of it with so many times sigma.

        Raises:
            InputError: in one sentence, on a bad seed or scale, or an image of another size.
        """
        seed, scale = parse_seed(seed), parse_number(scale, 0, WIDEST, "The scale of σ")

        def draw(model: Family) -> Likely:
            z = self._encode(name, model, image)[0][None].to(model.device)
            mean, std = (values.cpu() for values in model.likelihood(z))
            eps = Noise(image_seeds(seed, LIKELY))(*model.image_shape)
            error = (to_input(image[None].copy(), model).cpu() - mean).square().mean().sqrt().item()
            drawn = (mean + scale * std * eps).clamp(-1, 1)
            return Likely(to_pixels(mean.clamp(-1, 1))[0], std[0].mean(0).numpy(), to_pixels(drawn), error)

        return (yield from self.service.with_model(name, draw, stop))

    def weighed(self, name: str, image: np.ndarray, stop: Event) -> Iterator[Waiting | dict[int, np.ndarray]]:
        """Yield importance-weighted bounds of log P of an image by the draws in each, more and more of them.

        Raises:
            InputError: in one sentence, if the device fails.
        """
        generator, weights = torch.Generator().manual_seed(0), torch.zeros(0, dtype=torch.float64)

        def draw(model: Family) -> Tensor:
            return log_weights(model, to_input(image[None].copy(), model), AT_ONCE, generator)

        while len(weights) < MOST_WEIGHED and not stop.is_set():
            weights = torch.cat([weights, (yield from self.service.with_model(name, draw, stop))])
            yield {k: importance_bound(weights, k).numpy() for k in GROUPS if k <= len(weights)}

    def price(
        self, name: str, image: np.ndarray, label: str, picture: str = "", stop: Event | None = None
    ) -> Generator[Waiting, None, Price]:
        """Return, once the device is had, an image's price under a model's bound: the mean over `PRICED` draws of z."""
        keep = self._priced, (checkpoint_key(name), image.tobytes())
        work = functools.partial(priced, image=image)
        terms, low, high = yield from self.service.with_model(name, work, stop, keep=keep)
        return Price(label, terms, low, high, f"mean of {PRICED} draws of z", picture)

    def extremes(
        self, name: str, images: np.ndarray, stop: Event | None = None
    ) -> Generator[Waiting, None, tuple[int, int]]:
        """Return, once the device is had, the places of the cheapest and the dearest image, by the same draws of z."""

        def compare(model: Family) -> tuple[int, int]:
            elbo = model.bound(to_input(images, model), torch.Generator().manual_seed(0))["elbo"]
            return int(elbo.argmax()), int(elbo.argmin())

        keep = self._priced, (checkpoint_key(name), images.tobytes())
        return (yield from self.service.with_model(name, compare, stop, keep=keep))

    # ---- all images

    def aggregate(self, name: str, stop: Event | None = None) -> Generator[Waiting, None, Aggregate]:
        """Return, once the device is had, what is known of a model's latents over the encoded images kept with it.

        Raises:
            InputError: in one sentence with the command that makes them, if there are none.
        """
        found = encodings(name)
        keep, work = (self._aggregates, checkpoint_key(name, FILE)), functools.partial(summed, found=found)
        return (yield from self.service.with_model(name, work, stop, keep=keep))


def priced(model: Family, image: np.ndarray) -> tuple[dict[str, float], float, float]:
    """Return the terms of an image's price, nats, and the 95% interval of their sum over `PRICED` draws of z."""
    x = to_input(np.repeat(image[None], PRICED, axis=0), model)
    terms = model.bound(x, torch.Generator().manual_seed(0))
    total = -terms.pop("elbo")
    middle, half = total.mean().item(), NORMAL * total.std().item() / PRICED**0.5
    return {name: to_pay(name, values.mean().item()) for name, values in terms.items()}, middle - half, middle + half


def summed(model: Family, found: Encodings) -> Aggregate:
    """Return a model's aggregated posterior over encoded images, and its fitted prior's densities if it has one."""
    means, stds = (np.asarray(values, np.float64) for values in (found.mean, found.std))
    spots = posterior_figure.places(means, stds)
    fitted = None
    if isinstance(model, FitsPrior):
        at = torch.from_numpy(spots).float().to(model.device)
        fitted = model.prior_density(at).cpu().double().numpy()
    return Aggregate(
        places=spots,
        density=posterior_figure.aggregated(spots, means, stds),
        used=means.var(0) > posterior_figure.USED,
        kl=np.asarray(found.kl, np.float64),
        n=len(means),
        split=found.split,
        fitted=fitted,
    )


def noise(seed: int, n: int, dimensions: int) -> Tensor:
    """Return n draws of eps ~ N(0, I), (n, dimensions): draw i depends on the seed and i alone."""
    return Noise(image_seeds(seed, n))(dimensions)
