"""Equal, apart or not known; and which points are known well enough to be ranked: cases with known answers."""

import math

import numpy as np
import pytest
from scipy import stats

from dashboard.results import equivalence
from dashboard.results.axes import DIVERSITIES, QUALITIES
from dashboard.results.equivalence import APART, EQUAL, UNKNOWN, Comparison, compare, half_width, margin, ranked
from dashboard.results.operating_points import Score
from tests.support.invented import score
from tests.support.questions import measure, point

RECALL, KID = DIVERSITIES["recall"], QUALITIES["kid"]


def of(*values):
    found = score(values)
    return Score(found["mean"], found["low"], found["high"], tuple(values))


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.5, 0.9, EQUAL),
        (0.1, 0.9, EQUAL),  # it differs from 0, by less than matters
        (-1.0, 1.0, EQUAL),
        (-0.5, 1.1, UNKNOWN),  # what a test of difference alone would call a tie
        (-3.0, 3.0, UNKNOWN),
        (0.1, 1.1, APART),
        (-2.0, -1.5, APART),
        (math.nan, math.nan, UNKNOWN),
    ],
)
def test_equal_is_inside_the_margin_and_not_merely_around_zero(low, high, verdict):
    assert Comparison(0.0, low, high, margin=1.0).verdict == verdict


def test_equality_asks_for_both_one_sided_tests():
    """Each of the two tests of Schuirmann rejects at 2.5% exactly where the 95% interval lies inside the margin."""
    dice = np.random.default_rng(0)
    seen = set()
    for _ in range(60):
        a, b = dice.normal(0.90, 0.004, 5), dice.normal(0.90 + dice.uniform(-0.01, 0.01), 0.004, 5)
        found = compare(RECALL, of(*a), of(*b), None)
        above = stats.ttest_ind(a, b - found.margin, equal_var=False, alternative="greater").pvalue
        below = stats.ttest_ind(a, b + found.margin, equal_var=False, alternative="less").pvalue
        assert (found.verdict == EQUAL) == (max(above, below) <= 0.025)
        seen.add(found.verdict)
    assert EQUAL in seen and len(seen) > 1


@pytest.mark.parametrize("paired", [False, True])
def test_a_difference_that_matters_is_called_equal_once_in_forty_at_most(paired):
    """By the rule's own promise, tried on 4,000 pairs of points whose true difference is the margin itself."""
    dice = np.random.default_rng(1)
    called = [
        compare(RECALL, of(*a), of(*b), None, paired).verdict
        for a, b in zip(dice.normal(0.90, 0.003, (4000, 5)), dice.normal(0.89, 0.003, (4000, 5)), strict=True)
    ]
    assert called.count(EQUAL) / len(called) < 0.025 + 2.6 * (0.025 * 0.975 / 4000) ** 0.5
    assert called.count(APART) > called.count(UNKNOWN) > 0


def test_pairs_are_told_apart_where_their_shared_noise_hides_the_difference():
    noise = np.array([-0.02, -0.01, 0.0, 0.01, 0.02])
    one, other = of(*(0.90 + noise)), of(*(0.885 + noise + [0, 0.001, 0, -0.001, 0]))
    alone, paired = compare(RECALL, one, other, None), compare(RECALL, one, other, None, paired=True)
    assert paired.high - paired.low < (alone.high - alone.low) / 5
    assert alone.verdict == UNKNOWN and paired.verdict == APART and paired.gap == pytest.approx(alone.gap)


def test_the_margin_is_the_width_of_real_datas_interval_or_what_matters_anyway():
    real = Score(0.95, 0.93, 0.97, (0.94, 0.95, 0.96))
    assert margin(RECALL, real, of(0.9, 0.9)) == pytest.approx(0.04)
    assert margin(RECALL, Score(0.95, 0.949, 0.951, (0.95, 0.95)), of(0.9, 0.9)) == 0.01, "one percentage point"
    assert margin(RECALL, None) == 0.01
    assert margin(KID, None, of(0.03, 0.03), of(0.02, 0.02)) == pytest.approx(0.002), "a tenth of the better"
    assert margin(KID, Score(0.002, 0.001, 0.004, (0.001, 0.003)), of(0.01, 0.01)) == pytest.approx(0.003)
    assert margin(KID, Score(0.002, -math.inf, math.inf, (0.002,)), of(0.01, 0.01)) == pytest.approx(0.001)


def test_one_generation_is_as_wide_as_can_be():
    assert half_width(Score(0.5, 0.5, 0.5, (0.5,))) == math.inf
    assert half_width(of(0.5, 0.5)) == 0


def test_generations_are_pairs_where_checkpoint_n_number_and_seeds_are_the_same():
    first, second = point("ddpm", "a", 1.0, coverage=0.9), point("ddpm", "b", 1.0, coverage=0.9)
    others = [
        point("ddpm", "c", 1.0, n=2000, coverage=0.9),
        point("ddpm", "d", 1.0, coverage=0.9, generations=3),
        point("vae", "e", 1.0, coverage=0.9),
        point("ddpm", "f", 1.0, coverage=0.9),
    ]
    others[-1][0]["seeds"] = [10, 14]
    found = {one.label: one for one in measure(first, second, *others).points}
    assert equivalence.share_noise(found["a"], found["b"])
    assert not any(equivalence.share_noise(found["a"], found[label]) for label in "cdef")


# ---- which points are ranked


def known(*pairs, of):
    table = np.zeros((of, of), bool)
    for i, j in pairs:
        table[i, j] = table[j, i] = True
    return table


def scores(*halves):
    return [None if half is None else Score(0.5, 0.5 - half, 0.5 + half, (0.4, 0.6)) for half in halves]


def test_a_precise_point_is_ranked_whatever_the_others_are():
    assert ranked(scores(0.005, 0.5), [0.01, 0.01], known(of=2)).tolist() == [True, False]


def test_a_rough_point_is_ranked_where_it_is_apart_from_all_that_are_more_precise():
    table = known((0, 1), (0, 2), of=3)
    assert ranked(scores(0.005, 0.02, 0.05), [0.01] * 3, table).tolist() == [True, True, False], "1 and 2 overlap"
    table = known((0, 1), (0, 2), (1, 2), of=3)
    assert ranked(scores(0.005, 0.02, 0.05), [0.01] * 3, table).all()


def test_a_rough_point_among_rough_points_alone_is_not_ranked():
    assert not ranked(scores(0.3, 0.5), [0.01] * 2, known(of=2)).any()
    assert not ranked(scores(0.3), [0.01], known(of=1)).any()
    assert ranked(scores(0.3, 0.5), [0.01] * 2, known((0, 1), of=2)).all(), "but where they are apart they are"


def test_what_is_not_compared_is_not_ranked_and_stands_in_nobodys_way():
    assert ranked(scores(0.02, None, 0.005), [0.01] * 3, known((0, 2), of=3)).tolist() == [True, False, True]
