"""Latent space: paths between images, a map, single dimensions, and images encoded and decoded."""

from __future__ import annotations

import base64
import random
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any

import gradio as gr
import numpy as np

from dashboard import format
from dashboard.pages import slug_of
from dashboard.pages.latent import engine, latent_view
from dashboard.pages.latent.engine import (
    COARSE,
    PLANES,
    Ends,
    Latents,
    Rebuilt,
    Row,
)
from dashboard.pages.latent.latent_view import said
from dashboard.pages.latent.panels import PANELS
from dashboard.service import InputError, Lane, Service, downloads
from dashboard.service.device import Waiting, finish
from dashboard.service.images import class_names, class_title
from dashboard.service.parsing import parse_point
from dashboard.ui import dataset_choice, model_card, share_bundle
from dashboard.ui.address import Address, number
from dashboard.ui.events import QUICK, RUN, Values, after, as_text
from dashboard.ui.html import scripted, title
from dashboard.ui.image_picker import SHOWN, ImagePicker, choices
from dashboard.ui.panels import framed, on_open
from dashboard.ui.run import Runs

TITLE = "Latent space"
SLUG = slug_of(__name__)
SEEDS, IMAGES = "two seeds", "two images"
STRONGEST = 8  # dimensions of a traversal that are shown first
FRAME_SECONDS = 0.12  # between two updates of the rows
LONG = 0.5  # seconds that are worth a word beforehand
USUAL = (7, 12)  # the seeds at first
NO_IMAGE = "Choose or draw an image above."
Show = Callable[[gr.Request, Values], Iterator[dict]]
NEWEST: dict[str, Any] = {**QUICK, "trigger_mode": "always_last"}
WAITS: dict[str, Any] = {**RUN, "trigger_mode": "always_last"}  # says meanwhile how many are ahead


def build(service: Service) -> None:
    """Lay out the page in the current Blocks and connect it to the service."""
    Latent(service).connect()


class Latent:
    """The page: the image that it is about, and its panels."""

    def __init__(self, service: Service):
        self.service = service
        datasets = service.datasets()
        title(
            "Inside the latent space",
            "Every image that a model can make is a point in a space of numbers. Walk through it: between two "
            "images, over a map, along one number at a time.",
        )
        with gr.Row(elem_classes=["shared"], visible=len(datasets) > 1) as self.chooser:
            self.dataset = dataset_choice.dropdown(SLUG, datasets)
        self.image_picker = ImagePicker(service, SLUG)
        shared = (service, self.dataset, self.image_picker)
        back, paths, atlas, dimensions = (kind(*shared) for kind in (Reconstruction, Interpolation, Atlas, Dimensions))
        self.panels = [atlas, dimensions, back, paths]  # in the order in which they follow: the quickest first
        self.runs = Runs()
        address = Address(SLUG, service.datasets)
        address.keep("data", self.dataset)
        self.image_picker.keep(address)
        for panel in (atlas, dimensions, back, paths):
            panel.keep(address)

    def connect(self) -> None:
        """Connect the components."""
        for panel in self.panels:
            panel.connect()
        # One run for all panels: Gradio would call listeners of their own one after another, each a round trip.
        asked = {self.dataset, self.image_picker.strip, *(one for panel in self.panels for one in panel.asked)}
        answers = {one for panel in self.panels for one in panel.answers}
        everything = {self.chooser, self.dataset, *self.image_picker.outputs, *answers}
        self.image_picker.connect(self.dataset, self.follow, asked, answers)
        on_open(self.opened, asked, everything, **RUN)
        self.dataset.input(self.switched, asked, everything, **RUN)
        self.runs.connect()

    def opened(self, request: gr.Request, given: Values) -> Iterator[dict]:
        """Show the page, its image first; on one that was open before, nothing is made again."""
        yield from self._shown(request, given, self.open(request, given[self.dataset], given[self.image_picker.strip]))

    def switched(self, request: gr.Request, given: Values) -> Iterator[dict]:
        """Show another data set."""
        yield from self._shown(request, given, self.image_picker.show(given[self.dataset] or ""))

    def _shown(self, request: gr.Request, given: Values, updates: dict) -> Iterator[dict]:
        """Show the image of updates, then what the panels make of it."""
        given, new = after(given, updates), self.image_picker.strip in updates
        yield updates
        if new:
            yield from self._in_turn(request, given, [panel.begin for panel in self.panels])

    def follow(self, request: gr.Request, given: Values) -> Iterator[dict]:
        """Show another image in every panel, until a later one is chosen."""
        yield from self._in_turn(request, given, [panel.follow for panel in self.panels])

    def _in_turn(self, request: gr.Request, given: Values, shows: Sequence[Show]) -> Iterator[dict]:
        run = self.runs.begin(request)
        for show in shows:
            if not run.current:
                break
            yield from show(request, given)
        yield {self.dataset: gr.skip()}  # a generator that yields nothing would empty its outputs

    def open(self, request: gr.Request, dataset: str | None, strip: dict | None) -> dict:
        """Show the page as it was, else the data set that the address names, else the first."""
        dataset, choices = dataset_choice.opened_on(request, self.service.datasets(), dataset if strip else None)
        return {self.chooser: gr.update(visible=choices["visible"]), self.dataset: choices,
                **self.image_picker.show(dataset, strip)}  # fmt: skip


def spot(text: str) -> tuple[float, float]:
    """Return a spot of the map as an address writes it: '0.5,-1.25'."""
    return parse_point(text.split(","))


class Interpolation:
    """Paths between two seeds or two images, a row for every family that decodes."""

    def __init__(self, service: Service, dataset: gr.Dropdown, image_picker: ImagePicker):
        self.service, self.dataset, self.image_picker = service, dataset, image_picker
        self.latents = service.shared(Latents)
        self.walked = gr.State({})  # by family, its row
        with framed(PANELS["interpolation"]):
            with gr.Row(elem_classes=["shared", "ends"]):
                self.mode = gr.Radio(
                    [SEEDS, IMAGES], value=SEEDS, label="between", interactive=True, elem_id="latent-walk-mode",
                    elem_classes=["knob"],
                )  # fmt: skip
                with gr.Row(elem_classes=["seeds"]) as self.seeds:
                    self.a = gr.Textbox(str(USUAL[0]), label="seed a", max_lines=1, elem_id="latent-walk-a")
                    self.b = gr.Textbox(str(USUAL[1]), label="seed b", max_lines=1, elem_id="latent-walk-b")
                    self.dice = gr.Button("Other seeds", elem_id="latent-walk-dice", variant="secondary")
                stop = gr.Button("Stop", elem_id="latent-walk-stop", variant="secondary", interactive=False)
                self.runs = Runs(stop=stop)
            self.target = gr.State(None)  # the place of image b in the strip; None for the last that is not a
            self.picker = scripted(
                "latent-walk-target",
                '<div class="targets"><p>from the chosen image <img data-at="from" alt=""> to</p>'
                '<div class="image-picker-images" data-at="images" role="group" aria-label="The other end"></div>'
                "</div>",
                "lab.latent.target(element, props, watch, trigger, ['aim'])",
                visible=False,
            )
            self.status = gr.HTML("", js_on_load=None, elem_id="latent-walk-status")
            self.rows = scripted(
                "latent-walks", latent_view.WALKS, "lab.latent.walk(element, props, watch, trigger, ['film'])"
            )
            self.film = gr.HTML({}, html_template="<i></i>", js_on_load="lab.handed(props, watch)",
                                elem_id="latent-walk-film", elem_classes=["latent-hidden"])  # fmt: skip
            self.bundle = share_bundle.share_bundle(f"{SLUG}-walk")
        self.asked = [self.dataset, self.mode, self.a, self.b, self.target, image_picker.image, image_picker.strip]
        self.shown = [self.rows, self.status, *self.runs.over, self.walked]
        self.answers = [self.picker, self.target, *self.shown]

    def keep(self, address: Address) -> None:
        """Declare what of the panel stands in the page's address."""
        address.keep("between", self.mode)
        address.keep("a", self.a)
        address.keep("b", self.b)
        address.state("to", self.target, lambda text: int(number("to", 1, SHOWN, whole=True)(text)) - 1)
        address.scripts("share", number("share", 0, 1))
        address.follow(lambda values: self.switch(values.get("between", SEEDS)), [self.seeds, self.picker])

    def connect(self) -> None:
        """Connect the components."""
        strip = self.image_picker.strip
        asked, shown = self.asked, self.shown
        aimed = [strip, self.target]
        self.mode.input(self.switch, [self.mode], [self.seeds, self.picker], **QUICK)
        for event in (self.mode.input, self.a.submit, self.b.submit, self.a.blur, self.b.blur):
            event(self.walk, asked, shown, **RUN)
        self.dice.click(self.roll, None, [self.a, self.b], **QUICK).success(self.walk, asked, shown, **RUN)
        self.picker.aim(self.aim, aimed, [self.picker, self.target], **QUICK, trigger_mode="multiple").success(
            self.walk, asked, shown, **RUN
        )
        self.runs.connect()
        self.rows.film(self.record, [self.walked], [self.film, self.status], **QUICK)
        self.bundle.ask(self.give, [self.dataset, self.walked], [self.bundle], **QUICK)

    # ---- what a path is between

    def switch(self, mode: str) -> dict:
        """Show the controls of seeds or of images."""
        return {self.seeds: gr.update(visible=mode == SEEDS), self.picker: gr.update(visible=mode == IMAGES)}

    def roll(self) -> dict:
        """Choose other seeds."""
        return {self.a: str(random.randrange(1000)), self.b: str(random.randrange(1000))}

    def offer(self, strip: dict | None, target: int | None) -> dict:
        """Show the images of the strip as ends."""
        images = choices(strip)
        if not images:
            return {self.picker: gr.skip()}
        target = latent_view.target_of(strip, target)
        value = {"from": model_card.data_uri(images[strip["chosen"]][None]), "chosen": target,
                 "images": [model_card.data_uri(one[None]) for one in images],
                 "names": [*strip["names"], "your drawing"]}  # fmt: skip
        return {self.picker: gr.update(value=value), self.target: target}

    def aim(self, event: gr.EventData, strip: dict | None, target: int | None) -> dict:
        """Take another image as the end."""
        index = event._data.get("index")
        return self.offer(strip, index if type(index) is int else target)

    def _ends(self, mode: str, a: Any, b: Any, target: int | None, image: np.ndarray | None, strip: Any) -> Ends:
        if mode != IMAGES:
            return engine.parse_seeds(a, b)
        images = choices(strip)
        if image is None or len(images) < 2:
            raise InputError("A path needs two images: choose or draw one above, and another one as its end.")
        return Ends(images=np.stack([image, images[latent_view.target_of(strip, target)]]))

    # ---- walking

    def begin(self, request: gr.Request, given: Values) -> Iterator[dict]:
        """Offer the images as ends, and begin a path."""
        yield self.offer(given[self.image_picker.strip], given[self.target])
        yield from self.walk(request, *(given[one] for one in self.asked))

    def follow(self, request: gr.Request, given: Values) -> Iterator[dict]:
        """Offer other images as ends, and begin a new path if paths are between images."""
        if given[self.mode] == IMAGES:
            yield from self.begin(request, given)
        else:
            yield self.offer(given[self.image_picker.strip], given[self.target])

    def walk(self, request: gr.Request, dataset: str | None, mode: str, *asked: Any) -> Iterator[dict]:
        """Decode the rows and show them as they grow, until a later path is asked for."""
        try:
            ends = self._ends(mode, *asked)
            found = self.latents.decoders(dataset or "")
            if not found:
                raise InputError("No family here decodes a latent, so there is nothing to walk through.")
        except InputError as error:
            yield {self.status: said("", str(error))}
            return
        run, promise, rows, shown = self.runs.begin(request), self._promise(found), {}, 0.0
        yield {self.status: said(promise), **self.runs.begun}

        def paint(row: Row) -> dict | None:
            nonlocal shown
            new = row.family not in rows or rows[row.family].state != row.state
            rows[row.family] = row
            if not new and time.monotonic() - shown < FRAME_SECONDS:
                return None
            shown = time.monotonic()
            return {self.rows: latent_view.painted(rows.values()), self.status: said(promise)}

        walk = self.latents.walk(dataset or "", ends, run.stop)
        if (yield from run.shown(walk, lambda words: {self.status: said(words)}, paint)):
            end = {
                self.rows: latent_view.painted(rows.values()),
                self.walked: rows,
                self.status: said(latent_view.ending(rows.values())),
            }
            yield {**end, **self.runs.over}

    def _promise(self, found: Sequence[Lane]) -> str:
        """Return what will take its time."""
        slow = {lane.title: self.latents.promise(lane, COARSE) for lane in found if not lane.problem}
        slow = {title: seconds for title, seconds in slow.items() if seconds > LONG}
        if not slow:
            return "Decoding."
        words = format.listing([f"the {title} takes about {seconds:.0f} s" for title, seconds in slow.items()])
        return f"Decoding; {words}, its pictures appear one by one."

    def record(self, event: gr.EventData, walked: Mapping[str, Row]) -> dict:
        """Send a family's path as a GIF."""
        row = walked.get(str(event._data.get("family")))
        if row is None or len(row.frames) < 2:
            return {self.status: said("", "That path is not decoded yet; wait until its row is full.")}
        uri = "data:image/gif;base64," + base64.b64encode(engine.morph(row.frames)).decode()
        return {self.film: {"uri": uri, "name": f"{row.family}-path.gif", "made": time.time()}}

    def give(self, dataset: str | None, walked: Mapping[str, Row]) -> dict:
        """Send all paths that are whole as a bundle."""
        whole = {family: engine.walked(row) for family, row in walked.items() if row.state == "done"}
        if not whole:
            return {self.bundle: share_bundle.sorry("No path is decoded yet; wait until a row is full.")}
        content = downloads.paths(whole, self.service.machine)
        return {self.bundle: share_bundle.ready(content, f"{dataset}-paths")}


class Atlas:
    """A map of the latents of one model that encodes."""

    def __init__(self, service: Service, dataset: gr.Dropdown, image_picker: ImagePicker):
        self.service, self.dataset, self.image_picker = service, dataset, image_picker
        self.latents = service.shared(Latents)
        with framed(PANELS["map"]):
            with gr.Row(elem_classes=["shared"]):
                self.model = gr.Dropdown([], label="model", interactive=True, filterable=False, visible=False,
                                         elem_id="latent-map-model")  # fmt: skip
                self.plane = gr.Radio(list(PLANES), value=PLANES[0], label="plane", interactive=True,
                                      elem_id="latent-map-plane", elem_classes=["knob"])  # fmt: skip
            with gr.Row(elem_classes=["atlas"]):
                self.map = scripted(
                    "latent-map", latent_view.ATLAS, "lab.latent.map(element, props, watch, trigger, ['point'])", ""
                )
                self.spot = scripted("latent-spot", latent_view.SPOT, "lab.latent.spot(element, props, watch)")
        self.asked = [dataset, self.model, self.plane, image_picker.image]
        self.answers = [self.model, self.map, self.spot]

    def keep(self, address: Address) -> None:
        """Declare what of the panel stands in the page's address."""
        names = self.latents.encoders
        address.keep("model", self.model, among=lambda data: [one.checkpoint for one in names(data)])
        address.keep("plane", self.plane)
        address.scripts("spot", spot)

    def connect(self) -> None:
        """Connect the components."""
        for event in (self.model.input, self.plane.input):
            event(self.draw, self.asked, self.answers, **NEWEST)
        # The script asks once at a time: Gradio's 'always_last' would repeat the first spot of a move.
        self.map.point(self.point, self.asked, [self.spot], **QUICK, trigger_mode="multiple")

    def begin(self, _: gr.Request, given: Values) -> Iterator[dict]:
        """Draw the map."""
        yield self.draw(*(given[one] for one in self.asked))

    def follow(self, _: gr.Request, given: Values) -> Iterator[dict]:
        """Show where another image lies."""
        yield self.find(*(given[one] for one in self.asked))

    def draw(self, dataset: str | None, model: str | None, plane: str, image: np.ndarray | None) -> dict:
        """Draw the map of a model."""
        try:
            lane = self.latents.encoder(dataset or "", model or "")
            found = self.latents.map(lane.checkpoint, plane)
        except InputError as error:
            return {self.map: as_text({"points": [], "problem": str(error)}), self.spot: {}}
        names = [one.checkpoint for one in self.latents.encoders(dataset or "")]
        return {
            self.model: gr.update(choices=names, value=lane.checkpoint, visible=len(names) > 1),
            self.map: as_text(latent_view.map_value(found, lane, class_names(dataset or ""))),
            **self.find(dataset, lane.checkpoint, plane, image),
        }

    def find(self, dataset: str | None, model: str | None, plane: str, image: np.ndarray | None) -> dict:
        """Show where the chosen image lies, and what its spot decodes to."""
        try:
            lane = self.latents.encoder(dataset or "", model or "")
            self.latents.map(lane.checkpoint, plane)
        except InputError:  # the map says why it is not there
            return {self.spot: {}}
        try:
            point = (0.0, 0.0) if image is None else self.latents.place(lane.checkpoint, image, plane)
            return {self.spot: self._spot(dataset or "", lane, point, plane, mine=image is not None)}
        except InputError as error:
            return {self.spot: {"problem": str(error)}}

    def point(
        self, event: gr.EventData, dataset: str | None, model: str | None, plane: str, image: np.ndarray | None
    ) -> dict:
        """Decode the spot that is pointed at."""
        where = event._data.get("at")
        try:
            lane = self.latents.encoder(dataset or "", model or "")
            return {self.spot: self._spot(dataset or "", lane, where, plane)}
        except InputError as error:
            return {self.spot: {"problem": str(error)}}

    def _spot(self, dataset: str, lane: Lane, point: Any, plane: str, mine: bool | None = None) -> dict:
        """Return the value of a spot: one that is pointed at, or the chosen image's (`mine`), which can wait."""
        found = self.latents.map(lane.checkpoint, plane)
        wait = engine.WAIT if mine is None else engine.PATIENT
        spot = self.latents.spot(lane.checkpoint, point, plane, wait)
        u, v = (float(one) for one in point)
        kind = "" if found.labels is None else f", {class_title(dataset, int(found.labels[spot.nearest]))}"
        near = self.latents.real(dataset, lane.checkpoint, spot.nearest)
        return {
            "image": model_card.data_uri(spot.image[None]),
            "near": "" if near is None else model_card.data_uri(near[None]),
            "where": f"Decoded at ({u:.2f}, {v:.2f})".replace("-", "−"),
            "nearest": f"The nearest encoded image: number {spot.nearest} of the {found.split} split{kind}.",
            "at": [u, v],
            **({"you": [u, v]} if mine else {}),
        }


class Dimensions:
    """The chosen image's latent, moved along one dimension at a time."""

    def __init__(self, service: Service, dataset: gr.Dropdown, image_picker: ImagePicker):
        self.dataset, self.image_picker = dataset, image_picker
        self.latents = service.shared(Latents)
        with framed(PANELS["traversal"]):
            self.all = gr.Checkbox(False, label="all dimensions", interactive=True, elem_id="latent-traversal-all")
            self.table = gr.HTML(said(NO_IMAGE), js_on_load=None, elem_id="latent-traversal")
        self.asked, self.answers = [dataset, image_picker.image, self.all], [self.table]
        self.runs = Runs()

    def keep(self, address: Address) -> None:
        """Declare what of the panel stands in the page's address."""
        address.keep("all", self.all)

    def connect(self) -> None:
        """Connect the components."""
        self.all.input(self.show, self.asked, self.answers, **WAITS)
        self.runs.connect()

    def follow(self, request: gr.Request, given: Values) -> Iterator[dict]:
        """Show another image's dimensions."""
        yield from self.show(request, *(given[one] for one in self.asked))

    begin = follow

    def show(self, request: gr.Request, dataset: str | None, image: np.ndarray | None, every: bool) -> Iterator[dict]:
        """Show the rows of the dimensions."""
        run = self.runs.begin(request)
        shown = yield from run.made(self._rows(dataset, image, every), lambda words: {self.table: said(words)})
        yield {self.table: shown} if run.current else gr.skip()

    def _rows(self, dataset: str | None, image: np.ndarray | None, every: bool) -> Generator[Waiting, None, str]:
        if image is None:
            return said(NO_IMAGE)
        try:
            lane = self.latents.encoder(dataset or "")
            found = yield from self.latents.traverse(lane.checkpoint, image, None if every else STRONGEST)
        except InputError as error:
            return said("", str(error))
        return latent_view.traversal_table(found, lane)


class Reconstruction:
    """The chosen image as each family gives it back, its bound, and the image under noise."""

    def __init__(self, service: Service, dataset: gr.Dropdown, image_picker: ImagePicker):
        self.service, self.dataset, self.image_picker = service, dataset, image_picker
        self.latents = service.shared(Latents)
        self.found = gr.State({})  # by family, what it gave back
        with framed(PANELS["reconstruction"]):
            self.cards = gr.HTML(said(NO_IMAGE), js_on_load=None, elem_id="latent-rebuilt")
            with gr.Row(elem_classes=["shared"]):
                self.bound = gr.Button(
                    "Compute the bound that takes many calls", visible=False, elem_id="latent-rebuilt-bound"
                )
                self.stop = gr.Button("Stop", visible=False, elem_id="latent-rebuilt-stop")
                self.runs, self.noises = Runs(), Runs()
            self.status = gr.HTML("", js_on_load=None, elem_id="latent-rebuilt-status")
            with gr.Column(visible=False, elem_classes=["noising"]) as self.noising:
                self.t = gr.Slider(0, 999, value=300, step=1, label="t: the same image under noise", interactive=True,
                                   elem_id="latent-rebuilt-t", elem_classes=["knob"])  # fmt: skip
                self.noised = gr.HTML("", js_on_load=None, elem_id="latent-noised")
        self.rebuilt = [self.cards, self.found, self.bound, self.stop, self.status]
        self.asked = [dataset, image_picker.image, self.t]
        self.answers = [self.noised, self.noising, self.t, *self.rebuilt]

    def keep(self, address: Address) -> None:
        """Declare what of the panel stands in the page's address."""
        address.keep("t", self.t)

    def connect(self) -> None:
        """Connect the components."""
        self.t.input(self.noise, self.asked, [self.noised, self.noising, self.t], **NEWEST)
        self.bound.click(self.run_bound, [*self.asked[:2], self.found], self.rebuilt, **RUN)
        self.stop.click(self.runs.cancel, None, None, **QUICK)
        self.runs.connect()
        self.noises.connect()

    def follow(self, request: gr.Request, given: Values) -> Iterator[dict]:
        """Show another image under noise, and what each family gives back of it."""
        dataset, image, t = (given[one] for one in self.asked)
        yield from self.renoise(request, dataset, image, t)
        yield from self.run(request, dataset, image)

    begin = follow

    def run(self, request: gr.Request, dataset: str | None, image: np.ndarray | None) -> Iterator[dict]:
        """Show what each family gives back, one after the other; what ran for the image before ends."""
        run, found = self.runs.begin(request), {}
        if image is None:
            yield {self.cards: said(NO_IMAGE), self.bound: gr.update(visible=False)}
            return
        yield {self.stop: gr.update(visible=False)}

        def paint(one: Rebuilt) -> dict:
            found[one.family] = one
            return {self.cards: latent_view.rebuilt(image, found.values()), self.status: ""}

        images = self.latents.rebuild(dataset or "", image, run.stop)
        if not (yield from run.shown(images, lambda words: {self.status: said(words)}, paint)):
            return
        long = [one.title for one in found.values() if one.long and one.state == "done" and one.elbo is None]
        words = f"Compute the bound of the {format.listing(long)} ({self._promise(dataset or '')})" if long else ""
        yield {self.found: found, self.bound: gr.update(visible=bool(long), value=words), self.status: ""}

    def _promise(self, dataset: str) -> str:
        """Return about how long the bounds take that take long."""
        seconds = sum(self.latents.promise_bound(lane) for lane in self.latents.in_parts(dataset))
        return f"about {max(1, round(seconds))} s"

    def run_bound(
        self, request: gr.Request, dataset: str | None, image: np.ndarray | None, found: Mapping[str, Rebuilt]
    ) -> Iterator[dict]:
        """Compute the bounds that take long, saying how far they are."""
        if image is None:
            yield {self.bound: gr.update(visible=False)}
            return
        run, found, shown, problem = self.runs.begin(request), dict(found), 0.0, ""
        yield {
            self.stop: gr.update(visible=True),
            self.bound: gr.update(visible=False),
            self.status: said("Starting."),
        }

        def paint(one: Rebuilt) -> dict | None:
            nonlocal shown
            if one.state == "done" and one.family in found:
                found[one.family] = latent_view.merged(found[one.family], one)
            elif time.monotonic() - shown < FRAME_SECONDS:
                return None
            shown = time.monotonic()
            return {self.status: said(f"The {one.title}'s bound, part by part.", share=one.share),
                    self.cards: latent_view.rebuilt(image, found.values())}  # fmt: skip

        try:
            parts = self.latents.bound(dataset or "", image, run.stop)
            yield from run.shown(parts, lambda words: {self.status: said(words)}, paint)
        except InputError as error:
            problem = str(error)
        if not run.current:
            return
        stopped = run.stop.is_set()
        yield {
            self.found: found,
            self.stop: gr.update(visible=False),
            self.bound: gr.update(visible=stopped or bool(problem)),
            self.status: said("Stopped; a bound half-way says nothing.") if stopped else said("", problem),
        }

    def renoise(self, request: gr.Request, dataset: str | None, image: np.ndarray | None, t: Any) -> Iterator[dict]:
        """Show another image under noise; it waits for the device a while."""
        run = self.noises.begin(request)
        work = self._noise(dataset, image, t, engine.PATIENT)
        updates = yield from run.made(work, lambda words: {self.noised: said(words)})
        yield updates if run.current else gr.skip()

    def noise(self, dataset: str | None, image: np.ndarray | None, t: Any) -> dict:
        """Show the image under noise at another t."""
        return finish(self._noise(dataset, image, t, engine.WAIT))

    def _noise(
        self, dataset: str | None, image: np.ndarray | None, t: Any, patience: float
    ) -> Generator[Waiting, None, dict]:
        found = self.latents.diffusers(dataset or "")
        if image is None or not found:
            return {self.noising: gr.update(visible=False)}
        last = self.latents.levels(dataset or "") - 1
        try:
            seen = []
            for lane in found:
                seen.append((lane, *(yield from self.latents.noised(lane, image, min(t, last), patience))))
            shown = latent_view.noised(seen)
        except InputError as error:
            shown = said("", str(error))
        return {self.noised: shown, self.noising: gr.update(visible=True), self.t: gr.update(maximum=last)}
