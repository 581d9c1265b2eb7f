"""Algorithm 1 and 2 a step at a time: against a network whose gradient is known, the paper's formula, and sampling."""

import pytest
import torch
from torch import nn

from gencore.algorithms import training_step
from gencore.families.ddpm import DDPM, PREDICTIONS, VARIANCES
from gencore.families.timesteps import TRAIN_STEPS
from gencore.family import Denoises, Noise
from tests.support.exact import TINY, Exact


class Scaling(nn.Module):
    """A network that says w x."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(0.7))

    def forward(self, x, t):
        return type("Output", (), {"sample": self.weight * x})


def test_a_training_steps_loss_and_gradient_are_those_of_the_formula():
    model = DDPM(**TINY).eval()
    model.unet = Scaling()
    assert isinstance(model, Denoises)
    x0, noise, t = torch.rand(2, 1, 8, 8), torch.randn(2, 1, 8, 8), torch.tensor([10, 700])
    with torch.no_grad():  # as the callers of all capabilities hold it
        step = training_step(model, x0, t, noise)
    abar = model.alphas_cumprod()[t].view(-1, 1, 1, 1)
    x_t = abar.sqrt() * x0 + (1 - abar).sqrt() * noise
    torch.testing.assert_close(step.x_t, x_t)
    torch.testing.assert_close(step.predicted, 0.7 * x_t)
    assert step.loss == pytest.approx((noise - 0.7 * x_t).square().sum().item(), rel=1e-5)
    assert step.gradient_norm == pytest.approx(abs(-2 * ((noise - 0.7 * x_t) * x_t).sum().item()), rel=1e-4)
    assert model.unet.weight.grad is None and model.unet.weight.item() == pytest.approx(0.7)


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_the_noise_seen_is_that_of_the_ideal_network_whatever_it_predicts(prediction):
    model = DDPM(**TINY, prediction=prediction).eval()
    model.unet = Exact(model)
    x_t, t = torch.randn(3, 1, 8, 8), torch.tensor([5, 300, 990])
    a = model.alphas_cumprod()[t].view(-1, 1, 1, 1).double()
    score_of_data = (x_t.double() - 0.3 * a.sqrt()) / (a * 0.2**2 + 1 - a)  # x_t ~ N(sqrt(a) 0.3, a 0.2^2 + 1 - a)
    torch.testing.assert_close(model.noise_in(x_t, t).double(), (1 - a).sqrt() * score_of_data, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("variance", VARIANCES)
def test_all_passes_of_algorithm_2_are_ancestral_sampling(variance):
    model = DDPM(**TINY, variance=variance).eval()
    model.unet = Exact(model)
    *_, last = model.sample([3], sampler="ddpm", num_inference_steps=TRAIN_STEPS)
    noise = Noise([3])
    x = noise(*model.image_shape)
    for t in range(TRAIN_STEPS - 1, -1, -1):
        z = noise(*model.image_shape) if t else torch.zeros_like(x)
        x, _ = model.denoise(x, t, z)
    torch.testing.assert_close(x, last.x, rtol=0, atol=2e-4)


def test_a_pass_is_line_4_of_the_paper():
    model = DDPM(**TINY).eval()
    model.unet = Exact(model)
    x, z, t = torch.randn(1, 1, 8, 8), torch.randn(1, 1, 8, 8), 400
    after, eps = model.denoise(x, t, z)
    alpha, abar, before = (
        float(v[i]) for v, i in ((model.scheduler.alphas, t), *((model.alphas_cumprod(), i) for i in (t, t - 1)))
    )
    sigma = ((1 - before) / (1 - abar) * (1 - alpha)) ** 0.5
    torch.testing.assert_close(after, (x - (1 - alpha) / (1 - abar) ** 0.5 * eps) / alpha**0.5 + sigma * z)
    torch.testing.assert_close(eps, model.noise_in(x, torch.tensor([t])), rtol=1e-3, atol=1e-3)  # nothing to be clipped
