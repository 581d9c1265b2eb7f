"""What a browser is told to hold the app to: nothing is guessed, sent, loaded or framed besides what the app needs."""

from __future__ import annotations

from dashboard.edge.asgi import App, Message, Receive, Scope, Send

# Gradio puts the scripts of the head, and those of each piece of HTML, into the page as text: 'unsafe-inline' and
# 'unsafe-eval' are what it runs on. What the policy keeps is that no script, image or request leaves for elsewhere.
POLICY = {
    "default-src": "'self'",
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval' blob:",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "media-src": "'self' data: blob:",
    "connect-src": "'self' data: blob:",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
}
HUB = "https://huggingface.co"  # which shows a Space in a frame


def policy(space: str) -> str:
    """Return the content security policy; `space` is the host name of the Space that the app runs on, '' elsewhere."""
    frames = f"'self' {HUB}" if space else "'self'"
    return "; ".join(f"{key} {value}" for key, value in {**POLICY, "frame-ancestors": frames}.items())


class Headers:
    """A layer that adds these headers to every answer.

    Args:
        app: What is inside.
        space: See `policy`.
    """

    def __init__(self, app: App, space: str):
        self.app = app
        self.added = [
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"same-origin"),
            (b"content-security-policy", policy(space).encode()),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *self.added]}
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)
