"""What an extractor is: frozen features of images, in which real and generated ones are compared."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import torch
from torch import Tensor, nn

from gencore.data import Images
from gencore.device import check_training_dtype, pick_device
from gencore.errors import InputError

BATCH, LARGE_BATCH = 100, 500  # images at once: what a processor's cache holds (twice as fast as 500), and elsewhere
Show = Callable[[float, str], None]  # the share that is done, in [0, 1], and a few words
TRAIN_ROWS = 55_000  # of train images kept in features at most: MNIST's, and what fits into 10 MB
FEW_ROWS = 5_000  # and where copies are not looked for; the fewest that may be asked for


@dataclass(frozen=True)
class Options:
    """How to learn an extractor; one that learns nothing in steps has no use for most of them.

    Attributes:
        epochs: Passes through the train split; None for the extractor's own choice.
        widths: Feature maps at each resolution; None for the extractor's own choice.
        seed: Of initial weights, order and augmentation.
        dtype: 'float32', 'bfloat16' or 'auto' (the faster, measured): what training computes in.
        device: As for `gencore.device.pick_device`.
        weights: The folder or Hub id of the weights of a pretrained extractor; None for its own choice.
        train_rows: How many train images' features are kept at most, of an extractor that looks for copies among them.
        effort: The share of its own number of passes that an extractor is given, in (0, 1], but never fewer steps than
            those with which it sees what it is for; `epochs` says it outright.

    Raises:
        InputError: if one of them is out of range or unknown.
    """

    epochs: int | None = None
    widths: tuple[int, ...] | None = None
    seed: int = 0
    dtype: str = "auto"
    device: str | None = None
    weights: str | None = None
    train_rows: int = TRAIN_ROWS
    effort: float = 1.0

    def __post_init__(self) -> None:
        """Check everything before any work is done."""
        if self.epochs is not None and not 1 <= self.epochs <= 10_000:
            raise InputError(f"epochs must be a whole number from 1 to 10000, not {self.epochs}.")
        if not 0 < self.effort <= 1:
            raise InputError(f"effort must be more than 0 and at most 1, not {self.effort}.")
        if not FEW_ROWS <= self.train_rows <= TRAIN_ROWS:
            raise InputError(
                f"train_rows must be a whole number from {FEW_ROWS:,} to {TRAIN_ROWS:,}, not {self.train_rows:,}."
            )
        widths = (1,) if self.widths is None else self.widths
        if not 1 <= len(widths) <= 8 or not all(1 <= width <= 1024 for width in widths):
            raise InputError(f"widths must be 1 to 8 whole numbers from 1 to 1024, not {self.widths}.")
        check_training_dtype(self.dtype)
        pick_device(self.device)


@runtime_checkable
class Classifies(Protocol):
    """An extractor that also knows the classes."""

    def probabilities(self, x: Tensor) -> Tensor:
        """Return float32 (N, K), rows adding up to 1, of uint8 images (N, C, H, W)."""


class Extractor(nn.Module, ABC):
    """Frozen features of images, standardised by the train split: centred, and scaled as `fit_scale` says.

    A subclass says `name`, `about`, makes its weights in `__init__`, and computes `raw`. It overrides `learn` if its
    weights come from the data set. Its `__init__` hands its own arguments on as `config`, so that the file can say
    how to build it again; all its weights stand in the file, so that the hash stands for all of them.

    Attributes:
        name: The key in EXTRACTORS, and of the files.
        about: What the features are, in one sentence for people.
        sees: What they see and what they forgive, in words that follow 'these features'.
        needs_labels: Whether `learn` needs a data set with labels.
        pretrained: Whether its weights come from elsewhere: then it is made only when it is asked for by name.
        finds_copies: Whether the features of the train images are kept, so that copies of them can be found; of others
            only those of the first `FEW_ROWS`, enough for the ladder and the baselines of a page.
        half: Whether the weights are rounded to float16, in the file and in use.
        dimensions: Features per image, d.
        hash: The first 16 hex digits of the sha256 of the weights file; '' while there is none.
    """

    name: ClassVar[str]
    about: ClassVar[str]
    sees: ClassVar[str] = ""
    needs_labels: ClassVar[bool] = False
    pretrained: ClassVar[bool] = False
    finds_copies: ClassVar[bool] = True
    half: ClassVar[bool] = True
    mean: Tensor
    std: Tensor

    def __init__(self, dimensions: int, /, *, channels: int, size: int, **config: Any):
        super().__init__()
        self.config = {"channels": channels, "size": size, **config}
        self.image_shape = (channels, size, size)
        self.dimensions = dimensions
        self.hash = ""
        self.register_buffer("mean", torch.zeros(dimensions))
        self.register_buffer("std", torch.ones(dimensions))

    @abstractmethod
    def raw(self, x: Tensor) -> Tensor:
        """Return the features, float32 (n, d), of a few uint8 images (n, C, H, W), before they are standardised."""

    @classmethod
    def passes(cls, count: int, channels: int, effort: float = 1.0) -> int:
        """Return how often `learn` goes through `count` train images; 0 for one that learns nothing in steps."""
        return 0

    @classmethod
    def check_at_hand(cls, options: Options) -> None:
        """Check, before any work is done, that all that `learn` needs from elsewhere can be had.

        Raises:
            InputError: if something cannot.
        """

    @classmethod
    def learn(cls, splits: Mapping[str, Images], options: Options, show: Show) -> tuple[Self, dict[str, Any]]:
        """Return an extractor for a data set, not yet standardised, and what is to be recorded of its making.

        The split 'train' is to learn from, 'validation' to choose with, 'test' never to look at.
        """
        _, channels, size, _ = splits["train"].x.shape
        return cls(channels=channels, size=size), {}

    def examine(self, test: Images) -> dict[str, Any]:
        """Return what is to be recorded of the finished extractor on the test split."""
        return {}

    def features(self, x: Tensor) -> Tensor:
        """Return the standardised features, float32 (N, d), of uint8 images (N, C, H, W), on the images' device.

        Raises:
            InputError: if the images are not uint8 or of another shape than this extractor's.
        """
        return self.in_batches(lambda part: (self.raw(part) - self.mean) / self.std, x)

    def standardise(self, train: Tensor) -> None:
        """Standardise by the raw features of uint8 images (N, C, H, W), the train split.

        The weights are first rounded to what the file will hold, so that features in memory and from the file agree.
        """
        if self.half:
            with torch.no_grad():
                for weight in self.parameters():
                    weight.copy_(weight.half())
        self.fit_scale(self.in_batches(self.raw, train).double())

    def fit_scale(self, rows: Tensor) -> None:
        """Set mean and deviation to those of each dimension of raw features, float64 (N, d).

        An extractor may scale otherwise; a dimension that is constant is only centred.
        """
        std, mean = torch.std_mean(rows, 0)
        self.mean.copy_(mean)
        self.std.copy_(torch.where(std > 1e-6 * std.max(), std, 1.0))

    def in_batches(self, function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        """Return `function` of uint8 images (N, C, H, W), a batch at a time, in plain float32 without gradients.

        Raises:
            InputError: if the images are not uint8 or of another shape than this extractor's.
        """
        wanted = "x".join(map(str, self.image_shape))
        if not isinstance(x, Tensor) or x.dtype != torch.uint8 or tuple(x.shape[1:]) != self.image_shape:
            found = f"{str(x.dtype).removeprefix('torch.')} {tuple(x.shape)}" if isinstance(x, Tensor) else type(x)
            raise InputError(f"{self.name} features are of uint8 images (N, {wanted}), which {found} is not.")
        device = self.mean.device
        size = BATCH if device.type == "cpu" else LARGE_BATCH  # each image's features are its own, whatever the batch
        exact = torch.backends.cudnn.flags(enabled=True, allow_tf32=False)
        with torch.no_grad(), torch.autocast(device.type, enabled=False), exact:
            return torch.cat([function(part.to(device)) for part in x.split(size)]).to(x.device)


def class_count(splits: Mapping[str, Images]) -> int:
    """Return the number of classes of a data set whose splits all have labels."""
    return 1 + max(int(part.labels.max()) for part in splits.values())


def file_hash(path: Path) -> str:
    """Return the first 16 hex digits of the sha256 of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
