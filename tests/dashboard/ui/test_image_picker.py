"""The image that panels are about: what a visitor draws or sends, and what is offered to choose from."""

from unittest import mock

import gradio as gr
import numpy as np
import pytest

from dashboard.service import InputError
from dashboard.ui import image_picker

GREY, COLOUR = (1, 28, 28), (3, 32, 32)


def drawing(rows, columns, soft=True, side=112):
    picture = np.zeros((side, side), np.uint8)
    picture[rows, columns] = 255
    if soft:
        picture[rows.start - 1, columns] = 128
    return picture


@pytest.mark.parametrize(
    ("rows", "columns"),
    [(slice(10, 60), slice(70, 80)), (slice(100, 108), slice(2, 40)), (slice(50, 54), slice(50, 54))],
)
def test_a_drawing_is_fitted_as_mnist_digits_are(rows, columns):
    image, words = image_picker.sketch(drawing(rows, columns), GREY)
    filled = np.argwhere(image[0] > 0)
    assert (filled.max(0) - filled.min(0) + 1).max() == 20
    middle = (np.argwhere(image[0]) + 0.5).T @ image[0][image[0] > 0] / image.sum()
    assert np.abs(middle - 14).max() <= 0.51 and image.max() == 255
    assert "softened" not in words


def test_hard_edges_are_softened_and_said():
    image, words = image_picker.sketch(drawing(slice(20, 90), slice(50, 61), soft=False), GREY)
    assert image_picker.SOFTENED in words and len(np.unique(image)) > 2


def test_a_drawing_for_images_in_colour_is_grey_where_it_was_drawn():
    image, _ = image_picker.sketch(drawing(slice(4, 20), slice(4, 20)), COLOUR)
    assert image.shape == COLOUR and (image[0] == image[1]).all() and (image[0] == image[2]).all()
    assert image[0, 3, 3] > 200 and image[0, 20:, 20:].max() == 0


def test_an_empty_or_misshapen_drawing_is_refused():
    for value, words in ((np.zeros((112, 112)), "Nothing is drawn yet"), (np.ones((5, 6)), "not 5 x 6"), (None, "not")):
        with pytest.raises(InputError, match=words):
            image_picker.sketch(value, GREY)


@pytest.mark.parametrize(("shape", "pad"), [(GREY, True), (COLOUR, False)])
def test_the_pad_is_for_grey_images_and_those_in_colour_say_what_to_do_instead(shape, pad):
    strip = {"dataset": "x", "seed": 0, "images": [np.zeros(shape, np.uint8)], "names": ["a"], "words": "Real.",
             "chosen": 0, "drawn": None}  # fmt: skip
    shown = image_picker.painted(strip)
    assert shown["pad"] == pad and shown["words"] == ("Real." if pad else f"Real. {image_picker.COLOURED}")


def test_a_drawing_that_is_cleared_is_no_choice_any_more():
    with gr.Blocks():
        picker = image_picker.ImagePicker(mock.Mock(), "x")
    images = [np.full(GREY, shade, np.uint8) for shade in (1, 2)]
    strip = {"dataset": "x", "seed": 0, "images": images, "names": ["a", "b"], "words": "Real.", "chosen": 2,
             "drawn": (np.full(GREY, 3, np.uint8), "Yours.")}  # fmt: skip
    updates = picker._clear(None, None, strip)
    assert updates[picker.image] is images[0] and updates[picker.strip]["chosen"] == 0
    assert updates[picker.picker]["drawn"] == "" and updates[picker.picker]["words"] == "Real."
    updates = picker._clear(None, None, {**strip, "chosen": 1})
    assert picker.image not in updates and updates[picker.strip]["chosen"] == 1
    assert picker._clear(None, None, {**strip, "drawn": None}) == {picker.picker: gr.skip()}


def test_what_follows_an_image_comes_in_the_run_that_shows_it():
    with gr.Blocks():
        picker, dataset = image_picker.ImagePicker(mock.Mock(), "x"), gr.Dropdown()
    images = [np.full(GREY, shade, np.uint8) for shade in (1, 2)]
    strip = {"dataset": "x", "seed": 0, "images": images, "names": ["a", "b"], "words": "Real.", "chosen": 0,
             "drawn": None}  # fmt: skip
    given = {dataset: "x", picker.strip: strip, picker.image: images[0]}

    def follow(request, given):
        yield {"image": given[picker.image], "chosen": given[picker.strip]["chosen"], "for": request}

    choose = picker._followed(picker._choose, dataset, follow)
    first, then = choose("visitor", mock.Mock(_data={"index": 1}), given)
    assert first[picker.picker]["chosen"] == 1
    assert then == {"image": images[1], "chosen": 1, "for": "visitor"}
    (told,) = choose("visitor", mock.Mock(_data={"index": 5}), given)
    assert "not among those shown" in told[picker.picker]["problem"], "and nothing follows"


def test_a_huge_drawing_is_refused_before_it_is_read(monkeypatch):
    monkeypatch.setattr(image_picker, "parse_pixels", None)
    with pytest.raises(InputError, match="at most 512 a side, not 3,000 rows"):
        image_picker.sketch([[0] * 3000] * 3000, (1, 28, 28))
