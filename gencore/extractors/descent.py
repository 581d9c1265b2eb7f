"""How the extractors that are networks learn: one descent, and the small moves that images are shown with."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn.functional import affine_grid, grid_sample

from gencore.choices import choose_settings
from gencore.device import TRAINING_DTYPES, Settings

WEIGHT_DECAY = 1e-2


def epochs_for(usual: int, steps: int, least: int, rows: int, batch: int, effort: float = 1.0) -> int:
    """Return the number of passes through some images.

    Args:
        usual: So many passes are usual.
        steps: More where these would be fewer steps.
        least: Steps, below which no effort goes.
        rows: The number of images.
        batch: Images in a step.
        effort: The share of the usual passes that is wanted, in (0, 1].
    """
    each = max(1, rows // batch)
    full = max(usual, steps // each)
    return min(full, max(math.ceil(effort * full), math.ceil(least / each)))


def settings_for(trainee: nn.Module, loss: Callable[[nn.Module, Settings], Tensor], dtype: str) -> Settings:
    """Return how training computes: `dtype` measured where it is 'auto', the layout fixed, as it changes last bits."""

    def step(trial: nn.Module, settings: Settings) -> None:
        loss(trial, settings).backward()

    work = f"a training step of {type(trainee).__module__.rpartition('.')[2]} features"
    return choose_settings(trainee, step, work, dtype, "channels_last", TRAINING_DTYPES)


def descend(
    trainee: nn.Module, loss: Callable[[Tensor], Tensor], rows: int, batch: int, epochs: int, rate: float
) -> Iterator[float]:
    """Train with AdamW under a one-cycle learning rate (Smith & Topin 2018); yield the share done after each epoch.

    Args:
        trainee: The network.
        loss: Returns the loss of the images at some places, int64 (batch,), of `rows` ones.
        rows: How many images there are.
        batch: Images at once.
        epochs: Passes through them.
        rate: The highest learning rate.
    """
    batch = min(batch, rows)
    optimizer = torch.optim.AdamW(trainee.parameters(), weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=epochs * (rows // batch))
    for epoch in range(epochs):
        trainee.train()
        order = torch.randperm(rows)
        for places in order[: rows // batch * batch].split(batch):
            optimizer.zero_grad()
            loss(places).backward()
            optimizer.step()
            schedule.step()
        yield (epoch + 1) / epochs


def moved(x: Tensor, degrees: float, shift: float, scale: float, mode: str = "bilinear") -> Tensor:
    """Return float images (n, C, H, W), each turned, resized and shifted at random; in colour, half of them mirrored.

    Only colour images are mirrored: there, they are things; in grey, they may be signs. The CPU's global random
    numbers are used, so that every device sees the same images.

    Args:
        x: The images.
        degrees: At most so much is an image turned.
        shift: And shifted, as a share of its side, both ways.
        scale: And resized, as a share of its size.
        mode: How pixels are interpolated, as for `grid_sample`.
    """
    n, channels = x.shape[:2]
    angle, size, right, down = torch.rand(4, n) * 2 - 1
    angle, size = angle * math.radians(degrees), 1 + scale * size
    cos, sin = size * angle.cos(), size * angle.sin()
    across = torch.where(torch.rand(n) < 0.5, -1.0, 1.0) if channels == 3 else torch.ones(n)
    most = 2 * shift  # the grid's coordinates run from -1 to 1
    theta = torch.stack([across * cos, -sin, most * right, across * sin, cos, most * down], 1).view(n, 2, 3)
    grid = affine_grid(theta, list(x.shape), align_corners=False)
    return grid_sample(x, grid, mode=mode, padding_mode="border", align_corners=False)
