"""`replay`: the images of a share bundle made again, and compared with those in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gencore.cli.options import DeviceName
from gencore.cli.terminal import print_rows
from gencore.errors import InputError


def replay(
    bundle: Annotated[Path, typer.Argument(help="The ZIP that `sample --bundle` or a page of the app has saved.")],
    device: DeviceName = None,
) -> None:
    """Make a bundle's images again with the checkpoints here, and compare each; exit code 1 if one differs."""
    from gencore.bundle import here_words, read_bundle
    from gencore.bundle import replay as made

    told = read_bundle(bundle)
    found = list(made(told, device))
    for one in found:
        if one.problem:
            typer.echo(f"{one.lane}: {one.problem}", err=True)
    if all(one.problem for one in found):
        raise InputError(f"None of the lanes of {bundle.name} could be replayed.")
    print_rows([
        [one.lane, one.checkpoint, f"{one.identical} of {one.n} identical", f"largest difference {one.largest} of 255"]
        for one in found if not one.problem
    ])  # fmt: skip
    if not all(one.same for one in found):
        here = here_words(device)
        if told.machine and told.machine != here:
            typer.echo(f"It was made on another machine ({told.machine}); this is {here}.", err=True)
        raise typer.Exit(1)
