"""`export`: a trained run as a folder to ship."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gencore.cli.options import CheckpointName


def export(
    checkpoint: CheckpointName,
    out: Annotated[Path, typer.Option(help="The folder to write, such as checkpoints/mnist/mine.")],
) -> None:
    """Copy a trained run to a folder to ship: weights in half precision, without the training's state."""
    from gencore.checkpoint import export as copy_to

    copy_to(checkpoint, out)
    typer.echo(out)
