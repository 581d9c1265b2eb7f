"""Samples to look at and to choose from: how far their making is, their pictures, and a chosen one's neighbour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from dashboard import format, theme
from dashboard.service import PREVIEW, Lane
from dashboard.service.samples import Progress, Sampled
from dashboard.ui import model_card

SHEET_COLUMNS = 25  # of the picture that holds all of a family's samples
ASIDE = '<p class="hint">Choose a sample, here or in the map, to see the training image nearest to it.</p>'


def previews(known: Sequence[Lane]) -> dict[str, Sampled]:
    """Return the images shipped with the checkpoints, for the map to show something before anything is made."""
    return {
        lane.family: Sampled(lane.family, lane.title, lane.preview, (lane.checkpoint, lane.preview.tobytes()),
                             seed=PREVIEW["seed"], shipped=True)
        for lane in known
        if lane.preview is not None and not lane.problem
    }  # fmt: skip


def sheet(made: Mapping[str, Sampled]) -> dict[str, Any]:
    """Return what paints the samples: each family's as one picture, and where in it an image stands."""
    return {
        family: {
            "title": sampled.title, "n": len(sampled.images), "size": sampled.images.shape[-1],
            "columns": min(SHEET_COLUMNS, len(sampled.images)),
            "picture": model_card.data_uri(sampled.images, SHEET_COLUMNS),
            "words": "shipped with the checkpoint" if sampled.shipped else f"seed {sampled.seed}",
        }
        for family, sampled in made.items()
    }  # fmt: skip


def described(ours: Mapping[str, Sampled]) -> str:
    """Return which samples were made, in a few words."""
    sizes = sorted({len(sampled.images) for sampled in ours.values()})
    seeds = sorted({sampled.seed for sampled in ours.values()})
    if not sizes:
        return ""
    number = format.listing([f"{size:,}" for size in sizes])
    return f"Made here: {number} samples each, seed {format.listing([str(seed) for seed in seeds])}"


def bars(rows: Sequence[tuple[str, Progress]]) -> str:
    """Return how far each family is."""
    return '<div class="progress">' + "".join(bar(title, progress) for title, progress in rows) + "</div>"


def bar(title: str, progress: Progress) -> str:
    """Return how far one family is: its name, a bar, and words."""
    share = progress.made / progress.n if progress.n else 0
    left = ""
    if progress.state == "running" and progress.fresh >= 1:
        wait = progress.seconds / progress.fresh * (progress.n - progress.made)
        left = f", about {format.duration(1000 * wait)} left" if wait > 2 else ""
    words = {
        "waiting": "waiting",
        "loading": f"{progress.made:,.0f} of {progress.n:,}",
        "running": f"{progress.made:,.0f} of {progress.n:,}{left}",
        "done": f"{progress.n:,} samples" + ("" if progress.fresh else ", kept from before"),
        "stopped": "stopped",
        "skipped": "not started",
        "failed": progress.problem,
    }[progress.state]
    return (
        f'<div class="f-{progress.family}" data-progress="{progress.family}" data-state="{progress.state}">'
        f"{theme.badge(progress.family)}<b>{escape(title)}</b>"
        f'<span class="track"><i style="width:{share:.1%}"></i></span><span>{escape(words)}</span></div>'
    )


def figure(image: np.ndarray, words: str) -> str:
    """Return one uint8 image (C, H, W) with words below it."""
    return (
        f'<figure><img src="{model_card.data_uri(image[None])}" alt="{words}"><figcaption>{words}</figcaption></figure>'
    )


def aside(head: str, pictures: str, drawing: str, answer: str) -> str:
    """Return what is shown of a chosen sample."""
    reading = (
        '<p class="reading">Grey: how near real test images, which no model saw, come to their nearest training image. '
        "Dashed: this sample. Far left of the grey would be a copy.</p>" if drawing else ""
    )  # fmt: skip
    return (
        f'<div class="nearest chart" aria-live="polite"><p class="part">{head}</p><div class="two">{pictures}</div>'
        f'<p class="answer">{escape(answer)}</p>{drawing}{reading}</div>'
    )
