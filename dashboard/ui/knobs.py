"""A family's knobs as Gradio controls, and what the controls say as knob values."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import gradio as gr

from dashboard.service import InputError, Knob, Point, resolve_knobs
from dashboard.ui.events import QUICK

CUSTOM = "own settings"


def spelled(name: str) -> str:
    """Return a knob's name for people: 'num_inference_steps' becomes 'num inference steps'."""
    return name.replace("_", " ")


def control(knob: Knob, name: str, visible: bool = True) -> gr.components.Component:
    """Return a knob's control: a dropdown for choices (radio buttons for two), a slider for a number.

    Its id is `name` and the knob's own.
    """
    shared = {"label": spelled(knob.name), "info": knob.help or None, "visible": visible, "interactive": True,
              "elem_id": f"{name}-{knob.name}", "elem_classes": ["knob"]}  # fmt: skip
    if knob.choices:
        kind = gr.Radio if len(knob.choices) <= 2 else gr.Dropdown
        return kind(choices=list(knob.choices), value=knob.default, **shared)
    step = 1 if knob.integer else (knob.high - knob.low) / 100
    return gr.Slider(knob.low, knob.high, value=knob.default, step=step, **shared)


def presets(points: Sequence[Point], name: str, value: str) -> gr.Dropdown:
    """Return the dropdown of a family's operating points; the lecture's own setting says so."""
    return gr.Dropdown(
        [*(name_of(point) for point in points), CUSTOM],
        value=value,
        label="setting",
        interactive=True,
        visible=bool(points),
        elem_id=f"{name}-setting",
        elem_classes=["knob", "setting"],
    )


def name_of(point: Point) -> str:
    """Return an operating point's name in the dropdown."""
    return f"{point.label} (the lecture's own)" if point.kind == "lecture" else point.label


def point_named(points: Sequence[Point], name: str) -> Point | None:
    """Return the operating point of a name in the dropdown."""
    return next((point for point in points if name_of(point) == name), None)


def chosen(knobs: Sequence[Knob], values: Sequence[Any]) -> dict[str, Any]:
    """Return what the controls say, without the knobs that have no effect beside the others."""
    given = dict(zip((knob.name for knob in knobs), values, strict=True))
    return {knob.name: given[knob.name] for knob in knobs if knob.applies(given)}


def match(knobs: Sequence[Knob], points: Sequence[Point], values: Sequence[Any], current: str = CUSTOM) -> str:
    """Return the name of the operating point that the controls stand at: `current` if it is one, else the first."""
    now = resolve_knobs(knobs, chosen(knobs, values))
    names = [name_of(point) for point in points if resolve_knobs(knobs, point.knobs) == now]
    return current if current in names else next(iter(names), CUSTOM)


class KnobPanel:
    """The controls of one or several families' knobs, laid out in the current Blocks.

    A knob is shown only where it has an effect beside the others.

    Args:
        kinds: The families, by name.
        name: Begins the components' ids.
        starts: By family, the knobs that do not start at their default.
        left_out: By family, a knob that has no control here.
        presets: Whether there is a dropdown of the family's operating points.
        columns: Whether each family's controls stand in a column of their own, of which `show` shows one.
        shown: The family whose column is shown at first.
    """

    def __init__(
        self,
        kinds: Mapping[str, type],
        name: str,
        starts: Mapping[str, Mapping[str, Any]] | None = None,
        left_out: Mapping[str, Knob | None] | None = None,
        presets: bool = False,
        columns: bool = True,
        shown: str = "",
    ):
        self.kinds, self.left_out = kinds, left_out or {}
        self.columns: dict[str, gr.Column] = {}
        self.presets: dict[str, gr.Dropdown] = {}
        self.controls: dict[str, list[gr.components.Component]] = {}
        for family in kinds:
            lay_out = functools.partial(
                self._build, family, f"{name}-{family}", (starts or {}).get(family, {}), presets
            )
            if columns:
                with gr.Column(visible=family == shown) as self.columns[family]:
                    lay_out()
            else:
                lay_out()

    def _build(self, family: str, name: str, start: Mapping[str, Any], with_presets: bool) -> None:
        kind = self.kinds[family]
        values = resolve_knobs(kind.knobs, start)
        if with_presets:
            self.presets[family] = presets(kind.points, name, match(kind.knobs, kind.points, list(values.values())))
        self.controls[family] = [
            control(replace(knob, default=values[knob.name]), name, knob.applies(values)) for knob in self.knobs(family)
        ]

    def knobs(self, family: str) -> list[Knob]:
        """Return the knobs of a family that have a control."""
        return [knob for knob in self.kinds[family].knobs if knob != self.left_out.get(family)]

    @property
    def inputs(self) -> list[gr.components.Component]:
        """What `given` reads."""
        return [one for controls in self.controls.values() for one in controls]

    @property
    def outputs(self) -> list[gr.components.Component]:
        """What `show`, `set` and the controls' own events change."""
        return [*self.columns.values(), *self.presets.values(), *self.inputs]

    def show(self, family: str) -> dict:
        """Return the updates that show the controls of a family, of none for ''."""
        return {column: gr.update(visible=name == family) for name, column in self.columns.items()}

    def set(self, family: str, values: Mapping[str, Any]) -> dict:
        """Return the updates that put a family's controls to the values of all its knobs."""
        kind, updates = self.kinds[family], {}
        if self.presets:
            updates[self.presets[family]] = match(kind.knobs, kind.points, [values[knob.name] for knob in kind.knobs])
        return updates | self._moved(family, values)

    def _moved(self, family: str, values: Mapping[str, Any]) -> dict:
        return {
            one: gr.update(value=values[knob.name], visible=knob.applies(values))
            for knob, one in zip(self.knobs(family), self.controls[family], strict=True)
        }

    def given(self, family: str, values: Sequence[Any]) -> dict[str, Any]:
        """Return what the controls of a family say, without the knobs that have no effect beside the others.

        Args:
            family: The family; {} for one that has no controls.
            values: Those of `inputs`.
        """
        start = 0
        for name, controls in self.controls.items():
            if name == family:
                return chosen(self.knobs(family), values[start : start + len(controls)])
            start += len(controls)
        return {}

    def connect(self) -> list[Callable[..., Any]]:
        """Connect the controls with one another; return what follows a visitor's changes, one listener a control."""
        after: list[Callable[..., Any]] = []
        live: dict[str, Any] = {**QUICK, "trigger_mode": "always_last"}
        for family, controls in self.controls.items():
            inputs = [*([self.presets[family]] if self.presets else []), *controls]
            turn, choose = (functools.partial(f, family) for f in (self.turn, self.choose))
            alone = not self.presets and not any(knob.when for knob in self.knobs(family))
            after += [one.input if alone else one.input(turn, inputs, inputs, **live).then for one in controls]
            if self.presets:
                after.append(self.presets[family].input(choose, inputs, inputs, **live).then)
        return after

    def turn(self, family: str, *values: Any) -> dict:
        """Show the knobs that have an effect now, and the setting's name."""
        kind, updates = self.kinds[family], {}
        preset, values = (values[0], values[1:]) if self.presets else ("", values)
        named = dict(zip((knob.name for knob in self.knobs(family)), values, strict=True))
        if self.presets:
            every = [named.get(knob.name, knob.default) for knob in kind.knobs]
            try:
                updates[self.presets[family]] = match(kind.knobs, kind.points, every, preset)
            except InputError:
                updates[self.presets[family]] = CUSTOM
        for knob, one in zip(self.knobs(family), self.controls[family], strict=True):
            updates[one] = gr.update(visible=knob.applies(named))
        return updates

    def choose(self, family: str, preset: str, *values: Any) -> dict:
        """Set the knobs to an operating point."""
        kind = self.kinds[family]
        point = point_named(kind.points, preset)
        if point is None:
            return {self.presets[family]: preset}
        return self._moved(family, resolve_knobs(kind.knobs, point.knobs))
