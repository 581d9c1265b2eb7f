"""What is true of pictures of `shapes`: known answers, and SciPy's."""

import numpy as np
import pytest
import torch
from scipy.stats import kstest

from gencore.data import identity, load_splits
from gencore.errors import InputError
from gencore.evaluation.truth import truth_of
from gencore.metrics import METRICS, known_readings, metrics_of, scores
from gencore.shapes import draw, parameters
from gencore.shapes.factors import EXTENT, MODE_SHARES, ROTATION, SHAPE, SIZE, X, modes_of

N = 5000
TRUE = [key for key, metric in METRICS.items() if metric.data]


@pytest.fixture(scope="module")
def readings():
    return known_readings("test", np.arange(N))


def rate(key, readings):
    ones = torch.zeros(len(readings), 1)
    return METRICS[key](torch.zeros(N, 1), ones, readings)


def test_they_are_for_this_data_set_alone():
    assert set(TRUE) == set(metrics_of("shapes")) - set(metrics_of("mnist"))
    assert all(METRICS[key].data == "shapes" and METRICS[key].needs == "readings" for key in TRUE)
    assert {METRICS[key].axis for key in TRUE} == {"quality", "diversity", "memorisation"}


def test_fresh_real_pictures(readings):
    found = {key: rate(key, readings) for key in TRUE}
    assert found["true_quality"] == 1 and found["true_missing"] == 0
    assert found["true_imbalance"] < 0.04 and found["true_copies"] < 0.02
    assert max(found[key] for key in TRUE if key.endswith("_distance")) < 0.03


def test_shares_by_hand(readings):
    shares = np.bincount(modes_of(readings.numpy()), minlength=18) / N
    assert rate("true_imbalance", readings) == pytest.approx(np.abs(shares - MODE_SHARES).sum() / 2)
    circles = readings[readings[:, SHAPE] == 0]
    assert rate("true_imbalance", circles) == pytest.approx(2 / 3, abs=0.02)
    assert rate("true_missing", circles.repeat(3, 1)) == 12


def test_what_is_no_shape_counts_in_quality_alone(readings):
    half = readings.clone()
    half[::2, -1] = 1.0
    assert rate("true_quality", half) == 0.5
    for key in set(TRUE) - {"true_quality", "true_missing"}:
        assert rate(key, half) == rate(key, readings[1::2]), key
    outside = readings.clone()
    outside[:100, EXTENT] = 0.4
    assert rate("true_quality", outside) == 1 - 100 / N


def test_without_a_valid_picture_all_is_as_bad_as_can_be(readings):
    none = readings.clone()
    none[:, -1] = 1.0
    found = {key: rate(key, none) for key in TRUE}
    assert found.pop("true_quality") == 0 and found.pop("true_copies") == 0 and found.pop("true_missing") == 18
    assert set(found.values()) == {1.0}


def test_distances_of_factors_are_scipys(readings):
    skewed = readings[readings[:, EXTENT] > 0.2]
    low, high = SIZE
    assert rate("true_size_distance", skewed) == pytest.approx(
        kstest(skewed[:, EXTENT].numpy(), "uniform", (low, high - low)).statistic
    )
    assert rate("true_size_distance", skewed) == pytest.approx((0.2 - low) / (high - low), abs=0.03)
    upright = readings.clone()
    upright[:, ROTATION] = 0
    assert rate("true_rotation_distance", upright) == 1


def test_copies_are_found_and_only_they(readings):
    train = known_readings("train", np.arange(1000))
    assert rate("true_copies", train) == 1
    moved = train.clone()
    moved[:, X] += 0.01 * 0.4  # twice as far as counts as a copy
    assert rate("true_copies", moved) < 0.05
    turned = train[train[:, SHAPE] == 2].clone()
    turned[:, ROTATION] += 0.2
    assert rate("true_copies", turned) < 0.01
    mixed = torch.cat([train[:500], readings[:500]])
    assert rate("true_copies", mixed) == pytest.approx(0.5, abs=0.01)


def test_they_are_had_with_the_others_where_there_are_readings(readings):
    features = torch.randn(200, 4, generator=torch.Generator().manual_seed(0))
    found, left_out = scores(features, features, readings=readings[:200], keys=["precision", *TRUE])
    assert set(found) == {"precision", *TRUE} - {"true_missing"} and "3,000 rows" in left_out["true_missing"]
    _, left_out = scores(features, features, keys=["true_quality"])
    assert left_out["true_quality"] == "True quality needs the readings of the fake images, which were not given."
    with pytest.raises(InputError, match="readings of shape"):
        METRICS["true_quality"](features, features, readings[:100])


def test_the_truth_is_known_of_the_very_pictures():
    told = identity(load_splits("shapes", splits=("test",)))
    truth = truth_of("shapes", told)
    rows = truth.read(load_splits("shapes", splits=("test",))["test"].x[:100])
    assert torch.allclose(rows[:, :5], truth.test[:100, :5], atol=1e-3)
    assert truth_of("mnist", told) is None
    assert truth_of("/elsewhere/shapes", {"test": told["test"] | {"sha256": "0" * 64}}) is None
    assert truth_of("shapes", {"test": told["test"] | {"channels": 1}}) is None


def test_drawn_and_read_again():
    """The whole way, from pictures: ten pictures repeated are valid, and all but ten at most of the rest is gone."""
    truth = truth_of("shapes", identity(load_splits("shapes", splits=("test",))))
    few = draw(parameters("validation")[:10], 32).transpose(0, 3, 1, 2)
    found = truth.read(torch.from_numpy(few.copy())).repeat(300, 1)
    assert rate("true_quality", found) == 1 and rate("true_missing", found) >= 8
    assert rate("true_imbalance", found) > 0.3 and rate("true_x_distance", found) > 0.1
