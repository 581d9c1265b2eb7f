"""Failure lab: models broken on purpose, and what each metric makes of them."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from html import escape

import gradio as gr

from dashboard import theme
from dashboard.pages import slug_of
from dashboard.pages.failures import failure_figures, sight_figures
from dashboard.pages.failures.engine import Sights, recorded, sights
from dashboard.pages.failures.verdicts import FOOLED, NOTICES, Verdict, across, opinions, verdicts, words
from dashboard.results.operating_points import Measured
from dashboard.service import METRICS, PREVIEW, Broken, InputError, Service
from dashboard.ui import dataset_choice, model_card
from dashboard.ui.address import Address
from dashboard.ui.events import QUICK, RUN
from dashboard.ui.html import title
from dashboard.ui.panels import chart, on_open
from dashboard.ui.run import Runs

TITLE = "Failure lab"
SLUG = slug_of(__name__)
ABOUT = (
    "Each of these models was broken on purpose. A good score means little until it is known what it cannot see: "
    "below, every metric says what it makes of each of them, beside the healthy model and real images."
)
WAITING = "Making 24 samples …"
NO_CHECKPOINT = "There is no checkpoint yet. Train one and reload: python -m gencore train digits/vae"
NO_ROWS = "These have not been measured on {0} yet: python -m gencore evaluate --points failures"


def build(service: Service) -> None:
    """Lay out the page in the current Blocks and connect it to the service."""
    Failures(service).connect()


class Failures:
    """The page's components and what they do."""

    def __init__(self, service: Service):
        self.service = service
        datasets = service.datasets()
        title("Which metric would have noticed?", ABOUT, below="What was noticed")
        with gr.Row(elem_classes=["shared"], visible=len(datasets) > 1):
            self.dataset = dataset_choice.dropdown(SLUG, datasets)
        self.opened = gr.State(False)
        with gr.Column(elem_classes=["card"]):
            self.glance = chart("failures-glance")
        self.cards: dict[str, gr.HTML] = {}
        self.runs = Runs()
        for key in service.failures_known:
            with gr.Column(elem_classes=["card"]):
                self.cards[key] = chart(f"failures-{key}")
        with gr.Column(elem_classes=["card"]):
            self.sights = chart("failures-sights")
            self.ladder = gr.Dropdown(label="ladder", interactive=True, filterable=False, visible=False,
                                      elem_id="failures-ladder")  # fmt: skip
            self.climb = chart("failures-climb")
        address = Address(SLUG, service.datasets)
        address.keep("data", self.dataset)
        address.keep("ladder", self.ladder, among=lambda data: [key for _, key in ladders(recorded(service, data))])

    def connect(self) -> None:
        """Connect the components: the measured rows show at once, the pictures when the device is free."""
        pictures = [self.glance, *self.cards.values()]
        outputs = [*pictures, self.sights, self.ladder, self.climb]
        opened = on_open(
            self.open, [self.dataset, self.opened, self.ladder], [self.opened, self.dataset, *outputs], queue=False
        )
        for shown in (opened, self.dataset.input(self.show, [self.dataset], outputs, **QUICK)):
            shown.then(self.draw, [self.dataset], pictures, **RUN)
        self.ladder.input(self.draw_ladder, [self.dataset, self.ladder], [self.climb], **QUICK)
        self.runs.connect()

    # ---- handlers

    def open(self, request: gr.Request, dataset: str | None, opened: bool, ladder: str | None = None) -> dict:
        """Show the data set that was chosen; when the page is opened for the first time, that of the address."""
        dataset, choices = dataset_choice.opened_on(request, self.service.datasets(), dataset if opened else None)
        return {self.opened: True, self.dataset: choices, **self.show(dataset, ladder)}

    def show(self, dataset: str | None, ladder: str | None = None) -> dict:
        """Show what was measured, with the pictures that are there."""
        dataset = dataset or ""
        broken = self.service.failures(dataset)
        found = {one.key: self.found(dataset, one.key) for one in broken}
        updates: dict = {self.glance: self.summary(dataset, broken, found)}
        for place, one in enumerate(broken, start=1):
            updates[self.cards[one.key]] = self.card(place, one, dataset, found[one.key])
        return updates | self.show_sights(dataset, ladder)

    def show_sights(self, dataset: str, ladder: str | None) -> dict:
        """Show how well the extractors see, with the chart of a ladder, else of the first."""
        seen = sights(self.service, dataset)
        known = ladders(seen)
        keys = [key for _, key in known]
        first = ladder if ladder in keys else next(iter(keys), None)
        return {
            self.sights: sight_figures.section(seen.record, seen.strips, seen.problem if dataset else NO_CHECKPOINT),
            self.ladder: gr.update(choices=known, value=first, visible=bool(known)),
            self.climb: sight_figures.chart(seen.record, first) if seen.record else "",
        }

    def draw_ladder(self, dataset: str, key: str | None) -> str:
        """Return the chart of one ladder."""
        record = recorded(self.service, dataset).record
        return sight_figures.chart(record, key) if record else ""

    def draw(self, request: gr.Request, dataset: str) -> Iterator[dict]:
        """Make the pictures that are missing, one after another, until another data set is chosen."""
        run = self.runs.begin(request)
        for place, one in enumerate(self.service.failures(dataset), start=1):
            if one.problem or self.service.broken_images(dataset, one.key) is not None:
                continue
            found = self.found(dataset, one.key)
            wait = functools.partial(self._wait, place, one, dataset, found)
            try:
                yield from run.made(self.service.make_broken_images(dataset, one.key, run.stop), wait)
                problem = ""
            except InputError as error:
                problem = str(error)
            if not run.current:
                break
            yield {self.cards[one.key]: self.card(place, one, dataset, found, problem)}
        yield {self.glance: gr.skip()}  # a generator that yields nothing would empty its outputs

    def _wait(self, place: int, one: Broken, dataset: str, found: list[Verdict], words: str) -> dict:
        return {self.cards[one.key]: self.card(place, one, dataset, found, waiting=words)}

    # ---- parts of the page

    def row(self, dataset: str, key: str) -> Measured | None:
        """Return the row of a failure with the most images, None when it has none."""
        rows = [row for row in self.service.measurements(dataset).failures if row.failure == key]
        return max(rows, key=lambda row: row.n, default=None)

    def found(self, dataset: str, key: str) -> list[Verdict]:
        """Return the verdicts on a failure, none when it was not measured."""
        row = self.row(dataset, key)
        measured = self.service.measurements(dataset)
        return list(verdicts(row, measured, METRICS)) if row else []

    def summary(self, dataset: str, broken: list[Broken], found: dict[str, list[Verdict]]) -> str:
        """Return the table of all verdicts, or what to do when there is none."""
        if not any(each.word for column in found.values() for each in column):
            return f'<p class="missing">{escape(NO_ROWS.format(dataset) if dataset else NO_CHECKPOINT)}</p>'
        columns = [found[one.key] for one in broken]
        usual = self.service.measurements(dataset).usual_extractor
        return (
            f'<h3>At a glance</h3><p class="answer">{escape(across(columns))}</p>'
            f"{failure_figures.glance([one.label for one in broken], columns)}"
            f'<p class="reading">Filled: the metric {NOTICES}. Ring: it {FOOLED}. In {escape(usual)} features; the '
            "numbers and the rule stand on the cards below.</p>"
        )

    def card(
        self, place: int, one: Broken, dataset: str, found: list[Verdict], problem: str = "", waiting: str = WAITING
    ) -> str:
        """Return a failure's card."""
        return (
            f'<article class="failure" data-failure="{one.key}"><div class="told">'
            f'<h3><span class="number">{place}</span> {escape(one.label)}</h3>'
            f'<p class="answer">{escape(one.failure.about)}</p>'
            f"{self.picture(one, dataset, problem, waiting)}</div>"
            f'<div class="measured">{self.measured(one, dataset, found)}</div></article>'
        )

    def picture(self, one: Broken, dataset: str, problem: str, waiting: str) -> str:
        """Return the samples of a broken model, or why there are none."""
        problem = problem or (one.problem if dataset else NO_CHECKPOINT)
        images = None if problem else self.service.broken_images(dataset, one.key)
        if images is None:
            kind = "" if problem else " waiting"
            return f'<p class="samples missing{kind}">{escape(problem or waiting)}</p>'
        source = "Made here"
        if one.checkpoint:
            title = self.service.families[one.family].title
            source += f" from {theme.badge(one.family, 12)} {escape(title)}, {escape(one.checkpoint)}"
        return (
            f'<img class="samples" src="{model_card.data_uri(images)}" '
            f'alt="{len(images)} samples: {escape(one.label)}">'
            f'<p class="reading">{len(images)} samples, seed {PREVIEW["seed"]}. {source}.</p>'
        )

    def measured(self, one: Broken, dataset: str, found: list[Verdict]) -> str:
        """Return the bars, how to read them, and what to learn."""
        row = self.row(dataset, one.key)
        if row is None:
            return f'<p class="missing">{escape(NO_ROWS.format(dataset))}</p>' if dataset else ""
        measured, scored = self.service.measurements(dataset), row.quality["scores"]
        usual = measured.usual_extractor
        others = {name: list(verdicts(row, measured, METRICS, name)) for name in scored if name != usual}
        stale = f'<p class="problem">{escape(row.stale)}</p>' if row.stale else ""
        size = f"{row.generations} × {row.n:,} images against as many real test images."
        known = [(row.checkpoint, row.hash_of()), *((f"{name} features", row.hash_of(name)) for name in scored)]
        origin = ", ".join(f"{what} {digits}" for what, digits in known if what and digits)
        return (
            f'<p class="lesson">{escape(one.failure.lesson)}</p><p class="answer">{escape(words(found))}</p>{stale}'
            f"{failure_figures.figure(found, opinions(found, others), one.label)}"
            f'<p class="reading">{failure_figures.reading(found)} {escape(size)}</p>'
            f'<p class="reading">{escape(origin)}</p>'
        )


def ladders(seen: Sights) -> list[tuple[str, str]]:
    """Return the titles and the keys of the ladders that were climbed."""
    return [(one["title"], one["key"]) for one in seen.record.get("ladders", ())]
