"""The likelihood bound: against models whose likelihood is known, and as a row."""

import csv
import io
import json
import math
import os

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from dashboard.figures import table
from dashboard.results.operating_points import join
from dashboard.service import METRICS
from gencore import FAMILIES, locks
from gencore.checkpoint import save_model, write_json
from gencore.data import load_images
from gencore.errors import InputError
from gencore.evaluation import bound, rows
from gencore.families import ddpm, vae
from gencore.families.ddpm import DDPM, SCHEDULES, STRATA
from gencore.families.timesteps import TRAIN_STEPS
from gencore.families.vae import VAE
from gencore.metrics import interval
from gencore.presets import PRESETS
from tests.support import invented
from tests.support.exact import TINY, Exact

PIXELS = 64


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def close(values, expected, sigmas=4):
    """Whether the mean of values is the expected one, up to so many standard errors."""
    error = values.double().std() / math.sqrt(len(values))
    return abs(values.double().mean() - expected) < sigmas * error


# ---- the VAE: p(z) = N(0, I), p(x|z) = N(W z + c, s^2 I), whose p(x) and q(z|x) are normal and known


class Linear:
    """A VAE with linear maps; the columns of W are orthogonal, so that the exact posterior is diagonal."""

    def __init__(self, sigma=0.2):
        torch.manual_seed(0)
        self.model = VAE(channels=1, size=8, widths=(8,), latent=4).eval()
        self.model.sigma.fill_(sigma)
        self.columns = 0.5 * torch.linalg.qr(torch.randn(PIXELS, 4))[0]
        self.centre, self.sigma = 0.1 * torch.randn(PIXELS), sigma
        self.variance = 1 / (1 + 0.25 / sigma**2)  # of q(z|x)
        self.model.decode = lambda z: (z @ self.columns.T + self.centre).view(-1, 1, 8, 8)
        self.model.encode = self.posterior

    def posterior(self, x):
        mean = self.variance / self.sigma**2 * (x.flatten(1) - self.centre) @ self.columns
        return mean, torch.full_like(mean, math.sqrt(self.variance))

    def log_p(self, x):
        """Of the density."""
        covariance = self.columns @ self.columns.T + self.sigma**2 * torch.eye(PIXELS)
        return torch.distributions.MultivariateNormal(self.centre, covariance).log_prob(x.flatten(1))

    def images(self, n):
        z = torch.randn(1, 4, generator=generator(1))
        x = self.model.decode(z) + self.sigma * torch.randn(1, 1, 8, 8, generator=generator(2))
        return x.expand(n, -1, -1, -1)  # of one image: the mean over the draws of z is its bound


@pytest.fixture
def linear():
    return Linear()


def density(x, mean, std):
    return Normal(mean, std).log_prob(x)


def test_the_bound_is_log_p_where_q_is_the_posterior(linear, monkeypatch):
    monkeypatch.setattr(vae, "discretised_normal", density)
    x = linear.images(20_000)
    assert close(linear.model.bound(x, generator())["elbo"], linear.log_p(x[:1]).item())


def test_elsewhere_it_is_below_by_the_divergence_of_q(linear, monkeypatch):
    monkeypatch.setattr(vae, "discretised_normal", density)
    x = linear.images(20_000)
    mean, std = linear.posterior(x[:1])
    linear.model.encode = lambda x: (mean.expand(len(x), -1) + 0.2, 1.3 * std.expand(len(x), -1))
    apart = kl_divergence(Normal(mean + 0.2, 1.3 * std), Normal(mean, std)).sum().item()
    assert apart > 0.5
    assert close(linear.model.bound(x, generator())["elbo"], linear.log_p(x[:1]).item() - apart)


def test_of_levels_it_is_log_p_times_the_volume_of_a_bin(linear):
    """Bins are narrow beside sigma, so their mass is density times width, and no pixel here is at an end."""
    x = linear.images(20_000)
    assert x.abs().max() < 0.99
    expected = linear.log_p(x[:1]).item() + PIXELS * math.log(2 / 255)
    assert close(linear.model.bound(x, generator())["elbo"], expected)


# ---- the DDPM: for x0 ~ N(mean, std^2 I) the best network is known


def exact(mean, std, **config):
    """A DDPM with the ideal network for that data, and data.

    The ideal x0 is not clipped, since the data are not.
    """
    model = DDPM(**TINY, scheduler_config='{"clip_sample": false}', **config).eval()
    model.unet = Exact(model, mean, std)
    return model


def data(n, mean=0.0, std=1.0, seed=3):
    return mean + std * torch.randn(n, 1, 8, 8, generator=generator(seed))


def at(model, x, t, draws):
    return model.bound_at(x, torch.full((len(x),), t), torch.randn(x.shape, generator=draws))


def whole(model, x, seed=5):
    """Minus the bound with every t in 0..T-1, one draw of noise each, (N,)."""
    draws = generator(seed)
    return sum(at(model, x, t, draws) for t in range(TRAIN_STEPS)) + model._prior_kl(x)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_with_a_perfect_network_and_normal_data_it_is_log_p(schedule, monkeypatch):
    """x0 ~ N(0, I) and sigma^2 = beta: the reverse process is the forward one's inverse, so nothing is lost."""
    monkeypatch.setattr(ddpm, "discretised_normal", density)
    model = exact(0.0, 1.0, schedule=schedule, variance="fixed_large")
    for x in data(2):
        log_p = Normal(0.0, 1.0).log_prob(x).sum().item()
        assert close(-whole(model, x.expand(64, -1, -1, -1)), log_p)


def test_elsewhere_it_is_below(monkeypatch):
    """For other data, another variance or a worse network, the mean bound is under minus the entropy of the data."""
    monkeypatch.setattr(ddpm, "discretised_normal", density)
    x = data(64, 0.3, 0.01)  # narrow: where beta-tilde and beta are both off, by several nats
    log_p = Normal(0.3, 0.01).log_prob(x).flatten(1).sum(1)

    def lost(mean, std, variance):
        return log_p + whole(exact(mean, std, variance=variance), x)

    for variance in ("fixed_small", "fixed_large"):
        best, worse = lost(0.3, 0.01, variance), lost(0.3025, 0.015, variance)
        assert interval(best.tolist())[1] > 1, variance
        assert worse.mean() > best.mean() + 3
    x = data(64)
    log_p = Normal(0.0, 1.0).log_prob(x).flatten(1).sum(1)
    assert interval(lost(0.0, 1.0, "fixed_small").tolist())[1] > 1


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("variance", ["fixed_small", "fixed_large"])
def test_l_is_the_divergence_of_the_posterior_from_the_samplers_step(variance, prediction):
    """p is read off diffusers' own ancestral step, with its clipping; q(x_{t-1}|x_t, x_0) is had by Bayes' rule."""
    torch.manual_seed(0)
    model = DDPM(**TINY, variance=variance, prediction=prediction).eval()
    x, noise, abar = data(8).clamp(-1, 1), data(8, seed=4), model.scheduler.alphas_cumprod.double()
    for t in (1, 2, 17, 300, 641, 980, 999):
        steps = torch.full((8,), t)
        x_t = model.diffuse(x, steps, noise)
        after = model.scheduler.step(model._call(x_t, steps), t, x_t, generator=generator(7)).prev_sample
        sigma = model.scheduler._get_variance(t).double().sqrt()
        mean = after - sigma * torch.randn(x.shape, generator=generator(7))
        alpha, before = abar[t] / abar[t - 1], abar[t - 1]
        precision = 1 / (1 - before) + alpha / (1 - alpha)
        q_mean = (before.sqrt() * x / (1 - before) + alpha.sqrt() * x_t / (1 - alpha)) / precision
        expected = kl_divergence(Normal(q_mean, precision.rsqrt()), Normal(mean, sigma)).flatten(1).sum(1)
        assert torch.allclose(model.bound_at(x, steps, noise).double(), expected, rtol=5e-3, atol=1e-3), t


def test_mixed_steps_are_those_of_each(monkeypatch):
    torch.manual_seed(0)
    model = DDPM(**TINY).eval()
    x, noise, t = data(4).clamp(-1, 1), data(4, seed=4), torch.tensor([0, 1, 500, 999])
    alone = [model.bound_at(x[i : i + 1], t[i : i + 1], noise[i : i + 1]) for i in range(4)]
    assert torch.allclose(model.bound_at(x, t, noise), torch.cat(alone), rtol=1e-4)


@pytest.mark.parametrize("variance", ["fixed_small", "fixed_large"])
def test_l_0_is_the_mass_of_the_level(variance):
    """In bins 2/255 wide around the predicted x0, with the first sigma: beta-tilde of the next t, or beta."""
    torch.manual_seed(0)
    model = DDPM(**TINY, variance=variance).eval()
    levels = torch.randint(0, 256, (4, 1, 8, 8), generator=generator()) / 127.5 - 1
    x, noise, t = 0.1 * levels, 0.01 * data(4), torch.zeros(4, dtype=torch.long)
    abar = model.scheduler.alphas_cumprod.double()
    beta = 1 - abar[:2] / torch.tensor([1.0, abar[0]])
    first = beta[1] * beta[0] / (1 - abar[1]) if variance == "fixed_small" else beta[0]
    p = Normal(model.predict(model.diffuse(x, t, noise), t).double(), first.sqrt())
    mass = p.cdf(x.double() + 1 / 255) - p.cdf(x.double() - 1 / 255)
    assert torch.allclose(model.bound_at(x, t, noise).double(), -mass.log().flatten(1).sum(1), rtol=1e-3)


def test_strata_are_unbiased():
    """Fifty strata, one t in each, against the sum over every t; on one image, so that the noise is all that varies."""
    model, x = exact(0.3, 0.2), data(1, 0.3, 0.2).expand(4000, -1, -1, -1)
    between = model.bound(x, generator(1))["L_between"].double()
    draws = generator(2)
    every = sum(at(model, x[:200], t, draws) for t in range(1, TRAIN_STEPS)).double()
    error = math.sqrt(between.var() / len(between) + every.var() / len(every))
    assert abs(between.mean() - every.mean()) < 4 * error
    assert error < 0.05 * every.mean(), "or the test would say little"


def test_strata_reach_every_step_equally():
    model, seen = DDPM(**TINY), []
    model.bound_at = lambda x, t, noise: seen.append(t) or torch.zeros(len(x))
    first, *parts, last = model.bound_parts(torch.zeros(2000, 1, 8, 8), generator())
    assert [part.index for part in (first, *parts, last)] == list(range(1, STRATA + 3)) and first.total == last.index
    assert (seen[0] == 0).all() and len(parts) == STRATA
    for part, t in zip(parts, seen[1:], strict=True):
        assert (part.low, part.high) == (t.min(), t.max())
    assert (parts[0].low, parts[-1].high) == (1, TRAIN_STEPS - 1)
    assert sum(part.steps for part in parts) == pytest.approx(TRAIN_STEPS - 1)
    counts = torch.cat(seen[1:]).bincount(minlength=TRAIN_STEPS)[1:]
    assert counts.min() > 60 and counts.max() < 145, "100 each, with a standard deviation of 10"


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_l_t_is_torchs(schedule):
    model, x = DDPM(**TINY, schedule=schedule), data(5).clamp(-1, 1)
    abar = model.scheduler.alphas_cumprod[-1].double()
    expected = kl_divergence(Normal(abar.sqrt() * x.double(), (1 - abar).sqrt()), Normal(0.0, 1.0)).flatten(1).sum(1)
    assert torch.allclose(model._prior_kl(x).double(), expected, rtol=1e-4, atol=0)


def test_the_split_is_the_lectures():
    torch.manual_seed(0)
    terms = DDPM(**TINY).eval().bound(data(3).clamp(-1, 1), generator())
    assert list(terms) == ["L_0", "L_between", "L_T", "elbo"]
    assert torch.allclose(-terms["elbo"], terms["L_0"] + terms["L_between"] + terms["L_T"])
    assert all((terms[name] >= 0).all() for name in ("L_0", "L_between", "L_T"))


def test_an_unknown_variance_gets_a_sentence():
    with pytest.raises(InputError, match="'fixed_small'"):
        DDPM(**TINY, variance="fixed_smal")


# ---- as a row


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path))
    torch.manual_seed(0)
    for name, family in FAMILIES.items():
        save_model(tmp_path / "digits" / name, family(channels=1, size=8, **PRESETS[f"digits/{name}"].model))
    return tmp_path


def measured(name, **options):
    *steps, last = bound.measure(name, **{"n": 6, "batch": 4} | options)
    assert all(step.row is None for step in steps) and last.row and last.share == 1
    shares = [step.share for step in steps]
    assert shares == sorted(shares) and shares[-1] == pytest.approx(1)
    return last.row


def test_a_row_has_the_terms_with_intervals_over_images(root):
    row = measured("digits/vae", batch=6, seed=2)
    assert rows.read(root / "digits" / "rows.jsonl", "digits") == ([json.loads(json.dumps(row))], [])
    x = load_images("digits", "test").x[:6]
    terms = bound.checkpoint.load("digits/vae").bound(bound.to_float(x), generator(2))
    assert list(row["terms"]) == list(terms)
    for name, values in terms.items():
        nats, bits = row["terms"][name]["nats"], row["terms"][name]["bits_per_dim"]
        assert (nats["mean"], nats["low"], nats["high"]) == interval(values.double().tolist())
        assert all(bits[end] == pytest.approx(nats[end] / (PIXELS * math.log(2))) for end in nats)
    assert (row["n"], row["split"], row["seed"], row["dimensions"]) == (6, "test", 2, PIXELS)
    assert row["basis"]["prior"] == "N(0, I)" and "over images only" in row["uncertainty"]
    assert "curve" not in row, "its bound has no parts"


def test_a_chain_has_a_curve_that_adds_up(root):
    row = measured("digits/ddpm")
    assert len(row["curve"]) == STRATA and (row["curve"][0]["t_low"], row["curve"][-1]["t_high"]) == (1, 999)
    total = sum(at["mean"] for at in row["curve"]) * (TRAIN_STEPS - 1) / STRATA
    assert total == pytest.approx(row["terms"]["L_between"]["nats"]["mean"], rel=1e-4)
    parts = sum(row["terms"][name]["nats"]["mean"] for name in ("L_0", "L_between", "L_T"))
    assert parts == pytest.approx(-row["terms"]["elbo"]["nats"]["mean"], rel=1e-5)
    assert "fixed_small" in row["basis"]["variance"] and "clipped" in row["basis"]["clipping"]


def test_the_same_seed_gives_the_same_numbers(root):
    one, other, new = (measured("digits/ddpm", seed=seed) for seed in (1, 1, 2))
    assert (one["terms"], one["curve"]) == (other["terms"], other["curve"]) != (new["terms"], new["curve"])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"n": 298}, "the test split of digits has 297 images"),
        ({"n": 1}, "n must be a whole number from 2"),
        ({"n": 10**9}, "n must be a whole number from 2"),
        ({"batch": 0}, "batch must be a whole number from 1"),
        ({"split": "tets"}, "'test'"),
        ({"dtype": "half"}, "no dtype 'half'"),
        ({"seed": -1}, "seed"),
        ({"name": "digits/gan"}, "A GAN has no bound of the likelihood.*VAE, DDPM have"),
        ({"name": "digits/vea"}, "'digits/vae'"),
    ],
)
def test_what_cannot_be_measured_gets_a_sentence(root, options, sentence):
    with pytest.raises(InputError, match=sentence):
        bound.prepare(**{"name": "digits/vae"} | options)
    assert not (root / "digits" / "rows.jsonl").exists()


def test_images_that_do_not_fit_or_are_not_here(root, monkeypatch):
    save_model(root / "digits" / "colour", VAE(channels=3, size=8, widths=(8,), latent=2))
    with pytest.raises(InputError, match="are 1x8x8, but digits/colour is made for 3x8x8"):
        bound.prepare("digits/colour", 4)
    monkeypatch.delenv("GENCORE_DATA", raising=False)
    write_json(root / "digits" / "vae" / "run.json", {"data": "nobody/nothing"})
    with pytest.raises(InputError, match="nobody/nothing"):
        bound.prepare("digits/vae", 4)


def test_a_checkpoint_outside_the_roots_needs_a_file(root, tmp_path, monkeypatch):
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(root / "elsewhere"))
    write_json(root / "digits" / "vae" / "run.json", {"data": "digits"})
    with pytest.raises(InputError, match="--out"):
        bound.prepare(str(root / "digits" / "vae"), 4)
    assert measured(str(root / "digits" / "vae"), out=tmp_path / "mine.jsonl")["dataset"] == "digits"
    assert len(rows.read(tmp_path / "mine.jsonl")[0]) == 1


def test_a_bound_that_is_not_finite_leaves_no_row(root, monkeypatch):
    job = bound.prepare("digits/vae", 4)
    job.model.sigma.fill_(float("nan"))
    with pytest.raises(InputError, match="not finite at image 0"):
        list(bound.run(job))
    assert not (root / "digits" / "rows.jsonl").exists()


def test_it_waits_for_an_evaluation_that_writes_into_the_same_file(root):
    path = root / "digits" / "rows.jsonl"
    with locks.alone(path.with_name(f".{path.name}.lock"), "written"):
        waiting = bound.measure("digits/vae", n=4)
        assert f"waiting for another evaluation, process {os.getpid()} since" in next(waiting).words
        assert list(bound.run(bound.prepare("digits/vae", 4, keep=False)))[-1].row, "what is not written waits for none"
        assert not path.exists()
    assert list(waiting)[-1].row and len(rows.read(path)[0]) == 1
    assert not list(path.parent.glob(".*.lock"))


def test_pages_join_bounds_and_take_nothing_amiss(root):
    made = [measured("digits/ddpm"), measured("digits/vae"), measured("digits/vae", seed=1)]
    made += [measured("digits/vae", split="train"), measured("digits/vae", n=7)]
    others = invented.distinct({f"mnist/{name}": kind for name, kind in FAMILIES.items()})
    titles = {name: kind.title for name, kind in FAMILIES.items()}
    found = join("mnist", [*others, *made], titles, {}, {len(others): "It has changed."})
    assert [(row["checkpoint"], row["split"], row["n"], row["seed"]) for row in found.bounds] == [
        ("digits/vae", "test", 6, 1), ("digits/vae", "train", 6, 0), ("digits/vae", "test", 7, 0),
        ("digits/ddpm", "test", 6, 0),
    ]  # fmt: skip
    assert [row["stale"] for row in found.bounds] == ["", "", "", "It has changed."]
    alone = join("mnist", others, titles, {}, {})
    assert (found.points, found.costs) == (alone.points, alone.costs)
    lines, plain = (list(csv.DictReader(io.StringIO(table.as_csv(one)))) for one in (found, alone))
    assert len(lines) == len(plain) + 4 and [line["kind"] for line in lines].count("bound") == 4
    others = [{key: line[key] for key in plain[0]} for line in lines if line["kind"] != "bound"]
    assert others == plain, "the other lines are what they were"
    json.loads(table.as_json(found, "0", "today"))
    rows, plain = (table.table(one, METRICS, titles)["rows"] for one in (found, alone))
    assert [row for row in rows if row["kind"] != "bound"] == plain
