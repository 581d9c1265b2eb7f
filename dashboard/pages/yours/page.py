"""Your data: images brought by a visitor, looked at, trained on by every family, and compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import gradio as gr

from dashboard import format, pages
from dashboard.pages.yours import board, engine, preview
from dashboard.pages.yours.preview import Preview
from dashboard.service import InputError, Service, comparisons, run_archives, uploads
from dashboard.service.public import CLOSED, check_open, is_open
from dashboard.ui.address import Address
from dashboard.ui.events import CALM, QUICK, as_text
from dashboard.ui.html import scripted, template, title
from dashboard.ui.model_card import data_uri
from dashboard.ui.panels import on_open
from dashboard.ui.run import Runs, status

TITLE = "Your data"
SLUG = pages.slug_of(__name__)
PROBES: dict[str, Any] = {**CALM, "concurrency_id": "yours-probe", "concurrency_limit": 4, "trigger_mode": "multiple"}
LOOKS: dict[str, Any] = {**CALM, "concurrency_id": "yours-look", "concurrency_limit": 2, "trigger_mode": "multiple"}
COLOURS = {"as they are": None, "grey": 1, "colour": 3}
FITS = {"cut to the middle": "crop", "padded with white": "pad", "stretched": "stretch"}
MINUTES = {"digits": 1.0}
USUAL_MINUTES = 20.0  # of training for each family
SAVED = "(words) => { words.includes('class=\"problem\"') || lab.yoursSaved(); }"  # nothing is fetched where it failed
READING = "Reading every image once."


def build(service: Service) -> None:
    """Lay out the page in the current Blocks and connect it to the service."""
    Yours(service).connect()


def when_served(service: Service) -> None:
    """Have comparisons that wait in line begin, whether somebody looks at the page or not."""
    comparisons.keep_moving()


class Yours:
    """The page's components and what they do."""

    def __init__(self, service: Service):
        self.service = service
        families = format.listing([kind.title for kind in service.families.values()])
        title(
            "Which model for your own images?",
            f"Bring some hundred pictures or more: {families} are trained on them one after another, under one budget,"
            " then measured, and one sentence says which to use.",
        )
        self.closed = gr.HTML(f'<p class="answer">{CLOSED}</p>', visible=not is_open(), elem_id="yours-closed")
        with gr.Row(elem_classes=["yours-ways"], visible=is_open(), elem_id="yours-ways"):
            self._build_ways()
        self.status = gr.HTML("", js_on_load=None, elem_id="yours-status")
        self.found = gr.State(None)
        with gr.Column(visible=False, elem_classes=["card"], elem_id="yours-preview") as self.panel:
            self._build_preview()
        self.board = self._board()
        Address(SLUG).scripts("open")
        self.zip = gr.DownloadButton("Download", elem_id="yours-zip", elem_classes=["yours-unseen"])

    # ---- layout

    def _build_ways(self) -> None:
        with gr.Column(elem_classes=["card", "yours-way"], min_width=240):
            way("Upload", "A ZIP, or several images at once. Folders in a ZIP may be classes; none are needed.")
            self.files = gr.File(
                file_count="multiple", show_label=False, height=132, elem_id="yours-files", label="Images or one ZIP"
            )
        with gr.Column(elem_classes=["card", "yours-way"], min_width=240):
            way("Open", "A data set of the Hugging Face Hub, a folder of this machine, or what was uploaded before.")
            self.hub = gr.Textbox(
                label="Hub id", placeholder="such as ylecun/mnist", max_lines=1, elem_id="yours-hub", submit_btn="Open"
            )
            self.place = gr.Dropdown(
                [], label="folder", interactive=True, filterable=True, visible=False, elem_id="yours-place"
            )
        with gr.Column(elem_classes=["card", "yours-way"], min_width=240):
            way("Just try it", "1,797 handwritten digits of 8×8 pixels are here already: all families train on them in"
                " a few minutes.")  # fmt: skip
            self.digits = gr.Button("Use the digits", elem_id="yours-digits")

    def _build_preview(self) -> None:
        with gr.Row(elem_classes=["yours-pair"]):
            with gr.Column(min_width=300):
                self.facts = gr.HTML("", js_on_load=None, elem_id="yours-facts")
            with gr.Column(min_width=300):
                self.sheet = gr.HTML("", js_on_load=None, elem_id="yours-sheet")
                with gr.Row(elem_classes=["yours-view"]):
                    self.size = gr.Slider(
                        engine.SIDES[0], engine.SIDES[-1], engine.USUAL, step=2, label="pixels a side",
                        interactive=True, elem_id="yours-size",
                    )  # fmt: skip
                    self.channels = gr.Radio(
                        [*COLOURS], value=next(iter(COLOURS)), label="colours", interactive=True,
                        elem_id="yours-colours",
                    )  # fmt: skip
                    self.fit = gr.Radio(
                        [*FITS], value=next(iter(FITS)), label="what is not square is", interactive=True, visible=False,
                        elem_id="yours-fit",
                    )  # fmt: skip
        titles = [(kind.title, name) for name, kind in self.service.families.items()]
        with gr.Row(elem_classes=["yours-budget"]):
            self.families = gr.CheckboxGroup(
                titles, value=[name for _, name in titles], label="families", interactive=True, elem_id="yours-families"
            )
            self.minutes = gr.Number(
                USUAL_MINUTES, label="minutes of training each", minimum=0.05, maximum=10_000, interactive=True,
                elem_id="yours-minutes",
            )  # fmt: skip
            self.go = gr.Button("Train and compare", variant="primary", elem_id="yours-go")
        self.plan = gr.HTML("", js_on_load=None, elem_id="yours-plan")
        self.probes = Runs()

    def _board(self) -> gr.HTML:
        """Return the component of comparisons, which asks for them itself while it is looked at."""

        def look(asked: Any) -> dict[str, Any]:
            return self.look(_only(asked))

        def act(asked: Any) -> dict[str, Any]:
            return self.act(_only(asked))

        script = "lab.yours(element, props, watch, server, trigger, ['save'])"
        return scripted("yours-board", template(__file__, "board"), script, "", server_functions=[look, act])

    # ---- events

    def connect(self) -> None:
        """Connect the components."""
        seen = [self.status, self.panel, self.found, self.facts, self.sheet, self.size, self.channels, self.fit,
                self.minutes, self.place]  # fmt: skip
        on_open(self.open, None, [self.closed, self.place], queue=False)
        view = [self.found, self.size, self.channels, self.fit]
        asked = [*view, self.minutes, self.families]
        shown = [
            self.files.upload(self.bring, [self.files], [*seen, self.files, self.board], **LOOKS),
            self.digits.click(self.use_digits, None, seen, **LOOKS),
            self.hub.submit(self.use_hub, [self.hub], seen, **LOOKS),
            self.place.input(self.use_place, [self.place], seen, **LOOKS),
        ]
        probed = [event.success(self.probe, asked, [self.plan], **PROBES) for event in shown]
        changed = [self.size.release, self.channels.input, self.fit.input, self.minutes.blur, self.families.input]
        probed += [event(self.probe, asked, [self.plan], **PROBES) for event in changed]
        self.probes.connect(*probed)
        calm: dict[str, Any] = {**QUICK, "trigger_mode": "always_last"}
        for control, event in ((self.size, "release"), (self.channels, "input"), (self.fit, "input")):
            getattr(control, event)(self.draw, view, [self.sheet, self.status], **calm)
        self.go.click(self.begin, asked, [self.status, self.board, self.plan], **QUICK)
        saved = self.board.save(self.save, None, [self.zip, self.status], **LOOKS)
        saved.success(None, [self.status], None, js=SAVED, **QUICK)

    # ---- bringing images

    def open(self) -> dict:
        """Show what can be opened."""
        return {self.closed: gr.update(visible=not is_open()), self.place: self._places()}

    def bring(self, files: Sequence[str] | None) -> Iterator[dict]:
        """Take in what was uploaded: images to look at, or a run that was saved."""
        paths = [Path(file) for file in files or []]
        yield {**self._hidden("Unpacking."), self.files: gr.update(value=None)}
        try:
            check_open()
            if len(paths) == 1 and paths[0].suffix.lower() == ".zip" and run_archives.is_run(paths[0]):
                name, found = run_archives.take_in(paths[0])
                words = f"{format.listing(found)} can be used on every page now."
                yield {self.status: status(words), self.board: as_text({"open": name})}
                return
            name = uploads.take_in(paths)
        except InputError as error:
            yield {self.status: status(str(error), problem=True)}
            return
        yield from self._show(lambda: name, uploads.left_out(paths))

    def use_digits(self) -> Iterator[dict]:
        """Look at the data that is here already."""
        yield from self._show(lambda: uploads.on_hub("digits"))

    def use_hub(self, name: str | None) -> Iterator[dict]:
        """Look at a data set of the Hub."""
        yield from self._show(lambda: uploads.on_hub(name or ""))

    def use_place(self, place: str | None) -> Iterator[dict]:
        """Look at a folder, or at what was uploaded before."""
        yield from self._show(lambda: self._at(place or ""))

    def _at(self, place: str) -> str:
        check_open()
        if place in uploads.uploads():
            return place
        return uploads.in_folder(self.service.data_root, place)

    def _places(self) -> dict:
        if not is_open():
            return gr.update(choices=[], value=None, visible=False)
        brought = [(f"{format.dataset_title(name)} (uploaded)", name) for name in uploads.uploads()]
        folders = uploads.folders(self.service.data_root)
        choices = [*brought, *((name if name != "." else "all of it", name) for name in folders)]
        return gr.update(choices=choices, value=None, visible=bool(choices))

    def _show(self, named: Any, lost: Mapping[str, int] | None = None) -> Iterator[dict]:
        """Yield the updates that look at a data set and show what there is in it."""
        yield self._hidden(READING)
        try:
            found = engine.look(named(), lost)
            view = engine.view_of(found, found.side, None, "crop")
            sheet = sheet_markup(engine.sheet(found.data, view))
        except InputError as error:
            yield {self.status: status(str(error), problem=True)}
            return
        yield {
            self.status: "",
            self.panel: gr.update(visible=True),
            self.found: found,
            self.facts: preview.facts(found),
            self.sheet: sheet,
            self.size: found.side,
            self.channels: next(iter(COLOURS)),
            self.fit: gr.update(value=next(iter(FITS)), visible=not found.squares),
            self.minutes: MINUTES.get(found.data, USUAL_MINUTES),
            self.place: self._places(),
        }

    def _hidden(self, words: str) -> dict:
        """Return the updates that say what is being done, with no images shown meanwhile."""
        return {self.status: status(words), self.panel: gr.update(visible=False), self.found: None}

    def draw(self, found: Preview | None, *asked: Any) -> dict:
        """Draw the images as the models will see them."""
        if found is None:
            return {self.status: gr.skip()}
        try:
            images = engine.sheet(found.data, self._view(found, *asked))
        except InputError as error:
            return {self.status: status(str(error), problem=True)}
        return {self.sheet: sheet_markup(images), self.status: ""}

    @staticmethod
    def _view(found: Preview, size: Any, colours: Any, fit: Any) -> dict[str, Any]:
        return engine.view_of(found, size, COLOURS.get(colours), FITS.get(fit, "crop"))

    # ---- comparisons

    def probe(self, request: gr.Request, found: Preview | None, *asked: Any) -> Iterator[dict]:
        """Say how long a comparison with these settings takes, once its steps were tried."""
        run = self.probes.begin(request)  # the one before ends, as its settings are not these any more
        if found is None:
            yield {self.plan: gr.skip()}
            return
        yield {self.plan: '<p class="yours-plan">Trying some steps of each family, to say how long it takes.</p>'}
        try:
            plan = comparisons.probe(self._job(found, *asked), run.stop)
        except InputError as error:
            yield {self.plan: f'<p class="yours-plan">{escape(str(error))}</p>'} if run.current else gr.skip()
            return
        yield {self.plan: plan_markup(plan)} if run.current and plan else gr.skip()

    def _job(
        self, found: Preview | None, size: Any, colours: Any, fit: Any, minutes: Any, families: list[str] | None
    ) -> comparisons.Job:
        check_open()
        if found is None:
            raise InputError("Choose images first.")
        return engine.job(self.service, found, minutes, families or [], self._view(found, size, colours, fit))

    def begin(self, request: gr.Request, *asked: Any) -> dict:
        """Put a comparison into the line."""
        self.probes.leave(request)
        try:
            name = comparisons.ask(self._job(*asked))
        except InputError as error:
            return {self.status: status(str(error), problem=True)}
        return {self.status: "", self.plan: "", self.board: as_text({"open": name})}

    def look(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Return how all comparisons stand, with what there is to see of the one that is open."""
        may = is_open()
        found = comparisons.comparisons()
        titles = {name: kind.title for name, kind in self.service.families.items()}
        value: dict[str, Any] = {"items": [board.item(one, place, may, titles) for place, one in enumerate(found)]}
        shown = next((one for one in found if one.name == asked.get("open")), None)
        return value | (engine.opened(self.service, shown, asked.get("have") or {}) if shown else {})

    def act(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Do something with a comparison; return {'problem': sentence} where it cannot be done."""
        acts = {
            "stop": lambda name, _: comparisons.stop(name),
            "resume": lambda name, _: comparisons.resume(name),
            "rename": comparisons.rename,
            "delete": lambda name, _: comparisons.delete(name),
            "undo": lambda name, _: comparisons.undo(name),
        }
        try:
            act = acts[asked["act"]]
            return {"made": act(str(asked["name"]), str(asked.get("title", "")))}
        except InputError as error:
            return {"problem": str(error)}
        except (KeyError, TypeError):
            return {"problem": f"What can be done is one of {', '.join(acts)}, with the name of a comparison."}

    def save(self, event: gr.EventData) -> Iterator[dict]:
        """Make the ZIP of a comparison."""
        try:
            check_open()
            one = comparisons.find(str(event._data.get("name", "")))
            with TemporaryDirectory() as folder:
                yield {self.zip: gr.update(value=str(run_archives.pack(one, Path(folder)))), self.status: ""}
        except InputError as error:  # and no ZIP that was made before
            yield {self.zip: gr.update(value=None), self.status: status(str(error), problem=True)}


def plan_markup(plan: comparisons.Plan) -> str:
    """Return how long a comparison takes, and what it does."""
    more = "".join(f"<li>{escape(words)}</li>" for words in plan.sentences)
    return (
        f'<p class="yours-plan"><b>{escape(board.plan_words(plan.parts))}</b></p><ul class="yours-remarks">{more}</ul>'
    )


def _only(asked: Any) -> dict[str, Any]:
    """Return what a script asks; Gradio hands it on alone or in a list."""
    asked = asked[0] if isinstance(asked, list) and len(asked) == 1 else asked
    return asked if isinstance(asked, dict) else {}


def way(heading: str, words: str) -> gr.HTML:
    """Return the head of one way to bring images."""
    return gr.HTML(f"<h2>{heading}</h2><p>{words}</p>", js_on_load=None)


def sheet_markup(images: Any) -> str:
    """Return the sheet of images as the models will see them, (n, C, H, W)."""
    side = images.shape[-1]
    shown = "".join(f'<img src="{data_uri(images[i : i + 1], 1)}" alt="">' for i in range(len(images)))
    words = f"{len(images)} of them as the models will see them, {side}×{side} pixels"
    return (
        f'<figure class="yours-sheet"><div role="img" aria-label="{words}">{shown}</div>'
        f"<figcaption>{words}.</figcaption></figure>"
    )
