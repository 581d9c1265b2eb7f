"""Convolutions that learn without labels: two moved views of an image are to be told as one, and images apart."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from gencore.data import Images
from gencore.device import Settings, pick_device
from gencore.extractors.base import Options, Show
from gencore.extractors.convolutional import DIMENSIONS, Convolutional, convolutions, folded, prepared, widths_for
from gencore.extractors.descent import descend, epochs_for, moved, settings_for

BATCH = 256
EPOCHS, STEPS = {1: 2, 3: 8}, 400  # by image channels: grey, colour; and at least so many steps
LEAST = 80  # steps of one that is learnt in haste; see `Options.effort` and docs/experiments.md
RATE = 2e-3
PROJECTED, TEMPERATURE = 512, 0.2  # dimensions that the loss sees; how sharply it tells images apart
MOVES = {"degrees": 15, "shift": 0.1, "scale": 0.15, "mode": "bicubic"}


class SelfSupervised(Convolutional):
    """The classifier's convolutions, taught by SimCLR (Chen et al. 2020) on the train split without its labels.

    The two views of an image differ in place, angle and size alone. An augmentation teaches blindness to itself, so
    there is no blur, noise, change of contrast or hole among them, and pixels are interpolated bicubically, which
    blurs least.
    """

    name: ClassVar[str] = "self-supervised"
    about: ClassVar[str] = "the outputs of convolutions trained on the train split without labels (SimCLR), whitened"
    sees: ClassVar[str] = "see what sets one image apart from another, and forgive small moves"

    @classmethod
    def passes(cls, count: int, channels: int, effort: float = 1.0) -> int:
        """Return how often `learn` goes through `count` train images, two views of each."""
        return epochs_for(EPOCHS[channels], STEPS, LEAST, count, BATCH, effort)

    @classmethod
    def learn(cls, splits: Mapping[str, Images], options: Options, show: Show) -> tuple[Self, dict[str, Any]]:
        """Return the network after its last epoch; the validation split shows how well it tells views.

        Deterministic: on one machine, with the same threads and dtype, a seed gives the same weights.
        """
        train, start = splits["train"].x, time.perf_counter()
        _, channels, size, _ = train.shape
        widths = widths_for(channels, size, options)
        epochs = options.epochs or cls.passes(len(train), channels, options.effort)
        with torch.random.fork_rng():
            torch.manual_seed(options.seed)
            trainee = Trainee(channels, size, widths).to(pick_device(options.device))
            settings = _settings(trainee, train, options.dtype)
            torch.manual_seed(options.seed)
            for epoch, share in enumerate(_descend(trainee, train, epochs, settings), 1):
                show(share, f"{cls.name}: epoch {epoch} of {epochs}")
            found = cls(channels, size, widths)
            found.body.load_state_dict(folded(trainee.body))
            retrieved = retrieval(found.eval(), splits["validation"].x)
        return found, {
            "retrieved": retrieved,
            "epochs": epochs,
            "settings": settings.record(),
            "device": trainee.device.type,
            "training_seconds": round(time.perf_counter() - start, 1),
            "parameters": sum(p.numel() for p in found.parameters()),
        }


class Trainee(nn.Module):
    """The network while it is trained: with batch normalisation, and a projection to what the loss sees."""

    def __init__(self, channels: int, size: int, widths: tuple[int, ...]):
        super().__init__()
        self.body = convolutions(channels, size, widths, normalised=True)
        self.projection = nn.Sequential(
            nn.Linear(DIMENSIONS, PROJECTED, bias=False),
            nn.BatchNorm1d(PROJECTED),
            nn.ReLU(),
            nn.Linear(PROJECTED, PROJECTED),
        )
        self.compute_dtype = torch.float32

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.projection[0].weight.device

    def loss(self, views: Tensor) -> Tensor:
        """Return SimCLR's loss of float images (2 n, C, H, W): a view of each of n images, then another of each."""
        reduced = self.compute_dtype != torch.float32
        with torch.autocast(self.device.type, self.compute_dtype if reduced else None, enabled=reduced):
            rows = self.projection(self.body(views))
        return contrast(rows.float())


def contrast(rows: Tensor) -> Tensor:
    """Return SimCLR's loss of embeddings (2 n, D), image i at the places i and n + i: Chen et al. 2020, equation 1.

    Each view has to tell the other view of its image from all 2 n - 1 others, by the cosine over `TEMPERATURE`.
    """
    n = len(rows) // 2
    rows = normalize(rows)
    likeness = (rows @ rows.T / TEMPERATURE).fill_diagonal_(-torch.inf)
    return cross_entropy(likeness, torch.arange(2 * n, device=rows.device).roll(n))


@torch.no_grad()
def retrieval(extractor: Convolutional, x: Tensor) -> float:
    """Return the share of uint8 images whose moved view lies nearer to another view of them than to any other's."""
    views = [moved(prepared(x), **MOVES).clamp(-1, 1) for _ in range(2)]
    a, b = (torch.cat([extractor.body(part) for part in view.split(BATCH)]) for view in views)
    std, mean = torch.std_mean(a, 0)
    near = torch.cdist((a - mean) / std, (b - mean) / std).argmin(1)
    return float((near == torch.arange(len(x))).double().mean())


def _settings(trainee: Trainee, train: Tensor, dtype: str) -> Settings:
    x = prepared(train[:BATCH]).to(trainee.device)
    x = torch.cat([x, x.flip(0)])
    return settings_for(trainee, lambda trial, settings: trial.loss(settings.arrange(x)), dtype)


def _descend(trainee: Trainee, train: Tensor, epochs: int, settings: Settings) -> Iterator[float]:
    settings.apply(trainee)

    def loss(places: Tensor) -> Tensor:
        x = prepared(train[places])
        views = torch.cat([moved(x, **MOVES), moved(x, **MOVES)]).clamp(-1, 1).to(trainee.device)
        return trainee.loss(settings.arrange(views))

    return descend(trainee, loss, len(train), BATCH, epochs, RATE)
