"""`export`: a trained run as a folder to ship, or as a diffusers pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gencore.cli.options import CheckpointName
from gencore.errors import InputError, near

FORMATS = ("checkpoint", "diffusers")


def export(
    checkpoint: CheckpointName,
    out: Annotated[Path, typer.Option(help="The folder to write, such as checkpoints/mnist/mine.")],
    form: Annotated[
        str, typer.Option("--format", help="checkpoint, or diffusers: a pipeline in full precision.")
    ] = "checkpoint",
    average_with: Annotated[
        list[str] | None, typer.Option(help="Another checkpoint, tuned from the same weights, to take the mean with.")
    ] = None,
) -> None:
    """Copy a trained run to a folder to ship: weights in half precision, without the training's state."""
    if form not in FORMATS:
        raise InputError(f"There is no format {form!r}{near(form, list(FORMATS))}")
    if form == "diffusers":
        if average_with:
            raise InputError("--average-with is for --format checkpoint; what it writes can go to diffusers.")
        from gencore.pipelines import give_out

        give_out(checkpoint, out)
    else:
        from gencore.checkpoint import export as ship

        ship(checkpoint, out, average_with or ())
    typer.echo(out)
