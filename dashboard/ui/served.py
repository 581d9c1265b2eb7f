"""How the app is served besides Gradio's own ways: its document compressed, saying what it is to who shows a link to it.

Gradio's document says 'Gradio', shows Gradio's picture, and is sent as it is: a megabyte. What `launch(head=)` adds comes
with a script, which nobody who makes a card of a link runs.
"""

from __future__ import annotations

import os
import re
from html import escape
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import FileResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PICTURE = Path(__file__).parent / "share.png"  # made by tests/ui/screenshots.py
ADDRESS = "/share.png"
DOCUMENT, CONFIG = "/", "/config"  # Gradio itself compresses what has an ending: scripts, sheets, its JSON
WORDS = (
    "Three ways to make images, measured side by side: a VAE, a GAN and a diffusion model, by how close to real, how "
    "varied and how fast they are."
)
GRADIOS = re.compile(rb'<meta\s+(?:property="og:|name="twitter:)[^>]*>\s*')


def address(scope: Scope) -> str:
    """Return what is asked for, below where the app is mounted; '' of what is no request."""
    return scope["path"].removeprefix(scope.get("root_path", "")) if scope["type"] == "http" else ""


class Compressed(GZipMiddleware):
    """Compresses the app's document and its configuration alone: events are streams, and files have their own way."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await (super().__call__ if address(scope) in (DOCUMENT, CONFIG) else self.app)(scope, receive, send)


class Introduced:
    """Puts the app's own card in the place of Gradio's in its document."""

    def __init__(self, app: ASGIApp, title: str):
        self.app, self.card = app, card(title).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if address(scope) != DOCUMENT:
            return await self.app(scope, receive, send)
        start: Message = {}
        body = bytearray()

        async def whole(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return
            found = bytes(body)
            if Headers(raw=start["headers"]).get("content-type", "").startswith("text/html"):
                found = self.introduce(found)
                MutableHeaders(raw=start["headers"])["content-length"] = str(len(found))
            await send(start)
            await send({"type": "http.response.body", "body": found})

        return await self.app(scope, receive, whole)

    def introduce(self, document: bytes) -> bytes:
        """Return a document with the app's card for Gradio's; what follows the first script is left as it is."""
        tags, script, rest = document.partition(b"<script")
        return GRADIOS.sub(b"", tags).replace(b"<head>", b"<head>" + self.card, 1) + script + rest


def app_kwargs(title: str) -> dict[str, Any]:
    """Return what the FastAPI app under Gradio is made with besides, for an app of this title."""
    return {
        "middleware": [Middleware(Compressed, compresslevel=6), Middleware(Introduced, title)],
        "routes": [Route(ADDRESS, lambda _: FileResponse(PICTURE, headers={"cache-control": "max-age=86400"}))],
    }


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
