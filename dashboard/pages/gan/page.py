"""GAN: the game of the two players, its time-lapse, what the discriminator believes, and truncation."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from html import escape
from threading import Event
from typing import Any

import gradio as gr

from dashboard.pages import slug_of
from dashboard.pages.gan import discriminator_scores, game_curves, generator_losses, tradeoff
from dashboard.pages.gan.engine import JUDGED, Contestant, Games, Judged, number_knobs
from dashboard.pages.gan.panels import PANELS
from dashboard.service import PREVIEW, InputError, Part, Service, downloads, resolve_knobs, runs
from dashboard.service.device import Waiting
from dashboard.ui import dataset_choice, knobs, model_card, share_bundle, timelapse
from dashboard.ui.address import Address
from dashboard.ui.events import QUICK, RUN, Values, after
from dashboard.ui.html import scripted, title
from dashboard.ui.panels import chart, framed, on_open
from dashboard.ui.run import Runs
from dashboard.ui.seed_field import ANOTHER_SEED, seed_field

TITLE = "GAN"
SLUG = slug_of(__name__)
NOTHING = '<p class="status"></p>'
SAMPLES = (
    '<figure class="gan-samples"><img data-at="image" alt="">'
    '<figcaption data-at="note" aria-live="polite"></figcaption></figure>'
)


def build(service: Service) -> None:
    """Lay out the page in the current Blocks and connect it to the service."""
    Gan(service).connect()


class Gan:
    """The page's components and what they do."""

    def __init__(self, service: Service):
        self.service, self.games = service, service.shared(Games)
        title(
            "Inside the GAN",
            "Two networks play against each other: a generator G makes images out of noise, a discriminator D "
            "tells them from real ones, and each learns from the other.",
        )
        with gr.Row(elem_classes=["shared"]):
            self.dataset = dataset_choice.dropdown(SLUG, visible=len(service.datasets()) > 1)
            self.run = gr.Dropdown([], label="checkpoint", interactive=True, filterable=False, elem_id="gan-run")
        self.status = gr.HTML(NOTHING, js_on_load=None, elem_id="gan-status")
        with framed(PANELS["game"]):
            self.game = chart("gan-game")
        with framed(PANELS["losses"]):
            self._build_losses()
        with framed(PANELS["timelapse"]):
            self.lapse = timelapse.component(service, "gan-timelapse", SLUG)
        with framed(PANELS["judge"]):
            self._build_judge()
        with framed(PANELS["truncation"]):
            self._build_truncation()
        self.judgements, self.turns, self.bundles = Runs(), Runs(), Runs()
        self._build_address()

    # ---- layout

    def _build_address(self) -> None:
        address = Address(SLUG, self.games.datasets)
        address.keep("data", self.dataset)
        address.keep("run", self.run, among=lambda data: [one.name for one in self.games.contestants(data)])
        address.keep("believed", self.believed)
        address.keep("seed", self.seed)
        address.knobs(self.knobs)
        timelapse.keep(address)

    def _build_losses(self) -> None:
        low, high = float(generator_losses.D[0]), float(generator_losses.D[-1])
        with gr.Row(elem_classes=["shared"]):
            self.believed = gr.Slider(
                low, high, value=generator_losses.START, step=0.005, label="D(G(z)): what D says of G's image",
                interactive=True, elem_id="gan-believed", elem_classes=["knob"],
            )  # fmt: skip
        with gr.Row(elem_classes=["gan-two"]):
            self.losses = [chart("gan-losses"), chart("gan-gradients")]

    def _build_judge(self) -> None:
        with gr.Row(elem_classes=["shared"]):
            self.seed = seed_field("gan-judge")
            self.another = gr.Button("Another seed", elem_id="gan-judge-another", variant="secondary")
        self.judging = gr.HTML(NOTHING, js_on_load=None, elem_id="gan-judge-status")
        self.beliefs = chart("gan-judge-scores")

    def _build_truncation(self) -> None:
        with gr.Row(elem_classes=["gan-two"]):
            with gr.Column(elem_classes=["gan-turning"]):
                self.knobs = knobs.KnobPanel(self.games.families(), SLUG)
                self.samples = scripted("gan-samples", SAMPLES, "lab.ganSamples(element, props, watch)", {"note": ""})
                self.bundle = share_bundle.share_bundle(SLUG)
            self.against = chart("gan-against")
        self.over = chart("gan-over")

    # ---- events

    def connect(self) -> None:
        """Connect the components."""
        calm: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": None}
        which, turned = [self.dataset, self.run], [self.dataset, self.run, *self.knobs.inputs]
        shown = {self.dataset, self.run, self.status, self.game, self.lapse, *self._computed, *self.knobs.outputs}
        judged = {"fn": self.judge, "inputs": [*which, self.seed], "outputs": [self.judging, self.beliefs], **calm}
        made = {"fn": self.turn, "inputs": turned, "outputs": [self.samples, self.against, self.over], **calm}
        # One run for all panels: Gradio would call listeners of their own one after another, each a round trip.
        asked = {*turned, self.seed}
        on_open(self.opened, {*asked, self.believed}, {*shown, *self.losses}, **RUN)
        self.dataset.input(self.switched, asked, shown, **RUN)
        self.run.input(self.swapped, asked, shown, **RUN)
        self.believed.input(self.draw_losses, [self.believed], self.losses, trigger_mode="always_last", **QUICK)
        for follow in self.knobs.connect():
            follow(trigger_mode="always_last", **made)
        self.seed.submit(**judged)
        self.another.click(None, None, [self.seed], js=ANOTHER_SEED).then(**judged)
        self.bundle.ask(self.give, turned, [self.bundle], **RUN)
        for mine in (self.judgements, self.turns, self.bundles):
            mine.connect()

    @property
    def _computed(self) -> list[gr.components.Component]:
        return [self.judging, self.beliefs, self.samples, self.against, self.over]

    # ---- handlers

    def open(self, request: gr.Request, dataset: str | None, run: str | None) -> dict:
        """Show the page as it was, else the data set that the address names, else the first."""
        dataset, choices = dataset_choice.opened_on(request, self.games.datasets(), dataset)
        updates = self.show(dataset, run)
        if run and updates[self.run]["value"] == run:  # the knobs stay where they were left, with what they made
            kept = [*self._computed, *self.knobs.inputs]
            updates = {key: value for key, value in updates.items() if key not in kept}
        return {**updates, self.dataset: choices}

    def opened(self, request: gr.Request, given: Values) -> Iterator[dict]:
        """Show the page, what is at hand first."""
        losses = dict(zip(self.losses, self.draw_losses(given[self.believed]), strict=True))
        updates = self.open(request, given[self.dataset], given[self.run])
        yield from self._made(request, given, {**updates, **losses})

    def switched(self, request: gr.Request, given: Values) -> Iterator[dict]:
        """Show another data set's first checkpoint."""
        yield from self._made(request, given, self.show(given[self.dataset], None))

    def swapped(self, request: gr.Request, given: Values) -> Iterator[dict]:
        """Show another checkpoint."""
        yield from self._made(request, given, self.show(given[self.dataset], given[self.run]))

    def _made(self, request: gr.Request, given: Values, updates: dict) -> Iterator[dict]:
        """Show updates, then what is computed for the checkpoint that they name."""
        given = after(given, updates)
        yield updates
        which = given[self.dataset], given[self.run]
        yield from self.turn(request, *which, *(given[one] for one in self.knobs.inputs))
        yield from self.judge(request, *which, given[self.seed])

    def draw_losses(self, d: float) -> tuple[str, str]:
        """Draw both losses, and their gradients, with what D says of G's image marked."""
        family = next(iter(self.games.families()), "")
        low, high = float(generator_losses.D[0]), float(generator_losses.D[-1])
        d = min(max(d, low), high) if d == d else generator_losses.START  # NaN: an empty field
        return generator_losses.losses(d, family), generator_losses.gradients(d, family)

    def show(self, dataset: str | None, run: str | None) -> dict:
        """Show a checkpoint: its game and time-lapse from the training log; what is computed follows."""
        found = self.games.contestants(dataset or "")
        one = next((one for one in found if one.name == run), next(iter(found), None))
        choices = [(named(each), each.name) for each in found]
        updates: dict = {
            self.run: gr.update(choices=choices, value=one.name if one else None, visible=len(found) > 1),
            self.status: problem(self.games.nobody(dataset or "")) if one is None else NOTHING,
            self.game: self._game(one),
            self.lapse: self._timelapse(one),
            **dict.fromkeys(self._computed, ""),  # what the run before made is not this one's
            self.samples: {"image": ""},
        }
        if one is not None:
            usual = {knob.name: knob.default for knob in self.service.families[one.family].knobs}
            updates |= self.knobs.set(one.family, usual)
        return updates | self.knobs.show(one.family if one else "")

    def judge(self, request: gr.Request, dataset: str | None, run: str | None, seed: Any) -> Iterator[dict]:
        """Let the model judge fresh samples and real images; nothing is painted once something later was asked for."""
        judgement, words = self.judgements.begin(request), f"Judging {JUDGED} samples and {JUDGED} real images."
        yield {self.judging: note(words)}
        try:
            judged = yield from judgement.made(
                self.games.judge(dataset or "", run or "", seed, judgement.stop),
                lambda wait: {self.judging: note(f"{words} {wait}")},
            )
            updates = {self.judging: note(self._basis(judged)), self.beliefs: scores(judged)}
        except InputError as error:
            updates = {self.judging: problem(str(error))}
        if judgement.current:
            yield updates

    def turn(self, request: gr.Request, dataset: str | None, run: str | None, *values: Any) -> Iterator[dict]:
        """Make the samples at the present knobs, and mark where these stand among what was measured."""
        turn = self.turns.begin(request)
        try:
            one = self.games.contestant(dataset or "", run or "")
            given = self.knobs.given(one.family, values)
            yield {self.samples: {"note": ""}, **self._measured(dataset or "", one, given)}  # these wait for no device
            work = self._turned(one, given, dataset or "", turn.stop)
            updates = yield from turn.made(work, lambda words: {self.samples: {"note": words}})
        except InputError as error:
            updates = {
                self.samples: {"image": "", "note": str(error), "problem": True},
                self.against: "",
                self.over: "",
            }
        yield updates if turn.current else gr.skip()

    def give(self, request: gr.Request, dataset: str | None, run: str | None, *values: Any) -> Iterator[dict]:
        """Send the samples at the present knobs as a bundle."""
        giving = self.bundles.begin(request)
        try:
            one = self.games.contestant(dataset or "", run or "")
            kind = self.service.families[one.family]
            part = Part(one.family, one.name, resolve_knobs(kind.knobs, self.knobs.given(one.family, values)))
            work = self.games.samples(dataset or "", one.name, part.knobs, giving.stop)
            images = yield from giving.made(work, lambda words: {self.bundle: share_bundle.told(words)})
        except InputError as error:
            yield {self.bundle: share_bundle.sorry(str(error))}
            return
        content = downloads.shared({one.family: part}, {one.family: images}, PREVIEW["seed"], self.service.machine)
        yield {self.bundle: share_bundle.ready(content, f"{one.name}-seed-{PREVIEW['seed']}")}

    # ---- parts of the handlers

    def _game(self, one: Contestant | None) -> str:
        """Return the charts of a training's game, or the sentence that says why there are none."""
        if one is None:
            return ""
        try:
            log = runs.log_of(self.service, one.name)
        except InputError as error:
            return lead(str(error))
        if not game_curves.has_game(log.columns):
            return lead(f"The log of {one.name} has no figures of the game: no V, D(x) or D(G(z)), and no win rate.")
        told = "".join(f"<p>{escape(words)}</p>" for words in [*game_curves.story(log.columns), log.note] if words)
        cards = "".join(f"<div>{card}</div>" for card in game_curves.cards(log.columns, one.family))
        return f'<div class="gan-story">{told}</div><div class="gan-charts">{cards}</div>'

    def _timelapse(self, one: Contestant | None) -> dict[str, Any]:
        """Return what the player shows, or the sentence that says why it shows nothing."""
        if one is None:
            return timelapse.value([])
        try:
            return timelapse.value([runs.timelapse_of(self.service, one.name)])
        except InputError as error:
            return timelapse.value([], words=str(error))

    def _basis(self, judged: Judged) -> str:
        """Return what was judged, as a sentence."""
        real = "" if judged.real is None else f" and {len(judged.real)} different real test images"
        words = f"{len(judged.fake)} fresh samples{real}, seed {judged.seed}, judged by {judged.who}."
        if judged.real is None:
            words += " The real images are not at hand here, so the samples stand alone."
        return words

    def _turned(self, one: Contestant, given: dict, dataset: str, stop: Event) -> Generator[Waiting, None, dict]:
        """Return the update of the samples."""
        images = yield from self.games.samples(dataset, one.name, given, stop)
        at = "".join(f", {knobs.spelled(name)} {value}" for name, value in given.items())
        words = f"{len(images)} samples, seed {PREVIEW['seed']}{at}."
        picture = {"image": model_card.data_uri(images), "alt": f"{len(images)} samples", "note": words}
        return {self.samples: picture}

    def _measured(self, dataset: str, one: Contestant, given: dict[str, Any]) -> dict:
        """Return the updates of the charts of what was measured, with the knob's present value marked."""
        kind = self.service.families[one.family]
        numbers = [knob.name for knob in number_knobs(kind)]
        if not numbers:
            words = f"{one.title} has no setting that is a number, so there is no curve to walk along."
            return {self.against: lead(words), self.over: ""}
        defaults = {knob.name: knob.default for knob in kind.knobs}
        found = tradeoff.sweep(self.service.measurements(dataset), one.name, numbers, defaults, one.family)
        if found is None:
            words = (
                f"Precision and coverage over {knobs.spelled(numbers[0])} have not been measured for {one.name}: "
                f"python -m gencore evaluate {one.name}"
            )
            return {self.against: lead(words), self.over: ""}
        value = float(given.get(found.knob, defaults[found.knob]))
        return {self.against: tradeoff.against(found, value), self.over: beside(tradeoff.over(found, value))}


def named(one: Contestant) -> str:
    """Return a checkpoint's name in the chooser, with what its players play for."""
    return f"{one.name} ({knobs.spelled(one.objective)})" if one.objective else one.name


def scores(judged: Judged) -> str:
    """Return both histograms and the galleries."""
    family = judged.contestant.family
    told = discriminator_scores.Beliefs(
        "the probe" if judged.by_probe else "D", family, judged.real_scores, judged.fake_scores
    )
    galleries = [("Generated", family, judged.fake_scores, judged.fake)]
    if judged.real is not None:
        galleries.insert(0, ("Real test images", "real", judged.real_scores, judged.real))
    drawn = [
        discriminator_scores.gallery(
            title, mark, marks, lambda place, images=images: model_card.data_uri(images[place][None])
        )
        for title, mark, marks, images in galleries
    ]
    return discriminator_scores.histograms(told) + "".join(drawn)


def note(words: str) -> str:
    """Return a quiet line."""
    return f'<p class="status" role="status">{escape(words)}</p>'


def problem(words: str) -> str:
    """Return the line that says what is wrong."""
    return f'<p class="status"><span class="problem" role="alert">{escape(words)}</span></p>'


def beside(card: str) -> str:
    """Return a chart's card with its words beside the drawing, where there is room."""
    return f'<div class="gan-beside">{card}</div>'


def lead(words: str) -> str:
    """Return a sentence in place of a chart."""
    return f'<p class="answer">{escape(words)}</p>'
