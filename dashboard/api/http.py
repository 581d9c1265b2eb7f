"""What scripts without Gradio's client are told when they name an endpoint or a parameter that is not there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradio.route_utils import FnIndexInferError
from gradio.routes import JSONResponse

from dashboard.service.counters import REFUSED, count

BY_NUMBER = ("/gradio_api/run/", "/gradio_api/api/", "/gradio_api/call/", "/gradio_api/queue/join")
BY_NAME = "/gradio_api/call/v2/"  # where Gradio takes parameters by their names, and raises on others


def exception_handlers() -> dict[type[Exception], Callable[..., Any]]:
    """Return what makes sentences of the errors that Gradio raises of a call that cannot be one; all others go on."""
    return {TypeError: told, KeyError: told, FnIndexInferError: told}


async def told(request: Any, error: Exception) -> JSONResponse:
    """Return the answer to a call that Gradio cannot make sense of."""
    where = request.url.path
    if not where.startswith(BY_NAME if isinstance(error, TypeError) else BY_NUMBER):
        raise error
    count(REFUSED)
    if not where.startswith(BY_NAME):
        return JSONResponse({"error": "There is no such endpoint."}, 404)
    if isinstance(error, KeyError):
        return JSONResponse({"error": f"There is no endpoint {error.args[0]!r}."}, 404)
    return JSONResponse({"error": f"{str(error).partition('. ')[0].rstrip('.')}."}, 422)
