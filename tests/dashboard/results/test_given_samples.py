"""Samples that were made elsewhere stand beside the families: with a time as stated, or without one, which is said."""

import re

from dashboard import theme
from dashboard.figures import pareto, table, triangle, untimed
from dashboard.results.explanations import more_generations
from dashboard.results.operating_points import join
from dashboard.results.question import ask
from gencore.evaluation.rows import check
from tests.support.invented import cost, quality, real, scores

LOOKS = {"coverage": 0.9, "precision": 0.9, "sharpness": 1.0}
STATED = {"ms_per_image": 0.25, "calls": 4, "machine": "A100"}


def given(name="StyleGAN2", kid=0.002, n=2000, recall=0.9, **more):
    row = quality(name, "samples", "as given", "headline", {}, n, scores(3, kid=kid, recall=recall, **LOOKS))
    return row | {"kind": "samples", "hashes": {"samples": "0" * 16}, "training": {}, **more}


def measured(*more):
    own = quality("mnist/vae", "vae", "fitted prior", "headline", {}, 2000, scores(3, kid=0.01, **LOOKS))
    rows = [real(2000, scores(3, kid=0.0006, **LOOKS)), own, cost(own, 1.0), *more]
    for row in rows:
        check(row)
    return join("mnist", rows, {"vae": "VAE"}, {}, {})


def test_without_a_time_they_stand_on_the_other_axes_and_the_page_says_so():
    found = measured(given())
    assert [(point.title, point.checkpoint, point.ms_per_image) for point in found.points] == [
        ("VAE", "mnist/vae", 1.0), ("Samples", "StyleGAN2", None),
    ]  # fmt: skip
    question = ask(found)
    assert [point.family for point in question.points] == ["vae"], "the charts have an axis of time"
    [words] = [sentence for sentence in question.left_out if "StyleGAN2" in sentence]
    assert words.startswith("Samples (StyleGAN2), as given: KID 0.002") and "recall 0.898" in words
    assert "Its speed is unknown" in words
    assert words.endswith("evaluate --samples FILE --data mnist --name StyleGAN2 --ms-per-image MS")


def spots(drawing, family):
    """Where a family's marks stand in the wide drawing: pixels to the right and downwards."""
    wide = drawing.partition('class="fig narrow"')[0]
    marks = re.findall(r'translate\(([\d.]+) ([\d.]+)\) scale\(\d+\)" style="[^"]*--mark-(\w+)', wide)
    return [(float(x), float(y)) for x, y, mine in marks if mine == family]


def test_without_a_time_they_are_drawn_against_quality_and_diversity():
    found = measured(given(recall=0.5), given("Worse", 0.05, recall=0.3))
    card = untimed.card(ask(found))
    assert "How fast StyleGAN2 and Worse are made is unknown" in card
    (own,), (good, worse) = spots(card, "vae"), sorted(spots(card, "samples"), reverse=True)
    assert worse[0] < good[0] < own[0], "to the right is more recall: 0.3, 0.5, and 0.9 of the VAE"
    assert good[1] < own[1] < worse[1], "upwards is less KID: 0.002, 0.01, 0.05"
    assert "StyleGAN2</text>" in card and re.search(r"<title>Samples \(Worse\), as given: KID 0\.05", card)


def test_the_chart_is_there_where_nothing_has_a_time_and_not_where_all_have_one():
    alone = join("mnist", [given(kid=-0.0001)], {"vae": "VAE"}, {}, {})
    assert len(spots(untimed.card(ask(alone)), "samples")) == 1
    assert not ask(alone).points
    assert untimed.card(ask(measured())) == untimed.card(ask(measured(given(stated=STATED)))) == ""


def test_another_n_is_hollow_and_its_diversity_said_to_be_of_another_n():
    card = untimed.card(ask(measured(given(n=500))))
    assert "fill:var(--card);stroke:var(--mark-samples)" in card
    assert "Hollow: measured at another n, where recall cannot be compared." in card


def test_with_a_time_they_stand_in_every_chart_and_the_page_says_whose_it_is():
    question = ask(measured(given(stated=STATED)))
    point = question.points[1]
    assert (point.family, point.ms_per_image, point.calls, point.cost) == ("samples", 0.25, 4, None)
    assert question.front == [1], "faster and better"
    assert "--mark-samples" in triangle.draw(question) and "--mark-samples" in pareto.draw(question)
    assert any("as fast as was stated" in words and "A100" in words for words in question.left_out)
    asked = more_generations(point)
    assert "--samples FILE --data mnist --name StyleGAN2 --ms-per-image 0.25 --calls 4 --machine A100" in asked


def test_the_table_has_their_scores_and_says_what_was_only_stated():
    cells = table.cells(measured(given(stated=STATED)).points[1], {}, ["classifier"])[""]
    assert cells["ms"] == [0.25, "0.250 (stated)"] and cells["machine"][1] == "A100 (stated)"
    assert "checkpoint" not in cells
    assert not {"ms", "calls"} & set(table.cells(measured(given()).points[1], {}, ["classifier"])[""])


def test_two_models_samples_are_two_points_and_the_last_row_of_one_counts():
    found = measured(given("a", 0.01), given("b", 0.02), given("a", 0.03))
    assert {point.checkpoint: round(point.score("kid").mean, 2) for point in found.points[1:]} == {"a": 0.03, "b": 0.02}
    assert len({point.key for point in found.points}) == 3


def test_they_are_a_grey_diamond():
    look = theme.style("samples")
    assert look.marker == "diamond" and look.mark == theme.TOKENS["quiet"]
    assert "--mark-samples" in theme.variables(["vae"]) and ".f-samples" in theme.variables(["vae"])
