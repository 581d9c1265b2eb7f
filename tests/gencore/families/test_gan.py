"""The GAN's game against known answers."""

import math

import pytest
import torch

from gencore.data import load_images, to_float
from gencore.errors import InputError
from gencore.families.gan import GAN, OBJECTIVES, game

TINY = {"channels": 1, "size": 8, "widths": (8, 16), "probe_widths": (4, 8), "latent": 8}


def test_the_value_at_the_equilibrium_is_minus_log_4():
    values = game(torch.zeros(10), torch.zeros(10))
    assert values["value"].item() == pytest.approx(-math.log(4))
    assert values["d_real"] == values["d_fake"] == 0.5


def test_the_value_at_the_optimal_discriminator_is_2_jsd_minus_log_4():
    """Two coins of known bias: D* = p / (p + q), V = 2 JSD - log 4 (Goodfellow et al. 2014, eq. 4 to 6)."""
    p, q = torch.tensor([0.8, 0.2]).double(), torch.tensor([0.3, 0.7]).double()
    logits = torch.log(p / q)
    real = logits.repeat_interleave((p * 1000).round().long())
    fake = logits.repeat_interleave((q * 1000).round().long())
    middle = (p + q) / 2
    jsd = 0.5 * (p * (p / middle).log()).sum() + 0.5 * (q * (q / middle).log()).sum()
    assert game(real, fake)["value"].item() == pytest.approx((2 * jsd - math.log(4)).item(), abs=1e-6)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_losses_are_the_objectives(objective):
    """With gamma 0, the losses are the formulas, evaluated here from D's probabilities."""
    torch.manual_seed(0)
    model = GAN(**TINY, objective=objective, gamma=0.0, gamma_final=0.0)
    x = torch.rand(32, 1, 8, 8) * 2 - 1
    losses = {}
    torch.manual_seed(1)
    first_z = torch.randn(32, 8)
    second_z = torch.randn(32, 8)
    torch.manual_seed(1)
    for loss in model.losses(x):
        losses[loss.network] = loss.value.item()
    critic = model.discriminator
    with torch.no_grad():
        real, fake = critic(x).flatten(), critic(model.decode(first_z)).flatten()
        again = critic(model.decode(second_z)).flatten()
    d_real, d_fake, d_again = real.sigmoid(), fake.sigmoid(), again.sigmoid()
    if objective == "relativistic":
        assert losses["discriminator"] == pytest.approx(-(real - fake).sigmoid().log().mean().item(), rel=1e-4)
        assert losses["generator"] == pytest.approx(-(again - real).sigmoid().log().mean().item(), rel=1e-4)
        return
    assert losses["discriminator"] == pytest.approx(-(d_real.log().mean() + (1 - d_fake).log().mean()).item(), rel=1e-4)
    expected = (1 - d_again).log().mean() if objective == "minimax" else -d_again.log().mean()
    assert losses["generator"] == pytest.approx(expected.item(), rel=1e-4)


def test_the_generator_meets_the_updated_discriminator():
    """Lazy losses: what the trainer does to D between two losses changes the generator's."""
    values = []
    for change in (False, True):
        torch.manual_seed(0)
        model = GAN(**TINY)
        torch.manual_seed(1)
        for loss in model.losses(torch.rand(8, 1, 8, 8)):
            if loss.network == "discriminator" and change:
                with torch.no_grad():
                    model.discriminator.head.weight.mul_(10)
        values.append(loss.value.item())
    assert values[0] != values[1]


def test_r1_of_a_linear_critic_is_its_squared_norm():
    model = GAN(**TINY)
    weight = torch.randn(64)
    model.discriminator = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 1))
    model.discriminator[1].weight.data = weight[None]
    assert model._penalty(torch.rand(5, 1, 8, 8)).item() == pytest.approx(weight.square().sum().item(), rel=1e-5)


def test_gamma_falls_along_a_cosine():
    model = GAN(**TINY, gamma=10.0, gamma_final=2.0)
    assert [model._gamma(p) for p in (0, 0.5, 1)] == pytest.approx([10, 6, 2])


def test_the_probe_never_trains_the_generator():
    model = GAN(**TINY)
    losses = {loss.network: loss for loss in model.losses(torch.rand(8, 1, 8, 8))}
    losses["probe"].value.backward()
    assert all(p.grad is None for p in model.generator.parameters())
    assert all(p.grad is None for p in model.discriminator.parameters())


def test_only_a_relativistic_game_has_a_probe_and_a_win_rate():
    for objective in OBJECTIVES:
        model = GAN(**TINY, objective=objective)
        logs = {name for loss in model.losses(torch.rand(8, 1, 8, 8)) for name in loss.logs}
        relativistic = objective == "relativistic"
        assert ("win_rate" in logs) == ("probe" in model.networks) == relativistic
        assert ("d_real" in logs) == (not relativistic)
        assert {"validation_value", "validation_d_real"} <= model.validation_figures(torch.rand(8, 1, 8, 8)).keys()
        assert model.referee is (model.probe if relativistic else model.discriminator)


def test_truncation_brings_samples_together():
    torch.manual_seed(0)
    model = GAN(**TINY).eval()
    spread = [torch.pdist(model.generate(range(64), truncation=t).flatten(1)).mean() for t in (1.0, 0.7, 0.4, 0.1)]
    assert spread == sorted(spread, reverse=True) and spread[-1] < 0.5 * spread[0]


def test_unknown_objective():
    with pytest.raises(InputError, match="relativistic"):
        GAN(**TINY, objective="relativist")


def test_a_probe_tells_noise_from_digits():
    """The probe's loss falls below the equilibrium's log 4 when the generator does not learn."""
    torch.manual_seed(0)
    model = GAN(**TINY)
    x = to_float(load_images("digits").x[:256])
    optimizer = torch.optim.Adam(model.probe.parameters(), 1e-2)
    for _ in range(30):
        for loss in model.losses(x[torch.randperm(256)[:64]]):
            if loss.network == "probe":
                optimizer.zero_grad()
                loss.value.backward()
                optimizer.step()
    assert -math.log(4) < model.validation_figures(x)["validation_value"] <= 0
    assert model.judge(x).mean() > 0.8


def normal_logs(count, shift):
    """log p and log q of p = N(0, 1) and q = N(shift, 1), at `count` draws of each."""
    generator = torch.Generator().manual_seed(0)
    draws = torch.randn(2, count, generator=generator, dtype=torch.float64)
    x, y = draws[0], draws[1] + shift
    p, q = torch.distributions.Normal(0.0, 1.0), torch.distributions.Normal(shift, 1.0)
    return (p.log_prob(x), q.log_prob(x)), (p.log_prob(y), q.log_prob(y))


def divergence(shift):
    """The Jensen-Shannon divergence of N(0, 1) and N(shift, 1) in nats, by the trapezoidal rule."""
    x = torch.linspace(-12, 12 + shift, 200_001, dtype=torch.float64)
    p = torch.distributions.Normal(0.0, 1.0).log_prob(x)
    q = torch.distributions.Normal(shift, 1.0).log_prob(x)
    middle = torch.logaddexp(p, q) - math.log(2)
    return torch.trapezoid(0.5 * (p.exp() * (p - middle) + q.exp() * (q - middle)), x).item()


@pytest.mark.parametrize("shift", [0.5, 1.5, 4.0])
def test_the_value_at_the_optimum_of_two_known_densities(shift):
    """D* = p / (p + q), so its logit is log p - log q; V(D*, G) = 2 JSD - log 4 within Monte Carlo error."""
    count = 200_000
    (p_x, q_x), (p_y, q_y) = normal_logs(count, shift)
    best = game(p_x - q_x, p_y - q_y)["value"].item()
    draws = torch.nn.functional.logsigmoid(p_x - q_x), torch.nn.functional.logsigmoid(q_y - p_y)
    error = math.sqrt(sum(each.var().item() for each in draws) / count)
    assert best == pytest.approx(2 * divergence(shift) - math.log(4), abs=4 * error)
    for slope, offset in ((0.5, 0.0), (2.0, 0.0), (1.0, 0.7), (1.0, -0.7), (0.0, 0.0), (-1.0, 0.0)):
        other = game(slope * (p_x - q_x) + offset, slope * (p_y - q_y) + offset)["value"].item()
        assert other < best, f"D with slope {slope} and offset {offset} is not the optimum"


def test_equal_densities_leave_the_best_discriminator_at_one_half():
    (p_x, q_x), (p_y, q_y) = normal_logs(10_000, 0.0)
    values = game(p_x - q_x, p_y - q_y)
    assert values["value"].item() == pytest.approx(-math.log(4), abs=1e-12)
    assert values["d_real"] == values["d_fake"] == 0.5
    assert divergence(0.0) == pytest.approx(0.0, abs=1e-12)
    worse = game(torch.full((10,), 0.3), torch.full((10,), 0.3))["value"].item()
    assert worse < -math.log(4), "a constant D other than 1/2 does worse than guessing"


@pytest.mark.parametrize("noise", [-0.1, float("nan"), float("inf")])
def test_noise_that_is_no_deviation_is_refused(noise):
    with pytest.raises(InputError, match="noise is a standard deviation, 0 or more"):
        GAN(size=8, widths=(8, 16), noise=noise)


@pytest.mark.parametrize(("progress", "deviation"), [(0.0, 0.4), (0.5, 0.2), (1.0, 0.0)])
def test_noise_on_what_the_discriminator_sees_falls_to_none_and_the_probe_sees_none(progress, deviation):
    torch.manual_seed(0)
    model = GAN(channels=3, size=8, widths=(8, 16), probe_widths=(4, 8), latent=8, noise=0.4)
    seen = {"discriminator": [], "probe": []}
    for name, kept in seen.items():
        model.networks[name].register_forward_pre_hook(lambda _, inputs, kept=kept: kept.append(inputs[0].detach()))
    x = torch.rand(256, 3, 8, 8)
    list(model.losses(x, progress))
    real = [seen["discriminator"][0], seen["discriminator"][-1]]  # in the discriminator's loss, and in the generator's
    assert [float((one - x).std()) for one in real] == pytest.approx([deviation] * 2, abs=0.01)
    fake = seen["discriminator"][1] - seen["probe"][1]
    assert float(fake.std()) == pytest.approx(deviation, abs=0.01) and torch.equal(seen["probe"][0], x)


def test_without_tanh_the_generator_learns_from_how_far_it_overshoots():
    """The critic sees the images as they are; those that are given out are clipped."""
    torch.manual_seed(0)
    bounded, free = GAN(**TINY), GAN(**TINY, tanh=False)
    free.load_state_dict(bounded.state_dict())
    z = free.latent(range(4))
    with torch.no_grad():
        free.generator.body[-2].bias.fill_(3.0)
        bounded.generator.body[-2].bias.fill_(3.0)
    raw = free._generated(z)
    assert raw.min() > 1 and bool((free.decode(z) == 1).all())
    assert torch.allclose(bounded.decode(z), raw.tanh())
    assert (free.generate([1]) == 1).all()
    for model, least in ((free, 0.5), (bounded, 0.0)):
        (gradient,) = torch.autograd.grad(model._generated(z).sum(), model.generator.body[-2].bias)
        assert least <= gradient.item() / raw.numel() < (0.02 if model is bounded else 1.01)
