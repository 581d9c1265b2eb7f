"""Diversity: which part of the real images' variety each family reaches, measured and on samples made here."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr
from gradio.context import Context

from dashboard import format, theme
from dashboard.figures import distances, embedding
from dashboard.figures.distances import Reference, Spread
from dashboard.pages import slug_of
from dashboard.pages.diversity import diversity_figures, sample_sheet
from dashboard.results import projection
from dashboard.results.operating_points import EXTRACTOR, Measured, knobs_key
from dashboard.service import InputError, Lane, Order, Service, downloads, resolve_knobs
from dashboard.service.images import class_names
from dashboard.service.parsing import parse_whole
from dashboard.service.samples import BATCH, LEAST, MOST, Progress, Sampled, Samples
from dashboard.service.scoring import RATIOS, SHARES, Judge, Judges, Verdict
from dashboard.ui import address, dataset_choice, knobs, model_card, share_bundle
from dashboard.ui.address import Address
from dashboard.ui.events import CALM, QUICK, RUN, as_text
from dashboard.ui.html import scripted, title
from dashboard.ui.panels import chart
from dashboard.ui.run import Runs, status
from dashboard.ui.seed_field import seed_field

TITLE = "Diversity"
SLUG = slug_of(__name__)
USUAL = {"n": 500, "seed": 42}
MISSED_SHOWN = 48
PIXELS, CLASSES = "pixels", "classes"  # what the map's directions are of; pixels need no extractor
NO_CLASSES = "Classes are counted by a classifier, which needs a data set with labels; there is none here."
NO_MAP = "The real images of {0} have not been described yet: python -m gencore features {0}"
MAP = """
<div class="chart"><h3>Where they land among real images</h3>
<p class="answer">Every mark is an image, placed along two directions that were found on real images alone.</p>
<div class="choice" role="group" aria-label="Samples shown">{buttons}</div>
<div class="plot" data-testid="map"></div><div class="lens" hidden></div>
<p class="reading">Grey: real images; each step of shade holds 15% of them, the outermost line 95%. A family that
leaves shaded ground empty misses some of their variety; marks outside the line look like few real images. In brackets:
the share of the real images' (or classes') spread along that direction. Point at a mark to see its image, click it to
see its nearest training image. Drag to zoom, double-click to return.</p></div>
"""
SHEET = (
    '<div class="sheet" data-testid="samples"><p class="part" data-at="title"></p><div data-at="images"></div></div>'
)


@dataclass
class Setting:
    """The components that choose one family's operating point."""

    box: gr.Row
    checkpoint: gr.Dropdown
    point: gr.Dropdown

    @property
    def inputs(self) -> list[gr.Dropdown]:
        """What a run reads of them."""
        return [self.checkpoint, self.point]


def build(service: Service) -> None:
    """Lay out the page in the current Blocks and connect it to the service."""
    Diversity(service).connect()


class Diversity:
    """The page's components and what they do."""

    def __init__(self, service: Service):
        self.service, self.samples, self.judges = service, service.shared(Samples), service.shared(Judges)
        datasets = service.datasets()
        self.first = datasets[0] if datasets else ""
        start = service.lanes(self.first)
        title(
            "All kinds, or a few again and again?",
            "Real images come in many kinds. How many of them a model makes, a grid of good pictures does not "
            "show; here it is measured.",
            below="What was measured",
        )
        self._build_settings(datasets, start)
        with gr.Row(elem_classes=["charts"]):
            with gr.Column(elem_classes=["card"]):
                self.reach = chart("diversity-reach")
            with gr.Column(elem_classes=["card"]):
                self.variety = chart("diversity-variety")
        with gr.Row(elem_classes=["card", "landscape"]):
            with gr.Column(elem_classes=["map"]):
                self.plane = gr.Radio([PIXELS, CLASSES], value=PIXELS, label="directions of", interactive=True,
                                      elem_id="diversity-plane", elem_classes=["knob"])  # fmt: skip
                self.map = scripted(
                    "diversity-map",
                    MAP.format(buttons=buttons(start)),
                    "lab.map(element, props, watch, (which) => trigger('pick', which))",
                    as_text({"missing": ""}),
                    source=f"/gradio_api/file={embedding.script()}",
                )
            with gr.Column(elem_classes=["aside"]):
                self.sheet = scripted(
                    "diversity-sheet", SHEET, "lab.sheet(element, props, watch, (which) => trigger('pick', which))"
                )
                self.bundle = share_bundle.share_bundle(SLUG)
                self.nearest = gr.HTML(sample_sheet.ASIDE, js_on_load=None, elem_id="diversity-nearest")
        with gr.Row(elem_classes=["charts"]):
            with gr.Column(elem_classes=["card"]):
                self.classes = chart("diversity-classes")
            with gr.Column(elem_classes=["card"]):
                self.pairs = chart("diversity-pairs")
        with gr.Column(elem_classes=["card"]):
            self.missed = chart("diversity-missed")
        self.made = gr.State({})
        self._build_address()

    # ---- layout

    def _build_address(self) -> None:
        self.address = Address(SLUG, self.service.datasets, itself=True)
        self.address.keep("data", self.dataset)
        self.address.keep("n", self.n, read=lambda text: parse_whole(text, LEAST, MOST, "n"))
        self.address.keep("seed", self.seed)
        self.address.keep("features", self.judge, among=self._extractors, first=self._usual)
        self.address.keep("plane", self.plane)
        self.address.scripts("show", among=lambda data: list(self.settings))
        for family, mine in self.settings.items():
            names = functools.partial(self._checkpoints, family)
            self.address.keep(f"{family}.checkpoint", mine.checkpoint, among=names)
            if mine.point.choices:
                self.address.keep(f"{family}.setting", mine.point)

    def _checkpoints(self, family: str, dataset: str) -> list[str]:
        return list(self.service.lane(dataset, family).checkpoints)

    def _extractors(self, dataset: str) -> list[str]:
        return list(self.judges.all(dataset)[0]) if dataset else []

    def _usual(self, dataset: str) -> str:
        return self.service.measurements(dataset).usual_extractor

    def _build_settings(self, datasets: list[str], start: Sequence[Lane]) -> None:
        with gr.Row(elem_classes=["shared", "ask"]):
            self.dataset = dataset_choice.dropdown(SLUG, datasets)
            self.n = gr.Number(USUAL["n"], label=f"samples ({LEAST}–{MOST:,})", elem_id="diversity-n", interactive=True)
            self.seed = seed_field(SLUG, value=USUAL["seed"])
            self.generate = gr.Button("Generate", elem_id="diversity-generate", variant="primary")
            self.stop = gr.Button("Stop", elem_id="diversity-stop", variant="secondary", interactive=False)
            self.runs = Runs(self.generate, self.stop)
            self.judge = gr.Radio([EXTRACTOR], value=EXTRACTOR, label="features", elem_id="diversity-judge",
                                  interactive=True, elem_classes=["knob"])  # fmt: skip
        with gr.Row(elem_classes=["shared", "points"]):
            self.settings = {lane.family: self._build_setting(lane) for lane in start}
        self.status = gr.HTML(status(""), js_on_load=None, elem_id="diversity-status")
        self.progress = gr.HTML("", js_on_load=None, elem_id="diversity-progress")

    def _build_setting(self, lane: Lane) -> Setting:
        points = [knobs.name_of(point) for point in self.service.families[lane.family].points]
        with gr.Row(visible=not lane.problem, elem_classes=["point", f"f-{lane.family}"]) as box:
            point = gr.Dropdown(points, value=points[0] if points else None, label=f"{lane.title} setting",
                                interactive=True, visible=bool(points), filterable=False,
                                elem_id=f"diversity-{lane.family}-point")  # fmt: skip
            checkpoint = gr.Dropdown(**checkpoints(lane), label=f"{lane.title} checkpoint", interactive=True,
                                     filterable=False, elem_id=f"diversity-{lane.family}-checkpoint")  # fmt: skip
        return Setting(box, checkpoint, point)

    # ---- events

    def connect(self) -> None:
        """Connect the components."""
        slow: dict[str, Any] = {**CALM, "concurrency_limit": 2}
        chosen = [item for setting in self.settings.values() for item in setting.inputs]
        scored = [self.reach, self.variety, self.classes, self.status]
        shown = [*scored, self.pairs, self.missed, self.nearest]
        everything = [*shown, self.map, self.sheet, self.progress, self.made, self.judge, self.plane, self.dataset,
                      self.generate, self.stop]  # fmt: skip
        everything += [item for setting in self.settings.values() for item in (setting.box, *setting.inputs)]
        look = [self.dataset, self.judge, self.made, *chosen]
        demo = Context.root_block

        everything += [self.n, self.seed]
        demo.load(self.restore, [self.progress], everything, js=address.HASH, **QUICK)
        self.dataset.input(self.switch, [self.dataset], everything, **QUICK)
        last = {**slow, "trigger_mode": "always_last"}
        self.judge.input(self.rejudge, look, shown, **last)
        self.plane.input(self.draw_map, [self.dataset, self.plane, self.made], [self.map], **last)
        for setting in self.settings.values():
            for item in setting.inputs:
                item.input(self.rescore, look, scored, **last)
        run = self.generate.click(self.run, [self.n, self.seed, self.plane, *look], everything, **RUN)
        self.runs.connect(run)
        # A first click need not wait for the training images.
        run.then(self.fetch, [self.dataset], None, **slow)
        self.bundle.ask(self.give, [self.dataset, self.made], [self.bundle], **slow)
        for part in (self.map, self.sheet):
            part.pick(self.pick, [self.dataset, self.judge, self.made], [self.nearest], **slow)

    # ---- handlers

    def restore(self, request: gr.Request, at: str = "") -> dict:
        """Show what the address names, else the first data set, before anything is made here.

        Args:
            request: Of the page.
            at: The address's part behind the hash.
        """
        dataset, choices = dataset_choice.opened_on(request, self.service.datasets())
        values, _, _ = self.address.read(address.asked(request, at, SLUG))
        return {
            **self._fresh(dataset, values),
            self.dataset: choices,
            self.n: values.get("n", USUAL["n"]),
            self.seed: values.get("seed", str(USUAL["seed"])),
            **self.runs.over,
            self.generate: gr.update(interactive=bool(dataset)),
        }

    def switch(self, request: gr.Request, dataset: str) -> dict:
        """Show another data set; a run on the one before ends, and paints nothing more."""
        self.runs.leave(request)
        return {**self._fresh(dataset), **self.runs.over}

    def _fresh(self, dataset: str, values: Mapping[str, Any] | None = None) -> dict:
        """Return the updates that show a data set before anything is made of it, as an address's values say."""
        updates, values = {}, values or {}
        known, chosen = self.service.lanes(dataset), {}
        for lane in known:
            mine = self.settings[lane.family]
            checkpoint = values.get(f"{lane.family}.checkpoint", lane.checkpoint)
            updates[mine.box] = gr.update(visible=not lane.problem)
            updates[mine.checkpoint] = gr.update(**{**checkpoints(lane), "value": checkpoint or None})
            chosen[lane.family] = (checkpoint, values.get(f"{lane.family}.setting", mine.point.value) or "")
            if f"{lane.family}.setting" in values:
                updates[mine.point] = chosen[lane.family][1]
        judges, problems = self.judges.all(dataset) if dataset else ({}, {})
        made = sample_sheet.previews(known)
        usual = self.service.measurements(dataset).usual_extractor
        name = usual if usual in judges else next(iter(judges), usual)
        name, plane = values.get("features", name), values.get("plane", PIXELS)
        lacking = [] if any(not lane.problem for lane in known) else ["There is no checkpoint yet."]
        return {
            **updates,
            **self._show(dataset, name, made, chosen if values else {}),
            self.map: self.draw_map(dataset, plane, made),
            self.sheet: sample_sheet.sheet(made),
            self.made: made,
            self.judge: gr.update(choices=list(judges) or [usual], value=name, visible=len(judges) > 1),
            self.plane: gr.update(value=plane, visible=any(judge.plane is not None for judge in judges.values())),
            self.progress: "",
            self.status: status(" ".join([*problems.values(), *lacking])),
        }

    def rescore(self, dataset: str, judge: str, made: dict[str, Sampled], *values: Any) -> dict:
        """Show the rows of other settings."""
        return self._scores(dataset, judge, made, self._chosen(values))

    def rejudge(self, dataset: str, judge: str, made: dict[str, Sampled], *values: Any) -> dict:
        """Show what another extractor says."""
        return self._show(dataset, judge, made, self._chosen(values))

    def draw_map(self, dataset: str, name: str, made: Mapping[str, Sampled]) -> str:
        """Return the map as a plotly figure, or why there is none, as one text."""
        try:
            plane, rows = self._plane(dataset, name, made)
        except InputError as error:
            return as_text({"missing": str(error)})
        clouds = {}
        for family, sampled in made.items():
            points = plane.project(rows[family])
            if points is not None:
                clouds[family] = (sampled.title, points)
        return embedding.scatter(clouds, plane, projection.shade(plane.points)).to_json()

    def run(
        self, request: gr.Request, n: Any, seed: Any, plane: str, dataset: str, judge: str, made: dict, *values: Any
    ) -> Iterator[dict]:
        """Make the samples, show how far they are, and judge each family's as soon as they are there.

        Nothing more is shown once another data set or a later run was asked for.
        """
        try:
            order = self._order(dataset, n, seed, values)
        except InputError as error:
            yield {self.status: status(str(error), problem=True)}
            return
        run = self.runs.begin(request)
        at = {part.family: Progress(part.family, "waiting", n=order.n) for part in order.parts}
        fresh: dict[str, Sampled] = {}
        yield {self.status: status(""), self.progress: self._bars(at), **self.runs.begun}

        def paint(progress: Progress) -> dict:
            at[progress.family] = progress
            updates: dict = {self.progress: self._bars(at), self.status: status("")}
            if progress.sampled is not None:
                fresh[progress.family] = progress.sampled
                updates[self.map] = self.draw_map(dataset, plane, {**made, **fresh})
            return updates

        frames = self.samples.make(order, run.stop)
        if not (yield from run.shown(frames, lambda words: {self.status: status(words)}, paint)):
            return
        made = {family: found for family in self.settings if (found := fresh.get(family) or made.get(family))}
        if fresh:
            yield {self.sheet: sample_sheet.sheet(made), self.status: status("Comparing the samples with real images.")}
        updates = {**self._show(dataset, judge, made, self._chosen(values)), self.made: made, **self.runs.over}
        if run.current:
            yield updates

    def fetch(self, dataset: str) -> None:
        """Have the training images ready."""
        self.service.split(dataset, "train")

    def pick(self, event: gr.EventData, dataset: str, judge: str, made: dict[str, Sampled]) -> str:
        """Show the training image nearest to a sample."""
        sampled = made.get(str(event.family))
        place = event.index
        if sampled is None or not isinstance(place, int) or not 0 <= place < len(sampled.images):
            return sample_sheet.ASIDE
        image = sampled.images[place]
        head = f"{theme.badge(sampled.family)}<span>{escape(sampled.title)}, image {place + 1}</span>"
        pictures = sample_sheet.figure(image, "sample")
        try:
            found = self.judges.find(dataset, judge).nearest(image)
        except InputError as error:
            return sample_sheet.aside(head, pictures, "", f"Its nearest training image cannot be told: {error}")
        answer = f"Distance {found.distance:.2f}. {diversity_figures.copying(found.gaps, found.distance)}"
        train = self.service.split(dataset, "train")
        if train is not None and found.place < len(train):
            pictures += sample_sheet.figure(train[found.place], "nearest training image")
        else:
            answer += " The training image can be shown only where the data set is at hand."
        drawing = diversity_figures.nearness(found.gaps, found.distance, sampled.family, f"features ({judge})")
        return sample_sheet.aside(head, pictures, drawing, answer)

    def give(self, dataset: str, made: Mapping[str, Sampled]) -> dict:
        """Send the samples made here as a bundle: as many lanes as have one seed and one number of samples."""
        ours = {one.family: one for one in made.values() if one.part is not None and not one.shipped}
        runs = Counter((one.seed, len(one.images)) for one in ours.values())
        if not runs:
            return {self.bundle: share_bundle.sorry("There are no samples yet: press Generate.")}
        seed, n = runs.most_common(1)[0][0]
        mine = {key: one for key, one in ours.items() if (one.seed, len(one.images)) == (seed, n)}
        parts, images = ({key: one.part for key, one in mine.items()}, {key: one.images for key, one in mine.items()})
        content = downloads.shared(parts, images, seed, self.service.machine, BATCH)
        others = [one.title for key, one in ours.items() if key not in mine]
        words = f"Without the samples of {format.listing(others)}, which are of another run." if others else ""
        return {self.bundle: share_bundle.ready(content, f"{dataset}-seed-{seed}-n-{n}", words)}

    # ---- parts of the handlers

    def _chosen(self, values: Sequence[Any]) -> dict[str, tuple[str, str]]:
        """Return each family's checkpoint and operating point, as the controls say."""
        pairs = zip(values[::2], values[1::2], strict=True)
        return {family: (checkpoint or "", point or "") for family, (checkpoint, point) in zip(self.settings, pairs,
                                                                                             strict=True)}  # fmt: skip

    def _knobs(self, family: str, point: str) -> dict[str, Any]:
        """Return every knob's value at an operating point, the first one by default."""
        kind = self.service.families[family]
        found = knobs.point_named(kind.points, point) or next(iter(kind.points), None)
        return resolve_knobs(kind.knobs, found.knobs if found else {})

    def _order(self, dataset: str, n: Any, seed: Any, values: Sequence[Any]) -> Order:
        """Return the checked order that the controls' values make; families that cannot run are left out."""
        usable = {lane.family for lane in self.service.lanes(dataset) if not lane.problem}
        wanted = {
            family: {"checkpoint": checkpoint, "knobs": self._knobs(family, point)}
            for family, (checkpoint, point) in self._chosen(values).items()
            if family in usable
        }
        return self.samples.order(dataset, n, seed, wanted)

    def _bars(self, at: Mapping[str, Progress]) -> str:
        """Return how far each family is, as markup."""
        return sample_sheet.bars([(self.service.families[family].title, one) for family, one in at.items()])

    def _show(
        self, dataset: str, judge: str, made: Mapping[str, Sampled], chosen: Mapping[str, tuple[str, str]]
    ) -> dict:
        """Return the updates of every chart but the map."""
        found, verdicts, problem = self._judged(dataset, judge, made)
        return {
            **self._scores(dataset, judge, made, chosen),
            self.pairs: self._pairs(dataset, found, made, verdicts),
            self.missed: self._missed(dataset, found, made, verdicts, problem),
            self.nearest: sample_sheet.ASIDE,
        }

    def _judged(
        self, dataset: str, name: str, made: Mapping[str, Sampled]
    ) -> tuple[Judge | None, dict[str, Verdict], str]:
        """Return an extractor, what it makes of the samples made here, and one sentence on what is wrong."""
        try:
            judge = self.judges.of_these(dataset, [one.part.checkpoint for one in made.values() if one.part], name)
            return judge, {family: judge.verdict(one) for family, one in made.items() if not one.shipped}, ""
        except InputError as error:
            return None, {}, str(error)

    def _scores(
        self, dataset: str, name: str, made: Mapping[str, Sampled], chosen: Mapping[str, tuple[str, str]]
    ) -> dict:
        """Return the updates of the charts that show measured rows, and the samples' scores below them."""
        judge, verdicts, problem = self._judged(dataset, name, made)
        ours = {key: one for key, one in made.items() if not one.shipped}
        given = [point for point in self.service.measurements(dataset).points if point.given]
        rows, elsewhere = diversity_figures.beside(self._measured(dataset, chosen, given), given)
        panel = functools.partial(diversity_figures.measured_panel, rows, self.service.measurements(dataset), name)
        samples = {
            family: (made[family].title, one.n, one.scores, judge.baseline(one.n)) for family, one in verdicts.items()
        }
        what, space, cards = sample_sheet.described(ours), self.service.measurements(dataset).features(name), {}
        for card, pair in ((diversity_figures.reach, SHARES), (diversity_figures.variety, RATIOS)):
            below = [diversity_figures.made_panel(metric, samples) for metric in pair] if samples else []
            cards[card] = card([panel(metric) for metric in pair], below, what, space)
        balance = diversity_figures.measured_panel(rows, self.service.measurements(dataset), name, "class_balance")
        stale = [row.stale for _, row, _ in rows.values() if row is not None and row.stale]
        if stale:
            stale = [f"{stale[0].rstrip('.')}{f' ({len(stale) - 1} more like it)' * (len(stale) > 1)}."]
        words = " ".join(one for one in (problem, *stale, elsewhere, self._hint(made, chosen)) if one)
        return {
            self.reach: cards[diversity_figures.reach],
            self.variety: cards[diversity_figures.variety],
            self.classes: self._classes(dataset, ours, balance, what),
            self.status: status(words),
        }

    def _hint(self, made: Mapping[str, Sampled], chosen: Mapping[str, tuple[str, str]]) -> str:
        """Return what to press when the samples are of other settings than those chosen now."""
        old = []
        for family, (name, point) in chosen.items():
            sampled = made.get(family)
            if sampled is None or sampled.part is None:
                continue
            now = name or sampled.part.checkpoint, knobs_key(self._knobs(family, point))
            if now != (sampled.part.checkpoint, knobs_key(sampled.part.knobs)):
                old.append(sampled.title)
        if not old:
            return ""
        return f"The samples of {format.listing(old)} are of another setting. Press Generate to make them of this one."

    def _measured(
        self, dataset: str, chosen: Mapping[str, tuple[str, str]], given: Sequence[Measured]
    ) -> dict[str, tuple[str, Measured | None, str]]:
        """Return, by family that has a checkpoint, its title, and its chosen point at one n; see `at_one_n`."""
        found = {}
        for lane in self.service.lanes(dataset):
            if lane.problem:
                continue
            name, point = chosen.get(lane.family, ("", ""))
            key, name = knobs_key(self._knobs(lane.family, point)), name or lane.checkpoint
            rows = [row for row in self.service.measurements(dataset).points
                    if row.checkpoint == name and knobs_key(row.knobs) == key]  # fmt: skip
            found[lane.family] = lane.title, rows
        return diversity_figures.at_one_n(found, given)

    def _plane(self, dataset: str, name: str, made: Mapping[str, Sampled]) -> tuple[projection.Plane, dict]:
        if name == PIXELS:
            reference = self.service.reference(dataset)
            if reference is None:
                raise InputError(NO_MAP.format(dataset or "mnist"))
            return projection.pixel_plane(reference), {
                family: projection.flatten(sampled.images) for family, sampled in made.items()
            }
        judge = self.judges.counting(dataset)
        if judge is None or judge.plane is None:
            raise InputError(NO_CLASSES)
        return judge.plane, {family: judge.features_of(sampled).numpy() for family, sampled in made.items()}

    def _classes(self, dataset: str, ours: Mapping[str, Sampled], balance: diversity_figures.Panel, what: str) -> str:
        """Return the card of the class histogram, whichever extractor judges the rest."""
        counter = self.judges.counting(dataset) if dataset else None
        measured = balance if any(reading.value is not None for reading in balance.readings) else None
        if counter is None:
            return diversity_figures.classes(None, [], measured, note=NO_CLASSES)
        try:
            counts = [diversity_figures.Classes(one.family, one.title, counter.counts(one)) for one in ours.values()]
        except InputError as error:
            return diversity_figures.classes(None, [], measured, note=str(error))
        names = class_names(dataset)
        named = names if len(names) == len(counter.class_shares) else ()
        return diversity_figures.classes(counter.class_shares, counts, measured, what, names=named)

    def _pairs(
        self, dataset: str, judge: Judge | None, made: Mapping[str, Sampled], verdicts: Mapping[str, Verdict]
    ) -> str:
        """Return the card of the distances between samples: in features, in pixels where there are none."""
        if judge is not None and verdicts:
            rows = {family: verdict.features for family, verdict in verdicts.items()}
            n = max(verdict.n for verdict in verdicts.values())
            real = Reference(*judge.pair_histogram(n))
            unit = f"Euclidean in features ({judge.name})"
        else:
            rows = {family: projection.flatten(sampled.images) for family, sampled in made.items()}
            reference = self.service.reference(dataset) or {}
            real = Reference(reference["bins"], reference["density"]) if reference else None
            few = max((len(sampled.images) for sampled in made.values() if sampled.shipped), default=0)
            unit = "Euclidean, pixels from 0 to 1" + f"; so far the {few} shipped with each checkpoint" * bool(few)
        spreads = [
            Spread(family, made[family].title, len(row), *projection.pair_distances(row))
            for family, row in rows.items()
        ]
        what = f"the distances of all pairs of a family's samples, {unit}"
        return distances.card("How far apart are two of them?", what, spreads, real)

    def _missed(
        self, dataset: str, judge: Judge | None, made: Mapping[str, Sampled], verdicts: Mapping[str, Verdict],
        problem: str,
    ) -> str:  # fmt: skip
        """Return the card of the real images that no sample covers."""
        rows = []
        scored = {family: verdict for family, verdict in verdicts.items() if "coverage" in verdict.scores}
        test = self.service.split(dataset, "test") if scored else None
        for family, verdict in scored.items():
            first = verdict.missed[:MISSED_SHOWN]
            there = test is not None and len(first) > 0 and first.max() < len(test)
            pictures = (
                tuple(model_card.data_uri(test[first], columns) for columns in diversity_figures.COLUMNS)
                if there
                else ()
            )
            count, least = len(verdict.missed), verdict.n * (1 - verdict.scores["coverage"].high)
            expected, title = judge.missed_by_real(verdict.n), made[family].title
            rows.append(
                diversity_figures.Missed(family, title, verdict.n, count, least, expected, pictures, len(first) * there)
            )
        reasons = [verdict.left_out["coverage"] for verdict in verdicts.values() if "coverage" in verdict.left_out]
        return diversity_figures.missed(rows, test is not None, problem or next(iter(reasons), ""))


# ---- small parts


def checkpoints(lane: Lane) -> dict[str, Any]:
    """Return how the dropdown of a family's checkpoints is set: hidden where there is no choice."""
    return {"choices": list(lane.checkpoints), "value": lane.checkpoint or None, "visible": len(lane.checkpoints) > 1}


def buttons(start: Sequence[Lane]) -> str:
    """Return the buttons that choose whose samples the map shows."""
    one = (
        f'<button type="button" data-show="{lane.family}" aria-pressed="false">{theme.badge(lane.family)}'
        f"{escape(lane.title)}</button>"
        for lane in start
    )
    markup = f'<button type="button" data-show="" aria-pressed="true">all</button>{"".join(one)}'
    return markup.replace("{{", "").replace("${", "")  # both would be evaluated in the browser
