"""What visitors and callers give as numbers, one table with the same answer from every parser, and as images."""

import re

import numpy as np
import pytest

from dashboard.service import InputError
from dashboard.service.parsing import parse_image, parse_number, parse_point, parse_seed, parse_whole, whole_or

GREY, COLOUR = (1, 28, 28), (3, 32, 32)
PARSERS = {
    "whole": (lambda value: parse_whole(value, 0, 2000, "n"), "n must be a whole number from 0 to 2,000, not "),
    "seed": (parse_seed, "A seed must be a whole number from 0 to 9223372036854775807, not "),
    "number": (lambda value: parse_number(value, 0, 2000, "x"), "x must be a number from 0 to 2000, not "),
}
NEVER = {  # what is no number, as the end of its sentence
    "None": (None, "an empty field."),
    "empty": ("", "an empty field."),
    "word": ("many", "'many'."),
    "other digits": ("٣", "'٣'."),
    "true": (True, "True."),
    "list": ([1], "[1]."),
    "object": ({"a": 1}, "{'a': 1}."),
    "nan": (float("nan"), "an empty field."),  # what an emptied slider gives
    "nan as text": ("nan", "'nan'."),
    "infinity": (1e400, "inf."),
    "minus infinity": (-1e400, "-inf."),
    "too large for a float": ("1e400", "'1e400'."),
    "python's own": ("1_000", "'1_000'."),
    "complex": (1j, "1j."),
    "less": (-1, "-1."),
    "less, as text": (" -1 ", "-1."),
    "two": ("1 2", "'1 2'."),
}


@pytest.mark.parametrize("value", NEVER)
@pytest.mark.parametrize("kind", PARSERS)
def test_what_is_no_number_gets_one_sentence_from_every_parser(kind, value):
    parse, sentence = PARSERS[kind]
    given, end = NEVER[value]
    with pytest.raises(InputError) as refused:
        parse(given)
    assert str(refused.value) == sentence + end


@pytest.mark.parametrize("value", [12, 12.0, "12", " 12 ", "+12", "012", np.int64(12), np.float32(12)])
@pytest.mark.parametrize("kind", PARSERS)
def test_twelve_is_twelve(kind, value):
    found = PARSERS[kind][0](value)
    assert found == 12 and type(found) is (float if kind == "number" else int)


@pytest.mark.parametrize(("value", "number"), [(0.5, 0.5), ("0.5", 0.5), (".5", 0.5), ("1e3", 1000), ("5.", 5)])
def test_a_number_may_have_a_point_and_an_exponent(value, number):
    assert parse_number(value, 0, 2000, "x") == number
    for kind in ("whole", "seed"):
        with pytest.raises(InputError, match=r"whole number from 0 to .*, not "):
            PARSERS[kind][0](value)


@pytest.mark.parametrize("value", ["9" * 5000, 10**4000, ["x"] * 5000, "x" * 5000])
@pytest.mark.parametrize("kind", PARSERS)
def test_a_sentence_stays_one_however_long_what_came_is(kind, value):
    with pytest.raises(InputError) as refused:
        PARSERS[kind][0](value)
    assert len(str(refused.value)) < 200 and re.search(r"not .*\.\.\..*\.$", str(refused.value))


def test_a_large_seed_is_exact():
    assert parse_seed(2**63 - 1) == parse_seed(str(2**63 - 1)) == 2**63 - 1
    for beyond in (2**63, float(2**63)):
        with pytest.raises(InputError):
            parse_seed(beyond)


def test_a_point_is_two_numbers():
    assert parse_point(["1", 2]) == parse_point((1.0, 2.0)) == (1.0, 2.0)
    for bad in (None, 3, "12", [1], [1, 2, 3], [1, None], [1, 1e400], [1, float("nan")], [1, True], {"a": 1, "b": 2}):
        with pytest.raises(InputError, match="two numbers, across and up"):
            parse_point(bad)


def test_a_link_s_number_is_a_whole_one_or_the_usual_one():
    assert [whole_or(value, 0) for value in ("7", None, "", "x", "7.5", "9" * 5000, "٣", "1_0")] == [7, *[0] * 7]


# ---- images


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
