"""The extractors: EXTRACTORS, one line each, how they are saved and loaded, and which one is a data set's default."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from gencore.checkpoint import read_tensors, roots, write_tensors
from gencore.data import dataset_key
from gencore.errors import InputError, near
from gencore.extractors.base import Classifies, Extractor, Options, Show, file_hash
from gencore.extractors.classifier import Classifier
from gencore.extractors.dinov2 import DINOv2
from gencore.extractors.pixels import Pixels
from gencore.extractors.self_supervised import SelfSupervised
from gencore.extractors.untrained import Random

__all__ = [
    "EXTRACTORS", "FOLDER", "LADDER", "Classifies", "Extractor", "Options", "Show", "dataset_key", "default_extractor",
    "extractor_class", "extractor_path", "extractors_of", "load_extractor", "read_extractor", "write_extractor",
]  # fmt: skip

EXTRACTORS: dict[str, type[Extractor]] = {cls.name: cls for cls in (Classifier, Pixels, SelfSupervised, Random, DINOv2)}
FOLDER = "features"  # below a data set's folder
LADDER = "ladder.json"  # in it: how well each extractor sees; see `gencore.evaluation.ladder`


def extractor_class(name: str) -> type[Extractor]:
    """Return an entry of EXTRACTORS.

    Raises:
        InputError: if there is none of that name.
    """
    if name not in EXTRACTORS:
        raise InputError(f"There is no extractor {name!r}{near(str(name), list(EXTRACTORS))}")
    return EXTRACTORS[name]


def extractor_path(dataset: str, name: str) -> Path:
    """Return the weights file of an extractor in the first checkpoint root that has one.

    Raises:
        InputError: if no root has one, or there is no extractor of that name.
    """
    extractor_class(name)
    key = dataset_key(dataset)
    for root in roots() if key else ():
        path = root / key / FOLDER / f"{name}.safetensors"
        if path.is_file():
            return path
    raise InputError(
        f"There are no {name} features of {key!r} here; make them with 'python -m gencore features {dataset}'."
    )


def extractors_of(dataset: str) -> list[str]:
    """Return the names of the extractors that are there of a data set, in the order of EXTRACTORS."""
    key = dataset_key(dataset)
    places = [root / key / FOLDER for root in roots()] if key else []
    return [name for name in EXTRACTORS if any((place / f"{name}.safetensors").is_file() for place in places)]


def ladder_path(dataset: str) -> Path | None:
    """Return the file that says how well each extractor of a data set sees, in the first root that has one."""
    key = dataset_key(dataset)
    paths = [root / key / FOLDER / LADDER for root in roots()] if key else []
    return next((path for path in paths if path.is_file()), None)


def default_extractor(dataset: str) -> str:
    """Return the extractor that a data set's images are compared in unless another is asked for.

    It is the one that the ladder of known degradations chose; without one, the first there is; without any,
    'classifier'.
    """
    there, path = extractors_of(dataset), ladder_path(dataset)
    try:
        chosen = json.loads(path.read_text("utf-8"))["default"] if path else ""
    except (OSError, ValueError, KeyError, TypeError):  # what is wrong with it, `gencore.evaluation.ladder` says
        chosen = ""
    return chosen if chosen in there else next(iter(there), next(iter(EXTRACTORS)))


def load_extractor(dataset: str, name: str = "classifier") -> Extractor:
    """Return an extractor of a data set ('mnist', a Hub id, or a folder), on the CPU; `.to(device)` moves it.

    Raises:
        InputError: if there is none, or its file is damaged, foreign or another data set's.
    """
    return read_extractor(extractor_path(dataset, name), dataset_key(dataset), name)


def read_extractor(path: Path, key: str, name: str) -> Extractor:
    """Return the extractor `name` of data set `key` from its weights file.

    Raises:
        InputError: if the file is damaged, foreign, or another data set's.
    """
    tensors, metadata = read_tensors(path)
    if metadata.get("extractor") != name:
        raise InputError(f"{path} does not hold {name} features, but {metadata.get('extractor', 'something else')}.")
    if metadata.get("data") != key:
        raise InputError(f"{path} is of the data set {metadata.get('data', 'unknown')!r}, not of {key!r}.")
    try:
        with torch.random.fork_rng(devices=[]):  # loading must not disturb a training's random numbers
            extractor = extractor_class(name)(**json.loads(metadata["config"]))
        extractor.load_state_dict(tensors)
    except Exception as error:  # a constructor given values it was not made for can raise anything
        reason = " ".join(str(error).split())
        raise InputError(f"{path} does not describe {name} features that can be built: {reason}") from None
    extractor.hash = file_hash(path)
    return extractor.eval().requires_grad_(False)


def write_extractor(path: Path, extractor: Extractor, key: str, record: Mapping[str, Any]) -> Extractor:
    """Write a standardised extractor of data set `key`, atomically, and return it as it is read back.

    The file's header holds, as JSON, the `record` of how it came about.

    Raises:
        InputError: if a weight is not finite or the disk refuses; the old file stays.
    """
    weights = {name for name, _ in extractor.named_parameters()} if extractor.half else set()
    tensors = {name: x.half() if name in weights else x for name, x in extractor.state_dict().items()}
    if not all(bool(x.isfinite().all()) for x in tensors.values()):
        raise InputError(
            f"The {extractor.name} features of {key} were not written: not all weights are finite numbers."
        )
    metadata = {"extractor": extractor.name, "data": key, "config": json.dumps(extractor.config)}
    write_tensors(path, tensors, metadata | {"record": json.dumps(record)})
    return read_extractor(path, key, extractor.name)
