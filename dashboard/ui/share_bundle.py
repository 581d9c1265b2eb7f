"""The button that gives away a page's images: a share bundle, made when it is asked for, which the browser saves."""

from __future__ import annotations

import base64
import time
from typing import Any

import gradio as gr

from dashboard.ui.html import scripted

WORDS = "A bundle: images, settings, seeds and versions; python -m gencore replay makes its images again"
TEMPLATE = (
    f'<p class="share-bundle"><span class="hint" title="{WORDS}">Download</span> '
    '<button type="button" data-at="go">ZIP</button> <span data-at="said" role="status"></span></p>'
)


def share_bundle(page: str) -> gr.HTML:
    """Return the button; its event `ask` is answered with `ready`, `told` or `sorry`."""
    return scripted(f"{page}-bundle", TEMPLATE, "lab.bundle(element, props, watch, trigger, ['ask'])")


def ready(content: bytes, name: str, words: str = "") -> dict[str, Any]:
    """Return the value that hands over a bundle, which is saved as `name` and '.zip', with what is to be said of it."""
    uri = "data:application/zip;base64," + base64.b64encode(content).decode()
    return {"uri": uri, "name": f"{name.replace('/', '-')}.zip", "made": time.time(), "words": words}


def told(words: str) -> dict[str, Any]:
    """Return the value that says what goes on meanwhile."""
    return {"words": words, "problem": False}


def sorry(words: str) -> dict[str, Any]:
    """Return the value that says why there is no bundle."""
    return {"words": words, "problem": True, "made": time.time()}
