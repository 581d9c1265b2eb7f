"""How the making of samples is told, and what paints them."""

import numpy as np
import pytest

from dashboard.pages.diversity import sample_sheet
from dashboard.service import Lane
from dashboard.service.samples import Progress, Sampled


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        (Progress("toy", "waiting", 0, 500), "<span>waiting</span>"),
        (Progress("toy", "running", 100, 500, 10.0, 100), "100 of 500, about 40.0 s left"),
        (Progress("toy", "running", 300, 500, 10.0, 100), "300 of 500, about 20.0 s left"),
        (Progress("toy", "running", 499, 500, 10.0, 499), "<span>499 of 500</span>"),
        (Progress("toy", "done", 500, 500, 10.0, 500), "<span>500 samples</span>"),
        (Progress("toy", "done", 500, 500), "500 samples, kept from before"),
        (Progress("toy", "failed", 0, 500, problem="<Why>."), "&lt;Why&gt;."),
        (Progress("toy", "running", 250, 500, 1.0, 250), "width:50.0%"),
    ],
)
def test_what_a_bar_says(progress, words):
    assert words in sample_sheet.bar("Toy <1>", progress)
    assert "Toy &lt;1&gt;" in sample_sheet.bars([("Toy <1>", progress)])


def images(n):
    return np.zeros((n, 1, 4, 4), np.uint8)


def test_a_sheet_says_where_an_image_stands():
    made = {
        "toy": Sampled("toy", "Toy", images(60), "a", seed=7),
        "other": Sampled("other", "Other", images(6), "b", shipped=True),
    }
    found = sample_sheet.sheet(made)
    assert (found["toy"]["n"], found["toy"]["columns"], found["toy"]["words"]) == (60, 25, "seed 7")
    assert (found["other"]["columns"], found["other"]["words"]) == (6, "shipped with the checkpoint")
    assert found["toy"]["picture"].startswith("data:image/png;base64,")


def test_what_was_made_is_told_in_a_few_words():
    some = {name: Sampled(name, name, images(n), name, seed=seed) for name, n, seed in (("a", 200, 1), ("b", 500, 2))}
    assert sample_sheet.described(some) == "Made here: 200 and 500 samples each, seed 1 and 2"
    assert sample_sheet.described({}) == ""


def test_previews_stand_in_until_something_is_made():
    lanes = [
        Lane("toy", "Toy", "", "d/toy", preview=images(24)),
        Lane("b", "B", "", problem="None."),
        Lane("c", "C", ""),
    ]
    found = sample_sheet.previews(lanes)
    assert list(found) == ["toy"] and found["toy"].shipped
