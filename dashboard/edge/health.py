"""How the app is, for whoever keeps it running: `/healthz`, which anybody may ask, and `/metrics`.

The counters are in Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dashboard.edge.asgi import App, Message, Receive, Scope, Send, address, answer
from dashboard.service import Service
from dashboard.service.counters import OUTCOMES, SECONDS, count, counted
from dashboard.service.public import is_public

HEALTH, METRICS = "/healthz", "/metrics"
CLASSES = ("2xx", "3xx", "4xx", "5xx")
MEMORY = Path("/proc/self/statm")
TEXT, JSON = b"text/plain; version=0.0.4; charset=utf-8", b"application/json"


class Counted:
    """The outermost layer: it counts what requests are answered, by the class of the status."""

    def __init__(self, app: App):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                count(f"{message['status'] // 100}xx")
            await send(message)

        await self.app(scope, receive, counting)


class Health:
    """A layer that says how the app is.

    Args:
        app: What is inside.
        service: The service.
    """

    def __init__(self, app: App, service: Service):
        self.app, self.service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        where = address(scope) if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") else ""
        if where == HEALTH:
            state = health(self.service)
            await say(send, json.dumps(state), JSON, 200 if state["ready"] else 503)
        elif where == METRICS:
            await say(send, metrics(self.service), TEXT)
        else:
            await self.app(scope, receive, send)


async def say(send: Send, text: str, kind: bytes, status: int = 200) -> None:
    """Send a text that holds for this moment alone."""
    await answer(send, text.encode(), [(b"content-type", kind), (b"cache-control", b"no-store")], status)


def health(service: Service) -> dict[str, Any]:
    """Return whether the first models are loaded, what the app computes on, and how many wait for it."""
    return {
        "ready": service.ready,
        "device": service.machine.get("device", "cpu"),
        "queue": service.device.waiting + service.device.busy,
    }


def metrics(service: Service) -> str:
    """Return the counters; a public app leaves out what is of the machine and not of the app."""
    found = counted()
    classes = {f'{{status="{kind}"}}': found.get(kind, 0) for kind in CLASSES}
    outcomes = {f'{{outcome="{outcome}"}}': found[outcome] for outcome in OUTCOMES}
    parts = [
        family("trilemma_requests_total", "counter", "Requests answered, by the class of the status.", classes),
        family(
            "trilemma_runs_total", "counter", "Runs that had or wanted the device, by what became of them.", outcomes
        ),
        family("trilemma_device_seconds_total", "counter", "Seconds that runs had the device.", {"": found[SECONDS]}),
        family("trilemma_queue_length", "gauge", "Runs that wait for the device.", {"": service.device.waiting}),
        family("trilemma_device_busy", "gauge", "Whether a run has the device.", {"": int(service.device.busy)}),
    ]
    if MEMORY.exists() and not is_public():
        memory = {"": resident()}
        parts.append(family("process_resident_memory_bytes", "gauge", "Resident memory size in bytes.", memory))
    return "".join(parts)


def family(name: str, kind: str, words: str, samples: Mapping[str, float]) -> str:
    """Return the lines of one metric; `samples` are its values by their labels."""
    lines = "".join(f"{name}{labels} {value:.10g}\n" for labels, value in samples.items())
    return f"# HELP {name} {words}\n# TYPE {name} {kind}\n{lines}"


def resident() -> int:
    """Return the bytes of memory that this process has in use now, where Linux tells."""
    return int(MEMORY.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
