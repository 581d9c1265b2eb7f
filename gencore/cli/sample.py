"""`sample`: images into a file or a folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gencore.cli.options import BatchSize, CheckpointName, DeviceName, DtypeName, Knobs, parse_knobs
from gencore.cli.terminal import Show, progress
from gencore.errors import InputError
from gencore.paths import as_path

if TYPE_CHECKING:
    from torch import Tensor

    from gencore.family import Family


def sample(
    checkpoint: CheckpointName,
    out: Annotated[
        Path | None, typer.Option(help="A .npy file, a .png file (one grid), or a folder (a PNG per image).")
    ] = None,
    n: Annotated[int, typer.Option("--n", "-n", help="How many images.")] = 16,
    seed: Annotated[int, typer.Option(help="Image i is made from image_seed(SEED, i).")] = 0,
    knob: Knobs = None,
    columns: Annotated[int | None, typer.Option(help="Of the grid; by default the root of n, rounded up.")] = None,
    batch: BatchSize = 100,
    dtype: DtypeName = "float32",
    device: DeviceName = None,
    bundle: Annotated[
        Path | None, typer.Option(help="A .zip with the images and all that they depend on, for `replay`.")
    ] = None,
) -> None:
    """Generate images into a file, a folder or a bundle."""
    from gencore.checkpoint import load, write_atomic
    from gencore.evaluation.cost import check_count
    from gencore.family import MAX_IMAGES, parse_seed

    check_count("--n", n, MAX_IMAGES)
    check_count("--batch", batch, MAX_IMAGES)
    check_count("--columns", 1 if columns is None else columns, MAX_IMAGES)
    parse_seed(seed)
    if out is None and bundle is None:
        raise InputError("Say where the images go: --out FILE, --bundle FILE.zip, or both.")
    out, bundle = (as_path(path) if path else None for path in (out, bundle))
    if out:
        check_output(out, n, columns)
    if bundle:
        check_bundle(bundle)
    model, knobs = load(checkpoint, device, dtype), parse_knobs(knob)
    knobs = model.resolve_knobs(knobs)
    with progress() as show:
        images: Iterable[Tensor] = generate(model, seed, n, batch, knobs, show)
        if bundle:
            images = list(images)
            write_atomic(bundle, bundled(checkpoint, model, seed, batch, knobs, dtype, images))
        if out:
            write_images(out, iter(images), columns)
    where = " and ".join(str(path) for path in (out, bundle) if path)
    typer.echo(f"{n} image{'s' if n > 1 else ''} of {checkpoint} with seed {seed}: {where}")


def check_bundle(bundle: Path) -> None:
    """Check, before any image is made, that a bundle can be written.

    Raises:
        InputError: if its ending is another, or it is not to be written to.
    """
    if bundle.suffix != ".zip" or bundle.is_dir():
        raise InputError(f"--bundle must be a file that ends in .zip, which {str(bundle)!r} is not.")
    check_place(bundle)


def bundled(
    checkpoint: str,
    model: Family,
    seed: int,
    batch: int,
    knobs: Mapping[str, Any],
    dtype: str,
    images: Sequence[Tensor],
) -> bytes:
    """Return images, uint8 (N, C, H, W) per batch, as a bundle that `replay` makes again."""
    import torch

    from gencore.bundle import about, lane, write_bundle
    from gencore.device import Settings, describe_machine
    from gencore.family import image_seed

    made = torch.cat(list(images)).cpu().numpy()
    seeds = [image_seed(seed, index) for index in range(len(made))]
    its = lane(checkpoint, knobs, Settings(dtype, "contiguous", torch.get_num_threads()))
    settings = about(seed, seeds, min(batch, len(made)), describe_machine(model.device))
    return write_bundle(settings | {"lanes": {model.name: its}}, {model.name: made})


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
    check_place(out)


def check_place(out: Path) -> None:
    """Check that a file or folder can be made where it is to be.

    Raises:
        InputError: if it cannot.
    """
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
    from gencore.data import to_uint8
    from gencore.family import image_seed

    for start in range(0, n, batch):
        seeds = [image_seed(seed, index) for index in range(start, min(start + batch, n))]
        for step in model.sample(seeds, **knobs):
            share = (start + len(seeds) * step.index / step.total) / n
            show(share, f"images {start + 1} to {start + len(seeds)} of {n}, step {step.index} of {step.total}")
        yield to_uint8(step.x0)


def write_images(out: Path, batches: Iterator[Tensor], columns: int | None) -> None:
    """Write images, uint8 (N, C, H, W) per batch, to `out`: a .npy file, a .png file with a grid, or a folder."""
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
