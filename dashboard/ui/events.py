"""How the pages' events run: the settings of their listeners.

A run is one generator, see `dashboard.ui.run`: two chained events would take a second round through the browser before
the first picture.
"""

from __future__ import annotations

import inspect
import json
import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gradio as gr
from gradio.blocks import BlockFunction
from gradio.components import Component
from gradio.exceptions import InvalidPathError
from gradio.processing_utils import check_all_files_in_cache
from gradio.routes import App
from gradio.state_holder import StateHolder

from dashboard.service.counters import REFUSED, count
from dashboard.service.device import MOST
from dashboard.ui.sessions import FORGOTTEN, Configuration, Sessions

log = logging.getLogger(__name__)
Values = dict[Component, Any]  # by component, what it has
CALM: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
QUICK: dict[str, Any] = {**CALM, "queue": False}
# Runs wait in the device's own line, which says how long and refuses in a sentence when it is full: never in Gradio's
# queue, where they would stand before the pages' other events. Each that waits holds a thread: there are `THREADS`.
# Whatever shares the name must say the number: the lowest one counts, and 1 is that of those who say none.
RUNS: dict[str, Any] = {"concurrency_id": "runs", "concurrency_limit": 2 * MOST + 16}
THREADS = 2 * RUNS["concurrency_limit"]  # for runs, for calls of endpoints, and for what is quick
# 'once', Gradio's own choice, would drop a run asked for before the browser knows that the last one ended.
RUN: dict[str, Any] = {**CALM, **RUNS, "trigger_mode": "multiple"}
UPLOADED = "A file is uploaded first, to /gradio_api/upload; what stands for it here is no such file."
FETCHED = "Files are uploaded from your own machine; none are fetched from an address."


def as_text(value: Any) -> str:
    """Return a value of a `gr.HTML` as one JSON text, for a script that reads it with `lab.ofText`.

    At every event, whatever page it is of, Gradio's front end copies the values of all components that events have
    changed so far, number by number and several times. A value of thousands would slow every slider of the app.
    """
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def is_update(value: Any) -> bool:
    """Return whether a value is a `gr.update` or a `gr.skip`."""
    return isinstance(value, dict) and value.get("__type__") == "update"


def after(given: Values, updates: Values) -> Values:
    """Return the values that components have once updates are shown, for what follows in the same run.

    Asked before they are: Gradio takes an update's value out of it.
    """
    changes = {one: change for one, change in updates.items() if one in given}
    told = {one: change for one, change in changes.items() if not is_update(change)}
    moved = {one: change["value"] for one, change in changes.items() if is_update(change) and "value" in change}
    return {**given, **told, **moved}


def names_address(value: Any) -> bool:
    """Return whether an address stands in place of an uploaded file, in any depth of what a caller sent."""
    if isinstance(value, dict):
        path = value.get("path")
        if "meta" in value and isinstance(path, str) and path.strip().lower().startswith(("http:", "https:")):
            return True
        value = list(value.values())
    return isinstance(value, list | tuple) and any(map(names_address, value))


def names_file(value: Any) -> bool:
    """Return whether a value stands for a file as Gradio's clients write it."""
    return isinstance(value, dict) and isinstance(value.get("path"), str) and isinstance(value.get("meta"), dict)


def in_full(block_fn: BlockFunction, inputs: list[Any]) -> list[Any]:
    """Return what a public endpoint is called with, with the defaults of the last parameters that a caller left out.

    Raises:
        gr.Error: if there are too many values, one without a default is missing, or something stands for a file.
    """
    parameters, name = list(inspect.signature(block_fn.fn).parameters.values()), block_fn.api_name
    if len(inputs) > len(parameters):
        raise gr.Error(f"/{name} takes {len(parameters)} values, not {len(inputs)}.", print_exception=False)
    rest = parameters[len(inputs) :]
    if lacking := [one.name for one in rest if one.default is one.empty]:
        raise gr.Error(f"/{name} also needs: {', '.join(lacking)}.", print_exception=False)
    files = [value for block, value in zip(block_fn.inputs, inputs, strict=False) if isinstance(block, gr.File)]
    if any(value is not None and not names_file(value) for value in files):
        raise gr.Error(UPLOADED, print_exception=False)
    return [*inputs, *(one.default for one in rest)]


def refusal(error: Exception, name: str | None) -> gr.Error:
    """Return what a caller is told of an input that cannot be taken; the log has it in one line, as Gradio's has 19."""
    words = str(error.message) if isinstance(error, gr.Error) else f"{name or 'This event'} cannot take what came."
    log.warning("refused: %s (%s)", words[:200], type(error).__name__)
    count(REFUSED)
    return gr.Error(words, print_exception=False)


def check_told(event: gr.EventData | None, name: str | None) -> None:
    """Check what a page's script tells of an event: names and values, or nothing, which becomes {}; and no file.

    For events that read it: with others the browser sends what it likes, such as the words in a field.

    Raises:
        gr.Error: in one sentence, where it is anything else.
    """
    if event is None:
        return
    event._data = {} if event._data is None else event._data
    if not isinstance(event._data, dict):
        raise refusal(TypeError("no object"), name)
    try:
        check_all_files_in_cache(event._data)
    except gr.Error:
        raise refusal(gr.Error(UPLOADED), name) from None


@contextmanager
def unserved() -> Iterator[None]:
    """Keep Gradio from building a server meanwhile: the one that serves is built by `launch`, after all others."""
    create = vars(App)["create_app"]
    App.create_app = staticmethod(lambda *_, **__: None)
    try:
        yield
    finally:
        App.create_app = create


class Updates(gr.Blocks):
    """Blocks that send every update of a generator whole, and none twice, and on which a slider's field may be empty.

    Gradio sends what differs from the update before. The browser writes that into the objects of the update before,
    which may still wait to be painted: on a busy machine what they held is lost. When a generator is over it sends the
    last update again: where the page has gone on meanwhile, to another data set or a later run, what was gone is back.
    What is called from outside is therefore no generator: its callers take the last message for the answer. And a
    generator yields `gr.skip()` at least: one that yields nothing empties its outputs.
    """

    def __init__(self, *given: Any, **named: Any):
        super().__init__(*given, **named)
        self.default_config = Configuration(self.default_config)

    def queue(self, *given: Any, **named: Any) -> Updates:
        """Set how events wait, as `gr.Blocks.queue` does."""
        with unserved():
            return super().queue(*given, **named)

    def __exit__(self, *given: Any) -> None:
        """End the layout."""
        with unserved():
            super().__exit__(*given)

    @property
    def state_holder(self) -> StateHolder:
        """What keeps the sessions' states."""
        return self._state_holder

    @state_holder.setter
    def state_holder(self, holder: StateHolder) -> None:
        holder.session_data, self._state_holder = Sessions(), holder

    async def process_api(
        self, block_fn: BlockFunction, inputs: list[Any], *given: Any, session_hash: str | None = None, **named: Any
    ) -> dict[str, Any]:
        """Return what an event comes to.

        Raises:
            gr.Error: if it is none of the app's own, or the state that it rests on was let go of; what needs no input
                goes on, such as Stop.
        """
        if block_fn.collects_event_data:
            check_told(named.get("event_data"), block_fn.api_name)
        if block_fn.fn is None:
            raise refusal(gr.Error("This event is the page's own: nothing is done for it here."), block_fn.api_name)
        kept = getattr(getattr(self, "_state_holder", None), "session_data", None)
        if kept is not None and session_hash in kept.forgotten and block_fn.inputs:
            raise refusal(gr.Error(FORGOTTEN), block_fn.api_name)
        return await super().process_api(block_fn, inputs, *given, session_hash=session_hash, **named)

    async def preprocess_data(
        self, block_fn: BlockFunction, inputs: list[Any], state: Any, explicit_call: bool = False
    ) -> list[Any]:
        """Return an event's arguments; NaN for a slider whose field is empty: `gr.Slider` compares it with its bounds.

        NaN is in no range, so that whoever reads it says that it is none, in its own words.

        Raises:
            gr.Error: if an address stands in place of a file: Gradio would fetch it; or a file of the server's own;
                if a public endpoint is called with other values than it takes; or if a component cannot take one.
        """
        try:
            if names_address(inputs):
                raise gr.Error(FETCHED)
            if block_fn.api_visibility == "public":
                inputs = in_full(block_fn, inputs)
            given = [
                math.nan if value is None and isinstance(block, gr.Slider) else value
                for block, value in zip(block_fn.inputs, inputs, strict=False)
            ]
            return await super().preprocess_data(block_fn, [*given, *inputs[len(given) :]], state, explicit_call)
        except InvalidPathError:
            raise refusal(gr.Error(UPLOADED), block_fn.api_name) from None
        except Exception as error:
            raise refusal(error, block_fn.api_name) from None

    def handle_streaming_diffs(
        self,
        block_fn: BlockFunction,
        data: list,
        session_hash: str | None,
        run: str | None,
        final: bool,
        simple_format: bool = False,
    ) -> list:
        """Return what is sent of an update: the edits, by component, that make it of the update before."""
        if session_hash is None or run is None or simple_format:
            return super().handle_streaming_diffs(block_fn, data, session_hash, run, final, simple_format)
        first = run not in self.pending_diff_streams[session_hash]
        sent = super().handle_streaming_diffs(block_fn, data, session_hash, run, final, simple_format=True)
        if final:
            return [gr.skip() for _ in sent]
        return sent if first else [[("replace", [], value)] for value in sent]
