"""`train`: train a preset."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gencore.cli.options import DeviceName
from gencore.cli.terminal import duration, progress, tell

if TYPE_CHECKING:
    from gencore.train import Progress


def train(
    preset: Annotated[str, typer.Argument(help="One that `list` shows, such as digits/vae.")],
    settings: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY=VALUE]...", help="Model and training settings to change, data=NAME, size=N, ..."),
    ] = None,
    minutes: Annotated[float | None, typer.Option(help="Stop after so many minutes.")] = None,
    images: Annotated[int | None, typer.Option(help="Stop after so many images seen.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the training in the output folder.")] = False,
    out: Annotated[Path | None, typer.Option(help="The output folder; by default runs/PRESET.")] = None,
    init: Annotated[str | None, typer.Option(help="A checkpoint whose weights to begin with.")] = None,
    teacher: Annotated[
        str | None, typer.Option(help="A checkpoint to learn from beside the images: a DDPM, for a consistency model.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The training's seed, as the setting seed=N.")] = None,
    tracker: Annotated[str | None, typer.Option(help="Show the log in tensorboard, trackio or wandb too.")] = None,
    device: DeviceName = None,
) -> None:
    """Train a preset. Ctrl-C and SIGTERM stop it and leave a usable checkpoint; --resume goes on."""
    from gencore.presets import resolve_run
    from gencore.signals import stoppable, unmasked
    from gencore.train import train as start

    run = resolve_run(preset, [*(settings or []), *([] if seed is None else [f"seed={seed}"])])
    out = out or Path("runs", preset)
    options = {
        "minutes": minutes,
        "images": images,
        "init": init,
        "teacher": teacher,
        "device": device,
        "tracker": tracker,
    }
    last = None
    try:
        with unmasked(), stoppable() as stop:
            steps = start(run, out, preset=preset, resume=resume, stop=stop, **options)
            # Closing is what saves the checkpoint, wherever in this loop an interruption falls.
            with progress() as show, closing(steps):
                for last in steps:
                    show(training_share(last), training_words(last))
            if stop() or (last is not None and last.eta_s > 0):  # several processes stop for one's signal
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        usable = "" if last is None else f"; {out} is a usable checkpoint, and --resume goes on with it"
        tell(f"Stopped{so_far(last)}{usable}.", err=True)
        raise
    tell(f"Done{so_far(last)}: {out}")


def training_share(at: Progress) -> float:
    """Return the share of the training that is done, in [0, 1]."""
    whole = at.seconds + at.eta_s
    return at.seconds / whole if whole > 0 else 1.0


def training_words(at: Progress) -> str:
    """Return a training's progress in one line."""
    losses = ", ".join(f"{name} {value:.4g}" for name, value in at.logs.items() if "loss" in name)
    parts = [f"{duration(at.eta_s)} left", f"{at.images:,} images", f"{at.images_per_s:,.0f}/s", losses]
    return ", ".join(filter(None, parts))


def so_far(at: Progress | None) -> str:
    """Return what a training came to, to stand behind 'Done' or 'Stopped'; None stands for no step at all."""
    return " without a step" if at is None else f" after {at.images:,} images in {duration(at.seconds)}"
