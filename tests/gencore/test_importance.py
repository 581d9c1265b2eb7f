"""Importance-weighted bounds against a linear-Gaussian VAE, whose log P(x) is known."""

import math

import pytest
import torch
from torch import nn
from torch.distributions import MultivariateNormal

from gencore.families.vae import VAE
from gencore.family import DecodesNormal
from gencore.importance import importance_bound, log_weights

PIXELS, LATENT, SIGMA = 64, 2, 0.2


@pytest.fixture(scope="module")
def linear():
    """A VAE whose decoder is W z, with an encoder that is the true posterior but too wide, and log P of an image."""
    generator = torch.Generator().manual_seed(0)
    weights = 0.1 * torch.randn(PIXELS, LATENT, generator=generator)
    model = VAE(size=8, widths=(8,), latent=LATENT).eval()
    decoder = nn.Linear(LATENT, PIXELS, bias=False)
    decoder.weight.data = weights
    model.decoder = nn.Sequential(decoder, nn.Unflatten(1, (1, 8, 8)))
    model.sigma.fill_(SIGMA)
    precision = torch.eye(LATENT) + weights.T @ weights / SIGMA**2
    posterior = torch.linalg.solve(precision, weights.T / SIGMA**2)  # E[z|x] = posterior x
    wide = 2 * (1.5 / precision.diagonal().sqrt()).log()
    encoder = nn.Linear(PIXELS, 2 * LATENT)
    encoder.weight.data = torch.cat([posterior, torch.zeros(LATENT, PIXELS)])
    encoder.bias.data = torch.cat([torch.zeros(LATENT), wide])
    model.encoder = nn.Sequential(nn.Flatten(), encoder)
    x = weights @ torch.randn(LATENT, generator=generator) + SIGMA * torch.randn(PIXELS, generator=generator)
    x = ((x.clamp(-0.95, 0.95) + 1) * 127.5).round() / 127.5 - 1  # one of 256 levels
    density = MultivariateNormal(torch.zeros(PIXELS), weights @ weights.T + SIGMA**2 * torch.eye(PIXELS))
    truth = density.log_prob(x).item() + PIXELS * math.log(2 / 255)  # bins are narrow beside sigma
    return model, x.view(1, 1, 8, 8), truth


@torch.no_grad()
def test_it_rises_from_the_elbo_to_the_known_likelihood(linear):
    model, x, truth = linear
    assert isinstance(model, DecodesNormal)
    weights = log_weights(model, x, 20_000, torch.Generator().manual_seed(1))
    found = {k: importance_bound(weights, k) for k in (1, 2, 5, 20, 100, 1000)}
    assert [len(values) for values in found.values()] == [20_000 // k for k in found]
    means = [values.mean().item() for values in found.values()]
    assert means == sorted(means), "no lower with more draws (Burda et al., theorem 1)"
    assert means[-1] == pytest.approx(truth, abs=0.02) and truth - means[0] > 0.2
    elbo = model.bound(x.expand(5000, -1, -1, -1), torch.Generator().manual_seed(2))["elbo"]
    error = (elbo.var() / len(elbo) + found[1].var() / len(found[1])).sqrt().item()
    assert abs(elbo.mean().item() - means[0]) < 4 * error


@torch.no_grad()
def test_with_the_true_posterior_every_weight_is_the_likelihood(linear):
    """In one dimension of z the true posterior is normal without correlation: then no draw differs from another."""
    model, x, _ = linear
    weights = model.decoder[0].weight
    one = VAE(size=8, widths=(8,), latent=1).eval()
    decoder = nn.Linear(1, PIXELS, bias=False)
    decoder.weight.data = weights[:, :1]
    one.decoder, one.sigma = nn.Sequential(decoder, nn.Unflatten(1, (1, 8, 8))), torch.tensor(SIGMA)
    precision = 1 + weights[:, 0].square().sum() / SIGMA**2
    mean = weights[:, 0] @ x.flatten() / SIGMA**2 / precision
    one.encode = lambda _: (mean.view(1, 1), precision.rsqrt().view(1, 1))
    truth = MultivariateNormal(
        torch.zeros(PIXELS), weights[:, :1] @ weights[:, :1].T + SIGMA**2 * torch.eye(PIXELS)
    ).log_prob(x.flatten()).item() + PIXELS * math.log(2 / 255)
    found = log_weights(one, x, 200, torch.Generator().manual_seed(0))
    assert found.std() < 0.05 and found.mean().item() == pytest.approx(truth, abs=0.05)
