"""Time-lapses: grids side by side under one slider, as one Gradio component painted in the browser.

All grids travel with the value, so that moving the slider asks the server for nothing; the GIF is made when it is asked
for. See `lab.timelapse` in `timelapse.js`.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import gradio as gr
import numpy as np

from dashboard.format import clock
from dashboard.service import InputError, Service, runs
from dashboard.service.runs import Timelapse
from dashboard.ui.address import Address, number
from dashboard.ui.html import scripted

MOST = 12  # checkpoints in one GIF
MOST_PLACES = 9999  # of the slider, as an address may say
TEMPLATE = (
    '<div class="timelapse" data-at="timelapse" hidden>'
    '<div class="timelapse-grids" data-at="grids"></div>'
    '<div class="timelapse-bar">'
    '<button type="button" data-at="play" aria-label="Play the training">Play</button>'
    '<input type="range" data-at="slider" min="0" max="0" value="0" step="1" aria-label="Progress of the training">'
    '<output data-at="label"></output>'
    '<button type="button" data-at="gif">Download GIF</button></div></div>'
    '<p class="timelapse-words" data-at="words" aria-live="polite"></p>'
)


def keep(address: Address) -> None:
    """Declare where the slider stands as state of the page."""
    address.scripts("moment", number("moment", 0, MOST_PLACES, whole=True))


def component(service: Service, elem_id: str, page: str) -> gr.HTML:
    """Return the component of time-lapses of a page, which shows nothing until it is given a `value`."""

    def film(asked: Any) -> dict[str, str]:
        """Return the GIF that was asked for, as base64, or one sentence that says why there is none."""
        asked = asked[0] if isinstance(asked, list) and len(asked) == 1 else asked
        names = asked.get("names") if isinstance(asked, dict) else None
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or len(names) > MOST:
            return {"problem": f"A GIF is made of up to {MOST} checkpoints, given by their names."}
        try:
            content = runs.as_gif(service, names, str(asked.get("axis", "images")))
        except InputError as error:
            return {"problem": str(error)}
        return {"gif": base64.b64encode(content).decode()}

    return scripted(
        elem_id, TEMPLATE, f"lab.timelapse(element, props, watch, server, {page!r})", server_functions=[film]
    )


def value(lapses: Sequence[Timelapse], axis: str = "images", words: str = "") -> dict[str, Any]:
    """Return what the component shows.

    Args:
        lapses: The time-lapses, from left to right; none leaves only the words.
        axis: What the slider counts, 'images' or 'seconds'.
        words: A sentence below, such as that one of the runs has no time-lapse.
    """
    placed = [lapse for lapse in lapses if np.isfinite(lapse.places(axis)).all()]
    lost = [lapse.run.name for lapse in lapses if not np.isfinite(lapse.places(axis)).all()]
    words = " ".join([words, *(f"{name} has no log that tells its time, so it is left out here." for name in lost)])
    places = runs.stops(placed, axis)
    return {
        "axis": axis,
        "words": words.strip(),
        "labels": [runs.caption(place, np.nan) if axis == "images" else clock(place) for place in places],
        "grids": [grid(lapse, axis, places) for lapse in placed],
    }


def grid(lapse: Timelapse, axis: str, places: np.ndarray) -> dict[str, Any]:
    """Return one grid's pictures and captions, and which of them it shows at each place of the slider."""
    last = len(lapse.files) - 1
    captions = [runs.caption(*at) for at in zip(lapse.images_seen, lapse.seconds, strict=True)]
    return {
        "name": lapse.run.name,
        "family": lapse.run.family,
        "title": lapse.run.title,
        "size": [lapse.frames[0].shape[1], lapse.frames[0].shape[0]],
        "images": ["data:image/png;base64," + base64.b64encode(content).decode() for content in lapse.files],
        "captions": captions,
        "finished": bool(lapse.run.facts.get("finished")),
        "shown": [min(last, runs.shown_at(lapse, axis, place)) for place in places],
    }
