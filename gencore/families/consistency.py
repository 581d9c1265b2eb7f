"""The consistency model (Song et al. 2023): a DDPM's network, tuned to give the image in one call or in a few."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import diffusers  # which loads a scheduler or a network, for a second, when it is first named
import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from gencore.errors import InputError
from gencore.families.nets import cropped, padded
from gencore.families.timesteps import TRAIN_STEPS, stratified, trailing
from gencore.family import Denoises, Family, Knob, Loss, Noise, Point, Step

HUBER = 0.00054  # c / sqrt(D) of the pseudo-Huber norm (Song & Dhariwal 2024, sec. 3.3)


class Consistency(Family):
    """f(x_t, t) = sqrt(abar_t) x_t - sqrt(1 - abar_t) F(x_t, t), the same image for every x_t on one way to noise.

    F is the U-Net of a DDPM that predicts v, and f the x_0 that it sees: at t = 0 all but x itself, so that f is a
    consistency model's parametrisation as it is, and a trained DDPM a place to begin from (`--init`). Training makes f
    at t agree with f at s < t of the same image and the same noise, which has no gradient, and lets s approach t:
    consistency tuning (Geng et al. 2024, 'ECT'), with the angle of the cosine schedule, to which t is proportional, as
    the time (Lu & Song 2025, 'TrigFlow').

    With a DDPM as a teacher, s is where its own way leads from x_t: consistency distillation (Song et al. 2023,
    Algorithm 2, with a step of DDIM). The noise that an image was given says little about where x_t comes from when
    there is much of it; what the teacher sees is the mean of all that it may be.

    Args:
        widths: The U-Net's feature maps at each resolution; multiples of 8.
        layers: Residual blocks per resolution on the way down (one more on the way up).
        attention: Whether the lowest resolution has self-attention.
        first_gap: (t - s) / t at the beginning of training; at 1, s is 0 and f learns what a DDPM does.
        last_gap: The same at the end. Between, it falls geometrically.
        hold: Share of the training before the gap begins to fall: without a DDPM to begin from, f first learns as one.
        skew: How the t of training lie: their density is as t^(skew - 1); at 1 they are uniform.
        shortest: The least t - s, as a share of T. Near t = 0, where steps are shorter, s is then 0 more often, and
            with it the target the image itself, on which all other targets rest.
        taught_from: With a teacher, the t / T from which its way is taken, and below it the noise of the image itself,
            which says where x_t comes from while there is little of it.
    """

    name = "consistency"
    title = "CM"
    about = "A DDPM's network that has learnt to jump from any noise to the image: one call, or a few."
    interpolation = "slerp"
    knobs = (
        Knob("num_inference_steps", 4, 1, 50, integer=True, help="Network calls per image: each but the first starts "
             "from the image before with fresh noise."),
        Knob("noise_scale", 0.95, 0.8, 1.1, help="What the fresh noise is multiplied by: under 1, it leaves room for "
             "the noise that the image before has kept."),
    )  # fmt: skip
    points = (
        Point("4 calls", {}, "headline"),
        *(Point(f"{n} call{'s' * (n > 1)}", {"num_inference_steps": n}, "sweep") for n in (1, 2)),
    )

    @register_to_config
    def __init__(
        self,
        channels: int = 1,
        size: int = 28,
        widths: tuple[int, ...] = (32, 64, 128),
        layers: int = 1,
        attention: bool = True,
        first_gap: float = 1.0,
        last_gap: float = 2.0**-8,
        hold: float = 0.0,
        skew: float = 1.0,
        taught_from: float = 0.0,
        shortest: float = 0.0,
    ):
        super().__init__()
        if not 0 < last_gap <= first_gap <= 1:
            raise InputError(f"The gaps must be 0 < last_gap <= first_gap <= 1, not {last_gap!r} and {first_gap!r}.")
        if not 0 <= hold < 1:
            raise InputError(f"hold must be in [0, 1), not {hold!r}.")
        if not 0 < skew < math.inf:
            raise InputError(f"skew must be more than 0, not {skew!r}.")
        if not 0 <= taught_from <= 1:
            raise InputError(f"taught_from must be from 0 to 1, not {taught_from!r}.")
        if not 0 <= shortest < 1:
            raise InputError(f"shortest must be in [0, 1), not {shortest!r}.")
        if any(width % 8 for width in widths):
            raise InputError(f"The consistency model's widths must be multiples of 8, not {list(widths)}.")
        from gencore.families.unet import denoiser  # and with it, for a second, diffusers' networks

        self.unet = denoiser(channels, size, widths, layers, attention)
        self.scheduler = diffusers.DDPMScheduler(TRAIN_STEPS, beta_schedule="squaredcos_cap_v2")

    @property
    def networks(self) -> dict[str, nn.Module]:
        """One network: the U-Net."""
        return {"unet": self.unet}

    def learn_from(self, teacher: Family) -> None:
        """Take a DDPM of the same images and the same schedule as the teacher."""
        if not isinstance(teacher, Denoises):
            raise InputError(
                f"A consistency model's teacher predicts noise, as a DDPM does; a {teacher.title} does not."
            )
        if teacher.image_shape != self.image_shape:
            raise InputError(f"The teacher's images are {teacher.image_shape} (C, H, W), not {self.image_shape}.")
        theirs = teacher.alphas_cumprod().to(self.device)
        if theirs.shape != (TRAIN_STEPS,) or not torch.allclose(
            theirs, self.alphas_cumprod().to(self.device), atol=1e-6
        ):
            raise InputError("The teacher adds noise by another schedule; it must be squaredcos_cap_v2, of 1000 steps.")
        self.__dict__["teacher"] = teacher.eval().requires_grad_(False)  # not a module of this one

    def losses(self, x: Tensor, progress: float = 0.0) -> Iterator[Loss]:
        """Yield the pseudo-Huber norm of f(x_t, t) - f(x_s, s), as an error in F, over sqrt(D).

        An error in f is one in F times sqrt(1 - abar_t), which is small where t is. The batch's t are stratified. The
        norm is sqrt(||e||^2 + c^2) - c (Song & Dhariwal 2024, eq. 8).
        """
        t = stratified(len(x), x.device, self.config.skew)
        s = self._before(t, self._gap(progress))
        noise = torch.randn_like(x)
        x_t = self.diffuse(x, t, noise)
        with torch.no_grad():
            image, noise = self._taught(x, noise, x_t, t) if "teacher" in self.__dict__ else (x, noise)
            target = self._f(self.diffuse(image, s, noise), s)
            target = torch.where((s > 0).view(-1, 1, 1, 1), target, image)
        error = (self._f(x_t, t) - target) / (1 - self._abar(t)).sqrt()
        numbers = x[0].numel()
        c = HUBER * math.sqrt(numbers)
        norm = (error.square().flatten(1).sum(1) + c**2).sqrt() - c
        yield Loss("unet", norm.mean() / math.sqrt(numbers))

    def _taught(self, x: Tensor, noise: Tensor, x_t: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Return the image and the noise that the teacher sees in x_t, or where it is not asked those that made it.

        With less of that noise, the image makes x_s: a step of DDIM (Song et al. 2021, eq. 12 with sigma 0).
        """
        x0, abar = self.__dict__["teacher"].predict(x_t, t), self._abar(t)
        asked = (t >= self.config.taught_from * TRAIN_STEPS).view(-1, 1, 1, 1)
        return torch.where(asked, x0, x), torch.where(asked, (x_t - abar.sqrt() * x0) / (1 - abar).sqrt(), noise)

    def _gap(self, progress: float) -> float:
        first, last, hold = self.config.first_gap, self.config.last_gap, self.config.hold
        return first * (last / first) ** max(0.0, (progress - hold) / (1 - hold))

    def _before(self, t: Tensor, gap: float) -> Tensor:
        step = (t * gap).clamp_min(max(1.0, self.config.shortest * TRAIN_STEPS))
        return (t - step).clamp_min(0).long()

    def _abar(self, t: Tensor) -> Tensor:
        return self.alphas_cumprod().to(t.device)[t].view(-1, 1, 1, 1)

    def _f(self, x: Tensor, t: Tensor) -> Tensor:
        with self.autocast():
            output = self.unet(padded(x, len(self.config.widths)), t).sample.float()
        abar = self._abar(t)
        return abar.sqrt() * x - (1 - abar).sqrt() * cropped(output, self.config.size)

    @torch.no_grad()
    def sample(self, seeds: Iterable[int], **knobs: Any) -> Iterator[Step]:
        """Yield one step per network call: Song et al. 2023, Algorithm 1, between levels as DDIM has them.

        Fresh noise is multiplied by noise_scale (S_noise of Karras et al. 2022, Algorithm 2): where the image that
        it is added to has kept noise of its own, all of it would be more than the next call is told.
        """
        times, scale = self.timesteps(**knobs), self.resolve_knobs(knobs)["noise_scale"]
        noise = Noise(seeds, self.device)
        x = noise(*self.image_shape)
        for index, (t, after) in enumerate(zip(times, [*times[1:], None], strict=True), start=1):
            x = x0 = self.predict(x, torch.full((1,), t, device=self.device))
            if after is not None:
                fresh = noise(*self.image_shape) * scale
                x = self.diffuse(x0, torch.full((len(x),), after, device=self.device), fresh)
            yield Step(index, len(times), x, x0)

    def timesteps(self, **knobs: Any) -> list[int]:
        """Return the t of each network call of `sample` with these knobs, in order."""
        return trailing(self.resolve_knobs(knobs)["num_inference_steps"]).tolist()

    def diffuse(self, x0: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """Return x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) noise, a DDPM's; t (N,) in 0..T-1."""
        return self.scheduler.add_noise(x0, noise, t)

    def predict(self, x_t: Tensor, t: Tensor) -> Tensor:
        """Return f(x_t, t) of x_t (N, C, H, W) at t (N,), clipped to [-1, 1]: an image, not the mean of many."""
        return self._f(x_t, t).clamp(-1, 1)

    def alphas_cumprod(self) -> Tensor:
        """Return abar_t for t = 0..T-1, (T,): the share of x_t's variance that is signal, falling."""
        return self.scheduler.alphas_cumprod

    def latent(self, seeds: Iterable[int]) -> Tensor:
        """Return the noise (N, C, H, W) of `seeds` that sampling starts from."""
        return Noise(seeds, self.device)(*self.image_shape)

    @torch.no_grad()
    def decode(self, latent: Tensor) -> Tensor:
        """Return f of noise (N, C, H, W): the images that one call gives."""
        return self.predict(latent, torch.full((1,), TRAIN_STEPS - 1, device=latent.device))
