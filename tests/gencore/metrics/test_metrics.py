"""The metrics against other libraries, closed forms and known answers."""

import math
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg
import torch
from scipy.ndimage import gaussian_filter
from scipy.spatial.distance import cdist, pdist
from scipy.stats import ttest_1samp
from sklearn.neighbors import NearestNeighbors
from torch import nn

from gencore.data import load_images
from gencore.errors import InputError
from gencore.metrics import (
    METRICS,
    KernelReference,
    distances,
    interval,
    metrics_of,
    nearest,
    neighbours,
    prdc,
    radial_spectrum,
    scores,
    sharpness_of_spectra,
)

FOUR = ("precision", "recall", "density", "coverage")
ON_FEATURES = [key for key, metric in METRICS.items() if metric.needs == "features"]


def normal(n, d, seed, scale=1.0, shift=0.0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed)) * scale + shift


def digits():
    """Pixels in [0, 1], (1350, 64): of few values, so that distances are often equal, and some that never vary."""
    return load_images("digits").x.flatten(1).float() / 255


def close(found, expected):
    assert found == pytest.approx(float(expected), rel=1e-4, abs=1e-6)


SETS = {
    "normal": lambda: (normal(400, 16, 0), normal(400, 16, 1, 0.9, 0.1)),
    "more fake than real": lambda: (normal(300, 8, 2), normal(700, 8, 3, 1.1)),
    "far from the origin": lambda: (normal(300, 8, 4, shift=1000.0), normal(300, 8, 5, shift=1000.2)),
    "heavy tails": lambda: (normal(400, 12, 6) ** 3, normal(400, 12, 7) ** 3),
    "more rows than lanes": lambda: (normal(1500, 6, 8), normal(1501, 6, 9, 0.7)),
    "digits": lambda: (digits()[:650], digits()[650:1300]),
    "digits and noise on them": lambda: (digits()[:650], digits()[650:1300] + normal(650, 64, 10, 0.1)),
    "a collapsed set": lambda: (normal(400, 16, 11), normal(40, 16, 12).repeat(10, 1) + normal(400, 16, 13, 1e-3)),
}


@pytest.fixture(params=SETS)
def pair(request):
    return SETS[request.param]()


# ---- other libraries


def test_prdc_is_that_of_the_papers_library(pair):
    from prdc import compute_prdc

    expected = compute_prdc(*(rows.double().numpy() for rows in pair), nearest_k=5)
    found = prdc(*pair)
    for key in FOUR:
        close(found[key], expected[key])
        assert METRICS[key](*pair) == found[key]


def test_prdc_with_more_neighbours_than_lanes():
    from prdc import compute_prdc

    real, fake = normal(1100, 4, 0), normal(1050, 4, 1, 1.1)
    expected = compute_prdc(real.double().numpy(), fake.double().numpy(), nearest_k=300)
    found = prdc(real, fake, 300)
    for key in FOUR:
        close(found[key], expected[key])


class Given(nn.Module):
    """Passes features through where torchmetrics has its extractor."""

    def __init__(self, d):
        super().__init__()
        self.num_features = d

    def forward(self, x):
        return x


def test_frechet_distance_is_torchmetrics(pair):
    from torchmetrics.image.fid import FrechetInceptionDistance

    real, fake = (rows.double() for rows in pair)
    fid = FrechetInceptionDistance(feature=Given(real.shape[1])).set_dtype(torch.float64)
    fid.update(real, real=True)
    fid.update(fake, real=False)
    # Where pixels never vary the eigenvalues there are rounding errors: it takes the root of each, 1e-6 or less in all.
    assert METRICS["fd"](*pair) == pytest.approx(fid.compute().item(), rel=1e-4, abs=2e-6)


def test_kid_is_torchmetrics_with_one_subset_of_all(pair):
    from torchmetrics.image.kid import KernelInceptionDistance

    n = min(map(len, pair))
    real, fake = (rows[:n].double() for rows in pair)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it keeps all features
        kid = KernelInceptionDistance(feature=Given(real.shape[1]), subsets=1, subset_size=n)
    kid.update(real, real=True)
    kid.update(fake, real=False)
    close(METRICS["kid"](real, fake), kid.compute()[0])


def test_vendi_ratio_is_the_papers_library_on_features_less_the_real_mean(pair):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that SciPy moved
        from vendi_score import vendi

        real, fake = ((rows.double() - pair[0].double().mean(0)).numpy() for rows in pair)
        found = METRICS["vendi_ratio"](*pair)
        close(found, vendi.score_X(fake) / vendi.score_X(real))
        close(found, vendi.score_dual(fake) / vendi.score_dual(real))


def test_pairwise_ratio_is_scipys(pair):
    real, fake = (pdist(rows.double().numpy()).mean() for rows in pair)
    close(METRICS["pairwise_ratio"](*pair), fake / real)


def test_nearest_is_sklearns(pair):
    real, fake = pair
    distances_, index = NearestNeighbors(n_neighbors=2).fit(real.numpy()).kneighbors(fake.numpy())
    found, where = nearest(fake, real)
    assert np.allclose(found, distances_[:, 0], rtol=1e-5)
    clear = distances_[:, 1] > distances_[:, 0] * (1 + 1e-5)
    assert (where.numpy() == index[:, 0])[clear].all()
    others, where = nearest(fake, fake, exclude_self=True)
    table = cdist(fake.double().numpy(), fake.double().numpy())
    np.fill_diagonal(table, np.inf)
    assert np.allclose(others, table.min(1), rtol=1e-5)
    assert (where != torch.arange(len(fake))).all()


@pytest.mark.parametrize("values", [[1.0, 2.0], [0.3, 0.1, 0.2], [5.0, 4.0, 4.5, 5.5, 6.0], list(range(30))])
def test_interval_is_scipys(values):
    low, high = ttest_1samp(values, 0).confidence_interval(0.95)
    assert interval(values) == pytest.approx((np.mean(values), low, high))


def test_interval_of_equal_values_and_of_one():
    assert interval([2.0, 2.0, 2.0]) == (2.0, 2.0, 2.0)
    assert interval([2.0]) == (2.0, -math.inf, math.inf)
    for values in ([], [1.0, math.nan]):
        with pytest.raises(InputError, match="finite values"):
            interval(values)


# ---- closed forms


def test_frechet_distance_of_two_normals_in_closed_form():
    a, b, gap = np.array([4.0, 1.0, 0.25]), np.array([1.0, 9.0, 0.25]), np.array([1.0, 0.0, -2.0])
    expected = np.square(np.sqrt(a) - np.sqrt(b)).sum() + 5
    turn = np.linalg.qr(normal(3, 3, 0).double().numpy()).Q
    turned = turn @ np.diag(a) @ turn.T, turn @ np.diag(b) @ turn.T
    assert distances.frechet(gap, turned[0], 0 * gap, turned[1]) == pytest.approx(expected, rel=1e-12)
    lower = [np.tril(each) for each in turned]
    assert distances.frechet(gap, lower[0], 0 * gap, lower[1]) == pytest.approx(expected, rel=1e-12)
    thin, b = np.diag([4.0, 0.0, 0.0]), np.diag(b)  # not of full rank
    assert distances.frechet(gap, thin, 0 * gap, b) == pytest.approx(5 + 1 + 9.25, rel=1e-12)
    assert distances.frechet(gap, 0 * thin, 0 * gap, b) == pytest.approx(5 + 10.25, rel=1e-12)
    flat = np.tril(turn[:, :2] @ np.diag([4.0, 1.0]) @ turn[:, :2].T)
    found, mirrored = distances.frechet(gap, flat, 0 * gap, lower[1]), distances.frechet(gap, lower[1], 0 * gap, flat)
    assert found == pytest.approx(mirrored, rel=1e-12)


def low_rank(d, rank, seed, scale=1.0):
    """A covariance (d, d) of a rank, and its factor, both exact to rounding."""
    turn = np.linalg.qr(normal(d, d, seed).double().numpy()).Q
    factor = scale * turn[:, :rank] * np.geomspace(1, 1e-3, rank)
    return factor @ factor.T, factor


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("ranks", [(20, 20), (20, 7), (7, 5), (19, 20), (1, 1), (0, 5)])
def test_the_root_knows_the_rank(ranks, scale):
    """tr (A B)^1/2 is the sum of the singular values of F_a^T F_b: no root of an eigenvalue that is rounding."""
    (a, f), (b, g) = (low_rank(20, rank, seed, scale) for seed, rank in enumerate(ranks))
    expected = np.linalg.svd(f.T @ g, compute_uv=False).sum() if min(ranks) else 0.0
    assert distances.root_trace(a, b) == pytest.approx(expected, rel=1e-9, abs=1e-12 * scale**2)
    mean = np.arange(20.0)
    assert distances.frechet(mean, a, 0 * mean, b) == distances.frechet(0 * mean, b, mean, a)


@pytest.mark.parametrize("count", [4, 12, 30])
def test_frechet_distance_of_few_rows_is_scipys_in_both_orders(count):
    """Of 4 rows in 20 dimensions the covariance has rank 3."""
    few, many = normal(count, 20, 0).double(), normal(300, 20, 1, 1.5, 0.3).double()
    root = scipy.linalg.sqrtm(torch.cov(few.T).numpy() @ torch.cov(many.T).numpy()).real
    gap = (few.mean(0) - many.mean(0)).square().sum() + torch.cov(few.T).trace() + torch.cov(many.T).trace()
    found = distances.frechet_distance(few, many)
    assert found == distances.frechet_distance(many, few)
    assert found == pytest.approx(gap.item() - 2 * np.trace(root), rel=1e-6)  # what sqrtm itself loses to rounding
    factor = (few - few.mean(0)).T.numpy() / np.sqrt(count - 1)
    exact = np.sqrt(np.linalg.eigvalsh(factor.T @ torch.cov(many.T).numpy() @ factor).clip(0))[1:].sum()
    rank = min(count - 1, 20)
    singular = np.linalg.svd(factor.T @ np.linalg.cholesky(torch.cov(many.T).numpy()), compute_uv=False)[:rank].sum()
    assert found == pytest.approx(gap.item() - 2 * singular, rel=1e-12) and exact == pytest.approx(singular, rel=1e-6)


@pytest.mark.parametrize("n", [50, 500, 2 * distances.ROWS + 3])
def test_moments_are_the_mean_and_the_lower_half_of_the_covariance(n):
    rows = normal(n, 37, 0, 3.0, 100.0)
    mean, cov = distances.moments(rows)
    assert np.allclose(mean, rows.double().mean(0)) and np.allclose(cov, torch.cov(rows.double().T).tril())


def test_frechet_distance_extrapolated_is_without_bias():
    """Means over eight draws: at N = 960 and d = 8 the plain distance is some 0.05 too high."""
    truth = 8 * (1 - 0.8) ** 2 + 8 * 0.1**2
    plain, extrapolated = [], []
    for seed in range(8):
        sets = normal(960, 8, 2 * seed), normal(960, 8, 2 * seed + 1, 0.8, 0.1)
        plain.append(METRICS["fd"](*sets))
        extrapolated.append(METRICS["fd_infinity"](*sets))
    _, low, high = interval(extrapolated)
    assert low < truth < high
    assert interval(plain)[1] > truth


def test_kid_has_no_bias_and_may_be_negative():
    """Disjoint halves of one set: the interval of its mean holds 0, and some values are below it."""
    rows = digits()
    values = []
    for seed in range(20):
        order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed))
        values.append(METRICS["kid"](rows[order[:675]], rows[order[675:]]))
    _, low, high = interval(values)
    assert low < 0 < high
    assert min(values) < 0


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.4), (1.3, 0.0), (0.5, 1.0), (1.0, 0.0)])
def test_the_scatter_over_references_is_that_of_many_references(scale, shift):
    """One set of fake rows, and 800 real sets of a known distribution, in the last case that of the fake rows too."""
    fake = normal(150, 3, 0, scale, shift)
    references = [KernelReference(normal(150, 3, 1 + seed)) for seed in range(800)]
    found = [one.distance(fake) for one in references]
    scatter = np.std([value for value, _ in found], ddof=1)
    told = [one.scatter(parts) for one, (_, parts) in zip(references, found, strict=True)]
    assert np.sqrt(np.mean(np.square(told))) == pytest.approx(scatter, rel=0.08)
    assert np.quantile(told, [0.1, 0.9]) == pytest.approx(scatter, rel=0.5), "nor does a single one err by much"


def test_the_scatter_over_references_in_closed_form():
    """Real rows of four values, equally often, so that every expectation is a sum of four terms."""
    values, fake = normal(4, 2, 0).double(), normal(60, 2, 1, 1.2).double()
    k = lambda x, y: (x @ y.T / 2 + 1) ** 3  # noqa: E731 - as the paper writes it
    own = k(values, values)
    rest = (own - own.mean(0) - own.mean(1, keepdim=True) + own.mean()).square().mean().item()
    for n, other in ((400, fake), (400, values)):  # the second: equal distributions, where the rest is all there is
        parts = own.mean(1) - k(values, other).mean(1)
        wanted = math.sqrt(4 / n * parts.var(correction=0).item() + 2 / n**2 * rest)
        reference = KernelReference(values.repeat(n // 4, 1))
        assert reference.scatter(parts.repeat(n // 4)) == pytest.approx(wanted, rel=0.02)


def test_a_kernel_reference_gives_the_kid(pair):
    real, fake = pair
    value, parts = KernelReference(real).distance(fake)
    assert value == METRICS["kid"](real, fake) and parts.shape == (len(real),) and parts.dtype == torch.float64


def test_power_of_a_spectrum_is_that_of_the_windowed_pixels():
    images = load_images("digits").x[:50]
    x = images.double() / 255
    window = np.outer(np.hanning(10)[1:-1], np.hanning(10)[1:-1])
    x = (x - x.mean((2, 3), keepdim=True)) * torch.from_numpy(window)
    spectra = radial_spectrum(images)
    assert spectra.shape == (50, round(8 / math.sqrt(2)) + 1) and spectra.dtype == torch.float32
    assert torch.allclose(spectra.double().sum(1), x.square().sum((1, 2, 3)), rtol=1e-5)


@pytest.mark.parametrize(("frequency", "ring"), [((0, 4), 4), ((7, 0), 7), ((6, 8), 10), ((14, 14), 20)])
def test_a_wave_has_its_power_in_its_ring(frequency, ring):
    y, x = torch.meshgrid(torch.arange(28), torch.arange(28), indexing="ij")
    wave = torch.cos(2 * math.pi * (frequency[0] * y + frequency[1] * x) / 28)
    power = radial_spectrum((127.5 + 100 * wave).round().byte()[None, None])[0]
    assert power.argmax() == ring
    assert power[max(0, ring - 2) : ring + 3].sum() > 0.99 * power.sum()


def test_a_spectrum_does_not_depend_on_the_other_images():
    images = load_images("digits").x[:40].repeat(1, 3, 1, 1)
    assert torch.equal(radial_spectrum(images)[7], radial_spectrum(images[7:8])[0])


# ---- known answers


def test_ten_real_rows_repeated():
    """All among the real ones, and next to nothing of these is covered: the rows that have one of the ten nearby."""
    real = digits()[:1300]
    found = prdc(real, real[:10].repeat(130, 1))
    assert found["precision"] == 1
    assert found["recall"] <= 0.01
    assert found["coverage"] == pytest.approx(10 * 6 / 1300, rel=0.35)
    assert METRICS["vendi_ratio"](real, real[:10].repeat(130, 1)) < 0.5


def test_noise_covers_nothing():
    real = digits()[:800]
    noise = torch.rand(800, 64, generator=torch.Generator().manual_seed(0))
    assert METRICS["coverage"](real, noise) < 0.02
    assert METRICS["precision"](real, noise) < 0.02


@pytest.mark.parametrize("rows", [digits, lambda: normal(2000, 20, 0), lambda: normal(700, 3, 1, 1e-4, 50.0)])
def test_identical_sets(rows):
    rows = rows()
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))
    for fake in (rows, rows[order]):
        assert METRICS["fd"](rows, fake) == pytest.approx(0, abs=1e-6)
        assert METRICS["vendi_ratio"](rows, fake) == pytest.approx(1)
        assert METRICS["pairwise_ratio"](rows, fake) == pytest.approx(1)
        found = prdc(rows, fake)
        assert {found[key] for key in ("precision", "recall", "coverage")} == {1}
        assert found["density"] == pytest.approx(1, abs=0.05)  # less where several rows are equally far


def test_density_of_identical_sets_without_ties():
    assert prdc(*[normal(2000, 20, 0)] * 2)["density"] == 1


def test_same_distribution_sits_on_the_baseline():
    real, fake = normal(2000, 10, 0), normal(2000, 10, 1)
    assert METRICS["coverage"](real, fake) == pytest.approx(0.97, abs=0.01)
    assert METRICS["density"](real, fake) == pytest.approx(1, abs=0.05)
    assert METRICS["fd"](real, fake) == pytest.approx((2 * 10 + 10 * 11 / 2) / 2000, rel=0.4)
    assert METRICS["precision"](real, fake) == pytest.approx(METRICS["recall"](real, fake), abs=0.03)


def test_what_is_lost_shows_where_it_should():
    """Half of the modes: recall and coverage fall, precision does not. Spread too wide: precision falls."""
    modes = 8 * nn.functional.one_hot(torch.arange(1000) % 4, 4).float()
    real, half = modes + normal(1000, 4, 0), modes[torch.arange(1000) % 4 < 2].repeat(2, 1) + normal(1000, 4, 1)
    found = prdc(real, half)
    assert found["precision"] > 0.9 and found["recall"] < 0.55 and found["coverage"] < 0.55
    wide = prdc(real, modes + normal(1000, 4, 2, 3.0))
    assert wide["precision"] < 0.6 and wide["recall"] > 0.9


def test_vendi_score_of_a_collapsed_set_is_low_though_its_own_mean_would_hide_it():
    real = normal(1000, 16, 0)
    collapsed = normal(1000, 16, 1, 0.01, 2.0)
    assert METRICS["vendi_ratio"](real, collapsed) < 0.1
    own = METRICS["vendi_ratio"](real - real.mean(0), collapsed - collapsed.mean(0))
    assert own == pytest.approx(1, abs=0.05)


def blurred(images, sigma):
    return torch.from_numpy(gaussian_filter(images.numpy(), (0, 0, sigma, sigma)))


def test_sharpness_falls_with_blur_and_rises_with_noise():
    images = load_images("digits").x
    real, fake = images[:675], images[675:]
    sharpness = METRICS["sharpness"]
    assert sharpness(real, real) == 1
    assert sharpness(real, fake) == pytest.approx(1, abs=0.05)
    values = [sharpness(real, blurred(fake, sigma)) for sigma in (0, 0.4, 0.6, 1.0)]
    assert values == sorted(values, reverse=True) and values[-1] < 0.5
    noise = normal(fake.numel(), 1, 0).view(fake.shape)
    grey = [(part // 2).float() + 64 for part in (real, fake)]  # with room for noise: clipped, it would cost contrast
    values = [sharpness(grey[0].byte(), (grey[1] + s * noise).clamp(0, 255).byte()) for s in (0, 10, 20, 40)]
    assert values == sorted(values) and values[-1] > 1.3
    assert sharpness(real, torch.zeros_like(fake)) == 0


def test_classes():
    labels = torch.arange(1000) % 10
    real = nn.functional.one_hot(labels, 10).float() * 0.9 + 0.01
    features = normal(1000, 4, 0)
    given = {key: METRICS[key] for key in ("class_balance", "missing_modes", "confidence")}
    same = {key: metric(features, features, (real, real)) for key, metric in given.items()}
    assert same == {"class_balance": 0, "missing_modes": 0, "confidence": 1}
    three = real[labels < 3][:300].repeat(4, 1)[:1000]  # three of ten classes, in equal parts
    found = {key: metric(features, features, (real, three)) for key, metric in given.items()}
    assert found["class_balance"] == pytest.approx(0.7, abs=0.01) and found["missing_modes"] == 7
    unsure = torch.full((1000, 10), 0.1)
    assert METRICS["confidence"](features, features, (real, unsure)) == pytest.approx(0.1 / 0.91)
    nine = torch.cat([real[labels == 0][:9], real[labels > 0], real[labels == 1][:91]])  # 9 of 1000, less than 1%
    assert METRICS["missing_modes"](features, features, (real, nine)) == 1
    ten = torch.cat([real[labels == 0][:10], real[labels > 0], real[labels == 1][:90]])
    assert METRICS["missing_modes"](features, features, (real, ten)) == 0


def test_authenticity_finds_copies():
    train, real, fresh = normal(600, 6, 0), normal(300, 6, 1), normal(300, 6, 2)
    authenticity = METRICS["authenticity"]
    table = cdist(fresh.double().numpy(), train.double().numpy())
    among = cdist(train.double().numpy(), train.double().numpy())
    np.fill_diagonal(among, np.inf)
    expected = (table.min(1) > among.min(1)[table.argmin(1)]).mean()
    assert authenticity(real, fresh, train) == pytest.approx(expected)
    assert 0.3 < expected < 0.7
    assert authenticity(real, train[:300], train) == 0
    assert authenticity(real, train[:300] + 1e-3, train) < 0.02
    assert authenticity(real, torch.cat([train[:5]] * 2), torch.cat([train, train[:5]])) == 0  # copies of twins
    assert authenticity(real, fresh + 50, train) == 1
    gaps = nearest(train, train, exclude_self=True)[0]
    assert scores(real, fresh, train=train, train_gaps=gaps, keys=["authenticity"]) == ({"authenticity": expected}, {})


def test_constant_features():
    """No scale to measure by, or a plain answer; never NaN."""
    real, constant = normal(300, 4, 0), torch.ones(300, 4)
    found = prdc(real, constant)
    assert found["recall"] == 0 and found["coverage"] < 0.2
    assert prdc(constant, constant) == dict.fromkeys(FOUR, 0)  # nothing is nearer than 0
    assert METRICS["fd"](constant, constant) == 0
    assert METRICS["fd"](constant, constant + 1) == pytest.approx(4)
    assert METRICS["kid"](constant, constant) == pytest.approx(0, abs=1e-9)
    assert METRICS["vendi_ratio"](constant, constant) == 1
    assert METRICS["pairwise_ratio"](real, constant) == pytest.approx(0, abs=1e-6)
    with pytest.raises(InputError, match="the real data do not vary"):
        METRICS["pairwise_ratio"](constant, real)
    blank = torch.zeros(4, 1, 8, 8, dtype=torch.uint8)
    with pytest.raises(InputError, match="the real data do not vary"):
        METRICS["sharpness"](blank, blank)
    values, left_out = scores(constant, real, spectra=(radial_spectrum(blank[:1].expand(300, -1, -1, -1)),) * 2)
    assert all(map(math.isfinite, values.values()))
    assert set(left_out) > {"pairwise_ratio", "sharpness"}


# ---- what must not matter


@pytest.mark.parametrize("key", ON_FEATURES)
def test_order_of_rows_does_not_matter(key):
    real, fake = SETS["normal"]()
    order = torch.randperm(400, generator=torch.Generator().manual_seed(0))
    if key == "fd_infinity":  # other rows make up its parts
        real, fake = normal(480, 16, 0), normal(480, 16, 1)
        order = torch.arange(480).view(-1, 3).flip(0).flatten()  # as its parts have it
    assert METRICS[key](real[order], fake[order]) == pytest.approx(METRICS[key](real, fake), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("key", ON_FEATURES)
def test_the_number_format_does_not_matter(key, dtype):
    real, fake = (normal(320, 8, seed, 0.9).to(dtype) for seed in (0, 1))
    assert METRICS[key](real, fake) == METRICS[key](real.double(), fake.double())


def test_blocks_do_not_matter(monkeypatch):
    real, fake = normal(1300, 5, 0), normal(1211, 5, 1, 0.8)
    whole = [METRICS[key](real, fake) for key in ON_FEATURES]
    monkeypatch.setattr(neighbours, "PAIRS", 7000)
    monkeypatch.setattr(distances, "BLOCK", 7000)
    monkeypatch.setattr(distances, "ROWS", 100)
    assert [METRICS[key](real, fake) for key in ON_FEATURES] == pytest.approx(whole, rel=1e-9)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="there is no /proc to read what memory is held from")
@pytest.mark.parametrize("table", [False, True])
def test_no_table_of_all_pairs_is_held(table):
    """10,000 x 10,000 distances would be 400 MB even in float32: a process that may hold 200 MB more does without.

    The limit is of what the process itself holds. Its resident memory counts pages of the libraries, too, of which the
    system maps some hundred MB at once when it likes.
    """
    script = f"""
import resource, torch
from gencore.metrics import METRICS
torch.set_num_threads(1)
real, fake = torch.randn(10000, 8), torch.randn(10000, 8)
keys = "coverage", "kid", "pairwise_ratio"
for key in keys:  # what is imported and set up at a first call is no table
    METRICS[key](real[:100], fake[:100])
held = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmData")) * 1024
resource.setrlimit(resource.RLIMIT_DATA, (held + 200_000_000,) * 2)
for key in keys:
    METRICS[key](real, fake)
{"torch.ones(10000, 10000)" if table else ""}
"""
    done = subprocess.run([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == table, done.stderr
    assert not table or "can't allocate memory" in done.stderr, done.stderr


# ---- bad input


GOOD = normal(200, 4, 0)
ROW = torch.full((200, 4), 0.25)


@pytest.mark.parametrize(
    ("fake", "words"),
    [
        (GOOD[:, :3], "have 4 dimensions, the fake ones 3"),
        (GOOD.index_fill(0, torch.tensor([7]), math.nan), "hold NaN or infinity, first in row 7"),
        (GOOD.index_fill(0, torch.tensor([0]), math.inf), "hold NaN or infinity, first in row 0"),
        (GOOD.long(), "must be a floating-point tensor of shape .*, not int64 of shape"),
        (GOOD[0], "must be a floating-point tensor of shape .*, not float32 of shape"),
        (GOOD.numpy(), "must be a floating-point tensor of shape .*, not ndarray"),
        (GOOD[:0], "are empty"),
    ],
)
@pytest.mark.parametrize("key", ["kid", "coverage"])
def test_bad_features_are_refused_in_one_sentence(key, fake, words):
    for call in (METRICS[key], scores):
        with pytest.raises(InputError, match=words) as refused:
            call(GOOD, fake)
        assert str(refused.value).count(". ") == 0


@pytest.mark.parametrize("key", ON_FEATURES)
def test_too_few_rows_are_refused(key):
    metric = METRICS[key]
    least = metric.least(8)
    metric(normal(least, 8, 0), normal(least, 8, 1))
    with pytest.raises(InputError, match=f"needs {least} rows or more of each set.*; there are {least - 1}"):
        metric(normal(least, 8, 0), normal(least - 1, 8, 1))
    _, left_out = scores(normal(least - 1, 8, 0), normal(least, 8, 1), keys=[key])
    assert f"there are {least - 1}." in left_out[key]


def test_fewest_rows_of_the_frechet_distances():
    assert METRICS["fd"].least(64) == 640
    assert METRICS["fd_infinity"].least(64) == 1920


@pytest.mark.parametrize(
    ("key", "more", "words"),
    [
        ("kid", (GOOD,), "compares real and fake alone; there are 3 arguments"),
        ("confidence", (), "compares real, fake and the class probabilities of real and fake images; there are 2"),
        ("confidence", (ROW,), "must be a pair"),
        ("confidence", ((ROW, ROW[:9]),), "200 fake features, but class probabilities of 9 images"),
        ("confidence", ((ROW, ROW * 2),), "sum to 1 in each row"),
        ("confidence", ((ROW, ROW[:, :1] * 4),), "4 real classes, but 1 fake ones"),
        ("confidence", ((ROW, ROW.long()),), "must be a floating-point tensor"),
        ("authenticity", (), "compares real, fake and the train images' features"),
        ("authenticity", (GOOD[:, :3],), "have 3 dimensions, the real ones 4"),
        ("authenticity", (GOOD[:1],), "two rows or more"),
    ],
)
def test_bad_third_arguments_are_refused(key, more, words):
    with pytest.raises(InputError, match=words):
        METRICS[key](GOOD, GOOD, *more)


def test_bad_images_are_refused():
    images = torch.zeros(4, 1, 8, 8, dtype=torch.uint8)
    for fake, words in (
        (images.float(), "must be uint8 of shape"),
        (images[0], "must be uint8 of shape"),
        (images[:0], "are empty"),
        (images[..., 1:], r"are \(1, 8, 8\), the fake ones \(1, 8, 7\)"),
    ):
        with pytest.raises(InputError, match=words):
            METRICS["sharpness"](images, fake)


# ---- all at once


def test_scores_are_those_of_the_metrics():
    images = load_images("digits").x
    real, fake = images[:675], images[675:]
    x, y = (part.flatten(1)[:, ::4].float() / 255 for part in (real, fake))
    probabilities = tuple(normal(675, 10, seed, 3.0).softmax(1) for seed in (0, 1))
    spectra = radial_spectrum(real), radial_spectrum(fake)
    values, left_out = scores(x, y, spectra=spectra, probabilities=probabilities, train=x)
    known = metrics_of("digits")
    assert not left_out and list(values) == list(known)
    third = {"features": (), "probabilities": (probabilities,), "train": (x,)}
    for key, metric in known.items():
        single = metric(real, fake) if metric.needs == "images" else metric(x, y, *third[metric.needs])
        assert values[key] == pytest.approx(single, rel=1e-9), key
        assert metric.low <= values[key] <= metric.high
    assert values["sharpness"] == sharpness_of_spectra(*spectra)


def test_scores_say_why_a_metric_is_left_out():
    values, left_out = scores(GOOD[:50], GOOD[50:100], keys=["kid", "fd", "fd_infinity", "sharpness", "confidence"])
    assert list(values) == ["kid", "fd"]
    assert left_out == {
        "fd_infinity": "Fréchet distance, extrapolated needs 120 rows or more of each set for features of "
        "4 dimensions; there are 50.",
        "sharpness": "Sharpness needs the radial spectra of real and fake images, which were not given.",
        "confidence": "Confidence ratio needs the class probabilities of real and fake images, which were not given.",
    }
    with pytest.raises(InputError, match=r"'coverag'.*'coverage'"):
        scores(GOOD, GOOD, keys=["coverag"])
    with pytest.raises(InputError, match="have 3 rings, the fake ones 4"):
        scores(GOOD, GOOD, spectra=(GOOD[:, :3], GOOD))
    with pytest.raises(InputError, match=r"^There are 200 real features, but radial spectra of 100 images\.$"):
        scores(GOOD, GOOD, spectra=(GOOD[:100], GOOD))
    with pytest.raises(InputError, match=r"^There are 200 fake features, but radial spectra of 100 images\.$"):
        scores(GOOD, GOOD, spectra=(GOOD, GOOD[:100]))
    halves = torch.full((200, 2), 0.5)
    with pytest.raises(InputError, match=r"^There are 200 fake features, but class probabilities of 100 images\.$"):
        scores(GOOD, GOOD, probabilities=(halves, halves[:100]))
    with pytest.raises(InputError, match="200 train features, but gaps of shape"):
        scores(GOOD, GOOD, train=GOOD, train_gaps=GOOD)


def test_features_that_want_gradients_are_taken():
    real, fake = GOOD.clone().requires_grad_(), normal(200, 4, 1).requires_grad_()
    assert scores(real, fake)[0] == scores(real.detach(), fake.detach())[0]


@pytest.mark.parametrize("key", METRICS)
def test_every_metric_says_what_it_is(key):
    metric = METRICS[key]
    assert metric.key == key and metric.name and metric.source
    assert metric.axis in ("distance", "quality", "diversity", "memorisation")
    assert metric.better in ("lower", "higher", "one")
    assert metric.low < metric.high
    assert metric.about.endswith(".")
