"""Real images to show and to choose from, and what encoders made of them."""

from __future__ import annotations

import numpy as np

from dashboard.format import dataset_title
from dashboard.service.cache import Cache
from dashboard.service.lanes import checkpoint_key, size_of
from dashboard.service.parsing import whole_of
from dashboard.service.problems import without_paths
from dashboard.service.service import Service
from gencore import checkpoint
from gencore.data import class_names
from gencore.encodings import FILE, Encodings, read_encodings
from gencore.errors import InputError
from gencore.evaluation import rows

_encodings = Cache(16, 50e6)  # bytes: those of 2,000 MNIST images in 16 dimensions take 0.3 MB


def encodings(name: str) -> Encodings:
    """Return the encodings that are kept with a checkpoint, from memory when no file has changed.

    Raises:
        InputError: in one sentence with the command that makes them, if there are none or they are of other weights.
    """
    try:
        return _encodings.find(checkpoint_key(name, FILE), lambda: read(name))
    except InputError as error:
        raise InputError(without_paths(str(error))) from None


def read(name: str) -> Encodings:
    """Return the encodings that are kept with a checkpoint; see `encodings`."""
    folder, make = checkpoint.resolve(name), f"make them: python -m gencore latents {name}"
    if not (folder / FILE).is_file():
        raise InputError(f"No encodings are kept with {name} yet; {make}")
    found = read_encodings(folder)
    if found.checkpoint != rows.checkpoint_hash(folder):
        raise InputError(f"The encodings kept with {name} are of other weights than it has now; {make} again")
    return found


def image_shape(service: Service, dataset: str) -> tuple[int, int, int]:
    """Return (C, H, W) of a data set's images, as its checkpoints have them.

    Raises:
        InputError: if none of them says.
    """
    for entry in service.entries_of(dataset):
        size, channels = size_of(entry), whole_of(entry.config.get("channels", 1))
        if size and channels:
            return channels, size, size
    raise InputError(f"There is no checkpoint on {dataset!r} that says how large its images are.")


def examples(service: Service, dataset: str, n: int, seed: int) -> tuple[np.ndarray, list[str], str]:
    """Return `n` images to choose from, uint8 (n, C, H, W), a name for each, and a sentence that says what they are.

    Real test images where they are at hand or kept with a checkpoint's encodings, of every class where classes are
    known; else images that a model made.
    """
    images, classes, title = service.split(dataset, "test"), service.labels(dataset, "test"), dataset_title(dataset)
    words = "A real test image; no model was trained on it."
    if images is None:
        images, classes = shipped(service, dataset)
        why = service.changed(dataset, "test") or f"{title} itself is not at hand here."
        words = f"A real test image, one of {len(images)} that are shipped: {why}"
    if len(images):
        places = spread_out(classes, len(images), n, seed)
        kinds = [""] * len(images) if classes is None else [f", {class_title(dataset, one)}" for one in classes]
        names = [f"test image {place}{kinds[place]}" for place in places]
        return images[places], names, words
    for lane in service.lanes(dataset):
        if lane.preview is not None and not lane.problem:
            order = np.random.default_rng(seed).permutation(len(lane.preview)) if seed else range(len(lane.preview))
            shown = lane.preview[list(order)[:n]]
            why = service.changed(dataset, "test") or f"Real images of {title} are not at hand here."
            words = f"{why.removesuffix('.')}: these were made by the {lane.title}."
            return shown, [f"image {i + 1} of the {lane.title}" for i in range(len(shown))], words
    why = service.changed(dataset, "test")
    words = f"{why} Draw one." if why else f"There are no images of {title or 'any data set'} here: draw one."
    return np.zeros((0, 1, 1, 1), np.uint8), [], words


def class_title(dataset: str, number: int) -> str:
    """Return what a class is called for people: 'red circle', and 'class 3' where the number is its name."""
    names = class_names(dataset)
    return names[number] if 0 <= number < len(names) else f"class {number}"


def shipped(service: Service, dataset: str) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the real test images that are kept with a checkpoint's encodings, (n, C, H, W), and their classes (n,)."""
    for lane in service.lanes(dataset):
        try:
            kept = encodings(lane.checkpoint) if lane.checkpoint else None
        except InputError:
            continue
        if kept is not None and kept.split == "test":
            return kept.images.numpy(), None if kept.labels is None else kept.labels[: len(kept.images)].numpy()
    return np.zeros((0, 1, 1, 1), np.uint8), None


def spread_out(classes: np.ndarray | None, total: int, n: int, seed: int) -> np.ndarray:
    """Return the places of `n` images of `total`, one of every class first where classes are known, in their order.

    Seed 0 takes the first images; any other draws.
    """
    order = np.random.default_rng(seed).permutation(total) if seed else np.arange(total)
    if classes is None or len(classes) != total:
        return order[:n]
    first = np.sort(np.unique(classes[order], return_index=True)[1])
    places = np.concatenate([first, np.setdiff1d(np.arange(min(total, 4 * n)), first)])[:n]
    return order[places[np.argsort(classes[order[places]], kind="stable")]]
