"""Blind vote: lanes without names, of the same seeds. Which looks real, which is more varied? Then names and times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import gradio as gr

from dashboard import format, theme
from dashboard.pages import slug_of
from dashboard.pages.blind import metrics_say, rounds
from dashboard.pages.blind.rounds import IMAGES, REAL, Lane, Round
from dashboard.service import Frame, InputError, Order, Service
from dashboard.ui import dataset_choice, knobs
from dashboard.ui.address import Address
from dashboard.ui.events import QUICK, RUN, as_text
from dashboard.ui.html import scripted, template, title
from dashboard.ui.panels import on_open
from dashboard.ui.run import Runs

TITLE = "Blind vote"
SLUG = slug_of(__name__)
ABOUT = (
    "Each round shows every family's images of the same seeds, without names and in an order that changes, with real "
    "images among them where they are at hand. Vote first; names and times come after. Your browser alone keeps votes."
)


def build(service: Service) -> None:
    """Lay out the page in the current Blocks and connect it to the service."""
    Blind(service).connect()


class Blind:
    """The page's components and what they do."""

    def __init__(self, service: Service):
        self.service = service
        title("Can you tell?", ABOUT, below="The round")
        with gr.Row(elem_classes=["shared", "blind-settings"]):
            self.dataset = dataset_choice.dropdown(SLUG, service.datasets())
            self.points = {family: self._point(family) for family in service.families}
            self.go = gr.Button("Next round", elem_id="blind-go", variant="primary")
            self.stop = gr.Button("Stop", elem_id="blind-stop", variant="secondary", interactive=False)
            self.runs = Runs(self.go, self.stop)
        self.opened = gr.State(False)
        self.round = gr.State(None)  # what the lanes are, which only the server knows before the vote
        with gr.Column(elem_classes=["card"]):
            self.stage = scripted(
                "blind-round",
                template(__file__, "round"),
                "lab.blind.round(element, props, watch, trigger, ['vote'])",
                "",
            )
        with gr.Column(elem_classes=["card"]):
            self.tally = scripted(
                "blind-tally", template(__file__, "tally"), "lab.blind.tally(element, props, watch)", ""
            )
        address = Address(SLUG, service.datasets)
        address.keep("data", self.dataset)
        for family, point in self.points.items():
            if point.choices:
                address.keep(family, point)

    def _point(self, family: str) -> gr.Dropdown:
        kind = self.service.families[family]
        names = [knobs.name_of(point) for point in kind.points]
        return gr.Dropdown(
            names, value=next(iter(names), None), label=f"{kind.title} setting", interactive=True, filterable=False,
            visible=bool(names), elem_id=f"blind-{family}-point",
        )  # fmt: skip

    def connect(self) -> None:
        """Connect the components."""
        settings = [self.dataset, *self.points.values()]
        shown = [self.stage, self.round, *self.runs.over]
        told = [self.opened, self.dataset, self.tally, *self.points.values()]
        on_open(self.open, [self.opened, *settings], told, queue=False)
        for control in settings:
            control.input(self.facts, settings, [self.tally], **QUICK, trigger_mode="always_last")
        self.dataset.input(self.clear, [self.dataset], [*shown, *self.points.values()], **QUICK)
        run = self.go.click(self.deal, settings, shown, **RUN)
        self.runs.connect(run)
        self.stage.vote(self.vote, [self.round], [self.stage, self.round], **QUICK)

    # ---- handlers

    def open(self, request: gr.Request, opened: bool, dataset: str | None, *settings: str) -> dict:
        """Show the page as it was, else the data set that the address names, and what the metrics say."""
        dataset, choices = dataset_choice.opened_on(request, self.service.datasets(), dataset if opened else None)
        facts = self.facts(dataset, *settings)
        return {self.opened: True, self.dataset: choices, self.tally: facts, **self._settings(dataset)}

    def facts(self, dataset: str | None, *settings: str) -> str:
        """Return what is voted on and what the metrics say of it, as one text."""
        chosen = self._chosen(dataset or "", settings)
        measured = self.service.measurements(dataset or "")
        scores, says = metrics_say.told(
            measured,
            {family: (one["checkpoint"], one["knobs"]) for family, (_, one) in chosen.items()},
        )
        lanes = [
            {"family": family, "title": self.service.families[family].title, "setting": setting,
             "badge": theme.badge(family), **scores.get(family, {})}
            for family, (setting, _) in chosen.items()
        ]  # fmt: skip
        real = {"family": REAL, "title": "Real images", "setting": "", "badge": theme.badge(REAL)}
        heads = metrics_say.heads(measured)
        return as_text({"data": dataset or "", "lanes": [*lanes, real], "says": says, "heads": heads})

    def clear(self, request: gr.Request, dataset: str | None) -> dict:
        """Take a round of another data set away, and show the settings of the families that this one has."""
        self.runs.leave(request)
        return {self.stage: as_text({"state": "idle"}), self.round: None, **self.runs.over, **self._settings(dataset)}

    def deal(self, request: gr.Request, dataset: str | None, *settings: str) -> Iterator[dict]:
        """Make a round's images, saying how far all of them together are, and show the lanes once all are there."""
        try:
            order, named = self._order(dataset or "", settings)
        except InputError as error:
            yield {self.stage: as_text({"state": "idle", "problem": str(error)})}
            return
        run = self.runs.begin(request)
        begun = {"state": "making", "share": 0, "words": "Making the images of all lanes."}
        yield {self.stage: as_text(begun), self.round: None, **self.runs.begun}
        at: dict[str, Frame] = {}

        def paint(frame: Frame) -> dict | None:
            at[frame.family] = frame
            if frame.state not in ("running", "done"):
                return None
            return {self.stage: as_text({**begun, "share": share_of(order, at)})}

        frames = self.service.run(order, run.stop, fresh=False)
        if not (yield from run.shown(frames, lambda words: {self.stage: as_text({**begun, "words": words})}, paint)):
            return
        yield {**self._dealt(order, named, at), **self.runs.over}

    def _dealt(self, order: Order, named: Mapping[str, str], at: Mapping[str, Frame]) -> dict:
        """Return the updates that show the lanes of a run that is over."""
        wrong = next((frame for frame in at.values() if frame.state != "done"), None)
        if wrong is not None:
            stopped = wrong.state in ("stopped", "skipped")
            return {self.stage: as_text({"state": "idle", "problem": "" if stopped else wrong.problem,
                                         "words": "Stopped." if stopped else ""})}  # fmt: skip
        titles = {family: self.service.families[family].title for family in at}
        made = {Lane(name, titles[name], named[name], frame.seconds): frame.images for name, frame in at.items()}
        real = self.service.real(order.dataset, order.n, order.seed)
        if real is not None:
            made[Lane(REAL, "Real images")] = real
        try:
            found, pictures = rounds.dealt(order.dataset, order.seed, made, self._link(order))
        except InputError as error:
            return {self.stage: as_text({"state": "idle", "problem": str(error)})}
        words = f"{len(pictures)} lanes of {order.n} images{', one of them real' if real is not None else ''}."
        value = {"state": "asking", "round": found.name, "pictures": pictures, "words": words}
        return {self.stage: as_text(value), self.round: found}

    def vote(self, event: gr.EventData, one: Round | None) -> dict:
        """Take a vote, and say what the lanes were."""
        try:
            voted, votes = rounds.vote(one, event._data)
        except InputError as error:
            return {self.stage: as_text({"state": "idle", "problem": str(error)})}
        lanes = [
            {"family": lane.family, "title": lane.title, "setting": lane.setting, "badge": theme.badge(lane.family),
             "time": "" if lane.seconds is None else f"{format.duration(1000 * lane.seconds / IMAGES)} per image"}
            for lane in voted.lanes
        ]  # fmt: skip
        value = {"state": "told", "round": voted.name, "data": voted.dataset, "seed": voted.seed, "lanes": lanes,
                 "votes": votes, "answer": rounds.answer(voted, votes), "link": voted.link}  # fmt: skip
        return {self.stage: as_text(value), self.round: voted}

    # ---- parts of the handlers

    def _settings(self, dataset: str | None) -> dict:
        """Return the updates that show the settings of those families alone that can run on a data set."""
        able = self._chosen(dataset or "", [""] * len(self.points))
        return {one: gr.update(visible=bool(one.choices) and name in able) for name, one in self.points.items()}

    def _chosen(self, dataset: str, settings: Sequence[str]) -> dict[str, tuple[str, dict[str, Any]]]:
        """Return, by family that can run, the name of its setting and how it is ordered."""
        usable = self.service.usable(dataset)
        found = {}
        for family, setting in zip(self.points, settings, strict=False):
            kind = self.service.families[family]
            lane = self.service.lane(dataset, family) if family in usable else None
            if lane is None or lane.problem:
                continue
            point = knobs.point_named(kind.points, setting) or next(iter(kind.points), None)
            part = self.service.part(dataset, family, {"knobs": point.knobs if point else {}})
            found[family] = (point.label if point else "", {"checkpoint": part.checkpoint, "knobs": part.knobs})
        return found

    def _link(self, order: Order) -> str:
        """Return the address of the same images with names, where they can be taken away."""
        query: dict[str, Any] = {"data": order.dataset, "n": order.n, "seed": order.seed}
        for part in order.parts:
            usual = {knob.name: knob.default for knob in self.service.families[part.family].knobs}
            query |= {f"{part.family}.{name}": value for name, value in part.knobs.items() if value != usual.get(name)}
        return f"?{urlencode(query)}#compare"

    def _order(self, dataset: str, settings: Sequence[str]) -> tuple[Order, dict[str, str]]:
        """Return the checked order of a round, and the names of the settings by family."""
        chosen = self._chosen(dataset, settings)
        wanted = {
            family: {
                "checkpoint": one["checkpoint"],
                "knobs": knobs.chosen(self.service.families[family].knobs, list(one["knobs"].values())),
            }
            for family, (_, one) in chosen.items()
        }
        order = self.service.order(dataset, IMAGES, rounds.fresh_seed(), wanted)
        return order, {family: setting for family, (setting, _) in chosen.items()}


def share_of(order: Order, at: Mapping[str, Frame]) -> float:
    """Return how far all lanes of a run are together: nothing of a single one, which its time would tell."""
    there = [(part.calls, at[part.family]) for part in order.parts if part.family in at]
    return sum(calls * frame.index / (frame.total or 1) for calls, frame in there) / order.calls
