"""Diffusion: the forward process, the reverse film, the bound along t, and the number of steps."""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from dashboard import format
from dashboard.pages import slug_of
from dashboard.pages.diffusion import algorithm_lines, diffusion_view, noise_schedule, simple_loss
from dashboard.pages.diffusion.engine import SHEET, Descent, Segment, Snapshot, Trajectories, as_gif, as_strip
from dashboard.pages.diffusion.panels import PANELS
from dashboard.service import (
    PREVIEW,
    Frame,
    InputError,
    Knob,
    Lane,
    Order,
    Part,
    Point,
    Service,
    downloads,
    resolve_knobs,
)
from dashboard.service.parsing import parse_whole, whole_or
from dashboard.ui import dataset_choice, model_card
from dashboard.ui.address import Address, number
from dashboard.ui.events import CALM, QUICK, RUN, Values, after
from dashboard.ui.html import scripted, title
from dashboard.ui.image_picker import ImagePicker
from dashboard.ui.knobs import KnobPanel
from dashboard.ui.panels import chart, framed, on_open
from dashboard.ui.run import Runs
from dashboard.ui.seed_field import ANOTHER_SEED, seed_field

TITLE = "Diffusion"
SLUG = slug_of(__name__)
START = 400  # t of the forward panel at first
BUNDLE = "The ZIP is a bundle of both images: python -m gencore replay makes them again"
STOPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
IN_ONE = 10  # passes of Algorithm 2 between two pictures
AT_ONCE = 3.0  # seconds; what takes longer waits for a click
MOST_STEPS, MOST_MOMENTS = 100_000, 9  # of an algorithm that an address may ask for
PLACES = ("algorithm-1", "algorithm-2")  # in the address: how far each is walked


def build(service: Service) -> None:
    """Lay out the page in the current Blocks and connect it to the service."""
    Diffusion(service).connect()


class Diffusion:
    """The page's components and what they do."""

    def __init__(self, service: Service):
        self.service, self.trajectories = service, service.shared(Trajectories)
        title(
            "Inside diffusion",
            "Noise is added to an image until nothing is left of it; a network learns to take it off again, and"
            " so makes images out of noise alone.",
        )
        with gr.Row(elem_classes=["shared"]):
            self.dataset = dataset_choice.dropdown(SLUG, visible=len(service.datasets()) > 1)
            self.source = gr.Dropdown([], label="checkpoint", interactive=True, filterable=False, visible=False,
                                      elem_id="diffusion-checkpoint")  # fmt: skip
        self.absent = gr.HTML("", js_on_load=None, elem_id="diffusion-absent", visible=False)
        self.shown = gr.State("")  # the data set that is shown, '' before the page is opened
        with gr.Column() as self.inside:  # hidden where there is nothing to show
            self.image_picker = ImagePicker(service, SLUG)
            self.forward = Forward(self.trajectories, self.image_picker.image)
            self.reverse = Reverse(self.trajectories)
            self.algorithms = Algorithms(self.trajectories)
            self.simple = Simple(self.trajectories)
            self.bound = Bound(self.trajectories)
            self.steps = Steps(self.trajectories)
        self._build_address()

    def _build_address(self) -> None:
        address = Address(SLUG, self.trajectories.datasets)
        address.keep("data", self.dataset)
        address.keep("checkpoint", self.source, among=self._checkpoints)
        self.image_picker.keep(address)
        address.scripts("t", number("t", 0, 9999, whole=True))
        address.keep("noise", self.forward.seed)
        address.keep("seed", self.reverse.seed)
        for side, panel in zip(diffusion_view.SIDES, self.reverse.sides, strict=True):
            address.knobs(panel, f"{side}.")
        address.scripts("moment", number("moment", 0, 1))
        for name in PLACES:
            address.scripts(name, place(name))
        address.keep("weights", self.simple.weights)
        address.keep("steps-seed", self.steps.seed)
        address.scripts("steps", number("steps", 1, 100_000, whole=True))
        address.knobs(self.steps.settings, "steps.")

    def _checkpoints(self, dataset: str) -> list[str]:
        return [one.checkpoint for one in self.trajectories.sources(dataset)]

    @property
    def parts(self) -> tuple[Forward, Reverse, Algorithms, Simple, Bound, Steps]:
        """The panels, in their order."""
        return self.forward, self.reverse, self.algorithms, self.simple, self.bound, self.steps

    def connect(self) -> None:
        """Connect the components."""
        where = [self.dataset, self.source]
        everything = [*where, self.absent, self.inside, self.shown, *self.image_picker.outputs]
        everything += [item for part in self.parts for item in part.outputs]
        # One run for all that follows an image: Gradio would call listeners of their own one after another, each a
        # round trip. The film has its own: as its moments come, the browser looks at all that its run may change.
        asked = {self.shown, self.image_picker.strip, *where, *self.forward.asked, *self.steps.asked}
        self.image_picker.connect(self.dataset, self.follow, [*where, *self.forward.asked], self.answers)
        opened = on_open(self.opened, asked, everything, **RUN)
        changed = [
            self.dataset.input(self.switched, asked, everything, **RUN),
            self.source.input(self.swapped, asked, everything, **RUN),
        ]
        self.forward.connect(where)
        self.reverse.connect(where, opened, changed)
        self.algorithms.connect(where, self.image_picker.image)
        self.simple.connect(where, self.image_picker.image)
        self.steps.connect(where)

    @property
    def answers(self) -> list[gr.components.Component]:
        """What changes with the image."""
        return [*self.forward.outputs, *self.algorithms.training_outputs, *self.simple.outputs]

    # ---- handlers

    def opened(self, request: gr.Request, given: Values) -> Iterator[dict]:
        """Show the page, then its image under noise."""
        steps = [given[one] for one in self.steps.asked]
        strip, name = given[self.image_picker.strip], given[self.source]
        yield from self._drawn(given, self.open(request, given[self.shown], strip, name, *steps))

    def switched(self, request: gr.Request, given: Values) -> Iterator[dict]:
        """Show another data set."""
        yield from self._drawn(given, self.switch(request, given[self.dataset]))

    def swapped(self, request: gr.Request, given: Values) -> Iterator[dict]:
        """Show another checkpoint."""
        yield from self._drawn(given, self.swap(request, given[self.dataset], given[self.source]))

    def _drawn(self, given: Values, updates: dict) -> Iterator[dict]:
        """Show updates, then the image that they name under noise."""
        given = after(given, updates)
        yield updates
        if given[self.dataset]:
            yield from self._noised(given)

    def follow(self, _: gr.Request, given: Values) -> Iterator[dict]:
        """Show another image: both algorithms and the measured loss begin anew."""
        yield {**self.algorithms.rewind(), **self.simple.reset()}
        yield from self._noised(given)

    def _noised(self, given: Values) -> Iterator[dict]:
        where = given[self.dataset], given[self.source]
        yield from self.forward.draw(*where, *(given[one] for one in self.forward.asked))

    def open(self, request: gr.Request, shown: str, strip: dict | None, name: str | None = None, *steps: Any) -> dict:
        """Show what the address names, else what is usual; nothing changes on a page that was open before."""
        if shown:
            return {self.shown: gr.skip()}
        dataset, choices = dataset_choice.opened_on(request, self.trajectories.datasets())
        updates, sources = self._show(dataset, strip, name), self.trajectories.sources(dataset) if dataset else []
        if sources:
            source, query = chosen(sources, name), request.query_params
            updates |= self.forward.show(dataset, source, whole_or(query.get("t"), START))
            if "steps" in query and steps:
                updates |= self.steps.show(dataset, source, whole_or(query["steps"], 0), *steps)
        return {**updates, self.dataset: choices}

    def switch(self, request: gr.Request, dataset: str) -> dict:
        """Show another data set; runs on the one before end, and paint nothing more."""
        self.leave(request)
        return self._show(dataset, None)

    def swap(self, request: gr.Request, dataset: str, name: str) -> dict:
        """Show another checkpoint of the data set; runs of the one before end."""
        self.leave(request)
        try:
            return self._parts(dataset, self.trajectories.find(dataset, name))
        except InputError as error:
            return {self.absent: missing(str(error))}

    def leave(self, request: gr.Request) -> None:
        """Stop what a visitor who has gone, or gone on, was drawing."""
        for runs in (
            self.reverse.runs,
            self.algorithms.steps,
            self.algorithms.passes,
            self.simple.runs,
            self.steps.runs,
        ):
            runs.leave(request)

    # ---- parts of the handlers

    def _show(self, dataset: str, strip: dict | None, name: str | None = None) -> dict:
        sources = self.trajectories.sources(dataset) if dataset else []
        if not sources:
            words = self.trajectories.problem(dataset or next(iter(self.service.datasets()), ""))
            return {self.absent: missing(words), self.inside: gr.update(visible=False)}
        names, source = [one.checkpoint for one in sources], chosen(sources, name)
        return {
            self.absent: gr.update(value="", visible=False),
            self.inside: gr.update(visible=True),
            self.shown: dataset,
            self.source: gr.update(choices=names, value=source.checkpoint, visible=len(names) > 1),
            **self.image_picker.show(dataset, strip),
            **self._parts(dataset, source),
        }

    def _parts(self, dataset: str, source: Lane) -> dict:
        return {key: value for part in self.parts for key, value in part.show(dataset, source).items()}


class Forward:
    """The panel of the forward process."""

    def __init__(self, trajectories: Trajectories, image: gr.State):
        self.trajectories = trajectories
        self.t = gr.State(START)
        with framed(PANELS["forward"]):
            with gr.Row(elem_classes=["shared", "df-shared"]):
                self.seed, self.again = seed_controls("forward", "noise seed")
            self.picture = scripted(
                "diffusion-forward", diffusion_view.FORWARD, "lab.forward(element, props, watch, trigger, ['move'])"
            )
            with gr.Row(elem_classes=["charts", "df-charts"]):
                self.schedule, self.ratio = chart("diffusion-forward-schedule"), chart("diffusion-forward-snr")
        self.asked = [image, self.seed, self.t]

    @property
    def outputs(self) -> list[gr.components.Component]:
        """What changes with the data set, the checkpoint or t."""
        return [self.t, self.picture, self.schedule, self.ratio]

    def connect(self, where: list) -> None:
        """Connect the components to the data set and the checkpoint."""
        inputs = [*where, *self.asked]
        live = {**CALM, "trigger_mode": "always_last", "concurrency_limit": 4}
        moving = {**live, "trigger_mode": "multiple"}  # the script sends one at a time
        self.picture.move(self.move, inputs[:-1], self.outputs, **moving)
        self.seed.submit(self.draw, inputs, self.outputs, **live)
        self.again.click(None, None, [self.seed], js=ANOTHER_SEED).then(self.draw, inputs, self.outputs, **live)

    def show(self, dataset: str, source: Lane, t: int = START) -> dict:
        """Show the schedule of a checkpoint; the image under noise follows when an image is chosen."""
        abar = self.trajectories.abar(source)
        t = min(max(t, 0), len(abar) - 1)
        return {self.t: t, self.picture: {"last": len(abar) - 1, "t": t}, **self._charts(source, t)}

    def move(self, event: gr.EventData, dataset: str, name: str, image: Any, seed: str) -> Iterator[dict]:
        """Show the image at another t."""
        t = event._data.get("t")
        yield from self._draw(dataset, name, image, seed, t, strip=False)

    def draw(self, dataset: str, name: str, image: Any, seed: str, t: int) -> Iterator[dict]:
        """Show another image, or other noise, with its strip."""
        yield from self._draw(dataset, name, image, seed, t, strip=True)

    def _draw(self, dataset: str, name: str, image: Any, seed: str, t: Any, strip: bool) -> Iterator[dict]:
        if image is None:
            yield {self.picture: {"problem": "There is no image yet: choose one above, or draw one."}}
            return
        try:
            source = self.trajectories.find(dataset, name)
            last = len(self.trajectories.abar(source)) - 1
            value: dict[str, Any] = {"x0": model_card.data_uri(image[None]), "last": last}
            for found in self.trajectories.noised(source, image, t, seed):
                value |= diffusion_view.at_level(found)
                yield {self.picture: value, self.t: found.level.t, **self._charts(source, found.level.t)}
            if strip:
                value |= diffusion_view.strip_of(self.trajectories.strip(source, image, seed))
            if found.x0 is None:
                value["words"] = "Another run has the device: what the network sees is drawn when you move t again."
            if strip or found.x0 is None:
                yield {self.picture: value}
        except InputError as error:
            yield {self.picture: {"problem": str(error)}}

    def _charts(self, source: Lane, t: int) -> dict:
        abar = self.trajectories.abar(source)
        return {self.schedule: noise_schedule.schedule(abar, t), self.ratio: noise_schedule.signal_to_noise(abar, t)}


class Reverse:
    """The panel of two films of the reverse process."""

    def __init__(self, trajectories: Trajectories):
        self.trajectories, self.service = trajectories, trajectories.service
        self.drawn = gr.State(False)  # whether this visitor's films were ever begun
        with framed(PANELS["reverse"]):
            with gr.Row(elem_classes=["shared", "df-shared"]):
                self.seed, self.again = seed_controls("reverse", "seed")
                self.runs = Runs(*run_buttons("reverse"))
            with gr.Row(elem_classes=["df-booth"]):
                left = self._side(diffusion_view.SIDES[0], 0)
                with gr.Column(elem_classes=["df-middle"]):
                    self.film = scripted("diffusion-film", diffusion_view.FILM, "lab.film(element, props, watch)")
                    with gr.Row(elem_classes=["df-files"]):
                        gr.HTML(f'<span class="hint" title="{BUNDLE}">Download both films</span>', js_on_load=None)
                        self.files = [
                            gr.DownloadButton(
                                kind, elem_id=f"diffusion-film-{kind.lower()}", interactive=False, size="sm"
                            )
                            for kind in ("GIF", "PNG", "ZIP")
                        ]
                self.sides = [left, self._side(diffusion_view.SIDES[1], 1)]

    def _side(self, side: str, place: int) -> KnobPanel:
        starts = {
            name: start(kind.points, self.trajectories.step_knob(name), place)
            for name, kind in self.trajectories.kinds.items()
        }
        with gr.Column(elem_classes=["df-side"]):
            gr.HTML(f'<h3 class="df-name">{side.capitalize()}</h3>', js_on_load=None)
            name, first = f"{SLUG}-film-{side}", next(iter(self.trajectories.kinds), "")
            return KnobPanel(self.trajectories.kinds, name, starts, presets=True, shown=first)

    @property
    def outputs(self) -> list[gr.components.Component]:
        """What changes with the data set, the checkpoint or a run."""
        return [*self.run_outputs, *(group for side in self.sides for group in side.outputs)]

    @property
    def run_outputs(self) -> list[gr.components.Component]:
        """What changes with a run: as few as can be, as the browser looks at all of them at each moment shown."""
        return [self.film, self.drawn, *self.runs.over, *self.files]

    def connect(self, where: list, opened: Any, changed: Sequence[Any]) -> None:
        """Connect the components to the events of the page being opened and of another data set or checkpoint."""
        inputs = [*where, self.seed, *self.sides[0].inputs, *self.sides[1].inputs]
        for turned in (*self.sides[0].connect(), *self.sides[1].connect(), *(event.then for event in changed)):
            turned(self.promise, inputs, [self.film], **QUICK)
        runs = [
            opened.then(self.draw_first, [self.drawn, *inputs], self.run_outputs, **RUN),
            self.runs.go.click(self.draw, inputs, self.run_outputs, **RUN),
            self.seed.submit(self.draw, inputs, self.run_outputs, **RUN),
            self.again.click(None, None, [self.seed], js=ANOTHER_SEED).then(self.draw, inputs, self.run_outputs, **RUN),
        ]
        self.runs.connect(*runs)

    # ---- handlers

    def show(self, dataset: str, source: Lane) -> dict:
        """Show the controls of a checkpoint's family, and nothing drawn yet."""
        shown = {key: value for side in self.sides for key, value in side.show(source.family).items()}
        files = {file: gr.update(value=None, interactive=False) for file in self.files}
        return {self.film: {"run": "", "words": "Press Draw.", "problem": "", "share": 0}, **shown, **files,
                **self.runs.over}  # fmt: skip

    def promise(self, dataset: str, name: str, seed: str, *values: Any) -> dict:
        """Say what the films would take with other settings."""
        try:
            return {self.film: {"promise": self._estimate(self._order(dataset, name, seed, values)[0]), "problem": ""}}
        except InputError as error:
            return {self.film: {"problem": str(error)}}

    def draw_first(self, request: gr.Request, drawn: bool, dataset: str, *inputs: Any) -> Iterator[dict]:
        """Draw the films when the page is opened for the first time, unless another run has the device."""
        if drawn or not dataset:
            yield {self.film: gr.skip()}
        elif self.service.device.busy:
            yield {self.film: self.promise(dataset, *inputs)[self.film]}
        else:
            yield from self.draw(request, dataset, *inputs)

    def draw(self, request: gr.Request, dataset: str, name: str, seed: str, *values: Any) -> Iterator[dict]:
        """Film both sides, and show every moment; then the sentence that compares their ends, and the downloads.

        Nothing more is shown once a later run was asked for.
        """
        try:
            parts, number = self._order(dataset, name, seed, values)
            words = self._estimate(parts)
        except InputError as error:
            yield {self.film: {"problem": str(error)}}
            return
        run, started = self.runs.begin(request), 0.0
        trajectories: list[list[Snapshot]] = [[] for _ in parts]
        last = [Segment(side, "running", 0, self.trajectories.calls(part)) for side, part in enumerate(parts)]
        value: dict[str, Any] = {"run": secrets.token_hex(4), "names": [self._name(part) for part in parts]}
        files = {file: gr.update(interactive=False) for file in self.files}
        begun: dict = {self.drawn: True, **files, **self.runs.begun}

        def once() -> dict:
            nonlocal begun
            updates, begun = begun, {}
            return updates

        def wait(line: str) -> dict:
            shown = {**value, "words": f"{line} {words}", "promise": "", "problem": "", "share": 0}
            return {**once(), self.film: shown}

        def paint(segments: list[Segment]) -> dict:
            nonlocal started
            started = started or time.monotonic()  # the wait for the device does not count
            fresh = [diffusion_view.new_snapshots(segment, len(trajectories[segment.side])) for segment in segments]
            for segment in segments:
                last[segment.side] = segment
                trajectories[segment.side] += segment.snapshots
            shown = {
                **value,
                "fresh": fresh,
                "problem": "",
                **diffusion_view.progress(last, time.monotonic() - started),
            }
            return {**once(), self.film: shown}  # with the first picture: each update costs the browser its time

        try:
            if not (yield from run.shown(self.trajectories.sample(parts, number, run.stop), wait, paint)):
                return
        except InputError as error:
            yield {self.film: {"problem": str(error), "share": 0}, **self.runs.over}
            return
        value |= {"reels": list(map(diffusion_view.whole_trajectory, trajectories, last))}
        with tempfile.TemporaryDirectory() as folder:  # the components keep their own copies
            files = self._files(Path(folder), trajectories, parts, number)
            yield {self.film: {**value, **diffusion_view.ending(trajectories, last)}, **self.runs.over, **files}

    # ---- parts of the handlers

    def _order(self, dataset: str, name: str, seed: str, values: Sequence[Any]) -> tuple[list[Part], int]:
        """Return both sides' checkpoint and knobs, checked, and the seed."""
        source, middle = self.trajectories.find(dataset, name), len(self.sides[0].inputs)
        orders = []
        for side, mine in zip(self.sides, (values[:middle], values[middle:]), strict=True):
            setting = {"checkpoint": name, "knobs": side.given(source.family, mine)}
            orders.append(self.service.order(dataset, 1, seed, {source.family: setting}))
        return [order.parts[0] for order in orders], orders[0].seed

    def _estimate(self, parts: Sequence[Part]) -> str:
        calls, rate = sum(map(self.trajectories.calls, parts)), self.trajectories.rate(parts[0].checkpoint, 1)
        return diffusion_view.estimate(calls, rate.seconds * calls, rate.words)

    def _name(self, part: Part) -> str:
        """Return the setting of a film: its operating point's name, else its knobs."""
        kind = self.trajectories.kinds[part.family]
        point = next((p for p in kind.points if resolve_knobs(kind.knobs, p.knobs) == dict(part.knobs)), None)
        return point.label if point else diffusion_view.knob_words(kind.knobs, part.knobs)

    def _files(
        self, folder: Path, trajectories: Sequence[Sequence[Snapshot]], parts: Sequence[Part], seed: int
    ) -> dict:
        """Return the updates of the download buttons, with their files in a folder; a bundle of whole films."""

        def bundle(sides: Sequence[Sequence[Snapshot]]) -> bytes:
            ends = {side: one[-1].x0[None] for side, one in zip(diffusion_view.SIDES, sides, strict=True)}
            lanes = dict(zip(diffusion_view.SIDES, parts, strict=True))
            return downloads.shared(lanes, ends, seed, self.service.machine)

        updates = {}
        whole = all(trajectories) and all(one[-1].t is None for one in trajectories)
        for file, kind, write in zip(self.files, ("gif", "png", "zip"), (as_gif, as_strip, bundle), strict=True):
            path = folder / f"reverse-seed-{seed}.{kind}"
            if whole or (all(trajectories) and kind != "zip"):
                path.write_bytes(write(trajectories))
                updates[file] = gr.update(value=str(path), interactive=True)
        return updates


class Algorithms:
    """The panel of both algorithms, line by line."""

    def __init__(self, trajectories: Trajectories):
        self.trajectories, self.steps, self.passes = trajectories, Runs(), Runs()
        self.number = gr.State(0)  # steps of training that were run
        self.descent = gr.State(None)  # where sampling stands
        script = "lab.algorithm(element, props, watch, trigger, {!r}, ['ask'])".format
        with framed(PANELS["algorithms"]), gr.Row(elem_classes=["charts", "df-charts"]):
            training, sampling = map(script, PLACES)
            self.training = scripted("diffusion-algorithm-training", algorithm_lines.ALGORITHM_1, training)
            self.sampling = scripted("diffusion-algorithm-sampling", algorithm_lines.ALGORITHM_2, sampling)

    @property
    def outputs(self) -> list[gr.components.Component]:
        """What changes with the data set, the checkpoint or a line."""
        return [self.number, self.descent, self.training, self.sampling]

    @property
    def training_outputs(self) -> list[gr.components.Component]:
        """What changes with the image, or a line of Algorithm 1."""
        return [self.number, self.training]

    def connect(self, where: list, image: gr.State) -> None:
        """Connect the components to the data set and the checkpoint, and to the chosen image."""
        self.training.ask(self.train, [*where, image, self.number], self.training_outputs, **RUN)
        self.sampling.ask(self.sample, [*where, self.descent], [self.descent, self.sampling], **RUN)
        self.steps.connect()
        self.passes.connect()

    # ---- handlers

    def show(self, dataset: str, source: Lane) -> dict:
        """Show both algorithms of a checkpoint at their beginning."""
        if not self.trajectories.steps_through(source):
            words = f"{source.title} cannot be walked through a step at a time."
            return {self.training: {"problem": words}, self.sampling: {"problem": words}}
        return {**self.rewind(), **self._begin(source)}

    def rewind(self) -> dict:
        """Show Algorithm 1 before its first step, as with another image."""
        return {self.number: 0, self.training: algorithm_lines.training_start()}

    def _begin(self, source: Lane) -> dict:
        descent = self.trajectories.begin(source, PREVIEW["seed"])
        return {self.descent: descent, self.sampling: algorithm_lines.start_value(descent)}

    def train(self, request: gr.Request, event: gr.EventData, dataset: str, name: str, image: Any, number: int
              ) -> Iterator[dict]:  # fmt: skip
        """Run the next step of Algorithm 1; it is shown from its first line, or from its last where all was asked."""
        if (what := asked(event)) == "restart":
            yield self.rewind()
            return
        run, number = self.steps.begin(request), number + 1
        try:
            if image is None:
                raise InputError("There is no image yet: choose one above, or draw one.")
            number = parse_whole(event._data.get("at"), 1, MOST_STEPS, "The step") if what == "at" else number
            work = self.trajectories.training(self._source(dataset, name), image, number, run.stop)
            found = yield from run.made(work, lambda words: {self.training: {"problem": words}})
        except InputError as error:
            yield {self.training: {"problem": str(error)}}
            return
        value = algorithm_lines.training_value(found, number) | {"end": what == "run"}
        yield {self.number: number, self.training: value} if run.current else gr.skip()

    def sample(self, request: gr.Request, event: gr.EventData, dataset: str, name: str, descent: Descent | None
               ) -> Iterator[dict]:  # fmt: skip
        """Run the next pass of Algorithm 2, or as many as the second button says; at its end, and on asking, begin."""
        run, what = self.passes.begin(request), asked(event)
        try:
            source = self._source(dataset, name)
            if what == "at":  # the pass of this t is the last that is run
                descent = self.trajectories.begin(source, PREVIEW["seed"])
                goal = parse_whole(event._data.get("at"), 1, descent.t, "t") - 1
            elif what == "restart" or descent is None or not descent.t:
                yield self._begin(source)
                return
            else:
                goal = max(0, descent.t - algorithm_lines.AT_ONCE) if what == "run" else descent.t - 1
            while descent.t > goal and not run.stop.is_set():
                work = self.trajectories.descend(descent, min(IN_ONE, descent.t - goal), run.stop)
                descent, found = yield from run.made(work, lambda words: {self.sampling: {"problem": words}})
                value = algorithm_lines.pass_value(descent, found) | {"end": what == "run", "more": descent.t > goal}
                yield {self.descent: descent, self.sampling: value} if run.current else gr.skip()
        except InputError as error:
            yield {self.sampling: {"problem": str(error)}}

    def _source(self, dataset: str, name: str) -> Lane:
        """Return the checkpoint.

        Raises:
            InputError: if there is none of that name, or it cannot be run a step at a time.
        """
        source = self.trajectories.find(dataset, name)
        if not self.trajectories.steps_through(source):
            raise InputError(f"{source.title} cannot be walked through a step at a time.")
        return source


class Simple:
    """The panel of the simplified loss along t."""

    def __init__(self, trajectories: Trajectories):
        self.trajectories = trajectories
        with framed(PANELS["simple"]):
            with gr.Row(elem_classes=["shared", "df-shared"]):
                self.weights = gr.Radio(
                    list(simple_loss.WEIGHTS), value=simple_loss.SIMPLE, label="weights of t", interactive=True,
                    elem_id="diffusion-weights", elem_classes=["knob"],
                )  # fmt: skip
                go = gr.Button("Measure", elem_id="diffusion-simple-go", variant="primary", elem_classes=["df-go"])
                self.runs = Runs(go)
            self.curve = chart("diffusion-simple")

    @property
    def outputs(self) -> list[gr.components.Component]:
        """What changes with the data set, the checkpoint or the image."""
        return [self.curve, *self.runs.over]

    def connect(self, where: list, image: gr.State) -> None:
        """Connect the components to the data set and the checkpoint, and to the chosen image."""
        inputs = [*where, image, self.weights]
        runs = [event(self.measure, inputs, self.outputs, **RUN) for event in (self.runs.go.click, self.weights.input)]
        self.runs.connect(*runs)

    def show(self, dataset: str, source: Lane) -> dict:
        """Show nothing measured yet, or why nothing can be."""
        if not self.trajectories.steps_through(source):
            return {self.curve: missing(f"{source.title} does not predict noise.")}
        return self.reset()

    def reset(self) -> dict:
        """Show that nothing of this image was measured yet."""
        return {self.curve: missing("Press Measure: the network is asked for the noise at 25 t."), **self.runs.over}

    def measure(self, request: gr.Request, dataset: str, name: str, image: Any, weights: str) -> Iterator[dict]:
        """Measure the error at some t, and draw it."""
        run = self.runs.begin(request)
        yield self.runs.begun
        try:
            source = self.trajectories.find(dataset, name)
            if not self.trajectories.steps_through(source):
                raise InputError(f"{source.title} does not predict noise.")
            if image is None:
                raise InputError("There is no image yet: choose one above, or draw one.")
            work = self.trajectories.errors(source, image, run.stop)
            t, errors = yield from run.made(work, lambda words: {self.curve: missing(words)})
        except InputError as error:
            yield {self.curve: missing(str(error)), **self.runs.over}
            return
        drawn = simple_loss.card(source.family, self.trajectories.abar(source), t, errors, weights)
        yield {self.curve: drawn, **self.runs.over} if run.current else gr.skip()


class Bound:
    """The panel of the likelihood's bound along t."""

    def __init__(self, trajectories: Trajectories):
        self.service, self.trajectories = trajectories.service, trajectories
        with framed(PANELS["bound"]):
            self.words = gr.HTML("", js_on_load=None, elem_id="diffusion-bound-words", visible=False)
            with gr.Row(elem_classes=["charts", "df-charts"]):
                self.curve, self.split = chart("diffusion-bound-curve"), chart("diffusion-bound-split")

    @property
    def outputs(self) -> list[gr.components.Component]:
        """What changes with the data set or the checkpoint."""
        return [self.words, self.curve, self.split]

    def show(self, dataset: str, source: Lane) -> dict:
        """Show a checkpoint's bound, or say how to measure it."""
        rows = self.service.measurements(dataset).bounds
        row = noise_schedule.of_checkpoint(rows, source.checkpoint)
        if row is None:
            words = f"The bound of {source.checkpoint} has not been measured along t yet. Measure it:"
            note = missing(words, f"python -m gencore bound {source.checkpoint}")
            if not self.trajectories.bounded(source):
                note = missing(f"{source.title} has no bound that is a sum over t.")
            return {self.words: note, self.curve: "", self.split: ""}
        titles = {name: kind.title for name, kind in self.service.families.items()}
        others = [one for one in noise_schedule.comparable(row, rows) if one["family"] in titles]
        return {
            self.words: gr.update(value="", visible=False),
            self.curve: noise_schedule.along_t(row, source.title),
            self.split: noise_schedule.split(row, others, titles),
        }


class Steps:
    """The panel of samples by the number of steps, beside what was measured of them."""

    def __init__(self, trajectories: Trajectories):
        self.trajectories, self.service = trajectories, trajectories.service
        self.knob = {name: trajectories.step_knob(name) for name in trajectories.kinds}
        self.at = gr.State(0)  # the chosen number of steps
        with framed(PANELS["steps"]):
            with gr.Row(elem_classes=["shared", "df-shared"]):
                self.seed, self.again = seed_controls("steps", "seed")
                self.runs = Runs(*run_buttons("steps"))
            with gr.Row(elem_classes=["df-two"]):
                with gr.Column(elem_classes=["df-stage"]):
                    first = next(iter(trajectories.kinds), "")
                    self.settings = KnobPanel(trajectories.kinds, f"{SLUG}-steps", left_out=self.knob, shown=first)
                    self.sheet = scripted(
                        "diffusion-steps", diffusion_view.STEPS, "lab.steps(element, props, watch, trigger, ['choose'])"
                    )
                with gr.Column(elem_classes=["df-measured"]):
                    self.quality, self.time = chart("diffusion-steps-quality"), chart("diffusion-steps-time")

    @property
    def asked(self) -> list[gr.components.Component]:
        """What says which samples an address asks for, besides their number of steps."""
        return [self.seed, *self.settings.inputs]

    @property
    def outputs(self) -> list[gr.components.Component]:
        """What changes with the data set, the checkpoint or a run."""
        return [*self.choice_outputs, *self.settings.outputs]

    @property
    def choice_outputs(self) -> list[gr.components.Component]:
        """What changes with the number of steps or another setting."""
        return [*self.run_outputs, self.at, self.quality, self.time]

    @property
    def run_outputs(self) -> list[gr.components.Component]:
        """What changes with a run: as few as can be, as the browser looks at all of them at each moment shown."""
        return [self.sheet, *self.runs.over]

    def connect(self, where: list) -> None:
        """Connect the components."""
        inputs = [*where, self.seed, self.at, *self.settings.inputs]
        rolled = self.again.click(None, None, [self.seed], js=ANOTHER_SEED)
        runs = [
            self.sheet.choose(self.choose, inputs, self.choice_outputs, **RUN),
            self.runs.go.click(self.ask, inputs, self.choice_outputs, **RUN),
            self.seed.submit(self.turn, inputs, self.choice_outputs, **RUN),
            rolled.then(self.turn, inputs, self.choice_outputs, **RUN),
            *(after(self.turn, inputs, self.choice_outputs, **RUN) for after in self.settings.connect()),
        ]
        self.runs.connect(*runs)

    # ---- handlers

    def show(self, dataset: str, source: Lane, at: int = 0, seed: str = str(PREVIEW["seed"]), *values: Any) -> dict:
        """Show the family's controls, and the samples that are there; at first those shipped with the checkpoint.

        Args:
            dataset: The data set.
            source: The checkpoint.
            at: The number of steps; the knob's default where it is none of those to choose.
            seed: That of the samples.
            values: The other settings, those of the controls; none for the default ones.
        """
        knob = self.knob[source.family]
        if knob is None:
            words = f"{source.title} has no number of steps to choose."
            return {self.sheet: {"problem": words}, **self.settings.show(source.family)}
        stops = sorted({*(stop for stop in STOPS if knob.low <= stop <= knob.high), int(knob.default)})
        steps = at if at in stops else int(knob.default)
        try:
            order = self._order(dataset, source.checkpoint, seed, steps, values or None)
        except InputError as error:
            return {self.sheet: {"problem": str(error)}, **self.settings.show(source.family)}
        return {
            self.at: steps,
            self.sheet: {"stops": stops, "usual": int(knob.default), "image": "", **self._state(order, steps)},
            **self.settings.show(source.family),
            **self._charts(order, steps),
            **self.runs.over,
        }

    def choose(self, request: gr.Request, event: gr.EventData, dataset: str, name: str, seed: str, at: int,
               *values: Any) -> Iterator[dict]:  # fmt: skip
        """Take another number of steps."""
        steps = event._data.get("steps")
        yield from self._draw(request, dataset, name, seed, steps, values, asked=False)

    def turn(self, request: gr.Request, dataset: str, name: str, seed: str, at: int, *values: Any) -> Iterator[dict]:
        """Take other settings."""
        yield from self._draw(request, dataset, name, seed, at, values, asked=False)

    def ask(self, request: gr.Request, dataset: str, name: str, seed: str, at: int, *values: Any) -> Iterator[dict]:
        """Draw, however long it takes."""
        yield from self._draw(request, dataset, name, seed, at, values, asked=True)

    def _draw(
        self, request: gr.Request, dataset: str, name: str, seed: str, at: Any, values: Sequence[Any], asked: bool
    ) -> Iterator[dict]:
        """Show the samples that are there; draw them, as they form, if they were asked for or come at once."""
        self.runs.leave(request)  # what was being drawn is not what is shown any more
        try:
            order = self._order(dataset, name, seed, at, values)
            steps = int(order.parts[0].knobs[self.knob[order.parts[0].family].name])
            state = self._state(order, steps)
        except InputError as error:
            yield {self.sheet: {"problem": str(error)}, **self.runs.over}
            return
        shown = {self.at: steps, **self._charts(order, steps)}
        there = self.trajectories.sheet(order) is not None
        if there or not (asked or state["seconds"] <= AT_ONCE):
            yield {**shown, self.sheet: state, **self.runs.over}
            return
        run, begun = self.runs.begin(request), {**state, "words": state["estimate"], "share": 0}
        yield {**shown, self.sheet: begun, **self.runs.begun}

        def paint(frame: Frame) -> dict:
            if frame.state == "done":
                return {self.sheet: self._state(order, steps), **self.runs.over}
            if frame.state in ("stopped", "skipped", "failed"):
                return {self.sheet: {**diffusion_view.forming(frame), "at": steps, "share": 0}, **self.runs.over}
            return {self.sheet: {**diffusion_view.forming(frame), "at": steps}}

        frames = self.trajectories.draw(order, run.stop)
        yield from run.shown(frames, lambda line: {self.sheet: {**begun, "words": f"{line} {begun['words']}"}}, paint)

    # ---- parts of the handlers

    def _order(self, dataset: str, name: str, seed: str, steps: Any, values: Sequence[Any] | None) -> Order:
        """Return the checked order; without `values`, of the default settings."""
        source = self.trajectories.find(dataset, name)
        knob = self.knob[source.family]
        if knob is None:
            raise InputError(f"{source.title} has no number of steps to choose.")
        given = {} if values is None else self.settings.given(source.family, values)
        setting = {"checkpoint": name, "knobs": {**given, knob.name: steps}}
        return self.service.order(dataset, SHEET, seed, {source.family: setting})

    def _state(self, order: Order, steps: int) -> dict[str, Any]:
        """Return the value that shows an order: its samples if they are there, else what drawing them takes."""
        (part,), found = order.parts, self.trajectories.sheet(order)
        knob = self.knob[part.family]
        rest = {name: value for name, value in part.knobs.items() if name != knob.name}
        settings = f"{part.checkpoint} {rest} {order.seed}"
        value: dict[str, Any] = {"at": steps, "settings": settings, "problem": "", "share": 0, "seconds": 0.0}
        if found is not None:
            image = model_card.data_uri(found.images, 4)
            name = f"{part.checkpoint.replace('/', '-')}-{steps}-steps-seed-{order.seed}.png"
            return value | {"image": image, "name": name, "faint": False,
                            "alt": f"{order.n} samples, {format.plural(steps, 'step')}",
                            "words": diffusion_view.drawn_words(order, steps, found.seconds)}  # fmt: skip
        calls, rate = self.trajectories.calls(part), self.trajectories.rate(part.checkpoint, order.n)
        words = diffusion_view.estimate(calls, rate.seconds * calls, rate.words, order.n)
        seconds = rate.seconds * calls or AT_ONCE + 1
        ask = "" if seconds <= AT_ONCE else " Press Draw. The samples shown are from before."
        return value | {"seconds": seconds, "estimate": words, "words": words + ask, "faint": True}

    def _charts(self, order: Order, steps: int) -> dict:
        (part,) = order.parts
        knob = self.knob[part.family]
        measured = self.service.measurements(order.dataset)
        points = noise_schedule.walked(measured, part.checkpoint, knob.name, part.knobs)
        rest = [one for one in self.trajectories.kinds[part.family].knobs if one != knob]
        what, reach = diffusion_view.knob_words(rest, part.knobs) or "these settings", (knob.low, knob.high)
        return {
            self.quality: noise_schedule.quality(points, steps, measured, what, reach),
            self.time: noise_schedule.times(points, steps, what, reach),
        }


# ---- components


def seed_controls(name: str, label: str) -> tuple[gr.Textbox, gr.Button]:
    """Return the field of a seed, and the button for another one."""
    field = seed_field(f"diffusion-{name}", label, classes="df-seed")
    return field, gr.Button("⟳", elem_id=f"diffusion-{name}-again", variant="secondary", elem_classes=["df-again"])


def chosen(sources: Sequence[Lane], name: str | None) -> Lane:
    """Return the checkpoint of a name, else the first."""
    return next((one for one in sources if one.checkpoint == name), sources[0])


def asked(event: gr.EventData) -> str:
    """Return what an algorithm's script asked for: 'next', 'run', 'restart' or 'at' a place; '' for anything else."""
    what = event._data.get("what")
    return what if what in ("next", "run", "restart", "at") else ""


def place(name: str) -> Callable[[str], str]:
    """Return what reads from an address how far an algorithm is walked: '3-2', step (or t) 3 at its second moment."""

    def read(text: str) -> str:
        step, _, moment = text.partition("-")
        parse_whole(step, 1, MOST_STEPS, name)
        parse_whole(moment or "1", 1, MOST_MOMENTS, f"{name}'s moment")
        return text

    return read


def run_buttons(name: str) -> tuple[gr.Button, gr.Button]:
    """Return the buttons that draw and stop."""
    return (
        gr.Button("Draw", elem_id=f"diffusion-{name}-go", variant="primary", elem_classes=["df-go"]),
        gr.Button("Stop", elem_id=f"diffusion-{name}-stop", variant="secondary", interactive=False),
    )


def start(points: Sequence[Point], knob: Knob | None, place: int) -> Mapping[str, Any]:
    """Return the knobs that a side starts with: the family's default, or its last point with as many steps."""
    if not place or knob is None:
        return {}
    alike = [point.knobs for point in points if point.knobs.get(knob.name, knob.default) == knob.default]
    return alike[-1] if alike else {}


def missing(words: str, command: str = "") -> dict:
    """Return the update that says why there is nothing to show, and the command that would change that."""
    code = f" <code>{escape(command)}</code>" if command else ""
    return gr.update(value=f'<p class="df-absent">{escape(words)}{code}</p>', visible=True)
