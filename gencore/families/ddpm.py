"""The denoising diffusion probabilistic model (Ho et al. 2020), sampled with diffusers' schedulers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from gencore.errors import InputError, near
from gencore.family import Family, Knob, Loss, Noise, Point, Step
from gencore.nets import smallest_size

TRAIN_STEPS = 1000  # T
SCHEDULES = ("linear", "squaredcos_cap_v2")
PREDICTIONS = ("epsilon", "v_prediction")
SAMPLERS = ("dpm-solver++", "unipc", "ddim", "ddpm")


class DDPM(Family):
    """A U-Net that undoes q(x_t|x_0) = N(sqrt(abar_t) x_0, (1 - abar_t) I), trained by Algorithm 1 on L_simple.

    t counts from 0 to T - 1 as in diffusers; the paper's t is one more.

    Args:
        channels: Image channels.
        size: Image side in pixels.
        widths: The U-Net's feature maps at each resolution; multiples of 8.
        layers: Residual blocks a resolution on the way down (one more on the way up).
        attention: Whether the lowest resolution has self-attention.
        schedule: diffusers' beta schedule: 'linear' (Ho et al. 2020) or 'squaredcos_cap_v2' (Nichol & Dhariwal 2021).
        prediction: What the network's output is: 'epsilon' (the lecture's) or 'v_prediction' (Salimans & Ho 2022).
        variance: Of the ancestral sampler: 'fixed_small' (beta-tilde) or 'fixed_large' (beta).
    """

    name = "ddpm"
    title = "DDPM"
    about = "Starts from pure noise and removes it in many small steps, each a call of one network."
    interpolation = "slerp"
    knobs = (
        Knob("sampler", "dpm-solver++", choices=SAMPLERS, help="How the reverse process is walked: "
             "a fast solver, deterministic DDIM, or DDPM's own ancestral sampling."),
        Knob("num_inference_steps", 20, 1, TRAIN_STEPS, integer=True, help="Network calls an image: "
             "more is slower and, up to a knee, better."),
        Knob("eta", 0.0, 0.0, 1.0, help="Fresh noise a step: 0 is deterministic, 1 as random as DDPM.",
             when={"sampler": ("ddim",)}),
    )  # fmt: skip
    points = (
        Point("DPM-Solver++, 20 calls", {}, "headline"),
        Point("DPM-Solver++, 50 calls", {"num_inference_steps": 50}, "headline"),
        Point("ancestral, 1000 calls", {"sampler": "ddpm", "num_inference_steps": 1000}, "lecture"),
        *(Point(f"DPM-Solver++, {n} calls", {"num_inference_steps": n}, "sweep") for n in (5, 10, 15, 30)),
        *(Point(f"UniPC, {n} calls", {"sampler": "unipc", "num_inference_steps": n}, "sweep") for n in (5, 10, 20)),
        *(Point(f"DDIM, {n} calls", {"sampler": "ddim", "num_inference_steps": n}, "sweep")
          for n in (1, 2, 5, 10, 20, 50, 100)),
        *(Point(f"ancestral, {n} calls", {"sampler": "ddpm", "num_inference_steps": n}, "sweep")
          for n in (20, 50, 100)),
    )  # fmt: skip

    @register_to_config
    def __init__(
        self,
        channels: int = 1,
        size: int = 28,
        widths: tuple[int, ...] = (32, 64, 128),
        layers: int = 1,
        attention: bool = True,
        schedule: str = "squaredcos_cap_v2",
        prediction: str = "epsilon",
        variance: str = "fixed_small",
    ):
        super().__init__()
        from diffusers import (  # here: their import takes a second, which the app need not wait
            DDPMScheduler,
            UNet2DModel,
        )

        for value, known, what in ((schedule, SCHEDULES, "schedule"), (prediction, PREDICTIONS, "prediction")):
            if value not in known:
                raise InputError(f"The DDPM's {what} is {value!r}{near(value, list(known))}")
        smallest_size(size, len(widths))
        if any(width % 8 for width in widths):
            raise InputError(f"The DDPM's widths must be multiples of 8, not {list(widths)}.")
        self.unet = UNet2DModel(
            sample_size=size,
            in_channels=channels,
            out_channels=channels,
            block_out_channels=tuple(widths),
            layers_per_block=layers,
            down_block_types=("DownBlock2D",) * len(widths),
            up_block_types=("UpBlock2D",) * len(widths),
            norm_num_groups=8,
            attention_head_dim=min(32, widths[-1]),
            add_attention=attention,
        )
        self.scheduler = DDPMScheduler(
            TRAIN_STEPS, beta_schedule=schedule, prediction_type=prediction, variance_type=variance,
            clip_sample=True, timestep_spacing="trailing",
        )  # fmt: skip

    @property
    def players(self) -> dict[str, nn.Module]:
        """One player: the U-Net."""
        return {"unet": self.unet}

    @property
    def network(self) -> nn.Module:
        """The U-Net."""
        return self.unet

    def losses(self, x: Tensor, progress: float = 0.0) -> Iterator[Loss]:
        """Yield L_simple (Algorithm 1): the mean squared error of the predicted noise a pixel; or that of v.

        The loss in v is L_simple with each t weighted by 1 / abar_t; L_simple itself is logged either way.

        Each t is uniform on 0..T-1, as in the paper, but the batch's t are stratified: one in each of N equal
        strata, which lowers the gradient's variance (Kingma et al. 2021, appendix I.1).
        """
        count = len(x)
        strata = (torch.arange(count, device=x.device) + torch.rand(count, device=x.device)) / count
        t = (strata * TRAIN_STEPS).long().clamp_max(TRAIN_STEPS - 1)
        noise = torch.randn_like(x)
        x_t = self.diffuse(x, t, noise)
        output = self._call(x_t, t)
        if self.config.prediction == "epsilon":
            objective = l_simple = (output - noise).square().flatten(1).mean(1)
        else:
            # v = sqrt(abar) eps - sqrt(1 - abar) x_0, so an error in v is one in eps over sqrt(abar).
            objective = (output - self.scheduler.get_velocity(x, noise, t)).square().flatten(1).mean(1)
            l_simple = objective * self._abar(t)
        yield Loss("unet", objective.mean(), {"loss": objective.detach().mean(), "l_simple": l_simple.detach().mean()})

    def diffuse(self, x0: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """Return x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) noise (eq. 4), in closed form; t (N,) in 0..T-1."""
        return self.scheduler.add_noise(x0, noise, t)

    def predict(self, x_t: Tensor, t: Tensor) -> Tensor:
        """Return the x_0 that the network sees in x_t (N, C, H, W) at t (N,), clipped to [-1, 1] (eq. 15)."""
        return self._x0(x_t, t, self._call(x_t, t)).clamp(-1, 1)

    @torch.no_grad()
    def sample(self, seeds: Iterable[int], **knobs: Any) -> Iterator[Step]:
        """Yield one step a network call; x_0 is clipped to [-1, 1] inside every sampler."""
        values = self.settle(knobs)
        noise = Noise(seeds, self.device)
        x = noise(*self.image_shape)
        total = values["num_inference_steps"]
        timesteps, advance = SCHEDULERS[values["sampler"]](self.scheduler, total, values["eta"])
        for index, t in enumerate(timesteps, start=1):
            t = torch.full((len(x),), int(t), device=x.device)
            output = self._call(x, t)
            x0 = self._x0(x, t, output).clamp(-1, 1)
            x = advance(output, x, noise.generators)
            yield Step(index, total, x, x0)  # the last step goes to noise level 0, where x is x0

    def latent(self, seeds: Iterable[int]) -> Tensor:
        """Return x_T (N, C, H, W) ~ N(0, I) of `seeds`: deterministic DDIM makes the image a function of it."""
        return Noise(seeds, self.device)(*self.image_shape)

    @torch.no_grad()
    def decode(self, latent: Tensor, num_inference_steps: int = 20) -> Tensor:
        """Return the images of x_T by deterministic DDIM, unclipped on the way so that it can be inverted."""
        timesteps, advance = ddim(self.scheduler, num_inference_steps, 0.0, clip=False)
        x = latent
        for t in timesteps:
            x = advance(self._call(x, torch.full((len(x),), int(t), device=x.device)), x, None)
        return x.clamp(-1, 1)

    def _call(self, x: Tensor, t: Tensor) -> Tensor:
        with self.autocast():
            return self.unet(x, t).sample.float()

    def _abar(self, t: Tensor) -> Tensor:
        return self.scheduler.alphas_cumprod.to(t.device)[t]

    def _x0(self, x: Tensor, t: Tensor, output: Tensor) -> Tensor:
        """Return the x_0 that the network's output means (eq. 15, or its form for v)."""
        abar = self._abar(t).view(-1, 1, 1, 1)
        if self.config.prediction == "v_prediction":
            return abar.sqrt() * x - (1 - abar).sqrt() * output
        return (x - (1 - abar).sqrt() * output) / abar.sqrt()


# A sampler: (training scheduler, steps, eta) -> (the network's timesteps, advance(output, x, generators) -> next x).
Advance = Callable[[Tensor, Tensor, list[torch.Generator] | None], Tensor]


def ancestral(train: Any, steps: int, eta: float) -> tuple[np.ndarray, Advance]:
    """Return DDPM's own sampler (Ho et al. 2020, Algorithm 2) on `steps` of the T timesteps, from T - 1 on."""
    from diffusers import DDPMScheduler

    scheduler = DDPMScheduler.from_config(train.config)
    scheduler.set_timesteps(steps)
    return _walk(scheduler, scheduler.timesteps)


def ddim(train: Any, steps: int, eta: float, clip: bool = True) -> tuple[np.ndarray, Advance]:
    """Return DDIM (Song et al. 2021, eq. 12) on `steps` of the T timesteps, from T - 1 on.

    diffusers' DDIM takes T // steps as its stride, which is not the distance between its 'trailing' timesteps
    when steps does not divide T. So it is given a schedule of its own, with just the timesteps chosen
    (respacing, Nichol & Dhariwal 2021, sec. 4), where its stride of 1 is exact.
    """
    from diffusers import DDIMScheduler

    timesteps = trailing(steps)
    scheduler = DDIMScheduler(steps, prediction_type=train.config.prediction_type, clip_sample=clip)
    scheduler.alphas_cumprod = train.alphas_cumprod[torch.from_numpy(timesteps[::-1].copy())]
    scheduler.set_timesteps(steps)
    return timesteps, _walk(scheduler, scheduler.timesteps, eta=eta)[1]


def dpm_solver(train: Any, steps: int, eta: float) -> tuple[np.ndarray, Advance]:
    """Return DPM-Solver++ of order 3 (Lu et al. 2022)."""
    from diffusers import DPMSolverMultistepScheduler

    return _solver(DPMSolverMultistepScheduler, train, steps)


def unipc(train: Any, steps: int, eta: float) -> tuple[np.ndarray, Advance]:
    """Return UniPC of order 3 (Zhao et al. 2023)."""
    from diffusers import UniPCMultistepScheduler

    return _solver(UniPCMultistepScheduler, train, steps)


SCHEDULERS = {"dpm-solver++": dpm_solver, "unipc": unipc, "ddim": ddim, "ddpm": ancestral}


def trailing(steps: int) -> np.ndarray:
    """Return `steps` timesteps from T - 1 downwards, evenly spaced (Lin et al. 2024, table 2, 'trailing')."""
    return np.round(TRAIN_STEPS - np.arange(steps) * (TRAIN_STEPS / steps)).astype(np.int64) - 1


def _solver(kind: type, train: Any, steps: int) -> tuple[np.ndarray, Advance]:
    # 'trailing' is finite at every number of steps; the default spacing gives NaN or raises at 1000.
    # Thresholding with a largest value of 1 is a clip to [-1, 1]: the solvers have no other.
    scheduler = kind.from_config(
        train.config, solver_order=3, timestep_spacing="trailing", thresholding=True, sample_max_value=1.0
    )
    scheduler.set_timesteps(steps)
    return _walk(scheduler, scheduler.timesteps)


def _walk(scheduler: Any, timesteps: Tensor, **options: Any) -> tuple[np.ndarray, Advance]:
    """Return a diffusers scheduler's timesteps, and its step as a function that knows where it is."""
    ahead = iter(timesteps)
    takes = inspect.signature(scheduler.step).parameters

    def advance(output: Tensor, x: Tensor, generators: list[torch.Generator] | None) -> Tensor:
        noise = {"generator": generators} if "generator" in takes else {}
        return scheduler.step(output, next(ahead), x, **noise, **options).prev_sample

    return timesteps.numpy(), advance
