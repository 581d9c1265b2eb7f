"""Images as latents and back, for a caller who waits: one image encoded, and a path between two ends decoded."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from dashboard.service.abilities import able
from dashboard.service.device import STOPPED, Busy, finish
from dashboard.service.downloads import Walk
from dashboard.service.images import image_shape, shipped
from dashboard.service.parsing import parse_choice, parse_image, parse_seed, parse_whole, whole_of
from dashboard.service.pixels import encode, to_input, to_pixels
from dashboard.service.service import Service
from gencore.checkpoint import Entry
from gencore.errors import InputError
from gencore.family import Family, Inverts, image_seed
from gencore.latents import path

MOST_FRAMES = 33
CHUNK = 4  # pictures decoded at once: others get in between
ENDS = ("seeds", "images")


@dataclass(frozen=True)
class Encoded:
    """What an encoder makes of an image.

    Attributes:
        mean: float32 (d,) of q(z|x).
        std: float32 (d,), its standard deviation.
        image: uint8 (C, H, W), the image.
        reconstruction: uint8 (C, H, W), decoded from the mean.
        error: The sum of the squared differences, pixels from 0 to 1.
    """

    mean: np.ndarray
    std: np.ndarray
    image: np.ndarray
    reconstruction: np.ndarray
    error: float


def encode_image(service: Service, checkpoint: Any, image: Any, stop: threading.Event) -> Encoded:
    """Return what a checkpoint makes of an image; see `image_of` for how one is named.

    Raises:
        InputError: in one sentence, on anything bad, or when `stop` was set before its turn.
    """
    entry = able(service, checkpoint, "encode")
    pixels = image_of(service, entry, image)

    def work(model: Family) -> Encoded:
        mean, std = encode(pixels, model)
        decoded = model.decode(mean[None].to(model.device)).clamp(-1, 1)
        error = float(((decoded - to_input(pixels[None], model)) / 2).square().sum())
        return Encoded(mean.numpy(), std.numpy(), pixels, to_pixels(decoded)[0], error)

    return finish(service.with_model(entry.name, work, stop))


def interpolate(
    service: Service, checkpoint: Any, start: Any, end: Any, frames: Any, ends: Any, stop: threading.Event
) -> tuple[Walk, bool]:
    """Return a path between two ends, of as many pictures as `frames` says, and whether it is a great circle.

    `ends` says what the ends are: 'seeds', or 'images' as `image_of` takes them.

    Raises:
        InputError: in one sentence, on anything bad, or when `stop` was set.
    """
    entry = able(service, checkpoint, "interpolate")
    frames = parse_whole(frames, 2, MOST_FRAMES, "The number of pictures")
    parse_choice(ends, ENDS, "kind of ends")
    kind, seeds, images = service.families[entry.family], None, None
    if ends == "seeds":
        seeds = [image_seed(parse_seed(one), 0) for one in (start, end)]
    elif not issubclass(kind, Inverts):
        raise InputError(f"A {kind.title} has no way back from an image to its latent: let the ends be seeds.")
    else:
        images = np.stack([image_of(service, entry, one) for one in (start, end)])

    def begin(model: Family) -> torch.Tensor:
        a, b = model.invert(to_input(images, model)) if seeds is None else model.latent(seeds)
        return path(model, a, b, np.linspace(0, 1, frames).tolist())

    latents, made = finish(service.with_model(entry.name, begin, stop)), []
    for piece in latents.split(CHUNK):
        if stop.is_set():
            raise Busy(STOPPED)
        made.append(finish(service.with_model(entry.name, lambda model, z=piece: to_pixels(model.decode(z)), stop)))
    groups = torch.arange(frames).split(CHUNK)
    walked = Walk(entry.name, seeds, images, [group.tolist() for group in groups], np.concatenate(made))
    return walked, kind.interpolation == "slerp"


def image_of(service: Service, entry: Entry, given: Any) -> np.ndarray:
    """Return an image, uint8 (C, H, W): a test image by its place, or one given in numbers.

    Args:
        service: The service.
        entry: The checkpoint that it is for.
        given: A whole number, the place in the test split (where that is not at hand, among the test images that are
            shipped); or whole numbers from 0 to 255, (H, W) or (C, H, W).

    Raises:
        InputError: in one sentence, if it is neither.
    """
    if isinstance(given, list | tuple):
        return parse_image(given, image_shape(service, entry.dataset))
    images = service.split(entry.dataset, "test")
    images = shipped(service, entry.dataset)[0] if images is None else images
    if not len(images):
        raise InputError(f"No test images of {entry.dataset} are at hand: give an image as its numbers.")
    if whole_of(given) is None:
        raise InputError(f"An image is the place of a test image, from 0 to {len(images) - 1:,}, or rows of numbers.")
    return images[parse_whole(given, 0, len(images) - 1, "The place of a test image")]
