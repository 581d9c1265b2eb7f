"""Training: what each run's log and time-lapse say, the families on one axis."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import gradio as gr

from dashboard.figures import training_curves
from dashboard.figures.training_curves import Facts, Told
from dashboard.pages import slug_of
from dashboard.pages.training.panels import PANELS
from dashboard.service import InputError, Service
from dashboard.service import runs as replay
from dashboard.ui import dataset_choice, timelapse
from dashboard.ui.address import Address
from dashboard.ui.events import QUICK
from dashboard.ui.html import title
from dashboard.ui.panels import chart, framed, on_open

TITLE = "Training"
SLUG = slug_of(__name__)
MOST = 8  # trainings beside each other
IMAGES, SECONDS = "images seen", "seconds"
AXES = {IMAGES: "images", SECONDS: "seconds"}
NONE = "nothing more"


def build(service: Service) -> None:
    """Lay out the page in the current Blocks and connect it to the service."""
    Training(service).connect()


class Training:
    """The page's components and what they do."""

    def __init__(self, service: Service):
        self.service = service
        title(
            "Training, replayed",
            "What each model went through, from its own log: the same trainings by images seen or by the clock,"
            " curves first, then the images themselves.",
        )
        with gr.Row(elem_classes=["shared"], elem_id="training-shared"):
            self.dataset = dataset_choice.dropdown(SLUG, visible=len(service.datasets()) > 1)
            self.chosen = gr.Dropdown(
                [], value=[], multiselect=True, max_choices=MOST, label="trainings", interactive=True,
                elem_id="training-runs",
            )  # fmt: skip
        self.shown = gr.State([])  # the trainings that the page shows
        self.status = gr.HTML("", js_on_load=None, elem_id="training-status")
        with framed(PANELS["curves"]):
            self._build_curves()
        with framed(PANELS["timelapse"]):
            self.lapse_axis = axis_radio("slider counts", "training-lapse-axis")
            self.lapse = timelapse.component(service, "training-timelapse", SLUG)
        self._build_address()

    # ---- layout

    def _build_curves(self) -> None:
        with gr.Row(elem_classes=["training-turns"]):
            self.axis = axis_radio("horizontal axis", "training-axis")
            self.log_x = gr.Checkbox(
                True, label="log scale", info="Gives the beginning more room.", interactive=True,
                elem_id="training-log", elem_classes=["knob"],
            )  # fmt: skip
            self.also = gr.Dropdown(
                [NONE], value=NONE, label="also show", interactive=True, filterable=False, elem_id="training-also"
            )
        self.charts = chart("training-charts")
        self.facts = chart("training-facts")

    def _build_address(self) -> None:
        address = Address(SLUG, self.service.datasets)
        address.keep("data", self.dataset)
        address.keep("runs", self.chosen, among=self._names, first=self._usual)
        address.keep("axis", self.axis)
        address.keep("log", self.log_x)
        address.keep("also", self.also, among=self._columns, first=lambda data: NONE)
        address.keep("slider", self.lapse_axis)
        timelapse.keep(address)

    def _names(self, dataset: str) -> list[str]:
        return [run.name for run in replay.runs(self.service, dataset)]

    def _usual(self, dataset: str) -> list[str]:
        """Return the trainings that a data set is shown with: the first of every family."""
        found = replay.runs(self.service, dataset)
        return list({run.family: run.name for run in reversed(found)}.values())[::-1]

    def _columns(self, dataset: str) -> list[str]:
        return [NONE, *training_curves.others(self._told(self._names(dataset))[0])]

    # ---- events

    def connect(self) -> None:
        """Connect the components."""
        calm: dict[str, Any] = {**QUICK, "trigger_mode": "always_last"}
        turned = [self.chosen, self.axis, self.log_x, self.also]
        everything = [
            self.dataset,
            self.chosen,
            self.shown,
            self.status,
            self.also,
            self.charts,
            self.facts,
            self.lapse,
        ]
        settings = [self.dataset, *turned, self.lapse_axis]
        on_open(self.open, settings, everything, queue=False)
        self.dataset.input(self.switch, settings, everything, **calm)
        # Not `input`, which Clear does not raise; of a change that the page made itself, `choose` takes no notice.
        self.chosen.change(self.choose, [self.shown, *settings], everything, **calm)
        for control in (self.axis, self.log_x, self.also):
            control.input(self.draw, turned, [self.charts], **calm)
        self.lapse_axis.input(self.replay, [self.chosen, self.lapse_axis], [self.lapse], **calm)

    # ---- handlers

    def open(self, request: gr.Request, dataset: str | None, chosen: list, *settings: Any) -> dict:
        """Show the page as it was, else the data set that the address names, else the first."""
        dataset, choices = dataset_choice.opened_on(request, self.service.datasets(), dataset)
        return {**self._dataset(dataset, chosen, *settings), self.dataset: choices}

    def switch(self, dataset: str | None, chosen: list, *settings: Any) -> dict:
        """Show another data set's trainings."""
        return self._dataset(dataset or "", [], *settings)

    def _dataset(self, dataset: str, chosen: Sequence[str], *settings: Any) -> dict:
        """Return the updates that show a data set: the trainings chosen before, else the first of every family."""
        found = replay.runs(self.service, dataset)
        names = [run.name for run in found]
        kept = [name for name in chosen or [] if name in names]
        kept = kept or self._usual(dataset)
        updates = self.show(dataset, kept, *settings)
        return {**updates, self.chosen: gr.update(choices=names, value=kept, visible=bool(names))}

    def choose(self, shown: list, dataset: str | None, chosen: list, *settings: Any) -> dict:
        """Show other trainings; nothing is done when these are shown already."""
        return {self.shown: shown} if chosen == shown else self.show(dataset, chosen, *settings)

    def show(self, dataset: str | None, chosen: list, axis: str, log_x: bool, also: str, lapse_axis: str) -> dict:
        """Show the chosen trainings: their curves, what they were, and their time-lapses."""
        told, _ = self._told(chosen)
        columns = training_curves.others(told)
        also = also if also in columns else NONE
        choices = [(NONE, NONE), *((training_curves.spelled(name), name) for name in columns)]
        return {
            self.shown: chosen,
            self.status: status(self._absent(dataset or "", chosen)),
            self.also: gr.update(choices=choices, value=also, visible=bool(columns)),
            **self.draw(chosen, axis, log_x, also),
            self.facts: self._facts(dataset or "", chosen),
            **self.replay(chosen, lapse_axis),
        }

    def draw(self, chosen: list, axis: str, log_x: bool, also: str) -> dict:
        """Draw the curves of the chosen trainings."""
        told, problems = self._told(chosen)
        axis = AXES.get(axis, "images")
        lost = "".join(f'<p class="answer training-lost">{escape(words)}</p>' for words in problems)
        cards = training_curves.column_cards(told, training_curves.MAIN, axis, log_x)
        cards += training_curves.column_cards(told, also, axis, log_x) if also != NONE else []
        cards += (
            [training_curves.rate_card(told, axis, log_x), training_curves.speed_card(told, axis, log_x)]
            if told
            else []
        )
        return {self.charts: lost + beside(cards)}

    def replay(self, chosen: list, axis: str) -> dict:
        """Show the time-lapses of the chosen trainings under one slider."""
        lapses, problems = [], []
        for name in chosen or []:
            try:
                lapses.append(replay.timelapse_of(self.service, name))
            except InputError as error:
                problems.append(str(error))
        return {self.lapse: timelapse.value(lapses, AXES.get(axis, "images"), " ".join(problems))}

    # ---- parts of the handlers

    def _told(self, chosen: Sequence[str]) -> tuple[list[Told], list[str]]:
        """Return the chosen trainings that have a log, and a sentence for each that has none or a damaged one."""
        told, problems = [], []
        for name in (chosen or [])[:MOST]:
            try:
                log, entry = replay.log_of(self.service, name), replay.entry_of(self.service, name)
            except InputError as error:
                problems.append(str(error))
                continue
            problems += [log.note] if log.note else []
            told.append(Told(name, entry.family, self.service.families[entry.family].title, log.columns))
        order = list(self.service.families)
        return sorted(told, key=lambda one: order.index(one.family)), problems

    def _facts(self, dataset: str, chosen: Sequence[str]) -> str:
        """Return the table of what the chosen trainings were."""
        found = {run.name: run for run in replay.runs(self.service, dataset)}
        facts = [Facts(run.name, run.family, run.facts, run.trained) for run in map(found.get, chosen or []) if run]
        return f"<h3>What was run</h3>{training_curves.facts_table(facts)}" if facts else ""

    def _absent(self, dataset: str, chosen: Sequence[str]) -> str:
        """Return the sentence that says why nothing is shown; '' when something is."""
        if chosen:
            return ""
        if replay.runs(self.service, dataset):
            return "No training is chosen: choose at least one."
        where = f" of {dataset}" if dataset else ""
        return f"No training{where} has left a log or a time-lapse yet; python -m gencore train writes both."


def axis_radio(label: str, elem_id: str) -> gr.Radio:
    """Return the control that says what an axis counts."""
    return gr.Radio(list(AXES), value=IMAGES, label=label, interactive=True, elem_id=elem_id, elem_classes=["knob"])


def beside(cards: Sequence[str]) -> str:
    """Return cards in as many columns as fit."""
    return f'<div class="descent">{"".join(f"<div>{card}</div>" for card in cards)}</div>' if cards else ""


def status(words: str) -> str:
    """Return the line that says why there is nothing to see."""
    return f'<div class="status"><span class="problem" role="status">{escape(words)}</span></div>' if words else ""
