"""What a finished run leaves to take away: its settings and timings as JSON, its images as one PNG and as a ZIP."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dashboard.service import comparisons
from dashboard.service.orders import Frame, Order, Result
from dashboard.service.service import Service
from gencore import __version__
from gencore.pictures import grid, png

SCALE = 4  # of the picture: one pixel becomes 4 x 4; the archive has the exact ones
COLUMNS = 6


def result_of(service: Service, order: Order, frame: Frame) -> Result:
    """Return what a lane's last frame comes to."""
    part = next(part for part in order.parts if part.family == frame.family)
    title, each = service.families[frame.family].title, 1000 * frame.seconds / order.n
    return Result(frame.family, title, frame.images, each, frame.index, frame.seconds, part, comparisons.at_work())


def record(order: Order, results: Sequence[Result], machine: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings and timings of a run as JSON values; `results` are the parts that finished."""
    return {
        "program": f"gencore {__version__}",
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "data": order.dataset,
        "n": order.n,
        "seed": order.seed,
        "image_seeds": order.seeds,
        "timing": "wall time of one generation of all n images, alone on the device, after one warm-up network call",
        "machine": dict(machine),
        "lanes": {
            result.family: {
                "checkpoint": result.part.checkpoint,
                "knobs": dict(result.part.knobs),
                "seconds": result.seconds,
                "ms_per_image": result.ms_per_image,
                "network_calls": result.calls,
            }
            for result in results
        },
        "not_finished": [part.family for part in order.parts if part.family not in {r.family for r in results}],
    }


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
    """Return a ZIP with settings.json and every image as an exact PNG, `vae/000.png` and so on."""
    return zipped(settings, {result.family: result.images for result in results})


def zipped(settings: Mapping[str, Any], images: Mapping[str, np.ndarray]) -> bytes:
    """Return a ZIP with settings.json and, by folder, images (n, C, H, W) as exact PNGs."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("settings.json", json.dumps(settings, indent=2))
        for folder, mine in images.items():
            for index, image in enumerate(mine):
                bundle.writestr(f"{folder}/{index:03d}.png", png(image.transpose(1, 2, 0)))
    return buffer.getvalue()


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
