"""The app: its pages, its header, and how it is launched."""

from __future__ import annotations

import os
import signal
import threading
from html import escape
from typing import Any

import gradio as gr

from dashboard import pages, theme
from dashboard.figures import embedding
from dashboard.service import Service
from dashboard.ui import assets, model_card
from dashboard.ui.events import Updates

TITLE = "Trilemma Lab"
QUEUE_SIZE = 20
MOON = (
    '<svg viewBox="0 0 16 16" width="16" height="16" fill="currentColor" aria-hidden="true">'
    '<path d="M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 1.6v10.8A5.4 5.4 0 0 1 8 2.6Z"/></svg>'
)


def header(service: Service) -> str:
    """Return the header: logo, page links, device, and what single pages need on every page."""
    found = pages.modules()
    links = "".join(f'<a href="#{slug}" data-page="{slug}">{escape(page.TITLE)}</a>' for slug, page in found.items())
    more = "".join(page.in_header() for page in found.values() if hasattr(page, "in_header"))
    return (
        f'<div class="top"><span class="brand">{theme.logo()}{TITLE}</span><nav aria-label="Pages">{links}</nav>'
        f'<span class="pill" data-testid="device">{escape(model_card.machine_name(service.machine))}</span>'
        f'<button class="pill" type="button" aria-label="Light or dark" title="Light or dark">{MOON}</button>'
        f"{more}</div>"
    )


def build(service: Service) -> gr.Blocks:
    """Return the app with all its pages."""
    with Updates(title=TITLE, analytics_enabled=False, delete_cache=(3600, 86400), fill_width=True) as demo:
        gr.HTML(
            header(service),
            js_on_load="lab.pages(); element.querySelector('button').addEventListener('click', lab.theme)",
            apply_default_css=False,
        )
        with gr.Tabs(elem_id="pages"):
            for slug, page in pages.modules().items():
                with gr.Tab(page.TITLE, id=slug):
                    page.build(service)
    return demo.queue(max_size=QUEUE_SIZE)


def launch_options(service: Service) -> dict[str, Any]:
    """Return how the app is launched, wherever it runs."""
    gr.set_static_paths([embedding.script()])
    return {
        "theme": theme.theme(),
        "head": assets.head(list(service.families), pages.PAGES),
        "server_name": os.environ.get("GRADIO_SERVER_NAME")
        or ("0.0.0.0" if os.environ.get("SPACE_ID") else "127.0.0.1"),
        "server_port": int(os.environ.get("GRADIO_SERVER_PORT") or 7860),
        "show_error": False,
        "strict_cors": True,
        "ssr_mode": False,
        "enable_monitoring": False,
        "run_history": False,
        "share": False,
        "footer_links": ["api"],
        "max_file_size": "1mb",
    }


def main() -> None:
    """Build the app, serve it, and load the models once it answers; SIGTERM ends it as Ctrl-C does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    service = Service()
    demo = build(service)
    demo.launch(prevent_thread_lock=True, **launch_options(service))
    threading.Thread(target=service.preload, daemon=True).start()
    demo.block_thread()
