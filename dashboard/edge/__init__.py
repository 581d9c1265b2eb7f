"""What every request passes before Gradio sees it: from where it may come, who may ask, how large it may be.

Each layer is a plain ASGI application around the next; none of them knows a page.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dashboard.edge.bodies import Bodies
from dashboard.edge.headers import Headers
from dashboard.edge.health import Counted, Health
from dashboard.edge.hosts import Hosts, known_hosts
from dashboard.edge.sign_in import SignIn, Spoken, in_english
from dashboard.service import Service


def layers(
    service: Service, listens: str, token: str, environment: Mapping[str, str], spoken: Spoken = in_english
) -> list[tuple[type, tuple[Any, ...], dict[str, Any]]]:
    """Return the layers from the outermost in, as Starlette takes its middleware.

    Args:
        service: The service.
        listens: The name or address that the app listens at.
        token: What a visitor must know; '' where nobody is asked.
        environment: What the environment says.
        spoken: Whoever is asked for the token is asked in this language; see `SignIn`.
    """
    return [
        (Counted, (), {}),
        (Headers, (environment.get("SPACE_HOST", ""),), {}),
        (Hosts, (known_hosts(listens, environment),), {}),
        (SignIn, (token, spoken), {}),
        (Health, (service,), {}),
        (Bodies, (), {}),
    ]
