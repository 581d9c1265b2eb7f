"""What the pages inside a family show: one panel per formula of the lecture, and the frame that each stands in.

A panel has an address, `#page/key`, that opens its page and scrolls to it. Each page has its own in `panels.py`; the
Lecture page puts them in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import gradio as gr
from gradio.context import Context

LATEX = [{"left": "$$", "right": "$$", "display": True}, {"left": "$", "right": "$", "display": False}]


@dataclass(frozen=True)
class Panel:
    """One panel.

    Attributes:
        key: Its name on the page; letters and hyphens.
        title: Its title for people.
        formula: LaTeX in the lecture's notation.
        reading: One sentence that says how to read it.
        algorithm: The line of the algorithm that is being run, as LaTeX within text.
        source: The citation.
        page: The slug of its page, which `by_key` fills in.
    """

    key: str
    title: str
    formula: str
    reading: str
    algorithm: str
    source: str
    page: str = ""

    @property
    def address(self) -> str:
        """Its link within the app."""
        return f"#{self.page}/{self.key}"

    @property
    def anchor(self) -> str:
        """Its element's id."""
        return f"panel-{self.page}-{self.key}"


KINGMA = "Kingma & Welling, Auto-Encoding Variational Bayes, 2014"
GOODFELLOW = "Goodfellow et al., Generative Adversarial Nets, 2014"
HO = "Ho, Jain & Abbeel, Denoising Diffusion Probabilistic Models, 2020"
SONG = "Song, Meng & Ermon, Denoising Diffusion Implicit Models, 2021"


def by_key(page: str, *panels: Panel) -> dict[str, Panel]:
    """Return a page's panels by their names on the page, in order."""
    return {panel.key: replace(panel, page=page) for panel in panels}


@contextmanager
def framed(panel: Panel) -> Iterator[Panel]:
    """Stand a panel in its frame: title, formula and how to read it above what is laid out inside, sources below."""
    with gr.Column(elem_classes=["card", "panel"], elem_id=panel.anchor):
        gr.HTML(
            f'<div class="panel-head"><h2>{escape(panel.title)}</h2>'
            f'<a class="anchor" href="{panel.address}" aria-label="Link to this panel">#</a></div>',
            js_on_load=None,
        )
        gr.Markdown(f"$${panel.formula}$$", latex_delimiters=LATEX, elem_classes=["formula"])
        gr.Markdown(panel.reading, latex_delimiters=LATEX, elem_classes=["panel-reading"])
        yield panel
        gr.Markdown(
            f"**Being run:** {panel.algorithm}\n\n**Source:** {panel.source}.",
            latex_delimiters=LATEX,
            elem_classes=["panel-foot"],
        )


def chart(elem_id: str, markup: str = "") -> gr.HTML:
    """Return the component of a chart's card."""
    return gr.HTML(markup, js_on_load=None, elem_classes=["chart"], elem_id=elem_id)


def on_open(handler: Callable[..., Any], inputs: Any, outputs: Any, **options: Any) -> Any:
    """Run a handler whenever the page being laid out is opened: pages cost nothing until someone looks at them."""
    tab = Context.block
    while not isinstance(tab, gr.Tab):
        tab = tab.parent
    options = {"show_progress": "hidden", "api_visibility": "private", **options}
    tab.opened = tab.select(handler, inputs, outputs, **options)  # what follows the opening may be connected to it
    return tab.opened
