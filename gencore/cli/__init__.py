"""The command line: `python -m gencore COMMAND`. A file per command.

Whatever is heavy (torch, diffusers) is imported inside the commands, so that `--help` answers at once.
"""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from gencore.cli import (
    benchmark,
    bound,
    compare,
    data,
    evaluate,
    export,
    features,
    hub,
    imports,
    ladder,
    latents,
    replay,
    sample,
    space,
    train,
)
from gencore.cli import list as listing
from gencore.environment import check_environment
from gencore.errors import InputError
from gencore.signals import heed_sigterm, unmasked


class Commands(TyperGroup):
    """The commands; bad input to any of them is told in one sentence. Typer gives Ctrl-C and SIGTERM exit code 130."""

    def invoke(self, ctx: typer.Context) -> Any:
        """Run the command that was asked for."""
        try:
            with unmasked(typer.Exit, typer.Abort):
                check_environment()
                return super().invoke(ctx)
        except InputError as error:
            typer.echo(f"Error: {error}", err=True)
            raise typer.Exit(2) from None


app = typer.Typer(
    cls=Commands,
    help="Train, run and measure a VAE, a GAN and a DDPM on the same images.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

for name, command in {
    "list": listing.show_all,
    "data": data.data,
    "train": train.train,
    "compare": compare.compare,
    "sample": sample.sample,
    "replay": replay.replay,
    "benchmark": benchmark.benchmark,
    "evaluate": evaluate.evaluate,
    "bound": bound.bound,
    "import": imports.take_in,
    "export": export.export,
    "hub": hub.hub,
    "features": features.features,
    "ladder": ladder.ladder,
    "latents": latents.latents,
    "space": space.space,
}.items():
    app.command(name)(command)


def main() -> None:
    """Run this process's command line."""
    heed_sigterm()
    app(prog_name="python -m gencore")
