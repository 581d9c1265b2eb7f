"""The sentence that tells which names are known."""

from gencore.errors import near


def test_a_slip_is_told_the_names_near_it_and_anything_else_all_of_them():
    assert near("sweeps", ["headline", "sweep"]) == "; did you mean 'sweep'?"
    assert near("digits/vea", ["digits/gan", "digits/vae"]).startswith("; did you mean 'digits/vae' or ")
    assert near("x", ["headline", "sweep"]) == "; known: headline, sweep."
    assert near("x", []) == "; known: none."
