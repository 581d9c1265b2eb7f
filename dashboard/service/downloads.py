"""What a finished run leaves to take away: its settings and timings as JSON, its images as one PNG and as a ZIP."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dashboard.service import comparisons
from dashboard.service.orders import Frame, Order, Part, Result, image_seeds
from dashboard.service.service import Service
from gencore import bundle
from gencore.bundle import write_bundle
from gencore.errors import InputError
from gencore.evaluation.task import plain_settings
from gencore.pictures import grid, png

SCALE = 4  # of the picture: one pixel becomes 4 x 4; the archive has the exact ones
COLUMNS = 6


def result_of(service: Service, order: Order, frame: Frame) -> Result:
    """Return what a lane's last frame comes to."""
    part = next(part for part in order.parts if part.family == frame.family)
    title, each = service.families[frame.family].title, 1000 * frame.seconds / order.n
    beside = "" if frame.kept else comparisons.at_work()
    return Result(frame.family, title, frame.images, each, frame.index, frame.seconds, part, beside, frame.kept)


def record(order: Order, results: Sequence[Result], machine: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings and timings of a run as JSON values; `results` are the parts that finished."""
    return {
        **bundle.about(order.seed, order.seeds, order.n, machine),
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "data": order.dataset,
        "timing": "wall time of one generation of all n images, alone on the device, after one warm-up network call",
        "lanes": {
            result.family: {
                **lane_of(result.part),
                "seconds": result.seconds,
                "ms_per_image": result.ms_per_image,
                "network_calls": result.calls,
                **({"timed": result.kept} if result.kept else {}),
            }
            for result in results
        },
        "not_finished": [part.family for part in order.parts if part.family not in {r.family for r in results}],
    }


def lane_of(part: Part) -> dict[str, Any]:
    """Return what a bundle says of a part; of a checkpoint that was removed meanwhile no more than its name."""
    try:
        return bundle.lane(part.checkpoint, part.knobs, plain_settings())
    except InputError:
        return {"checkpoint": part.checkpoint, "knobs": dict(part.knobs)}


def picture(results: Sequence[Result]) -> bytes:
    """Return the lanes side by side as a PNG, see `canvas`."""
    return png(canvas(results))


def canvas(results: Sequence[Result]) -> np.ndarray:
    """Return the lanes side by side, uint8 (H, W, 3), each under its name, every pixel enlarged by `SCALE`."""
    grids = [Image.fromarray(rgb(grid(result.images, min(COLUMNS, len(result.images))))) for result in results]
    grids = [image.resize((SCALE * image.width, SCALE * image.height), Image.Resampling.NEAREST) for image in grids]
    gap, head = 24, 36
    width = sum(image.width for image in grids) + gap * (len(grids) + 1)
    sheet = Image.new("RGB", (width, max(image.height for image in grids) + head + gap), "white")
    draw, font, x = ImageDraw.Draw(sheet), ImageFont.load_default(18), gap
    for image, result in zip(grids, results, strict=True):
        draw.text((x, 8), result.title, fill="black", font=font)
        sheet.paste(image, (x, head))
        x += image.width + gap
    return np.asarray(sheet)


def rgb(array: np.ndarray) -> np.ndarray:
    """Return a picture (H, W, 1 or 3) with three channels."""
    return np.repeat(array, 3, axis=2) if array.shape[2] == 1 else array


def archive(settings: Mapping[str, Any], results: Sequence[Result]) -> bytes:
    """Return a ZIP with settings.json and every image as an exact PNG: a bundle that `gencore replay` makes again."""
    return write_bundle(settings, {result.family: result.images for result in results})


def shared(
    parts: Mapping[str, Part],
    images: Mapping[str, np.ndarray],
    seed: int,
    machine: Mapping[str, Any],
    batch: int | None = None,
) -> bytes:
    """Return the bundle of some lanes.

    Args:
        parts: By lane, its checkpoint and knobs.
        images: By lane, uint8 (n, C, H, W).
        seed: Of the run; image i has the seed that it has in any run of this seed.
        machine: As `describe_machine` tells of it.
        batch: How many were made at once; None for all.
    """
    seeds = image_seeds(seed, len(next(iter(images.values()))))
    lanes = {name: lane_of(part) for name, part in parts.items()}
    return write_bundle({**bundle.about(seed, seeds, batch or len(seeds), machine), "lanes": lanes}, images)


@dataclass(frozen=True)
class Walk:
    """A path through a latent space, as a bundle has it.

    Attributes:
        checkpoint: What decoded it.
        seeds: Those of the two ends; None where these are images.
        ends: Those images, uint8 (2, C, H, W); None where the ends are seeds.
        decoded: The places of the pictures, in the groups that one call decoded each.
        images: The pictures, uint8 (n, C, H, W).
    """

    checkpoint: str
    seeds: Sequence[int] | None
    ends: np.ndarray | None
    decoded: Sequence[Sequence[int]]
    images: np.ndarray


def paths(walked: Mapping[str, Walk], machine: Mapping[str, Any], **told: Any) -> bytes:
    """Return the bundle of some paths, by lane; `told` is said besides."""
    lanes = {
        name: {**lane_of(Part(name, one.checkpoint, {})), "path": bundle.path_of(one.seeds, one.decoded)}
        for name, one in walked.items()
    }
    images = {name: one.images for name, one in walked.items()}
    ends = {f"{name}/ends": one.ends for name, one in walked.items() if one.ends is not None}
    return write_bundle({**told, **bundle.origin(machine), "lanes": lanes}, {**images, **ends})


def write(folder: Path, order: Order, results: Sequence[Result], machine: Mapping[str, Any]) -> list[str]:
    """Write the three files of a run into a folder and return their paths: JSON, PNG, ZIP."""
    settings = record(order, results, machine)
    name = f"{order.dataset.replace('/', '-')}-seed-{order.seed}-n-{order.n}"
    contents = {
        "json": json.dumps(settings, indent=2).encode(),
        "png": picture(results),
        "zip": archive(settings, results),
    }
    paths = [folder / f"{name}.{ending}" for ending in contents]
    for path, content in zip(paths, contents.values(), strict=True):
        path.write_bytes(content)
    return [str(path) for path in paths]
