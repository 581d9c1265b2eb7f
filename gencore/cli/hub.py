"""`hub`: a checkpoint given out on the Hugging Face Hub, or taken in from there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gencore.errors import InputError


def hub(
    checkpoint: Annotated[
        str | None, typer.Argument(help="With --push: a name that `list` shows, or a folder.")
    ] = None,
    push: Annotated[
        str | None, typer.Option(metavar="OWNER/NAME", help="Give the checkpoint out as this model.")
    ] = None,
    pull: Annotated[
        str | None, typer.Option(metavar="OWNER/NAME[@REVISION]", help="Take this model in as a checkpoint.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="With --pull: the output folder; by default runs/NAME.")] = None,
    data: Annotated[
        str | None, typer.Option(help="With --pull: the data set to compare it with, if not what it says.")
    ] = None,
    licence: Annotated[str, typer.Option("--license", help="With --push: of the weights, such as mit.")] = "",
    private: Annotated[bool, typer.Option("--private", help="With --push: a new model is seen by you alone.")] = False,
) -> None:
    """Share a checkpoint on the Hugging Face Hub with its card, or take anyone's in; JSON and safetensors alone."""
    from gencore import hub as hugging

    if (push is None) == (pull is None):
        raise InputError("Say either --push OWNER/NAME CHECKPOINT or --pull OWNER/NAME.")
    if push is not None:
        if checkpoint is None or out or data:
            raise InputError("--push takes a CHECKPOINT, and neither --out nor --data.")
        typer.echo(hugging.push(checkpoint, push, licence, private))
        return
    if checkpoint or licence or private:
        raise InputError("--pull takes --out and --data alone.")
    typer.echo(hugging.pull(pull, out, data))
