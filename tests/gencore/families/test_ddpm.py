"""The DDPM's mathematics and samplers: against the step-by-step chain, a toy whose score is known, and the traps."""

import math

import diffusers
import numpy as np
import pytest
import torch
from torch import nn

from gencore.data import load_images, to_float
from gencore.errors import InputError
from gencore.families.ddpm import (
    DDPM,
    PREDICTIONS,
    SAMPLERS,
    SCHEDULES,
    VARIANCES,
    levels,
    reverse,
    rotation,
)  # fmt: skip
from gencore.families.timesteps import TRAIN_STEPS, trailing
from gencore.family import Noise
from tests.control import Modes, Perfect
from tests.support.exact import TINY, Exact


class Silent(nn.Module):
    """A network that says 0."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self, x, t):
        return type("Output", (), {"sample": self.weight * x})


def exact(**config):
    model = DDPM(**TINY, **config).eval()
    model.unet = Exact(model)
    return model


class Rough(nn.Module):
    """The ideal network for N(0.3, 0.2^2 I) with an error of its own, smooth in x and without a mean."""

    def __init__(self, model, error):
        super().__init__()
        self.ideal, self.error = Exact(model), error

    def forward(self, x, t):
        wave = torch.sin(3 * x.flip(2) + x.roll(1, 3) + t.view(-1, 1, 1, 1) / 50)
        return type("Output", (), {"sample": self.ideal(x, t).sample + self.error * wave})


def rough(error=0.3, **config):
    model = DDPM(**TINY, **config).eval()
    model.unet = Rough(model, error)
    return model


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_q_is_the_chain_step_by_step(schedule):
    """q(x_t|x_0) in closed form has the mean and variance of t single steps q(x_t|x_{t-1})."""
    model = DDPM(**TINY, schedule=schedule)
    betas = model.scheduler.betas.double()
    mean, variance = 1.0, 0.0
    for t in range(TRAIN_STEPS):
        mean, variance = mean * (1 - betas[t]).sqrt(), variance * (1 - betas[t]) + betas[t]
        if t in (0, 10, 500, 990):
            zero, one = torch.zeros(1, 1, 8, 8), torch.ones(1, 1, 8, 8)
            at = torch.tensor([t])
            assert model.diffuse(one, at, zero)[0, 0, 0, 0] == pytest.approx(mean.item(), rel=1e-3, abs=1e-5)
            assert model.diffuse(zero, at, one)[0, 0, 0, 0] == pytest.approx(variance.sqrt().item(), rel=1e-3)


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_l_simple_is_the_error_of_the_noise(prediction):
    """Logged whatever the network predicts: for a network that says 0, the error that this means in the noise."""
    model = DDPM(**TINY, prediction=prediction)
    model.unet = Silent()
    x = torch.randn(4096, 1, 8, 8).clamp(-1, 1)
    (loss,) = model.losses(x)
    if prediction == "epsilon":
        assert loss.logs["l_simple"] == loss.value.item() == pytest.approx(1, abs=0.02)
    else:  # eps = sqrt(1 - abar) x_t, error = sqrt(abar) v, E v^2 = abar + (1 - abar) E x0^2
        a, square = model.scheduler.alphas_cumprod, x.square().mean()
        assert loss.logs["l_simple"] == pytest.approx((a * (a + (1 - a) * square)).mean().item(), rel=0.03)


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_predicted_x0_undoes_the_noise(prediction):
    model = DDPM(**TINY, prediction=prediction)
    x, noise = torch.rand(3, 1, 8, 8) * 2 - 1, torch.randn(3, 1, 8, 8)
    t = torch.tensor([0, 100, 700])
    x_t = model.diffuse(x, t, noise)
    output = noise if prediction == "epsilon" else model.scheduler.get_velocity(x, noise, t)
    assert torch.allclose(model._x0(x_t, t, output), x, atol=1e-2)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("steps", [1, 2, 3, 7, 20, 61, 600, 999, 1000])
def test_every_sampler_is_finite_and_makes_that_many_calls(sampler, steps):
    model = exact()
    seen = list(model.sample([1, 2], sampler=sampler, num_inference_steps=steps))
    assert len(seen) == steps and all(torch.isfinite(s.x).all() and torch.isfinite(s.x0).all() for s in seen)
    timesteps = model.timesteps(sampler=sampler, num_inference_steps=steps)
    assert timesteps[0] == TRAIN_STEPS - 1 and len(set(timesteps)) == steps and min(timesteps) >= 0


@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_last_state_is_the_image(sampler, variance, prediction):
    model = rough(prediction=prediction, variance=variance)
    for steps in (1, 2, 3, 4, 10, 61):
        *_, last = model.sample([1, 2], sampler=sampler, num_inference_steps=steps)
        assert (last.x - last.x0).abs().max() < 1e-5, steps


SOLVERS = {
    "dpm-solver++": ("DPMSolverMultistepScheduler", {}),
    "unipc": ("UniPCMultistepScheduler", {}),
    "sde-dpm-solver++": ("DPMSolverMultistepScheduler", {"algorithm_type": "sde-dpmsolver++", "solver_order": 2}),
}


@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize("sampler", SOLVERS)
def test_the_solvers_are_those_of_diffusers_with_thresholding_to_1(sampler, prediction):
    """Where diffusers' own trailing timesteps are as many as were asked for: not at 61, where they end in -1."""
    model = rough(prediction=prediction)
    kind, own = SOLVERS[sampler]
    options = {"timestep_spacing": "trailing", "solver_order": 3, "thresholding": True, "sample_max_value": 1.0} | own
    scheduler = getattr(diffusers, kind).from_config(model.scheduler.config, **options)
    for steps in (1, 2, 3, 20, 50):
        scheduler.set_timesteps(steps)
        x = (noise := Noise([1, 2]))(1, 8, 8)
        for t in scheduler.timesteps:
            fresh = {"variance_noise": noise(1, 8, 8)} if "sde" in sampler else {}
            x = scheduler.step(model._call(x, torch.full((2,), int(t))), t, x, **fresh).prev_sample
        *_, last = sampled(model, sampler, steps)
        assert torch.allclose(last.x, x, atol=1e-3)
    scheduler.set_timesteps(61)
    assert scheduler.timesteps.tolist() == [*trailing(61).tolist(), -1]


def by_the_paper(model, x, steps, eta, draws):
    """Walk DDIM as Song et al. 2021 print eq. 12 and 16, in float64, x_0 clipped and eps had from the clipped one."""
    abar = model.scheduler.alphas_cumprod.double()
    x = x.double()
    for i, t in enumerate(timesteps := trailing(steps).tolist()):
        a, b = abar[t], abar[timesteps[i + 1]] if i + 1 < steps else torch.tensor(1.0, dtype=torch.float64)
        said = model.unet(x.float(), torch.full((len(x),), t)).sample.double()
        v = model.config.prediction == "v_prediction"
        x0 = a.sqrt() * x - (1 - a).sqrt() * said if v else (x - (1 - a).sqrt() * said) / a.sqrt()
        x0 = x0.clip(-1, 1)
        eps = (x - a.sqrt() * x0) / (1 - a).sqrt()
        sigma = eta * ((1 - b) / (1 - a)).sqrt() * (1 - a / b).sqrt()
        x = b.sqrt() * x0 + (1 - b - sigma**2).clamp_min(0).sqrt() * eps + sigma * draws[i]
    return x


@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize("eta", [0.0, 0.4, 1.0])
def test_ddim_is_the_papers_with_eps_of_the_clipped_x0(eta, prediction):
    model, seeds = rough(prediction=prediction), [3, 4]
    noise = Noise(seeds)
    start, *draws = (noise(1, 8, 8) for _ in range(8))
    for steps in (1, 2, 7):
        images = model.generate(seeds, sampler="ddim", num_inference_steps=steps, eta=eta)
        assert torch.allclose(images.double(), by_the_paper(model, start, steps, eta, draws), atol=1e-4)


@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize("eta", [0.0, 0.7])
def test_ddim_is_that_of_diffusers_with_its_clipped_model_output(eta, prediction):
    model = rough(prediction=prediction)
    for steps in (4, 10, 50):
        scheduler = diffusers.DDIMScheduler.from_config(model.scheduler.config, timestep_spacing="trailing")
        scheduler.set_timesteps(steps)  # a divisor of T, where its stride is the distance of the timesteps
        x = (noise := Noise([1, 2]))(1, 8, 8)
        for t, step in zip(scheduler.timesteps, sampled(model, "ddim", steps, eta), strict=True):
            said = model._call(x, torch.full((2,), int(t)))
            options = {"eta": eta, "use_clipped_model_output": True, "variance_noise": noise(1, 8, 8)}
            x = scheduler.step(said, t, x, **options).prev_sample
            assert torch.allclose(x, step.x, atol=1e-3), int(t)
            x = step.x


@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize("variance", VARIANCES)
def test_ancestral_sampling_is_that_of_diffusers(variance, prediction, monkeypatch):
    draws = "diffusers.schedulers.scheduling_ddpm.randn_tensor"
    model = rough(prediction=prediction, variance=variance)
    for steps in (3, 10, 50, 999):
        scheduler = diffusers.DDPMScheduler.from_config(model.scheduler.config)
        scheduler.set_timesteps(steps)
        x = (noise := Noise([1, 2]))(1, 8, 8)
        monkeypatch.setattr(draws, lambda shape, noise=noise, **_: noise(*shape[1:]))
        *walk, last = zip(scheduler.timesteps, sampled(model, "ddpm", steps), strict=True)
        for t, step in walk:  # at the last, diffusers adds noise that Algorithm 2 does not
            x = scheduler.step(model._call(x, torch.full((2,), int(t))), t, x).prev_sample
            assert torch.allclose(x, step.x, atol=1e-3), int(t)
            x = step.x
        assert torch.equal(last[1].x, last[1].x0)


def sampled(model, sampler, steps, eta=0.0):
    return model.sample([1, 2], sampler=sampler, num_inference_steps=steps, **({"eta": eta} if eta else {}))


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_all_deterministic_samplers_begin_with_the_same_step(prediction):
    """Of order 1 the solvers are DDIM: so none of them keeps the noise of an x_0 that was not clipped."""
    model = rough(1.0, prediction=prediction)
    first = [next(sampled(model, name, 20)).x for name in ("ddim", "dpm-solver++", "unipc")]
    assert next(sampled(model, "ddim", 20)).x0.abs().max() == 1, "there is something to clip"
    assert all(torch.allclose(one, first[0], atol=1e-3) for one in first[1:])


@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize(
    ("sampler", "steps"),
    [("sde-dpm-solver++", 60), ("dpm-solver++", 30), ("unipc", 30), ("ddim", 100), ("ddim", 600), ("ddpm", 1000)],
)
def test_samples_of_the_toy_have_its_mean_and_spread(sampler, steps, prediction):
    """The score of N(0.3, 0.2^2) is known, so a right sampler gives back 0.3 and 0.2."""
    images = exact(prediction=prediction).generate(range(24), sampler=sampler, num_inference_steps=steps)
    assert images.mean().item() == pytest.approx(0.3, abs=0.03)
    assert images.std().item() == pytest.approx(0.2, abs=0.03)


def test_eta_adds_noise_and_only_ddim_has_it():
    model = exact()
    options = {"sampler": "ddim", "num_inference_steps": 20}
    still, moved = model.generate([1], **options), model.generate([1], **options, eta=1.0)
    assert not torch.equal(still, moved) and torch.equal(moved, model.generate([1], **options, eta=1.0))
    with pytest.raises(InputError, match="eta"):
        model.generate([1], sampler="ddpm", eta=0.5)


def test_ddim_with_eta_1_has_the_ancestral_spread():
    spread = exact().generate(range(24), sampler="ddim", num_inference_steps=200, eta=1.0).std().item()
    assert spread == pytest.approx(0.2, abs=0.03)


def test_x0_is_clipped_in_every_sampler():
    """A network that says 0 means x0 = x_t / sqrt(abar), far outside: the state must not run away."""
    model = DDPM(**TINY).eval()
    model.unet = Silent()
    for sampler in SAMPLERS:
        for step in model.sample([1, 2], sampler=sampler, num_inference_steps=10):
            assert step.x0.abs().max() <= 1 and step.x.abs().max() < 6, sampler


def test_deterministic_ddim_can_be_inverted():
    """Walk the toy's images back to latents by DDIM run upwards, and down again: the round trip is the identity."""
    model = exact()
    latent = model.latent([1, 2])
    images = model.decode(latent, num_inference_steps=200)
    timesteps = model._ode(200)
    x, a_now = images, torch.tensor(1.0)
    for t in timesteps[::-1]:
        a = model.scheduler.alphas_cumprod[t]
        output = model._call(x, torch.full((2,), int(t)))
        x0 = (x - (1 - a_now).sqrt() * output) / a_now.sqrt()
        x, a_now = a.sqrt() * x0 + (1 - a).sqrt() * output, a
    assert (x - latent).abs().mean() < 0.15 * latent.abs().mean()


@pytest.mark.parametrize(("steps", "choice"), [(0, "ddim"), (1001, "ddim"), (2.5, "ddim"), (10, "euler")])
def test_bad_steps_and_samplers(steps, choice):
    with pytest.raises(InputError, match=r"num_inference_steps must be a whole number|sampler is 'euler'"):
        exact().generate([1], sampler=choice, num_inference_steps=steps)


def test_bad_constructor_arguments():
    for bad in ({"schedule": "quadratic"}, {"prediction": "x"}, {"widths": (9, 18)}):
        with pytest.raises(InputError):
            DDPM(**(TINY | bad))


def test_trailing_timesteps_are_the_papers():
    assert list(trailing(4)) == [999, 749, 499, 249] and list(trailing(1)) == [999]
    assert (np.diff(trailing(1000)) == -1).all()
    assert math.isclose(np.diff(trailing(999)).mean(), -1000 / 999, rel_tol=1e-2)


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_ddim_backwards_and_forwards_is_a_round_trip(prediction):
    """With the ideal network: an image's latent decodes to it, and is as likely as the image was."""
    model = exact(prediction=prediction)
    x = (0.3 + 0.2 * torch.randn(4, 1, 8, 8)).clamp(-1, 1)
    latent = model.invert(x, num_inference_steps=50, iterations=8)
    assert (model.decode(latent, 50) - x).abs().max() < 1 / 255  # half a pixel level
    # The ODE carries x0 = mean + std * e to x_T = e; 50 Euler steps stretch that a little, alike everywhere.
    e = ((x - 0.3) / 0.2).flatten()
    slope = (latent.flatten() @ e / e.square().sum()).item()
    assert slope == pytest.approx(1, abs=0.15) and (latent.flatten() - slope * e).std() < 0.05
    once = model.decode(model.invert(x, 50, 1), 50)
    assert (once - x).abs().mean() > (model.decode(latent, 50) - x).abs().mean(), "the iteration is what makes it exact"


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_an_imperfect_network_gives_its_images_back(prediction):
    """Whatever it predicts: at pure noise x_0 from eps is its error times 1 / sqrt(abar), 20,000 here."""
    model = rough(0.02, prediction=prediction)
    x = (0.3 + 0.2 * torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))).clamp(-1, 1)
    latent = model.invert(x)
    assert (model.decode(latent) - x).abs().mean() < 0.02 and 0.8 < latent.std() < 1.2
    images = model.decode(model.latent(range(24)), 100)
    assert images.mean().item() == pytest.approx(0.3, abs=0.03) and images.std().item() == pytest.approx(0.2, abs=0.03)


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_digits_are_given_back_by_a_perfect_network_for_them(prediction):
    """That of tests/control.py: a mixture about each digit. Many of the pixels are -1 exactly, where x_0 is clipped."""
    digits = to_float(load_images("digits").x[:200])
    model = DDPM(**TINY, prediction=prediction).eval()
    model.unet = Perfect(Modes(digits.flatten(1)), model)
    assert (model.decode(model.invert(digits[:8])) - digits[:8]).square().mean() < 0.01


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_the_step_that_is_undone_is_the_samplers(prediction):
    torch.manual_seed(0)
    model = exact(prediction=prediction)
    now, after = levels(model.scheduler, trailing(10))[3:5]
    t, x, said = torch.full((2,), trailing(10)[3]), torch.randn(2, 1, 8, 8), torch.randn(2, 1, 8, 8)
    gain, share = rotation(now, after)
    stepped = reverse([now, after], 0.0)(x, model._x0(x, t, said), None)
    assert torch.allclose(stepped, gain * x + share * model._v(x, t, said), atol=1e-4)


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_min_snr_weights_the_error_in_x0(prediction):
    """Hang et al. 2023: whatever is predicted, the loss is min(SNR, gamma) ||x_0 - the predicted x_0||^2."""
    torch.manual_seed(0)
    model = DDPM(**TINY, prediction=prediction, min_snr=5.0).train()
    x = torch.rand(64, 1, 8, 8) * 2 - 1
    kept = {}
    call = model._call
    model._call = lambda x_t, t: kept.setdefault("output", (kept.update(x_t=x_t, t=t), call(x_t, t))[1])
    (loss,) = model.losses(x)
    abar = model.alphas_cumprod()[kept["t"]].double()
    x0 = model._x0(kept["x_t"], kept["t"], kept["output"]).double()
    snr = abar / (1 - abar)
    expected = (snr.clamp_max(5) * (x0 - x).square().flatten(1).mean(1)).mean()
    assert loss.value.item() == pytest.approx(expected.item(), rel=1e-4)
    plain = DDPM(**TINY, prediction=prediction)
    assert torch.equal(plain._weight(kept["t"]), torch.ones(64))


def test_dropout_is_for_training_alone():
    model = DDPM(**TINY, dropout=0.5)
    x, t = torch.rand(2, 1, 8, 8), torch.tensor([5, 500])
    with torch.no_grad():
        assert torch.equal(model.eval().predict(x, t), model.predict(x, t))
        assert not torch.equal(model.train().predict(x, t), model.predict(x, t))
    for wrong in ({"dropout": 1.0}, {"dropout": -0.1}, {"min_snr": -1.0}):
        with pytest.raises(InputError, match="dropout must be in"):
            DDPM(**TINY, **wrong)
