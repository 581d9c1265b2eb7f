"""The command line and the pages judge alike whether two scores differ: two rules of few lines, one answer."""

import numpy as np
import pytest

from dashboard.results import equivalence
from dashboard.results.axes import DIVERSITIES, QUALITIES
from dashboard.results.operating_points import Score
from gencore.comparison.equivalence import compare
from gencore.comparison.verdict import THINGS
from gencore.metrics import METRICS, interval

AXES = QUALITIES | DIVERSITIES


def score(values):
    return Score(*interval(values), tuple(values))


@pytest.mark.parametrize("key", THINGS)
def test_what_matters_is_the_same_in_both(key):
    axis, matters = AXES[key], THINGS[key][1]
    assert (axis.least, axis.relative, axis.better) == (matters.least, matters.relative, METRICS[key].better)


@pytest.mark.parametrize("key", THINGS)
def test_a_thousand_pairs_are_judged_alike(key):
    dice, seen = np.random.default_rng(0), set()
    sign = 1 if METRICS[key].better == "lower" else -1
    for _ in range(1000):
        middle, spread = dice.uniform(0.01, 0.9), 10 ** dice.uniform(-4, -1)
        one, other = (
            list(dice.normal(middle + dice.normal(0, 2 * spread), spread, dice.integers(1, 6))) for _ in range(2)
        )
        real = score(list(dice.normal(0.9, 10 ** dice.uniform(-4, -1.5), 5))) if dice.random() < 0.5 else None
        width = real.high - real.low if real else 0.0
        theirs = equivalence.compare(AXES[key], score(one), score(other), real).verdict
        margin = THINGS[key][1].margin(width, np.mean(one), np.mean(other))
        assert compare([sign * value for value in one], [sign * value for value in other], margin) == theirs
        seen.add(theirs)
    assert seen == {equivalence.EQUAL, equivalence.APART, equivalence.UNKNOWN}
