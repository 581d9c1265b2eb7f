"""Options that commands share, and how they are read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from gencore.errors import InputError

CheckpointName = Annotated[str, typer.Argument(metavar="CHECKPOINT", help="A name that `list` shows, or a folder.")]
DeviceName = Annotated[str | None, typer.Option(help="cuda, mps or cpu; else GENCORE_DEVICE, else the best there is.")]
DtypeName = Annotated[str, typer.Option(help="float32, bfloat16 or float16: what the networks compute in.")]
Texts = list[str] | None  # of what can be given several times
Knobs = Annotated[
    Texts, typer.Option("--knob", metavar="NAME=VALUE", help="A sampling setting that `list` shows; can be repeated.")
]
DtypeOrAuto = Annotated[str, typer.Option(help="float32, bfloat16, float16, or auto: the fastest one.")]
Split = Annotated[str, typer.Option(help="Whose images: train, validation or test.")]
FirstImages = Annotated[int, typer.Option("--n", "-n", help="Images: the first N of the split.")]
BatchSize = Annotated[int, typer.Option(help="Images made at once; the same batch gives the same bits.")]
RowsFile = Annotated[Path | None, typer.Option(help="The file; by default rows.jsonl beside the checkpoints.")]
SizeOfImages = Annotated[int | None, typer.Option("--size", help="Pixels a side; all images become squares of it.")]
ChannelsOfImages = Annotated[int | None, typer.Option("--channels", help="1 (grey) or 3 (RGB); else as they are.")]
FitOfImages = Annotated[str, typer.Option("--fit", help="How other shapes become squares: crop, pad or stretch.")]
LabelColumn = Annotated[str | None, typer.Option("--label", help="The column of labels, in a table.")]


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
