"""`evaluate`: checkpoints at their operating points, a row each; and what is kept of their images."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gencore.cli.options import BatchSize, DeviceName, DtypeOrAuto, RowsFile, Texts
from gencore.cli.terminal import duration, print_rows, progress
from gencore.errors import InputError, near
from gencore.signals import unmasked

if TYPE_CHECKING:
    from gencore.evaluation.crew import Crew
    from gencore.evaluation.task import Plan, Task

STATED = ("data", "name", "ms_per_image", "calls", "machine")
ALLOWED = {  # what can be given beside the option that makes an evaluation another one; the first that is given counts
    "forget": ("checkpoints",),
    "samples": (*STATED, "n", "generations", "out", "device", "dry"),
    "rescore": ("checkpoints", "only", "skip", "out", "device", "dry"),
}
LONG_SECONDS = 600  # what takes longer is said with how to leave it out
MOST_HINTS = 3

Checkpoints = Annotated[
    Texts, typer.Argument(metavar="[CHECKPOINT]...", help="Names or folders; by default every shipped one.")
]
Points = Annotated[
    str, typer.Option(help="headline, lecture, sweep (the whole curve, at its own n), failures, or all.")
]
Images = Annotated[int | None, typer.Option("--n", "-n", help="Images per generation; by default 5000, sweep 1000.")]
Generations = Annotated[int | None, typer.Option(help="Independent ones; by default 5, sweep 3.")]
Kind = Annotated[str, typer.Option(help="quality, cost, or all.")]
Only = Annotated[Texts, typer.Option(metavar="TEXT", help="Only points with TEXT in their label; can be repeated.")]
Skip = Annotated[Texts, typer.Option(metavar="TEXT", help="No points with TEXT in their label; can be repeated.")]
Limit = Annotated[float | None, typer.Option(metavar="SECONDS", help="Leave out rows that would take longer.")]
Again = Annotated[
    bool, typer.Option("--again", help="Also costs that have a row of this machine, and images that rows lack.")
]
Rescore = Annotated[
    bool, typer.Option("--rescore", help="Only score the kept samples of rows again: no model, no sampling.")
]
Forget = Annotated[bool, typer.Option("--forget", help="Only clear kept samples: the checkpoints' named, or all.")]
Given = Annotated[
    Texts,
    typer.Option(
        "--samples",
        metavar="FILE",
        help="Score samples made elsewhere, not checkpoints: "
        ".npy, .npz, .zip or a folder of pictures; several are generations.",
    ),
]
Data = Annotated[str | None, typer.Option(help="Of samples: the data set that they are compared with.")]
Name = Annotated[str | None, typer.Option(help="Of samples: what pages call them.")]
Stated = Annotated[float | None, typer.Option("--ms-per-image", help="Of samples: how long one took to make.")]
Calls = Annotated[int | None, typer.Option(min=1, help="Of samples: network calls per image.")]
MachineName = Annotated[str | None, typer.Option("--machine", help="Of samples: where that time was taken.")]
Dry = Annotated[bool, typer.Option("--dry", help="Only say what would be measured, and how long it takes.")]


def evaluate(
    ctx: typer.Context,
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
    rescore: Rescore = False,
    forget: Forget = False,
    dry: Dry = False,
    device: DeviceName = None,
    samples: Given = None,
    data: Data = None,
    name: Name = None,
    ms_per_image: Stated = None,
    calls: Calls = None,
    machine: MachineName = None,
) -> None:
    """Measure checkpoints at their operating points: quality, variety and cost, a row each.

    What is measured already is left out. The images are kept in runs/samples, so that another n, or a metric that has
    changed (--rescore), is scored without making them again. Ctrl-C stops it and leaves every row and every image; the
    same command, without --again, goes on. Started by torchrun, all its processes make images.
    """
    refuse_ignored([key for key in ctx.params if ctx.get_parameter_source(key).name == "COMMANDLINE"])
    from gencore.evaluation.crew import assembled
    from gencore.evaluation.making import serve

    chosen = {"only": only or (), "skip": skip or (), "out": out, "device": device}
    stated = {"ms_per_image": ms_per_image, "calls": calls, "machine": machine}
    with assembled(device) as crew:
        if not crew.leads:
            serve(crew)
            return
        if forget:
            clear(checkpoints or ())
            return
        if samples:
            plan = of_samples(samples, data, name, stated, n=n, generations=generations, out=out, device=device)
        elif rescore:
            plan = rescoring(checkpoints or (), chosen)
        else:
            plan = planned(
                checkpoints or (), points, n=n, generations=generations, rows=rows, dtype=dtype, batch=batch,
                most_seconds=skip_slower_than, again=again, **chosen,
            )  # fmt: skip
        show_plan(plan)
        if not dry:
            measure(plan, again, crew)
        show_kept()


def refuse_ignored(given: Sequence[str]) -> None:
    """Raise InputError if one of the parameters that were given would be ignored."""
    mode = next((mode for mode in ALLOWED if mode in given), "")
    for name in given:
        option = "the checkpoints" if name == "checkpoints" else f"--{name.replace('_', '-')}"
        if not mode and name in STATED:
            raise InputError(f"{option} is of --samples; name their file too.")
        if mode and name != mode and name not in ALLOWED[mode]:
            files = mode == "samples" and name == "checkpoints"  # what a pattern of the shell makes of several files
            more = ", or, if these are more files, write --samples before each" if files else ""
            raise InputError(f"--{mode} does not go with {option}; leave one of them out{more}.")


def planned(names: Sequence[str], points: str, **options: Any) -> Plan:
    """Return the plan of an evaluation, showing how far its timing is."""
    from gencore.evaluation.plan import prepare

    with progress() as show:
        return prepare(names, points, show=show, **options)


def of_samples(
    files: Sequence[str], data: str | None, name: str | None, stated: Mapping[str, Any], **options: Any
) -> Plan:
    """Return the plan of scoring samples that were made elsewhere."""
    from gencore.evaluation.plan import prepare_samples

    if not data or not name:
        raise InputError("--samples need --data, what they are compared with, and --name, what to call them.")
    return prepare_samples(files, data, name, stated=stated, **options)


def rescoring(names: Sequence[str], options: Mapping[str, Any]) -> Plan:
    """Return the plan of scoring kept samples again."""
    from gencore.evaluation.rescore import prepare_again

    return prepare_again(names, **options)


def clear(names: Sequence[str]) -> None:
    """Clear the kept samples of some checkpoints, or all."""
    from gencore.evaluation import samples

    known = list(dict.fromkeys(map(samples.owner, samples.ledgers().values())))
    for name in names:
        if name not in known:
            raise InputError(f"No samples are kept of {name!r}{near(name, known) if known else ', nor of any other.'}")
    points, size, problems = samples.forget(names)
    for sentence in problems:
        typer.echo(sentence, err=True)
    typer.echo(f"Cleared {bytes_words(size)}, the samples of {points} points.")
    if problems:
        raise typer.Exit(1)


def show_kept() -> None:
    """Show how much the kept samples take, if there are any."""
    from gencore.evaluation import samples

    if size := samples.bytes_kept():
        folder = samples.folder()
        shown = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
        typer.echo(f"kept samples: {bytes_words(size)} in {shown}; python -m gencore evaluate --forget clears them")


def bytes_words(size: float) -> str:
    """Return a number of bytes for people: '6 kB', '3.1 MB' or '312 MB'."""
    if size < 1e6:
        return f"{size / 1e3:,.0f} kB"
    return f"{size / 1e6:,.1f} MB" if size < 1e7 else f"{size / 1e6:,.0f} MB"


def measure(plan: Plan, again: bool, crew: Crew) -> None:
    """Measure what was planned, showing how far it is."""
    from gencore.evaluation.evaluate import run

    written, same = 0, 0
    try:
        with unmasked(), progress() as show, closing(run(plan, crew)) as steps:
            for at in steps:
                show(at.share, f"{at.place} of {at.total}, {duration(at.eta_s)} left, {at.words}")
                written += at.row is not None or at.same
                same += at.same or (at.row is not None and same_scores(at.task, at.row))
                if at.problem:
                    typer.echo(at.problem, err=True)
    except KeyboardInterrupt:
        same = "the same command without --again" if again else "the same command"
        typer.echo(f"Stopped after {written} of {len(plan.tasks)} rows; {same} goes on from here.", err=True)
        raise
    if any(task.before for task in plan.tasks):
        typer.echo(f"{same} of {written} rows have the very scores that they had, to the last digit.")
    for path in dict.fromkeys(task.path for task in plan.tasks):
        typer.echo(path)


def same_scores(task: Task, row: Mapping[str, Any]) -> bool:
    """Return whether a row that was scored again has the scores that it had."""
    return task.before is not None and row["scores"] == task.before["scores"]


def show_plan(plan: Plan) -> None:
    """Show what there is to measure and how long it takes, what is not, and how to leave out what takes long."""
    from gencore.evaluation.task import about

    for sentence in [*plan.problems, *plan.left_out]:
        typer.echo(sentence, err=True)
    print_rows([[task.title, sample_words(task), about(task.seconds)] for task in plan.tasks])
    long = sorted((task for task in plan.tasks if task.seconds > LONG_SECONDS), key=lambda task: -task.seconds)
    for task in long[:MOST_HINTS]:
        label = shlex.quote(task.point.label)
        typer.echo(f"{task.title}: {about(task.seconds)} on this {plan.device}; leave it out with --skip {label}")
    if len(long) > MOST_HINTS:
        typer.echo(f"All {len(long)} that take more than 10 min: leave them out with --skip-slower-than {LONG_SECONDS}")
    known = f"; {plan.finished} more are measured already" if plan.finished else ""
    sampling = f", {about(plan.sampling)} of it to make images" if plan.sampling else ""
    typer.echo(f"{len(plan.tasks)} rows, {about(plan.seconds)} in all{sampling}{known}.")


def sample_words(task: Task) -> str:
    """Return how large a sample a task takes."""
    if task.kind == "cost":
        return "time and memory"
    words = f"{task.generations} x {task.n:,} images"
    if not task.samples:
        return words
    kept = sum(min(task.samples.count(generation), task.n) for generation in range(task.generations))
    return words + (", all kept" if not task.lacking else f", {kept:,} kept" if kept else "")
