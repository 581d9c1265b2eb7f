"""Numbers, times and counts as words."""

import json
import math
from pathlib import Path

import pytest

from dashboard import format

CASES = json.loads((Path(__file__).parent / "format_cases.json").read_text())  # tests/js/format.test.js reads them too
FUNCTIONS = {
    "fixed": lambda number, digits: f"{number:.{digits}f}",  # Python's own
    **{name: getattr(format, name) for name in ("duration", "count", "minutes", "round_to", "clock")},
}


def test_every_function_of_the_table_is_tested():
    assert set(CASES) == set(FUNCTIONS)


@pytest.mark.parametrize(("name", "case"), [(name, case) for name, cases in CASES.items() for case in cases])
def test_the_words_are_those_of_the_table(name, case):
    *given, words = case
    assert FUNCTIONS[name](*given) == words


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.05, "0.05"), (0.00002, "0.00002"), (250, "250"), (1500, "1,500"), (2e4, "20k"), (1.5e6, "1.5M"),
     (-0.5, "−0.5"), (-40_000, "−40k")],
)  # fmt: skip
def test_numbers_on_an_axis(value, text):
    assert format.tick(value) == text


@pytest.mark.parametrize(
    ("mean", "half", "words"),
    [
        (0.0213, 0.0041, "0.021 ± 0.004"),
        (12.34, 1.52, "12.3 ± 1.5"),
        (-0.0123, 0.002, "−0.012 ± 0.002"),
        (5, 0, "5.00 ± 0"),
    ],
)
def test_intervals_show_the_digits_that_are_certain(mean, half, words):
    assert format.plus_minus(mean, half) == words


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0, "0.000"), (-0.0001, "−0.0001"), (0.0006, "0.001"), (0.00012, "0.0001"), (0.9671, "0.967"), (5.0, "5.00"),
     (12.34, "12.3"), (321.4, "321"), (1234.5, "1,234"), (-0.00001, "0.000")],
)  # fmt: skip
def test_scores_are_written_for_people(value, expected):
    assert format.score(value) == expected


@pytest.mark.parametrize(("score", "words"), [(0.0, "<0.01"), (0.004, "<0.01"), (0.5, "0.50"), (0.999, ">0.99")])
def test_scores_are_never_said_to_be_certain(score, words):
    assert format.probability(score) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(0, "0"), (5.0, "5"), (1497.8, "1,498"), (-412.3, "−412"), (131.4, "131"), (999.7, "1,000"), (0.004123, "0.00412"),
     (1.6e-9, "1.6 × 10⁻⁹"), (-2e-5, "−2.0 × 10⁻⁵")],
)  # fmt: skip
def test_three_digits_of_a_number_of_any_size(value, words):
    assert format.significant(value) == words


@pytest.mark.parametrize(("value", "words"), [(12.3, "12.30"), (0.012345, "0.01235"), (12345.6, "12,346"), (0, "0")])
def test_so_many_digits_and_no_exponent(value, words):
    assert format.exact(value) == words


def test_nothing_of_a_negative_number_leaves_no_sign():
    assert format.signed(-0.04, 1) == "0.0" and format.signed(-0.05001, 1) == "−0.1"
    assert format.signed(-12345.6, 1) == "−12,345.6"


def test_a_mean_stands_alone_where_its_interval_is_not_known():
    assert format.plus_minus(0.0213, math.nan) == "0.0213"


def test_nouns_subscripts_and_shortened_words():
    assert format.plural(1, "thread") == "1 thread" and format.plural(2000, "step") == "2,000 steps"
    assert format.subscript(20) == "₂₀"
    assert format.shortened("fitted prior", 8) == "fitted…" and format.shortened("fitted", 6) == "fitted"
    assert format.processor("Intel(R) Xeon(R) Processor") == "Intel Xeon Processor"
