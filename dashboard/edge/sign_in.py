"""A private app on a network: whoever asks must know its token. Gradio's own `auth` leaves assistants' routes open."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from html import escape
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, parse_qsl, urlencode

from dashboard.edge.asgi import App, Receive, Scope, Send, address, answer, header, refuse
from dashboard.edge.health import HEALTH

COOKIE, PARAMETER, LEAST = "trilemma", "token", 12
NEEDED = "This app asks for its token: open it with ?token=..., or send the header 'Authorization: Bearer ...'."
WRONG = "That is not this app's token."
SHORT = f"A token needs {LEAST} characters at least, without blanks, of those that a keyboard has."
DAYS = 30
Spoken = Callable[[str, str], tuple[str, Callable[[str], str]]]
UNASKED = (HEALTH, "/gradio_api/startup-events")  # which Gradio asks of itself when it starts
FIELD, BUTTON = "Token", "Open"
# What the address says besides is handed on, its part behind the hash by the script.
PAGE = """<!doctype html><html lang="{lang}"><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{{font:16px system-ui,sans-serif;max-width:24rem;margin:18vh auto;padding:0 1rem;color-scheme:light dark}}
input,button{{font:inherit;padding:.5rem;margin:.3rem .3rem 0 0}}</style>
<h1>{title}</h1><form method="get" action="./"><p role="alert">{words}</p>
<label>{field} <input name="token" type="password" autocomplete="current-password" required autofocus></label>
{rest}<button>{button}</button></form><script>document.forms[0].action = `./${{location.hash}}`</script></html>"""


def in_english(asked: str, accepted: str) -> tuple[str, Callable[[str], str]]:
    """Return the language of a visitor, and what says a sentence in it, where there is none but English."""
    return "en", str


def good_token(token: str) -> bool:
    """Return whether a token is long enough not to be guessed, and can stand in a header and an address."""
    return len(token) >= LEAST and token.isascii() and token.isprintable() and " " not in token


class SignIn:
    """A layer that lets through whoever gives the token: in an address once, then in a cookie, or in a header.

    Args:
        app: What is inside.
        token: The token; '' asks nobody.
        spoken: Returns a visitor's language, and what says a sentence in it, of the address's word for it and the
            header Accept-Language.
    """

    def __init__(self, app: App, token: str, spoken: Spoken = in_english):
        self.app, self.token, self.spoken = app, token.encode(), spoken
        self.pass_ = hmac.new(self.token, b"cookie", hashlib.sha256).hexdigest()  # the cookie holds no token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if not self.token or scope["type"] != "http" or address(scope) in UNASKED:
            return await self.app(scope, receive, send)
        given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get(PARAMETER, [""])[0]
        if given and scope["method"] == "GET" and address(scope) in ("", "/"):
            return await (self.welcome(scope, send) if self.same(given) else self.ask(scope, send, WRONG))
        if self.knows(scope):
            return await self.app(scope, receive, send)
        words = WRONG if header(scope, "authorization") else NEEDED
        if "text/html" in header(scope, "accept"):
            return await self.ask(scope, send, words)
        return await refuse(send, 401, words)

    def same(self, given: str) -> bool:
        """Return whether a text is the token; how long the comparison takes says nothing of it."""
        return hmac.compare_digest(given.encode("utf-8", "replace"), self.token)

    def knows(self, scope: Scope) -> bool:
        """Return whether a request has the token in its header, or the cookie that stands for it."""
        kind, _, given = header(scope, "authorization").partition(" ")
        if kind.lower() == "bearer" and self.same(given.strip()):
            return True
        try:
            cookie = SimpleCookie(header(scope, "cookie")).get(COOKIE)
        except CookieError:
            cookie = None
        return cookie is not None and hmac.compare_digest(cookie.value.encode(), self.pass_.encode())

    async def welcome(self, scope: Scope, send: Send) -> None:
        """Give the cookie, and send the browser to the same address without the token."""
        asked = parse_qs(scope["query_string"].decode("latin-1"))
        rest = urlencode({name: value for name, value in asked.items() if name != PARAMETER}, doseq=True)
        secure = "; Secure" if "https" in (scope.get("scheme"), header(scope, "x-forwarded-proto")) else ""
        cookie = f"{COOKIE}={self.pass_}; Path=/; HttpOnly; SameSite=Lax; Max-Age={DAYS * 86400}{secure}"
        headers = [(b"location", f"./{'?' + rest if rest else ''}".encode()), (b"set-cookie", cookie.encode())]
        await answer(send, b"", [*headers, (b"cache-control", b"no-store")], 303)

    async def ask(self, scope: Scope, send: Send, words: str) -> None:
        """Ask for the token on a page, in the visitor's language."""
        headers = [(b"content-type", b"text/html; charset=utf-8"), (b"cache-control", b"no-store")]
        asked = parse_qsl(scope.get("query_string", b"").decode("latin-1"))
        lang, say = self.spoken(dict(asked).get("lang", ""), header(scope, "accept-language"))
        told = {"title": "Trilemma Lab", "words": words, "field": FIELD, "button": BUTTON}
        said = {name: escape(say(english)) for name, english in told.items()}
        rest = "".join(
            f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
            for name, value in asked
            if name != PARAMETER
        )
        await answer(send, PAGE.format(**said, lang=lang, rest=rest).encode(), headers, 401)
