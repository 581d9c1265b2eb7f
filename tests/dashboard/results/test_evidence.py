"""What rows show of a diversity being fooled."""

from dashboard.results.axes import DIVERSITIES
from dashboard.results.evidence import evidence
from tests.support.questions import measure, point

COVERAGE, RECALL = DIVERSITIES["coverage"], DIVERSITIES["recall"]


def test_a_point_that_one_diversity_calls_real_and_another_does_not_is_the_evidence():
    measured = measure(
        point("vae", "narrow", 1.0, kid=0.01, coverage=0.97, recall=0.50),
        point("vae", "narrower", 1.0, kid=0.01, coverage=0.97, recall=0.30),
        point("vae", "poor", 1.0, kid=0.01, coverage=0.40, recall=0.20),
    )
    words = evidence(measured, COVERAGE, "classifier")
    assert words == (
        "Here VAE, narrower is as good as real data by coverage (97.0% ± 1.0; real 97.0% ± 1.0) and far from it by "
        "recall (30.0% ± 0.3; real 97.0% ± 1.0)."
    )
    assert evidence(measured, RECALL, "classifier") == "", "no point is as good as real by recall"


def test_a_small_loss_is_no_evidence_and_neither_is_a_stale_row():
    close = measure(point("vae", "a", 1.0, kid=0.01, coverage=0.97, recall=0.92))
    assert evidence(close, COVERAGE, "classifier") == ""
    stale = measure(point("vae", "a", 1.0, kid=0.01, coverage=0.97, recall=0.3), stale=("a",))
    assert evidence(stale, COVERAGE, "classifier") == ""


def test_the_failure_lab_is_asked_too():
    (row, *_) = point("vae", "copies", None, kid=0.01, coverage=0.97, recall=0.2)
    broken = {**row, "kind": "failure", "failure": "memorised"}
    measured = measure([broken])
    assert evidence(measured, COVERAGE, "classifier") == "In the failure lab it takes for real: copies."
    assert evidence(measured, RECALL, "classifier") == (
        "In the failure lab it takes none of the 1 broken models for real data."
    )
