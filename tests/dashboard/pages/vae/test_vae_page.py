"""An image's posterior, draws of it, its price, and the figures of the VAE page."""

import math
from dataclasses import replace
from threading import Event
from unittest import mock

import gradio as gr
import numpy as np
import pytest
import torch
from torch.distributions import Normal

from dashboard.pages.vae import elbo_figure, engine, importance_figure, page, posterior_figure, sharpness_figure
from dashboard.pages.vae.engine import Posteriors, noise
from dashboard.pages.vae.posterior_figure import Aggregate, Posterior
from dashboard.results.operating_points import join, knobs_key
from dashboard.service import InputError, Service, resolve_knobs
from dashboard.service.device import Waiting, finish
from dashboard.service.pixels import to_input
from dashboard.ui.run import in_line
from gencore import FAMILIES, checkpoint
from gencore.families.vae import VAE
from tests.support.invented import rows
from tests.support.leases import taken

NAME = "mnist/vae"


@pytest.fixture(scope="module")
def posteriors(tmp_path_factory):
    """A tiny untrained VAE and GAN."""
    root = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    for name in ("vae", "gan"):
        checkpoint.save_model(root / "mnist" / name, FAMILIES[name](size=8, widths=(8, 8)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GENCORE_CHECKPOINTS", str(root))
        yield Posteriors(Service())


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(0).integers(0, 256, (1, 8, 8), dtype=np.uint8)


# ---- densities


def test_the_aggregated_posterior_is_the_mean_of_the_normals_and_integrates_to_one():
    dice = np.random.default_rng(0)
    means, stds = dice.normal(0, 1.2, (300, 3)), dice.uniform(0.05, 0.4, (300, 3))
    places = posterior_figure.places(means, stds)
    found = posterior_figure.aggregated(places, means, stds)
    normals = Normal(torch.from_numpy(means)[..., None], torch.from_numpy(stds)[..., None])
    assert np.allclose(found, normals.log_prob(torch.from_numpy(places)).exp().mean(0).numpy())
    assert np.allclose(np.trapezoid(found, places, axis=1), 1, atol=2e-3)


def test_the_divergence_of_a_single_dimension_is_the_closed_form():
    places = np.linspace(-8, 8, 1601)
    density = posterior_figure.normal(places, 0.5, 0.8)[None]
    found = Aggregate(places, density, np.array([True]), np.array([1.0]), 1)
    assert posterior_figure.marginal_kl(found)[0] == pytest.approx(0.5 * (0.25 + 0.64 - 1) - math.log(0.8), abs=1e-4)


def test_the_fitted_prior_has_the_density_that_its_samples_have():
    model = VAE(size=8, widths=(8, 8), latent=3, components=4)
    torch.manual_seed(0)
    model.mixture_means.normal_()
    model.mixture_factors.copy_(torch.randn(4, 3, 3).tril())
    model.mixture_weights.copy_(torch.tensor([0.1, 0.2, 0.3, 0.4]))
    edges = torch.linspace(-8, 8, 33)
    middles = (edges[1:] + edges[:-1]) / 2
    z = model.latent(range(4000))
    counted = torch.stack([torch.histogram(column, edges).hist for column in z.T]) / (len(z) * 0.5)
    density = model.prior_density(middles)
    assert density.shape == (3, 32)
    assert torch.allclose(density.sum(1) * 0.5, torch.ones(3), atol=0.02)
    assert (density - counted).abs().max() < 0.06


# ---- one image


def test_what_has_no_encoder_is_left_out(posteriors):
    assert posteriors.checkpoints("mnist") == {NAME: "vae"}
    assert posteriors.check("mnist", NAME) == "vae"
    with pytest.raises(InputError, match="no checkpoint 'mnist/gan' that encodes"):
        posteriors.check("mnist", "mnist/gan")
    with pytest.raises(InputError, match="Train one"):
        posteriors.check("elsewhere", "")


def test_draws_are_mu_plus_sigma_times_eps(posteriors, image):
    found = finish(posteriors.posterior(NAME, image))
    eps = noise(7, 4000, len(found.mean)).double().numpy()
    z = found.mean + found.std * eps
    assert np.allclose(z.mean(0), found.mean, atol=4 * found.std.max() / math.sqrt(len(z)))
    assert np.allclose(z.std(0), found.std, rtol=0.06)
    assert np.array_equal(noise(7, 3, 5), noise(7, 9, 5)[:3]), "a draw does not depend on how many there are"


def test_with_sigma_times_zero_all_images_are_the_mean(posteriors, image):
    still, moved = (finish(posteriors.draws(NAME, image, 42, scale)) for scale in (0, 2))
    assert (still.images == still.centre).all()
    assert still.between_z == still.between_images == still.spread.max() == 0
    assert moved.between_z > 0 and moved.between_images > 0 and not (moved.images == moved.centre).all()
    again = finish(posteriors.draws(NAME, image, "42", 2))
    assert np.array_equal(again.images, moved.images)
    assert not np.array_equal(finish(posteriors.draws(NAME, image, 43, 2)).images, moved.images)


@pytest.mark.parametrize(
    ("seed", "scale", "words"),
    [
        ("many", 1, "A seed must be"),
        (-1, 1, "A seed must be"),
        (1, 11, "The scale of σ"),
        (1, "wide", "The scale of σ"),
    ],
)
def test_bad_input_is_one_sentence(posteriors, image, seed, scale, words):
    with pytest.raises(InputError, match=words):
        finish(posteriors.draws(NAME, image, seed, scale))


def test_an_image_of_another_size_is_refused_and_the_device_is_free_again(posteriors):
    with pytest.raises(InputError, match="28 × 28 pixels with 1 channel, but the model is made for 8 × 8"):
        finish(posteriors.posterior(NAME, np.zeros((1, 28, 28), np.uint8)))
    assert not posteriors.service.device.busy


def test_who_waits_on_the_page_is_told_how_many_are_ahead(posteriors, image, monkeypatch):
    monkeypatch.setattr(posteriors.service.device, "line_silence", 600.0)  # whoever waits here asks only once
    visitor = mock.Mock(session_hash="visitor")
    with gr.Blocks(), gr.Tabs(), gr.Tab("x"):
        mine = page.Inside(posteriors.service)
    with taken(posteriors.service.device):
        seeing = mine.see(visitor, image, "mnist", NAME, page.FEW, 1, "42", 1, "42", None)
        moving = mine.move_noise(visitor, image, "mnist", NAME, 1, "43")
        sampling = mine.sample(visitor, "mnist", NAME, "42", "coverage", *(one.value for one in mine.knobs.inputs))
        assert all("busy, " in next(told)[mine.draws]["words"] for told in (seeing, moving))
        assert in_line(Waiting(3)) in next(sampling)[mine.samples]["words"]
        mine.noise_looks.leave(visitor)
        assert [*moving] == [gr.skip()], "one that has gone is not painted for"
    painted = {key for updates in seeing for key in updates}
    assert {mine.bells, mine.draws, mine.elbo} <= painted, "it goes on when the device is free"
    sampling.close()


def test_the_price_adds_up_to_minus_the_bound(posteriors, image):
    found = finish(posteriors.price(NAME, image, "this image"))
    model = posteriors.service.model(NAME)
    x = torch.from_numpy(image)[None].float().expand(16, -1, -1, -1) / 127.5 - 1
    with torch.no_grad():
        terms = model.bound(x, torch.Generator().manual_seed(0))
    assert found.total == pytest.approx(-terms["elbo"].mean().item(), rel=1e-5)
    assert found.terms["kl"] == pytest.approx(terms["kl"].mean().item(), rel=1e-5)
    assert found.low < found.total < found.high
    cheap, dear = finish(posteriors.extremes(NAME, np.stack([image, 255 - image, image // 2])))
    assert {cheap, dear} <= {0, 1, 2} and cheap != dear


def test_the_bounds_of_more_draws_are_the_same_weights_and_rise(posteriors, image):
    *_, found = posteriors.weighed(NAME, image, Event())
    assert [len(values) for values in found.values()] == [1000 // k for k in found] and [*found][-1] == 1000
    assert found[1000][0] == pytest.approx(np.logaddexp.reduce(found[1]) - math.log(1000))
    means = [values.mean() for values in found.values()]
    assert means == sorted(means)
    x = to_input(np.repeat(image[None], 500, axis=0), posteriors.service.model(NAME))
    elbo = posteriors.service.model(NAME).bound(x, torch.Generator().manual_seed(5))["elbo"]
    error = math.hypot(elbo.std().item() / 500**0.5, found[1].std() / 1000**0.5)
    assert abs(elbo.mean().item() - means[0]) < 4 * error
    card = importance_figure.card("vae", found, 1000)
    assert f"{means[-1] - means[0]:.1f} nats nearer" in card and "1,000 draws" in card
    assert math.isnan(importance_figure.interval(found[500])) and importance_figure.interval(found[1]) > 0
    stop = Event()
    stop.set()
    assert not [*posteriors.weighed(NAME, image, stop)]


def test_draws_of_x_are_the_decoders_mean_and_its_deviation(posteriors, image):
    found = finish(posteriors.likely(NAME, image, 3, 1))
    model = posteriors.service.model(NAME)
    mean, std = model.likelihood(model.encode(to_input(image[None].copy(), model))[0])
    assert (found.std == std.numpy()).all() and found.images.shape == (engine.LIKELY, 1, 8, 8)
    assert (finish(posteriors.likely(NAME, image, 3, 0)).images == found.mean).all()
    assert (finish(posteriors.likely(NAME, image, 3, 1)).images == found.images).all()
    gap = to_input(image[None].copy(), model) - mean
    assert found.error == pytest.approx(gap.square().mean().sqrt().item(), rel=1e-5)
    words = page.painted_likely(found, image)["words"]
    assert f"{model.sigma.item():.3f}" in words and "flat" in words
    varied = replace(found, std=np.linspace(0.1, 0.3, 64).reshape(8, 8))
    assert "from 0.100 to 0.300" in page.painted_likely(varied, image)["words"]


def test_without_encodings_the_command_that_makes_them_is_said(posteriors, image):
    with pytest.raises(InputError, match="python -m gencore latents mnist/vae"):
        finish(posteriors.aggregate(NAME))
    markup = posterior_figure.card("vae", finish(posteriors.posterior(NAME, image)), None, missing="Make them.")
    assert "Make them." in markup and "bell-all" not in markup and "bell-mine" in markup


# ---- figures


def test_the_bells_are_drawn_strongest_first_and_all_on_demand():
    d = 8
    places = np.linspace(-5, 5, posterior_figure.PLACES)
    density = np.stack([posterior_figure.normal(places, 0, 1)] * d)
    used = np.arange(d) < 5
    found = Aggregate(places, density, used, np.arange(d, dtype=float), 2000, fitted=density)
    posterior = Posterior(np.linspace(-1, 1, d), np.full(d, 0.05), np.full(d, 2.0))
    few, every = (posterior_figure.card("vae", posterior, found, every) for every in (False, True))
    assert few.count("bell-mine") == 2 * (posterior_figure.FEW + 1) and every.count("bell-mine") == 2 * (
        d + 1
    )  # and the legend
    assert few.index(">z₈<") < few.index(">z₇<") and ">z₁<" not in few
    assert "KL of this image: 16.0 nats; on average 28.0. 5 of 8 dimensions are used" in few
    assert f"by {28 - math.log(2000):.1f} at least" in few


def test_a_bound_row_becomes_a_price_with_the_signs_turned():
    def nats(mean):
        return {"nats": {"mean": mean, "low": mean - 2, "high": mean + 2}}

    terms = {"log_likelihood": nats(-1400.0), "kl": nats(60.0), "elbo": nats(-1460.0)}
    found = elbo_figure.of_row({"terms": terms, "n": 1000, "split": "test"})
    assert found.terms == {"log_likelihood": 1400.0, "kl": 60.0}
    assert (found.total, found.low, found.high) == (1460.0, 1458.0, 1462.0)
    markup = elbo_figure.card("vae", [found, found], 784, "None yet: python -m gencore bound mnist/vae")
    assert "log p(x) ≥ −1,400.0 − 60.0 = −1,460.0 nats" in markup
    assert f"{1460 / 784 / math.log(2):.2f} bits" in markup
    assert "python -m gencore bound mnist/vae" in markup


def test_of_several_bound_rows_the_one_of_most_test_images_is_shown():
    def row(n, split="test", stale="", checkpoint=NAME):
        return {"checkpoint": checkpoint, "n": n, "split": split, "stale": stale}

    rows = [row(10), row(1000), row(9000, stale="Changed."), row(8000, "train"), row(7000, checkpoint="mnist/other")]
    assert elbo_figure.best(rows, NAME) == rows[1]
    assert elbo_figure.best(rows[2:], NAME) is None


@pytest.fixture(scope="module")
def measured():
    kind = FAMILIES["vae"]
    orders = {"vae": [knobs_key(resolve_knobs(kind.knobs, point.knobs)) for point in kind.points]}
    return join("mnist", rows({NAME: kind}, {NAME: "0" * 16}), {"vae": "VAE"}, orders, {})


def test_the_nearest_measured_setting_is_marked(measured):
    knobs = FAMILIES["vae"].knobs

    def card(**given):
        return sharpness_figure.card(measured, NAME, knobs, resolve_knobs(knobs, given), "coverage", "Measure.")

    assert "Measured at this setting, fitted prior, temperature 0.8:" in card(temperature=0.8)
    assert "The nearest measured setting, fitted prior, temperature 0.8:" in card(temperature=0.77)
    assert "The nearest measured setting, prior N(0, I), temperature 0.6:" in card(prior="normal", temperature=0.1)
    assert card().count('class="spot current"') == 2, "one in each drawing"
    assert "from temperature 0.4 to 1.2, coverage from" in card()
    assert "Measure." in sharpness_figure.card(
        measured, "mnist/other", knobs, resolve_knobs(knobs, {}), "coverage", "Measure."
    )
