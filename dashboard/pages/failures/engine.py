"""What the failure lab asks of gencore beside the broken models: how well each extractor sees known degradations."""

from __future__ import annotations

import base64
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from dashboard.service import InputError, Service
from dashboard.service.problems import without_paths
from gencore import pictures
from gencore.evaluation import ladder
from gencore.extractors import ladder_path


@dataclass(frozen=True)
class Sights:
    """How well the extractors of a data set see.

    Attributes:
        record: What was measured, as `gencore.evaluation.ladder.measure_ladder` returns it; {} where nothing was.
        strips: Examples of each ladder, in the record's order, as data URIs; none where there is no picture.
        problem: One sentence when there is nothing, or when an extractor has changed since; else ''.
    """

    record: Mapping[str, Any]
    strips: Sequence[str] = ()
    problem: str = ""


def recorded(service: Service, dataset: str) -> Sights:
    """Return how well the extractors of a data set see, without its examples, and what is wrong with that."""
    if dataset not in service.datasets():  # the name becomes a path
        return Sights({})
    try:
        record = ladder.load_ladder(dataset)
    except InputError as error:
        return Sights({}, problem=without_paths(str(error)))
    return Sights(record, problem=ladder.is_stale(record))


def sights(service: Service, dataset: str) -> Sights:
    """Return how well the extractors of a data set see, with examples, and what is wrong with that."""
    found = recorded(service, dataset)
    if not found.record:
        return found
    picture = ladder_path(dataset).with_name(ladder.PICTURE)
    try:
        strips = cut(picture, picture.stat().st_mtime_ns, len(found.record["ladders"]))
    except (OSError, ValueError):  # the table can do without its examples
        strips = ()
    return replace(found, strips=strips)


@functools.lru_cache(maxsize=16)
def cut(path: Path, stamp: int, count: int) -> tuple[str, ...]:
    """Return the strips of a picture of `count`, one below the other, as data URIs; `stamp` is the file's time.

    Raises:
        OSError: if it cannot be read as a picture.
        ValueError: if it has not that many strips of one height.
    """
    whole = np.asarray(Image.open(path))
    found = [pictures.png(part) for part in np.split(whole, count)]
    return tuple(f"data:image/png;base64,{base64.b64encode(content).decode()}" for content in found)
