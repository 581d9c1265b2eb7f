"""The paths of the Latent space page, given away."""

import threading

import gradio as gr
import pytest

from dashboard.pages.latent.engine import Ends, Row
from dashboard.pages.latent.page import Interpolation
from dashboard.service import Service
from dashboard.ui.image_picker import ImagePicker
from tests.support.bundles import given, laid_out, untrained


@pytest.mark.parametrize(("between", "families"), [("seeds", {"vae", "gan"}), ("images", {"vae", "ddpm"})])
def test_paths_between_two_ends_are_made_again_to_the_bit(tmp_path, monkeypatch, between, families):
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path))
    untrained(tmp_path, *families)
    service = Service()
    picker = laid_out(lambda: ImagePicker(service, "latent"))
    paths = laid_out(lambda: Interpolation(service, gr.Dropdown(["digits"]), picker))
    ends = Ends(seeds=(3, 4)) if between == "seeds" else Ends(images=service.split("digits", "test")[:2])
    walk = paths.latents.walk("digits", ends, threading.Event())
    rows = {one.family: one for one in walk if isinstance(one, Row)}
    found, value = given([paths.give("digits", rows)], tmp_path)
    assert {one.lane for one in found} == families and value["name"] == "digits-paths.zip"
    assert all(one.same for one in found), found
    (nothing,) = paths.give("digits", {}).values()
    assert nothing["problem"]
