"""Whether a mirrored image could be one of the data set's own: then training on mirrored ones too is safe."""

from __future__ import annotations

import torch
from torch import Tensor

from gencore.data import Images

LOOKED_AT, AMONG = 400, 4000  # images that are mirrored, and those among which the nearest is looked for
FARTHER = 0.6  # of them that may lie farther from the nearest other image once mirrored; by chance it is half
WORSE = 0.03  # more of them that may have a nearest image of another class


def flips(train: Images) -> tuple[bool, str]:
    """Return whether images may be mirrored at random, and why, in a sentence.

    Digits and letters may not: mirrored, they lie farther from all others, or nearest to one of another class. Looked
    at are the first train images in their shuffled order; no image counts as its own neighbour, nor its mirror image.
    """
    rows = train.x[:AMONG].flatten(1).float() / 255
    some = min(LOOKED_AT, len(rows))
    mirrored = train.x[:some].flip(3).flatten(1).float() / 255
    (own, own_place), (other, other_place) = _others(rows[:some], rows), _others(mirrored, rows)
    farther = float((other > own).float().mean() + 0.5 * (other == own).float().mean())
    if farther > FARTHER:
        return False, f"Not mirrored: {farther:.0%} of the images lie farther from all others once they are mirrored."
    if train.labelled:
        labels = train.labels[:AMONG]
        same, mirror = ((labels[place] == labels[:some]).float().mean() for place in (own_place, other_place))
        if mirror < same - WORSE:
            return False, f"Not mirrored: {same - mirror:.0%} more of the mirrored images look like another class."
    return (
        True,
        f"Mirrored at random: {farther:.0%} of the images lie farther from all others once mirrored, by chance 50%.",
    )


def _others(x: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return distance and place of the nearest of `rows` (n, d) but the i-th to the i-th of `x` (m, d)."""
    distances = torch.cdist(x, rows)
    distances[torch.arange(len(x)), torch.arange(len(x))] = torch.inf
    return distances.min(1)
