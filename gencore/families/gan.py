"""The generative adversarial network (Goodfellow et al. 2014): the lecture's game and two modern objectives."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn
from torch.nn import functional as F

from gencore.errors import InputError, near
from gencore.families.augment import augment
from gencore.families.nets import Decoder, Encoder
from gencore.family import Family, Knob, Loss, Noise, Point, Step

OBJECTIVES = ("minimax", "non_saturating", "relativistic")


def leaky() -> nn.Module:
    """Return the activation of both networks."""
    return nn.LeakyReLU(0.2)


class GAN(Family):
    """G maps z ~ N(0, I) to images; D (or a critic C, its logit) tells them from real ones.

    - `minimax`: the lecture's V(D, G) = E[log D(x)] + E[log(1 - D(G(z)))], D ascends, G descends.
    - `non_saturating`: the same D; G ascends E[log D(G(z))] (Goodfellow et al. 2014, sec. 3).
    - `relativistic`: pairs, E[softplus(C(G(z)) - C(x))] and its mirror, with R1 + R2: R3GAN (Huang et al. 2024).

    A relativistic critic is defined up to a constant, so it has no D(x). A probe, a small discriminator trained with
    the lecture's loss that never trains G, provides V, D(x) and D(G(z)) there.

    Args:
        widths: Feature maps of both networks at each resolution, from the image's downwards.
        probe_widths: The probe's.
        latent: Dimensions of z.
        blocks: Residual blocks per resolution.
        objective: One of `OBJECTIVES`.
        gamma: Weight of the gradient penalties R1 (on real images) and R2 (on generated ones); 0 for none.
        gamma_final: Their weight at the end of training; between, a cosine.
        penalty_share: The share of the batch on which the penalties are estimated: their double backward pass is
            the dearest part of a step, and a part of the batch gives an unbiased estimate.
        augment: The share of the images that the discriminator sees changed at random, real and generated ones alike,
            in [0, 1]; see `augment`. The probe sees none of them so.
        noise: Standard deviation of the noise on all images that the discriminator sees at the start of training, of a
            range of [-1, 1], real and generated ones alike; a cosine takes it to 0 (instance noise, Sønderby et al.
            2017, sec. 3). Flat pictures without it are told from generated ones by their grain alone.
        tanh: Whether the generator ends in tanh. It has no slope left where pictures are white or black all over, and
            without it (as in R3GAN) G sees how it overshoots; images are clipped once they are made.
    """

    name = "gan"
    title = "GAN"
    about = "A generator learns to fool a discriminator, which learns to tell its images from real ones: one call."
    interpolation = "slerp"
    knobs = (
        Knob("truncation", 1.0, 0.05, 1.0, help="Scales z: 1 is none, lower is more typical and less varied."),
    )  # fmt: skip
    points = (
        Point("no truncation", {}, "headline"),
        Point("truncation 1", {"truncation": 1.0}, "lecture"),
        *(Point(f"truncation {t}", {"truncation": t}, "sweep") for t in (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)),
    )

    @register_to_config
    def __init__(
        self,
        channels: int = 1,
        size: int = 28,
        widths: tuple[int, ...] = (32, 64, 128),
        probe_widths: tuple[int, ...] = (8, 16, 32),
        latent: int = 64,
        blocks: int = 1,
        objective: str = "relativistic",
        gamma: float = 20.0,
        gamma_final: float = 3.0,
        penalty_share: float = 0.25,
        augment: float = 0.0,
        noise: float = 0.0,
        tanh: bool = True,
    ):
        super().__init__()
        if objective not in OBJECTIVES:
            raise InputError(f"The GAN's objective is {objective!r}{near(objective, list(OBJECTIVES))}")
        if not 0 <= augment <= 1:
            raise InputError(f"The GAN's augment is a share from 0 to 1, not {augment!r}.")
        if not 0 <= noise < math.inf:
            raise InputError(f"The GAN's noise is a standard deviation, 0 or more, not {noise!r}.")
        self.generator = Decoder(channels, size, widths, latent, leaky, blocks, tanh)
        self.discriminator = Encoder(channels, size, widths, 1, leaky, blocks)
        if objective == "relativistic":
            self.probe = Encoder(channels, size, probe_widths, 1, leaky)

    @property
    def networks(self) -> dict[str, nn.Module]:
        """Generator, discriminator and, beside a relativistic critic, the probe."""
        names = ("generator", "discriminator", "probe")
        return {name: getattr(self, name) for name in names if hasattr(self, name)}

    @property
    def referee(self) -> nn.Module:
        """The module whose sigmoid is a probability: D itself, or the probe."""
        return self.networks.get("probe", self.discriminator)

    def losses(self, x: Tensor, progress: float = 0.0) -> Iterator[Loss]:
        """Yield the discriminator's loss, the probe's if there is one, then the generator's on fresh z."""
        with torch.no_grad():
            fake = self._generated(self._z(len(x)))
        yield self._discriminator_loss(self._shown(x, progress), self._shown(fake, progress), self._gamma(progress))
        if "probe" in self.networks:
            real_logit, fake_logit = self._logits(self.probe, x), self._logits(self.probe, fake.clamp(-1, 1))
            value = F.softplus(-real_logit).mean() + F.softplus(fake_logit).mean()
            yield Loss("probe", value)
        yield self._generator_loss(x, progress)

    def _discriminator_loss(self, x: Tensor, fake: Tensor, gamma: float) -> Loss:
        self.discriminator.requires_grad_(True)
        real_logit, fake_logit = self._logits(self.discriminator, x), self._logits(self.discriminator, fake)
        logs = {}
        if self.config.objective == "relativistic":
            value = F.softplus(fake_logit - real_logit).mean()
            logs["win_rate"] = (real_logit > fake_logit).float().mean()  # P(C(x) > C(G(z))), equilibrium 1/2
        else:
            value = F.softplus(-real_logit).mean() + F.softplus(fake_logit).mean()  # -V(D, G)
            logs |= game(real_logit, fake_logit)
        logs["discriminator_loss"] = value.detach()  # without the penalties, so that it can be read against log 2
        if gamma:
            count = max(1, round(len(x) * self.config.penalty_share))
            r1, r2 = self._penalty(x[:count]), self._penalty(fake[:count])
            value = value + 0.5 * gamma * (r1 + r2)
            logs |= {"r1": r1.detach(), "r2": r2.detach()}
        return Loss("discriminator", value, logs)

    def _generator_loss(self, x: Tensor, progress: float) -> Loss:
        self.discriminator.requires_grad_(False)  # its gradients are not needed for G's step
        fake_logit = self._logits(self.discriminator, self._shown(self._generated(self._z(len(x))), progress))
        if self.config.objective == "relativistic":
            value = F.softplus(self._logits(self.discriminator, self._shown(x, progress)) - fake_logit).mean()
        elif self.config.objective == "non_saturating":
            value = F.softplus(-fake_logit).mean()  # -E[log D(G(z))]
        else:
            value = -F.softplus(fake_logit).mean()  # E[log(1 - D(G(z)))]
        return Loss("generator", value)

    def _penalty(self, x: Tensor) -> Tensor:
        """Return E||grad_x C(x)||^2 (R1 on real images, R2 on generated ones; Mescheder et al. 2018)."""
        x = x.detach().requires_grad_(True)
        (gradient,) = torch.autograd.grad(self._logits(self.discriminator, x).sum(), x, create_graph=True)
        return gradient.square().flatten(1).sum(1).mean()

    def _logits(self, module: nn.Module, x: Tensor) -> Tensor:
        with self.autocast():
            return module(x).float().flatten()

    def _shown(self, x: Tensor, progress: float) -> Tensor:
        """Return images as the discriminator is to see them in training."""
        x = augment(x, self.config.augment) if self.config.augment else x
        noise = falling(self.config.noise, 0.0, progress)
        return x + noise * torch.randn_like(x) if noise else x

    def _z(self, count: int) -> Tensor:
        return torch.randn(count, self.config.latent, device=self.device)

    def _gamma(self, progress: float) -> float:
        """Return the penalties' weight: a cosine from gamma to gamma_final, as R3GAN schedules it."""
        return falling(self.config.gamma, self.config.gamma_final, progress)

    def judge(self, x: Tensor) -> Tensor:
        """Return D(x) in (0, 1), (N,): the discriminator's, or the probe's beside a relativistic critic."""
        return torch.sigmoid(self._logits(self.referee, x))

    def validation_figures(self, x: Tensor) -> dict[str, Tensor]:
        """Return V(D, G), D(x) and D(G(z)) on held-out images; V <= 2 JSD - log 4 holds for any D."""
        fake = self.decode(self._z(len(x)))
        values = game(self._logits(self.referee, x), self._logits(self.referee, fake))
        return {f"validation_{name}": value for name, value in values.items()}

    @torch.no_grad()
    def sample(self, seeds: Iterable[int], **knobs: Any) -> Iterator[Step]:
        """Yield one step: G(truncation * z)."""
        z = self.latent(seeds, **self.resolve_knobs(knobs))
        yield Step(1, 1, z, self.decode(z))

    def latent(self, seeds: Iterable[int], truncation: float = 1.0) -> Tensor:
        """Return z (N, latent) of `seeds`, scaled by `truncation`."""
        return truncation * Noise(seeds, self.device)(self.config.latent)

    def decode(self, latent: Tensor) -> Tensor:
        """Return G(z), images (N, C, H, W) clipped to [-1, 1], of z (N, latent)."""
        return self._generated(latent).clamp(-1, 1)

    def _generated(self, latent: Tensor) -> Tensor:
        with self.autocast():
            return self.generator(latent).float()


def falling(first: float, last: float, progress: float) -> float:
    """Return what lies between two values at a progress from 0 to 1, along half a cosine."""
    return last + (first - last) * 0.5 * (1 + math.cos(math.pi * progress))


def game(real_logit: Tensor, fake_logit: Tensor) -> dict[str, Tensor]:
    """Return the lecture's V(D, G) in nats, mean D(x) and mean D(G(z)) from the logits of D."""
    value = F.logsigmoid(real_logit).mean() + F.logsigmoid(-fake_logit).mean()
    return {
        "value": value.detach(),
        "d_real": torch.sigmoid(real_logit).mean().detach(),
        "d_fake": torch.sigmoid(fake_logit).mean().detach(),
    }
