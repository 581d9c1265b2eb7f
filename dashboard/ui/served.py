"""How the app is served besides Gradio's own ways: its document compressed, saying what it is to whoever shows a link.

Gradio's document says 'Gradio', shows Gradio's picture, and is sent as it is: a megabyte. What `launch(head=)` adds
comes with a script, which nobody who makes a card of a link runs.
"""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Awaitable, Callable
from html import escape
from pathlib import Path
from typing import Any

PICTURE = Path(__file__).parent / "share.png"  # made by tests/ui/screenshots.py
ADDRESS = "/share.png"
DOCUMENTS = ("/", "/config")  # Gradio itself compresses what has an ending: scripts, sheets, its JSON
LEVEL = 6
WORDS = (
    "Three ways to make images, measured side by side: a VAE, a GAN and a diffusion model, by how close to real, how "
    "varied and how fast they are."
)
GRADIOS = re.compile(rb'<meta\s+(?:property="og:|name="twitter:)[^>]*>\s*')
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Served:
    """A layer around Gradio's app (ASGI): its document and its configuration go through here, all else goes by."""

    def __init__(self, app: Callable[..., Awaitable[None]], title: str):
        self.app, self.card = app, card(title).encode()

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        address = scope["path"].removeprefix(scope.get("root_path", "")) if scope["type"] == "http" else ""
        if address == ADDRESS:
            headers = [(b"content-type", b"image/png"), (b"cache-control", b"max-age=86400")]
            await answer(send, PICTURE.read_bytes(), headers)
        elif address in DOCUMENTS:
            await self.app(scope, receive, Whole(send, dict(scope["headers"]), self.introduced))
        else:
            await self.app(scope, receive, send)

    def introduced(self, document: bytes) -> bytes:
        """Return a document with the app's card for Gradio's; what follows the first script is left as it is."""
        tags, script, rest = document.partition(b"<script")
        return GRADIOS.sub(b"", tags).replace(b"<head>", b"<head>" + self.card, 1) + script + rest


class Whole:
    """Takes an answer in, in however many parts, and sends it whole: introduced if it is a page, small if it may be."""

    def __init__(self, send: Send, asked: dict[bytes, bytes], introduced: Callable[[bytes], bytes]):
        self.send, self.introduced = send, introduced
        self.small = b"gzip" in asked.get(b"accept-encoding", b"")
        self.start: Message = {}
        self.body = bytearray()

    async def __call__(self, message: Message) -> None:
        """Take one part."""
        if message["type"] == "http.response.start":
            self.start = message
            return
        self.body += message.get("body", b"")
        if message.get("more_body"):
            return
        headers = dict(self.start["headers"])
        html = headers.get(b"content-type", b"").startswith(b"text/html")
        body = self.introduced(bytes(self.body)) if html else bytes(self.body)
        kept = [(name, value) for name, value in self.start["headers"] if name != b"content-length"]
        if self.small and b"content-encoding" not in headers:
            body, kept = gzip.compress(body, LEVEL), [*kept, (b"content-encoding", b"gzip")]
        await answer(self.send, body, [*kept, (b"vary", b"accept-encoding")], self.start["status"])


async def answer(send: Send, body: bytes, headers: list[tuple[bytes, bytes]], status: int = 200) -> None:
    """Send an answer whole."""
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


def app_kwargs(title: str) -> dict[str, Any]:
    """Return what the FastAPI app under Gradio is made with besides, for an app of this title."""
    return {"middleware": [(Served, (title,), {})]}  # as a Starlette Middleware unpacks


def card(title: str) -> str:
    """Return the tags for whoever shows a link to the app: its title, what it is, and a picture.

    A Space knows its own address, which the picture's must begin with for most readers; elsewhere it is relative.
    """
    space = os.environ.get("SPACE_HOST", "")
    picture = f"https://{space}{ADDRESS}" if space else ADDRESS
    told = {"og:type": "website", "og:title": title, "og:description": WORDS, "og:image": picture,
            "og:image:width": "1200", "og:image:height": "630"}  # fmt: skip
    tags = "".join(f'<meta property="{key}" content="{escape(words)}" />' for key, words in told.items())
    return (
        f'<title>{escape(title)}</title>{tags}<meta name="description" content="{escape(WORDS)}" />'
        '<meta name="twitter:card" content="summary_large_image" />'
    )
