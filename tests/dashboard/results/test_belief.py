"""Which metric can be believed: SciPy's rank correlation, and answers that are known."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from dashboard.results import belief
from dashboard.results.axes import diversities, qualities
from dashboard.results.question import ask
from dashboard.service import METRICS
from tests.support.believing import measured, rows


def by_name(found):
    return {one.name: one for one in found}


@pytest.mark.parametrize("ties", [False, True])
def test_correlations_are_scipys(ties):
    dice = np.random.default_rng(1)
    one, other = dice.normal(size=(2, 6, 20))
    if ties:
        one, other = one.round(), other.round()
    expected = [spearmanr(a, b).statistic for a, b in zip(one, other, strict=True)]
    assert belief.spearman(one, other) == pytest.approx(expected)
    found = belief.correlation(one[0], other[0])
    assert found.mean == pytest.approx(expected[0]) and found.points == 20
    assert -1 <= found.low < found.mean < found.high <= 1


def test_an_interval_holds_what_more_points_would_show():
    """Of a known dependence the interval of 30 points holds the correlation of very many, about 95 times of 100."""
    dice = np.random.default_rng(0)
    many = dice.normal(size=(2, 200_000))
    many[1] += many[0]
    truth = spearmanr(*many).statistic
    held = 0
    for place in range(100):
        one, other = many[:, place * 30 : (place + 1) * 30]
        found = belief.correlation(one, other)
        held += found.low <= truth <= found.high
    assert held >= 88


def test_what_follows_what_ignores_and_what_is_misled():
    found = by_name(belief.beliefs(measured(rows(16), rows(8, 1, kind="failure")), METRICS))
    truths = {name: one.truths for name, one in found.items()}
    assert found["Density, classifier"].own.mean == pytest.approx(1)
    assert found["Precision, classifier"].own.mean == pytest.approx(-1)
    assert found["Precision, pixels"].own.mean == pytest.approx(1)
    assert found["Coverage, classifier"].own == truths["Coverage, classifier"]["diversity"]
    assert found["Coverage, classifier"].own.mean == pytest.approx(1)
    assert truths["Sharpness"]["quality"].low < 0 < truths["Sharpness"]["quality"].high
    kid = found["KID, classifier"]
    assert kid.own == min(kid.truths.values(), key=lambda one: one.mean) and 0 < kid.own.mean < 1
    assert kid.own.points == 24 and not any("True" in name for name in found)


def test_they_stand_by_axis_the_most_believable_first():
    found = belief.beliefs(measured(rows(20)), METRICS)
    assert [one.metric.axis for one in found] == sorted(
        (one.metric.axis for one in found), key=["quality", "diversity", "distance"].index
    )
    mine = [one.own.mean for one in found if one.metric.axis == "quality"]
    assert mine == sorted(mine, reverse=True)
    told = belief.finding(found)
    assert told.startswith("True quality is followed best by Precision, pixels (1.00, 1.00 to 1.00)")
    assert "Precision, classifier least (−1.00" in told and "True diversity is followed best by Coverage" in told


def test_of_too_few_points_nothing_is_told():
    few = measured(rows(5))
    assert belief.beliefs(few, METRICS) == [] and "there are 5" in belief.too_few(few)
    unknown = measured(rows(20, truth=False))
    assert belief.beliefs(unknown, METRICS) == [] and belief.too_few(unknown) == ""
    apart = measured(rows(12), rows(5, 1, n=1000))
    assert len(belief.judged(apart)) == 12 and belief.too_few(apart) == ""


def test_true_figures_are_offered_where_the_truth_is_known_alone():
    assert qualities("shapes").keys() - qualities("mnist").keys() == {"true_quality"}
    assert diversities("shapes").keys() - diversities("mnist").keys() == {"true_imbalance"}
    asked = ask(measured(rows(9)), "true_quality", diversity="true_imbalance")
    assert (asked.quality.key, asked.diversity.key) == ("true_quality", "true_imbalance")
    other = ask(measured(rows(9, dataset="mnist"), dataset="mnist"), "true_quality", diversity="true_imbalance")
    assert (other.quality.key, other.diversity.key) == ("kid", "recall")


def test_where_the_truth_was_measured_it_is_what_is_meant():
    known = ask(measured(rows(10)))
    assert (known.quality.key, known.diversity.key) == ("true_quality", "true_imbalance") and not known.featured
    chosen = ask(measured(rows(10)), quality="kid", diversity="coverage")
    assert (chosen.quality.key, chosen.diversity.key) == ("kid", "coverage") and chosen.featured
    unread = ask(measured(rows(10, truth=False)))
    assert (unread.quality.key, unread.diversity.key) == ("kid", "recall")


def test_a_share_of_images_is_compared_across_n_and_an_imbalance_is_not():
    both = measured(rows(9), rows(12, seed=1, n=1000))
    assert not any("another n" in words for words in ask(both, n=5000).left_out)
    assert any("another n than 5,000" in words for words in ask(both, "precision", n=5000).left_out)
    assert ask(both).quality.across and not ask(both).diversity.across
