"""The two algorithms of Ho et al. 2020 as lines to be walked, and the values that their script shows."""

from __future__ import annotations

from typing import Any

from dashboard.pages.diffusion.engine import Descent, Pass, Training
from dashboard.ui import model_card
from dashboard.ui.html import template

TEMPLATE = template(__file__, "algorithm")
# In each line its words; the script lights the one that is being run.
TRAINING = (
    "<b>repeat</b>",
    "<var>x</var><sub>0</sub> ~ <var>q</var>(<var>x</var><sub>0</sub>)",
    "<var>t</var> ~ Uniform({1, …, <var>T</var>})",
    "<var>ε</var> ~ <var>N</var>(0, I)",
    "Take gradient descent step on ∇<sub>θ</sub> ‖<var>ε</var> − <var>ε</var><sub>θ</sub>(√<var>ā</var><sub>t</sub> "
    "<var>x</var><sub>0</sub> + √(1−<var>ā</var><sub>t</sub>) <var>ε</var>, <var>t</var>)‖²",
    "<b>until</b> converged",
)
SAMPLING = (
    "<var>x</var><sub>T</sub> ~ <var>N</var>(0, I)",
    "<b>for</b> <var>t</var> = <var>T</var>, …, 1 <b>do</b>",
    "<var>z</var> ~ <var>N</var>(0, I) if <var>t</var> &gt; 1, else <var>z</var> = 0",
    "<var>x</var><sub>t−1</sub> = (<var>x</var><sub>t</sub> − (1−<var>α</var><sub>t</sub>) / √(1−<var>ā</var>"
    "<sub>t</sub>) <var>ε</var><sub>θ</sub>(<var>x</var><sub>t</sub>, <var>t</var>)) / √<var>α</var><sub>t</sub> + "
    "<var>σ</var><sub>t</sub> <var>z</var>",
    "<b>end for</b>",
    "<b>return</b> <var>x</var><sub>0</sub>",
)
# The tensors and numbers of each: name, what stands below it.
TRAINING_CELLS = (
    ("x0", "<b>x<sub>0</sub></b> the image"),
    ("noise", "<b>ε</b> the noise"),
    ("xt", "<b>x<sub>t</sub></b> the image under it"),
    ("predicted", "<b>ε<sub>θ</sub></b> the noise seen in x<sub>t</sub>"),
)
SAMPLING_CELLS = (
    ("x", "<b>x<sub>t</sub></b> the state"),
    ("z", "<b>z</b> fresh noise"),
    ("predicted", "<b>ε<sub>θ</sub></b> the noise seen in x<sub>t</sub>"),
    ("left", "<b>x&#770;<sub>0</sub></b> what it leaves"),
    ("after", "<b>x<sub>t−1</sub></b> the next state"),
)
AT_ONCE = 100  # passes of the loop that the second button runs


def markup(name: str, lines: tuple[str, ...], cells: tuple[tuple[str, str], ...], go: str) -> str:
    """Return an algorithm's template: its lines, its buttons, and a place for each of its tensors."""
    pictures = "".join(
        f'<figure data-cell="{cell}"><img alt=""><figcaption>{words}</figcaption></figure>' for cell, words in cells
    )
    rows = "".join(f"<li>{line}</li>" for line in lines)
    return TEMPLATE.format(name=name, lines=rows, cells=pictures, go=go)


ALGORITHM_1 = markup("Algorithm 1: training", TRAINING, TRAINING_CELLS, "Run a whole step")
ALGORITHM_2 = markup("Algorithm 2: sampling", SAMPLING, SAMPLING_CELLS, f"Run {AT_ONCE} passes")


def beat(line: int, words: str, *cells: str, figures: str = "") -> dict[str, Any]:
    """Return one moment: the line that is lit, counted from 1, what is said, the cells and the figures that are new."""
    return {"line": line, "words": words, "cells": cells, "figures": figures}


def training_start() -> dict[str, Any]:
    """Return the value that shows Algorithm 1 before its first step."""
    return {"key": "begun", "beats": [beat(1, "Press Next line.")], "pictures": {}, "problem": ""}


def training_value(found: Training, number: int) -> dict[str, Any]:
    """Return the value that shows one step of Algorithm 1."""
    level, pixels = found.level, found.x0.size
    pictures = {"x0": found.x0, "noise": found.noise, "xt": found.x_t, "predicted": found.predicted}
    beats = [
        beat(1, f"Step {number} of training on this image."),
        beat(2, "The image is drawn from the data: it is the one chosen above.", "x0"),
        beat(3, f"√ā = {level.signal:.3f} of the signal stays, √(1−ā) = {level.noise:.3f} is noise.",
             figures=f"t = {found.t:,}"),
        beat(4, "One number of noise for every pixel.", "noise"),
        beat(5, f"xₜ = {level.signal:.3f} x₀ + {level.noise:.3f} ε.", "xt"),
        beat(5, "The network sees xₜ and t, and says which noise is in it.", "predicted"),
        beat(5, "Their squared distance is the loss, and its gradient says how each weight should change.",
             figures=f"loss {found.loss:.1f}, {found.loss / pixels:.4f} a pixel; norm of the gradient "
                     f"{found.gradient_norm:,.0f}"),
        beat(6, "The shipped weights stay as they are; training took this step millions of times, on many images."),
    ]  # fmt: skip
    return {"key": f"step {number}", "at": number, "beats": beats, "pictures": uris(pictures), "problem": ""}


def start_value(descent: Descent) -> dict[str, Any]:
    """Return the value that shows Algorithm 2 before its first pass."""
    words = f"x at t = T = {descent.t:,} is noise alone."
    return {
        "key": "begun",
        "beats": [beat(1, words, "x")],
        "pictures": uris({"x": descent.picture}),
        "problem": "",
        "over": False,
    }


def pass_value(descent: Descent, found: Pass) -> dict[str, Any]:
    """Return the value that shows one pass of Algorithm 2, which has brought it to `descent`."""
    pictures = {"x": found.x, "z": found.z, "predicted": found.noise, "left": found.x0, "after": found.after}
    fresh = "Fresh noise." if found.t > 1 else "At t = 1 nothing is added: z = 0."
    beats = [
        beat(2, "The next t.", "x", figures=f"t = {found.t:,}"),
        beat(3, fresh, "z"),
        beat(4, "The network sees xₜ and t; taken off at once, its noise would leave x̂₀.", "predicted", "left"),
        beat(4, "Only a little of that noise is taken off, and z is added.", "after"),
        beat(5, f"{descent.t:,} more to go." if descent.t else "That was the last t."),
    ]
    if not descent.t:
        beats.append(beat(6, "The image is there."))
    shown = {"key": f"t {found.t}", "at": found.t, "beats": beats, "pictures": uris(pictures)}
    return {**shown, "problem": "", "over": not descent.t}


def uris(pictures: dict[str, Any]) -> dict[str, str]:
    """Return pictures, uint8 (C, H, W), as data URIs."""
    return {name: model_card.data_uri(picture[None]) for name, picture in pictures.items()}
