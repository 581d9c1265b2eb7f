"""Images and features as points: against the definitions, scikit-learn and scipy."""

import re

import numpy as np
import pytest
from scipy import stats
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from dashboard.results import projection

RNG = np.random.default_rng(1)


def test_pair_distances_against_the_definition():
    images = RNG.integers(0, 255, (6, 3, 4, 4), dtype=np.uint8)
    rows = images.reshape(6, -1) / 255

    def mean_without(*left_out):
        kept = [i for i in range(6) if i not in left_out]
        return np.mean([np.linalg.norm(rows[i] - rows[j]) for i in kept for j in kept if i < j])

    pairs, mean, margin = projection.pair_distances(projection.flatten(images))
    assert len(pairs) == 15
    assert pairs[0] == pytest.approx(np.linalg.norm(rows[0] - rows[1]))
    assert mean == pytest.approx(pairs.mean()) and mean == pytest.approx(mean_without())
    replicates = [mean_without(k) for k in range(6)]
    assert margin == pytest.approx(1.96 * np.sqrt(5 * np.var(replicates)))


def test_few_rows_have_no_interval():
    assert len(projection.pair_distances(np.zeros((1, 16)))[0]) == 0
    assert np.isnan(projection.pair_distances(np.zeros((2, 16)))[2])


def test_the_pixel_plane_is_the_reference_s():
    reference = {"mean": np.ones((1, 4)), "basis": np.eye(4)[:2], "points": np.zeros((5, 2))}
    plane = projection.pixel_plane(reference)
    np.testing.assert_allclose(plane.project(np.arange(8.0).reshape(2, 4)), [[-1, 0], [3, 4]])
    assert plane.project(np.zeros((2, 5))) is None
    assert plane.axes[0] == "1st principal component"
    shares = projection.pixel_plane({**reference, "explained": np.array([0.104, 0.07])})
    assert shares.axes[1] == "2nd principal component (7%)"


def test_the_class_plane_of_whitened_rows_is_fisher_s():
    """Scikit-learn's linear discriminant analysis, whose directions are found another way."""
    classes = RNG.integers(0, 4, 900)
    rows = RNG.normal(size=(900, 6)) * np.arange(1, 7) + RNG.normal(size=(4, 6))[classes] * 4
    values, vectors = np.linalg.eigh(np.cov(rows.T))
    rows = (rows - rows.mean(0)) @ vectors / np.sqrt(values)
    plane = projection.class_plane(rows, classes, shown=50)
    oracle = LinearDiscriminantAnalysis(solver="eigen").fit(rows, classes).scalings_[:, :2]
    oracle = oracle / np.linalg.norm(oracle, axis=0)
    np.testing.assert_allclose(np.abs(plane.basis @ oracle), np.eye(2), atol=1e-6)
    assert len(plane.points) == 50
    np.testing.assert_allclose(plane.points, plane.project(rows[:50]))
    assert (plane.basis[[0, 1], np.abs(plane.basis).argmax(1)] > 0).all()
    assert re.fullmatch(r"1st direction between classes \(\d+%\)", plane.axes[0])


def test_a_shade_s_steps_hold_the_share_they_say():
    """Of points of a Gaussian: the region with depth over 1 - p holds the share p, and it is where p says it is."""
    points = RNG.normal(size=(4000, 2)) * (1, 3) + (5, -2)
    found = projection.shade(points)
    columns = np.abs(found.x[None] - points[:, :1]).argmin(1)
    rows = np.abs(found.y[None] - points[:, 1:]).argmin(1)
    depth = found.depth[rows, columns]
    for share in (0.2, 0.5, 0.8, 0.95):
        assert (depth > 1 - share).mean() == pytest.approx(share, abs=0.03)
    peak = np.unravel_index(found.depth.argmax(), found.depth.shape)
    assert found.x[peak[1]] == pytest.approx(5, abs=0.5) and found.y[peak[0]] == pytest.approx(-2, abs=1.5)
    assert found.depth.max() == pytest.approx(1)


@pytest.mark.parametrize("count", [0, 1, 7, 20])
def test_wilson_s_interval_is_scipy_s(count):
    low, high = projection.wilson(np.array([count]), 20)
    oracle = stats.binomtest(count, 20).proportion_ci(method="wilson")
    assert (low[0], high[0]) == pytest.approx((oracle.low, oracle.high), abs=1e-4)
