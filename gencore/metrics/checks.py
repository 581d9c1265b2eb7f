"""What metrics accept: each check raises InputError with one sentence on what is wrong."""

from __future__ import annotations

import torch
from torch import Tensor

from gencore.errors import InputError


def check_features(real: Tensor, fake: Tensor) -> None:
    """Raise InputError unless both are finite floating-point tensors of shapes (N, d) and (M, d)."""
    for name, rows in (("real", real), ("fake", fake)):
        check_rows(rows, f"The {name} features")
    if real.shape[1] != fake.shape[1]:
        raise InputError(
            f"The real features have {real.shape[1]} dimensions, the fake ones {fake.shape[1]}; both must come from "
            "the same extractor."
        )
    if real.device != fake.device:
        raise InputError(
            f"The real features lie on {real.device}, the fake ones on {fake.device}; move one to the other."
        )


def check_rows(rows: Tensor, what: str) -> None:
    """Raise InputError unless `rows` is a finite floating-point tensor (N, d) that is not empty."""
    if not isinstance(rows, Tensor) or rows.ndim != 2 or not rows.is_floating_point():
        raise InputError(f"{what} must be a floating-point tensor of shape (rows, columns), not {described(rows)}.")
    if not rows.numel():
        raise InputError(f"{what} are empty.")
    if not (finite_rows := rows.isfinite().all(1)).all():
        raise InputError(f"{what} hold NaN or infinity, first in row {int((~finite_rows).int().argmax())}.")


def check_images(real: Tensor, fake: Tensor) -> None:
    """Raise InputError unless both are uint8 images (N, C, H, W) of one shape."""
    for name, images in (("real", real), ("fake", fake)):
        if not isinstance(images, Tensor) or images.ndim != 4 or images.dtype != torch.uint8:
            raise InputError(f"The {name} images must be uint8 of shape (N, C, H, W), not {described(images)}.")
        if not images.numel():
            raise InputError(f"The {name} images are empty.")
    if real.shape[1:] != fake.shape[1:]:
        raise InputError(f"The real images are {tuple(real.shape[1:])}, the fake ones {tuple(fake.shape[1:])}.")


def check_spectra(pair: tuple[Tensor, Tensor], n: int, m: int) -> None:
    """Raise InputError unless `pair` holds radial spectra (n, R) and (m, R)."""
    check_pair(pair, "radial spectra", n, m)
    if pair[0].shape[1] != pair[1].shape[1]:
        raise InputError(f"The real radial spectra have {pair[0].shape[1]} rings, the fake ones {pair[1].shape[1]}.")


def check_pair(pair: object, what: str, n: int, m: int) -> None:
    """Raise InputError unless `pair` holds `what` of the real images, n rows, and of the fake ones, m rows."""
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise InputError(f"The {what} must be a pair: those of the real images and those of the fake ones.")
    for name, rows, count in (("real", pair[0], n), ("fake", pair[1], m)):
        check_rows(rows, f"The {name} {what}")
        if len(rows) != count:
            raise InputError(f"There are {count} {name} features, but {what} of {len(rows)} images.")


def check_probabilities(pair: tuple[Tensor, Tensor], n: int, m: int) -> None:
    """Raise InputError unless `pair` holds class probabilities (n, K) and (m, K)."""
    check_pair(pair, "class probabilities", n, m)
    for name, rows in zip(("real", "fake"), pair, strict=True):
        if rows.min() < 0 or (rows.double().sum(1) - 1).abs().max() > 0.01:
            raise InputError(f"The {name} class probabilities must be 0 or more and sum to 1 in each row.")
    if pair[0].shape[1] != pair[1].shape[1]:
        raise InputError(f"There are {pair[0].shape[1]} real classes, but {pair[1].shape[1]} fake ones.")


def check_train(train: Tensor, real: Tensor, gaps: Tensor | None = None) -> None:
    """Raise InputError unless `train` has the same dimensions as `real`, two rows or more, and one gap per row."""
    check_rows(train, "The train features")
    if train.shape[1] != real.shape[1]:
        raise InputError(f"The train features have {train.shape[1]} dimensions, the real ones {real.shape[1]}.")
    if len(train) < 2:
        raise InputError("The train features must have two rows or more, for one to be the other's neighbour.")
    if gaps is not None and gaps.shape != train.shape[:1]:
        raise InputError(f"There are {len(train)} train features, but gaps of shape {tuple(gaps.shape)}.")


def check_readings(readings: Tensor, m: int) -> None:
    """Raise InputError unless there are m readings of seven numbers each."""
    check_rows(readings, "The readings")
    if readings.shape != (m, 7):
        raise InputError(f"There are {m} fake features, but readings of shape {tuple(readings.shape)}; it is (M, 7).")


def described(given: object) -> str:
    """Return what was given instead, in words."""
    if isinstance(given, Tensor):
        return f"{str(given.dtype).removeprefix('torch.')} of shape {tuple(given.shape)}"
    return type(given).__name__
