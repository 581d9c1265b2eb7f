"""Samples that were made elsewhere stand beside the families: with a time as stated, or without one, which is said."""

from dashboard import theme
from dashboard.figures import pareto, table, triangle
from dashboard.results.explanations import more_generations
from dashboard.results.operating_points import join
from dashboard.results.question import ask
from gencore.evaluation.rows import check
from tests.support.invented import cost, quality, real, scores

LOOKS = {"coverage": 0.9, "precision": 0.9, "sharpness": 1.0}
STATED = {"ms_per_image": 0.25, "calls": 4, "machine": "A100"}


def given(name="StyleGAN2", kid=0.002, n=2000, **more):
    row = quality(name, "samples", "as given", "headline", {}, n, scores(3, kid=kid, **LOOKS))
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
