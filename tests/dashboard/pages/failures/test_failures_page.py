"""The failure lab's page before anything can be shown."""

from unittest import mock

import gradio as gr

from dashboard.pages.failures import page as failures_page
from dashboard.pages.failures.page import Failures


def test_without_checkpoints_the_failure_lab_says_how_to_train_one(toy_service, tmp_path, monkeypatch):
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path / "none"))
    with gr.Blocks(), gr.Tabs(), gr.Tab():
        page = Failures(toy_service)
    shown = "".join(value for value in page.show(None).values() if isinstance(value, str))
    assert shown.count("python -m gencore train digits/vae") == 2 + len(page.cards) and "has no checkpoint" not in shown


def test_what_the_extractors_see_is_read_once_for_all_that_shows_it(toy_service):
    with gr.Blocks(), gr.Tabs(), gr.Tab():
        page = Failures(toy_service)
    with mock.patch.object(failures_page, "sights", side_effect=failures_page.sights) as read:
        page.show("dots")
    assert read.call_count == 1
