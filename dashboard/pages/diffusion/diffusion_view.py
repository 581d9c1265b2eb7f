"""What the scripts of the Diffusion page show: their templates, and values made of pictures and sentences."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from dashboard import format
from dashboard.pages.diffusion.engine import Noised, Segment, Snapshot, apart, larger, two_rows
from dashboard.service import Frame, Knob, Order, png
from dashboard.ui import model_card
from dashboard.ui.html import template
from dashboard.ui.knobs import spelled

SIDES = ("left", "right")
FORWARD = template(__file__, "forward")
REEL = template(__file__, "reel")
FILM = template(__file__, "film").replace(
    "{reels}", "".join(REEL.format(side=side, title=side.capitalize()) for side in SIDES)
)
STEPS = template(__file__, "steps")


def knob_words(knobs: Sequence[Knob], values: Mapping[str, Any]) -> str:
    """Return settings for people, without the knobs that have no effect: 'ddim, eta 0.5'."""
    shown = [knob for knob in knobs if knob.applies(values)]
    return ", ".join(str(values[k.name]) if k.choices else f"{spelled(k.name)} {values[k.name]:g}" for k in shown)


def estimate(calls: int, seconds: float, source: str, n: int = 1) -> str:
    """Return what a run would take, as a sentence; 0 seconds are unknown."""
    what = f"{calls:,} network call{'s' * (calls != 1)}{f' on {n} images' if n > 1 else ''}"
    if not seconds:
        return f"{what}; how long they take is not known yet."
    return f"{what}: about {format.duration(1000 * seconds)}, {source}."


def uri(picture: Any) -> str:
    """Return a picture, uint8 (H, W, C), as a data URI."""
    return "data:image/png;base64," + base64.b64encode(png(picture)).decode()


def at_level(found: Noised) -> dict[str, Any]:
    """Return the value that shows an image under noise."""
    level = found.level
    decibels = f"{level.decibels:.1f} dB".replace("-", "−")
    return {
        "t": level.t,
        "xt": model_card.data_uri(found.x_t[None]),
        "hat": "" if found.x0 is None else model_card.data_uri(found.x0[None]),
        "figures": [
            ["signal √ā", f"{level.signal:.4f}"],
            ["noise √(1−ā)", f"{level.noise:.4f}"],
            ["SNR", f"{level.snr:.3g}"],
            ["in decibels", decibels],
        ],
        "words": "" if found.x0 is not None else "Waiting for the device.",
        "problem": "",
    }


def strip_of(strip: Sequence[Noised]) -> dict[str, Any]:
    """Return the value that shows a strip, and its picture to download."""
    places = [[one.level.t, model_card.data_uri(one.x_t[None]), at_level(one)["hat"]] for one in strip]
    whole = all(one.x0 is not None for one in strip)
    snapshots = [Snapshot(0, one.level.t, one.x_t, one.x0 if whole else one.x_t) for one in strip]
    return {"strip": places, "download": uri(larger(two_rows(snapshots))) if whole else ""}


def new_snapshots(segment: Segment, first: int) -> list[Any]:
    """Return the new snapshots of a trajectory as the page's script reads them; `first` is the place of the first."""
    return [
        segment.side,
        [[first + i, one.t, one.calls, uri(two_rows([one]))] for i, one in enumerate(segment.snapshots)],
        segment.total,
    ]


def whole_trajectory(snapshots: Sequence[Snapshot], segment: Segment) -> dict[str, Any]:
    """Return a trajectory as the page's script reads it: one picture of all snapshots, and where each stands."""
    times = [[snapshot.t, snapshot.calls] for snapshot in snapshots]
    return {"sprite": uri(two_rows(snapshots)) if snapshots else "", "times": times, "total": segment.total}


def progress(segments: Sequence[Segment], seconds: float = 0.0) -> dict[str, Any]:
    """Return how far the trajectories are after so many seconds."""
    calls, total = sum(segment.calls for segment in segments), sum(segment.total for segment in segments)
    return {"share": calls / total, "words": f"{calls:,} of {total:,} network calls{left(calls, total, seconds)}."}


def left(done: int, total: int, seconds: float) -> str:
    """Return about how long the rest takes, for the end of a sentence; '' when that is hardly worth saying."""
    rest = seconds / done * (total - done) if done else 0.0
    return f", about {format.duration(1000 * rest)} left" if rest > 2 else ""


def ending(trajectories: Sequence[Sequence[Snapshot]], segments: Sequence[Segment]) -> dict[str, Any]:
    """Return what the trajectories came to."""
    if not any(trajectories):
        return {"share": 0, "words": "Stopped before its turn."}
    if any(segment.state != "done" for segment in segments):
        return {**progress(segments), "words": f"Stopped after {progress(segments)['words']} What was drawn stays."}
    gap = apart(trajectories[0][-1].x0, trajectories[1][-1].x0)
    if not gap:
        words = "Both end in the same image, level for level."
    elif gap < 1:
        words = f"Both end in nearly the same image: a pixel differs by {gap:.2f} of 255 levels on average."
    else:
        words = f"From the same noise to different images: a pixel differs by {gap:.1f} of 255 levels on average."
    return {"share": 1, "words": words}


def forming(frame: Frame) -> dict[str, Any]:
    """Return the value that shows samples which are being drawn."""
    step = f"Step {frame.index:,} of {frame.total:,}"
    words = {
        "loading": "Loading and warming up.",
        "running": f"{step}{left(frame.index, frame.total, frame.seconds)}. Shown: the images it would give now.",
        "stopped": f"Stopped at s{step[1:]}; shown are the images it would have given then.",
        "skipped": "Stopped before its turn.",
        "failed": frame.problem,
    }[frame.state]
    value: dict[str, Any] = {"words": words, "share": frame.index / frame.total if frame.total else 0, "name": ""}
    if frame.images is not None:
        value |= {"image": model_card.data_uri(frame.images, 4), "alt": f"Samples at {step.lower()}", "faint": False}
    return value


def drawn_words(order: Order, steps: int, seconds: float | None) -> str:
    """Return what finished samples are."""
    if seconds is None:
        return f"{order.n} samples, {format.plural(steps, 'step')}, seed {order.seed}: shipped with the checkpoint."
    each = format.duration(1000 * seconds / order.n)
    whole = format.duration(1000 * seconds)
    return f"{order.n} samples, {format.plural(steps, 'step')}, seed {order.seed}: {whole} here, {each} per image."
