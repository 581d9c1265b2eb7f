"""How an answer fares in other features, on rows whose winner by each is known."""

from functools import partial

import numpy as np

from dashboard.figures.table import table
from dashboard.results import opinions
from dashboard.results.operating_points import join
from dashboard.results.question import ask
from dashboard.results.recommendation import kept_within, weighed
from tests.support.invented import BASELINE
from tests.support.questions import TITLES, found, measure, point

SEES = {"classifier": "see classes", "pixels": "see ink", "random": "see texture"}


def judged(family, label, ms, **kids):
    """A point with another KID in the features of each extractor; 0.9 is its recall in all."""
    rows = point(family, label, ms, coverage=0.9, kid=kids["classifier"])
    rows[0]["scores"] |= {name: found(coverage=0.9, kid=kid)["classifier"] for name, kid in kids.items()}
    return rows


def fares(*points, weights=(1, 1, 1), sees=SEES, **asked):
    question = ask(measure(*points, sees=sees), **asked)
    questions = opinions.elsewhere(question)
    [words], index = opinions.sentences(questions, partial(weighed, weights=np.array([weights])))
    assert index.tolist() == [0]
    return words


def test_who_wins_by_which_features_is_said_with_what_they_see():
    vae = judged("vae", "a", 1.0, classifier=0.004, pixels=0.05)
    gan = judged("gan", "b", 1.0, classifier=0.03, pixels=0.006)
    assert fares(vae, gan) == (
        "By classifier features the VAE, by pixels the GAN: they disagree because classifier features see classes; "
        "pixels features see ink."
    )
    turned = fares(vae, gan, extractor="pixels")
    assert turned.startswith("By pixels features the GAN, by classifier the VAE: they disagree because pixels")
    assert fares(vae, gan, sees={}) == "By classifier features the VAE, by pixels the GAN."


def seen(*points, weights=(1, 1, 1), **asked):
    question = ask(measure(*points, sees=SEES), **asked)
    case = partial(weighed, weights=np.array([weights]))
    [told], index = opinions.told(opinions.elsewhere(question), case, opinions.sharp(question))
    assert index.tolist() == [0]
    return [(eye.name, eye.family, eye.words) for eye in told.eyes], told.words


def sharp_as(rows, value, n=None):
    """The same point with another sharpness."""
    for scores in rows[0]["scores"].values():
        scores["sharpness"] = found(coverage=0.9, sharpness=value)["classifier"]["sharpness"]
    rows[0]["n"] = n or rows[0]["n"]
    return rows


def test_each_pair_of_eyes_names_a_family_and_sharpness_is_one_of_them():
    vae = sharp_as(judged("vae", "a", 1.0, classifier=0.004, pixels=0.05), 0.6)
    gan = sharp_as(judged("gan", "b", 1.0, classifier=0.03, pixels=0.006), 0.98)
    eyes, words = seen(vae, gan)
    assert eyes == [("classifier", "vae", "VAE"), ("pixels", "gan", "GAN"), ("sharpness", "gan", "GAN")]
    assert words == fares(vae, gan) and "sharpness" not in words, "the sentence is on features"
    assert seen(vae, gan, weights=(0, 0, 0)) == ([], ""), "no weight"
    assert [name for name, *_ in seen(vae, gan, quality="sharpness")[0]] == ["classifier", "pixels"]
    assert seen(vae)[0] == [], "one family"


def test_sharpness_is_compared_at_one_n_alone_and_of_the_questions_own_points():
    vae = sharp_as(judged("vae", "a", 1.0, classifier=0.004, pixels=0.05), 0.6)
    gan = sharp_as(judged("gan", "b", 1.0, classifier=0.03, pixels=0.006), 0.98, n=2000)
    question = ask(measure(vae, gan, sees=SEES), n=5000)
    assert len(question.points) == 2 and opinions.sharp(question) == {}


def test_agreement_is_said_too_and_any_number_of_extractors_may_speak():
    vae = judged("vae", "a", 1.0, classifier=0.004, pixels=0.005, random=0.004)
    gan = judged("gan", "b", 1.0, classifier=0.03, pixels=0.06, random=0.03)
    assert fares(vae, gan) == "All features agree on the VAE: classifier, pixels and random."
    gan = judged("gan", "b", 1.0, classifier=0.03, pixels=0.06, random=0.0005)
    assert fares(vae, gan).startswith("By classifier and pixels features the VAE, by random the GAN: they disagree")


def test_nothing_is_said_where_there_is_nothing_to_disagree_on():
    vae = judged("vae", "a", 1.0, classifier=0.004, pixels=0.05)
    gan = judged("gan", "b", 1.0, classifier=0.03, pixels=0.006)
    alone = point("vae", "a", 1.0, kid=0.004, coverage=0.9), point("gan", "b", 1.0, kid=0.03, coverage=0.9)
    assert fares(*alone) == "", "one extractor"
    assert fares(vae) == "", "one family"
    assert fares(vae, gan, weights=(0, 0, 0)) == "", "no weight"
    assert fares(vae, gan, quality="sharpness", diversity="class_balance") == "", "no features asked"


def test_points_that_a_budget_leaves_out_are_out_by_all_features():
    vae = judged("vae", "a", 1.0, classifier=0.004, pixels=0.05)
    gan = judged("gan", "b", 10.0, classifier=0.03, pixels=0.006)
    questions = opinions.elsewhere(ask(measure(vae, gan)))
    budgets = np.array([[20.0, 0.0], [2.0, 0.0], [0.1, 0.0]])
    told, index = opinions.sentences(questions, partial(kept_within, budgets=budgets))
    assert [told[i].partition(":")[0].rstrip(".") for i in index] == [
        "By classifier features the VAE, by pixels the GAN", "All features agree on the VAE", ""]  # fmt: skip


def test_features_that_cannot_rank_say_so():
    wild = np.array([0.2, 1.0, 1.8])
    vae = judged("vae", "a", 1.0, classifier=0.004, pixels=0.05)
    gan = judged("gan", "b", 1.0, classifier=0.03, pixels=0.06)
    for rows, mean in ((vae, 0.05), (gan, 0.06)):
        values = (mean * wild).tolist()
        rows[0]["scores"]["pixels"]["kid"] = {"mean": mean, "low": mean - 0.1, "high": mean + 0.1, "values": values}
    assert fares(vae, gan) == "By classifier features the VAE, by pixels not known yet."


def test_rows_that_lack_an_extractor_are_counted_with_the_command():
    old, new = point("gan", "b", 1.0, kid=0.03, coverage=0.9), judged("vae", "a", 1.0, classifier=0.004, pixels=0.05)
    question = ask(measure(old, new))
    [words] = opinions.lacking(opinions.elsewhere(question))
    assert words == (
        "1 of 2 points have no KID or recall in pixels features, which are not asked therefore: "
        "python -m gencore evaluate mnist/gan --points headline"
    )
    asked = ask(measure(old, new), extractor="pixels")
    assert [one.label for one in asked.points] == ["a"]
    assert "1 point is left out for want of KID in pixels features." in asked.left_out[0]
    assert opinions.lacking(opinions.elsewhere(asked)) == []


def test_features_that_have_not_seen_all_points_are_not_heard():
    """They would recommend another for want of a score, and be said to see something else."""
    vae = judged("vae", "a", 1.0, classifier=0.03, pixels=0.006)
    gan = judged("gan", "b", 1.0, classifier=0.004, pixels=0.002)
    flow = judged("flow", "c", 1.0, classifier=0.05, pixels=0.05)
    assert fares(vae, gan, flow) == "All features agree on the GAN: classifier and pixels."
    del gan[0]["scores"]["pixels"]
    assert fares(vae, gan, flow) == ""
    assert fares(vae, gan, flow, extractor="pixels") == "All features agree on the VAE: pixels and classifier."


def test_points_that_other_features_lack_are_counted_one_by_one():
    """As many may be there that the question does not have; and a diversity may be lacking alone."""
    vae, gan = (judged(family, "a", 1.0, classifier=0.03, pixels=0.006) for family in ("vae", "gan"))
    del vae[0]["scores"]["classifier"], gan[0]["scores"]["pixels"]
    ddpm = judged("ddpm", "a", 1.0, classifier=0.03, pixels=0.006)
    del ddpm[0]["scores"]["pixels"]["recall"]
    measured = measure(vae, gan, ddpm)
    by_recall, by_coverage = (ask(measured, diversity=key, extractor="classifier") for key in ("recall", "coverage"))
    assert opinions.lacking(opinions.elsewhere(by_recall))[0].startswith("2 of 2 points have no KID or recall in pix")
    assert opinions.lacking(opinions.elsewhere(by_coverage))[0].startswith("1 of 2 points have no KID or coverage in")
    assert "mnist/gan" in opinions.lacking(opinions.elsewhere(by_coverage))[0]


def test_the_data_sets_own_features_come_first_and_unknown_ones_fall_back_to_them():
    measured = measure(judged("vae", "a", 1.0, classifier=0.004, pixels=0.05), extractor="pixels")
    assert measured.extractors == ("pixels", "classifier")
    assert ask(measured).extractor == ask(measured, extractor="none such").extractor == "pixels"
    assert ask(measured, extractor="classifier").extractor == "classifier"
    assert ask(join("mnist", [], TITLES, {}, {})).extractor == "classifier"
    other = measure(point("vae", "a", 1.0, kid=0.01, coverage=0.9), extractor="not measured yet")
    assert ask(other).extractor == other.usual_extractor == "classifier"


def test_features_that_few_points_have_scores_in_are_not_the_usual_ones():
    """One new row, with scores in more features, must not leave out all that were measured before."""
    old = [judged("vae", f"old {place}", 1.0, classifier=0.004, pixels=0.05) for place in range(3)]
    new = judged("gan", "new", 1.0, classifier=0.02, pixels=0.04, own=0.01)
    measured = measure(*old, new, extractor="own")
    assert measured.usual_extractor == measured.extractors[0] == ask(measured).extractor == "classifier"
    assert table(measured, {}, {})["extractors"][0] == "classifier", "what an address does not name"
    assert len(ask(measure(*old, new, extractor="own")).points) == 4
    assert measure(old[0], new, extractor="own").usual_extractor == "own"
    assert measure(old[0], new, extractor="own").extractors[0] == "own"


def test_features_that_real_images_alone_have_scores_in_are_not_offered_for_points():
    measured = measure(point("vae", "a", 1.0, kid=0.01, coverage=0.9))
    measured.baselines[5000].quality["scores"]["own"] = found(**BASELINE)["classifier"]
    assert measured.extractors == ("classifier", "own") and measured.compared == ("classifier",)
    assert ask(measured, extractor="own").extractor == "classifier"
    assert list(opinions.elsewhere(ask(measured))) == ["classifier"]
