"""What a checkpoint's encoder makes of real images, kept beside it: the map of its latent space is drawn from it.

Small enough to ship, so that the map is there without the data set.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from gencore import checkpoint
from gencore.data import to_float
from gencore.errors import InputError
from gencore.evaluation.real_images import real_images
from gencore.evaluation.rows import checkpoint_hash
from gencore.families.likelihood import normal_kl
from gencore.family import Encodes

FILE = "latents.safetensors"
IMAGES = 48  # kept with the encodings, so that there are real images where the data set is not
BATCH = 100
Show = Callable[[float, str], None]


@dataclass(frozen=True)
class Encodings:
    """The encodings of real images by one checkpoint.

    Attributes:
        mean: (N, d) the means of q(z|x).
        std: (N, d) its standard deviations.
        kl: (d,) KL(q(z_i|x) || N(0, 1)) of each dimension in nats, the mean over the images.
        images: uint8 (n, C, H, W) the first of the images.
        labels: int64 (N,) the classes, or None when they are unknown.
        dataset: The data set.
        split: Which of its splits; the first N images of it.
        checkpoint: The hash of the checkpoint that encoded them; see `checkpoint_hash`.
    """

    mean: Tensor
    std: Tensor
    kl: Tensor
    images: Tensor
    labels: Tensor | None
    dataset: str
    split: str
    checkpoint: str


@torch.no_grad()
def write_encodings(
    name: str, n: int = 2000, split: str = "test", device: str | None = None, show: Show = lambda share, words: None
) -> Path:
    """Encode the first `n` images of a checkpoint's data set, and write what came out beside it.

    Raises:
        InputError: if the checkpoint cannot be loaded or has no encoder, the data are not to be had, `n` is no number
            of images of the split, or the file cannot be written.
    """
    entry = checkpoint.find(name)
    checkpoint.refuse_installed(entry.path)
    model = checkpoint.load(entry, device)
    if not isinstance(model, Encodes):
        raise InputError(f"{name} is a {model.title}, which has no encoder: there is no map of its latents to make.")
    images = real_images(entry, split, model.image_shape[1])
    if type(n) is not int or not 1 <= n <= len(images.x):
        whole = f"a whole number from 1 to {len(images.x):,}"
        raise InputError(f"-n must be {whole}, the images of {split} on {entry.dataset}, not {n!r}.")
    encoded = []
    for part in images.x[:n].split(BATCH):
        encoded.append([x.cpu() for x in model.encode(to_float(part).to(model.device))])
        show(min(len(encoded) * BATCH, n) / n, "encoding")
    mean, std = map(torch.cat, zip(*encoded, strict=True))
    tensors = {"mean": mean.half(), "std": std.half(), "kl": normal_kl(mean, std).mean(0), "images": images.x[:IMAGES]}
    if images.labelled:
        tensors["labels"] = images.labels[:n]
    path = entry.path / FILE
    facts = {"dataset": entry.dataset, "split": split, "n": str(n), "checkpoint": checkpoint_hash(entry.path)}
    checkpoint.write_tensors(path, tensors, facts)
    return path


def read_encodings(folder: Path) -> Encodings:
    """Return the encodings that lie in a checkpoint's folder.

    Raises:
        InputError: if there are none, or the file is not what it should be; whether they are of the checkpoint as it
            is now is for the caller to see.
    """
    path = folder / FILE
    if not path.is_file():
        raise InputError(f"{folder.name} has no {FILE} yet.")
    tensors, facts = checkpoint.read_tensors(path)
    mean, std = tensors.get("mean"), tensors.get("std")
    known = {"mean", "std", "kl", "images"} <= set(tensors) and {"dataset", "split", "checkpoint"} <= set(facts)
    if not known or mean.ndim != 2 or mean.shape != std.shape or tensors["kl"].shape != mean.shape[1:]:
        raise InputError(f"{path} does not hold encodings as python -m gencore latents writes them; make it again.")
    labels = tensors.get("labels")
    if labels is not None and labels.shape != mean.shape[:1]:
        raise InputError(f"{path} has {len(labels)} labels for {len(mean)} images; make it again.")
    told = (facts[key] for key in ("dataset", "split", "checkpoint"))
    return Encodings(mean.float(), std.float(), tensors["kl"].float(), tensors["images"], labels, *told)
