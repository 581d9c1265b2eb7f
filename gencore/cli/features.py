"""`features`: what metrics and pages need of a data set's real images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gencore.cli.options import ChannelsOfImages, DeviceName, FitOfImages, LabelColumn, SizeOfImages
from gencore.cli.terminal import progress
from gencore.errors import InputError


def features(
    data: Annotated[str, typer.Argument(metavar="DATASET", help="A data set's name, Hub id, or folder.")],
    extractor: Annotated[str, typer.Option(help="One that `list` shows; all: those that need no download.")] = "all",
    epochs: Annotated[int | None, typer.Option(help="Of what is trained here; by default by the data.")] = None,
    widths: Annotated[str | None, typer.Option(help="Of the convolutions, such as 64,96,160,192.")] = None,
    seed: Annotated[int, typer.Option(help="Of initial weights and training.")] = 0,
    weights: Annotated[str | None, typer.Option(help="Of dinov2: a folder or Hub id.")] = None,
    train_rows: Annotated[int, typer.Option(help="Train images whose features are kept, to find copies by.")] = 55_000,
    dtype: Annotated[str, typer.Option(help="float32, bfloat16, or auto: the faster one for training.")] = "auto",
    out: Annotated[Path | None, typer.Option(help="Root to write under; by default the first there is.")] = None,
    device: DeviceName = None,
    size: SizeOfImages = None,
    channels: ChannelsOfImages = None,
    fit: FitOfImages = "crop",
    label: LabelColumn = None,
    replace: Annotated[bool, typer.Option("--replace", help="Write over features in another size or form.")] = False,
) -> None:
    """Learn from a data set's real images what metrics and pages need of them.

    Extractors with the features of the real images, principal components, pair distances, and a card that says how.
    Those with weights from elsewhere are large, and go under the last root, the user's own.
    """
    from gencore.checkpoint import home, roots
    from gencore.data import View
    from gencore.extractors import EXTRACTORS, Options
    from gencore.extractors.reference import write_features
    from gencore.family import parse_seed

    options = Options(epochs, parse_widths(widths), parse_seed(seed), dtype, device, weights, train_rows)
    own = extractor in EXTRACTORS and EXTRACTORS[extractor].pretrained
    root = out or (roots()[-1] if own else home())
    view = View(size, channels, fit, label)
    with progress() as show:
        for line in write_features(data, root, extractor, options, show, view, replace=replace):
            typer.echo(line)


def parse_widths(text: str | None) -> tuple[int, ...] | None:
    """Return the whole numbers in '64,96,160'; None for None.

    Raises:
        InputError: if one of them is no whole number.
    """
    try:
        return None if text is None else tuple(int(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"--widths takes whole numbers such as 64,96,160, not {text!r}.") from None
