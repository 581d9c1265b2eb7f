"""The app: its pages, its header, and how it is launched."""

from __future__ import annotations

import argparse
import errno
import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from dashboard import api, edge, pages, theme
from dashboard.edge.sign_in import SHORT, good_token
from dashboard.figures import embedding
from dashboard.service import InputError, Service
from dashboard.service.public import SPACE, is_open, is_public, on_space, said_at_start
from dashboard.ui import address, assets, language, model_card, served, sessions
from dashboard.ui.events import QUICK, THREADS, Updates

TITLE = "Trilemma Lab"
QUEUE_SIZE = 1000  # events that wait for a thread; runs do not wait there, see `dashboard.ui.events`
TOKEN = "TRILEMMA_TOKEN"
MOON = (
    '<svg viewBox="0 0 16 16" width="16" height="16" fill="currentColor" aria-hidden="true">'
    '<path d="M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 1.6v10.8A5.4 5.4 0 0 1 8 2.6Z"/></svg>'
)

CHAIN = (
    '<svg viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor" stroke-width="1.5" '
    'stroke-linecap="round" aria-hidden="true"><path d="M6.5 9.5l3-3M7.5 4.6l1.3-1.3a2.7 2.7 0 0 1 3.9 3.9l-1.3 1.3'
    'M8.5 11.4l-1.3 1.3a2.7 2.7 0 0 1-3.9-3.9l1.3-1.3"/></svg><span>Copy link</span>'
)


def header(service: Service) -> str:
    """Return the header: logo, page links, device, and what single pages need on every page."""
    found = pages.modules()
    links = {slug: f'<a href="#{slug}" data-page="{slug}">{escape(page.TITLE)}</a>' for slug, page in found.items()}
    groups = "".join(
        f'<div class="group" role="group" aria-label="{name}">{"".join(links[slug] for slug in group)}</div>'
        for name, group in pages.GROUPS.items()
        if group
    )
    more = "".join(page.in_header() for page in found.values() if hasattr(page, "in_header"))
    return (
        '<a class="skip" href="#pages">Skip to the page</a>'
        f'<div class="top"><span class="brand">{theme.logo()}{TITLE}</span><nav aria-label="Pages">{groups}</nav>'
        f'{badge()}<span class="pill" data-testid="device">{escape(model_card.machine_name(service.machine))}</span>'
        f'<button class="pill copy" type="button" aria-label="Copy link" title="Copy a link to the page as it stands">'
        f"{CHAIN}</button>"
        f'<button class="pill theme" type="button" aria-label="Light or dark" title="Light or dark">{MOON}</button>'
        f'<button class="pill language" type="button" translate="no" lang="ko">한국어</button>{more}</div>'
    )


def badge() -> str:
    """Return what says that the app is public, and how to have one's own; '' where it is not."""
    if not is_public():
        return ""
    if on_space():
        where = f"https://huggingface.co/spaces/{escape(os.environ[SPACE])}?duplicate=true"
        return (
            f'<a class="pill" data-testid="public" href="{where}" target="_blank" rel="noopener" '
            'title="Duplicate this Space">Public<span>: duplicate</span></a>'
        )
    return (
        '<a class="pill" data-testid="public" href="#yours" title="Run your own">Public<span>: run your own</span></a>'
    )


def build(service: Service) -> gr.Blocks:
    """Return the app with all its pages."""
    with Updates(title=TITLE, analytics_enabled=False, delete_cache=(3600, 86400), fill_width=True) as demo:
        api.register(service)
        gr.HTML(
            header(service),
            js_on_load="lab.pages(); element.querySelector('.theme').addEventListener('click', lab.theme); "
            "element.querySelector('.copy').addEventListener('click', (event) => lab.copyLink(event.currentTarget)); "
            "lab.languageSwitch(element.querySelector('.language')); "
            "element.querySelector('.skip').addEventListener('click', lab.skip)",
            apply_default_css=False,
            elem_id="top",
        )
        with gr.Tabs(elem_id="pages"):
            tabs = {}
            for slug, page in pages.modules().items():
                with gr.Tab(page.TITLE, id=slug) as tabs[slug]:
                    page.build(service)
        address.connect(demo, tabs, service.datasets())
        foot = gr.HTML(model_card.imported(service.imported()), js_on_load=None, elem_id="imported")
        demo.load(lambda: model_card.imported(service.imported()), None, [foot], **QUICK)
    return demo.queue(max_size=QUEUE_SIZE)


def launch_options(service: Service, token: str = "") -> dict[str, Any]:
    """Return how the app is launched, wherever it runs; whoever asks must know the token if there is one."""
    gr.set_static_paths([embedding.script()])
    return {
        "theme": theme.theme(),
        "head": assets.head(list(service.families), pages.PAGES),
        "server_name": host(),
        "server_port": port(),
        "show_error": False,
        "strict_cors": True,
        "state_session_capacity": sessions.CAPACITY,
        "ssr_mode": False,
        "enable_monitoring": False,
        "run_history": False,
        "share": False,
        "footer_links": ["api"],
        "mcp_server": True,
        "max_threads": THREADS,
        "app_kwargs": {
            "middleware": [
                *edge.layers(service, host(), token, os.environ, language.spoken),
                sessions.layer(),
                served.layer(TITLE),
            ],
            "exception_handlers": api.exception_handlers(),
        },
        "max_file_size": "1gb" if is_open() else "1mb",  # an upload is refused by Gradio before any page sees it
    }


def host() -> str:
    """Return the address that the app listens at."""
    return os.environ.get("GRADIO_SERVER_NAME") or ("0.0.0.0" if on_space() else "127.0.0.1")


def port() -> int:
    """Return the port that the app listens at."""
    return int(os.environ.get("GRADIO_SERVER_PORT") or 7860)


def check_address(name: str, number: int) -> None:
    """Check that the app can listen at an address and port, which gradio would tell in a traceback.

    Raises:
        InputError: saying why it cannot, and what to change.
    """
    try:
        found = socket.getaddrinfo(name.strip("[]"), number, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in found[:1]:
            with socket.socket(family, kind, protocol) as probe:
                if os.name != "nt":  # where it would let two programs have one port
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
    except OSError as error:
        taken = error.errno in (errno.EADDRINUSE, errno.EACCES)
        why = "another program has this port" if error.errno == errno.EADDRINUSE else (error.strerror or error)
        what = "port with GRADIO_SERVER_PORT" if taken else "address with GRADIO_SERVER_NAME"
        raise InputError(f"The app cannot listen at {name}:{number} ({why}); choose another {what}.") from None


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what `python app.py` was told."""
    parser = argparse.ArgumentParser(prog="python app.py", description="Open the dashboard.")
    parser.add_argument(
        "--data-root", type=lambda text: Path(os.path.expanduser(text)), metavar="FOLDER",
        help="a folder; those below it can be opened as data on the page Your data",
    )  # fmt: skip
    parser.add_argument(
        "--token", nargs="?", const=secrets.token_urlsafe(18), default=os.environ.get(TOKEN, ""), metavar="TEXT",
        help=f"let in only who knows this text, or one made up for this start; also {TOKEN}",
    )  # fmt: skip
    told = parser.parse_args(arguments)
    if told.token and not good_token(told.token):
        parser.error(SHORT)
    if told.data_root is not None and not told.data_root.is_dir():
        parser.error(f"There is no folder {str(told.data_root)!r} to be the --data-root.")
    return told


def main(arguments: Sequence[str] | None = None) -> None:
    """Build the app, serve it, and load the models once it answers; SIGTERM ends it as Ctrl-C does."""
    told = options(arguments)
    check_address(host(), port())
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        demo = start(told, typed="--token" in (sys.argv if arguments is None else arguments))
    except KeyboardInterrupt:  # later ones end `block_thread`
        print("Stopped before it was served.", flush=True)
        return
    demo.block_thread()


def start(told: argparse.Namespace, typed: bool) -> gr.Blocks:
    """Build and serve the app, say where it is, with its token if --token was `typed`, and begin to load the models."""
    service = Service(data_root=told.data_root)
    demo = build(service)
    demo.launch(prevent_thread_lock=True, **launch_options(service, told.token))
    if words := said_at_start(host(), bool(told.token)):
        print(words, flush=True)
    if told.token and typed:
        print(f"Open it as {demo.local_url}?token={told.token}", flush=True)
    for page in pages.modules().values():
        if hasattr(page, "when_served"):  # what goes on whether somebody looks at the page or not
            page.when_served(service)
    threading.Thread(target=service.preload, daemon=True).start()
    return demo
