"""Samples that were made elsewhere, by any model at all, read for an evaluation: arrays, ADM batches, pictures."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from gencore import archives
from gencore.errors import InputError
from gencore.evaluation.rows import DIGITS
from gencore.paths import as_path
from gencore.pictures import grid, write_png

BATCH = 500  # images handed on at once
LEAST = 20  # images in a file
BLOCKS = 5  # generations that a single file is divided into
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm")
FIRST, COLUMNS = 16, 8  # images that are kept of samples, so that pages have something to show, and in a line
ADM = "arr_0"  # the images in a batch as OpenAI's guided-diffusion evaluates them; arr_1 are labels


@dataclass(frozen=True)
class Given:
    """Samples of one model.

    Attributes:
        files: The images of each file, uint8 (N, C, H, W).
        n: Images per generation.
        generations: As many as there are files; of a single one, disjoint parts in a fixed shuffled order.
        hash: 16 hex digits that change when an image does.
    """

    files: tuple[np.ndarray, ...]
    n: int
    generations: int
    hash: str

    def read(self, generation: int) -> Iterator[Tensor]:
        """Yield a generation's images, uint8 (b, C, H, W), in batches."""
        if len(self.files) > 1:
            images, order = self.files[generation], np.arange(self.n)
        else:  # a file may be sorted by class
            images = self.files[0]
            order = np.random.default_rng(0).permutation(len(images))[generation * self.n : (generation + 1) * self.n]
        for start in range(0, self.n, BATCH):
            yield torch.from_numpy(np.ascontiguousarray(images[order[start : start + BATCH]]))


def given(
    paths: str | Path | Sequence[str | Path],
    shape: tuple[int, int, int],
    most: int,
    n: int | None,
    generations: int | None,
) -> Given:
    """Return the samples in some files.

    Args:
        paths: `.npy` and `.npz` arrays, ZIP archives and folders of pictures: each a generation; one alone is divided.
        shape: (C, H, W) of the real images that they are compared with.
        most: The most images of a generation that can be compared.
        n: Images per generation; by default as many as there are, up to `most`.
        generations: Of a single file; by default 5.

    Raises:
        InputError: if a file cannot be read, has images of another shape, or too few.
    """
    files = tuple(load(as_path(path), shape) for path in ([paths] if isinstance(paths, str | Path) else paths))
    if not files:
        raise InputError("There are no samples to score: name a file or a folder.")
    least = min(map(len, files))
    if len(files) > 1 and generations not in (None, len(files)):
        raise InputError(f"{len(files)} files of samples are {len(files)} generations; leave out --generations.")
    blocks = len(files) if len(files) > 1 else generations or BLOCKS
    have = least if len(files) > 1 else least // blocks
    n = n or min(have, most)
    if n > have:
        whose = "the smallest file has" if len(files) > 1 else f"the samples, divided by {blocks} generations, have"
        raise InputError(f"n is {n:,}, but {whose} {have:,} images.")
    return Given(files, n, blocks, _hash(files))


def load(path: Path, shape: tuple[int, int, int]) -> np.ndarray:
    """Return the images in a file or folder, uint8 (N, C, H, W) of a shape (C, H, W).

    Raises:
        InputError: if they cannot be had, are of another shape, or fewer than 20.
    """
    if not path.exists():
        raise InputError(f"There is no file or folder {str(path)!r} of samples.")
    suffix = path.suffix.lower()
    if path.is_dir():
        images = _pictures(_in_folder(path), shape, path)
    elif suffix in (".npy", ".npz"):
        images = _fitting(_array(path), shape, path)
    elif suffix == ".zip":
        with archives.opened(path) as archive:
            images = _pictures(_in_archive(archive, path), shape, path)
    else:
        raise InputError(f"{path} is none of .npy, .npz, .zip and a folder of pictures, the samples that can be read.")
    if len(images) < LEAST:
        raise InputError(f"{path} has {len(images)} samples; at least {LEAST} are needed.")
    return images


def first_images(rows_file: Path, samples: str) -> Path:
    """Return where the first images of samples lie as a picture, given the file of their row and their hash."""
    return rows_file.parent / "given" / f"{samples}.png"


def keep_first_images(rows_file: Path, samples: Given) -> None:
    """Keep the first images of the first generation as a picture beside the file of their row.

    Raises:
        InputError: if it cannot be written.
    """
    path = first_images(rows_file, samples.hash)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_png(path, grid(next(samples.read(0))[:FIRST], COLUMNS))


def _array(path: Path) -> np.ndarray:
    """Return the array of a file; a pickle in it is never opened."""
    try:
        if path.suffix.lower() == ".npy":
            return np.load(path, mmap_mode="r", allow_pickle=False)
        with archives.opened(path) as archive:
            archives.members(archive, str(path))
        with np.load(path, allow_pickle=False) as arrays:
            names = arrays.files
            if ADM not in names and len(names) != 1:
                raise InputError(f"{path} should have its images in {ADM}; it has {', '.join(names[:5]) or 'nothing'}.")
            found = arrays[ADM if ADM in names else names[0]]
            if not isinstance(found, np.ndarray):  # NumPy gives the bytes of any other member
                raise InputError(f"{path} cannot be read as an array of numbers (its member is none).")
            return found
    except archives.DAMAGE as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} cannot be read as an array of numbers ({error}).") from None


def _fitting(images: np.ndarray, shape: tuple[int, int, int], path: Path) -> np.ndarray:
    """Return an array of any order of its axes as (N, C, H, W)."""
    if images.dtype != np.uint8:
        raise InputError(f"{path} holds {images.dtype} numbers; samples must be bytes from 0 to 255 (uint8).")
    channels, height, width = shape
    wanted = {"NCHW": (channels, height, width), "NHWC": (height, width, channels)}
    wanted |= {"NHW": (height, width)} if channels == 1 else {}
    for axes, its in wanted.items():
        if images.shape[1:] == its:
            kept = images[:, None] if axes == "NHW" else images
            return kept.transpose(0, 3, 1, 2) if axes == "NHWC" else kept
    raise InputError(
        f"{path} holds an array of shape {'x'.join(map(str, images.shape))}; here it must be N images of "
        f"{height}x{width} pixels and {channels} channel{'s' * (channels > 1)}."
    )


def _in_folder(path: Path) -> Iterator[tuple[str, bytes]]:
    for file in sorted(path.rglob("*")):
        if _is_picture(file.relative_to(path).as_posix()) and file.is_file():
            yield file.relative_to(path).as_posix(), file.read_bytes()


def _in_archive(archive: zipfile.ZipFile, path: Path) -> Iterator[tuple[str, bytes]]:
    for member in archives.members(archive, str(path)):
        if _is_picture(member.filename):
            yield member.filename, archives.read(archive, member)


def _is_picture(name: str) -> bool:
    hidden = any(part.startswith((".", "__")) for part in name.split("/"))
    return name.lower().endswith(SUFFIXES) and not hidden


def _pictures(files: Iterator[tuple[str, bytes]], shape: tuple[int, int, int], path: Path) -> np.ndarray:
    """Return pictures as an array; they are neither resized nor made grey, which would score something else."""
    images = [_picture(content, shape, f"{name} in {path}") for name, content in files]
    return np.stack(images) if images else np.zeros((0, *shape), np.uint8)


def _picture(content: bytes, shape: tuple[int, int, int], where: str) -> np.ndarray:
    channels, height, width = shape
    try:
        with Image.open(io.BytesIO(content)) as picture:
            if picture.size != (width, height):
                found = f"{picture.width}x{picture.height}"
                raise InputError(f"{where} has {found} pixels; here it must be {width}x{height}.")
            pixels = np.asarray(picture.convert("RGB"))
    except InputError:
        raise
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise InputError(f"{where} cannot be read as a picture ({error}).") from None
    if channels == 3:
        return pixels.transpose(2, 0, 1)
    if (pixels != pixels[..., :1]).any():
        raise InputError(f"{where} is in colour, and the real images are grey.")
    return pixels[None, ..., 0]


def _hash(files: Sequence[np.ndarray]) -> str:
    total = hashlib.sha256()
    for images in files:
        total.update(repr(images.shape).encode())
        for start in range(0, len(images), BATCH):
            total.update(np.ascontiguousarray(images[start : start + BATCH]).tobytes())
    return total.hexdigest()[:DIGITS]
