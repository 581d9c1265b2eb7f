"""A family's knobs as Gradio controls, and what the controls say as knob values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from dashboard import format
from dashboard.service import Knob, Point, resolve_knobs

CUSTOM = "own settings"


def words(name: str) -> str:
    """Return a knob's name for people: 'num_inference_steps' becomes 'num inference steps'."""
    return name.replace("_", " ")


def datasets(names: Sequence[str]) -> list[tuple[str, str]]:
    """Return the choices of a dropdown of data sets."""
    return [(format.dataset_title(name), name) for name in names]


def opened_on(request: gr.Request, names: Sequence[str], shown: str | None = None) -> tuple[str, dict]:
    """Return the data set that a page opens on, and the update of its dropdown.

    It is the one `shown` before, else the one that the address names, else the first, '' when there is none.
    """
    dataset = next((one for one in (shown, request.query_params.get("data")) if one in names), next(iter(names), ""))
    return dataset, gr.update(choices=datasets(names), value=dataset or None, visible=len(names) > 1)


def control(knob: Knob, family: str, visible: bool = True) -> gr.components.Component:
    """Return the control of a knob: a dropdown for choices (radio buttons for two), a slider for a number."""
    shared = {"label": words(knob.name), "info": knob.help or None, "visible": visible, "interactive": True,
              "elem_id": f"{family}-{knob.name}", "elem_classes": ["knob"]}  # fmt: skip
    if knob.choices:
        kind = gr.Radio if len(knob.choices) <= 2 else gr.Dropdown
        return kind(choices=list(knob.choices), value=knob.default, **shared)
    step = 1 if knob.integer else (knob.high - knob.low) / 100
    return gr.Slider(knob.low, knob.high, value=knob.default, step=step, **shared)


def presets(points: Sequence[Point], family: str) -> gr.Dropdown:
    """Return the dropdown of a family's operating points; the lecture's own setting says so."""
    return gr.Dropdown(
        [*(name_of(point) for point in points), CUSTOM],
        value=name_of(points[0]) if points else CUSTOM,
        label="setting",
        interactive=True,
        visible=bool(points),
        elem_id=f"{family}-setting",
        elem_classes=["knob", "setting"],
    )


def name_of(point: Point) -> str:
    """Return an operating point's name in the dropdown."""
    return f"{point.label} (the lecture's own)" if point.kind == "lecture" else point.label


def chosen(knobs: Sequence[Knob], values: Sequence[Any]) -> dict[str, Any]:
    """Return what the controls say, without the knobs that have no effect beside the others."""
    given = dict(zip((knob.name for knob in knobs), values, strict=True))
    return {knob.name: given[knob.name] for knob in knobs if knob.applies(given)}


def match(knobs: Sequence[Knob], points: Sequence[Point], values: Sequence[Any], current: str = CUSTOM) -> str:
    """Return the name of the operating point that the controls stand at: `current` if it is one, else the first."""
    now = resolve_knobs(knobs, chosen(knobs, values))
    names = [name_of(point) for point in points if resolve_knobs(knobs, point.knobs) == now]
    return current if current in names else next(iter(names), CUSTOM)


def restored(knobs: Sequence[Knob], query: Mapping[str, str], family: str) -> tuple[dict[str, Any], list[str]]:
    """Return the knob values of a link's query ('ddpm.eta=0.5'), and a sentence for each that is not usable."""
    values, problems = {knob.name: knob.default for knob in knobs}, []
    for knob in knobs:
        raw = query.get(f"{family}.{knob.name}")
        if raw is None:
            continue
        try:
            values[knob.name] = knob.parse(raw)
        except ValueError as error:
            problems.append(f"The link's {family} setting was left out: {error}")
    return values, problems


def query_defaults(knobs: Sequence[Knob], family: str) -> dict[str, Any]:
    """Return the query's keys for a family's knobs with their defaults, which a link leaves out."""
    return {f"{family}.{knob.name}": knob.default for knob in knobs}
