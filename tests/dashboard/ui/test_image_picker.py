"""The image that panels are about: what a visitor draws or sends, and what is offered to choose from."""

import numpy as np
import pytest

from dashboard.service import InputError, Service, images
from dashboard.service.parsing import parse_image
from dashboard.ui import image_picker

GREY, COLOUR = (1, 28, 28), (3, 32, 32)


def drawing(rows, columns, soft=True, side=112):
    picture = np.zeros((side, side), np.uint8)
    picture[rows, columns] = 255
    if soft:
        picture[rows.start - 1, columns] = 128
    return picture


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.ones((27, 28), np.uint8), "28 x 28 whole numbers from 0 to 255, not 27 x 28"),
        (np.ones((3, 28, 28), np.uint8), "not 3 x 28 x 28"),
        (np.full((28, 28), 0.5), "not that"),
        (np.full((28, 28), 300), "not that"),
        (np.full((28, 28), -1), "not that"),
        ([[1, 2], [3]], "not that"),
        ("seven", "not that"),
        (None, "not that"),
        (7, "not a single one"),
        (np.full((28, 28), np.nan), "not that"),
        (np.zeros((28, 28), np.uint8), "Nothing is drawn yet: "),
    ],
)
def test_a_bad_image_is_refused_in_one_sentence(value, words):
    with pytest.raises(InputError) as refused:
        parse_image(value, GREY)
    assert words in str(refused.value) and str(refused.value).count(". ") == 0


def test_a_good_image_is_taken_as_it_is():
    values = np.arange(784).reshape(28, 28) % 256
    for given in (values, values.tolist(), values.astype(float), values[None]):
        image = parse_image(given, GREY)
        assert image.dtype == np.uint8 and image.shape == GREY and (image[0] == values).all()
    assert parse_image(np.eye(32) * 255, COLOUR).shape == COLOUR


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


def test_every_class_is_offered_first():
    classes = np.array([0, 0, 0, 0, 1, 1, 0, 2, 2, 0])
    for seed in range(5):
        places = images.spread_out(classes, 10, 4, seed)
        assert len(set(places.tolist())) == 4 and set(classes[places]) == {0, 1, 2}
    assert images.spread_out(None, 10, 4, 0).tolist() == [0, 1, 2, 3]
    assert len(images.spread_out(classes, 10, 12, 3)) == 10


def test_without_the_data_the_shipped_images_stand_in(monkeypatch):
    service = Service()
    monkeypatch.setattr(service, "split", lambda dataset, split: None)
    dataset = next(iter(service.datasets()), "")
    offered, names, words = images.examples(service, dataset, 12, 0)
    assert len(offered) == len(names) and ("not at hand" in words if len(offered) else "draw one" in words)
    assert images.examples(service, "nowhere", 12, 0)[0].shape[0] == 0
