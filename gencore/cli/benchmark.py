"""`benchmark`: what generating images costs."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from gencore.cli.options import CheckpointName, DeviceName, DtypeName, Knobs, parse_knobs
from gencore.cli.terminal import print_rows

if TYPE_CHECKING:
    from gencore.evaluation.cost import Cost


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
    from gencore.checkpoint import load, refuse_installed, resolve, write_json
    from gencore.evaluation.cost import measure

    if save:
        refuse_installed(resolve(checkpoint))
    cost = measure(load(checkpoint, device, dtype), n, repeats, **parse_knobs(knob))
    if save:
        write_json(resolve(checkpoint) / "cost.json", asdict(cost))
    if as_json:
        typer.echo(json.dumps(asdict(cost), indent=2))
    else:
        print_rows(cost_rows(checkpoint, cost))


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
        ["time per image", f"{cost.ms_per_image:,.2f} ms"],
        ["throughput", f"{cost.images_per_s:,.1f} images/s"],
        ["network calls", f"{cost.calls:,}"],
        ["FLOPs per image", f"{cost.flops:,}"],
        ["parameters", f"{cost.parameters:,} called, {cost.parameters_total:,} in the checkpoint"],
        ["peak memory", memory],
        ["device", f"{machine['device']}, {machine['name']}, {machine['threads']} threads of {machine['cores']} cores"],
        ["number format", cost.dtype],
        ["versions", f"Python {machine['python']}, torch {machine['torch']}"],
    ]
