"""The sentence that tells which names are known."""

import pytest

from gencore.errors import near, reason


@pytest.mark.parametrize(
    ("said", "silent", "told"),
    [("Too large.\n  at row 3", "", "Too large"), ("\n", "", "OSError"), ("", "no message", "no message")],
)
def test_a_reason_is_the_first_line_of_what_an_error_says(said, silent, told):
    assert reason(OSError(said), silent) == told


def test_a_slip_is_told_the_names_near_it_and_anything_else_all_of_them():
    assert near("sweeps", ["headline", "sweep"]) == "; did you mean 'sweep'?"
    assert near("digits/vea", ["digits/gan", "digits/vae"]).startswith("; did you mean 'digits/vae' or ")
    assert near("x", ["headline", "sweep"]) == "; known: headline, sweep."
    assert near("x", []) == "; known: none."
