"""The choice of a data set, at the head of most pages."""

from __future__ import annotations

from collections.abc import Sequence

import gradio as gr

from dashboard import format


def choices(names: Sequence[str]) -> list[tuple[str, str]]:
    """Return the choices of a dropdown of data sets."""
    return [(format.dataset_title(name), name) for name in names]


def dropdown(page: str, names: Sequence[str] = (), visible: bool | None = None) -> gr.Dropdown:
    """Return a page's dropdown of data sets; hidden while there is no choice, unless told otherwise."""
    return gr.Dropdown(
        choices(names),
        value=next(iter(names), None),
        label="data",
        interactive=True,
        filterable=False,
        visible=len(names) > 1 if visible is None else visible,
        elem_id=f"{page}-dataset",
    )


def opened_on(request: gr.Request, names: Sequence[str], shown: str | None = None) -> tuple[str, dict]:
    """Return the data set that a page opens on, and the update of its dropdown.

    It is the one `shown` before, else the one that the address names, else the first, '' when there is none.
    """
    dataset = next((one for one in (shown, request.query_params.get("data")) if one in names), next(iter(names), ""))
    return dataset, gr.update(choices=choices(names), value=dataset or None, visible=len(names) > 1)
