"""Who asks for a run, and whether somebody still listens: a run that nobody waits for must not hold the device.

Gradio goes on with a run whatever becomes of whoever asked. What it knows is asked here: of a queued event whether it
was cancelled, the stream of its session closed, or nobody takes the news from it; of a call that is an HTTP request of
its own whether that is disconnected.
"""

from __future__ import annotations

import asyncio
import ipaddress
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from anyio import from_thread

from dashboard import format
from dashboard.service.budget import limits
from dashboard.service.public import on_space

TICK = 0.25  # seconds between two looks
UNREAD = 10.0  # seconds after which somebody who has not taken the next piece of news is taken for gone


class Visit(threading.Event):
    """One run of a visitor: set when it shall end, as they said so, nobody listens any more, or it has lasted too long.

    Attributes:
        visitor: Who it is: '' for nobody in particular.
        address: Where a page's visitor, who is new whenever the page is loaded, comes from; '' where that is unknown.
        had: Seconds that it has had the device.
        begun: When it first had the device; None before.
        why: One sentence: why it was ended, where it was not the visitor who did that.
    """

    def __init__(self, visitor: str = "", there: Callable[[], bool] = lambda: True, address: str = ""):
        super().__init__()
        self.visitor, self.address, self.had, self.begun, self.why = visitor, address, 0.0, None, ""
        self._there, self._looked = there, time.monotonic()

    def begin(self) -> None:
        """Say that it has the device, from the first time on."""
        self.begun = self.begun or time.monotonic()

    def is_set(self) -> bool:
        """Return whether the run shall end; whoever does the work asks between two network calls."""
        if not super().is_set() and time.monotonic() - self._looked >= TICK:
            self._looked = time.monotonic()
            most = limits().seconds
            if self.begun is not None and self._looked - self.begun > most:
                self.why = f"It was stopped after {format.minutes(most)}, the longest that a run may take here."
            if self.why or not self._there():
                self.set()
        return super().is_set()


def visit_of(stop: threading.Event | None) -> Visit:
    """Return the visit that a stop is, else one of nobody in particular."""
    return stop if isinstance(stop, Visit) else Visit()


def address(request: Any) -> str:
    """Return the address that an HTTP request comes from; '' where it has none.

    Behind a Space's proxy that is the last public one of X-Forwarded-For: what a caller writes there itself stands
    before it. Anywhere else the header is anybody's to write, so it is not read.
    """
    if on_space():
        for text in reversed(request.headers.get("x-forwarded-for", "").split(",")):
            with suppress(ValueError):
                if (found := ipaddress.ip_address(text.strip())).is_global:
                    return str(found)
    return getattr(request.client, "host", None) or ""


# ---- whether somebody listens


def presence(context: Any) -> Callable[[], bool]:
    """Return what tells whether whoever asked for what runs in this thread is there, by Gradio's `LocalContext`."""
    blocks, event_id = context.blocks.get(None), context.event_id.get(None)
    if event_id is not None and event_id in blocks._queue.event_ids_to_events:
        return queued(blocks._queue, event_id)
    request = request_of(context)
    return connected(request) if hasattr(request, "is_disconnected") else lambda: True


def request_of(context: Any) -> Any:
    """Return the HTTP request, Starlette's, that this thread answers; None if it answers none."""
    request = context.request.get(None)  # Gradio's own, or Starlette's
    return getattr(request, "request", request)


def queued(queue: Any, event_id: str) -> Callable[[], bool]:
    """Return what tells whether somebody waits for a queued event.

    Cancelling takes it out of the queue's list or ends its task, and the end of its session's stream marks it. Somebody
    who joined and has never opened the stream, or does not read it, leaves one message where it is.
    """
    event, events = queue.event_ids_to_events[event_id], queue.event_ids_to_events
    task = next((one for one in list(queue._asyncio_tasks) if one.get_name().endswith(event_id)), None)
    read, seen = time.monotonic(), None

    def there() -> bool:
        nonlocal read, seen
        first = _first(queue.pending_messages_per_session, event.session_hash)
        if first is None or first is not seen:
            read, seen = time.monotonic(), first
        waits = event.alive and events.get(event_id) is event and not (task and task.cancelling())
        return waits and time.monotonic() - read < UNREAD

    return there


def _first(pending: Mapping[str, Any], session: str) -> Any:
    """Return the first message that a session has not taken yet, None if it has taken all."""
    messages = pending.get(session)
    with suppress(AttributeError, IndexError):  # there is no queue any more, or the last one was just taken
        return messages._queue[0]
    return None


def connected(request: Any) -> Callable[[], bool]:
    """Return what tells whether an HTTP request's client is connected, by the answer to the question before.

    The server's loop may be busy: the device must not wait for it.
    """
    loop, asked = from_thread.run_sync(asyncio.get_running_loop), None

    def there() -> bool:
        nonlocal asked
        try:
            gone = asked is not None and asked.done() and asked.result()
            if asked is None or asked.done():
                asked = _ask(request, loop)
            return not gone
        except RuntimeError:  # a closed loop says that the app has ended
            return False

    return there


def _ask(request: Any, loop: asyncio.AbstractEventLoop) -> Future:
    question = request.is_disconnected()
    try:
        return asyncio.run_coroutine_threadsafe(question, loop)
    except RuntimeError:
        question.close()
        raise
