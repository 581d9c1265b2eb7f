"""The samples of the VAE page, given away."""

import gradio as gr

from dashboard.pages.vae.page import Inside
from dashboard.service import Service
from tests.support.bundles import given, laid_out, untrained


def test_the_samples_of_a_seed_are_made_again_to_the_bit(tmp_path, monkeypatch):
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path))
    untrained(tmp_path, "vae")
    page, visitor = laid_out(lambda: Inside(Service())), gr.Request(session_hash="one")
    knobs = [control.value for control in page.knobs.inputs]
    (one,), value = given(page.give(visitor, "digits", "digits/vae", "7", "", *knobs), tmp_path)
    assert one.same and one.n == 24 and value["name"] == "digits-vae-seed-7.zip", one.problem
    (refused,) = list(page.give(visitor, "digits", "digits/vae", "x", "", *knobs))[-1].values()
    assert refused["problem"] and "seed" in refused["words"] and "uri" not in refused
