"""`import`: a diffusers pipeline as a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gencore.cli.options import ChannelsOfImages, FitOfImages, LabelColumn, SizeOfImages


def take_in(
    source: Annotated[str, typer.Argument(help="A folder that diffusers saved, or a Hub id.")],
    data: Annotated[str, typer.Option(help="The data set that it was trained on, to be compared with.")],
    out: Annotated[Path | None, typer.Option(help="The output folder; by default runs/DATA/NAME.")] = None,
    revision: Annotated[str | None, typer.Option(help="Of a Hub id: a branch, tag or commit.")] = None,
    size: SizeOfImages = None,
    channels: ChannelsOfImages = None,
    fit: FitOfImages = "crop",
    label: LabelColumn = None,
) -> None:
    """Make a checkpoint of an unconditional pixel pipeline of diffusers: DDPM, DDIM or PNDM, as safetensors."""
    from gencore.data import View
    from gencore.pipelines import take_in as make

    typer.echo(make(source, data, out, revision, View(size, channels, fit, label)))
