"""`evaluate`: checkpoints at their operating points, a row each."""

from __future__ import annotations

import shlex
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from gencore.cli.options import BatchSize, DeviceName, DtypeOrAuto, RowsFile, Texts
from gencore.cli.terminal import duration, print_rows, progress

if TYPE_CHECKING:
    from gencore.evaluation.task import Plan, Task

LONG_SECONDS = 600  # what takes longer is said with how to leave it out
MOST_HINTS = 3

Checkpoints = Annotated[
    Texts, typer.Argument(metavar="[CHECKPOINT]...", help="Names or folders; by default every shipped one.")
]
Points = Annotated[
    str, typer.Option(help="headline, lecture, sweep (the whole curve, at its own n), failures, or all.")
]
Images = Annotated[int | None, typer.Option("--n", "-n", help="Images per generation; by default 5000, sweep 2000.")]
Generations = Annotated[int | None, typer.Option(help="Independent ones; by default 5, sweep 3.")]
Kind = Annotated[str, typer.Option(help="quality, cost, or all.")]
Only = Annotated[Texts, typer.Option(metavar="TEXT", help="Only points with TEXT in their label; can be repeated.")]
Skip = Annotated[Texts, typer.Option(metavar="TEXT", help="No points with TEXT in their label; can be repeated.")]
Limit = Annotated[float | None, typer.Option(metavar="SECONDS", help="Leave out rows that would take longer.")]
Again = Annotated[bool, typer.Option("--again", help="Measure costs again that this machine has rows of.")]
Dry = Annotated[bool, typer.Option("--dry", help="Only say what would be measured, and how long it takes.")]


def evaluate(
    checkpoints: Checkpoints = None,
    points: Points = "headline",
    n: Images = None,
    generations: Generations = None,
    rows: Kind = "all",
    only: Only = None,
    skip: Skip = None,
    skip_slower_than: Limit = None,
    out: RowsFile = None,
    batch: BatchSize = 100,
    dtype: DtypeOrAuto = "auto",
    again: Again = False,
    dry: Dry = False,
    device: DeviceName = None,
) -> None:
    """Measure checkpoints at their operating points: quality, variety and cost, a row each.

    What is measured already is left out. Ctrl-C stops it and leaves every row; the same command, without --again,
    goes on.
    """
    from gencore.evaluation.plan import prepare

    with progress() as show:
        plan = prepare(
            checkpoints or (), points, n=n, generations=generations, rows=rows, out=out, device=device, dtype=dtype,
            batch=batch, only=only or (), skip=skip or (), most_seconds=skip_slower_than, again=again, show=show,
        )  # fmt: skip
    for sentence in [*plan.problems, *plan.left_out]:
        typer.echo(sentence, err=True)
    show_plan(plan)
    if not dry:
        measure(plan, again)


def measure(plan: Plan, again: bool) -> None:
    """Measure what was planned, showing how far it is."""
    from gencore.evaluation.evaluate import run

    written = 0
    try:
        with progress() as show, closing(run(plan)) as steps:
            for at in steps:
                show(at.share, f"{at.place} of {at.total}, {duration(at.eta_s)} left, {at.words}")
                written += at.row is not None
                if at.problem:
                    typer.echo(at.problem, err=True)
    except KeyboardInterrupt:
        same = "the same command without --again" if again else "the same command"
        typer.echo(f"Stopped after {written} of {len(plan.tasks)} rows; {same} goes on from here.", err=True)
        raise
    for path in dict.fromkeys(task.path for task in plan.tasks):
        typer.echo(path)


def show_plan(plan: Plan) -> None:
    """Show what there is to measure and how long it takes, and how to leave out what takes long."""
    from gencore.evaluation.task import about

    print_rows([[task.title, sample_words(task), about(task.seconds)] for task in plan.tasks])
    long = sorted((task for task in plan.tasks if task.seconds > LONG_SECONDS), key=lambda task: -task.seconds)
    for task in long[:MOST_HINTS]:
        label = shlex.quote(task.point.label)
        typer.echo(f"{task.title}: {about(task.seconds)} on this {plan.device}; leave it out with --skip {label}")
    if len(long) > MOST_HINTS:
        typer.echo(f"All {len(long)} that take more than 10 min: leave them out with --skip-slower-than {LONG_SECONDS}")
    known = f"; {plan.finished} more are measured already" if plan.finished else ""
    typer.echo(f"{len(plan.tasks)} rows, {about(plan.seconds)} in all{known}.")


def sample_words(task: Task) -> str:
    """Return how large a sample a task takes."""
    if task.kind == "cost":
        return "time and memory"
    kept = task.generations - len(task.ahead)
    return f"{task.generations} x {task.n:,} images" + (f", {kept} x done" if kept else "")
