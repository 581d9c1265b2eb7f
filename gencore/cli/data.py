"""`data`: what there is in a data set, before anything is trained on it."""

from __future__ import annotations

from typing import Annotated

import typer

from gencore.cli.options import ChannelsOfImages, FitOfImages, LabelColumn, SizeOfImages


def data(
    name: Annotated[str, typer.Argument(metavar="DATASET", help="A data set's name, Hub id, or folder.")],
    size: SizeOfImages = None,
    channels: ChannelsOfImages = None,
    fit: FitOfImages = "crop",
    label: LabelColumn = None,
) -> None:
    """Say what there is in a data set: images, classes, sizes, fingerprints, leaks, and what is left out and why."""
    from gencore.data import View, report

    for line in report(name, View(size, channels, fit, label)).lines():
        typer.echo(line)
