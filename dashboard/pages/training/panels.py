"""The formulas of the lecture that this page has as controls, a panel each."""

from __future__ import annotations

from dashboard.pages import slug_of
from dashboard.ui.panels import Panel, by_key

PANELS = by_key(
    slug_of(__name__),
    Panel(
        "curves", "What a training went through",
        r"\theta \leftarrow \theta - \eta\,\nabla_\theta L(\theta)",
        "Each family minimises a loss of its own, so heights cannot be compared between families, but their shapes "
        "can: where a curve is flat, more images bring little.",
        r"One point a logged step: the mean over the steps since the one before.",
        "This project's own training logs, log.jsonl of each run",
    ),
    Panel(
        "timelapse", "The families side by side through training",
        r"x_i^{(n)} = g_{\theta(n)}(z_i)",
        "One slider for all: at the same number of images seen, or after the same time, each family shows what it had"
        " learnt by then.",
        r"The averaged weights after $n$ images draw the same seeds.",
        "Karras et al., 2018 (averaged weights)",
    ),
)  # fmt: skip
