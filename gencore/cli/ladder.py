"""`ladder`: how well each extractor of a data set sees known degradations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from gencore.cli.options import DeviceName
from gencore.cli.terminal import duration, print_rows, progress


def ladder(
    data: Annotated[str, typer.Argument(metavar="DATASET", help="A data set's name, Hub id, or folder.")],
    n: Annotated[int | None, typer.Option("--n", "-n", help="Images in each of five blocks; by default 1,000.")] = None,
    seed: Annotated[int, typer.Option(help="Of noise, fields, holes and directions.")] = 0,
    again: Annotated[bool, typer.Option("--again", help="Measure extractors again that have not changed.")] = False,
    out: Annotated[Path | None, typer.Option(help="Root to write under; by default the first checkpoint root.")] = None,
    device: DeviceName = None,
) -> None:
    """Measure how well each extractor sees: known degradations of real validation images, from mild to strong.

    The extractor that does best becomes the data set's default. Extractors that have not changed since they were
    measured are not measured again. Ctrl-C stops it and leaves the files as they were.
    """
    from gencore.checkpoint import home
    from gencore.evaluation.ladder import known_ladder, measure_ladder, write_ladder
    from gencore.family import parse_seed

    with progress() as show:
        known = {} if again else known_ladder(data)
        record, picture = measure_ladder(data, n, parse_seed(seed), device, show, known)
    print_rows(ladder_rows(record))
    seconds = sum(one["seconds"] for one in record["extractors"].values())
    typer.echo(f"Default: {record['default']}. Measured in {duration(seconds)}.")
    for path in write_ladder(record, picture, out or home()):
        typer.echo(path)


def ladder_rows(record: Mapping[str, Any]) -> list[list[str]]:
    """Return the table of KID's verdicts: a row per ladder, a column per extractor, and a row that sums them up."""
    found = record["extractors"]
    rows = [
        [one["title"], *(verdict_words(sight["ladders"][one["key"]]["kid"]) for sight in found.values())]
        for one in record["ladders"]
    ]
    sums = [f"{one['in_order']} of {one['of']} in order, first at {one['first']:.1f}" for one in found.values()]
    return [["KID of", *found], *rows, ["all", *sums]]


def verdict_words(verdict: Mapping[str, Any]) -> str:
    """Return one verdict for people: 'step 2, in order', 'never, τ = 0.20'."""
    first = f"step {verdict['first']}" if verdict["first"] else "never"
    return f"{first}, in order" if verdict["tau"] == 1 else f"{first}, τ = {verdict['tau']:.2f}"
