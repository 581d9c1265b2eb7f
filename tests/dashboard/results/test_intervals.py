"""Intervals of differences: against SciPy's, and what pairing is for."""

import math

import numpy as np
import pytest
from scipy import stats

from dashboard.results.intervals import paired_difference


@pytest.mark.parametrize("generations", [2, 3, 5, 30])
def test_it_is_that_of_the_paired_t_test(generations):
    dice = np.random.default_rng(generations)
    a, b = dice.normal(0.03, 0.01, generations), dice.normal(0.02, 0.01, generations)
    mean, low, high = paired_difference(list(a), list(b))
    test = stats.ttest_rel(a, b)
    wanted = test.confidence_interval(0.95)
    assert [mean, low, high] == pytest.approx([(a - b).mean(), wanted.low, wanted.high])
    assert (low <= 0 <= high) == (test.pvalue >= 0.05)


def test_what_the_generations_share_is_not_in_it():
    shared = np.array([0.0, 3.0, -2.0, 5.0, 1.0])
    own = np.array([0.01, -0.01, 0.0, 0.02, -0.02])
    _, low, high = paired_difference(shared + 1, shared + own)
    assert high - low < 0.1 and low < 1 < high


def test_a_single_pair_has_no_interval():
    mean, low, high = paired_difference([2.0], [0.5])
    assert mean == 1.5 and math.isnan(low) and math.isnan(high)


def test_equal_values_differ_by_nothing():
    assert paired_difference([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]) == (0.0, 0.0, 0.0)


def test_other_numbers_of_generations_are_no_pairs():
    with pytest.raises(ValueError, match="5 and 3 generations"):
        paired_difference([0.0] * 5, [0.0] * 3)
