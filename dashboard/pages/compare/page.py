"""Compare: the families side by side, from the same seed, each alone on the device while it runs."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.context import Context

from dashboard.figures import distances, embedding
from dashboard.figures.distances import Reference, Spread
from dashboard.pages import slug_of
from dashboard.pages.compare import quick_scores, timing
from dashboard.pages.compare.timing import Timing
from dashboard.results.projection import flatten, pair_distances, pixel_plane
from dashboard.service import MAX_IMAGES, PREVIEW, Frame, InputError, Lane, Order, Result, Service, downloads
from dashboard.service.images import class_names
from dashboard.service.parsing import parse_whole
from dashboard.service.scoring import Judges
from dashboard.ui import address, dataset_choice, model_card
from dashboard.ui.address import Address
from dashboard.ui.events import CALM, QUICK, RUN, as_text
from dashboard.ui.html import scripted, title
from dashboard.ui.knobs import KnobPanel
from dashboard.ui.panels import chart
from dashboard.ui.run import Runs, status
from dashboard.ui.seed_field import ANOTHER_SEED, seed_field

TITLE = "Samples"
SLUG = slug_of(__name__)
BUNDLE = "The ZIP is a bundle: python -m gencore replay makes its images again and compares them"
DOWNLOADS = ("JSON", "PNG", "ZIP")  # settings and timings; one picture; every image, exact
PAIRS = "the distances between all pairs of a lane's images (Euclidean, pixels from 0 to 1)"
SCATTER = (
    '<div class="chart"><h3>Where they land among real images</h3>'
    '<p class="answer">Real images differ most along two directions, their first two principal components; '
    'every image is a point there.</p><div class="plot" data-testid="scatter"></div>'
    '<p class="reading">Grey: real training images. A family that leaves part of the grey cloud empty misses some of '
    "its variety; points outside it look like no real image. Drag to zoom, double-click to return.</p></div>"
)
NO_REFERENCE = "The real images of {0} have not been described yet: python -m gencore features {0}"


@dataclass
class LaneControls:
    """The components of one lane."""

    picture: gr.HTML
    checkpoint: gr.Dropdown
    knobs: KnobPanel
    about: gr.HTML

    @property
    def inputs(self) -> list[gr.components.Component]:
        """What a run reads: the checkpoint, then the knobs."""
        return [self.checkpoint, *self.knobs.inputs]


def build(service: Service) -> None:
    """Lay out the page in the current Blocks and connect it to the service."""
    Compare(service).connect()


class Compare:
    """The page's components and what they do."""

    def __init__(self, service: Service):
        self.service = service
        datasets = service.datasets()
        self.first = datasets[0] if datasets else ""
        start = service.lanes(self.first)
        title(
            "Same seed, side by side",
            "Every lane draws the same number of images from the same seed, one lane after another, so that "
            "each clock is its own.",
        )
        self._build_shared(datasets)
        self.status = gr.HTML(status(self._advice(start)), js_on_load=None, elem_id="compare-status")
        self.results = gr.State(model_card.results(start))
        self.wrong = gr.State(False)  # whether the status says what is wrong with the controls
        with gr.Row(elem_classes=["lanes"]):
            self.lanes = {lane.family: self._build_lane(lane) for lane in start}
        with gr.Column(visible=False, elem_classes=["card", "reality"]) as self.reality:
            self.real = model_card.component(SLUG, "real", "Real images", model_card.real(None, 0), picture="wide")
        with gr.Column(visible=False, elem_classes=["card", "quick-scores"]) as self.glance:
            self.scores = chart("compare-quick")
        with gr.Row(elem_classes=["charts"]):  # drawn when the page is there, see `restore`
            with gr.Column(elem_classes=["stack"]):
                with gr.Column(elem_classes=["card"]):
                    self.timing = chart("compare-timing")
                with gr.Column(elem_classes=["card"]):
                    self.spread = chart("compare-spread")
            with gr.Column(elem_classes=["card"]):
                self.scatter = scripted(
                    "compare-scatter",
                    SCATTER,
                    "lab.figure(element, props, watch)",
                    "",
                    source=f"/gradio_api/file={embedding.script()}",
                )

        self._build_address()

    # ---- layout

    def _build_address(self) -> None:
        self.address = Address(SLUG, self.service.datasets, itself=True, says=True)
        self.address.keep("data", self.dataset)
        self.address.keep("n", self.n, read=lambda text: parse_whole(text, 1, MAX_IMAGES, "The number of images"))
        self.address.keep("seed", self.seed)
        for family, lane in self.lanes.items():
            names = functools.partial(self._checkpoints, family)
            self.address.keep(f"{family}.checkpoint", lane.checkpoint, among=names)
            self.address.knobs(lane.knobs)

    def _checkpoints(self, family: str, dataset: str) -> list[str]:
        return list(self.service.lane(dataset, family).checkpoints)

    def _build_shared(self, datasets: list[str]) -> None:
        with gr.Row(elem_classes=["shared"]):
            self.dataset = dataset_choice.dropdown(SLUG, datasets, visible=True)
            self.n = gr.Number(PREVIEW["n"], label=f"images (1–{MAX_IMAGES})", elem_id="compare-n", interactive=True)
            self.seed = seed_field(SLUG)
            self.randomise = gr.Button("⟳", elem_id="compare-randomise", variant="secondary")
            self.generate = gr.Button("Generate", elem_id="compare-generate", variant="primary")
            self.stop = gr.Button("Stop", elem_id="compare-stop", variant="secondary", interactive=False)
            self.runs = Runs(self.generate, self.stop)
            with gr.Row(elem_classes=["downloads"]):
                gr.HTML(f'<span class="hint" title="{BUNDLE}">Download</span>', js_on_load=None)
                self.files = [
                    gr.DownloadButton(name, elem_id=f"compare-download-{name.lower()}", interactive=False, size="sm")
                    for name in DOWNLOADS
                ]

    def _build_lane(self, lane: Lane) -> LaneControls:
        kinds = {lane.family: self.service.families[lane.family]}
        with gr.Column(elem_classes=["card", f"f-{lane.family}"]):
            picture = model_card.component(SLUG, lane.family, lane.title, model_card.at_rest(lane))
            knobs = KnobPanel(kinds, SLUG, presets=True, columns=False)
            checkpoint = gr.Dropdown(**self._checkpoint(lane), label="checkpoint", interactive=True,
                                     elem_id=f"compare-{lane.family}-checkpoint", elem_classes=["knob"])  # fmt: skip
            about = gr.HTML(model_card.about(lane), js_on_load=None, elem_classes=["foot"])
        return LaneControls(picture, checkpoint, knobs, about)

    @staticmethod
    def _checkpoint(lane: Lane) -> dict[str, Any]:
        several = len(lane.checkpoints) > 1
        return {"choices": list(lane.checkpoints), "value": lane.checkpoint or None, "visible": several}

    # ---- events

    def connect(self) -> None:
        """Connect the components."""
        shared = [self.dataset, self.n, self.seed]
        inputs = [*shared, *(item for lane in self.lanes.values() for item in lane.inputs)]
        everything = [self.status, *shared, self.reality, self.real, self.results, self.timing, self.spread,
                      self.scatter, self.glance, self.scores, *self.files, self.generate, self.stop]  # fmt: skip
        for lane in self.lanes.values():
            everything += [lane.picture, lane.checkpoint, *lane.knobs.outputs, lane.about]
        demo = Context.root_block

        shown_real = {"outputs": [self.reality, self.real, self.results, self.spread], "concurrency_limit": 2, **CALM}
        at_rest = {"fn": self.show_real_at_rest, "inputs": [self.dataset, self.results], **shown_real}
        real = {"fn": self.show_real, "inputs": [self.dataset, self.n, self.seed, self.results], **shown_real}
        restored = demo.load(self.restore, [self.status], everything, js=address.HASH, **QUICK)
        restored.then(**at_rest).then(None, js="() => { document.body.dataset.restored = location.search; }")
        demo.load(None, js="() => lab.pages()")
        switched = self.dataset.input(self.switch, [self.dataset], everything, **QUICK)
        switched.then(**at_rest)
        self.randomise.click(None, None, [self.seed], js=ANOTHER_SEED)
        typed = [self.n.input, self.seed.change]  # a text field's `input` hears neither Backspace nor what is pasted
        turned = [*typed, *(one for lane in self.lanes.values() for one in lane.knobs.connect())]
        for after in turned:  # 'always_last' would look at the values before once more
            after(self.check, [self.wrong, *inputs], [self.wrong, self.status], **QUICK, trigger_mode="multiple")
        run = self.generate.click(self.run, [self.results, *inputs], everything, **RUN)
        run.then(**real)
        self.runs.connect(run)
        for family, lane in self.lanes.items():
            swap, shown = functools.partial(self.swap, family), [self.dataset, lane.checkpoint, self.results]
            lane.checkpoint.input(swap, shown, everything, **QUICK)

    # ---- handlers

    def restore(self, request: gr.Request, at: str = "") -> dict:
        """Set the page as its address says, whose part behind the hash is `at`, and show what there is now."""
        query = address.asked(request, at, SLUG)
        known = self.service.datasets()
        values, problems, _ = self.address.read(query)
        dataset = values.get("data") or next(iter(known), "")
        updates = self._show(dataset, {family: values.get(f"{family}.checkpoint", "") for family in self.lanes})
        for family, kind in self.service.families.items():
            given = {knob.name: values.get(f"{family}.{knob.name}", knob.default) for knob in kind.knobs}
            updates |= self.lanes[family].knobs.set(family, given)
        updates |= {
            self.dataset: gr.update(choices=dataset_choice.choices(known), value=dataset or None),
            self.n: values.get("n", PREVIEW["n"]),
            self.seed: values.get("seed", str(PREVIEW["seed"])),
            **self.runs.over,
        }
        if problems:
            updates[self.status] = status(" ".join(problems), problem=True)
        elif known and values:
            updates[self.status] = status("Settings from the link. Press Generate to run them.")
        return updates

    def check(self, wrong: bool, dataset: str, n: Any, seed: Any, *values: Any) -> dict:
        """Say at once what is wrong with the controls' values, and no more once it is right."""
        try:
            self._order(dataset, n, seed, values)
        except InputError as error:
            return {self.wrong: True, self.status: status(str(error), problem=True)}
        return {self.wrong: False, self.status: status("") if wrong else gr.skip()}

    def switch(self, request: gr.Request, dataset: str) -> dict:
        """Show another data set; a run on the one before ends, and paints nothing more."""
        self.runs.leave(request)
        return {**self._show(dataset, {}), **self.runs.over}

    def swap(self, family: str, dataset: str, name: str, results: dict[str, Result]) -> dict:
        """Show another checkpoint in one lane."""
        lane = self.service.lane(dataset, family, name)
        kept = {key: value for key, value in results.items() if key != family} | model_card.results([lane])
        ordered = {key: kept[key] for key in [*self.lanes, "real"] if key in kept}
        mine = self.lanes[family]
        return {
            mine.picture: model_card.at_rest(lane),
            mine.about: model_card.about(lane),
            **self._redraw(dataset, ordered, {family: name}),
        }

    def run(self, request: gr.Request, results: dict, dataset: str, n: Any, seed: Any, *values: Any) -> Iterator[dict]:
        """Run the lanes one after another, and show every frame; then the charts and the downloads.

        Nothing more is shown once another data set or a later run was asked for.
        """
        try:
            order = self._order(dataset, n, seed, values)
        except InputError as error:
            yield {self.status: status(str(error), problem=True)}
            return
        finished: dict[str, Result] = {}
        run = self.runs.begin(request)
        yield self._begun(order)

        def paint(frame: Frame) -> dict:
            if frame.state == "done":
                finished[frame.family] = downloads.result_of(self.service, order, frame)
            picture = model_card.painted(frame, order.n, order.seed)
            return {self.lanes[frame.family].picture: picture, self.status: status("")}

        if not (yield from run.shown(self.service.run(order, run.stop), self._wait, paint)):
            return
        kept = {**results, **finished}
        kept = {key: kept[key] for key in [*self.lanes, "real"] if key in kept}
        chosen = {part.family: part.checkpoint for part in order.parts}
        updates = self._redraw(order.dataset, kept, chosen)
        updates |= {**self.runs.over, self.status: status("")}
        updates |= self._glance(order.dataset, finished)
        with tempfile.TemporaryDirectory() as folder:  # the component keeps its own copies
            if finished:
                paths = downloads.write(Path(folder), order, list(finished.values()), self.service.machine)
                updates |= {file: gr.update(value=path, interactive=True)
                            for file, path in zip(self.files, paths, strict=True)}  # fmt: skip
            if run.current:
                yield updates

    def _begun(self, order: Order) -> dict:
        """Return the updates that show a run before its first frame."""
        waiting = {part.family: Frame(part.family, "waiting") for part in order.parts}
        pictures = {
            self.lanes[family].picture: model_card.painted(frame, order.n, order.seed)
            for family, frame in waiting.items()
        }
        return {**self.runs.begun, **pictures, **self._wait("")}

    def _wait(self, words: str) -> dict:
        return {self.status: status(words)}

    def show_real_at_rest(self, dataset: str, results: dict[str, Result]) -> dict:
        """Show real images beside the lanes before a run: of the seed that their previews are of."""
        return self.show_real(dataset, PREVIEW["n"], PREVIEW["seed"], results)

    def show_real(self, dataset: str, n: Any, seed: Any, results: dict[str, Result]) -> dict:
        """Show real images beside the generated ones, when they are at hand."""
        try:
            order = self.service.order(dataset, n, seed, self.service.usable(dataset))
        except InputError:
            return {self.reality: gr.skip()}
        images = self.service.real(dataset, order.n, order.seed)
        if images is None:
            return {self.reality: gr.update(visible=False)}
        results = {**results, "real": Result("real", "Real", images)}
        return {
            self.reality: gr.update(visible=True),
            self.real: model_card.real(images, order.seed),
            self.results: results,
            self.spread: self._spread(dataset, results),
        }

    # ---- parts of the handlers

    def _order(self, dataset: str, n: Any, seed: Any, values: tuple) -> Order:
        """Return the checked order that the controls' values make; lanes that cannot run are left out."""
        settings, rest = {}, list(values)
        usable = self.service.usable(dataset)
        for family, lane in self.lanes.items():
            (name, *knobs), rest = rest[: len(lane.inputs)], rest[len(lane.inputs) :]
            if family in usable:
                settings[family] = {"checkpoint": name, "knobs": lane.knobs.given(family, knobs)}
        return self.service.order(dataset, n, seed, settings)

    def _show(self, dataset: str, chosen: Mapping[str, str]) -> dict:
        """Return the updates that show a data set's lanes as they are before a run."""
        known = {family: self.service.lane(dataset, family, chosen.get(family, "")) for family in self.lanes}
        updates: dict = {self.status: status(self._advice(list(known.values())))}
        for family, lane in known.items():
            mine = self.lanes[family]
            updates |= {mine.picture: model_card.at_rest(lane), mine.about: model_card.about(lane),
                        mine.checkpoint: gr.update(**self._checkpoint(lane))}  # fmt: skip
        updates |= self._redraw(dataset, model_card.results(list(known.values())), chosen)
        updates[self.glance] = gr.update(visible=False)
        return updates | {file: gr.update(value=None, interactive=False) for file in self.files}

    def _advice(self, known: list[Lane]) -> str:
        """Return what to do when no lane can run."""
        if any(not lane.problem for lane in known):
            return ""
        return "There is no checkpoint yet. Train one and reload: python -m gencore train digits/vae"

    def _redraw(self, dataset: str, results: dict[str, Result], chosen: Mapping[str, str]) -> dict:
        """Return the updates of the charts, and of what they show."""
        known = [self.service.lane(dataset, family, chosen.get(family, "")) for family in self.lanes]
        times, spread, scatter = self._draw(known, results, dataset)
        return {self.results: results, self.timing: times, self.spread: spread, self.scatter: scatter}

    def _draw(self, known: list[Lane], results: dict[str, Result], dataset: str) -> tuple[str, str, str]:
        """Return the three charts of results, the last as one text."""
        rows = [timing_row(lane, results.get(lane.family)) for lane in known if not lane.problem]
        machines = {model_card.measured_on(lane.cost) for lane in known if lane.cost.get("machine")}
        times = timing.card(rows, " and ".join(sorted(machines)))
        reference = self.service.reference(dataset)
        if reference is None:
            return times, self._spread(dataset, results), as_text({"missing": NO_REFERENCE.format(dataset or "mnist")})
        plane, clouds = pixel_plane(reference), {}
        for family, result in results.items():
            points = plane.project(flatten(result.images)) if family != "real" else None
            if points is not None:
                clouds[family] = (result.title, points)
        return times, self._spread(dataset, results), embedding.scatter(clouds, plane).to_json()

    def _glance(self, dataset: str, finished: Mapping[str, Result]) -> dict:
        """Return the updates of the quick scores of a run's images."""
        if not finished:
            return {self.glance: gr.update(visible=False)}
        try:
            names = [one.part.checkpoint for one in finished.values() if one.part]
            judge = self.service.shared(Judges).of_these(dataset, names)
            found = judge.quick({key: one.images for key, one in finished.items()})
        except InputError as error:
            return {
                self.glance: gr.update(visible=True),
                self.scores: quick_scores.refused(f"No quick scores: {error}"),
            }
        rows = {key: (one.title, found.scores[key], found.classes.get(key)) for key, one in finished.items()}
        card = quick_scores.table(found.n, rows, found.real, found.blocks, found.left_out, class_names(dataset))
        return {self.glance: gr.update(visible=True), self.scores: card}

    def _spread(self, dataset: str, results: dict[str, Result]) -> str:
        """Return the chart of the distances between images."""
        reference = self.service.reference(dataset) or {}
        rows = [
            Spread(result.family, result.title, len(result.images), *pair_distances(flatten(result.images)))
            for result in results.values()
        ]
        real = Reference(reference["bins"], reference["density"], "real training images") if reference else None
        return distances.card("How different are they from one another?", PAIRS, rows, real)


def timing_row(lane: Lane, result: Result | None) -> Timing:
    """Return a lane's row of the timing chart."""
    timed = result is not None and result.ms_per_image is not None
    shipped = lane.cost.get("ms_per_image")
    calls = result.calls if timed else int(lane.cost.get("calls") or 0)
    ms, beside = (result.ms_per_image, result.beside) if timed else (None, "")
    return Timing(lane.family, lane.title, ms, shipped, calls, beside)
