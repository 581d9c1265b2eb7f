"""A lane: one family's images, bar, clock and figures, as one Gradio component that is painted in place.

The template never changes, so a frame costs one assignment of an image and no new elements; see `lab.lane` in
`model_card.js` for what paints it. Figures are text, never markup.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import gradio as gr
import numpy as np

from dashboard import format, theme
from dashboard.service import PREVIEW, Frame, Lane, Result, columns_for, grid, png
from dashboard.ui.html import scripted

COLUMNS = 6
WIDE_COLUMNS = 24


def component(page: str, family: str, title: str, value: dict[str, Any], picture: str = "image") -> gr.HTML:
    """Return a lane's component on a page; `picture` is 'wide' for a lane that also has a drawing in one long row."""
    wide = '<img data-at="wide" alt="">' if picture == "wide" else ""
    template = (
        f'<article class="lane empty f-{family}" data-at="lane" data-lane="{family}" data-state="idle">'
        f"<header>{theme.badge(family)}<h2>{escape(title)}</h2>"
        '<span class="clock"><b data-at="clock"></b> <i data-at="unit"></i></span></header>'
        f'<div class="picture"><img data-at="image" alt="">{wide}</div>'
        '<div class="track"><i data-at="bar"></i></div>'
        '<p class="note" data-at="note" aria-live="polite"></p>'
        '<dl data-at="figures">' + "<div hidden><dt></dt><dd></dd></div>" * 3 + "</dl></article>"
    )
    return scripted(
        f"{page}-lane-{family}", template.replace("{{", "").replace("${", ""), "lab.lane(element, props, watch)", value
    )


def data_uri(images: np.ndarray, columns: int | None = None) -> str:
    """Return images, uint8 (N, C, H, W), as the data URI of an exact PNG grid: by default of few columns, or square."""
    columns = max(COLUMNS, columns_for(len(images))) if columns is None else columns
    return "data:image/png;base64," + base64.b64encode(png(grid(images, min(columns, len(images))))).decode()


def at_rest(lane: Lane) -> dict[str, Any]:
    """Return a lane's value before anything has run: the shipped images and the measured time."""
    value: dict[str, Any] = {"state": "preview", "share": 0, "ms": None, "figures": [], "image": "", "note": ""}
    if lane.problem:
        return {**value, "state": "absent", "note": lane.problem}
    if lane.preview is not None:
        value |= {"image": data_uri(lane.preview), "alt": f"{len(lane.preview)} {lane.title} images",
                  "note": f"Seed {PREVIEW['seed']}, default setting."}  # fmt: skip
    else:
        value["note"] = "No images yet: press Generate."
    cost = lane.cost
    if cost.get("ms_per_image"):
        value |= {"ms": cost["ms"], "share": 1, "figures": figures(cost["ms_per_image"], int(cost.get("calls") or 0))}
        value["note"] += f" Time measured for {cost.get('n')} images on {measured_on(cost)}."
    return value


def figures(ms_per_image: float, calls: int) -> list[list[str]]:
    """Return the figures under a lane's image."""
    rate = f"{format.round_to(1000 / ms_per_image)}" if ms_per_image else ""
    return [["per image", format.duration(ms_per_image)], ["network calls", f"{calls:,}"], ["images/s", rate]]


def machine_name(machine: dict[str, Any]) -> str:
    """Return a machine for people: 'CPU, 2 cores' or the accelerator's name."""
    if machine.get("device", "cpu") == "cpu":
        cores = machine.get("cores")
        return f"CPU, {cores} core{'s' * (cores != 1)}" if cores else "CPU"
    return str(machine.get("name") or machine["device"])


def processor(machine: dict[str, Any]) -> str:
    """Return the machine of a measurement by its processor's name: 'Intel Xeon Processor, 2 cores'."""
    name = str(machine.get("name") or "").replace("(R)", "").replace("(TM)", "")
    cores = machine.get("cores") if machine.get("device", "cpu") == "cpu" else None
    return f"{name}, {cores} cores" if name and cores else name or machine_name(machine)


def measured_on(cost: dict[str, Any]) -> str:
    """Return what a checkpoint's time was measured with: 'Intel Xeon Processor, 2 cores, float32'."""
    return ", ".join(filter(None, [processor(cost.get("machine") or {}), str(cost.get("dtype") or "")]))


def painted(frame: Frame, n: int, seed: int) -> dict[str, Any]:
    """Return a lane's value for a frame of a run of `n` images; what is left out stays on screen."""
    value: dict[str, Any] = {"state": frame.state, "index": frame.index, "ms": 1000 * frame.seconds,
                             "share": frame.index / frame.total if frame.total else 0}  # fmt: skip
    if frame.images is not None:
        value |= {"image": data_uri(frame.images), "alt": f"{n} images, step {frame.index} of {frame.total}"}
        value["figures"] = figures(1000 * frame.seconds / n, frame.index)
    if frame.state in ("waiting", "loading", "skipped", "failed"):
        del value["ms"]
    value["note"] = sentence(frame, n, seed)
    return value


def sentence(frame: Frame, n: int, seed: int) -> str:
    """Return what a lane says about a frame."""
    if frame.state == "running":
        left = frame.seconds / frame.index * (frame.total - frame.index)
        wait = f", about {format.duration(1000 * left)} left" if left > 5 else ""
        return f"Step {frame.index:,} of {frame.total:,}{wait}. Shown: the images it would give now."
    return {
        "waiting": "Waiting for its turn on the device.",
        "loading": "Loading and warming up; the clock has not started.",
        "done": f"{n} image{'s' * (n != 1)}, seed {seed}, "
        + (f"made and timed here at {frame.kept[11:16]} UTC." if frame.kept else "timed here after a warm-up."),
        "stopped": f"Stopped at step {frame.index:,} of {frame.total:,}.",
        "skipped": "Stopped before its turn; the images are from before.",
        "failed": frame.problem,
    }[frame.state]


def real(images: np.ndarray | None, seed: int) -> dict[str, Any]:
    """Return the value of the lane of real images."""
    if images is None:
        return {"state": "idle", "image": "", "wide": "", "note": ""}
    return {
        "state": "real",
        "image": data_uri(images),
        "wide": data_uri(images, WIDE_COLUMNS),
        "alt": f"{len(images)} real images",
        "note": f"{len(images)} test image{'s' * (len(images) != 1)}, picked by seed {seed}.",
    }


def about(lane: Lane) -> str:
    """Return the caption of a lane as markup: what it is, how large, and how it was trained."""
    run, facts = lane.run, []
    parameters = lane.cost.get("parameters_total") or lane.parameters
    if parameters:
        facts.append(f"<b>{format.count(parameters)}</b> parameters")
    if lane.trained.get("images"):
        facts.append(f"<b>{format.count(lane.trained['images'])}</b> images seen in training")
    if lane.trained.get("seconds"):
        where = machine_name(run["machine"]) if isinstance(run.get("machine"), dict) else ""
        facts.append(
            f"<b>{format.minutes(lane.trained['seconds'])}</b> of training{' on ' + escape(where) if where else ''}"
        )
    details = f"<p>{', '.join(facts)}.</p>" if facts else ""
    details += f"<p>{escape(format.imported(lane.origin))}.</p>" if lane.origin else ""
    return f'<div class="about"><p>{escape(lane.about)}</p>{details}</div>'


def imported(origins: Mapping[str, str]) -> str:
    """Return the foot of every page: where each imported checkpoint comes from, by its name; '' where none is."""
    lines = "".join(f"<li><b>{escape(name)}</b>: {escape(words)}.</li>" for name, words in origins.items())
    head = f"{format.plural(len(origins), 'checkpoint')} from elsewhere"
    return f'<details class="imported"><summary>{head}</summary><ul>{lines}</ul></details>' if origins else ""


def results(lanes: Sequence[Lane]) -> dict[str, Result]:
    """Return the shipped images as results, so that the charts have something to show before anything runs."""
    return {
        lane.family: Result(lane.family, lane.title, lane.preview, calls=int(lane.cost.get("calls") or 0))
        for lane in lanes
        if lane.preview is not None and not lane.problem
    }
