"""Trilemma, the home page: quality, diversity and speed as measured, and which model to use.

Every answer is worked out here when the rows are read; in the browser a slider looks its answer up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr
from gradio.context import Context

from dashboard import format
from dashboard.figures import triangle
from dashboard.pages import slug_of
from dashboard.pages.trilemma import belief_chart, point_detail, trilemma_view
from dashboard.pages.trilemma.strips import Strips, is_shipped, lane_of
from dashboard.results.axes import diversities, qualities
from dashboard.results.operating_points import Measured, knobs_key, machine_key
from dashboard.results.question import ask, on_machine
from dashboard.service import METRICS, PREVIEW, Frame, InputError, Order, Point, Service, resolve_knobs
from dashboard.service.cache import Cache
from dashboard.service.given import SUFFIXES, Scoring, first_images, score_samples
from dashboard.service.parsing import number_of, parse_whole, whole_or
from dashboard.service.public import is_open
from dashboard.ui import address, dataset_choice, glossary, model_card
from dashboard.ui.address import Address
from dashboard.ui.events import CALM, QUICK, RUN, RUNS, as_text
from dashboard.ui.html import scripted
from dashboard.ui.run import Run, Runs, status

TITLE = "Trilemma"
SLUG = slug_of(__name__)
ASKED = {"quality": "quality", "diversity": "diversity", "features": "extractor", "machine": "machine"}  # of a query
MOST_STRIPS = 40  # points of one question
PATIENCE = 2000  # ms: a point whose samples take longer is asked for by a button
EMPTY = "Nothing has been measured on {0} yet. Measure it and reload: python -m gencore evaluate"
NO_CHECKPOINT = "There is no checkpoint yet. Train one and reload: python -m gencore train digits/vae"
SLIDER = (
    '<label class="dial"><span>{0}{3}</span><input type="range" data-dial="{1}" aria-label="{2}">'
    '<output data-out="{1}"></output></label>'
)
GO = '<a class="go" data-to="{0}" href="#{0}">{1}</a>'
PAGE = (
    '<div class="title home"><div><h1>Close to real, varied, fast: which model gives you what?</h1>'
    f'<p data-at="lead"></p></div><p class="start">{GO.format("compare", "Generate live")}'
    f"{GO.format('lecture', 'Start the lecture')}</p></div>"
    '<section class="which" data-at="which"><header><h2>Which is best for what?</h2><ul class="leads" data-at="leads">'
    '</ul><label class="choose" data-at="data-label">data <select data-ask="data"></select></label></header>'
    '<ul class="bests" data-at="legend"></ul><p class="measures" data-at="measures"></p></section>'
    '<div class="trilemma" data-at="page"><article class="card corners">'
    '<div data-at="triangle"></div><label class="others"><input type="checkbox" data-at="others"> <span></span></label>'
    '<p class="reading" data-at="how"></p>'
    '</article><article class="card question"><header><h2>What matters to you?</h2>'
    '<div class="switch" role="group" aria-label="How to choose">'
    '<button type="button" data-mode="weights">Weights</button>'
    '<button type="button" data-mode="budget">Time and diversity</button></div></header>'
    '<div class="dials" data-panel="weights">'
    + "".join(
        SLIDER.format(word, word.lower(), f"Weight of {word.lower()}", f" <i>{good}</i>")
        for word, good in zip(triangle.CORNERS, trilemma_view.GOOD, strict=True)
    )
    + '</div><div class="dials" data-panel="budget" hidden>'
    + SLIDER.format("At most", "ms", "Milliseconds per image, at most", "")
    + SLIDER.format("", "least", "Diversity, at least", "")
    + '</div><div class="verdict" data-at="answer" aria-live="polite"></div>'
    '<div class="meanings"><label class="choose">quality by <select data-ask="quality"></select></label> '
    '<label class="choose">diversity by <select data-ask="diversity"></select></label> '
    '<label class="choose" data-at="features-label">features <select data-ask="features"></select></label></div>'
    '<div class="basis"><span data-at="basis"></span> '
    '<label class="choose" data-at="n-label">compare at <select data-ask="n"></select></label> '
    '<label class="choose" data-at="machine-label">timed on <select data-ask="machine"></select></label></div>'
    '<details class="fooled"><summary>What fools each diversity</summary><dl data-at="fooled"></dl></details>'
    '</article><article class="card every chart"><header><h3>Every operating point</h3>'
    '<button type="button" class="closer" data-at="closer" aria-pressed="false" hidden></button></header>'
    '<p class="answer" data-at="summary"></p><div class="stage" data-at="front">'
    '<div data-at="whole"></div><div data-at="heap" hidden></div></div><div class="tip" data-at="tip" hidden></div>'
    '<p class="reading" data-at="reading"></p><ul class="left-out" data-at="notes"></ul></article>'
    '<article class="card chart untimed" data-at="untimed" hidden></article>'
    '<article class="card chart belief" data-at="belief" hidden></article></div>'
    '<p class="nothing" data-at="empty" hidden></p>'
)
SAMPLES = (
    '<div class="lane empty" data-at="lane" data-state="idle"><div class="picture"><img data-at="image" alt=""></div>'
    '<div class="track"><i data-at="bar"></i></div><p class="note" data-at="note" aria-live="polite"></p>'
    '<span class="clock"><b data-at="clock"></b> <i data-at="unit"></i></span>'
    '<dl data-at="figures">' + "<div hidden><dt></dt><dd></dd></div>" * 3 + "</dl></div>"
)

ABOUT_GIVEN = (
    "Samples of any model at all stand beside the families: <b>.npy</b> or <b>.npz</b> arrays of bytes (as ADM's "
    "evaluation batches are), or a <b>ZIP</b> of pictures, of the real images' size and channels. Several files are "
    "one generation each. A time is shown as stated, never as measured; without one their speed is unknown."
)
SCORED = 'class="status scored"'  # of what is said once a row was written; what is refused or stopped has none
# The home page asks again as it stands, or for the data set that the samples are of; where a row was written.
AGAIN = """(data, words) => {
  if (!words.includes('class="status scored"')) {
    return;
  }
  const select = (name) => document.querySelector(`#trilemma-home [data-ask="${name}"]`);
  const other = select('data').value !== data;
  select('data').value = data;
  select(other ? 'data' : 'quality').dispatchEvent(new Event('change'));
}"""


def dials(name: str, count: int) -> Callable[[str], str]:
    """Return what reads where some sliders stand: so many numbers, as '70-50-40'."""

    def read(text: str) -> str:
        numbers = [number_of(one) for one in text.split("-")]
        if len(numbers) != count or None in numbers:
            raise InputError(f"{name} must be {count} numbers, such as {'-'.join(['50'] * count)}, not {text!r}.")
        return text

    return read


def build(service: Service) -> None:
    """Lay out the page in the current Blocks and connect it to the service."""
    Trilemma(service).connect()


class Trilemma:
    """The page's components and what they do."""

    def __init__(self, service: Service):
        self.service = service
        self._answers = Cache(40)
        self._strips = Strips(service)
        self.home = scripted(
            "trilemma-home",
            PAGE,
            "lab.trilemma(element, props, watch, trigger, ['ask', 'pick', 'strips'])",
            as_text(trilemma_view.first(self.value())),  # the rest comes when the page is there, see `restore`
        )
        self.strips = scripted("trilemma-strips", "<i hidden></i>", "lab.strips(props, watch)", elem_classes=["unseen"])
        self.chosen = gr.State(None)
        with gr.Column(visible=False, elem_classes=["card", "chosen"], elem_id="trilemma-chosen") as self.panel:
            self.head = gr.HTML("", js_on_load=None, elem_id="trilemma-chosen-name")
            with gr.Row(elem_classes=["pair"]):
                with gr.Column(elem_classes=["samples"]):
                    self.samples = scripted("trilemma-samples", SAMPLES, "lab.lane(element, props, watch)")
                    self.make = gr.Button("Make samples", elem_id="trilemma-make", visible=False)
                    self.stop = gr.Button("Stop", elem_id="trilemma-stop", visible=False)
                    self.runs = Runs()
                self.row = gr.HTML("", js_on_load=None, elem_id="trilemma-row")
        self.given = GivenSamples(service) if is_open() else None  # strangers bring nothing
        gr.HTML(glossary.section("trilemma"), js_on_load=None, elem_id="panel-trilemma-terms")
        self._build_address()

    def _build_address(self) -> None:
        """Declare what the page's script keeps in its address."""
        self.address = Address(SLUG, self.service.datasets, itself=True)

        def measured(name: str) -> Any:
            return lambda data: getattr(self.service.measurements(data), name)

        self.address.scripts("data", among=lambda data: self.service.datasets())
        self.address.scripts("quality", among=qualities)
        self.address.scripts("diversity", among=diversities)
        self.address.scripts("features", among=measured("compared"))
        self.address.scripts("at", lambda text: parse_whole(text, 0, 10**9, "at"))
        self.address.scripts("machine", among=measured("machines"))
        self.address.scripts("weights", dials("weights", 3))
        self.address.scripts("budget", dials("budget", 2))
        for name in ("point", "all", "closer"):
            self.address.scripts(name)

    def connect(self) -> None:
        """Connect the components."""
        demo = Context.root_block
        panel = [self.chosen, self.panel, self.head, self.samples, self.make, self.stop, self.row]
        lane = [self.samples, self.make, self.stop]
        follow = [self.given.dataset] if self.given else []
        restored = demo.load(self.restore, [self.row], [self.home, *follow], js=address.HASH, **QUICK)
        restored.then(None, js="() => { document.body.dataset.answered = location.search; }")
        asked = [self.home, self.chosen, self.panel, self.head, self.row, *follow]
        self.home.ask(self.ask, [self.chosen], asked, trigger_mode="multiple", **QUICK)
        self.home.strips(self.make_strips, None, [self.strips], **RUN)
        picked = self.home.pick(self.pick, None, panel, trigger_mode="multiple", **QUICK)
        picked.success(self.at_once, [self.chosen], lane, **RUN)
        for after in (picked.success, picked.failure):
            after(None, js="() => { lab.picked(); }")
        self.make.click(self.run, [self.chosen], lane, **RUN)
        self.stop.click(self.runs.cancel, None, None, **QUICK)
        self.runs.connect()
        if self.given:
            self.given.connect()

    # ---- what the page shows

    def value(self, dataset: str = "", **asked: Any) -> dict[str, Any]:
        """Return the page's value: charts, ready answers, and the table in which a slider finds its answer.

        `asked` are arguments of `question.ask`.
        """
        known = self.service.datasets()
        dataset = dataset if dataset in known else next(iter(known), "")
        here = machine_key({"machine": self.service.machine})

        def answer() -> dict[str, Any]:
            measured = self.service.measurements(dataset)
            view = trilemma_view.view(ask(measured, **asked, here=here), self._declared(dataset), here)
            return view | {"belief": belief_chart.card(measured, METRICS)}

        key = self.service.measurements_key(dataset), *sorted(asked.items())
        found = self._answers.find(key, answer)
        empty = (
            NO_CHECKPOINT if not known else "" if self.service.measurements(dataset).points else EMPTY.format(dataset)
        )
        shown = self._appearing(dataset, found)
        return {
            **found,
            "datasets": [[name, format.dataset_title(name)] for name in known],
            "empty": empty,
            "strips": self._strips.shipped(dataset, shown),
            "appearing": [point.key for point in shown],
        }

    def _appearing(self, dataset: str, value: dict[str, Any]) -> list[Measured]:
        """Return the points that some answer shows as a family's best, which are those whose images are wanted."""
        places = dict.fromkeys(
            place for one in value.get("answers", ()) for place in one["families"] if place is not None
        )
        keys = [value["points"][place]["key"] for place in places]
        return [point for key in keys if (point := self.service.measurements(dataset).find(key))]

    def make_strips(self, event: gr.EventData) -> Iterator[dict]:
        """Make the images of points that the browser has none of, where that is quick, and send them as they come."""
        dataset, keys = str(event._data.get("data") or ""), event._data.get("keys")
        wanted = [str(key) for key in keys[:MOST_STRIPS]] if isinstance(keys, list) else []
        points = [point for key in wanted if (point := self.service.measurements(dataset).find(key))]
        yield {self.strips: gr.skip()}
        for found in self._strips.make(dataset, points):
            yield {self.strips: as_text({"data": dataset, "strips": found})}

    def _declared(self, dataset: str) -> list[tuple[str, str, str, Point]]:
        """Return the operating points that the families declare, each with its first checkpoint, title and knobs."""
        kinds = self.service.families
        return [
            (lane.checkpoint, lane.title, knobs_key(resolve_knobs(kinds[lane.family].knobs, point.knobs)), point)
            for lane in self.service.lanes(dataset)
            if not lane.problem
            for point in kinds[lane.family].points
        ]

    def restore(self, request: gr.Request, at: str = "") -> dict:
        """Show the page as its address says, and that it does: only then a point in the address can be chosen."""
        return self._shown(self._value_of(address.asked(request, at, SLUG)) | {"restored": True})

    def _shown(self, value: dict[str, Any]) -> dict:
        """Return the updates that show the page's value; samples that are brought are compared with its data set."""
        follow = {self.given.dataset: value["dataset"]} if self.given and value["datasets"] else {}
        return {self.home: as_text(value), **follow}

    def ask(self, request: gr.Request, event: gr.EventData, chosen: dict | None) -> dict:
        """Show the page for another data set, meaning of quality or diversity, features, n or machine.

        A chosen point's row follows; where it is not among the rows of the data set, its panel closes and its run ends.
        """
        value = self._value_of(event._data)
        if chosen is None:
            return self._shown(value)
        point = self.service.measurements(value["dataset"]).find(chosen["key"])
        if chosen["dataset"] == value["dataset"] and point is not None:
            return {**self._shown(value), **self._told(value["dataset"], point, value["machine"])}
        self.runs.leave(request)
        return {**self._shown(value), self.panel: gr.update(visible=False), self.chosen: None}

    def _value_of(self, query: dict[str, Any]) -> dict[str, Any]:
        asked = {word: str(query.get(name) or "") for name, word in ASKED.items()}
        return self.value(str(query.get("data") or ""), n=max(0, whole_or(query.get("at"), 0)), **asked)

    # ---- a point that was chosen

    def pick(self, request: gr.Request, event: gr.EventData) -> dict:
        """Show a point's row, and what is to be had of its samples; a run for the one before ends."""
        query = event._data
        dataset, key = str(query.get("data") or ""), str(query.get("key") or "")
        measured = self.service.measurements(dataset)
        point = measured.find(key)
        if point is None:
            raise gr.Error("That point is not among the rows any more.", print_exception=False)
        run = self.runs.begin(request)
        machine = str(query.get("machine") or "")
        value, words = self._at_rest(dataset, on_machine(measured, point, machine))
        return {
            self.chosen: {"dataset": dataset, "key": key, "run": run, "auto": words is None},
            self.panel: gr.update(visible=True),
            self.samples: value,
            self.make: gr.update(value=words or "", visible=bool(words)),
            self.stop: gr.update(visible=words is None),
            **self._told(dataset, point, machine),
        }

    def _told(self, dataset: str, point: Measured, machine: str) -> dict:
        """Return the updates of a chosen point's name and row, with its times on one machine."""
        measured = self.service.measurements(dataset)
        timed = on_machine(measured, point, machine)
        return {
            self.head: point_detail.head(timed, trilemma_view.compare_link(dataset, [timed])),
            self.row: point_detail.row(timed, measured.baseline(timed.n), METRICS),
        }

    def _at_rest(self, dataset: str, point: Measured) -> tuple[dict[str, Any], str | None]:
        """Return what the samples' lane shows before a run, and the button's words: None to run at once, '' for none.

        The images shipped with a checkpoint are of its default setting and the usual seed: they need no run.
        """
        blank = {"state": "idle", "image": "", "share": 0, "ms": None, "figures": [], "note": ""}
        lane = lane_of(self.service, dataset, point)
        if lane is None or lane.problem:
            if image := first_images(self.service, dataset, point) if point.given else "":
                note = "The first of them, as they were given."
                shown = {"state": "preview", "image": image, "alt": f"{point.checkpoint}: {note}", "note": note}
                return {**blank, **shown}, ""
            absent = "Made elsewhere: its images are not here." if point.given else "Its checkpoint is not here."
            return {**blank, "note": lane.problem if lane else absent}, ""
        if is_shipped(self.service, lane, point):
            note = f"{len(lane.preview)} images, seed {PREVIEW['seed']}, made when the checkpoint was shipped."
            return {**blank, "state": "preview", "image": model_card.data_uri(lane.preview), "note": note}, ""
        wait = PREVIEW["n"] * point.ms_per_image if point.ms_per_image else None
        if wait is not None and wait <= PATIENCE:
            return {**blank, **model_card.painted(Frame("", "waiting"), PREVIEW["n"], PREVIEW["seed"])}, None
        about = f", about {format.duration(wait)}" if wait else ""
        return {**blank, "note": "Its samples are made when you ask for them."}, f"Make {PREVIEW['n']} samples{about}"

    def at_once(self, request: gr.Request, chosen: dict | None) -> Iterator[dict]:
        """Run a point that is quick enough without being asked."""
        if chosen and chosen["auto"] and chosen["run"].current:
            yield from self._run(chosen, chosen["run"])
        else:
            yield {self.samples: gr.skip()}

    def run(self, request: gr.Request, chosen: dict | None) -> Iterator[dict]:
        """Run a point that was asked for by the button."""
        waiting = model_card.painted(Frame("", "waiting"), PREVIEW["n"], PREVIEW["seed"])
        run = self.runs.begin(request)
        yield {self.samples: waiting, self.make: gr.update(visible=False), self.stop: gr.update(visible=True)}
        yield from self._run(chosen, run)

    def _run(self, chosen: dict | None, run: Run) -> Iterator[dict]:
        """Make a point's samples and show them as they form, until another point is chosen."""
        try:
            order = self._order(chosen)
        except InputError as error:
            yield {
                self.samples: {"state": "failed", "ms": None, "note": str(error)},
                self.stop: gr.update(visible=False),
            }
            return
        waiting = model_card.painted(Frame("", "waiting"), order.n, order.seed)
        if (yield from run.shown(
            self.service.run(order, run.stop, fresh=False),
            lambda words: {self.samples: {**waiting, "note": words}},
            lambda frame: {self.samples: self._painted(frame, order)},
        )):  # fmt: skip
            yield {self.samples: gr.skip(), self.stop: gr.update(visible=False)}

    def _order(self, chosen: dict | None) -> Order:
        """Return the checked order of a chosen point's samples."""
        point = self.service.measurements(chosen["dataset"]).find(chosen["key"]) if chosen else None
        if point is None:
            raise InputError("That point is not among the rows any more.")
        setting = {"checkpoint": point.checkpoint, "knobs": dict(point.knobs)}
        return self.service.order(chosen["dataset"], PREVIEW["n"], PREVIEW["seed"], {point.family: setting})

    def _painted(self, frame: Frame, order: Order) -> dict[str, Any]:
        """Return the lane's value for a frame; a run that failed falls back to the checkpoint's shipped images."""
        value = model_card.painted(frame, order.n, order.seed)
        if frame.state == "skipped":
            value["note"] = "Stopped before their turn."
        if frame.state == "failed":
            part = order.parts[0]
            preview = self.service.lane(order.dataset, part.family, part.checkpoint).preview
            if preview is not None:
                value |= {"image": model_card.data_uri(preview)}
                value["note"] += " Shown instead: the images shipped with the checkpoint, of its default setting."
        return value


# ---- samples made elsewhere


def stated_field(label: str, elem_id: str) -> gr.Textbox:
    """Return a field beside others, which Gradio would put one below the other in a column of one."""
    with gr.Column(min_width=160):
        return gr.Textbox(label=label, max_length=80, elem_id=elem_id)


class GivenSamples:
    """The fold's components and what they do."""

    def __init__(self, service: Service):
        self.service = service
        with gr.Accordion("Add samples made elsewhere", open=False, elem_id="trilemma-given", elem_classes=["card"]):
            gr.HTML(f'<p class="reading">{ABOUT_GIVEN}</p>', js_on_load=None)
            with gr.Row():
                self.files = gr.File(label="files", file_count="multiple", file_types=list(SUFFIXES), type="filepath",
                                     height=140, elem_id="trilemma-given-files")  # fmt: skip
                with gr.Column():
                    self.dataset = dataset_choice.dropdown("trilemma-given", service.datasets(), visible=True)
                    self.name = gr.Textbox(label="name", max_length=60, elem_id="trilemma-given-name")
            with gr.Row():
                told = ("ms per image, if known", "network calls per image", "machine of that time")
                ids = (f"trilemma-given-{word}" for word in ("ms", "calls", "machine"))
                # Not gr.Number, which shows nothing as 0.
                self.stated = [stated_field(label, one) for label, one in zip(told, ids, strict=True)]
            with gr.Row(elem_classes=["buttons"]):
                self.go = gr.Button("Score them", variant="primary", size="sm", elem_id="trilemma-given-go")
                self.stop = gr.Button("Stop", size="sm", interactive=False, elem_id="trilemma-given-stop")
            self.status = gr.HTML(status(""), js_on_load=None, elem_id="trilemma-given-status")
        self.runs = Runs(self.go, self.stop)

    def connect(self) -> None:
        """Connect the components."""
        given = [self.dataset, self.files, self.name, *self.stated]
        run = self.go.click(self.run, given, [self.status, self.go, self.stop], **CALM, **RUNS)
        run.success(None, [self.dataset, self.status], None, js=AGAIN, **QUICK)
        self.runs.connect(run)

    def run(
        self, request: gr.Request, dataset: str, files: list[str] | None, name: str, *stated: str
    ) -> Iterator[dict]:
        """Score the samples, telling how far it is."""
        run = self.runs.begin(request)
        yield {self.status: status("Waiting for the device."), **self.runs.begun}
        frames = score_samples(self.service, dataset, files or [], name or "", stated, run.stop)
        told: list[Scoring] = []

        def paint(frame: Scoring) -> dict:
            told.append(frame)
            return {self.status: status(frame.words if frame.done else f"{frame.words} {frame.share:.0%}")}

        try:
            current = yield from run.shown(frames, lambda words: {self.status: status(words)}, paint)
        except InputError as error:
            yield {self.status: status(str(error), problem=True), **self.runs.over}
            return
        if current:
            done = bool(told) and told[-1].done
            ended = status(told[-1].words if done else "Stopped; no row was written.")
            yield {self.status: ended.replace('class="status"', SCORED, 1) if done else ended, **self.runs.over}
