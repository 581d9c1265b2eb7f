"""The command line: `python -m gencore COMMAND`. One small function a command.

Whatever is heavy (torch, diffusers) is imported inside the commands, so that `--help` answers at once.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from gencore.cli.terminal import Show, duration, print_rows, progress
from gencore.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from gencore.checkpoint import Entry
    from gencore.evaluation.cost import Cost
    from gencore.evaluation.plan import Plan, Task
    from gencore.family import Family, Knob
    from gencore.train import Progress


class Commands(TyperGroup):
    """The commands; bad input to any of them is told in one sentence. Typer turns Ctrl-C into exit code 130."""

    def invoke(self, ctx: typer.Context) -> Any:
        """Run the command that was asked for."""
        try:
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

LONG_SECONDS = 600  # what takes longer is said with how to leave it out
MOST_HINTS = 3

CheckpointName = Annotated[str, typer.Argument(metavar="CHECKPOINT", help="A name that `list` shows, or a folder.")]
DeviceName = Annotated[str | None, typer.Option(help="cuda, mps or cpu; else GENCORE_DEVICE, else the best there is.")]
DtypeName = Annotated[str, typer.Option(help="float32 or bfloat16: what the networks compute in.")]
Knobs = Annotated[
    list[str] | None,
    typer.Option("--knob", metavar="NAME=VALUE", help="A sampling setting that `list` shows; can be repeated."),
]


def main() -> None:
    """Run this process's command line."""
    app(prog_name="python -m gencore")


@app.command("list")
def show_all() -> None:
    """Show families, presets and checkpoints."""
    from gencore.checkpoint import entries
    from gencore.families import FAMILIES
    from gencore.presets import PRESETS

    typer.echo("Families and their knobs")
    for name, family in FAMILIES.items():
        typer.echo(f"  {name}: {family.title}")
        print_rows([[knob.name, knob_values(knob), knob.help] for knob in family.knobs], "    ")
    typer.echo("\nPresets, for `train`")
    print_rows([[name, f"{run.family} on {run.data}"] for name, run in PRESETS.items()], "  ")
    typer.echo("\nCheckpoints, for `sample` and `benchmark`")
    print_rows([[entry.name, checkpoint_state(entry)] for entry in entries()], "  ")


@app.command()
def train(
    preset: Annotated[str, typer.Argument(help="One that `list` shows, such as digits/vae.")],
    settings: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY=VALUE]...", help="Model and training settings to change, or data=NAME."),
    ] = None,
    minutes: Annotated[float | None, typer.Option(help="Stop after so many minutes.")] = None,
    images: Annotated[int | None, typer.Option(help="Stop after so many images seen.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the training in the output folder.")] = False,
    out: Annotated[Path | None, typer.Option(help="The output folder; by default runs/PRESET.")] = None,
    init: Annotated[str | None, typer.Option(help="A checkpoint whose weights to begin with.")] = None,
    seed: Annotated[int | None, typer.Option(help="The training's seed, as the setting seed=N.")] = None,
    device: DeviceName = None,
) -> None:
    """Train a preset. Ctrl-C stops it and leaves a usable checkpoint; --resume goes on."""
    from gencore.presets import resolve_run
    from gencore.train import train as start

    run = resolve_run(preset, [*(settings or []), *([] if seed is None else [f"seed={seed}"])])
    out = out or Path("runs", preset)
    steps = start(run, out, preset=preset, minutes=minutes, images=images, resume=resume, init=init, device=device)
    last = None
    try:
        # Closing is what saves the checkpoint, wherever in this loop the interruption falls.
        with progress() as show, closing(steps):
            for last in steps:
                show(training_share(last), training_words(last))
    except KeyboardInterrupt:
        usable = "" if last is None else f"; {out} is a usable checkpoint, and --resume goes on with it"
        typer.echo(f"Stopped{so_far(last)}{usable}.", err=True)
        raise
    typer.echo(f"Done{so_far(last)}: {out}")


@app.command()
def sample(
    checkpoint: CheckpointName,
    out: Annotated[Path, typer.Option(help="A .npy file, a .png file (one grid), or a folder (a PNG an image).")],
    n: Annotated[int, typer.Option("--n", "-n", help="How many images.")] = 16,
    seed: Annotated[int, typer.Option(help="Image i is made from image_seed(SEED, i).")] = 0,
    knob: Knobs = None,
    columns: Annotated[int | None, typer.Option(help="Of the grid; by default the root of n, rounded up.")] = None,
    batch: Annotated[int, typer.Option(help="Images made at once; the same batch gives the same bits.")] = 100,
    dtype: DtypeName = "float32",
    device: DeviceName = None,
) -> None:
    """Generate images into a file or a folder."""
    from gencore.checkpoint import load
    from gencore.evaluation.cost import check_count
    from gencore.family import MAX_IMAGES, parse_seed

    check_count("--n", n, MAX_IMAGES)
    check_count("--batch", batch, MAX_IMAGES)
    check_count("--columns", 1 if columns is None else columns, MAX_IMAGES)
    parse_seed(seed)
    check_output(out, n, columns)
    model, knobs = load(checkpoint, device, dtype), parse_knobs(knob)
    model.resolve_knobs(knobs)
    with progress() as show:
        write_images(out, generate(model, seed, n, batch, knobs, show), columns)
    typer.echo(f"{n} image{'s' if n > 1 else ''} of {checkpoint} with seed {seed}: {out}")


@app.command()
def benchmark(
    checkpoint: CheckpointName,
    n: Annotated[int, typer.Option("--n", "-n", help="Images generated at once.")] = 16,
    repeats: Annotated[int, typer.Option(help="Timed repeats, after a warm-up.")] = 10,
    knob: Knobs = None,
    save: Annotated[bool, typer.Option("--save", help="Write cost.json into the checkpoint's folder.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    dtype: DtypeName = "float32",
    device: DeviceName = None,
) -> None:
    """Measure the cost of generating images.

    Time, network calls, FLOPs, parameters and memory.
    """
    from gencore.checkpoint import load, resolve, write_json
    from gencore.evaluation.cost import measure

    cost = measure(load(checkpoint, device, dtype), n, repeats, **parse_knobs(knob))
    if save:
        write_json(resolve(checkpoint) / "cost.json", asdict(cost))
    if as_json:
        typer.echo(json.dumps(asdict(cost), indent=2))
    else:
        print_rows(cost_rows(checkpoint, cost))


@app.command()
def evaluate(
    checkpoints: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CHECKPOINT]...", help="Names or folders; by default every shipped one."),
    ] = None,
    points: Annotated[
        str, typer.Option(help="headline, lecture, sweep (the whole curve, at its own n), failures, or all.")
    ] = "headline",
    n: Annotated[
        int | None, typer.Option("--n", "-n", help="Images per generation; by default 5000, sweep 2000.")
    ] = None,
    generations: Annotated[int | None, typer.Option(help="Independent ones; by default 5, sweep 3.")] = None,
    rows: Annotated[str, typer.Option(help="quality, cost, or all.")] = "all",
    only: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="Only points with TEXT in their label; can be repeated.")
    ] = None,
    skip: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="No points with TEXT in their label; can be repeated.")
    ] = None,
    skip_slower_than: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Leave out rows that would take longer.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The file; by default rows.jsonl beside the checkpoints.")] = None,
    batch: Annotated[int, typer.Option(help="Images made at once; the same batch gives the same bits.")] = 100,
    dtype: Annotated[str, typer.Option(help="float32, bfloat16, or auto: the faster one.")] = "auto",
    again: Annotated[bool, typer.Option("--again", help="Measure costs again that this machine has rows of.")] = False,
    dry: Annotated[bool, typer.Option("--dry", help="Only say what would be measured, and how long it takes.")] = False,
    device: DeviceName = None,
) -> None:
    """Measure checkpoints at their operating points: quality, variety and cost, a row each.

    What is measured already is left out. Ctrl-C stops it and leaves every row; the same command, without --again,
    goes on.
    """
    from gencore.evaluation.evaluate import prepare, run

    with progress() as show:
        plan = prepare(
            checkpoints or (), points, n, generations, rows=rows, out=out, device=device, dtype=dtype, batch=batch,
            only=only or (), skip=skip or (), most_seconds=skip_slower_than, again=again, show=show,
        )  # fmt: skip
    for sentence in [*plan.problems, *plan.left_out]:
        typer.echo(sentence, err=True)
    show_plan(plan)
    if dry:
        return
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


@app.command()
def bound(
    checkpoint: CheckpointName,
    n: Annotated[int, typer.Option("--n", "-n", help="Images: the first N of the split.")] = 1000,
    split: Annotated[str, typer.Option(help="Whose images: train, validation or test.")] = "test",
    seed: Annotated[int, typer.Option(help="Of the bound's random draws.")] = 0,
    batch: Annotated[int, typer.Option(help="Images at once; the same batch gives the same numbers.")] = 100,
    out: Annotated[Path | None, typer.Option(help="The file; by default rows.jsonl beside the checkpoints.")] = None,
    dtype: DtypeName = "float32",
    device: DeviceName = None,
) -> None:
    """Measure the bound of the likelihood of real images: its terms in nats and bits, as one row.

    For families that have one. Ctrl-C stops it and leaves no row.
    """
    from gencore.evaluation.bound import prepare, run
    from gencore.evaluation.plan import about

    with progress() as show:
        show(0.0, "timing a few network calls")
        job = prepare(checkpoint, n, split, seed=seed, dtype=dtype, device=device, batch=batch, out=out)
    typer.echo(f"{job.task.title}: {about(job.task.seconds)} on this {job.task.device} for {n:,} images.")
    row = None
    try:
        with progress() as show, closing(run(job)) as steps:
            for at in steps:
                show(at.share, f"{duration(at.eta_s)} left, {at.words}")
                row = at.row
    except KeyboardInterrupt:
        typer.echo("Stopped; no row was written." if row is None else "Stopped; the row is written.", err=True)
        raise
    print_rows(bound_rows(row))
    if "curve" in row:
        typer.echo("\nThe curve: nats per image and step of t")
        print_rows(curve_rows(row["curve"]), "  ")
    typer.echo(job.task.path)


@app.command()
def export(
    checkpoint: CheckpointName,
    out: Annotated[Path, typer.Option(help="The folder to write, such as checkpoints/mnist/mine.")],
) -> None:
    """Copy a trained run to a folder to ship: weights in half precision, without the training's state."""
    from gencore.checkpoint import export as copy_to

    copy_to(checkpoint, out)
    typer.echo(out)


@app.command()
def features(
    data: Annotated[str, typer.Argument(metavar="DATASET", help="A data set's name, Hub id, or folder.")],
    extractor: Annotated[str, typer.Option(help="classifier, pixels, or all that the data set allows.")] = "all",
    epochs: Annotated[int | None, typer.Option(help="Of the classifier's training; by default by the data.")] = None,
    widths: Annotated[str | None, typer.Option(help="Of the classifier, such as 64,96,160,192.")] = None,
    seed: Annotated[int, typer.Option(help="Of the classifier's training.")] = 0,
    dtype: Annotated[str, typer.Option(help="float32, bfloat16, or auto: the faster one for training.")] = "auto",
    out: Annotated[Path | None, typer.Option(help="Root to write under; by default the first checkpoint root.")] = None,
    device: DeviceName = None,
) -> None:
    """Learn from a data set's real images what metrics and pages need of them.

    Extractors with the features of the real images, principal components, pair distances, and a card that says how.
    """
    from gencore.checkpoint import roots
    from gencore.extractors import Options
    from gencore.extractors.reference import write_features
    from gencore.family import parse_seed

    options = Options(epochs, parse_widths(widths), parse_seed(seed), dtype, device)
    with progress() as show:
        for line in write_features(data, out or roots()[0], extractor, options, show):
            typer.echo(line)


@app.command()
def latents(
    checkpoint: CheckpointName,
    n: Annotated[int, typer.Option("--n", "-n", help="Images: the first N of the split.")] = 2000,
    split: Annotated[str, typer.Option(help="Whose images: train, validation or test.")] = "test",
    device: DeviceName = None,
) -> None:
    """Encode real images with a checkpoint and keep what comes out beside it, for the map of its latent space.

    For families that have an encoder.
    """
    from gencore.encodings import write_encodings

    with progress() as show:
        path = write_encodings(checkpoint, n, split, device, show)
    typer.echo(path)


def parse_widths(text: str | None) -> tuple[int, ...] | None:
    """Return the whole numbers in '64,96,160'; None for None.

    Raises:
        InputError: if one of them is no whole number.
    """
    try:
        return None if text is None else tuple(int(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"--widths takes whole numbers such as 64,96,160, not {text!r}.") from None


def show_plan(plan: Plan) -> None:
    """Show what there is to measure and how long it takes, and how to leave out what takes long."""
    from gencore.evaluation.plan import about

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


def knob_values(knob: Knob) -> str:
    """Return a knob's values and default, for people."""
    values = ", ".join(knob.choices) if knob.choices else f"{knob.low:g} to {knob.high:g}"
    default = knob.default if knob.choices else f"{knob.default:g}"
    only = "".join(f"; only with {name} {' or '.join(map(str, allowed))}" for name, allowed in knob.when.items())
    return f"{values} (default {default}{only})"


def checkpoint_state(entry: Entry) -> str:
    """Return a checkpoint in short: its family, images seen and device, or its problem."""
    if entry.problem:
        return f"not usable: {entry.problem}"
    seen = entry.trained.get("images")
    images = f"{seen:,} images seen" if seen is not None else "images seen not recorded"
    machine = entry.run.get("machine")
    device = machine.get("device") if isinstance(machine, dict) else None
    return ", ".join(filter(None, [entry.family, images, device and f"trained on {device}"]))


def training_share(at: Progress) -> float:
    """Return the share of the training that is done, in [0, 1]."""
    whole = at.seconds + at.eta_s
    return at.seconds / whole if whole > 0 else 1.0


def training_words(at: Progress) -> str:
    """Return a training's progress in one line."""
    losses = ", ".join(f"{name} {value:.4g}" for name, value in at.logs.items() if "loss" in name)
    parts = [f"{duration(at.eta_s)} left", f"{at.images:,} images", f"{at.images_per_s:,.0f}/s", losses]
    return ", ".join(filter(None, parts))


def so_far(at: Progress | None) -> str:
    """Return what a training came to, to stand behind 'Done' or 'Stopped'; None stands for no step at all."""
    return " without a step" if at is None else f" after {at.images:,} images in {duration(at.seconds)}"


def parse_knobs(pairs: Sequence[str] | None) -> dict[str, str]:
    """Return the knobs of `--knob name=value` options; what they mean is the family's to say.

    Raises:
        InputError: if one has no name or no value.
    """
    knobs = {}
    for pair in pairs or ():
        name, equals, value = pair.partition("=")
        if not (name and equals and value):
            raise InputError(f"--knob takes name=value, not {pair!r}.")
        knobs[name] = value
    return knobs


def file_name(index: int) -> str:
    """Return the file of image `index` in a folder of images."""
    return f"{index:05d}.png"


def check_output(out: Path, n: int, columns: int | None) -> None:
    """Check, before any image is made, that `n` images can go to `out`.

    Raises:
        InputError: if its ending is another, it is a folder with other files, or it is not to be written to.
    """
    if columns is not None and out.suffix != ".png":
        raise InputError("--columns is for one grid; let --out end in .png, or leave --columns out.")
    if out.suffix not in (".npy", ".png"):
        check_folder(out, n)
    elif out.is_dir():
        raise InputError(f"{out} is a folder; name a file, or a folder whose name has no such ending.")
    above = next(path for path in (out, *out.absolute().parents) if path.is_dir() or path.parent == path)
    blocked = next((path for path in out.absolute().parents if path.is_file()), None)
    if blocked:
        raise InputError(f"{out} cannot be made: {blocked} is a file, not a folder.")
    if not os.access(above, os.W_OK):
        raise InputError(f"{out} cannot be made: the folder {above} is read-only for you.")


def check_folder(out: Path, n: int) -> None:
    """Check that `out` is or can become a folder of `n` images and of nothing else.

    Raises:
        InputError: if it is a file, looks like one, or holds other files.
    """
    if out.is_file() or (out.suffix and not out.is_dir()):
        raise InputError(f"--out must end in .npy or .png, or be a folder, which {str(out)!r} is not.")
    others = sorted({path.name for path in out.glob("*")} - {file_name(index) for index in range(n)})
    if others:
        raise InputError(f"{out} holds other files, such as {others[0]!r}; name a new or an empty folder.")


def generate(model: Family, seed: int, n: int, batch: int, knobs: Mapping[str, Any], show: Show) -> Iterator[Tensor]:
    """Yield `n` images as uint8 (N, C, H, W), in order, `batch` at a time; the last batch may be smaller."""
    import torch

    from gencore.data import to_uint8
    from gencore.family import image_seed

    for start in range(0, n, batch):
        seeds = [image_seed(seed, index) for index in range(start, min(start + batch, n))]
        with torch.no_grad():
            for step in model.sample(seeds, **knobs):
                share = (start + len(seeds) * step.index / step.total) / n
                show(share, f"images {start + 1} to {start + len(seeds)} of {n}, step {step.index} of {step.total}")
        yield to_uint8(step.x0)


def write_images(out: Path, batches: Iterator[Tensor], columns: int | None) -> None:
    """Write images, uint8 (N, C, H, W) a batch, to `out`: a .npy file, a .png file with a grid, or a folder."""
    import torch

    from gencore.pictures import channels_last, grid, write_npy, write_png

    if out.suffix == ".npy":
        write_npy(out, torch.cat(list(batches)))
    elif out.suffix == ".png":
        write_png(out, grid(torch.cat(list(batches)), columns))
    else:
        pictures = (picture for batch in batches for picture in channels_last(batch))
        for index, picture in enumerate(pictures):
            write_png(out / file_name(index), picture)


def cost_rows(checkpoint: str, cost: Cost) -> list[list[str]]:
    """Return a cost as rows of a name and a value."""
    machine = cost.machine
    memory = "not known here" if cost.peak_memory_mb is None else f"{cost.peak_memory_mb:,.1f} MB"
    knobs = ", ".join(f"{name} {value}" for name, value in cost.knobs.items())
    return [
        ["checkpoint", checkpoint],
        ["settings", knobs or "none"],
        ["images at once", f"{cost.n}"],
        ["time", f"{cost.ms:,.1f} ms median, {cost.ms_p95:,.1f} ms 95th percentile of {cost.repeats} repeats"],
        ["time an image", f"{cost.ms_per_image:,.2f} ms"],
        ["throughput", f"{cost.images_per_s:,.1f} images/s"],
        ["network calls", f"{cost.calls:,}"],
        ["FLOPs per image", f"{cost.flops:,}"],
        ["parameters", f"{cost.parameters:,} called, {cost.parameters_total:,} in the checkpoint"],
        ["peak memory", memory],
        ["device", f"{machine['device']}, {machine['name']}, {machine['threads']} threads of {machine['cores']} cores"],
        ["number format", cost.dtype],
        ["versions", f"Python {machine['python']}, torch {machine['torch']}"],
    ]


def bound_rows(row: Mapping[str, Any]) -> list[list[str]]:
    """Return a bound as rows of a name and a value; the bound itself first."""
    elbo, terms = row["terms"]["elbo"], {name: term for name, term in row["terms"].items() if name != "elbo"}
    images = f"the first {row['n']:,} of the {row['split']} split of {row['dataset']}, of {row['dimensions']:,} numbers"
    bits = {"mean": -elbo["bits_per_dim"]["mean"], "low": -elbo["bits_per_dim"]["high"],
            "high": -elbo["bits_per_dim"]["low"]}  # fmt: skip
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


def curve_rows(curve: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Return a bound's curve as rows of the steps t and the value."""
    return [[f"t = {at['t_low']} to {at['t_high']}", with_ends(at)] for at in curve]


def with_ends(value: Mapping[str, float]) -> str:
    """Return a mean with its interval, five digits each: '101.42 [99.874, 102.97]'."""
    return f"{value['mean']:,.5g} [{value['low']:,.5g}, {value['high']:,.5g}]"
