"""What the metrics say beside a visitor's votes: the rows of the very points that are voted on, none else."""

import pytest

from dashboard.pages.blind import metrics_say
from dashboard.service import Service
from gencore import FAMILIES
from gencore.family import resolve_knobs


@pytest.fixture(scope="module")
def measured():
    found = Service().measurements("mnist")
    if not found.points:
        pytest.skip("nothing is shipped")
    return found


def chosen(**points):
    return {
        name: (f"mnist/{name}", resolve_knobs(FAMILIES[name].knobs, FAMILIES[name].points[place].knobs))
        for name, place in points.items()
    }


def test_the_rows_are_of_the_points_at_the_most_images_that_all_of_them_have(measured):
    found = metrics_say.rows(measured, chosen(vae=0, gan=0, ddpm=0))
    assert {row.kind for row in found.values()} == {"headline"} and {row.n for row in found.values()} == {5000}
    mixed = metrics_say.rows(measured, chosen(vae=0, gan=2))
    assert {row.n for row in mixed.values()} == {1000} and mixed["gan"].knobs["truncation"] == 0.4


def test_scores_are_those_of_the_rows_and_the_sentence_names_the_best(measured):
    scores, words = metrics_say.told(measured, chosen(vae=0, gan=0, ddpm=0))
    for family, row in metrics_say.rows(measured, chosen(vae=0, gan=0, ddpm=0)).items():
        recall = row.score("recall", measured.usual_extractor).mean
        assert float(scores[family]["varied"].split()[0]) == pytest.approx(100 * recall, abs=0.06)
    kid = {name: row.score("kid", measured.usual_extractor).mean for name, row in
           metrics_say.rows(measured, chosen(vae=0, gan=0, ddpm=0)).items()}  # fmt: skip
    best = {"vae": "VAE", "gan": "GAN", "ddpm": "DDPM"}[min(kid, key=kid.get)]
    assert metrics_say.heads(measured) == {"real": "KID ↓", "varied": "recall ↑"}
    assert f"By KID the closest to real is {best}" in words and "Measured on 5,000 images" in words


def test_where_the_truth_was_measured_it_is_asked():
    known = Service().measurements("shapes")
    found = {one: (f"shapes/{one}", resolve_knobs(FAMILIES[one].knobs, FAMILIES[one].points[0].knobs)) for one in
             ("vae", "gan", "ddpm")}  # fmt: skip
    scores, words = metrics_say.told(known, found)
    assert words.startswith("By true quality the closest to real is DDPM. By true imbalance the most varied is ")
    assert words.endswith("Measured on 5,000 images.")
    truth = metrics_say.rows(known, found)["ddpm"].score("true_quality", "classifier").mean
    assert float(scores["ddpm"]["real"].split()[0]) == pytest.approx(100 * truth, abs=0.06)
    assert metrics_say.heads(known) == {"real": "true quality ↑", "varied": "true imbalance ↓"}


def test_what_was_not_measured_is_said(measured):
    knobs = resolve_knobs(FAMILIES["vae"].knobs, {"temperature": 0.55})
    assert metrics_say.told(measured, {"vae": ("mnist/vae", knobs)}) == (
        {}, "These settings have not been measured: python -m gencore evaluate"
    )  # fmt: skip
    _, words = metrics_say.told(measured, {"vae": ("mnist/vae", knobs), **chosen(gan=0)})
    assert words.endswith("Some of these settings have no row.")
