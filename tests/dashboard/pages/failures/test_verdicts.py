"""The Failure lab's rule and its charts: which metric notices a broken model, told from rows alone."""

import dataclasses
import html
import itertools
import re

import pytest

from dashboard.pages.failures import failure_figures
from dashboard.pages.failures.verdicts import (
    FOOLED,
    NOTICES,
    UNKNOWN,
    Opinion,
    across,
    healthy,
    opinions,
    verdicts,
    words,
    worse,
)
from dashboard.results.operating_points import Measured, Measurements, join
from gencore import checkpoint
from gencore.evaluation import rows
from gencore.evaluation.failures import FAILURES
from gencore.families import FAMILIES
from gencore.metrics import METRICS

WHOLE = {"classifier": "a" * 16}


def score(*values):
    mean = sum(values) / len(values)
    return {"mean": mean, "low": mean - 0.01, "high": mean + 0.01, "values": list(values)}


def measured(family, kind, scores, checkpoint="", failure="", n=100, hashes=None, extractor="classifier"):
    """A row with each metric's value spread by a hundredth."""
    spread = {key: score(value * 0.99, value, value * 1.01) for key, value in scores.items()}
    hashes = {**WHOLE, **({"checkpoint": "1" * 16} if checkpoint else {}), **(hashes or {})}
    quality = {"scores": {extractor: spread}, "hashes": hashes, **({"failure": failure} if failure else {})}
    return Measured(family, family.upper(), checkpoint, "as it is", kind, {}, n, 3, quality)


GOOD = {"kid": 0.02, "precision": 0.9, "coverage": 0.8, "sharpness": 0.95}
GAN = measured("gan", "headline", GOOD, "mnist/gan")
VAE = measured("vae", "headline", {**GOOD, "sharpness": 0.5}, "mnist/vae")
REAL = measured("real", "baseline", {"kid": 0.0001, "precision": 0.97, "coverage": 0.97, "sharpness": 1.0})
ALL = Measurements("mnist", (VAE, GAN), (), {100: REAL})


def word_of(failure, among=ALL, extractor="classifier"):
    return {one.metric.key: one.word for one in verdicts(failure, among, METRICS, extractor)}


@pytest.mark.parametrize(
    ("key", "broken", "other", "expected"),
    [
        ("precision", 0.5, 0.9, True),
        ("precision", 0.85, 0.9, False),  # less than a tenth
        ("precision", 0.95, 0.9, False),  # better
        ("kid", 0.05, 0.02, True),
        ("kid", 0.01, 0.02, False),
        ("sharpness", 0.5, 0.95, True),
        ("sharpness", 2.0, 0.95, True),  # noise is as wrong as blur
        ("sharpness", 1.04, 0.95, False),
    ],
)
def test_worse_means_a_tenth_in_the_metrics_own_direction(key, broken, other, expected):
    one, two = (measured("x", "failure", {key: value}).score(key) for value in (broken, other))
    assert worse(METRICS[key], one, two) is expected


def test_what_noise_could_do_is_not_noticed():
    one = Measured("x", "X", "", "", "", {}, 9, 3, {"scores": {"classifier": {"kid": score(0.1, 0.5, 0.9)}}}).score(
        "kid"
    )
    two = Measured("x", "X", "", "", "", {}, 9, 3, {"scores": {"classifier": {"kid": score(0.1, 0.3, 0.5)}}}).score(
        "kid"
    )
    assert not worse(METRICS["kid"], one, two), "67% worse, and within the interval"


def test_a_broken_model_is_held_against_the_one_it_was_made_from():
    failure = measured("gan", "failure", {**GOOD, "coverage": 0.1, "sharpness": 0.6}, "mnist/gan", "collapse")
    assert healthy(failure, ALL) == (GAN,)
    expected = {"kid": FOOLED, "precision": FOOLED, "coverage": NOTICES, "sharpness": NOTICES}
    assert word_of(failure) == expected


def test_one_that_was_made_from_none_is_held_against_every_family():
    failure = measured("none", "failure", {**GOOD, "coverage": 0.1, "sharpness": 0.6}, failure="memorised")
    assert healthy(failure, ALL) == (VAE, GAN)
    assert word_of(failure)["coverage"] == NOTICES
    assert word_of(failure)["sharpness"] == FOOLED, "it would rank above the VAE"


def test_a_familys_own_checkpoint_stands_for_it():
    other = dataclasses.replace(GAN, checkpoint="mnist/gan-minimax")
    failure = measured("none", "failure", GOOD, failure="noise")
    assert healthy(failure, Measurements("mnist", (other, GAN))) == (GAN,)


@pytest.mark.parametrize("change", [{"n": 50}, {"kind": "sweep"}])
def test_other_points_are_not_compared(change):
    failure = measured("gan", "failure", GOOD, "mnist/gan", "collapse")
    assert not healthy(failure, Measurements("mnist", (dataclasses.replace(GAN, **change),)))


@pytest.mark.parametrize("hashes", [{"classifier": "b" * 16}, {"checkpoint": "2" * 16}])
def test_rows_of_other_weights_or_features_are_not_compared(hashes):
    failure = measured("gan", "failure", GOOD, "mnist/gan", "collapse", hashes=hashes)
    assert not healthy(failure, ALL)


def test_without_a_healthy_model_real_images_stand_for_it():
    failure = measured("none", "failure", {**GOOD, "precision": 0.5}, failure="noise")
    assert word_of(failure, Measurements("mnist", baselines={100: REAL}))["precision"] == NOTICES
    assert set(word_of(failure, Measurements("mnist")).values()) == {UNKNOWN}


def test_a_metric_that_was_left_out_has_no_verdict():
    failure = measured("gan", "failure", {"kid": 1.0}, "mnist/gan", "collapse")
    assert word_of(failure) == {"kid": NOTICES}
    assert word_of(failure, extractor="pixels") == {}


def test_a_data_set_without_a_classifier_is_judged_in_its_usual_features():
    """What needs no features is judged whichever extractor's scores hold it."""
    points = [measured("vae", "headline", GOOD, "mnist/vae", extractor="random"),
              measured("gan", "headline", {**GOOD, "sharpness": 0.9}, "mnist/gan", extractor="random")]  # fmt: skip
    failure = measured(
        "gan", "failure", {**GOOD, "coverage": 0.1, "sharpness": 0.5}, "mnist/gan", "x", extractor="random"
    )
    expected = {"kid": FOOLED, "precision": FOOLED, "coverage": NOTICES, "sharpness": NOTICES}
    among = Measurements("mnist", tuple(points), (failure,))
    assert {one.metric.key: one.word for one in verdicts(failure, among, METRICS)} == expected
    assert word_of(failure, among, "classifier") == {"sharpness": NOTICES}


def test_the_second_opinion_is_told_where_it_differs():
    first = list(verdicts(measured("gan", "failure", {**GOOD, "coverage": 0.1}, "mnist/gan", "collapse"), ALL, METRICS))
    second = list(
        verdicts(measured("gan", "failure", {**GOOD, "precision": 0.1}, "mnist/gan", "collapse"), ALL, METRICS)
    )
    found = opinions(first, {"pixels": second, "random": second[:1], "same": first})
    assert {key: one.word for key, one in found.items()} == {"precision": NOTICES, "coverage": FOOLED}
    names = {one.metric.key: ("pixels", "random") if place == 0 else ("pixels",) for place, one in enumerate(second)}
    assert all(one.features == names[key] for key, one in found.items())


def test_the_sentence_counts_and_names_the_fooled():
    found = list(verdicts(measured("gan", "failure", {**GOOD, "coverage": 0.1}, "mnist/gan", "collapse"), ALL, METRICS))
    assert words(found).startswith("1 of 4 metrics notice. Fooled: KID, ")
    assert words([]) == ""


def test_the_answer_names_what_notices_everything():
    found = [
        list(verdicts(measured("gan", "failure", {**GOOD, **change}, "mnist/gan", "collapse"), ALL, METRICS))
        for change in ({"coverage": 0.1, "kid": 1.0}, {"coverage": 0.2}, {"coverage": 0.3, "precision": 0.1})
    ]
    assert across(found) == "Coverage notices all 3 broken models; every other metric is fooled by some."
    assert across([*found[:1], [], *found[:1]]).startswith("KID and Coverage notice all 2 broken models;")
    assert across([found[0][:1], found[2][1:]]).startswith("No metric notices all 2")


# ---- charts


def test_the_bars_show_every_metric_and_all_of_its_figures():
    failure = measured("gan", "failure", {**GOOD, "coverage": 0.1}, "mnist/gan", "collapse")
    found = list(verdicts(failure, ALL, METRICS))
    drawing = failure_figures.figure(
        found, {"precision": Opinion(NOTICES, ("pixels",)), "kid": Opinion(FOOLED, ("a", "b"))}, "A <b>title</b>"
    )
    assert drawing.count("<svg") == 2 and "<b>" not in drawing
    assert drawing.count("Coverage") >= 2 and drawing.count("in pixels: notices") == 2
    assert drawing.count("in 2 others: is fooled") == 2 and drawing.count("In a and b features it is fooled.") == 2
    assert "healthy GAN, as it is 0.800" in drawing and "real images 0.970" in drawing
    assert "the healthy GAN" in failure_figures.reading(found)
    ranges = re.findall(r'<line x1="([\d.]+)"[^>]* x2="([\d.]+)"[^>]*class="range( f-gan)?"', drawing)
    assert len(ranges) == 2 * 2 * len(found) and all(float(low) <= float(high) for low, high, _ in ranges)


@pytest.mark.parametrize("width", [320, 720])
def test_no_words_lie_on_others(width):
    failure = measured("gan", "failure", {**GOOD, "coverage": 0.1}, "mnist/gan", "collapse")
    others = dict.fromkeys(METRICS, Opinion(FOOLED, ("a", "b")))
    drawing, height = failure_figures.draw(list(verdicts(failure, ALL, METRICS)), others, width)
    found, boxes = re.findall(r'<text x="([-\d.]+)" y="([\d.]+)"(?: text-anchor="(\w+)")?[^>]*>([^<]+)<', drawing), []
    for x, y, anchor, said in found:
        wide = 6.6 * len(html.unescape(said))  # about an average letter of 13 px
        left = float(x) - {"end": wide, "middle": wide / 2}.get(anchor, 0)
        boxes.append((left, float(y) - 11, left + wide, float(y) + 3, said))
    assert len(boxes) >= 20 and max(box[3] for box in boxes) < height
    for one, other in itertools.combinations(boxes, 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart, (one[4], other[4])


def test_a_negative_distance_draws_no_bar_to_the_left():
    failure = measured("gan", "failure", {"kid": -0.001}, "mnist/gan", "collapse")
    assert 'width="-' not in failure_figures.figure(list(verdicts(failure, ALL, METRICS)), {}, "x")


@pytest.mark.parametrize(
    ("value", "expected"), [(0.0, 1), (-3, 1), (0.97, 1), (1.0, 1), (1.01, 1.2), (31.1, 40), (898, 1000)]
)
def test_scales_end_on_round_numbers(value, expected):
    assert failure_figures.ceiling(value) == pytest.approx(expected)


def test_the_table_has_a_cell_for_each_metric_and_failure():
    found = list(verdicts(measured("gan", "failure", GOOD, "mnist/gan", "collapse"), ALL, METRICS))
    table = failure_figures.glance(["one & two", "three"], [found, found[:1]])
    assert table.count("<td") == 1 + 8 and table.count('class="none"') == 3
    assert "one &amp; two" in table


# ---- the shipped rows


def test_the_stated_answers_are_those_of_the_shipped_rows():
    """What `FAILURES` says of the MNIST models is what was measured on them."""
    good, _ = rows.read(rows.rows_path("mnist", checkpoint.roots()[0]))
    titles = {name: family.title for name, family in FAMILIES.items()}
    found = join("mnist", good, titles, {}, {})
    if not found.failures:
        pytest.skip("no failure has been measured: python -m gencore evaluate --points failures")
    for failure in found.failures:
        answers = {one.metric.key: one.word for one in verdicts(failure, found, METRICS)}
        stated = FAILURES[failure.failure]
        assert {key: answers[key] for key in stated.notices} == dict.fromkeys(stated.notices, NOTICES), stated.key
        assert {key: answers[key] for key in stated.fooled} == dict.fromkeys(stated.fooled, FOOLED), stated.key
