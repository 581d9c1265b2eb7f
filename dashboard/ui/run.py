"""How a run goes on every page: it begins, waits in the device's line, shows what forms, is stopped, and ends.

A run is one generator of a page's updates: it checks the settings, begins with `Runs.begin`, and shows what the service
makes through `Run.shown` or `Run.made`, which say the place in line meanwhile. It ends by itself once its stop event is
set, in the line or half-way: Gradio's own `cancels` would end it without its last word.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from html import escape
from typing import Any, TypeVar

import gradio as gr
from gradio.context import Context, LocalContext

from dashboard import format
from dashboard.service.counters import REFUSED, count
from dashboard.service.device import Waiting
from dashboard.service.problems import without_paths
from dashboard.service.visits import Visit, address, presence, request_of
from dashboard.ui.events import QUICK

T = TypeVar("T")
Updates = Generator[Any, None, T]  # updates of a page, and what comes of them in the end


def in_line(waiting: Waiting) -> str:
    """Return what is said of a run that waits for the device."""
    seconds = waiting.seconds
    wait = "" if seconds < 2 else f", about {seconds:.0f} s" if seconds < 90 else f", about {format.minutes(seconds)}"
    return f"The device is busy, {waiting.ahead} ahead{wait}; this starts when it is free."


def status(words: str, problem: bool = False) -> str:
    """Return the line that answers, below the controls; a problem names no folders that visitors need not know."""
    if problem:
        words = without_paths(words)
        count(REFUSED)
    kind = ' class="problem" role="alert"' if problem else ""
    return f'<div class="status"><span{kind}>{escape(words)}</span></div>'


class Run:
    """One run of a visitor.

    Attributes:
        stop: Set when the run shall end: by Stop, by a later run, or because the visitor has gone or gone on, or does
            not listen.
    """

    def __init__(self, runs: Runs, session: str):
        self._runs, self._session = runs, session
        request = request_of(LocalContext)
        self.stop = Visit(session, presence(LocalContext), "" if request is None else address(request))

    @property
    def current(self) -> bool:
        """Whether it is still its visitor's run: one that was given up for another must not paint any more."""
        return self._runs.of(self._session) is self

    def shown(
        self, frames: Iterable[Waiting | T], say: Callable[[str], Any], paint: Callable[[T], Any]
    ) -> Updates[bool]:
        """Yield the updates that show frames as they form; return whether the run is still its visitor's.

        Args:
            frames: What the service makes; it may tell now and then that it waits for the device.
            say: The updates that show a sentence about waiting.
            paint: The updates that show a frame; None for one that is passed over.
        """
        for frame in frames:
            if not self.current:
                yield gr.skip()  # a generator that yields nothing would empty its outputs
                return False
            updates = say(in_line(frame)) if isinstance(frame, Waiting) else paint(frame)
            if updates is not None:
                yield updates
        return self.current

    def made(self, work: Generator[Waiting, None, T], say: Callable[[str], Any]) -> Updates[T]:
        """Yield the updates that say how a piece of work waits for the device, and return what it makes.

        Raises:
            InputError: as the work does.
        """
        while True:
            try:
                waiting = next(work)
            except StopIteration as end:
                return end.value
            yield say(in_line(waiting)) if self.current else gr.skip()


class Runs:
    """The runs of one part of a page, of which a visitor has one at a time: the next one ends the one before.

    Args:
        go: The button that begins a run, which cannot be pressed while one lasts.
        stop: The button that ends it.
    """

    def __init__(self, go: gr.Button | None = None, stop: gr.Button | None = None):
        self.go, self.stop = go, stop
        self._runs: dict[str, Run] = {}

    @property
    def begun(self) -> dict:
        """The buttons' updates when a run has begun."""
        return self._buttons(running=True)

    @property
    def over(self) -> dict:
        """The buttons' updates when it is over."""
        return self._buttons(running=False)

    def _buttons(self, running: bool) -> dict:
        pairs = ((self.go, not running), (self.stop, running))
        return {button: gr.update(interactive=can) for button, can in pairs if button is not None}

    def connect(self, *started: Any) -> None:
        """Connect the button Stop, a visitor's leaving, and what follows when a run breaks, to what starts runs."""
        Context.root_block.unload(self.leave)
        if self.stop is not None:
            self.stop.click(self.cancel, None, None, **QUICK)
        for event in started:
            event.failure(lambda: self.over, None, list(self.over), **QUICK)

    def begin(self, request: gr.Request) -> Run:
        """Return a visitor's next run; the one before ends."""
        self.leave(request)
        run = self._runs[request.session_hash] = Run(self, request.session_hash)
        return run

    def of(self, session: str) -> Run | None:
        """Return a session's run."""
        return self._runs.get(session)

    def cancel(self, request: gr.Request) -> None:
        """Stop a visitor's run within one step, or before it begins; it says so itself."""
        if run := self.of(request.session_hash):
            run.stop.set()

    def leave(self, request: gr.Request) -> None:
        """Stop the run of a visitor who has gone, or gone on to something else; it paints nothing more."""
        if run := self._runs.pop(request.session_hash, None):
            run.stop.set()
