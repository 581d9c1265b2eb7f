"""The denoising diffusion probabilistic model (Ho et al. 2020) and its samplers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import diffusers  # which loads a scheduler or a network, for a second, when it is first named
import numpy as np
import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from gencore.errors import InputError, near
from gencore.families import pipeline_config
from gencore.families.likelihood import discretised_normal
from gencore.families.nets import cropped, padded
from gencore.families.timesteps import TRAIN_STEPS, stratified, trailing
from gencore.family import Change, Family, Knob, Loss, Noise, Part, Point, Step, sum_parts

SCHEDULES = pipeline_config.SCHEDULES
PREDICTIONS = pipeline_config.PREDICTIONS
VARIANCES = pipeline_config.VARIANCES
SAMPLERS = ("sde-dpm-solver++", "dpm-solver++", "unipc", "ddim", "ddpm")
STRATA = 50  # of t in the bound
FAINTEST = 1e-3  # the least abar at which x_0 is had from eps to be walked back: it divides by sqrt(abar)


class DDPM(Family):
    """A U-Net that undoes q(x_t|x_0) = N(sqrt(abar_t) x_0, (1 - abar_t) I), trained by Algorithm 1 on L_simple.

    t counts from 0 to T - 1 as in diffusers; the paper's t is one more.

    Args:
        widths: The U-Net's feature maps at each resolution; multiples of 8.
        layers: Residual blocks per resolution on the way down (one more on the way up).
        attention: Whether the lowest resolution has self-attention.
        schedule: diffusers' beta schedule: 'linear' (Ho et al. 2020) or 'squaredcos_cap_v2' (Nichol & Dhariwal 2021).
        prediction: What the network's output is: 'epsilon' (the lecture's) or 'v_prediction' (Salimans & Ho 2022).
        variance: Of the ancestral sampler: 'fixed_small' (beta-tilde) or 'fixed_large' (beta).
        dropout: Share of the activations in residual blocks that training leaves out.
        min_snr: If more than 0, each t's loss is weighted as an error in x_0 by min(SNR, min_snr): less for t with
            little noise, which else drown the others (Hang et al. 2023, 'min-SNR-gamma', there 5).
        unet_config: For a model that was not made here: what else its `diffusers.UNet2DModel` is built with, as JSON.
        scheduler_config: The same of its `diffusers.DDPMScheduler`: other betas, and whether x_0 is clipped.
    """

    name = "ddpm"
    title = "DDPM"
    about = "Starts from pure noise and removes it in many small steps, each a call of one network."
    interpolation = "slerp"
    knobs = (
        Knob("sampler", "sde-dpm-solver++", choices=SAMPLERS, help="How the reverse process is walked: "
             "a fast solver of its SDE or its ODE, deterministic DDIM, or DDPM's own ancestral sampling."),
        Knob("num_inference_steps", 20, 1, TRAIN_STEPS, integer=True, help="Network calls per image: "
             "more is slower and, up to a knee, better."),
        Knob("eta", 0.0, 0.0, 1.0, help="Fresh noise per step: 0 is deterministic, 1 as random as DDPM.",
             when={"sampler": ("ddim",)}),
    )  # fmt: skip
    points = (
        Point("SDE-DPM-Solver++, 20 calls", {}, "headline"),
        Point("ancestral, 1000 calls", {"sampler": "ddpm", "num_inference_steps": 1000}, "lecture"),
        *(Point(f"{name}, {n} call{'s' * (n > 1)}", {"sampler": sampler, "num_inference_steps": n}, "sweep")
          for name, sampler, calls in (
              ("SDE-DPM-Solver++", "sde-dpm-solver++", (5, 10, 50)),
              ("DPM-Solver++", "dpm-solver++", (5, 10, 20, 50)),
              ("UniPC", "unipc", (5, 10, 20)),
              ("DDIM", "ddim", (1, 2, 5, 10, 20, 50)),
              ("ancestral", "ddpm", (20, 50, 100)),
          ) for n in calls),
    )  # fmt: skip

    changes = (Change("The DDIM sampler", {"sampler": ("ddim",)}),)  # it kept the noise of an unclipped x_0

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
        dropout: float = 0.0,
        min_snr: float = 0.0,
        unet_config: str = "",
        scheduler_config: str = "",
    ):
        super().__init__()
        for what, known in {"schedule": SCHEDULES, "prediction": PREDICTIONS, "variance": VARIANCES}.items():
            if (value := self.config[what]) not in known:
                raise InputError(f"The DDPM's {what} is {value!r}{near(value, list(known))}")
        if not (0 <= dropout < 1 and min_snr >= 0):
            raise InputError(f"dropout must be in [0, 1) and min_snr 0 or more, not {dropout!r} and {min_snr!r}.")
        if not unet_config and any(width % 8 for width in widths):
            raise InputError(f"The DDPM's widths must be multiples of 8, not {list(widths)}.")
        from gencore.families.unet import denoiser  # and with it, for a second, diffusers' networks

        more = {"dropout": dropout} | pipeline_config.parsed("unet_config", unet_config)
        self.unet = denoiser(channels, size, widths, layers, attention, **more)
        self.scheduler = diffusers.DDPMScheduler(
            TRAIN_STEPS, beta_schedule=schedule, prediction_type=prediction, variance_type=variance,
            timestep_spacing="trailing",
            **{"clip_sample": True} | pipeline_config.parsed("scheduler_config", scheduler_config),
        )  # fmt: skip

    @staticmethod
    def from_pipeline(network: Mapping[str, Any], scheduler: Mapping[str, Any]) -> DDPM:
        """Return an untrained model of the shape of a pipeline: its `UNet2DModel`'s config and its scheduler's.

        Raises:
            InputError: if it is none of this kind: it takes labels, predicts x_0 or its variance, has another T, ...
        """
        return DDPM(**pipeline_config.unet_arguments(network), **pipeline_config.scheduler_arguments(scheduler))

    def pipeline(self) -> diffusers.DiffusionPipeline:
        """Return this as a diffusers pipeline, which shares its weights.

        Raises:
            InputError: if its images have a margin here, which diffusers does not know.
        """
        if self.config.size % 2 ** (halvings := len(self.config.widths) - 1):
            raise InputError(
                f"A diffusers pipeline cannot halve images of {self.config.size} pixels {halvings} times, as this "
                "model does with a margin around them; train one of fewer widths or another size."
            )
        with torch.device("meta"):
            unet = diffusers.UNet2DModel.from_config(self.unet.config)
        unet.load_state_dict(self.unet.state_dict(), assign=True)
        return diffusers.DDPMPipeline(unet.eval(), diffusers.DDPMScheduler.from_config(self.scheduler.config))

    @property
    def networks(self) -> dict[str, nn.Module]:
        """One network: the U-Net."""
        return {"unet": self.unet}

    def losses(self, x: Tensor, progress: float = 0.0) -> Iterator[Loss]:
        """Yield L_simple (Algorithm 1): the mean squared error of the predicted noise per pixel; or that of v.

        The loss in v is L_simple with each t weighted by 1 / abar_t; L_simple itself is logged either way.

        Each t is uniform on 0..T-1, as in the paper, but the batch's t are stratified.
        """
        t = stratified(len(x), x.device)
        noise = torch.randn_like(x)
        x_t = self.diffuse(x, t, noise)
        output = self._call(x_t, t)
        if self.config.prediction == "epsilon":
            objective = l_simple = (output - noise).square().flatten(1).mean(1)
        else:
            # v = sqrt(abar) eps - sqrt(1 - abar) x_0, so an error in v is one in eps over sqrt(abar).
            objective = (output - self.scheduler.get_velocity(x, noise, t)).square().flatten(1).mean(1)
            l_simple = objective * self._abar(t)
        objective = objective * self._weight(t)
        yield Loss("unet", objective.mean(), {"l_simple": l_simple.detach().mean()})

    def _weight(self, t: Tensor) -> Tensor:
        """Return the loss's weight at t (N,): min(SNR, min_snr), for an error in x_0, over what that is in the target.

        A squared error in x_0 is SNR times as large in epsilon, and SNR + 1 times in v (Hang et al. 2023, sec. 3.4).
        """
        if not self.config.min_snr:
            return torch.ones_like(t, dtype=torch.float32)
        abar = self._abar(t)
        snr = abar / (1 - abar)
        unit = snr if self.config.prediction == "epsilon" else snr + 1
        return snr.clamp_max(self.config.min_snr) / unit

    def diffuse(self, x0: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """Return x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) noise (eq. 4), in closed form; t (N,) in 0..T-1."""
        return self.scheduler.add_noise(x0, noise, t)

    def predict(self, x_t: Tensor, t: Tensor) -> Tensor:
        """Return the x_0 that the network sees in x_t (N, C, H, W) at t (N,), clipped to [-1, 1] (eq. 15)."""
        return self._seen(x_t, t).clamp(-1, 1)

    def _seen(self, x_t: Tensor, t: Tensor) -> Tensor:
        """Return the x_0 that sampling goes on with: that of `predict`, but clipped as the scheduler says."""
        x0, limit = self._x0(x_t, t, self._call(x_t, t)), self.scheduler.config.clip_sample_range
        return x0.clamp(-limit, limit) if self.scheduler.config.clip_sample else x0

    def noise_in(self, x_t: Tensor, t: Tensor) -> Tensor:
        """Return the noise that the network sees in x_t (N, C, H, W) at t (N,), not clipped: what L_simple compares."""
        output = self._call(x_t, t)
        if self.config.prediction == "epsilon":
            return output
        abar = self._abar(t).view(-1, 1, 1, 1)
        return abar.sqrt() * output + (1 - abar).sqrt() * x_t

    @torch.no_grad()
    def denoise(self, x_t: Tensor, t: int, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return x_{t-1} = (x_t - (1 - alpha_t) / sqrt(1 - abar_t) eps) / sqrt(alpha_t) + sigma_t z, and that eps.

        Ho et al. 2020, Algorithm 2, line 4, for one t of all images. As in their code, eps is the noise in x_t beside
        the x_0 that the network sees, clipped as in sampling; what it sees itself is `noise_in`.
        """
        abar = self.scheduler.alphas_cumprod.cpu().double()
        now, before = abar[t].item(), abar[t - 1].item() if t else 1.0
        x0 = self._seen(x_t, torch.full((len(x_t),), t, device=x_t.device))
        eps = (x_t - math.sqrt(now) * x0) / math.sqrt(1 - now)
        alpha = now / before
        mean = (x_t - (1 - alpha) / math.sqrt(1 - now) * eps) / math.sqrt(alpha)
        return mean + self._reverse()[2][t].sqrt().item() * z, eps

    def alphas_cumprod(self) -> Tensor:
        """Return abar_t for t = 0..T-1, (T,): the share of x_t's variance that is signal, falling."""
        return self.scheduler.alphas_cumprod

    def timesteps(self, **knobs: Any) -> list[int]:
        """Return the t of each network call of `sample` with these knobs, in order."""
        values = self.resolve_knobs(knobs)
        return trailing(values["num_inference_steps"]).tolist()

    def bound(self, x: Tensor, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """Return L_0, L_between, L_T and elbo, (N,) each, nats per image: -elbo = L_0 + L_between + L_T.

        Ho et al. 2020, eq. 5, where each L is to be subtracted: L_0 = -log P(x_0|x_1), L_between the sum of
        L_{t-1} = KL(q(x_{t-1}|x_t, x_0) || p(x_{t-1}|x_t)) over the paper's t = 2..T, L_T = KL(q(x_T|x_0) || N(0, I)).
        The bound is that of ancestral sampling in all T steps. An unbiased estimate: one draw of x_1, and of x_t in
        each of `STRATA` strata of t; see `bound_parts`.
        """
        return sum_parts(self.bound_parts(x, generator))

    def bound_basis(self) -> dict[str, str]:
        """Return what the bound rests on, for people."""
        small = self.config.variance == "fixed_small"
        return {
            "prior": "N(0, I)",
            "variance": f"sigma² = {'beta-tilde' if small else 'beta'} ({self.config.variance}), that of ancestral "
            f"sampling in {TRAIN_STEPS} steps; in L_0 {'beta-tilde of t = 1' if small else 'beta'}",
            "clipping": f"predicted x_0 {self._clipping()}, as in sampling",
            "likelihood": "L_0 in 256 bins, open at the ends; L_T in closed form",
            "draws": f"{STRATA} stratified t an image, and t = 0",
        }

    def _clipping(self) -> str:
        limit = self.scheduler.config.clip_sample_range
        return f"clipped to [-{limit:g}, {limit:g}]" if self.scheduler.config.clip_sample else "not clipped"

    @torch.no_grad()
    def bound_parts(self, x: Tensor, generator: torch.Generator | None = None) -> Iterator[Part]:
        """Yield the parts of the bound: L_0, L_{t-1} at one t per image in each of `STRATA` equal strata, and L_T.

        t in 1..T-1 is uniform over the strata together, so that T - 1 times the mean of the strata is an unbiased
        estimate of the sum over all t, whatever the number of strata.
        """
        total, last = STRATA + 2, TRAIN_STEPS - 1

        def at(t: Tensor) -> Tensor:
            return self.bound_at(x, t.to(x.device), torch.randn(x.shape, generator=generator).to(x.device))

        yield Part(1, total, "L_0", 0, 0, 1, at(torch.zeros(len(x), dtype=torch.long)))
        for place in range(STRATA):
            low, high = 1 + last * place // STRATA, -(-last * (place + 1) // STRATA)
            uniform = torch.rand(len(x), generator=generator, dtype=torch.float64)
            t = (1 + last * (place + uniform) / STRATA).long().clamp_max(high)
            yield Part(place + 2, total, "L_between", low, high, last / STRATA, at(t))
        yield Part(total, total, "L_T", TRAIN_STEPS, TRAIN_STEPS, 1, self._prior_kl(x))

    @torch.no_grad()
    def bound_at(self, x: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """Return L at t in nats per image, (N,): L_0 where t is 0, else KL(q(x_{t-1}|x_t, x_0) || p(x_{t-1}|x_t)).

        Both are normal, and their means differ by what their x_0 differ, so that in D numbers an image
        KL = D/2 (r - 1 - log r) + ||mu-tilde - mu_theta||^2 / (2 sigma^2) with r = beta-tilde / sigma^2
        (Ho et al. 2020, eq. 7 and 8), and p is that of ancestral sampling, with its sigma^2 and its clipping.
        """
        x0 = self._seen(self.diffuse(x, t, noise), t)
        gain, excess, variance = (value[t.cpu()].to(x.dtype).to(x.device) for value in self._reverse())
        apart = gain.square() * (x - x0).square().flatten(1).sum(1) / (2 * variance)
        kl = 0.5 * x[0].numel() * excess + apart
        if bool((t > 0).all()):
            return kl
        sigma = variance.sqrt().view(-1, 1, 1, 1)
        return torch.where(t > 0, kl, -discretised_normal(x, x0, sigma).flatten(1).sum(1))

    @torch.no_grad()
    def sample(self, seeds: Iterable[int], **knobs: Any) -> Iterator[Step]:
        """Yield one step per network call; x_0 is clipped inside every sampler: to [-1, 1], in a model made here."""
        values = self.resolve_knobs(knobs)
        noise = Noise(seeds, self.device)
        total = values["num_inference_steps"]
        advance = SCHEDULERS[values["sampler"]](self.scheduler, total, values["eta"])
        walk = self._walk(noise(*self.image_shape), trailing(total), advance, noise)
        for index, (x, x0) in enumerate(walk, start=1):
            yield Step(index, total, x, x0.clamp(-1, 1))  # the last step goes to noise level 0, where x is x0

    def _walk(
        self, x: Tensor, timesteps: Iterable[int], advance: Advance, noise: Noise | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the state after each of the timesteps, and the x_0 that the network saw, clipped, on the way."""
        for t in timesteps:
            x0 = self._seen(x, torch.full((1,), int(t), device=x.device))
            x = advance(x, x0, noise)
            yield x, x0

    def latent(self, seeds: Iterable[int]) -> Tensor:
        """Return x_T (N, C, H, W) ~ N(0, I) of `seeds`: deterministic DDIM makes the image a function of it."""
        return Noise(seeds, self.device)(*self.image_shape)

    @torch.no_grad()
    def decode(self, latent: Tensor, num_inference_steps: int = 20) -> Tensor:
        """Return the images of x_T by deterministic DDIM, clipped on the way as `sample` is."""
        timesteps = self._ode(num_inference_steps)
        *_, (x, _) = self._walk(latent, timesteps, reverse(levels(self.scheduler, timesteps), 0.0))
        return x.clamp(-1, 1)

    @torch.no_grad()
    def invert(self, x: Tensor, num_inference_steps: int = 20, iterations: int = 2) -> Tensor:
        """Return x_T (N, C, H, W) whose `decode` with as many steps is about the images x (N, C, H, W) in [-1, 1].

        DDIM is an ODE's solver, so it can be walked backwards (Song et al. 2021, sec. 4.3), unclipped. In v the step
        is a rotation by the angle between two levels, x_s = c x_t + d v (Salimans & Ho 2022, appendix D), linear in
        x_t and in the v at x_t, which the way back does not know yet: it starts from the v at x_s and is found by
        fixed-point iteration (Pan et al. 2023, AIDI), in as many network calls per step as there are iterations.
        """
        timesteps = self._ode(num_inference_steps)
        pairs = itertools.pairwise(levels(self.scheduler, timesteps))
        for t, (now, after) in reversed(list(zip(timesteps, pairs, strict=True))):
            at = torch.full((len(x),), int(t), device=x.device)
            gain, share = rotation(now, after)
            x_t = x
            for _ in range(iterations):
                x_t = (x - share * self._v(x_t, at, self._call(x_t, at))) / gain
            x = x_t
        return x

    def _ode(self, steps: int) -> np.ndarray:
        """Return the timesteps between which images and latents are functions of each other, falling.

        `steps` trailing ones. Where the network says eps, those with less signal than `FAINTEST` are one, at that
        level: above it, x_0 is the network's error times 1 / sqrt(abar), and no way leads back from that.
        """
        if self.config.prediction == "v_prediction":
            return trailing(steps)
        top = int((self.scheduler.alphas_cumprod >= FAINTEST).sum()) - 1
        return np.unique(np.minimum(trailing(steps), top))[::-1]

    def _call(self, x: Tensor, t: Tensor) -> Tensor:
        with self.autocast():
            seen = self.unet(padded(x, len(self.config.widths)), t).sample.float()
        return cropped(seen, self.config.size)

    def _abar(self, t: Tensor) -> Tensor:
        return self.scheduler.alphas_cumprod.to(t.device)[t]

    def _reverse(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return by t, float64 (T,): the gain of x_0 in mu-tilde, r - 1 - log r of `bound_at`, and sigma^2.

        At t = 0, where beta-tilde is 0, sigma^2 is what L_0 takes: beta-tilde of t = 1 for 'fixed_small', as in Ho et
        al.'s code, and beta for 'fixed_large', as in their paper (their code takes beta-tilde of t = 1 there too).
        """
        # From the same rounded abar as `diffuse`, so that the posterior is exactly that of its x_t.
        abar = self.scheduler.alphas_cumprod.cpu().double()
        before = torch.cat([abar.new_ones(1), abar[:-1]])
        beta = 1 - abar / before
        tilde = beta * (1 - before) / (1 - abar)
        small = torch.cat([tilde[1:2], tilde[1:]])
        variance = small if self.config.variance == "fixed_small" else beta
        ratio = tilde / variance
        return before.sqrt() * beta / (1 - abar), ratio - 1 - ratio.log(), variance

    def _prior_kl(self, x: Tensor) -> Tensor:
        """Return L_T = KL(q(x_T|x_0) || N(0, I)) in nats per image, (N,).

        That of `normal_kl`, in a form which keeps the digits of an abar_T near 0.
        """
        abar = self.scheduler.alphas_cumprod[-1].item()
        spread = -0.5 * (abar + math.log1p(-abar))
        return 0.5 * abar * x.square().flatten(1).sum(1) + x[0].numel() * spread

    def _x0(self, x: Tensor, t: Tensor, output: Tensor) -> Tensor:
        """Return the x_0 that the network's output means (eq. 15, or its form for v)."""
        abar = self._abar(t).view(-1, 1, 1, 1)
        if self.config.prediction == "v_prediction":
            return abar.sqrt() * x - (1 - abar).sqrt() * output
        return (x - (1 - abar).sqrt() * output) / abar.sqrt()

    def _v(self, x: Tensor, t: Tensor, output: Tensor) -> Tensor:
        """Return the v = sqrt(abar) eps - sqrt(1 - abar) x_0 that the network's output means."""
        if self.config.prediction == "v_prediction":
            return output
        abar = self._abar(t).view(-1, 1, 1, 1)
        return (output - (1 - abar).sqrt() * x) / abar.sqrt()


# A sampler: (training scheduler, steps, eta) -> advance, to be called once for each of `trailing(steps)`:
# advance(x_t, x_0, noise) -> x_s, given the x_0 that the network sees in x_t. It comes clipped, so that all samplers
# take the noise in x_t to be what lies beside that x_0, and none keeps the noise of another.
Advance = Callable[[Tensor, Tensor, Noise | None], Tensor]


def ancestral(train: Any, steps: int, eta: float) -> Advance:
    """Return DDPM's own sampler (Ho et al. 2020, Algorithm 2): DDIM's with eta 1, with the variance that was chosen."""
    return reverse(levels(train, trailing(steps)), 1.0, train.config.variance_type == "fixed_large")


def ddim(train: Any, steps: int, eta: float) -> Advance:
    """Return DDIM (Song et al. 2021)."""
    return reverse(levels(train, trailing(steps)), eta)


def reverse(abar: Sequence[float], eta: float, large: bool = False) -> Advance:
    """Return the steps from each of these levels to the next, falling noise, the last one 1: Song et al. 2021, eq. 12.

    x_s = sqrt(abar_s) x_0 + sqrt(1 - abar_s - sigma^2) eps + sigma z, where sigma^2 is eta^2 beta-tilde (eq. 16) and
    eps the noise in x_t beside x_0: x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) eps. With eta 1 the mean is that of
    q(x_s|x_t, x_0); `large` then draws z with the variance beta (their sigma-hat). The last step has none: x_s is x_0.
    """
    pairs = itertools.pairwise(abar)

    def advance(x: Tensor, x0: Tensor, noise: Noise | None) -> Tensor:
        now, after = next(pairs)
        beta = 1 - now / after
        sigma = eta * math.sqrt(beta * (1 - after) / (1 - now))
        kept = math.sqrt(max(0.0, 1 - after - sigma**2) / (1 - now))
        mean = (math.sqrt(after) - kept * math.sqrt(now)) * x0 + kept * x
        deviation = math.sqrt(beta) if large and after < 1 else sigma
        return mean + deviation * noise(*x.shape[1:]) if deviation else mean

    return advance


def multistep(kind: str, train: Any, steps: int, eta: float, **options: Any) -> Advance:
    """Return diffusers' solver `kind`, of order 3 unless `options` say otherwise; that of an SDE draws fresh noise.

    It is given a schedule of its own, with just the timesteps chosen (respacing, Nichol & Dhariwal 2021, sec. 4): its
    own trailing ones are one too many at 61 steps and others. Its default spacing gives NaN or raises at 1000.
    """
    usual = {"solver_order": 3, "timestep_spacing": "trailing", "prediction_type": "sample"}
    scheduler = getattr(diffusers, kind)(steps, **usual | options)
    scheduler.alphas_cumprod = torch.tensor(levels(train, trailing(steps))[-2::-1])
    scheduler.set_timesteps(steps)
    ahead = iter(scheduler.timesteps)
    draws = options.get("algorithm_type", "").startswith("sde")

    def advance(x: Tensor, x0: Tensor, noise: Noise | None) -> Tensor:
        fresh = {"variance_noise": noise(*x.shape[1:])} if draws else {}
        return scheduler.step(x0, next(ahead), x, **fresh).prev_sample

    return advance


SCHEDULERS = {
    "sde-dpm-solver++": partial(
        multistep, "DPMSolverMultistepScheduler", algorithm_type="sde-dpmsolver++", solver_order=2
    ),  # Lu et al. 2022, appendix B
    "dpm-solver++": partial(multistep, "DPMSolverMultistepScheduler"),  # Lu et al. 2022
    "unipc": partial(multistep, "UniPCMultistepScheduler"),  # Zhao et al. 2023
    "ddim": ddim,
    "ddpm": ancestral,
}


def rotation(now: float, after: float) -> tuple[float, float]:
    """Return c and d of DDIM's step x_s = c x_t + d v from the level abar_t `now` to abar_s `after`, with eta 0."""
    cosine = math.sqrt(after * now) + math.sqrt((1 - after) * (1 - now))
    return cosine, math.sqrt((1 - after) * now) - math.sqrt(after * (1 - now))


def levels(train: Any, timesteps: np.ndarray) -> list[float]:
    """Return abar at the timesteps, and then 1, the level of an image."""
    return [*train.alphas_cumprod.cpu().double().numpy()[timesteps].tolist(), 1.0]
