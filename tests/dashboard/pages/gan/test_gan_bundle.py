"""The samples of the GAN page, given away."""

import gradio as gr

from dashboard.pages.gan.page import Gan
from dashboard.service import Service
from tests.support.bundles import given, laid_out, untrained

VISITOR = gr.Request(session_hash="one")


def test_the_samples_at_the_present_knobs_are_made_again_to_the_bit(tmp_path, monkeypatch):
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path))
    untrained(tmp_path, "gan")
    page = laid_out(lambda: Gan(Service()))
    (one,), value = given(page.give(VISITOR, "digits", "digits/gan", 0.5), tmp_path)
    assert one.same and one.n == 24 and value["name"] == "digits-gan-seed-42.zip", one.problem
    (refused,) = list(page.give(VISITOR, "digits", "digits/none", 0.5))[-1].values()
    assert refused["problem"] and refused["words"].startswith("No GAN checkpoint") and "uri" not in refused
