"""Table: every row that was measured, sorted and filtered in the browser, to take away as CSV, JSON or a report."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import gradio as gr

from dashboard import theme
from dashboard.figures import table
from dashboard.pages import slug_of
from dashboard.pages.table import report
from dashboard.results.operating_points import Measurements, machine_key
from dashboard.service import Service, __version__, metrics_of
from dashboard.service.cache import Cache
from dashboard.ui import dataset_choice
from dashboard.ui.address import Address, number
from dashboard.ui.events import QUICK, as_text
from dashboard.ui.html import scripted, template, title
from dashboard.ui.panels import on_open

TITLE = "Table"
SLUG = slug_of(__name__)
FILES = {"CSV": "csv", "JSON": "json", "Report": "html"}  # the button's words and the file's ending
SCAFFOLD = template(__file__, "rows")


def build(service: Service) -> None:
    """Lay out the page in the current Blocks and connect it to the service."""
    Table(service).connect()


class Table:
    """The page's components and what they do."""

    def __init__(self, service: Service):
        self.service = service
        self._written = Cache(16)
        datasets = service.datasets()
        title(
            "Every row",
            "All that was measured, with its interval, beside real images scored against real images. Sort it, "
            "filter it, take it with you.",
        )
        with gr.Row(elem_classes=["shared"], elem_id="table-shared"):
            self.dataset = dataset_choice.dropdown(SLUG, datasets)
            with gr.Row(elem_classes=["downloads"]):
                gr.HTML('<span class="hint">Download</span>', js_on_load=None)
                self.files = [
                    gr.DownloadButton(words, elem_id=f"table-{ending}", interactive=False, size="sm")
                    for words, ending in FILES.items()
                ]
        badges = "".join(
            f'<template data-badge="{family}">{theme.badge(family, 13)}</template>'
            for family in [*service.families, *theme.BESIDE]
        )
        with gr.Column(elem_classes=["card"]):
            self.table = scripted("table-rows", SCAFFOLD + badges, "lab.table(element, props, watch)", "")
        self.opened = gr.State(False)
        address = Address(SLUG, service.datasets)
        address.keep("data", self.dataset)
        address.scripts("features", among=lambda data: self.service.measurements(data).compared)
        address.scripts("family", among=lambda data: list(service.families))
        address.scripts("n", number("n", 1, 10**9, whole=True))
        for name in ("sort", "kind", "find", "columns"):
            address.scripts(name)

    def connect(self) -> None:
        """Connect the components; rows are read when the page is opened: they may have come since, as from Speed."""
        outputs = [self.dataset, self.table, *self.files]
        self.dataset.input(self.show, [self.dataset], outputs, **QUICK)
        on_open(self.open, [self.dataset, self.opened], [self.opened, *outputs], queue=False)

    # ---- handlers

    def open(self, request: gr.Request, dataset: str | None, opened: bool) -> dict:
        """Show the data set that was chosen; when the page is opened for the first time, that of the address."""
        dataset, choices = dataset_choice.opened_on(request, self.service.datasets(), dataset if opened else None)
        return {self.opened: True, self.dataset: choices, **self.show(dataset)}

    def show(self, dataset: str | None) -> dict:
        """Show a data set's rows, and make its files ready."""
        measured = self.service.measurements(dataset or "")
        titles = {name: kind.title for name, kind in self.service.families.items()}
        paths = self._paths(measured)
        return {
            self.table: as_text(table.table(measured, metrics_of(measured.dataset), titles)),
            **{button: gr.update(value=paths.get(ending), interactive=bool(paths))
               for button, ending in zip(self.files, FILES.values(), strict=True)},
        }  # fmt: skip

    def _paths(self, measured: Measurements) -> dict[str, str]:
        """Return the files of some measurements by ending, written once; {} when there is nothing to take away."""
        if not (measured.points or measured.baselines or measured.failures or measured.bounds or measured.costs):
            return {}
        return self._written.find(self.service.measurements_key(measured.dataset), lambda: self._write(measured))

    def _write(self, measured: Measurements) -> dict[str, str]:
        made, here = datetime.now(UTC).date().isoformat(), machine_key({"machine": self.service.machine})
        contents = {
            "csv": table.as_csv(measured),
            "json": table.as_json(measured, __version__, made),
            "html": report.page(measured, metrics_of(measured.dataset), self.service.families, __version__, made, here),
        }
        folder, paths = Path(tempfile.mkdtemp(prefix="table-")), {}
        for ending, content in contents.items():
            path = folder / f"{measured.dataset.replace('/', '-')}-{'report' if ending == 'html' else 'rows'}.{ending}"
            path.write_text(content, encoding="utf-8")
            paths[ending] = str(path)
        return paths
