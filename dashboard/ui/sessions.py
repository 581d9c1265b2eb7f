"""What Gradio keeps of visitors: little of each, of so many, and first of all of those whose page is open.

Gradio keeps a session's state until `state_session_capacity` others came later. It counts calls of the API as sessions
too, so that a program in a loop would push out whoever reads a page. And it copies the whole configuration for each: 60
ms of work, 1.4 MB.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gradio.blocks import BlockFunction, BlocksConfig

from dashboard.edge.asgi import App, Receive, Scope, Send, address

CAPACITY = 1000  # sessions; see docs/reliability.md
REMEMBERED = 20_000  # sessions that were let go of
HEARTBEAT = "/gradio_api/heartbeat/"  # a page that is open holds a request to this address, its session at the end
FOR_PROGRAMS = ("api_info", "api_info_as_input", "api_info_as_output", "example_inputs", "component_class_id")
FORGOTTEN = "This page was left alone while many others came, and what it had made is let go of: load it again."


class Sessions(OrderedDict):
    """The states of sessions, as Gradio keeps them: by hash, the one used last at the end.

    Attributes:
        open: How many pages of a session are open.
        forgotten: Those that were let go of.
    """

    def __init__(self) -> None:
        super().__init__()
        self.open: Counter[str] = Counter()
        self.forgotten: OrderedDict[str, None] = OrderedDict()

    def popitem(self, last: bool = True) -> tuple[str, Any]:
        """Let go of the session that was used least lately of those whose page is open nowhere; else of all.

        The latest one stays: it is being used.
        """
        hashes = list(self)[:-1] or list(self)
        found = next((one for one in hashes if one not in self.open), hashes[0])
        self.forgotten[found] = None
        if len(self.forgotten) > REMEMBERED:
            self.forgotten.popitem(last=False)
        return found, self.pop(found)

    @contextmanager
    def opened(self, session: str) -> Iterator[None]:
        """Say that a session's page is open meanwhile."""
        self.open[session] += 1
        try:
            yield
        finally:
            self.open[session] -= 1
            self.open += Counter()  # without those of none


class Configuration(BlocksConfig):
    """The app's configuration, of which a session keeps what it changed and no copy of the rest.

    Gradio fills the copy for links to a session's state, of which there are none here.
    """

    def __init__(self, whole: BlocksConfig):
        super().__init__(whole.root_block)
        vars(self).update(vars(whole))

    def set_event_trigger(self, *given: Any, show_progress: str = "full", show_progress_on: Any = None, **named: Any
                          ) -> tuple[BlockFunction, int]:  # fmt: skip
        """Take in an event; one that shows no progress has no place that shows it.

        Gradio's front end tells all places of all events so far how each event stands, several times an event and with
        the values of each: of itself, a place is whatever an event may change.
        """
        places = [] if show_progress == "hidden" else show_progress_on
        return super().set_event_trigger(*given, show_progress=show_progress, show_progress_on=places, **named)

    def get_config(self, renderable: Any = None) -> dict[str, Any]:
        """Return the configuration that a page begins with, less what it says to programs of what none may call."""
        config = super().get_config(renderable)
        events = [fn for fn in self.fns.values() if fn.api_visibility != "private"]
        called = {block._id for fn in events for block in (*fn.inputs, *fn.outputs)}
        for component in config["components"]:
            for word in () if component["id"] in called else FOR_PROGRAMS:
                component.pop(word, None)
        return config

    def __copy__(self) -> BlocksConfig:
        copied = super().__copy__()
        copied.config_for_block = lambda *_: NOTHING
        return copied


NOTHING: dict[str, Any] = {}


class Tabs:
    """A layer that knows which sessions have an open page: those whose heartbeat lasts."""

    def __init__(self, app: App):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        where = address(scope) if scope["type"] == "http" else ""
        if not where.startswith(HEARTBEAT):
            return await self.app(scope, receive, send)
        with scope["app"].state_holder.session_data.opened(where.removeprefix(HEARTBEAT)):
            return await self.app(scope, receive, send)


def layer() -> tuple[type, tuple[Any, ...], dict[str, Any]]:
    """Return the layer, as Starlette takes its middleware."""
    return Tabs, (), {}
