"""By which names the app may be asked for, and from whose pages.

A page of anywhere can have its own name point to 127.0.0.1 once it is open, and then reads and asks an app of this
machine as if it were its own (DNS rebinding): its requests name a host that is not the app's. A page that only sends a
request across says in Origin where it is from.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from dashboard.edge.asgi import READS, App, Receive, Scope, Send, header, refuse

VARIABLE, SPACE = "TRILEMMA_HOSTS", "SPACE_HOST"  # set by the owner; set by Hugging Face on a Space
LOOPBACK = ("localhost", "127.0.0.1", "::1")
EVERYWHERE = ("0.0.0.0", "::", "")
STRANGE = (
    "This app is not reached by the name {name!r}. If it is yours, name it in " + VARIABLE + " when you start the app."
)
FOREIGN = (
    "A page of {name!r} may not ask this app to do anything. If it is yours, name it in "
    + VARIABLE
    + " when you start the app."
)
SHOWN = 60  # characters of a name that is refused


@dataclass(frozen=True)
class Known:
    """The names that an app goes by.

    Attributes:
        names: Host names and addresses; '*' in one stands for any part of a name.
        addresses: Whether any IP address will do: nobody's name can point to one.
    """

    names: frozenset[str]
    addresses: bool = False

    def has(self, host: str) -> bool:
        """Return whether a host name or address is among them."""
        return (self.addresses and is_address(host)) or any(fnmatchcase(host, name) for name in self.names)


def known_hosts(listens: str, environment: Mapping[str, str]) -> Known:
    """Return the names of an app that listens at a name or address, in an environment.

    On the loopback it goes by the loopback's names alone. Where it listens everywhere it goes by any IP address and
    this machine's own name, unless TRILEMMA_HOSTS says by which: names with commas between them, '*' for any. A Space
    goes by any name: what stands before it decides which, and nothing in it is private.
    """
    listens = listens.strip("[]").lower()
    given = [name.strip().lower() for name in environment.get(VARIABLE, "").split(",") if name.strip()]
    names = {*LOOPBACK, *given, *(["*"] if environment.get(SPACE) else [])}
    if listens not in EVERYWHERE:
        return Known(frozenset({*names, listens}))
    if given:
        return Known(frozenset(names))
    mine = socket.gethostname().lower()
    return Known(frozenset({*names, mine, f"{mine}.local"}), addresses=True)


def is_address(host: str) -> bool:
    """Return whether a host is an IP address and no name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def place(text: str) -> tuple[str, int | None]:
    """Return the host and the port that 'host:port' or an origin names; ('', None) for what names none."""
    try:
        parts = urlsplit(text if "//" in text else f"//{text}")
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return "", None
    return (parts.hostname or "").rstrip("."), port


class Hosts:
    """A layer that lets through what names the app as it is known, and changes something only for its own pages.

    Args:
        app: What is inside.
        known: The app's names.
    """

    def __init__(self, app: App, known: Known):
        self.app, self.known = app, known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        problem = self.problem(scope) if scope["type"] == "http" else ""
        if problem:
            await refuse(send, 403, problem)
        else:
            await self.app(scope, receive, send)

    def problem(self, scope: Scope) -> str:
        """Return why a request is not let through, '' if it is."""
        host, origin = header(scope, "host"), header(scope, "origin")
        if not self.known.has(place(host)[0]):
            return STRANGE.format(name=host[:SHOWN])
        if scope["method"] not in READS and origin and not self.own(origin, scope):
            return FOREIGN.format(name=origin[:SHOWN])
        return ""

    def own(self, origin: str, scope: Scope) -> bool:
        """Return whether an origin is the app itself, as the browser or a proxy before it names it, or a named one."""
        name, port = place(origin)
        asked = [place(header(scope, one)) for one in ("host", "x-forwarded-host")]
        # A host without a port is at the usual one of its scheme, which a proxy may have changed.
        if any(name == other and (at in (port, None) or port is None) for other, at in asked if other):
            return True
        return name not in LOOPBACK and name != "" and not is_address(name) and self.known.has(name)
