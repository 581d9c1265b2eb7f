"""The VAE's mathematics against closed forms and torch.distributions."""

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from gencore.families.likelihood import discretised_normal, normal_kl
from gencore.families.vae import VAE


@pytest.fixture
def model():
    torch.manual_seed(0)
    return VAE(channels=1, size=8, widths=(8, 16), latent=4, components=3).eval()


def test_kl_is_torchs():
    mean, std = torch.randn(50, 4), torch.rand(50, 4) + 0.1
    assert torch.allclose(normal_kl(mean, std), kl_divergence(Normal(mean, std), Normal(0.0, 1.0)), atol=1e-5)


def test_discretised_normal_sums_to_one_over_the_256_levels():
    levels = (torch.arange(256) / 127.5 - 1).double()
    for mean in (-1.2, -0.3, 0.9):
        for std in (0.01, 0.1, 1.0):
            total = discretised_normal(levels, torch.tensor(mean).double(), torch.tensor(std).double()).exp().sum()
            assert total == pytest.approx(1, abs=1e-6)


def test_discretised_normal_is_the_difference_of_distribution_functions():
    x, mean, std = torch.tensor(0.0039215), torch.tensor(0.05), torch.tensor(0.2)
    normal = Normal(mean.double(), std.double())
    mass = normal.cdf(x.double() + 1 / 255) - normal.cdf(x.double() - 1 / 255)
    assert discretised_normal(x, mean, std).exp() == pytest.approx(mass.item(), rel=1e-4)
    far = discretised_normal(torch.tensor([-0.9, 0.9]), torch.tensor([0.9, -0.9]), torch.tensor(0.05))
    assert torch.isfinite(far).all() and far[0] == pytest.approx(far[1].item(), rel=1e-4) and (far < -500).all()


def test_loss_is_minus_the_elbo_at_the_optimal_sigma(model):
    x = torch.rand(64, 1, 8, 8) * 2 - 1
    torch.manual_seed(3)
    (loss,) = model.losses(x)
    torch.manual_seed(3)
    mean, std = model.encode(x)
    decoded = model.decode(mean + std * torch.randn_like(std))

    def elbo(sigma):
        log_likelihood = Normal(decoded, sigma).log_prob(x).flatten(1).sum(1)
        return (log_likelihood - kl_divergence(Normal(mean, std), Normal(0.0, 1.0)).sum(1)).mean()

    best = loss.logs["sigma"]
    assert -loss.value.item() == pytest.approx(elbo(best).item(), rel=1e-5)
    assert elbo(best) > elbo(best * 1.05) and elbo(best) > elbo(best * 0.95)
    parts = loss.logs["log_likelihood"] - loss.logs["kl"]
    assert parts.item() == pytest.approx(-loss.value.item(), rel=1e-5)
    assert loss.logs["kl_per_dimension"].sum().item() == pytest.approx(loss.logs["kl"].item(), rel=1e-5)


def test_sigma_has_a_floor():
    model = VAE(channels=1, size=8, widths=(8,), latent=2, sigma_floor=10.0)
    (loss,) = model.losses(torch.zeros(4, 1, 8, 8))
    assert loss.logs["sigma"] == 10


def test_even_if_x_is_the_same_z_differs(model):
    x = torch.zeros(1, 1, 8, 8).expand(2000, -1, -1, -1)
    mean, std = model.encode(x)
    z = mean + std * torch.randn_like(std)
    assert torch.allclose(z.mean(0), mean[0], atol=0.1) and torch.allclose(z.std(0), std[0], rtol=0.1)


def test_temperature_scales_around_the_components_mean(model):
    model.mixture_means.copy_(torch.tensor([[10.0] * 4, [0.0] * 4, [-10.0] * 4]))
    seeds = range(300)
    still = model.latent(seeds, temperature=0.0)
    assert set(still[:, 0].tolist()) == {10.0, 0.0, -10.0}
    once, twice = model.latent(seeds, temperature=0.5), model.latent(seeds, temperature=1.0)
    assert torch.allclose(2 * (once - still), twice - still, atol=1e-5)
    normal = model.latent(seeds, prior="normal", temperature=0.0)
    assert not normal.any()


def test_mixture_draws_have_its_moments(model):
    model.mixture_weights.copy_(torch.tensor([0.7, 0.3, 0.0]))
    model.mixture_means[0], model.mixture_means[1] = 5.0, -5.0
    factor = torch.tril(torch.randn(4, 4)) + 2 * torch.eye(4)
    model.mixture_factors[0] = factor
    z = model.latent(range(6000))
    first = z[z[:, 0] > 0]
    share = (z.mean(0)[0] + 5) / 10
    assert share == pytest.approx(0.7, abs=0.1)
    near = torch.cov(first.T)
    assert len(first) > 3500 and near[3, 3] == pytest.approx((factor @ factor.T)[3, 3].item(), rel=0.15)


def test_finish_fits_the_mixture_to_the_aggregated_posterior(model):
    """Two kinds of image, far apart in latent space: the fitted prior has both; N(0, I) has neither."""

    def encode(x):
        side = x.mean((1, 2, 3), keepdim=True).flatten(1).sign() * 6
        return side.expand(-1, 4), torch.full((len(x), 4), 0.1)

    model.encode = encode
    x = torch.cat([torch.full((300, 1, 8, 8), 0.5), torch.full((100, 1, 8, 8), -0.5)])
    model.fit_after_training(x[torch.randperm(400)].split(50))
    z = model.latent(range(2000))
    assert (z.abs().mean(1) - 6).abs().max() < 1
    assert (z[:, 0] > 0).float().mean() == pytest.approx(0.75, abs=0.05)
    with torch.no_grad():
        near = model.decode(torch.full((1, 4), 6.0)) - 0.5, model.decode(torch.full((1, 4), -6.0)) + 0.5
    expected = 0.75 * near[0].square().mean() + 0.25 * near[1].square().mean()
    assert model.sigma.item() == pytest.approx(expected.sqrt().item(), rel=0.02)


def test_active_units_count_the_dimensions_that_vary(model):
    model.encode = lambda x: (torch.randn(len(x), 4) * torch.tensor([1.0, 1.0, 0.01, 0.0]), torch.ones(len(x), 4))
    assert model.validation_figures(torch.zeros(200, 1, 8, 8))["active_units"] == 2
