"""Lecture: the panels in the order of the lecture, for a class of 20 minutes."""

from __future__ import annotations

from html import escape

import gradio as gr

from dashboard.pages.lecture import course
from dashboard.pages.lecture.course import Step
from dashboard.service import Service
from dashboard.ui import panels

TITLE = "Lecture"


def in_header() -> str:
    """Return what the page needs in the header: the steps, for the bar that leads through them on every page."""
    return course.outline()


def build(service: Service) -> None:
    """Lay out the page in the current Blocks."""
    whole = sum(step.minutes for step in course.STEPS)
    gr.HTML(
        '<div class="title"><h1>The lecture, live</h1><p>Each formula of the lecture is a control on the trained '
        f"models. {len(course.STEPS)} steps take a class through in {whole:.0f} minutes; a bar below every page leads "
        "on to the next one. Shift with the arrow keys does the same.</p></div>",
        js_on_load=None,
    )
    gr.HTML(
        '<div class="begin"><button type="button" class="start">Start the lecture</button>'
        '<button type="button" class="resume" hidden></button></div>',
        js_on_load="lab.lecture.begin(element)",
        apply_default_css=False,
        elem_id="lecture-begin",
    )
    number, at = 0, 0.0
    for part, steps in course.parts().items():
        with gr.Column(elem_classes=["card", "part"]):
            span = sum(step.minutes for step in steps)
            gr.HTML(f'<div class="part-head"><h2>{escape(part)}</h2><span>{course.minutes(span)} min</span></div>',
                    js_on_load=None)  # fmt: skip
            for step in steps:
                _step(step, number, at)
                number, at = number + 1, at + step.minutes


def _step(step: Step, number: int, at: float) -> None:
    """Lay out one step: when, where, the formula, what to do and what to see."""
    with gr.Row(elem_classes=["step"]):
        gr.HTML(
            f'<a class="go" href="{step.address}" data-step="{number}"><i>{course.minutes(at)}</i>'
            f"<b>{escape(step.title)}</b></a>",
            js_on_load=None,
        )
        with gr.Column(elem_classes=["step-words"]):
            if step.panel:
                gr.Markdown(f"$${step.panel.formula}$$", latex_delimiters=panels.LATEX, elem_classes=["formula"])
            gr.HTML(f'<p class="do"><b>Do</b> {escape(step.do)}</p><p class="see"><b>See</b> {escape(step.see)}</p>',
                    js_on_load=None)  # fmt: skip
