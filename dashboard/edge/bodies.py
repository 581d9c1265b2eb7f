"""How much a request may bring: a body is measured before it is read, and an upload is refused where nobody may."""

from __future__ import annotations

from dashboard.edge.asgi import READS, App, Message, Receive, Scope, Send, address, header, refuse
from dashboard.service.public import CLOSED, is_open

MOST = 2_000_000  # bytes; the largest that a page sends, a drawing or a film's settings, is a tenth of it
UPLOADS = "/gradio_api/upload"
# Links that Gradio makes of a session: a file of a megabyte each, which no page here asks for.
UNUSED = ("/gradio_api/deep_link",)
LARGE = f"A request's body may have {MOST:,} bytes here, and this one has more."
GONE = "There is nothing at this address."


class Bodies:
    """A layer that reads a body to its limit before anything else does; files go by, Gradio measures them."""

    def __init__(self, app: App):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        where = address(scope)
        if where.startswith(UNUSED):
            return await refuse(send, 404, GONE)
        if scope["method"] in READS:
            return await self.app(scope, receive, send)
        if has_files(scope, where):
            return await (self.app(scope, receive, send) if is_open() else refuse(send, 403, CLOSED))
        body = await whole(scope, receive)
        if body is None:
            return await refuse(send, 413, LARGE)
        return await self.app(scope, before(body, receive), send)


def has_files(scope: Scope, where: str) -> bool:
    """Return whether a request brings files."""
    return where.startswith(UPLOADS) or header(scope, "content-type").startswith("multipart/")


async def whole(scope: Scope, receive: Receive) -> bytes | None:
    """Return a body; None for one that says it is too large, or becomes so."""
    said = header(scope, "content-length")
    if said.isdecimal() and int(said) > MOST:
        return None
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MOST:
            return None
        if not message.get("more_body"):  # the last part, or the client has gone
            return bytes(body)


def before(body: bytes, receive: Receive) -> Receive:
    """Return what gives a body that was read, and after it what comes."""
    left = [body]

    async def again() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return again
