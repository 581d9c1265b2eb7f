"""The controls of the knobs of several families, of which the chosen one's are shown."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import gradio as gr

from dashboard.service import InputError, Knob, resolve_knobs
from dashboard.ui import knobs as controls
from dashboard.ui.events import QUICK


class Settings:
    """The controls of the families' knobs, of which those of one family are shown.

    Args:
        kinds: The families, by name; the first one's controls are shown at first.
        name: Begins the components' ids.
        starts: By family, the knobs that do not start at their default.
        left_out: By family, a knob that has no control here.
        presets: Whether there is a dropdown of the family's operating points.
    """

    def __init__(
        self,
        kinds: Mapping[str, type],
        name: str,
        starts: Mapping[str, Mapping[str, Any]],
        left_out: Mapping[str, Knob | None] | None = None,
        presets: bool = False,
    ):
        self.kinds, self.left_out = kinds, left_out or {}
        self.groups: dict[str, gr.Column] = {}
        self.presets: dict[str, gr.Dropdown] = {}
        self.knobs: dict[str, list[gr.components.Component]] = {}
        for family, kind in self.kinds.items():
            values = resolve_knobs(kind.knobs, starts.get(family, {}))
            with gr.Column(visible=not self.groups, elem_classes=["df-knobs"]) as self.groups[family]:
                if presets:
                    self.presets[family] = controls.presets(kind.points, f"{name}-{family}")
                    self.presets[family].value = controls.match(kind.knobs, kind.points, list(values.values()))
                self.knobs[family] = [
                    controls.control(replace(knob, default=values[knob.name]), f"{name}-{family}", knob.applies(values))
                    for knob in self.shown(family)
                ]

    def shown(self, family: str) -> list[Knob]:
        """Return the knobs of a family that have a control."""
        return [knob for knob in self.kinds[family].knobs if knob != self.left_out.get(family)]

    @property
    def inputs(self) -> list[gr.components.Component]:
        """What `given` reads."""
        return [knob for knobs in self.knobs.values() for knob in knobs]

    @property
    def outputs(self) -> list[gr.components.Component]:
        """What `show` and the events change."""
        return [*self.groups.values(), *self.presets.values(), *self.inputs]

    def show(self, family: str) -> dict:
        """Return the updates that show the controls of a family."""
        return {group: gr.update(visible=name == family) for name, group in self.groups.items()}

    def given(self, family: str, values: Sequence[Any]) -> dict[str, Any]:
        """Return what the controls of a family say, without the knobs that have no effect beside the others."""
        start = 0
        for name, knobs in self.knobs.items():
            if name == family:
                return controls.chosen(self.shown(family), values[start : start + len(knobs)])
            start += len(knobs)
        return {}

    def connect(self) -> list[Any]:
        """Connect the controls with one another; return the events of a visitor's change."""
        events = []
        for family, knobs in self.knobs.items():
            inputs = [*([self.presets[family]] if self.presets else []), *knobs]
            turn, choose = (functools.partial(f, family) for f in (self.turn, self.choose))
            for knob in knobs:
                events.append(knob.input(turn, inputs, inputs, trigger_mode="always_last", **QUICK))
            if self.presets:
                events.append(self.presets[family].input(choose, inputs, inputs, trigger_mode="always_last", **QUICK))
        return events

    def turn(self, family: str, *values: Any) -> dict:
        """Show the knobs that have an effect now, and the setting's name."""
        kind, updates = self.kinds[family], {}
        preset, values = (values[0], values[1:]) if self.presets else ("", values)
        named = dict(zip((knob.name for knob in self.shown(family)), values, strict=True))
        if self.presets:
            try:
                updates[self.presets[family]] = controls.match(kind.knobs, kind.points, values, preset)
            except InputError:
                updates[self.presets[family]] = controls.CUSTOM
        for knob, control in zip(self.shown(family), self.knobs[family], strict=True):
            updates[control] = gr.update(visible=knob.applies(named))
        return updates

    def choose(self, family: str, preset: str, *values: Any) -> dict:
        """Set the knobs to an operating point."""
        kind = self.kinds[family]
        point = next((point for point in kind.points if controls.name_of(point) == preset), None)
        if point is None:
            return {self.presets[family]: preset}
        settled = resolve_knobs(kind.knobs, point.knobs)
        return {
            control: gr.update(value=settled[knob.name], visible=knob.applies(settled))
            for knob, control in zip(kind.knobs, self.knobs[family], strict=True)
        }
