"""How the app is served besides Gradio's own ways: what it says is compressed, its document saying what the app is.

Gradio's document says 'Gradio', shows Gradio's picture, and is sent as it is: a megabyte. What `launch(head=)` adds
comes with a script, which nobody who makes a card of a link runs.
"""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Callable
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

from dashboard.edge.asgi import App, Message, Receive, Scope, Send, address, answer, header
from dashboard.ui import language

PICTURE = Path(__file__).parent / "share.png"  # made by tests/ui/screenshots.py
ADDRESS = "/share.png"
KINDS = (b"text/html", b"application/json")  # Gradio itself compresses what has an ending: scripts, sheets
LEVEL, SMALL = 6, 500  # bytes that are not worth it
LARGE, KEPT = 100_000, 4  # bytes from which on the last few are kept: every visitor asks for the same document
PART = 206
WORDS = (
    "Three ways to make images, measured side by side: a VAE, a GAN and a diffusion model, by how close to real, how "
    "varied and how fast they are."
)
GRADIOS = re.compile(rb'<meta\s+(?:property="og:|name="twitter:)[^>]*>\s*')


class Served:
    """A layer around Gradio's app (ASGI): its documents and its JSON go through here, all else goes by."""

    def __init__(self, app: App, title: str):
        self.app, self.card = app, card(title).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif address(scope) == ADDRESS:
            headers = [(b"content-type", b"image/png"), (b"cache-control", b"max-age=86400")]
            await answer(send, PICTURE.read_bytes(), headers)
        elif catalogue := language.at(address(scope)):
            headers = [(b"content-type", b"application/json"), (b"cache-control", b"max-age=31536000, immutable")]
            whole = Whole(send, header(scope, "accept-encoding"), bytes)
            await answer(whole, catalogue, headers)
        else:
            changed = self.introduced if address(scope) in ("", "/") else bytes
            await self.app(scope, receive, Whole(send, header(scope, "accept-encoding"), changed))

    def introduced(self, document: bytes) -> bytes:
        """Return a document with the app's card for Gradio's; what follows the first script is left as it is."""
        tags, script, rest = document.partition(b"<script")
        return GRADIOS.sub(b"", tags).replace(b"<head>", b"<head>" + self.card, 1) + script + rest


class Whole:
    """Takes in an answer of a kind that is sent whole, and sends it: changed, and small where that is read.

    An answer of another kind goes by as it comes: a stream of events, held back until it is whole, would come late.
    """

    def __init__(self, send: Send, reads: str, changed: Callable[[bytes], bytes]):
        self.send, self.small, self.changed = send, "gzip" in reads, changed
        self.start: Message = {}
        self.body = bytearray()

    async def __call__(self, message: Message) -> None:
        """Take one part."""
        if message["type"] == "http.response.start":
            headers = dict(message["headers"])
            whole = message["status"] != PART and b"content-encoding" not in headers
            if whole and headers.get(b"content-type", b"").startswith(KINDS):
                self.start = message
                return
        if not self.start:
            await self.send(message)
            return
        self.body += message.get("body", b"")
        if not message.get("more_body"):
            await self.all()

    async def all(self) -> None:
        """Send what was taken in."""
        body = self.changed(bytes(self.body))
        kept = [(name, value) for name, value in self.start["headers"] if name != b"content-length"]
        if self.small and len(body) >= SMALL:
            body = (squeezed if len(body) >= LARGE else squeezed.__wrapped__)(body)
            kept = [*kept, (b"content-encoding", b"gzip")]
        await answer(self.send, body, [*kept, (b"vary", b"accept-encoding")], self.start["status"])


@lru_cache(KEPT)
def squeezed(body: bytes) -> bytes:
    """Return an answer compressed; that of the document is the same for all who ask for it."""
    return gzip.compress(body, LEVEL, mtime=0)


def layer(title: str) -> tuple[type, tuple[Any, ...], dict[str, Any]]:
    """Return the layer for an app of this title, as Starlette takes its middleware."""
    return Served, (title,), {}


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
