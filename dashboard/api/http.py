"""What scripts without Gradio's client are told when they name an endpoint or a parameter that is not there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradio.routes import JSONResponse

BY_NAME = "/gradio_api/call/v2/"  # where Gradio takes parameters by their names, and raises on others


def exception_handlers() -> dict[type[Exception], Callable[..., Any]]:
    """Return what makes sentences of the errors that Gradio raises of a call by names; all others go on."""
    return {TypeError: told, KeyError: told}


async def told(request: Any, error: Exception) -> JSONResponse:
    """Return the answer to a call by names that Gradio cannot make sense of."""
    if not request.url.path.startswith(BY_NAME):
        raise error
    if isinstance(error, KeyError):
        return JSONResponse({"error": f"There is no endpoint {error.args[0]!r}."}, 404)
    return JSONResponse({"error": f"{str(error).partition('. ')[0].rstrip('.')}."}, 422)
