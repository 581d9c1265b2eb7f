"""Lecture: the panels in the order of the lecture, for a class of 20 minutes or of 45."""

from __future__ import annotations

import re
from html import escape

import gradio as gr
import segno

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
    short, long = (f"{course.length(name):.0f} minutes" for name in course.WAYS)
    gr.HTML(
        '<div class="title"><h1>The lecture, live</h1><p>Each formula of the lecture is a control on the trained '
        f"models. {len(course.way('short'))} steps take a class through in {short}; {len(course.way('long'))} with "
        f"what the lecture derives take {long}. A bar below every page leads on to the next one; Shift with the arrow "
        "keys does the same.</p></div>",
        js_on_load=None,
    )
    gr.HTML(
        f'<div class="begin"><button type="button" class="start first" data-way="short">Start the lecture: {short}'
        f'</button><button type="button" class="start" data-way="long">The long way: {long}</button>'
        '<button type="button" class="resume" hidden></button></div>',
        js_on_load="lab.lecture.begin(element)",
        apply_default_css=False,
        elem_id="lecture-begin",
    )
    # By its address alone: the bar asks for it on every page, and this one may never have been opened.
    address, picture = gr.Textbox(visible=False), gr.Textbox(visible=False)
    address.change(qr_code, [address], [picture], api_name="lecture_qr", api_visibility="private", queue=False)
    for part, steps in course.parts().items():
        with gr.Column(elem_classes=["card", "part"]):
            spans = (course.minutes(course.length(name, steps)) for name in course.WAYS)
            gr.HTML(f'<div class="part-head"><h2>{escape(part)}</h2><span>{" / ".join(dict.fromkeys(spans))} min</span>'
                    "</div>", js_on_load=None)  # fmt: skip
            for step in steps:
                _step(step, course.STEPS.index(step))


def qr_code(address: str) -> str:
    """Return the QR code of an address as inline SVG; '' for what is no web address."""
    if not re.fullmatch(r"https?://[\x21-\x7e]{1,300}", str(address)):
        return ""
    return segno.make(address, error="m", micro=False).svg_inline(omitsize=True, border=2)


def _step(step: Step, number: int) -> None:
    """Lay out one step: how long it takes, where, the formula, what to do, what to see, and the lecture's slide."""
    longer = "" if step.short else '<em class="longer">on the long way</em>'
    with gr.Row(elem_classes=["step"]):
        gr.HTML(
            f'<a class="go" href="{step.address}" data-step="{number}"><i>{course.minutes(step.minutes)}</i>'
            f"<span><b>{escape(step.title)}</b>{longer}</span></a>",
            js_on_load=None,
        )
        with gr.Column(elem_classes=["step-words"]):
            if step.panel:
                gr.Markdown(f"$${step.panel.formula}$$", latex_delimiters=panels.LATEX, elem_classes=["formula"])
            gr.HTML(f'<p class="do"><b>Do</b> {escape(step.do)}</p><p class="see"><b>See</b> {escape(step.see)}</p>'
                    f'<p class="see"><b>Slide</b> {escape(step.slide)}</p>', js_on_load=None)  # fmt: skip
