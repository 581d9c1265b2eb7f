"""The field of a run's seed, and what draws another."""

from __future__ import annotations

import gradio as gr

from dashboard.service import PREVIEW

ANOTHER_SEED = "() => String(Math.floor(Math.random() * 1e6))"  # in the browser: the value of the field


def seed_field(name: str, label: str = "seed", value: int = PREVIEW["seed"], classes: str = "") -> gr.Textbox:
    """Return the field of a seed; its id is `name` and '-seed'."""
    return gr.Textbox(
        str(value),
        label=label,
        interactive=True,
        max_lines=1,
        elem_id=f"{name}-seed",
        elem_classes=classes.split(),
    )
