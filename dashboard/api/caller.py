"""Whether the caller of an endpoint is still there: a call that nobody waits for any more must not hold the device.

Gradio runs a plain function to its end whatever becomes of its caller. What it knows is asked here: of a queued call
whether its event was cancelled, or the stream of its session closed; of a call that is an HTTP request of its own
whether that is disconnected.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from anyio import from_thread
from gradio.context import LocalContext

TICK = 0.25  # seconds between two looks
UNREAD = 60.0  # seconds after which a caller who has not fetched the news of a call is taken for gone
PATIENCE = 5.0  # seconds for the server's loop to tell


@contextmanager
def stop_when_gone() -> Iterator[threading.Event]:
    """Give an event that is set soon after the caller of the endpoint that runs in this thread has gone."""
    stop, over = threading.Event(), threading.Event()
    there = presence()

    def watch() -> None:
        while not over.wait(TICK):
            if not there():
                stop.set()
                return

    threading.Thread(target=watch, daemon=True, name="caller").start()
    try:
        yield stop
    finally:
        over.set()


def is_assistant() -> bool:
    """Return whether this thread's endpoint is called as an assistant's tool."""
    url = getattr(LocalContext.request.get(None), "url", None)
    return "/gradio_api/mcp" in getattr(url, "path", "")


def presence() -> Callable[[], bool]:
    """Return what tells whether the caller of this thread's endpoint is there."""
    blocks, event_id, request = (
        one.get(None) for one in (LocalContext.blocks, LocalContext.event_id, LocalContext.request)
    )
    if event_id is not None and event_id in blocks._queue.event_ids_to_events:
        return queued(blocks._queue, event_id)
    request = getattr(request, "request", request)  # Gradio's own, or Starlette's
    return connected(request) if hasattr(request, "is_disconnected") else lambda: True


def queued(queue: Any, event_id: str) -> Callable[[], bool]:
    """Return what tells whether somebody waits for a queued event.

    Cancelling takes it out of the queue's list, and the end of its session's stream marks it. A caller who joined and
    has never opened the stream leaves the first message unread.
    """
    event = queue.event_ids_to_events[event_id]
    read = time.monotonic()

    def there() -> bool:
        nonlocal read
        messages = queue.pending_messages_per_session.get(event.session_hash)
        if messages is None or messages.empty():
            read = time.monotonic()
        waits = event.alive and queue.event_ids_to_events.get(event_id) is event
        return waits and time.monotonic() - read < UNREAD

    return there


def connected(request: Any) -> Callable[[], bool]:
    """Return what tells whether an HTTP request's client is connected."""
    loop = from_thread.run_sync(asyncio.get_running_loop)

    def there() -> bool:
        try:
            return not asyncio.run_coroutine_threadsafe(request.is_disconnected(), loop).result(PATIENCE)
        except TimeoutError:  # a busy loop says nothing
            return True
        except RuntimeError:  # a closed one says that the app has ended
            return False

    return there
