"""Speed: time against batch size and network calls, what a model takes, and the same timed on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import Any

import gradio as gr
from gradio.context import Context

from dashboard import format
from dashboard.figures import cost
from dashboard.pages import slug_of
from dashboard.pages.speed import engine
from dashboard.results.operating_points import Measurements
from dashboard.service import InputError, Service
from dashboard.service.public import is_open
from dashboard.ui import address, dataset_choice
from dashboard.ui.address import Address
from dashboard.ui.events import QUICK, RUN
from dashboard.ui.html import title
from dashboard.ui.panels import chart
from dashboard.ui.run import Runs

TITLE = "Speed"
SLUG = slug_of(__name__)
KEPT_ROWS = 200  # of one visitor's session, where no file can be written


def build(service: Service) -> None:
    """Lay out the page in the current Blocks and connect it to the service."""
    Speed(service).connect()


class Speed:
    """The page's components and what they do."""

    def __init__(self, service: Service):
        self.service = service
        datasets = service.datasets()
        first = next(iter(datasets), "")
        title(
            "How fast, and what it takes",
            "Every time is a median after a warm-up, one model alone on its device. Times of different machines"
            " are never mixed: each mark says where it is from.",
            below="What was timed",
        )
        scope = next(iter(engine.SCOPES))
        with gr.Row(elem_classes=["shared"]):
            self.dataset = dataset_choice.dropdown(SLUG, datasets)
            self.machine = gr.Dropdown([], label="machine", interactive=True, filterable=False, elem_id="speed-machine")
            self.scope = gr.Dropdown(
                list(engine.SCOPES), value=scope, label="what to time here", interactive=True, filterable=False,
                elem_id="speed-scope", visible=is_open(),
            )  # fmt: skip
            self.measure = gr.Button(
                "Measure on this machine", elem_id="speed-measure", variant="primary", visible=is_open()
            )
            self.stop = gr.Button(
                "Stop", elem_id="speed-stop", variant="secondary", interactive=False, visible=is_open()
            )
            self.runs = Runs(self.measure, self.stop)
        self.status = gr.HTML(status(self._promise(first, scope)), js_on_load=None, elem_id="speed-status")
        self.session = gr.State([])  # the rows of this visitor, where no file can be written
        with gr.Row(elem_classes=["charts"]):
            with gr.Column(elem_classes=["card"]):
                self.batches = chart("speed-batches")
            with gr.Column(elem_classes=["card"]):
                self.calls = chart("speed-calls")
        with gr.Column(elem_classes=["card"]):
            self.sizes = chart("speed-sizes")
        with gr.Column(elem_classes=["card"]):
            self.numbers = chart("speed-numbers")
        self.address = Address(SLUG, service.datasets, itself=True)
        self.address.keep("data", self.dataset)
        self.address.keep("machine", self.machine, among=self._machines)
        if is_open():
            self.address.keep("scope", self.scope)

    @property
    def shown(self) -> list[gr.components.Component]:
        """What changes with the data set, the machine or a new row."""
        return [self.machine, self.batches, self.calls, self.sizes, self.numbers]

    def connect(self) -> None:
        """Connect the components."""
        settings = [self.dataset, self.scope, self.machine, self.session]
        everything = [self.dataset, self.scope, *self.shown, self.session, self.status, self.measure, self.stop]
        demo = Context.root_block
        demo.load(self.open, [self.status], everything, js=address.HASH, **QUICK)
        self.dataset.input(self.switch, [self.dataset, self.scope, self.session], everything, **QUICK)
        self.scope.input(self.choose, [self.dataset, self.scope], [self.status], **QUICK)
        self.machine.input(self.show, [self.dataset, self.machine, self.session], self.shown, **QUICK)
        run = self.measure.click(self.run, settings, everything, **RUN)
        self.runs.connect(run)

    # ---- handlers

    def open(self, request: gr.Request, at: str = "") -> dict:
        """Show what the address names, else the first data set; `at` is the part behind the hash."""
        dataset, choices = dataset_choice.opened_on(request, self.service.datasets())
        values, _, _ = self.address.read(address.asked(request, at, SLUG))
        scope = values.get("scope", next(iter(engine.SCOPES)))
        shown = {**self._draw(dataset or "", values.get("machine", ""), []), **self.choose(dataset, scope)}
        return {self.dataset: choices, self.scope: scope, **self.runs.over, **shown}

    def switch(self, request: gr.Request, dataset: str | None, scope: str, session: list) -> dict:
        """Show another data set; a timing on the one before ends, and paints nothing more."""
        self.runs.leave(request)
        return {**self._fresh(dataset, scope, session), **self.runs.over}

    def _fresh(self, dataset: str | None, scope: str, session: list) -> dict:
        """Return the updates that show a data set."""
        return {**self._draw(dataset or "", "", session), **self.choose(dataset, scope)}

    def choose(self, dataset: str | None, scope: str) -> dict:
        """Say what timing here would take."""
        return {self.status: status(self._promise(dataset or "", scope))}

    def show(self, dataset: str | None, machine: str | None, session: list) -> dict:
        """Show another machine's times."""
        return self._draw(dataset or "", machine or "", session)

    def run(self, request: gr.Request, dataset: str, scope: str, machine: str, session: list) -> Iterator[dict]:
        """Time the operating points, saying how far it is; draw each one when it is there.

        Nothing more is shown once another data set was chosen.
        """
        try:
            jobs = self._plan(dataset, scope)
        except InputError as error:
            yield {self.status: status("", str(error))}
            return
        run = self.runs.begin(request)
        promise = f"It takes {about(sum(job.expected for job in jobs))}."
        yield {**self.runs.begun, self.status: status(f"Starting. {promise}", share=0)}
        done, problems, kept = 0, [], True

        def paint(seen: engine.Progress) -> dict:
            nonlocal done, kept, session
            if seen.problem:
                problems.append(seen.problem)
            updates: dict = {}
            if seen.row is not None:
                done += 1
                if not engine.keep(dataset, seen.row):
                    kept, session = False, merged(session, seen.row)
                updates = {**self._draw(dataset, machine, session), self.session: session}
            if seen.state == "running":
                words = "Stopping." if run.stop.is_set() else f"{seen.words}; {about(seen.left)} left."
                return {**updates, self.status: status(words, " ".join(problems), seen.share)}
            words = ending(seen.state, done, len(jobs), place_words(dataset, kept))
            return {**self.runs.over, self.status: status(words, " ".join(problems))}

        frames = engine.measure(self.service, jobs, run.stop)
        yield from run.shown(frames, lambda words: {self.status: status(f"{words} {promise}", share=0)}, paint)

    # ---- parts of the handlers

    def _machines(self, dataset: str) -> list[str]:
        titles = {name: kind.title for name, kind in self.service.families.items()}
        return machines(cost.timed(self.service.measurements(dataset), titles))

    def _plan(self, dataset: str, scope: str) -> list[engine.Job]:
        jobs = engine.plan(self.service, dataset, scope, self.service.measurements(dataset))
        if not jobs:
            raise InputError(f"There is nothing to time on {dataset}: no checkpoint of it can be used.")
        return jobs

    def _promise(self, dataset: str, scope: str) -> str:
        """Return what timing here would take, and where its rows would stay."""
        try:
            jobs = self._plan(dataset, scope)
        except InputError as error:
            return str(error) if dataset else "There is no checkpoint yet: python -m gencore train digits/vae"
        seconds = sum(job.expected for job in jobs)
        return (
            f"Timing {format.plural(len(jobs), 'operating point')} here takes {about(seconds)}, and other runs wait "
            f"meanwhile. {place_words(dataset, engine.keeps(dataset))}"
        )

    def _draw(self, dataset: str, machine: str, session: Sequence[Mapping[str, Any]]) -> dict:
        """Return the updates of everything that shows times; `machine` is the one whose marks are filled."""
        measured = with_rows(self.service.measurements(dataset), session)
        titles = {name: kind.title for name, kind in self.service.families.items()}
        points = cost.timed(measured, titles)
        choices = machines(points)
        machine = machine if machine in choices else next(iter(choices), "")
        mine = [point for point in points if point.source == machine]
        beside = [point for point in points if point.local and point.source != machine]
        both = [*mine, *beside]
        return {
            self.machine: gr.update(choices=choices, value=machine or None, interactive=len(choices) > 1),
            self.batches: cost.batch_sizes(cost.headlines(both)),
            self.calls: cost.network_calls(both),
            self.sizes: cost.footprints(cost.headlines(mine)),
            self.numbers: cost.numbers(both) + stale_words(measured),
        }


def machines(points: Sequence[cost.Timed]) -> list[str]:
    """Return the machines that points were timed on, this one last."""
    return list(dict.fromkeys(point.source for point in sorted(points, key=lambda point: point.local)))


def with_rows(measured: Measurements, rows: Sequence[Mapping[str, Any]]) -> Measurements:
    """Return measurements with a visitor's own cost rows."""
    mine = [{**row, "local": True} for row in rows if row["dataset"] == measured.dataset]
    return replace(measured, costs=(*measured.costs, *mine)) if mine else measured


def merged(rows: Sequence[Mapping[str, Any]], row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return rows with a new one, which takes the place of that of the same checkpoint and knobs."""
    others = [one for one in rows if (one["checkpoint"], one["knobs"]) != (row["checkpoint"], row["knobs"])]
    return [*others, row][-KEPT_ROWS:]


def about(seconds: float) -> str:
    """Return an estimated time for people: 'about 40 s', 'about 3 min'."""
    return f"about {max(round(seconds), 1)} s" if seconds < 100 else f"about {seconds / 60:.0f} min"


def place_words(dataset: str, kept: bool) -> str:
    """Return where new rows are kept, as a sentence."""
    if kept:
        return f"Its rows are kept in {engine.place(dataset)}."
    return "Its rows stay in this browser tab alone: no file can be written here."


def ending(state: str, done: int, jobs: int, where: str) -> str:
    """Return what a timing came to."""
    count = f"{done} of {format.plural(jobs, 'operating point')}"
    if state == "stopped":
        return f"Stopped: {count} timed.{f' {where}' if done else ''} What was half-way is dropped."
    return f"Done: {count} timed. {where if done else ''}"


def status(words: str, problem: str = "", share: float | None = None) -> str:
    """Return the line under the controls: what is going on, what went wrong, and how far it is."""
    trouble = f'<span class="problem" role="alert">{escape(problem)}</span>' if problem else ""
    track = ""
    if share is not None:
        percent = f"{100 * min(max(share, 0.0), 1.0):.0f}"
        track = (
            '<div class="track" role="progressbar" aria-label="Timing" aria-valuemin="0" aria-valuemax="100" '
            f'aria-valuenow="{percent}"><i style="width:{percent}%"></i></div>'
        )
    return f'<div class="timing"><span class="words" role="status">{escape(words)}</span>{trouble}{track}</div>'


def stale_words(measured: Measurements) -> str:
    """Return the sentences of the rows that are left out because they are stale, as markup."""
    sentences = dict.fromkeys(row["stale"] for row in measured.costs if row.get("stale"))
    return "".join(f'<p class="reading">Left out: {escape(words)}</p>' for words in sentences)
