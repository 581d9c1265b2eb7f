"""What models make: images of a seed, an image encoded and decoded, the path between two."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

import numpy as np
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder

from dashboard.api.endpoint import Call, Checkpoint, Dataset, Seed
from dashboard.service import MAX_IMAGES, PREVIEW, downloads, grid
from dashboard.service.device import without_waiting
from dashboard.service.encoding import ENDS, MOST_FRAMES, encode_image
from dashboard.service.encoding import interpolate as walk

SCALE = 4  # of pictures: one pixel becomes 4 x 4
MOST_ACROSS = 11  # pictures of a path in a row


class LaneSettings(TypedDict, total=False):
    """What is set for one family; both may be left out."""

    checkpoint: str
    knobs: dict


Settings = Annotated[dict[str, LaneSettings] | None, {"examples": [{"ddpm": {"knobs": {"num_inference_steps": 20}}}]}]
Image = Annotated[Any, {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "array", "items": {}}], "examples": [7]}]


def generate(
    call: Call,
    dataset: Dataset,
    n: Annotated[int, {"minimum": 1, "maximum": MAX_IMAGES}] = PREVIEW["n"],
    seed: Seed = PREVIEW["seed"],
    settings: Settings = None,
) -> tuple[dict[str, Any], np.ndarray | None, str | None]:
    """Generate images with one or several model families from the same seed, one after another, and time each.

    Args:
        call: Who calls.
        dataset: Name of a data set that models lists.
        n: Images per family, 1 to 100.
        seed: Seed of the run; the same seed gives the same images.
        settings: By family, an object with `checkpoint` and `knobs`, both optional; all families when left out.

    Returns:
        The settings and timings, with a sentence under `problems` for a family that failed; images that were made
        here before are given again with the time of then, which `timed` says;
        a picture of all images; a ZIP of every image as an exact PNG.
    """
    service, order = call.service, call.service.order(dataset, n, seed, settings or call.service.usable(dataset))
    done, problems = [], {}
    for frame in without_waiting(service.run(order, call.stop, fresh=False)):
        if frame.state == "done":
            done.append(downloads.result_of(service, order, frame))
        elif frame.state == "failed":
            problems[frame.family] = frame.problem
    record = downloads.record(order, done, service.machine)
    if not done:
        return record | {"problems": problems}, None, None
    return record | {"problems": problems}, downloads.canvas(done), kept(downloads.archive(record, done))


def encode(call: Call, checkpoint: Checkpoint, image: Image) -> tuple[dict[str, Any], np.ndarray]:
    """Encode an image with a model that has an encoder, and decode it again.

    Args:
        call: Who calls.
        checkpoint: Name of a checkpoint that can encode, as models lists them.
        image: Place of a test image (0 is the first), or the image itself as rows of whole numbers from 0 to 255.

    Returns:
        Mean and standard deviation of the latent's posterior, the reconstruction as rows of numbers and its
        squared error; a picture of the image beside its reconstruction.
    """
    found = encode_image(call.service, checkpoint, image, call.stop)
    answer = {
        "checkpoint": checkpoint,
        "mean": found.mean.tolist(),
        "std": found.std.tolist(),
        "squared_error": found.error,
        "reconstruction": plain(found.reconstruction),
    }
    return answer, enlarged(np.stack([found.image, found.reconstruction]), 2)


def interpolate(
    call: Call,
    checkpoint: Checkpoint,
    start: Image = 1,
    end: Image = 2,
    frames: Annotated[int, {"minimum": 2, "maximum": MOST_FRAMES}] = 9,
    ends: Annotated[str, {"examples": list(ENDS)}] = ENDS[0],
) -> tuple[dict[str, Any], np.ndarray, str]:
    """Decode a path through a model's latent space, between two seeds or between two images.

    Args:
        call: Who calls.
        checkpoint: Name of a checkpoint that can interpolate, as models lists them.
        start: Seed at which the path begins; or an image, as encode takes it.
        end: Seed at which the path ends; or an image, as encode takes it.
        frames: Pictures along the path, both ends among them, 2 to 33.
        ends: What start and end are, 'seeds' or 'images'.

    Returns:
        What was decoded, and whether the path is a great circle or straight; the pictures side by side;
        a ZIP of each as an exact PNG, a bundle that can be replayed.
    """
    walked, great_circle = walk(call.service, checkpoint, start, end, frames, ends, call.stop)
    images = walked.images
    answer = {"checkpoint": checkpoint, "ends": ends, "frames": len(images), "great_circle": great_circle}
    archive = downloads.paths({"path": walked}, call.service.machine, **answer)
    return answer, enlarged(images, min(len(images), MOST_ACROSS)), kept(archive)


def kept(archive: bytes) -> str:
    """Return the path of a ZIP, kept where Gradio serves files from and clears them away."""
    return save_bytes_to_cache(archive, "images.zip", get_upload_folder())


def plain(image: np.ndarray) -> list:
    """Return an image (C, H, W) as lists of numbers: (H, W) of a grey one."""
    return (image[0] if len(image) == 1 else image).tolist()


def enlarged(images: np.ndarray, columns: int) -> np.ndarray:
    """Return images, uint8 (n, C, H, W), as a picture (H, W, 3), every pixel enlarged by `SCALE`."""
    return downloads.rgb(grid(images, columns)).repeat(SCALE, 0).repeat(SCALE, 1)
