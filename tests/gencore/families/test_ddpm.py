"""The DDPM's mathematics and samplers: against the step-by-step chain, a toy whose score is known, and the traps."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from gencore.errors import InputError
from gencore.families.ddpm import DDPM, SAMPLERS, SCHEDULERS, SCHEDULES, TRAIN_STEPS, ddim, trailing
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


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
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


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_predicted_x0_undoes_the_noise(prediction):
    model = DDPM(**TINY, prediction=prediction)
    x, noise = torch.rand(3, 1, 8, 8) * 2 - 1, torch.randn(3, 1, 8, 8)
    t = torch.tensor([0, 100, 700])
    x_t = model.diffuse(x, t, noise)
    output = noise if prediction == "epsilon" else model.scheduler.get_velocity(x, noise, t)
    assert torch.allclose(model._x0(x_t, t, output), x, atol=1e-2)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("steps", [1, 2, 3, 7, 20, 600, 999, 1000])
def test_every_sampler_is_finite_and_makes_that_many_calls(sampler, steps):
    model = exact()
    seen = list(model.sample([1, 2], sampler=sampler, num_inference_steps=steps))
    assert len(seen) == steps and all(torch.isfinite(s.x).all() and torch.isfinite(s.x0).all() for s in seen)
    timesteps, _ = SCHEDULERS[sampler](model.scheduler, steps, 0.0)
    assert list(timesteps) == list(trailing(steps)), "trailing: from T - 1 on, where the noise is pure"
    assert timesteps[0] == TRAIN_STEPS - 1 and len(set(timesteps)) == steps and min(timesteps) >= 0
    assert (seen[-1].x.clamp(-1, 1) - seen[-1].x0).abs().max() < 0.01, "the last x is the image"


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
@pytest.mark.parametrize(
    ("sampler", "steps"), [("dpm-solver++", 30), ("unipc", 30), ("ddim", 100), ("ddim", 600), ("ddpm", 1000)]
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
    timesteps, _ = ddim(model.scheduler, 200, 0.0, clip=False)
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


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
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


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_the_step_that_is_undone_is_the_samplers(prediction):
    torch.manual_seed(0)
    model = exact(prediction=prediction)
    timesteps, advance = ddim(model.scheduler, 10, 0.0, clip=False)
    x, output = torch.randn(2, 1, 8, 8), torch.randn(2, 1, 8, 8)
    abar = model.scheduler.alphas_cumprod
    gain, share = model._ddim_step(abar[timesteps[1]].item(), abar[timesteps[0]].item())
    assert torch.allclose(advance(output, x, None), gain * x + share * output, atol=1e-4)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
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
