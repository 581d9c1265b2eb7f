"""Rows joined into points: which cost stands beside which quality, and what a score says of its reference."""

import pytest

from dashboard.results.operating_points import Score, cost_of, join
from tests.support.invented import MACHINE, cost, quality, scores

OTHER = MACHINE | {"name": "Other Processor"}


def scored(dtype="bfloat16", layout="channels_last", **means):
    found = scores(3, **{"kid": 0.01, "coverage": 0.9, "precision": 0.9, "sharpness": 1.0} | means)
    row = quality("mnist/vae", "vae", "fitted prior", "headline", {"temperature": 1.0}, 2000, found)
    return row | {"settings": {"dtype": dtype, "layout": layout, "threads": 2, "batch": 100}}


def timed(ms, dtype="bfloat16", layout="channels_last", machine=MACHINE):
    return cost(scored(), ms, machine=machine) | {"settings": {"dtype": dtype, "layout": layout, "threads": 2}}


def joined(*rows):
    return join("mnist", rows, {"vae": "VAE"}, {}, {})


def test_a_time_in_another_number_format_or_layout_is_not_the_point_s():
    """Whichever row comes first: the distances of the one were not made in the time of the other."""
    others = timed(1.0, "float32"), timed(2.0, layout="contiguous")
    assert joined(scored(), *others).points[0].cost is None
    for rows in ((*others, timed(3.0)), (timed(3.0), *others)):
        found = joined(scored(), *rows)
        assert found.points[0].ms_per_image == 3.0
        assert sorted(cost["batches"][-1]["ms_per_image"] for cost in found.costs) == [1.0, 2.0, 3.0], "all stay"
    assert joined(scored("float32"), *others, timed(3.0)).points[0].ms_per_image == 1.0


def test_rows_that_name_no_layout_have_the_plain_one():
    row, time = scored(layout="contiguous"), timed(1.0, layout="contiguous")
    del row["settings"]["layout"]
    assert joined(row, time).points[0].ms_per_image == 1.0


def test_of_several_machines_one_can_be_named():
    found = joined(scored(), timed(1.0), timed(2.0, machine=OTHER), timed(9.0, "float32", machine=OTHER))
    [point] = found.points
    assert point.ms_per_image == 1.0, "the first"
    named = {machine: cost_of(found.costs, point, machine)["batches"][-1]["ms_per_image"] for machine in found.machines}
    assert list(named.values()) == [1.0, 2.0] and "Other Processor" in list(named)[1]


def test_of_one_machine_in_the_same_settings_the_last_time_counts():
    assert joined(scored(), timed(1.0), timed(2.0)).points[0].ms_per_image == 2.0


@pytest.mark.parametrize("told", [{}, {"reference": 10_000, "reference_sd": 0.0008}])
def test_a_score_says_what_it_compares_with(told):
    row = scored()
    row["scores"]["classifier"]["kid"] |= told
    score = joined(row).points[0].score("kid")
    assert (score.reference, score.reference_sd) == (told.get("reference", 0), told.get("reference_sd"))
    assert joined(row).points[0].score("coverage").reference == 0
    assert isinstance(score, Score) and len(score.values) == 3
