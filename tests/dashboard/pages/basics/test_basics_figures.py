"""What the page of basics says, against closed forms, quadrature, scipy, and bounds that are known to be exact."""

import math
import re

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from dashboard.pages.basics import chain, densities, derivation, divergences, joint, parametric, toy

PLACES = (-1.5, -0.4, 1.0, 4.0)


@pytest.mark.parametrize("x", PLACES)
def test_the_toys_likelihood_and_elbo_are_the_integrals(x):
    p, _ = integrate.quad(lambda z: stats.norm.pdf(x, z * z - 1, 0.5) * stats.norm.pdf(z), -6, 6, points=[-1, 0, 1])
    assert toy.likelihood(x) == pytest.approx(p, rel=1e-6)
    q = stats.norm(0.7, 0.4)
    value, _ = integrate.quad(
        lambda z: q.pdf(z) * (stats.norm.logpdf(x, z * z - 1, 0.5) + stats.norm.logpdf(z) - q.logpdf(z)), -3, 5
    )
    assert toy.elbo(x, 0.7, 0.4) == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("x", PLACES)
def test_the_best_q_is_where_a_search_ends_and_its_elbo_is_below(x):
    starts = [(mean, std) for mean in (0.0, 1.0, 2.0) for std in (-2.0, -0.5)]
    found = min(
        optimize.minimize(lambda at: -toy.elbo(x, at[0], math.exp(at[1])), at, method="Nelder-Mead").fun
        for at in starts
    )
    assert toy.elbo(x, *toy.best(x)) == pytest.approx(-found, abs=1e-6) and -found < math.log(toy.likelihood(x))


def test_the_marginal_is_a_density_and_draws_follow_it():
    xs = np.linspace(-4, 14, 721)
    p = np.array([toy.likelihood(x) for x in xs])
    assert np.trapezoid(p, xs) == pytest.approx(1, abs=1e-3)
    _, drawn = toy.draws(20_000)
    below = [(np.trapezoid(p[xs <= x], xs[xs <= x]), (drawn <= x).mean()) for x in (-1, 0, 1, 3)]
    assert all(abs(exact - seen) < 0.02 for exact, seen in below)


def test_the_divergences_are_integrals_and_least_where_it_is_said():
    weights = [weight for weight, _, _ in divergences.BUMPS]
    parts = [stats.norm(mean, std) for _, mean, std in divergences.BUMPS]
    p = lambda x: sum(weight * part.pdf(x) for weight, part in zip(weights, parts, strict=True))  # noqa: E731
    q = stats.norm(0.5, 1.2)
    exclusive, _ = integrate.quad(lambda x: q.pdf(x) * (q.logpdf(x) - math.log(p(x))), -6, 7)
    inclusive, _ = integrate.quad(lambda x: p(x) * (math.log(p(x)) - q.logpdf(x)), -7, 7, points=[-1.6, 1.8])
    assert divergences.divergences(0.5, 1.2) == pytest.approx((exclusive, inclusive), abs=1e-4)
    seeking, covering = divergences.argmins()
    mean = sum(weight * m for weight, m, _ in divergences.BUMPS)
    second = sum(weight * (s**2 + m**2) for weight, m, s in divergences.BUMPS)
    assert covering == pytest.approx((mean, math.sqrt(second - mean**2)), abs=1e-3), "moments are matched"
    assert seeking == pytest.approx(divergences.BUMPS[0][1:], abs=0.1), "it keeps to the heavier bump"
    for mean, std in ((0.5, 1.2), (-1.6, 0.6), (0, 2)):
        here = divergences.divergences(mean, std)
        assert all(here[i] >= divergences.divergences(*at)[i] for i, at in enumerate((seeking, covering)))


def test_every_line_of_the_derivation_holds_on_the_toy():
    values = [line.value for line in derivation.lines()]
    log_p = math.log(toy.likelihood(derivation.X))
    bound = toy.elbo(derivation.X, derivation.MEAN, derivation.STD)
    assert values[:5] == pytest.approx([log_p - bound] * 5, abs=1e-6)
    assert values[5:] == pytest.approx([log_p, bound, bound], abs=1e-6)
    assert derivation.shown(3).count("$$") == 6 and "**3.**" in derivation.shown(3)
    for line in derivation.lines():
        assert line.rule.endswith(".") and line.right.count("{") == line.right.count("}")


def test_maximum_likelihood_is_where_scipy_finds_it():
    assert parametric.best() == pytest.approx(stats.norm.fit(parametric.DATA))
    at = (0.3, 0.8)
    assert parametric.log_likelihood(*at) == pytest.approx(stats.norm(*at).logpdf(parametric.DATA).sum())
    top = parametric.log_likelihood(*parametric.best())
    for below in parametric.STEPS:
        left, right = parametric.ring(below)
        assert left and right
        assert [top - parametric.log_likelihood(*spot) for spot in (*left, *right)] == pytest.approx(
            [below] * len(left + right), abs=0.01
        )
    counts = np.array([*parametric.COUNTS.values()])
    p = parametric.probabilities([0.2, 0.1, 0.1])
    told = stats.multinomial(counts.sum(), p).logpmf(counts)  # which counts the orders too
    orders = math.lgamma(counts.sum() + 1) - sum(math.lgamma(count + 1) for count in counts)
    assert parametric.log_categorical(p) == pytest.approx(told - orders)
    assert parametric.log_categorical(counts / counts.sum()) > parametric.log_categorical(p)
    assert "−∞" in parametric.categorical_card([1, 1, 0]) and "0.33" not in parametric.categorical_card([0, 0, 0])[:400]


def test_the_chains_bound_is_exact_where_it_must_be_and_a_bound_on_the_toy():
    """With sigma^2 = beta it is log p for x_0 ~ N(0, 1) (Ho et al. 2020, section 3.2)."""
    exact = chain.Chain(np.exp(toy.log_normal(chain.X0, 0.0, 1.0)))
    for x in (-1.0, 0.0, 2.0):
        assert exact.elbo(x) == pytest.approx(stats.norm.logpdf(x), abs=1e-4)
    xs = np.linspace(-3.5, 10, 136)
    p = np.array([toy.likelihood(x) for x in xs])
    gap = p * (np.log(p) - [chain.of_toy().elbo(x) for x in xs])
    assert 0 < np.trapezoid(gap, xs) < 0.1, "its mean over the data is below the entropy, and near"


def test_what_each_family_says_is_counted_and_computed():
    vae, gan, diffusion = densities.sayings(0.5, 200)
    drawn = toy.draws(densities.MOST, 1)[1][:200]
    assert f"{(abs(drawn - 0.5) <= 0.25).sum()} of 200" in gan and "no p(x)" in gan
    assert float(re.search(r"≥ ([\d.]+),", vae)[1]) < toy.likelihood(0.5)
    assert "50 steps" in diffusion


def test_every_chart_is_drawn_at_both_ends_of_its_sliders():
    for mean, std in ((parametric.MEANS[0], parametric.STDS[0]), (parametric.MEANS[1], parametric.STDS[1])):
        cards = [parametric.normal_card(mean, std), parametric.hill(mean, std), divergences.card(mean, std)]
        assert all(card.count("<svg") == 2 and "nan" not in card for card in cards)
    for x in (joint.LOW, joint.HIGH):
        cards = [joint.cloud(x), joint.slice_at(x), joint.evidence(x), densities.card(x, 20)]
        assert all(card.count("<svg") == 2 and "nan" not in card for card in cards)
