"""`compare`: several families trained, measured and compared on one data set, under one budget each."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gencore.cli.options import ChannelsOfImages, DeviceName, FitOfImages, LabelColumn, SizeOfImages, Texts
from gencore.cli.terminal import duration, progress
from gencore.signals import unmasked

if TYPE_CHECKING:
    from gencore.comparison.run import Comparison
    from gencore.comparison.state import State


def compare(
    data: Annotated[str, typer.Argument(metavar="DATASET", help="A data set's name, Hub id, or folder.")],
    minutes: Annotated[float, typer.Option(help="Of training, for each family.")],
    families: Annotated[Texts, typer.Option(metavar="A,B", help="Which; by default all.")] = None,
    size: SizeOfImages = None,
    channels: ChannelsOfImages = None,
    fit: FitOfImages = "crop",
    label: LabelColumn = None,
    out: Annotated[Path | None, typer.Option(help="The folder; by default runs/DATASET.")] = None,
    dry: Annotated[bool, typer.Option("--dry", help="Only say what would be done, and how long it takes.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --dry: say it as comparison.json would.")] = False,
    device: DeviceName = None,
) -> None:
    """Train families on a data set, each for some minutes, measure them, and say what to use for what.

    Ctrl-C and SIGTERM stop it; the same command goes on where it was, whatever ended it.
    """
    from gencore.checkpoint import roots
    from gencore.comparison.plan import Asked, families_of
    from gencore.comparison.run import opened
    from gencore.data import View, dataset_key
    from gencore.environment import processes
    from gencore.errors import InputError
    from gencore.paths import as_path
    from gencore.signals import stoppable

    if processes() > 1:
        raise InputError(
            "compare works in one process; several train one family by images: gencore train, with torchrun."
        )
    if as_json and not dry:
        raise InputError("--json goes with --dry; what runs writes comparison.json in its folder.")
    asked = Asked(data, View(size, channels, fit, label), minutes, families_of(families), device)
    folder = as_path(out or roots()[-1] / dataset_key(data))
    if dry:
        state = planned(asked)
        typer.echo(json.dumps(asdict(state), ensure_ascii=False)) if as_json else show_plan(state)
        return
    with stoppable() as stop, opened(folder, asked, lambda: planned(asked), stop) as comparison:
        show_plan(comparison.state)
        follow(comparison)
    typer.echo(comparison.state.verdict)
    typer.echo(folder)


def planned(asked: object) -> State:
    """Return the plan of a comparison, showing how far its probes are."""
    from gencore.comparison.plan import plan

    with progress() as show:
        return plan(asked, show)


def show_plan(state: State) -> None:
    """Show what will be trained and measured, and about how long it takes."""
    from gencore.comparison.plan import lines

    for line in lines(state):
        typer.echo(line)


def follow(comparison: Comparison) -> None:
    """Work on a comparison, showing how far it is, and what is wrong with a family."""
    said = {}
    try:
        with unmasked(), progress() as show, closing(comparison.run()) as moments:
            for at in moments:
                show(at.share, f"{at.phase}: {at.words}, {duration(at.eta_s)} left")
                for one in comparison.state.members:
                    if one.words and said.get(one.family) != one.words:
                        said[one.family] = one.words
                        typer.echo(f"{one.family}: {one.words}", err=True)
    except KeyboardInterrupt:
        typer.echo(f"Stopped; the same command goes on with {comparison.folder}.", err=True)
        raise
