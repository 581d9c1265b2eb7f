"""The words of ASGI that the layers share: what a request says, and how one is answered without Gradio."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Pairs = list[tuple[bytes, bytes]]
READS = ("GET", "HEAD", "OPTIONS")  # methods that change nothing


def header(scope: Scope, name: str) -> str:
    """Return a header of a request, '' where it has none."""
    wanted = name.encode()
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == wanted), "")


def address(scope: Scope) -> str:
    """Return the path of a request below the root that the app is served at."""
    return scope["path"].removeprefix(scope.get("root_path", ""))


async def answer(send: Send, body: bytes, headers: Pairs, status: int = 200) -> None:
    """Send an answer whole."""
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


async def refuse(send: Send, status: int, sentence: str) -> None:
    """Answer a request that is not let through, with one sentence; what follows of it is not read."""
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await answer(send, json.dumps({"error": sentence}, ensure_ascii=False).encode(), headers, status)
