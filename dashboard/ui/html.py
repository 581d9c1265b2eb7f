"""Markup on a page: the title it begins with, and components that a script paints in place."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

import gradio as gr


def template(module: str, name: str) -> str:
    """Return the markup in `name`.html beside a module's file, for a script to fill."""
    return (Path(module).parent / f"{name}.html").read_text(encoding="utf-8")


def title(heading: str, words: str, below: str = "") -> gr.HTML:
    """Return a page's title and what it is about.

    Args:
        heading: The title.
        words: What the page is about, in a sentence or two.
        below: Names what follows for those who hear the page, where no heading that is seen does.
    """
    text = f'<div class="title"><h1>{escape(heading)}</h1><p>{escape(words, quote=False)}</p></div>'
    return gr.HTML(text + (f'<h2 class="heard">{escape(below)}</h2>' if below else ""), js_on_load=None)


def scripted(elem_id: str | None, template: str, script: str, value: Any = None, **options: Any) -> gr.HTML:
    """Return a component that a script paints; `template` is its markup, `value` what it begins with ({})."""
    return gr.HTML({} if value is None else value, html_template=template, js_on_load=script, apply_default_css=False,
                   elem_id=elem_id, **options)  # fmt: skip
