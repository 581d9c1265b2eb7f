"""`latents`: real images encoded by a checkpoint."""

from __future__ import annotations

import typer

from gencore.cli.options import CheckpointName, DeviceName, FirstImages, Split
from gencore.cli.terminal import progress


def latents(
    checkpoint: CheckpointName,
    n: FirstImages = 2000,
    split: Split = "test",
    device: DeviceName = None,
) -> None:
    """Encode real images with a checkpoint and keep what comes out beside it, for the map of its latent space.

    For families that have an encoder.
    """
    from gencore.encodings import write_encodings

    with progress() as show:
        path = write_encodings(checkpoint, n, split, device, show)
    typer.echo(path)
