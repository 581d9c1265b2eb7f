"""The page Diversity before anything is made on it."""

from types import SimpleNamespace

import gradio as gr
import pytest

from dashboard.pages.diversity.page import Diversity
from dashboard.results.operating_points import Measurements
from tests.support.questions import found, measure, point


def measured_in(*names):
    """Measurements whose points have scores in these features, the first of which are the data set's own."""
    rows = point("vae", "a", 1.0, kid=0.01, coverage=0.9)
    rows[0]["scores"] = {name: found(kid=0.01, coverage=0.9)["classifier"] for name in names}
    return measure(rows, extractor=names[0])


@pytest.mark.parametrize(
    ("measured", "first"),
    [(measured_in("own", "pixels"), "own"), (Measurements("dots"), "pixels"), (measured_in("absent"), "pixels")],
)
def test_the_usual_features_judge_first_where_they_are_there(toy_service, monkeypatch, measured, first):
    with gr.Blocks(), gr.Tabs(), gr.Tab():
        page = Diversity(toy_service)
    judges = {name: SimpleNamespace(plane=None) for name in ("pixels", "own")}
    monkeypatch.setattr(toy_service, "measurements", lambda dataset: measured)
    monkeypatch.setattr(page.judges, "all", lambda dataset: (judges, {}))
    monkeypatch.setattr(page, "draw_map", lambda *rest: "")
    asked = []
    monkeypatch.setattr(page, "_show", lambda dataset, name, *rest: asked.append(name) or {})
    updates = page._fresh("dots")
    assert updates[page.judge]["value"] == first and asked == [first]
