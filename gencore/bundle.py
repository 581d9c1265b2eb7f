"""Share bundles: a ZIP of images with all that they depend on, and the same made again and compared image by image.

In it are `settings.json` and each lane's images as exact PNGs, `vae/000.png` and so on. A lane is one checkpoint at
one setting of its knobs; the settings name its checkpoint, the hash of that, its knobs and how it was computed, and for
all lanes the seed of every image. A lane may be a path through a latent space instead: then it names the two ends, by
their seeds or as images beside its own (`vae/ends/000.png`), and which pictures were decoded in one call.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError

from gencore import __version__, archives, checkpoint
from gencore.data import to_float, to_uint8
from gencore.data.view import MAX_SIZE
from gencore.device import Settings, describe_machine, pick_device
from gencore.errors import InputError
from gencore.evaluation import rows
from gencore.family import MAX_IMAGES, Decodes, Family, Inverts, parse_seed
from gencore.latents import path as latent_path
from gencore.paths import as_path
from gencore.pictures import png

FORMAT, SETTINGS = 1, "settings.json"
MOST_LANES = 32
MOST_STEPS = 1000  # pictures of a path
NAMES = re.compile(r"\w[\w.-]{0,59}")  # of lanes
HASHES = re.compile(r"[0-9a-f]{16}")
PICTURES = re.compile(r"(\d{1,6})\.png")


def lane(name: str, knobs: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """Return what a bundle says of how a lane's images are made.

    Args:
        name: The checkpoint.
        knobs: Every knob's value.
        settings: How the networks computed.

    Raises:
        InputError: if there is no such checkpoint.
    """
    entry = checkpoint.find(name)
    shown = entry.path.name if Path(entry.name).is_absolute() else entry.name  # no folder of this machine
    return {
        "checkpoint": shown,
        "hash": rows.checkpoint_hash(entry.path),
        "knobs": dict(knobs),
        "settings": settings.record(),
    }


def path_of(seeds: Sequence[int] | None, decoded: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Return what a bundle says besides `lane` of a path through a latent space.

    Args:
        seeds: Those of the two ends; None where these are images, which `write_bundle` is given as '<lane>/ends'.
        decoded: The places of the pictures on the path, in the groups that one call decoded each.
    """
    return {"seeds": None if seeds is None else list(seeds), "decoded": [list(group) for group in decoded]}


def origin(machine: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a bundle says of where it was made: format, version, machine, as `describe_machine` tells of it."""
    return {"bundle": FORMAT, "program": f"gencore {__version__}", "machine": dict(machine)}


def about(seed: int, seeds: Sequence[int], batch: int, machine: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a bundle says of all its lanes that are made of seeds: `origin`, and the seeds.

    Args:
        seed: The run's seed, for people.
        seeds: The seed of each image.
        batch: Images made at once: another number may change last bits.
        machine: As `describe_machine` tells of it.
    """
    return {**origin(machine), "n": len(seeds), "seed": seed, "image_seeds": list(seeds), "batch": batch}


def write_bundle(settings: Mapping[str, Any], images: Mapping[str, np.ndarray]) -> bytes:
    """Return a bundle.

    Args:
        settings: JSON values: `about` or `origin`, and by name in 'lanes' what `lane` says of each.
        images: By lane, uint8 (n, C, H, W).
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(SETTINGS, json.dumps(settings, indent=2))
        for folder, mine in images.items():
            for index, image in enumerate(mine):
                archive.writestr(f"{folder}/{index:03d}.png", png(image.transpose(1, 2, 0)))
    return buffer.getvalue()


@dataclass(frozen=True)
class Walked:
    """A path through a latent space, checked.

    Attributes:
        seeds: Those of the two ends; None where these are images.
        ends: Those images, uint8 (2, C, H, W); None where the ends are seeds.
        decoded: The places of the pictures on the path, in the groups that one call decoded each.
    """

    seeds: tuple[int, ...] | None
    ends: np.ndarray | None
    decoded: tuple[tuple[int, ...], ...]

    @property
    def n(self) -> int:
        """How many pictures it has."""
        return sum(map(len, self.decoded))


@dataclass(frozen=True)
class Lane:
    """One lane of a bundle, checked.

    Attributes:
        name: Its name.
        checkpoint: The checkpoint's name where the bundle was made.
        hash: Of the checkpoint's weights and config.
        knobs: As they were given; the family has not seen them yet.
        settings: How the networks computed.
        images: uint8 (n, C, H, W).
        path: Along which they lie; None where each is made of its own seed.
    """

    name: str
    checkpoint: str
    hash: str
    knobs: Mapping[str, Any]
    settings: Settings
    images: np.ndarray
    path: Walked | None = None


@dataclass(frozen=True)
class Bundle:
    """A bundle, checked.

    Attributes:
        seeds: The seed of each image.
        batch: Images made at once.
        machine: What it says of its machine, in words; '' where it does not.
        lanes: Its lanes.
    """

    seeds: tuple[int, ...]
    batch: int
    machine: str
    lanes: tuple[Lane, ...]


@dataclass(frozen=True)
class Replayed:
    """What came of making a lane's images again.

    Attributes:
        lane: Its name.
        checkpoint: The checkpoint that was used, '' where there is none.
        n: How many images it has.
        identical: How many came out to the bit.
        largest: The largest difference of a pixel, in levels of 256.
        problem: One sentence where they could not be made.
    """

    lane: str
    checkpoint: str = ""
    n: int = 0
    identical: int = 0
    largest: int = 0
    problem: str = ""

    @property
    def same(self) -> bool:
        """Whether all images came out to the bit."""
        return not self.problem and self.identical == self.n


def read_bundle(path: str | Path) -> Bundle:
    """Return a bundle that anybody may have made.

    Raises:
        InputError: if it is damaged, could do harm, or is no bundle of this format.
    """
    path = as_path(path)
    if not path.is_file():
        raise InputError(f"There is no file {str(path)!r}.")
    with archives.opened(path) as archive:
        members = {one.filename.replace("\\", "/"): one for one in archives.members(archive, path.name)}
        if SETTINGS not in members:
            raise InputError(f"{path.name} is no bundle: it has no {SETTINGS}.")
        told = _parsed(archives.read(archive, members[SETTINGS], path.name), path.name)
        try:
            seeds, batch = _seeds(told)
            lanes = tuple(_lane(archive, members, name, its, len(seeds)) for name, its in _lanes(told, len(seeds)))
        except InputError as error:
            raise InputError(f"{path.name} cannot be replayed: {error}") from None
    machine = told.get("machine")
    return Bundle(seeds, batch, _machine_words(machine) if isinstance(machine, dict) else "", lanes)


def replay(bundle: Bundle, device: str | None = None) -> Iterator[Replayed]:
    """Make the images of each lane again with the local checkpoint of its hash, and yield how they compare.

    Args:
        bundle: The bundle.
        device: As for `pick_device`.
    """
    here = {}
    for entry in checkpoint.entries():
        if not entry.problem:
            here.setdefault(rows.checkpoint_hash(entry.path), entry)
    for one in bundle.lanes:
        entry = here.get(one.hash)
        try:
            if entry is None:
                raise InputError(f"There is no checkpoint here with the weights of {one.checkpoint!r} ({one.hash}).")
            model = checkpoint.load(entry, device)
            one.settings.apply(model)
            again = made_again(model, one, bundle)
        except InputError as error:
            yield Replayed(one.name, entry.name if entry else "", len(one.images), problem=str(error))
            continue
        apart = np.abs(again.astype(int) - one.images).reshape(len(again), -1).max(axis=1)
        yield Replayed(one.name, entry.name, len(again), int((apart == 0).sum()), int(apart.max()))


@torch.no_grad()
def made_again(model: Family, one: Lane, bundle: Bundle) -> np.ndarray:
    """Return a lane's images as its model makes them now, uint8 (n, C, H, W).

    Raises:
        InputError: if they are of another shape, or if the model has no such knobs.
    """
    knobs = model.resolve_knobs(one.knobs)
    if tuple(model.image_shape) != one.images.shape[1:]:
        raise InputError(f"{one.checkpoint} makes images of another shape than those of {one.name}.")
    if one.path is not None:
        return _walked_again(model, one, one.path)
    found = []
    for start in range(0, len(bundle.seeds), bundle.batch):
        *_, last = model.sample(list(bundle.seeds[start : start + bundle.batch]), **knobs)
        found.append(to_uint8(last.x0).cpu().numpy())
    return np.concatenate(found)


def _walked_again(model: Family, one: Lane, walked: Walked) -> np.ndarray:
    """Return the pictures of a path as its model decodes them now, in the same groups.

    Raises:
        InputError: if the model decodes no latents, or gives none to images.
    """
    if not isinstance(model, Decodes) or (walked.seeds is None and not isinstance(model, Inverts)):
        raise InputError(f"{one.checkpoint} has no latents for the ends of {one.name}.")
    if walked.seeds is None:
        a, b = model.invert(to_float(torch.from_numpy(walked.ends)).to(model.device))
    else:
        a, b = model.latent(list(walked.seeds))
    latents, found = latent_path(model, a, b, np.linspace(0, 1, walked.n).tolist()), np.empty_like(one.images)
    for group in walked.decoded:
        found[list(group)] = to_uint8(model.decode(latents[list(group)])).cpu().numpy()
    return found


def here_words(device: str | None = None) -> str:
    """Return this machine in the words in which a bundle's is told."""
    return _machine_words(describe_machine(pick_device(device)))


def _machine_words(machine: Mapping[str, Any]) -> str:
    name, version = (str(machine.get(key, "?"))[:80] for key in ("name", "torch"))
    return f"{name}, torch {version}"


def _parsed(content: bytes, name: str) -> dict[str, Any]:
    try:
        told = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):
        raise InputError(f"{name} is no bundle: its {SETTINGS} is no JSON.") from None
    if not isinstance(told, dict) or told.get("bundle") != FORMAT:
        raise InputError(
            f"{name} is no bundle of format {FORMAT}: its {SETTINGS} does not say so; it may be of another version."
        )
    return told


def _seeds(told: Mapping[str, Any]) -> tuple[tuple[int, ...], int]:
    if "image_seeds" not in told and "batch" not in told:  # all lanes are paths, or say that they lack theirs
        return (), 1
    seeds, batch = told.get("image_seeds"), told.get("batch")
    if not isinstance(seeds, list) or not 1 <= len(seeds) <= MAX_IMAGES:
        raise InputError(f"it must have from 1 to {MAX_IMAGES} image_seeds.")
    if type(batch) is not int or not 1 <= batch <= MAX_IMAGES:
        raise InputError(f"batch must be a whole number from 1 to {MAX_IMAGES}, not {str(batch)[:40]!r}.")
    return tuple(map(parse_seed, seeds)), batch


def _lanes(told: Mapping[str, Any], n: int) -> Iterable[tuple[str, Any]]:
    lanes = told.get("lanes")
    if not isinstance(lanes, dict) or not 1 <= len(lanes) <= MOST_LANES or n * len(lanes) > MAX_IMAGES:
        raise InputError(f"it must have from 1 to {MOST_LANES} lanes, and at most {MAX_IMAGES:,} images in all.")
    return lanes.items()


def _lane(archive: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo], name: str, told: Any, n: int) -> Lane:
    """Return a lane and its images.

    Raises:
        InputError: if what it says is not what a lane says, or if images are lacking or damaged.
    """
    if not NAMES.fullmatch(name) or not isinstance(told, dict):
        raise InputError(f"{name[:40]!r} is no lane.")
    its, knobs, settings = told.get("hash"), told.get("knobs"), told.get("settings")
    if not isinstance(its, str) or not HASHES.fullmatch(its):
        raise InputError(f"the lane {name} does not say its checkpoint's hash.")
    if not isinstance(knobs, dict) or not isinstance(settings, dict):
        raise InputError(f"the lane {name} does not say its knobs and settings.")
    try:
        computed = Settings(**settings)
    except TypeError:
        raise InputError(f"the lane {name} has other settings than dtype, layout and threads.") from None
    walked = None
    if "path" in told:
        seeds, decoded = _path(told["path"], name)
        ends = _images(archive, members, f"{name}/ends", 2, "end of the path") if seeds is None else None
        walked = Walked(seeds, ends, decoded)
    elif not n:
        raise InputError(f"the lane {name} has no path, and there are no image_seeds.")
    n, what = (walked.n, "place on the path") if walked else (n, f"of {n} seeds")
    images = _images(archive, members, name, n, what)
    if walked and walked.ends is not None and walked.ends.shape[1:] != images.shape[1:]:
        raise InputError(f"the ends of the lane {name} are of another shape than its images.")
    return Lane(name, str(told.get("checkpoint", "?"))[:80], its, knobs, computed, images, walked)


def _path(told: Any, name: str) -> tuple[tuple[int, ...] | None, tuple[tuple[int, ...], ...]]:
    """Return the seeds of a path's ends, None where these are images, and the groups in which it was decoded.

    Raises:
        InputError: if it does not say them.
    """
    seeds, decoded = (told.get("seeds"), told.get("decoded")) if isinstance(told, dict) else (None, None)
    groups = decoded if isinstance(decoded, list) and all(isinstance(one, list) and one for one in decoded) else []
    places = [place for group in groups for place in group]
    whole = all(type(place) is int for place in places) and sorted(places) == list(range(len(places)))
    if not 2 <= len(places) <= MOST_STEPS or not whole:
        raise InputError(f"the path of {name} must name each of 2 to {MOST_STEPS} places in 'decoded' once.")
    if seeds is not None and (not isinstance(seeds, list) or len(seeds) != 2):
        raise InputError(f"the path of {name} has two ends: two seeds, or null where they are images.")
    return None if seeds is None else tuple(map(parse_seed, seeds)), tuple(map(tuple, groups))


def _images(
    archive: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo], folder: str, n: int, what: str
) -> np.ndarray:
    """Return the images of a folder in a bundle, uint8 (n, C, H, W).

    Raises:
        InputError: if they are not n, are damaged, or of different shapes.
    """
    pictures = {path: PICTURES.fullmatch(path.removeprefix(f"{folder}/")) for path in members}
    mine = {int(match[1]): path for path, match in pictures.items() if match and path.startswith(f"{folder}/")}
    if set(mine) != set(range(n)):
        raise InputError(f"the lane {folder} has {len(mine)} images, not one for each {what}.")
    images: list[np.ndarray] = []
    for index in range(n):
        image = _picture(archives.read(archive, members[mine[index]]), mine[index])
        if images and image.shape != images[0].shape:
            raise InputError(f"the images of the lane {folder} are of different shapes.")
        if n * image.nbytes > archives.MOST_BYTES // 4:
            raise InputError(f"the images of the lane {folder} would take more than {archives.MOST_BYTES // 2**22} MB.")
        images.append(image)
    return np.stack(images)


def _picture(content: bytes, name: str) -> np.ndarray:
    """Return a PNG as uint8 (C, H, W)."""
    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as picture:
            if max(picture.size) > MAX_SIZE or picture.mode not in ("L", "RGB"):
                raise InputError(f"{name} is no picture of at most {MAX_SIZE} pixels a side, grey or RGB.")
            pixels = np.asarray(picture)
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{name} cannot be read as a picture.") from None
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
