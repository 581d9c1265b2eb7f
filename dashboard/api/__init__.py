"""What programs may ask of the app: named endpoints over the service, each a plain function with typed parameters.

They are the same for HTTP, for `gradio_client` and for assistants (MCP); `docs/api.md` shows each. The pages have their
own, private handlers. `ENDPOINTS` is the list.
"""

from __future__ import annotations

import gradio as gr

from dashboard.api.endpoint import Endpoint, answers
from dashboard.api.http import exception_handlers
from dashboard.api.inventory import models, training_log
from dashboard.api.making import encode, generate, interpolate
from dashboard.api.measured import recommend, rows
from dashboard.api.measuring import benchmark, bound, judge, score
from dashboard.service import Service

__all__ = ["ENDPOINTS", "exception_handlers", "register"]

ENDPOINTS = (
    Endpoint(models, ("answer",)),
    Endpoint(generate, ("answer", "picture", "archive"), runs=True),
    Endpoint(rows, ("answer",)),
    Endpoint(recommend, ("answer",)),
    Endpoint(score, ("answer",), runs=True),
    Endpoint(encode, ("answer", "picture"), runs=True),
    Endpoint(interpolate, ("answer", "picture", "archive"), runs=True),
    Endpoint(bound, ("answer",), runs=True),
    Endpoint(benchmark, ("answer",), runs=True),
    Endpoint(training_log, ("answer",)),
    Endpoint(judge, ("answer",), runs=True),
)


def register(service: Service) -> None:
    """Add the endpoints to the current Blocks; before the pages, whose handlers would take their names."""
    with gr.Column(visible=False):
        trigger, shared = gr.Button(), answers()
        for endpoint in ENDPOINTS:
            endpoint.register(service, trigger, shared)
