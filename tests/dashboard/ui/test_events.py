"""What a page's events give their handlers."""

import asyncio
import math

import gradio as gr

from dashboard.service.parsing import shown
from dashboard.ui.events import Updates


def test_a_slider_with_an_empty_field_gives_what_is_in_no_range():
    with Updates() as app:
        inputs = [gr.Slider(0, 10), gr.Textbox(), gr.Slider(0, 10)]
        gr.Button().click(lambda *values: None, inputs, None)
    block_fn = next(fn for fn in app.fns.values() if fn.inputs == inputs)
    empty, words, full = asyncio.run(app.preprocess_data(block_fn, [None, None, 3], None))
    assert math.isnan(empty) and words is None and full == 3
    assert shown(empty) == shown(None) == "an empty field"
