"""`list`: families, presets, extractors and checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from gencore.cli.terminal import print_rows

if TYPE_CHECKING:
    from gencore.checkpoint import Entry
    from gencore.family import Knob


def show_all() -> None:
    """Show families, presets, extractors and checkpoints."""
    from gencore.checkpoint import entries
    from gencore.extractors import EXTRACTORS
    from gencore.families import FAMILIES
    from gencore.presets import PRESETS

    typer.echo("Families and their knobs")
    for name, family in FAMILIES.items():
        typer.echo(f"  {name}: {family.title}")
        print_rows([[knob.name, knob_values(knob), knob.help] for knob in family.knobs], "    ")
    typer.echo("\nPresets, for `train`")
    print_rows([[name, f"{run.family} on {run.data}"] for name, run in PRESETS.items()], "  ")
    typer.echo("\nExtractors, for `features`")
    print_rows([[name, cls.about] for name, cls in EXTRACTORS.items()], "  ")
    typer.echo("\nCheckpoints, for `sample` and `benchmark`")
    print_rows([[entry.name, checkpoint_state(entry)] for entry in entries()], "  ")


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
    source = entry.origin.get("source")
    facts = [entry.family, images, device and f"trained on {device}", source and f"imported from {source}"]
    return ", ".join(filter(None, facts))
