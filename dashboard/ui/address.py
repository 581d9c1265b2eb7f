"""What of a page stands in its address, so that a link, a reload and Back show it exactly as it was.

A page declares which of its components are its state, each by a short name; all else follows: what a visitor changes
goes into the address, without what is as usual (`address.js`), and an address sets the components before its page is
opened. What cannot be read is left out, and said in a sentence. Not in it is what a visitor drew or uploaded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.context import Context

from dashboard.service import InputError
from dashboard.service.parsing import parse_choice, parse_number, parse_seed, parse_whole
from dashboard.ui import dataset_choice
from dashboard.ui.events import CALM, QUICK
from dashboard.ui.html import scripted
from dashboard.ui.knobs import KnobPanel

LONGEST = 400  # characters of one value
HASH = "() => [location.hash]"
Read = Callable[[str], Any]  # a text as a value; InputError where it is none
Among = Callable[[str], Sequence[str]]  # what there is to choose, given the data set


@dataclass(frozen=True)
class Field:
    """One thing that an address says.

    Attributes:
        name: How it is called there.
        component: What holds it; None where a script does.
        read: Reads it.
        usual: What it is where the address says nothing; by data set where that is what it depends on (`among`).
        words: By value, how a choice is written.
        among: What there is to choose, where that depends on the data set.
        first: What is chosen of that where nobody chose; the first of it where this is None.
        heard: Whether the browser has its value, as it has not that of a `gr.State`.
    """

    name: str
    component: gr.components.Component | None
    read: Read
    usual: Any = None
    words: Mapping[Any, str] | None = None
    among: Among | None = None
    first: Callable[[str], Any] | None = None
    heard: bool = True

    def told(self, datasets: Sequence[str]) -> dict[str, Any]:
        """Return what the script must know of it."""
        if self.component is None or not self.heard:
            return {"name": self.name}
        found: dict[str, Any] = {"name": self.name, "usual": self.usual}
        if self.among is not None:
            found |= {"by": True, "usual": {data: self.start(data) for data in datasets}}
        return found | ({"words": self.words} if self.words else {})

    def start(self, dataset: str) -> Any:
        """Return what is chosen in a data set where nobody chose."""
        if self.first is not None:
            return self.first(dataset)
        return next(iter(self.among(dataset)), None) if self.among else self.usual


class Address:
    """The fields of one page, which is being laid out.

    Args:
        page: Its slug.
        datasets: The data sets that there are now.
        itself: Whether the page, which is not waited for, sets itself when the app is opened; see `asked`.
        says: Whether it then says itself what is wrong with the address.
    """

    def __init__(
        self, page: str, datasets: Callable[[], Sequence[str]] = tuple, itself: bool = False, says: bool = False
    ):
        self.page, self.datasets, self.itself, self.says = page, datasets, itself, says
        self.fields: list[Field] = []
        self.panels: list[tuple[str, KnobPanel]] = []
        self.followers: list[Callable[[Mapping[str, Any]], dict]] = []
        self.shown: list[gr.components.Component] = []  # what they change
        addresses(Context.root_block).append(self)

    def keep(self, name: str, component: gr.components.Component, **told: Any) -> None:
        """Declare a component as the page's state; how it is read follows from what it is, unless it is told."""
        among = told.get("among")
        if name == "data":
            told = {"read": lambda text: parse_choice(text, self.datasets(), "data set"), **told}
            told["usual"] = next(iter(self.datasets()), None)
        elif among is None and isinstance(component, gr.Radio | gr.Dropdown | gr.CheckboxGroup):
            told = {"words": spelled(component), **told}
        read = told.pop("read", None) or reader(name, component, told.get("words"))
        usual = told.pop("usual", component.value)
        self.fields.append(Field(name, component, read, usual=usual, **told))

    def scripts(self, name: str, read: Read = str, among: Among | None = None) -> None:
        """Declare what only the page's script knows: it says it to `lab.address`, and asks for it there."""
        self.fields.append(Field(name, None, read, among=among))

    def state(self, name: str, component: gr.State, read: Read) -> None:
        """Declare what the server keeps, which the page's script says to `lab.address`."""
        self.fields.append(Field(name, component, read, usual=component.value, heard=False))

    def knobs(self, panel: KnobPanel, before: str = "") -> None:
        """Declare the knobs of all families of a panel: 'ddpm.eta', with what tells the panel from another before."""
        self.panels.append((before, panel))
        for family, controls in panel.controls.items():
            for knob, control in zip(panel.knobs(family), controls, strict=True):
                self.fields.append(Field(f"{before}{family}.{knob.name}", control, knob.parse, usual=control.value))

    def follow(self, change: Callable[[Mapping[str, Any]], dict], shown: Sequence[gr.components.Component]) -> None:
        """Declare what follows from the values of an address: the updates of what is shown besides."""
        self.followers.append(change)
        self.shown += shown

    @property
    def heard(self) -> list[gr.components.Component]:
        """The components that the browser reads, in the order of the fields."""
        return [one.component for one in self.fields if one.component is not None and one.heard]

    @property
    def outputs(self) -> list[gr.components.Component]:
        """What `set` changes."""
        panels = [one for _, panel in self.panels for one in panel.outputs]
        return [*(one.component for one in self.fields if one.component is not None), *panels, *self.shown]

    def read(self, query: Mapping[str, Any]) -> tuple[dict[str, Any], list[str], list[str]]:
        """Return what an address says: values by name, a sentence for each that is not usable, and their names."""
        values: dict[str, Any] = {}
        problems, dropped = [], []
        for field in sorted(self.fields, key=lambda one: one.name != "data"):  # what there is depends on the data set
            text = query.get(field.name)
            if text is None:
                continue
            try:
                values[field.name] = self._value(field, str(text)[:LONGEST], values)
            except InputError as error:
                problems.append(f"The link's {field.name} was left out: {error}")
                dropped.append(field.name)
        return values, problems, dropped

    def _value(self, field: Field, text: str, values: Mapping[str, Any]) -> Any:
        if field.among is None:
            return field.read(text)
        known = field.among(self._data(values))
        several = isinstance(field.component, gr.Dropdown) and field.component.multiselect
        if not several:
            return parse_choice(text, known, field.name)
        return [parse_choice(one, known, field.name) for one in text.split(",") if one != "none"]

    def _data(self, values: Mapping[str, Any]) -> str:
        return values.get("data") or next(iter(self.datasets()), "")

    def set(self, values: Mapping[str, Any]) -> dict:
        """Return the updates that show what an address says; all else is as usual."""
        if not values:
            return {}
        updates: dict = {}
        for field in self.fields:
            if field.component is None:
                continue
            if field.among is not None:  # such as a checkpoint: its choices come when the page is opened
                data = self._data(values)
                chosen = values.get(field.name, field.start(data))
                updates[field.component] = gr.update(choices=list(field.among(data)), value=chosen)
            elif field.name in values:
                updates[field.component] = values[field.name]
        if "data" in values and (chooser := self._chooser()) is not None:
            updates[chooser] = gr.update(choices=dataset_choice.choices(self.datasets()), value=values["data"])
        for before, panel in self.panels:
            updates |= panel_set(before, panel, values)
        for change in self.followers:
            updates |= change(values)
        return updates

    def _chooser(self) -> gr.components.Component | None:
        return next((one.component for one in self.fields if one.name == "data"), None)


def addresses(root: gr.Blocks | None) -> list[Address]:
    """Return the addresses declared in an app so far."""
    return root.__dict__.setdefault("addresses", []) if root is not None else []


def panel_set(before: str, panel: KnobPanel, values: Mapping[str, Any]) -> dict:
    """Return the updates of those families' knobs of which an address says something."""
    updates: dict = {}
    for family, controls in panel.controls.items():
        knobs = panel.knobs(family)
        if any(f"{before}{family}.{knob.name}" in values for knob in knobs):
            every = {knob.name: knob.default for knob in panel.kinds[family].knobs}
            every |= {knob.name: one.value for knob, one in zip(knobs, controls, strict=True)}
            every |= {knob.name: values.get(f"{before}{family}.{knob.name}", every[knob.name]) for knob in knobs}
            updates |= panel.set(family, every)
    return updates


# ---- how values are written and read


def spelled(component: gr.components.Component) -> dict[Any, str]:
    """Return the choices of a component by value, as an address writes them: 'two images' becomes 'two-images'."""
    return {value: str(value).replace(" ", "-") for _, value in component.choices}


def reader(name: str, component: gr.components.Component, words: Mapping[Any, str] | None = None) -> Read:
    """Return what reads a component's value from an address, with its bounds and choices."""
    if isinstance(component, gr.Slider | gr.Number):
        low, high = bound(component.minimum, -math.inf), bound(component.maximum, math.inf)
        whole = isinstance(component, gr.Slider) and float(component.step) % 1 == 0 and float(low) % 1 == 0
        return number(name, low, high, whole)
    if isinstance(component, gr.Checkbox):
        return lambda text: parse_choice(text, ("yes", "no"), name) == "yes"
    if isinstance(component, gr.CheckboxGroup):
        return lambda text: [choice(one, words or {}, name) for one in text.split(",") if one != "none"]
    if words is not None:
        return lambda text: choice(text, words, name)
    return lambda text: str(parse_seed(text))  # all text fields that stay are of seeds


def bound(value: float | None, otherwise: float) -> float:
    """Return an end of a range."""
    return otherwise if value is None else value


def number(name: str, low: float, high: float, whole: bool = False) -> Read:
    """Return what reads a number."""
    if whole and math.isfinite(low) and math.isfinite(high):
        return lambda text: parse_whole(text, int(low), int(high), name)
    return lambda text: parse_number(text, low, high, name)


def choice(text: str, words: Mapping[Any, str], what: str) -> Any:
    """Return the value that is written so.

    Raises:
        InputError: if none is.
    """
    word = parse_choice(text, words.values(), what)
    return next(value for value, one in words.items() if one == word)


# ---- in the app


def asked(request: gr.Request, at: Any, page: str) -> dict[str, str]:
    """Return what the address says of a page that is not waited for: its own query, of another's the data set alone."""
    query = dict(request.query_params)
    mine = str(at or "").lstrip("#").partition("/")[0] in ("", page)
    return query if mine else {key: query[key] for key in ("data",) if key in query}


def connect(root: gr.Blocks, tabs: Mapping[str, gr.Tab], datasets: Sequence[str]) -> None:
    """Connect all addresses that an app's pages have declared."""
    found = {one.page: one for one in addresses(root)}
    fields = {page: [field.told(datasets) for field in found[page].fields] if page in found else [] for page in tabs}
    script = "lab.address.begin(props, watch, trigger, ['restore'])"
    said = scripted("address", "<i hidden></i>", script, {"pages": fields})

    def restore(event: gr.EventData) -> dict:
        """Set a page's components as an address says, before the page is opened."""
        page, query = found.get(str(event._data.get("page"))), event._data.get("query")
        if page is None or not isinstance(query, dict):
            return {said: {"problems": [], "dropped": []}}
        values, problems, dropped = page.read(query)
        told = {"page": page.page, "problems": [] if page.says else problems, "dropped": dropped}
        return {**({} if page.itself else page.set(values)), said: told}

    outputs = list(dict.fromkeys(one for page in found.values() if not page.itself for one in page.outputs))
    said.restore(restore, None, [said, *outputs], **QUICK, trigger_mode="multiple")
    for page, address in found.items():
        if not address.heard:
            continue
        changes, opened = [one.change for one in address.heard], getattr(tabs[page], "opened", None)
        if opened is None:  # it is laid out when the app is
            changes.append(tabs[page].select)
        else:
            opened.then(None, address.heard, None, js=taken(page, True), **CALM)
        gr.on(changes, None, address.heard, None, js=taken(page, opened is None), **CALM)


def taken(page: str, is_open: bool) -> str:
    """Return what a listener does in the browser: the values of a page's components go into the address."""
    return f"(...v) => {{ lab.address.take({page!r}, v, {str(is_open).lower()}); }}"
