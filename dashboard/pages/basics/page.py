"""Basics: likelihood, posterior, divergences, the derivation of the ELBO, and which densities are explicit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from dashboard.pages import slug_of
from dashboard.pages.basics import densities, derivation, divergences, joint, parametric
from dashboard.pages.basics.panels import PANELS
from dashboard.service import Service
from dashboard.service.parsing import whole_or
from dashboard.ui.address import Address, number
from dashboard.ui.events import QUICK, Values
from dashboard.ui.html import scripted, title
from dashboard.ui.panels import LATEX, chart, framed, on_open

TITLE = "Basics"
SLUG = slug_of(__name__)
Drawing = tuple[Callable[..., Any], list[gr.Slider], list[gr.HTML]]  # what draws, of what, where
DRAGGED: dict[str, Any] = {**QUICK, "trigger_mode": "always_last"}


def build(service: Service) -> None:
    """Lay out the page in the current Blocks. Nothing here needs a model or data."""
    title(
        "The basics, on numbers that are known",
        "What all three families stand on: distributions with parameters, their likelihood, and what to do where it "
        "cannot be computed. Here x and z are one number each, so that everything can be computed, and drawn.",
    )
    address = Address(SLUG)
    drawings = [*_parametric(address), *_joint(address), *_divergences(address)]
    _derivation(address)
    drawings += _densities(address)
    for draw, sliders, charts in drawings:
        for one in sliders:
            one.input(draw, sliders, charts, **DRAGGED)
    # One run for all: Gradio would call listeners of their own one after another, each a round trip.
    moved, drawn = ({one for drawing in drawings for one in drawing[place]} for place in (1, 2))
    on_open(lambda given: opened(drawings, given), moved, drawn, queue=False)


def slider(
    address: Address, name: str, low: float, high: float, value: float, label: str, step: float = 0.05
) -> gr.Slider:
    """Return a slider of this page, which is kept in its address."""
    found = gr.Slider(low, high, value=value, step=step, label=label, interactive=True, elem_id=f"{SLUG}-{name}",
                      elem_classes=["knob"])  # fmt: skip
    address.keep(name, found)
    return found


def opened(drawings: list[Drawing], given: Values) -> dict:
    """Draw all charts."""
    shown: dict = {}
    for draw, sliders, charts in drawings:
        cards = draw(*(given[one] for one in sliders))
        shown |= zip(charts, cards if isinstance(cards, tuple) else [cards], strict=True)
    return shown


def _parametric(address: Address) -> list[Drawing]:
    with framed(PANELS["parametric"]):
        with gr.Row(elem_classes=["bs-turns"]):
            moments = [
                slider(address, "mean", *parametric.MEANS, -1.0, "mean μ"),
                slider(address, "deviation", *parametric.STDS, 0.6, "deviation σ"),
            ]
        with gr.Row(elem_classes=["charts", "bs-charts"]):
            charts = [chart(f"{SLUG}-normal"), chart(f"{SLUG}-hill")]
        with gr.Row(elem_classes=["bs-beside"]):
            with gr.Column(elem_classes=["bs-stack"]):
                weights = [
                    slider(address, f"weight-{name.lower()}", 0, 1, 0.5, f"weight of {name}")
                    for name in parametric.COUNTS
                ]
            counted = chart(f"{SLUG}-categorical")
    return [
        (lambda mean, std: (parametric.normal_card(mean, std), parametric.hill(mean, std)), moments, charts),
        (lambda *values: parametric.categorical_card(values), weights, [counted]),
    ]


def _joint(address: Address) -> list[Drawing]:
    with framed(PANELS["joint"]):
        with gr.Row(elem_classes=["bs-turns"]):
            x = slider(address, "x", joint.LOW, joint.HIGH, 1.0, "x")
        with gr.Row(elem_classes=["charts", "bs-three"]):
            charts = [chart(f"{SLUG}-{name}") for name in ("cloud", "slice", "evidence")]
    return [(lambda value: tuple(draw(value) for draw in (joint.cloud, joint.slice_at, joint.evidence)), [x], charts)]


def _divergences(address: Address) -> list[Drawing]:
    with framed(PANELS["divergences"]):
        with gr.Row(elem_classes=["bs-turns"]):
            moments = [
                slider(address, "q-mean", -4, 4, 0.5, "mean of q"),
                slider(address, "q-deviation", 0.3, 3, 1.0, "deviation of q"),
            ]
        return [(divergences.card, moments, [chart(f"{SLUG}-divergences")])]


def _derivation(address: Address) -> None:
    most = len(derivation.lines())
    with framed(PANELS["derivation"]):
        count = scripted(f"{SLUG}-line", "<i hidden></i>", "", 1)
        with gr.Row(elem_classes=["bs-turns", "bs-steps"]):
            back = gr.Button("Back", elem_id=f"{SLUG}-derivation-back", variant="secondary", interactive=False)
            following = gr.Button("Next line", elem_id=f"{SLUG}-derivation-next", variant="primary")
        shown = gr.Markdown(derivation.shown(1), latex_delimiters=LATEX, elem_id=f"{SLUG}-derivation",
                            elem_classes=["formula", "bs-derivation"])  # fmt: skip
    changed = [count, shown, back, following]

    def at(line: int) -> tuple[Any, ...]:
        line = min(max(line, 1), most)
        ends = gr.update(interactive=line > 1), gr.update(interactive=line < most)
        return line, derivation.shown(line), *ends

    for button, by in ((back, -1), (following, 1)):
        button.click(lambda line, by=by: at(whole_or(line, 1) + by), [count], changed, **QUICK)
    address.keep("line", count, read=number("line", 1, most, whole=True))
    address.follow(lambda values: dict(zip(changed, at(values.get("line", 1)), strict=True)), changed)


def _densities(address: Address) -> list[Drawing]:
    with framed(PANELS["densities"]):
        with gr.Row(elem_classes=["bs-turns"]):
            where = slider(address, "density-x", joint.LOW, joint.HIGH, 0.5, "x")
            draws = slider(address, "draws", 20, densities.MOST, 100, "draws of the generator", step=20)
        return [(densities.card, [where, draws], [chart(f"{SLUG}-densities")])]
