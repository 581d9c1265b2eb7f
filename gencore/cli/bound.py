"""`bound`: the bound of the likelihood of real images."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Annotated, Any

import typer

from gencore.cli.options import CheckpointName, DeviceName, DtypeName, FirstImages, RowsFile, Split
from gencore.cli.terminal import duration, print_rows, progress
from gencore.signals import unmasked


def bound(
    checkpoint: CheckpointName,
    n: FirstImages = 1000,
    split: Split = "test",
    seed: Annotated[int, typer.Option(help="Of the bound's random draws.")] = 0,
    batch: Annotated[int, typer.Option(help="Images at once; the same batch gives the same numbers.")] = 100,
    out: RowsFile = None,
    dtype: DtypeName = "float32",
    device: DeviceName = None,
) -> None:
    """Measure the bound of the likelihood of real images: its terms in nats and bits, as one row.

    For families that have one. Ctrl-C stops it and leaves no row.
    """
    from gencore.evaluation.bound import prepare, run
    from gencore.evaluation.task import about

    with progress() as show:
        show(0.0, "timing a few network calls")
        job = prepare(checkpoint, n, split, seed=seed, dtype=dtype, device=device, batch=batch, out=out)
    typer.echo(f"{job.task.title}: {about(job.task.seconds)} on this {job.task.device} for {n:,} images.")
    row = None
    try:
        with unmasked(), progress() as show, closing(run(job)) as steps:
            for at in steps:
                show(at.share, f"{duration(at.eta_s)} left, {at.words}")
                row = at.row
    except KeyboardInterrupt:
        typer.echo("Stopped; no row was written." if row is None else "Stopped; the row is written.", err=True)
        raise
    print_rows(bound_rows(row))
    if "curve" in row:
        typer.echo("\nThe curve: nats per image and step of t")
        print_rows([[f"t = {at['t_low']} to {at['t_high']}", with_ends(at)] for at in row["curve"]], "  ")
    typer.echo(job.task.path)


def bound_rows(row: Mapping[str, Any]) -> list[list[str]]:
    """Return a bound as rows of a name and a value; the bound itself first."""
    elbo, terms = row["terms"]["elbo"], {name: term for name, term in row["terms"].items() if name != "elbo"}
    images = f"the first {row['n']:,} of the {row['split']} split of {row['dataset']}, of {row['dimensions']:,} numbers"
    minus = {"mean": "mean", "low": "high", "high": "low"}
    bits = {end: -elbo["bits_per_dim"][other] for end, other in minus.items()}
    return [
        ["images", images],
        ["log P(x) at least", f"{with_ends(elbo['nats'])} nats per image"],
        ["which costs at most", f"{with_ends(bits)} bits per dimension"],
        *([name, f"{with_ends(term['nats'])} nats, {with_ends(term['bits_per_dim'])} bits per dimension"]
          for name, term in terms.items()),
        *([name, words] for name, words in row["basis"].items()),
        ["intervals", f"95%, {row['uncertainty']}"],
        ["number format", row["settings"]["dtype"]],
        ["time", duration(row["seconds"])],
    ]  # fmt: skip


def with_ends(value: Mapping[str, float]) -> str:
    """Return a mean with its interval, five digits each: '101.42 [99.874, 102.97]'."""
    return f"{value['mean']:,.5g} [{value['low']:,.5g}, {value['high']:,.5g}]"
