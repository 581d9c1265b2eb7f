"""What is known of a checkpoint before anything runs, read from its files."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from safetensors import SafetensorError, safe_open

from dashboard.service.cache import CacheKey, cache_key
from dashboard.service.parsing import whole_of
from gencore import checkpoint
from gencore.family import Family
from gencore.paths import read_file, refuse_irregular

PREVIEW = {"n": 24, "seed": 42}  # how a checkpoint's preview.png was made


@dataclass(frozen=True)
class Lane:
    """What is known of a family on a data set before anything runs.

    Attributes:
        family: The family's name.
        title: The family's name for people.
        about: One sentence: what it is.
        checkpoint: The checkpoint shown, '' when there is none.
        checkpoints: The names of all of this family's checkpoints on the data set.
        problem: One sentence: why the lane cannot run; '' when it can.
        size: Pixels along an image's side.
        parameters: Trained numbers; 0 when unknown.
        run: The checkpoint's run.json, {} when there is none.
        origin: Where an imported checkpoint comes from: source, revision, licence; {} of one that was trained here.
        trained: Images seen and seconds of training in all, as far as is known.
        cost: The checkpoint's cost.json, {} when there is none.
        preview: uint8 (N, C, H, W) images made when the checkpoint was shipped, or None.
    """

    family: str
    title: str
    about: str
    checkpoint: str = ""
    checkpoints: tuple[str, ...] = ()
    problem: str = ""
    size: int = 0
    parameters: int = 0
    run: Mapping[str, Any] = field(default_factory=dict)
    origin: Mapping[str, str] = field(default_factory=dict)
    trained: Mapping[str, float] = field(default_factory=dict)
    cost: Mapping[str, Any] = field(default_factory=dict)
    preview: np.ndarray | None = None


def checkpoint_key(name: str, *others: str) -> CacheKey:
    """Return the cache key of what is worked out from a checkpoint, and from `others` of the files in its folder.

    Raises:
        InputError: if there is no such checkpoint.
    """
    folder = checkpoint.resolve(name)
    return cache_key(folder, [folder / file for file in (checkpoint.WEIGHTS, checkpoint.CONFIG, *others)])


def size_of(entry: checkpoint.Entry) -> int:
    """Return the side in pixels of a checkpoint's images; 0 when its config does not say."""
    return whole_of(entry.config.get("size")) or 0


def missing(dataset: str, kind: type[Family]) -> str:
    """Return the sentence of a lane that has no checkpoint, with the command that trains one."""
    from gencore.presets import PRESETS

    ready = [name for name, run in PRESETS.items() if run.family == kind.name]
    preset = next((name for name in ready if PRESETS[name].data == dataset), next(iter(ready), f"digits/{kind.name}"))
    other = f" data={dataset}" if dataset and preset in ready and PRESETS[preset].data != dataset else ""
    where = f" for {dataset}" if dataset else ""
    return f"No {kind.title} checkpoint{where} yet. Train one: python -m gencore train {preset}{other}"


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON object from a file, {} when there is none or it is broken."""
    try:
        value = json.loads(read_file(path))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def read_preview(path: Path, size: int) -> np.ndarray | None:
    """Return the images of a preview.png as uint8 (N, C, size, size), None when there is none or it is no such grid."""
    try:
        with Image.open(io.BytesIO(read_file(path))) as picture:
            array = np.asarray(picture.convert("L" if picture.mode == "L" else "RGB"))
    except (OSError, SyntaxError, ValueError):
        return None
    if not size or array.shape[0] % size or array.shape[1] % size:
        return None
    rows, columns = array.shape[0] // size, array.shape[1] // size
    cells = array.reshape(rows, size, columns, size, -1).transpose(0, 2, 4, 1, 3)
    return cells.reshape(rows * columns, -1, size, size)[: PREVIEW["n"]]


def count_parameters(entry: checkpoint.Entry) -> int:
    """Return how many numbers a checkpoint's weights hold, read from the file's header; 0 when it cannot be read."""
    try:
        refuse_irregular(entry.path / checkpoint.WEIGHTS)
        with safe_open(entry.path / checkpoint.WEIGHTS, "np") as weights:
            return sum(int(np.prod(weights.get_slice(key).get_shape())) for key in weights.keys())  # noqa: SIM118
    except (OSError, SafetensorError):
        return 0
