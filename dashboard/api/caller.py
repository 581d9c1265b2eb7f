"""Who calls an endpoint, and how."""

from __future__ import annotations

from gradio.context import LocalContext

from dashboard.service.visits import Visit, address, presence, request_of


def asking() -> Visit:
    """Return the visit of whoever calls the endpoint that runs in this thread: it is set soon after they have gone."""
    request = request_of(LocalContext)
    return Visit(address(request) if request is not None else "", presence(LocalContext))


def is_assistant() -> bool:
    """Return whether this thread's endpoint is called as an assistant's tool."""
    url = getattr(LocalContext.request.get(None), "url", None)
    return "/gradio_api/mcp" in getattr(url, "path", "")
