"""The image that panels are about: what a visitor draws or sends, and what is offered to choose from."""

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
