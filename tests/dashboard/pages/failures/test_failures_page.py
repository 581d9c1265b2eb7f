"""The failure lab's page before anything can be shown."""

import gradio as gr

from dashboard.pages.failures.page import Failures


def test_without_checkpoints_the_failure_lab_says_how_to_train_one(toy_service, tmp_path, monkeypatch):
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path / "none"))
    with gr.Blocks(), gr.Tabs(), gr.Tab():
        page = Failures(toy_service)
    shown = "".join(value for value in page.show(None).values() if isinstance(value, str))
    assert shown.count("python -m gencore train digits/vae") == 2 + len(page.cards) and "has no checkpoint" not in shown
