"""Which model to use: the answers to questions whose right answer is known, on rows made by hand."""

import copy
import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from dashboard.results import explanations, intervals, recommendation
from dashboard.results.axes import DIVERSITIES, QUALITIES, SPEED, Scale
from dashboard.results.operating_points import Score, join, knobs_key, machine_key
from dashboard.results.question import ask, name, unmeasured
from dashboard.results.recommendation import weigh, within
from gencore.family import Point
from tests.support.invented import MACHINE, cost
from tests.support.questions import TITLES, measure, point, trio

NOISE = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
GPU = {**MACHINE, "device": "cuda", "name": "Test Accelerator"}


def answer_to(question, *weights):
    answers, index = weigh(question, np.array([weights]))
    return answers[index[0]]


def budget(question, ms, coverage):
    answers, index = within(question, np.array([[ms, coverage]]))
    return answers[index[0]]


def label(question, place):
    return None if place is None else question.points[place].label


# ---- ties


# Table of percentage points of Student's t, 97.5%: Fisher and Yates (1938), to three decimals.
@pytest.mark.parametrize(("freedom", "printed"), [(1, 12.706), (2, 4.303), (4, 2.776), (8, 2.306), (30, 2.042)])
def test_students_quantile_is_the_printed_one(freedom, printed):
    assert intervals.student(freedom) == pytest.approx(printed, abs=5e-4)


@pytest.mark.parametrize("freedom", [1, 1.7, 2, 3.3, 4, 8, 30, 200])
def test_students_quantile_holds_95_percent_of_the_density(freedom):
    """With t = sqrt(freedom) tan(angle) the density is cos(angle) ** (freedom - 1)."""
    angles = np.linspace(0, math.pi / 2, 400_001)
    density = np.cos(angles) ** (freedom - 1)
    mass = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    angle = math.atan(intervals.student(freedom) / math.sqrt(freedom))
    assert np.interp(angle, angles, mass / mass[-1]) == pytest.approx(0.95, abs=1e-6)


@pytest.mark.parametrize(("sizes", "spreads"), [((5, 5), (1, 1)), ((5, 3), (1, 4)), ((3, 3), (0.2, 2))])
def test_the_interval_of_a_difference_is_welchs(sizes, spreads):
    random = np.random.default_rng(3)
    a, b = (random.normal(0.9, 0.01 * spread, size) for size, spread in zip(sizes, spreads, strict=True))
    one, other = (Score(x.mean(), 0, 0, tuple(x)) for x in (a, b))
    low, high = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    recall = DIVERSITIES["recall"]
    assert recall.difference(one, other) == pytest.approx((a.mean() - b.mean(), low, high), rel=1e-4)
    flipped = QUALITIES["kid"].difference(one, other)
    assert flipped == pytest.approx((b.mean() - a.mean(), -high, -low), rel=1e-4), "lower is better"


def test_one_generation_is_too_few_to_call_a_tie():
    lone = Score(0.5, 0.5, 0.5, (0.5,))
    assert math.isnan(DIVERSITIES["recall"].difference(lone, lone)[1])
    rows = [point(f, f, ms, kid=0.01, coverage=0.9, generations=1) for f, ms in (("vae", 1.0), ("gan", 1.0))]
    question = ask(measure(*rows))
    assert not question.equals[0][0, 1]
    assert "too few generations" in explanations.against(question, *question.points, question.quality)


def test_equal_values_without_spread_tie():
    assert DIVERSITIES["recall"].difference(*[Score(0.5, 0.5, 0.5, (0.5, 0.5))] * 2) == (0, 0, 0)


def test_blur_and_noise_as_far_from_real_tie():
    axis = QUALITIES["sharpness"]
    blur, noise = (Score(v, v, v, tuple(v + 0.01 * NOISE)) for v in (0.8, 1.25))
    gap, low, high = axis.difference(blur, noise)
    assert low < 0 < high and abs(gap) < 1e-3


@pytest.mark.parametrize(
    ("key", "interval", "baseline", "reached"),
    [
        ("kid", (0.004, 0.006), (0.001, 0.004), True),
        ("kid", (0.005, 0.006), (0.001, 0.004), False),
        ("kid", (-0.002, -0.001), (0.001, 0.004), True),  # better than real is as good as real
        ("precision", (0.90, 0.94), (0.93, 0.97), True),
        ("precision", (0.90, 0.92), (0.93, 0.97), False),
        ("precision", (0.98, 0.99), (0.93, 0.97), True),
        ("sharpness", (1.10, 1.20), (0.99, 1.01), False),  # noise
        ("sharpness", (0.80, 0.90), (0.99, 1.01), False),  # blur
        ("sharpness", (0.95, 1.20), (0.99, 1.01), True),
    ],
)
def test_as_good_as_real_only_if_the_interval_reaches_real_datas(key, interval, baseline, reached):
    one, other = (Score(sum(ends) / 2, *ends) for ends in (interval, baseline))
    assert QUALITIES[key].reaches(one, other) is reached


# ---- the triangle's mapping

RAW = {"kid": np.geomspace(1e-4, 10, 200), "precision": np.linspace(0, 1.2, 200), "density": np.linspace(0, 2, 200),
       "sharpness": np.linspace(0.01, 4, 200)}  # fmt: skip


@pytest.mark.parametrize("key", list(QUALITIES))
def test_the_mapping_is_monotone_and_clamped(key):
    scale = ask(trio(), key).scales[0]
    raw = sorted(RAW[key], key=scale.axis.worth)
    places = [scale.place(value) for value in raw]
    assert all(one <= other for one, other in itertools.pairwise(places))
    assert 0 <= places[0] < places[-1] == 1
    assert scale.place(scale.rim) == pytest.approx(1)
    assert scale.place(scale.axis.facing(trio().baseline(5000).score(key))) == pytest.approx(1)


def test_a_decade_of_time_is_a_fifth_of_the_way():
    scale = ask(trio()).scales[2]
    assert (scale.rim, scale.centre) == (0.1, 10_000)
    np.testing.assert_allclose([scale.place(10.0**d) for d in range(-1, 5)], [1, 0.8, 0.6, 0.4, 0.2, 0], atol=1e-12)
    assert scale.place(0.01) == 1 and scale.place(1e9) == 0


def test_a_negative_distance_is_at_the_rim():
    scale = Scale(QUALITIES["kid"], 0.001, 1.0)
    assert scale.place(-0.0005) == 1
    rows = measure(point("vae", "lucky", 1.0, kid=-0.001, coverage=0.9), baseline=False)
    question = ask(rows)
    assert question.scales[0].rim > 0 and question.places[0, 0] == 1


def test_ticks_lie_inside():
    for key in QUALITIES:
        for scale in ask(trio(), key).scales:
            assert scale.ticks and all(0 < scale.place(tick) < 1 for tick in scale.ticks)


def test_no_points_make_an_empty_question():
    question = ask(join("mnist", [], TITLES, {}, {}))
    assert question.points == () and question.front == [] and question.families == ()
    answers, index = weigh(question, np.ones((3, 3)))
    assert [answers[i].best for i in index] == [None] * 3
    assert budget(question, 10, 0.5).best is None


# ---- weights


def test_one_weight_takes_the_best_of_its_corner():
    question = ask(trio())
    assert label(question, answer_to(question, 1, 0, 0).best) == "good"
    assert label(question, answer_to(question, 0, 1, 0).best) == "good"
    assert label(question, answer_to(question, 0, 0, 1).best) == "quick"


def test_the_answer_is_the_largest_weighted_mean_of_places():
    question = ask(trio())
    grid = np.random.default_rng(1).uniform(0.01, 1, (200, 3))
    answers, index = weigh(question, grid)
    expected = [max(range(3), key=lambda i: float(question.places[i] @ weights)) for weights in grid]
    assert [answers[i].best for i in index] == expected
    assert len(set(expected)) > 1


def test_only_the_ratio_of_weights_counts():
    question = ask(trio())
    grid = np.random.default_rng(2).uniform(0.01, 1, (50, 3))
    (one, places), (other, again) = weigh(question, grid), weigh(question, 70 * grid)
    assert [one[i].best for i in places] == [other[i].best for i in again]


def test_no_weight_at_all_says_what_to_do():
    question = ask(trio())
    answer = answer_to(question, 0, 0, 0)
    assert answer.best is None and answer.families == (None, None, None)
    assert explanations.nothing(question, answer) == "Give at least one of the three a weight above 0."


def test_a_tie_goes_to_the_faster_and_is_said_to_be_one():
    question = ask(measure(
        point("ddpm", "slow", 500.0, kid=0.0100, coverage=0.9, spread=0.2),
        point("ddpm", "quick", 10.0, kid=0.0102, coverage=0.9, spread=0.2, kind="sweep"),
        point("vae", "other", 1.0, kid=0.5, coverage=0.3),
    ))  # fmt: skip
    answer = answer_to(question, 1, 0, 0)
    assert label(question, answer.leader) == "slow" and label(question, answer.best) == "quick"
    words = explanations.tie_broken(question, answer)
    assert words.startswith("DDPM, slow scores higher by these weights, but KID") and "is equal" in words
    assert "takes 50 times as long" in words and "recall" not in words


def test_a_tie_cites_only_what_counts():
    question = ask(measure(
        point("gan", "first", 0.500, kid=0.30, coverage=0.5),
        point("gan", "second", 0.505, kid=0.01, coverage=0.9, kind="sweep"),
    ))  # fmt: skip
    answer = answer_to(question, 0, 0, 5)
    assert (label(question, answer.leader), label(question, answer.best)) == ("first", "second")
    assert (answer.quality, answer.diversity) == (False, False)
    assert explanations.tie_broken(question, answer) == (
        "GAN, first scores higher by these weights, but it is no faster."
    ), "quality and coverage have no weight, so how they differ did not decide"
    tied = ask(measure(
        point("ddpm", "slow", 500.0, kid=0.0100, coverage=0.90, spread=0.2),
        point("ddpm", "quick", 10.0, kid=0.0102, coverage=0.85, kind="sweep", spread=0.2),
    ))  # fmt: skip
    within_limits = budget(tied, 1000, 0.5)
    assert label(tied, within_limits.best) == "quick"
    words = explanations.tie_broken(tied, within_limits)
    assert words.startswith("DDPM, slow has the better mean, but KID") and "recall" not in words


def test_a_real_difference_is_no_tie_however_slow():
    question = ask(measure(
        point("ddpm", "slow", 500.0, kid=0.0100, coverage=0.9),
        point("ddpm", "quick", 10.0, kid=0.0110, coverage=0.9, kind="sweep"),
    ))  # fmt: skip
    answer = answer_to(question, 1, 0, 0)
    assert label(question, answer.best) == "slow" and explanations.tie_broken(question, answer) == ""


def test_equal_times_go_to_the_better():
    question = ask(measure(
        point("gan", "poor", 0.500, kid=0.3, coverage=0.5),
        point("gan", "fine", 0.505, kid=0.01, coverage=0.9, kind="sweep"),
    ))  # fmt: skip
    assert label(question, answer_to(question, 0, 0, 1).best) == "fine"


def test_every_family_has_its_own_best_and_the_runner_up_is_another_family():
    question = ask(trio())
    answer = answer_to(question, 70, 50, 40)
    assert sorted(answer.families) == [0, 1, 2] and answer.best in answer.families
    assert question.points[answer.runner].family != question.points[answer.best].family


def test_with_one_family_the_runner_up_is_its_next_point():
    rows = measure(point("vae", "a", 1.0, kid=0.01, coverage=0.9), point("vae", "b", 1.0, kid=0.1, coverage=0.8))
    question = ask(rows)
    answer = answer_to(question, 1, 1, 1)
    assert (label(question, answer.best), label(question, answer.runner)) == ("a", "b")
    once = "The VAE was trained on 500,000 images in 100 minutes (CPU) with 1 million parameters."
    assert explanations.trained(question, answer) == once, "one model was trained once"
    alone = ask(measure(point("vae", "a", 1.0, kid=0.01, coverage=0.9)))
    assert answer_to(alone, 1, 1, 1).runner is None
    assert explanations.trained(alone, answer_to(alone, 1, 1, 1)) == once


def test_a_family_that_wins_everywhere_is_named_with_what_the_features_miss():
    question = ask(measure(
        point("vae", "best", 0.5, kid=0.005, coverage=0.95, sharpness=0.8),
        point("gan", "worse", 1.0, kid=0.05, coverage=0.8),
        sees={"classifier": "forgive blur"},
    ))  # fmt: skip
    grid = np.array([(q, d, s) for q in range(3) for d in range(3) for s in range(3)])
    answers, _ = weigh(question, grid)
    assert recommendation.winner_everywhere(question, answers) == "vae"
    unknown = recommendation.Answer(leader=0)
    assert recommendation.winner_everywhere(question, [*answers, unknown]) == "", "somewhere it is not known"
    assert recommendation.winner_everywhere(question, [*answers, recommendation.Answer()]) == "vae", "nothing fits"
    words = explanations.everywhere(question, "vae")
    assert (
        "wins at every weight" in words
        and "Classifier features forgive blur." in words
        and "sharpness is 0.80" in words
    )
    assert recommendation.winner_everywhere(ask(trio()), weigh(ask(trio()), grid)[0]) == ""


# ---- what is not known


def rough(family, label, ms, kid, spread=1.2, **more):
    """A point of two generations that lie far from each other."""
    return point(family, label, ms, kid=kid, coverage=0.9, spread=spread, generations=2, **more)


def test_a_wild_point_never_wins_neither_by_its_mean_nor_by_a_tie():
    fine = point("vae", "fine", 5.0, kid=0.020, coverage=0.9), point("gan", "other", 9.0, kid=0.05, coverage=0.8)
    grid = np.random.default_rng(4).uniform(0.01, 1, (200, 3))
    for wild in (rough("ddpm", "lucky", 9.0, 0.01), rough("ddpm", "quick", 1.0, 0.0201)):
        question = ask(measure(*fine, wild))
        assert question.rough[0].tolist() == [False, False, True]
        for answers, _ in (weigh(question, grid), within(question, np.array([[1e4, 0], [1e4, 0.5]]))):
            assert {question.points[answer.best].family for answer in answers} <= {"vae", "gan"}
            assert all(question.points[place].family != "ddpm" for one in answers for place in (one.leader, one.runner))
        assert [question.points[i].label for i in question.front] == ["fine"]
    assert label(question, answer_to(question, 0, 0, 1).best) == "quick", "nothing is unknown about its time"
    assert explanations.unranked(question).startswith(
        "1 point has too few generations to be ranked, drawn faintly and never recommended (by KID: DDPM, quick; by "
        "recall: DDPM, quick). More: python -m gencore evaluate mnist/ddpm --points headline --n 5000 --generations 5"
    )
    assert answer_to(question, 1, 1, 1).families[question.families.index("ddpm")] == 2, "its means are shown"


def test_where_no_point_is_known_well_enough_the_answer_is_not_known():
    question = ask(measure(rough("vae", "a", 1.0, 0.01), rough("gan", "b", 2.0, 0.012)))
    for answer in (answer_to(question, 1, 1, 1), budget(question, 100, 0.5)):
        assert answer.best is None and answer.runner is None and answer.unranked
        assert label(question, answer.leader) == "a" and set(answer.families) == {0, 1}
        first = question.points[0]
        kid, recall = (
            explanations.plus_minus(axis, question.score(first, axis))
            for axis in (question.quality, question.diversity)
        )
        assert explanations.nothing(question, answer) == (
            "Not known yet: the points that fit have too few generations to be ranked by KID and recall. By means "
            f"alone VAE, a leads, KID {kid} and recall {recall}. Measure more generations: "
            "python -m gencore evaluate mnist/vae --points headline --n 5000 --generations 5"
        )
    assert not answer_to(question, 0, 0, 0).unranked and not budget(question, 0.1, 0).unranked


def test_a_rough_point_that_is_apart_from_all_others_may_win():
    question = ask(measure(
        point("vae", "best", 1.0, kid=0.004, coverage=0.9, spread=0.12),
        point("gan", "poor", 1.0, kid=0.03, coverage=0.9),
    ))  # fmt: skip
    score = question.score(question.points[0], question.quality)
    assert score.half > 0.1 * score.mean, "too wide to be called equal to anything"
    assert question.ranked[0].all() and label(question, answer_to(question, 1, 0, 0).best) == "best"


def test_generations_of_the_same_noise_are_compared_as_pairs():
    rows = [point("ddpm", name, ms, kid=kid, coverage=0.9, spread=0.3) for name, ms, kid in
            (("slow", 50.0, 0.0100), ("quick", 5.0, 0.0103))]  # fmt: skip
    question = ask(measure(*rows))
    paired = question.compare(question.quality, *question.points)
    rows[1][0]["seeds"] = [10, 14]
    apart = ask(measure(*rows))
    welch = apart.compare(apart.quality, *apart.points)
    assert paired.high - paired.low < (welch.high - welch.low) / 5
    assert (paired.verdict, welch.verdict) == ("equal", "not known")
    words = explanations.against(apart, *reversed(apart.points), apart.quality)
    assert "is not known to differ, nor to be equal (95% interval of the difference" in words


# ---- what diversity means


@pytest.mark.parametrize(
    ("key", "winner"), [("recall", "vae"), ("coverage", "gan"), ("vendi_ratio", "ddpm"), ("class_balance", "flow")]
)
def test_the_meaning_of_diversity_decides(key, winner):
    """Each family is the best by one diversity alone."""
    usual = {"recall": 0.6, "coverage": 0.6, "vendi_ratio": 1.5, "class_balance": 0.3}
    best = {"recall": 0.9, "coverage": 0.9, "vendi_ratio": 0.99, "class_balance": 0.02}
    families = dict(zip(DIVERSITIES, ("vae", "gan", "ddpm", "flow"), strict=True))
    rows = [point(family, "a", 1.0, kid=0.01, **{**usual, mine: best[mine]}) for mine, family in families.items()]
    question = ask(measure(*rows, baseline=False), diversity=key)
    for answer in weigh(question, np.array([[0, 1, 0], [1, 100, 1]]))[0]:
        assert question.points[answer.best].family == winner
    share = {"class_balance": 0.9}.get(key, 0.8)
    assert question.points[budget(question, 10, share).best].family == winner
    assert budget(question, 10, 0.999).best is None
    assert question.diversity.name in explanations.reasons(question, answer)
    assert ask(trio(), diversity="no such").diversity.key == "recall"


@pytest.mark.parametrize("key", list(DIVERSITIES))
def test_the_diversities_mapping_is_monotone_too(key):
    real = {"recall": 0.95, "coverage": 0.97, "vendi_ratio": 1.01, "class_balance": 0.03}[key]
    scale = Scale.reaching(DIVERSITIES[key], real)
    raw = sorted(np.linspace(0.001, 1.0 if scale.axis.worst == 1 else 1.5, 200), key=scale.axis.worth)
    places = [scale.place(value) for value in raw]
    assert all(one <= other for one, other in itertools.pairwise(places)) and places[-1] == 1
    assert scale.place(real) == pytest.approx(1) and scale.ticks
    shares = [scale.axis.share(value) for value in raw]
    assert all(one <= other for one, other in itertools.pairwise(shares))
    assert scale.axis.share({"lower": 0.0}.get(scale.axis.better, 1.0)) == 1


# ---- what may be compared with what


def mixed():
    """Headline points at n = 5,000, a sweep at 2,000 with the closest of all, and a higher coverage there."""
    return measure(
        point("vae", "head", 1.0, kid=0.02, coverage=0.80),
        point("ddpm", "head 20", 20.0, kid=0.01, coverage=0.85),
        point("ddpm", "sweep 50", 50.0, n=2000, kind="sweep", kid=0.004, coverage=0.97),
        point("vae", "sweep 0.9", 1.0, n=2000, kind="sweep", kid=0.015, coverage=0.82),
    )


def test_diversity_is_compared_at_one_n_alone():
    question = ask(mixed())
    assert question.n == 5000
    answer = answer_to(question, 1, 100, 1)
    assert label(question, answer.best) == "head 20", "the sweep's higher coverage was measured at another n"
    assert {question.points[i].n for i in answer.families} == {5000}
    assert "2 points measured at n = 5,000: recall may only be compared at equal n" in explanations.candidates(
        question, answer
    )
    assert np.isnan(question.places[:, 1]).tolist() == [point.n != 5000 for point in question.points]
    sweep = ask(mixed(), n=2000)
    assert label(sweep, answer_to(sweep, 1, 100, 1).best) == "sweep 50"


def test_the_key_that_old_links_have_means_kid():
    assert ask(measure(point("vae", "a", 1.0, kid=0.01, coverage=0.9)), quality="kd").quality.key == "kid"


def test_kid_is_compared_across_n_when_nothing_else_is_asked_for():
    question = ask(mixed())
    answer = answer_to(question, 1, 0, 0)
    assert label(question, answer.best) == "sweep 50" and not answer.diversity
    assert "all 4 points" in explanations.candidates(question, answer)
    other = ask(mixed(), n=2000)  # there the closest of another family stands at 5,000
    assert "cannot be compared" in explanations.against(other, other.points[0], other.points[3], DIVERSITIES["recall"])
    assert label(question, budget(question, 100, 0).best) == "sweep 50"
    assert label(question, budget(question, 100, 0.5).best) == "head 20"


def test_the_closest_of_all_is_named_though_it_is_no_candidate():
    question = ask(mixed())
    words = explanations.why_not_closest(question, answer_to(question, 1, 1, 0))
    assert words.startswith("Why not DDPM, sweep 50? KID 0.00400 ± ") and "2.5 times slower" in words


@pytest.mark.parametrize("key", ["precision", "density", "sharpness"])
def test_other_qualities_are_compared_at_one_n_alone(key):
    question = ask(mixed(), key)
    assert {point.n for point in question.points} == {5000}
    assert any("measured at another n than 5,000" in words for words in question.left_out)
    assert key in explanations.candidates(question, answer_to(question, 1, 0, 1))


def test_a_point_measured_at_two_n_is_drawn_once():
    rows = measure(point("vae", "a", 1.0, kid=0.02, coverage=0.8),
                   point("vae", "a", 1.0, n=2000, kid=0.03, coverage=0.8),
                   point("vae", "b", 1.0, n=2000, kind="sweep", kid=0.03, coverage=0.8))  # fmt: skip
    question = ask(rows)
    assert question.sizes == {5000: 1, 2000: 2}
    assert question.n == 2000, "where both n have the headline points, the one with more points"
    assert [(p.label, p.n) for p in question.points] == [("a", 2000), ("b", 2000)]
    assert [(p.label, p.n) for p in ask(rows, n=5000).points] == [("a", 5000), ("b", 2000)]


def test_times_of_two_machines_do_not_mix():
    rows = [point("vae", "a", 5.0, kid=0.02, coverage=0.8), point("gan", "b", 3.0, kid=0.02, coverage=0.8),
            point("ddpm", "c", 0.1, kid=0.001, coverage=0.9, machine=GPU)]  # fmt: skip
    rows[0].append(cost(rows[0][0], 0.01, machine=GPU))
    measured = measure(*rows)
    question = ask(measured)
    assert question.machine.startswith("cpu")
    assert [point.label for point in question.points] == ["a", "b"]
    assert any(f"not timed on {question.machine}" in words and "DDPM, c" in words for words in question.left_out)
    other = ask(measured, machine=next(name for name in measured.machines if name.startswith("cuda")))
    assert [(point.label, point.ms_per_image) for point in other.points] == [("a", 0.01), ("c", 0.1)]


def test_the_machine_at_hand_is_the_usual_one_and_else_the_one_with_most_times():
    rows = [point("vae", "a", 5.0, kid=0.02, coverage=0.8), point("gan", "b", 3.0, kid=0.02, coverage=0.8)]
    rows.append(point("gan", "c", 4.0, kid=0.02, coverage=0.8))
    for one in rows[:2]:
        one.append(cost(one[0], 0.01, machine=GPU))
    measured = measure(*rows)
    cpu, gpu = (next(name for name in measured.machines if name.startswith(kind)) for kind in ("cpu", "cuda"))
    assert ask(measured).machine == ask(measured, here="somewhere else").machine == cpu
    assert ask(measured, here=gpu).machine == gpu and ask(measured, machine=cpu, here=gpu).machine == cpu
    own = replace(measured, costs=[{**row, "local": machine_key(row) == gpu} for row in measured.costs])
    assert ask(own).machine == gpu, "two times of the user's own come before three that were shipped"


def test_a_machine_that_timed_one_family_alone_does_not_hide_the_others():
    """As after one model of the user's own was timed: it is said where, and that machine can be chosen."""
    rows = [point("vae", "a", 5.0, kid=0.02, coverage=0.8), point("gan", "b", 3.0, kid=0.02, coverage=0.8)]
    mine = point("ddpm", "mine", None, checkpoint="runs/mine", kid=0.01, coverage=0.9)
    mine.append(cost(mine[0], 40.0, machine=GPU) | {"local": True})
    measured = measure(*rows, mine)
    cpu, gpu = (next(name for name in measured.machines if name.startswith(kind)) for kind in ("cpu", "cuda"))
    question = ask(measured, here=gpu)
    assert question.machine == cpu and [one.label for one in question.points] == ["a", "b"]
    [words] = [words for words in question.left_out if "not timed on" in words]
    assert words.startswith(f"1 point is not timed on {cpu} and left out (DDPM")
    assert words.endswith(f"evaluate runs/mine --rows cost; 1 timed on {gpu}, to be chosen above")
    assert [one.label for one in ask(measured, machine=gpu, here=gpu).points] == ["mine"]


def test_a_point_timed_in_another_way_is_not_said_to_be_untimed():
    rows = [point("vae", "a", 5.0, kid=0.02, coverage=0.8), point("gan", "b", 3.0, kid=0.02, coverage=0.8)]
    rows[1][1]["settings"] = {**rows[1][1]["settings"], "dtype": "bfloat16"}
    [words] = ask(measure(*rows)).left_out
    assert words.startswith("1 point is left out (GAN, b): timed on cpu, Test Processor, 2 threads in another number ")
    assert words.endswith("alike: python -m gencore evaluate mnist/gan --rows cost --dtype float32")
    assert "not timed" not in words


# ---- rows that cannot be used


def test_a_point_without_a_cost_is_named_and_left_out():
    question = ask(
        measure(
            point("vae", "timed", 1.0, kid=0.02, coverage=0.8), point("gan", "untimed", None, kid=0.01, coverage=0.9)
        )
    )
    assert [point.label for point in question.points] == ["timed"]
    assert question.left_out[0].startswith(
        f"1 point is not timed on {question.machine} and left out (GAN, untimed): python -m"
    )


def test_a_point_without_the_score_is_named_with_its_reason():
    rows = point("vae", "a", 1.0, kid=0.02, coverage=0.8)
    del rows[0]["scores"]["classifier"]["kid"]
    rows[0]["left_out"] = {"classifier": {"kid": "It needs two images."}}
    question = ask(measure(rows, point("gan", "b", 1.0, kid=0.02, coverage=0.8)))
    assert [point.label for point in question.points] == ["b"]
    assert "It needs two images." in question.left_out[0]


def test_stale_points_are_shown_but_never_recommended():
    rows = point("vae", "best", 0.1, kid=0.0007, coverage=0.97), point("gan", "next", 1.0, kid=0.1, coverage=0.5)
    question = ask(measure(*rows, stale=("best",)))
    assert [point.label for point in question.points] == ["best", "next"]
    grid = np.array([(q, d, s) for q in (0, 1) for d in (0, 1) for s in (0, 1)][1:])
    for answers, _ in (weigh(question, grid), within(question, np.array([[1e6, 0], [1e6, 0.1]]))):
        assert {label(question, answer.best) for answer in answers} == {"next"}
    assert [question.points[i].label for i in question.front] == ["next"]
    assert any(words.startswith("1 point is stale, and never recommended") for words in question.left_out)
    all_stale = ask(measure(point("vae", "best", 0.1, kid=0.01, coverage=0.9), stale=("best",)))
    assert "stale" in explanations.nothing(all_stale, answer_to(all_stale, 1, 1, 1))


def test_without_a_baseline_nothing_is_said_of_real_data():
    question = ask(measure(point("vae", "a", 1.0, kid=0.02, coverage=0.8), baseline=False))
    answer = answer_to(question, 1, 1, 1)
    assert explanations.as_real(question, question.points[0]) == ""
    assert "real data" not in explanations.reasons(question, answer)


def test_a_stale_cost_is_not_used_for_a_fresh_point():
    rows = [*point("vae", "a", 5.0, kid=0.02, coverage=0.8), *point("gan", "b", 3.0, kid=0.02, coverage=0.8)]
    old = {1: "The checkpoint has changed."}  # the VAE's cost
    rows.append(cost(rows[0], 0.01, machine=GPU))
    measured = join("mnist", rows, TITLES, {}, old)
    assert measured.points[0].ms_per_image == 0.01, "the next cost that is not stale stands beside the point"
    assert [row["stale"] for row in measured.costs] == ["The checkpoint has changed.", "", ""]
    cpu = next(name for name in measured.machines if name.startswith("cpu"))
    question = ask(measured, machine=cpu)
    assert [point.label for point in question.points] == ["b"]
    assert any(f"not timed on {cpu}" in words and "VAE, a" in words for words in question.left_out)
    alone = join("mnist", rows[:2], TITLES, {}, old)
    assert alone.points[0].cost is None and alone.machines == ()
    both = join("mnist", rows[:2], TITLES, {}, {0: "It has changed.", 1: "It has changed."})
    assert both.points[0].ms_per_image == 5.0, "a point that is stale, and marked, keeps the time of its own weights"


def test_what_is_not_known_falls_back():
    question = ask(trio(), "no such quality", 77, "no such machine")
    assert (question.quality.key, question.n) == ("kid", 5000) and question.machine.startswith("cpu")


def test_declared_points_without_a_row_are_named_with_the_command():
    measured = trio()
    known = measured.points[0]
    declared = [
        (known.checkpoint, known.title, knobs_key(known.knobs), Point(known.label, known.knobs, "headline")),
        *(("mnist/ddpm", "DDPM", f"steps {n}", Point(f"{n} calls", {}, "lecture")) for n in (1000, 500, 200, 100)),
        ("mnist/gan", "GAN", "other", Point("0.5", {}, "sweep")),
    ]
    assert unmeasured(measured, declared) == (
        "Not measured yet: DDPM, 1000 calls; DDPM, 500 calls; DDPM, 200 calls and others "
        "(python -m gencore evaluate mnist/ddpm --points lecture).",
        "Not measured yet: GAN, 0.5 (python -m gencore evaluate mnist/gan --points sweep).",
    )
    assert unmeasured(measured, declared[:1]) == ()


# ---- budgets


def test_a_budget_gives_the_best_quality_that_fits():
    question = ask(trio())
    assert label(question, budget(question, 100, 0.9).best) == "good"
    assert label(question, budget(question, 99, 0).best) == "middling"
    assert label(question, budget(question, 99, 0.8).best) == "middling"
    assert label(question, budget(question, 1, 0.5).best) == "quick"
    answer = budget(question, 99, 0)
    assert answer.families[question.families.index("ddpm")] is None, "it does not fit"


def test_a_budget_that_nothing_fits_names_what_is_nearest():
    question = ask(trio())
    answer = budget(question, 1, 0.9)
    assert answer.best is None
    assert explanations.nothing(question, answer) == (
        "No point that was measured is as fast as that and as diverse. The fastest that is as diverse: "
        "DDPM, good, 100 ms per image. The most diverse within that time: GAN, quick, recall 70.0% ± 0.7."
    )
    hopeless = budget(question, 0.1, 0.99)
    assert "The fastest of all takes 0.500 ms (GAN, quick)." in explanations.nothing(question, hopeless)


def test_distinct_answers_are_few():
    question = ask(trio())
    grid = np.array([(q, d, s) for q in range(0, 101, 10) for d in range(0, 101, 10) for s in range(0, 101, 10)])
    answers, index = weigh(question, grid)
    assert len(index) == 1331 and len(answers) < 30


# ---- the front and the words


def test_nothing_on_the_front_is_beaten_and_everything_off_it_is():
    random = np.random.default_rng(5)
    rows = [
        point("vae", f"p{i}", ms, kid=kid, coverage=0.9) for i, (ms, kid) in enumerate(random.uniform(0.01, 1, (40, 2)))
    ]
    question = ask(measure(*rows))
    kid = np.array([point.score("kid").mean for point in question.points])
    beaten = {i for i in range(40) if ((question.ms < question.ms[i]) & (kid < kid[i])).any()}
    assert set(question.front) == set(range(40)) - beaten
    assert list(question.ms[question.front]) == sorted(question.ms[question.front])


def test_reasons_are_numbers_with_intervals_and_the_baseline():
    question = ask(trio())
    answer = answer_to(question, 1, 0, 0)
    assert explanations.reasons(question, answer) == (
        "KID 0.00500 ± 0.00005 (real data 0.000600 ± 0.000006), recall 95.0% ± 0.9 (real data "
        "97.0% ± 1.0); 100 ms per image in 20 network calls."
    )
    assert explanations.as_real(question, question.points[answer.best]) == "Not as good as real data in KID or recall."
    close = ask(
        measure(point("vae", "a", 1.0, kid=0.02, coverage=0.96), point("vae", "b", 1.0, kid=0.0005, coverage=0.98))
    )
    assert [explanations.as_real(close, one) for one in close.points] == [
        "As good as real data in recall (the intervals meet), not in KID.",
        "As good as real data in KID and recall (the intervals meet).",
    ]


def test_the_runner_up_says_what_it_costs():
    question = ask(trio())
    answer = answer_to(question, 100, 1, 20)
    assert label(question, answer.best) == "good" and label(question, answer.runner) == "middling"
    words = explanations.runner_up(question, answer)
    assert words.startswith("20 times faster; KID 0.0300") and "is 0.0250 worse" in words
    assert "recall 80.0% ± 0.8 is 15.0 points worse (14.0 to 16.0)" in words


def test_unequal_training_is_named():
    rows = [point("vae", "a", 1.0, kid=0.02, coverage=0.8), point("gan", "b", 2.0, kid=0.03, coverage=0.7)]
    question = ask(measure(*rows))
    assert explanations.trained(question, answer_to(question, 1, 1, 1)).startswith(
        "Trained about equally: the VAE on 500,000"
    )
    rows[0][0]["training"] |= {"images": 100_000, "seconds": 60.0}
    question = ask(measure(*rows))
    assert explanations.trained(question, answer_to(question, 1, 1, 1)) == (
        "Trained unequally: the VAE on 100,000 images in 60 seconds (CPU) with 1 million parameters, "
        "the GAN on 500,000 images in 100 minutes (CPU) with 1 million parameters."
    )


@pytest.mark.parametrize(
    ("mean", "half", "words"),
    [(0.02123, 0.0038, "0.021 ± 0.004"), (0.0212, 0.00138, "0.0212 ± 0.0014"), (-0.0002, 0.0005, "−0.0002 ± 0.0005"),
     (1.234, 0.0, "1.23"), (12.0, 3.0, "12 ± 3"), (0.0, 0.0, "0.00")],
)  # fmt: skip
def test_scores_show_what_the_interval_leaves_certain(mean, half, words):
    assert explanations.plus_minus(QUALITIES["kid"], Score(mean, mean - half, mean + half)) == words


def test_times_are_compared_in_words():
    assert [explanations.times(ratio) for ratio in (1 / 240, 0.97, 1.04, 1.7, 3.14)] == [
        "240 times faster", "as fast", "as fast", "1.7 times slower", "3.1 times slower"]  # fmt: skip
    assert SPEED.better == "lower"


def test_another_checkpoint_of_a_family_is_named():
    question = ask(measure(point("gan", "a", 1.0, checkpoint="mnist/gan-minimax", kid=0.02, coverage=0.8)))
    assert name(question.points[0]) == "GAN (gan-minimax), a"


def test_kids_with_two_references_stand_side_by_side_and_it_is_said():
    """Rows made before the KID of every n was against all test images are no less true than they were."""
    old, new = point("vae", "old", 1.0, kid=0.01, coverage=0.9), point("gan", "new", 1.0, kid=0.03, coverage=0.9)
    assert not any("as many test images" in words for words in ask(measure(old, new)).left_out)
    new[0]["scores"]["classifier"]["kid"] |= {"reference": 10_000, "reference_sd": 0.001}
    question = ask(measure(old, new))
    assert len(question.points) == 2 and question.fresh.all()
    [words] = [words for words in question.left_out if "as many test images" in words]
    assert words.startswith("1 point is compared by KID") and "10,000" in words and "VAE, old" in words
    assert words.endswith("python -m gencore evaluate mnist/vae --points all --rows quality")
    assert not any("as many" in words for words in ask(measure(old, new), quality="sharpness").left_out)
    old[0]["scores"]["classifier"]["kid"] |= {"reference": 10_000}
    assert not any("as many" in words for words in ask(measure(old, new)).left_out)


def test_a_point_measured_again_at_another_n_takes_the_old_row_s_place():
    """The old one compares with the first n test images, or has no score in these features."""
    old = point("ddpm", "sweep 50", 50.0, n=5000, kid=0.004, coverage=0.97)
    new = copy.deepcopy(point("ddpm", "sweep 50", None, n=1000, kid=0.006, coverage=0.9))
    new[0]["scores"]["classifier"]["kid"]["reference"] = 10_000
    new[0]["scores"]["self-supervised"] = new[0]["scores"]["classifier"]
    measured = measure(point("vae", "head", 1.0, kid=0.02, coverage=0.8), old, new)
    [found] = [one for one in ask(measured).points if one.label == "sweep 50"]
    assert found.n == 1000
    [found] = ask(measured, extractor="self-supervised").points
    assert found.n == 1000
