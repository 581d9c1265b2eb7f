"""Known degradations of real images, each in steps from mild to strong: what a distance should notice, and in order.

Two kinds. Some change each image: `change(x, strength, seed)` returns as many. Others change which images there are:
`choose(split, strength, n, turn)` returns the places of n of them. The same seed and place give the same noise, field,
hole or direction at every step, so that a step differs from the one before by its strength alone; strength 0 changes
nothing. All are deterministic.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import grid_sample

from gencore.data import Images

ELASTICITY = 4.0  # pixels: the smoothing of the elastic fields (Simard et al. 2003)
CENTRES = 5  # of k-means in each class
Change = Callable[[Tensor, float, int], Tensor]
Choose = Callable[["Crowd", float, int, int], Tensor]


@dataclass(frozen=True)
class Crowd:
    """Real images to choose from.

    Attributes:
        x: uint8 (N, C, H, W).
        labels: int64 (N,); zeros where there are none.
    """

    x: Tensor
    labels: Tensor

    @classmethod
    def of(cls, images: Images) -> Crowd:
        """Return a split's images."""
        return cls(images.x, images.labels if images.labelled else torch.zeros(len(images.x), dtype=torch.int64))

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return 1 + int(self.labels.max())

    def order(self, n: int, turn: int) -> Tensor:
        """Return all places, read from the image `turn` times `n` on, round and round: int64 (N,)."""
        return torch.arange(len(self.x)).roll(-turn * n)

    @cached_property
    def remoteness(self) -> Tensor:
        """Of each image and each of its class's centres, the share of its class that is nearer to it: (N, CENTRES)."""
        return remoteness(self.x, self.labels)


@dataclass(frozen=True)
class Degradation:
    """One ladder.

    Attributes:
        key: Its name in files.
        title: Its name for people.
        about: One sentence: what is done.
        steps: The strengths, from mild to strong.
        words: Says a strength for people.
        change: Changes each image; None where it chooses.
        choose: Chooses images; None where it changes them.
        by_class: Whether it needs labels of more than one class.
    """

    key: str
    title: str
    about: str
    steps: tuple[float, ...]
    words: Callable[[float], str]
    change: Change | None = None
    choose: Choose | None = None
    by_class: bool = False


# ---- what changes each image


def blur(x: Tensor, sigma: float, seed: int) -> Tensor:
    """Return uint8 images (N, C, H, W) after a Gaussian blur of `sigma` pixels; pixels beyond the edge are as at it."""
    from scipy.ndimage import gaussian_filter

    return _pixels(torch.from_numpy(gaussian_filter(x.float(), (0, 0, sigma, sigma), mode="nearest")))


def add_noise(x: Tensor, deviation: float, seed: int) -> Tensor:
    """Return uint8 images with Gaussian noise of a deviation in 255ths on each pixel, cut off at black and white."""
    return _pixels(x.float() + deviation * torch.randn(x.shape, generator=_generator(seed)))


def warp(x: Tensor, alpha: float, seed: int) -> Tensor:
    """Return uint8 images, each warped by an elastic field of its own: Simard, Steinkraus & Platt 2003.

    Displacements are uniform on [-1, 1] for each pixel and direction, smoothed with a Gaussian of 4 pixels and times
    `alpha`, in pixels; 34 is the paper's choice for MNIST. Interpolation is bicubic, which blurs least.
    """
    from scipy.ndimage import gaussian_filter

    if not alpha:
        return x
    n, _, height, width = x.shape
    field = 2 * torch.rand(n, 2, height, width, generator=_generator(seed)) - 1
    smooth = gaussian_filter(field.numpy(), (0, 0, ELASTICITY, ELASTICITY), mode="constant")
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    place = torch.stack([columns, rows]) + alpha * torch.from_numpy(smooth)
    sides = torch.tensor([width, height]).view(2, 1, 1)
    grid = ((2 * place + 1) / sides - 1).permute(0, 2, 3, 1)
    return _pixels(grid_sample(x.float(), grid, mode="bicubic", padding_mode="border", align_corners=False))


def compress(x: Tensor, loss: float, seed: int) -> Tensor:
    """Return uint8 images after JPEG of quality 100 - `loss`; 0 leaves them as they are."""
    return torch.stack([_through_jpeg(one, round(100 - loss)) for one in x]) if loss else x


def _through_jpeg(x: Tensor, quality: int) -> Tensor:
    array = x.permute(1, 2, 0).numpy()
    memory = io.BytesIO()
    Image.fromarray(array[..., 0] if array.shape[2] == 1 else array).save(memory, "JPEG", quality=quality)
    found = np.asarray(Image.open(memory)).reshape(array.shape)
    return torch.from_numpy(found.copy()).permute(2, 0, 1)


def flatten_contrast(x: Tensor, loss: float, seed: int) -> Tensor:
    """Return uint8 images whose pixels have come nearer to their image's mean by the share `loss` of the way."""
    values = x.float()
    return _pixels(values + loss * (values.mean((1, 2, 3), keepdim=True) - values))


def occlude(x: Tensor, side: float, seed: int) -> Tensor:
    """Return uint8 images with a black square of `side` pixels, its centre anywhere in the image."""
    n, _, height, width = x.shape
    centre = torch.rand(2, n, 1, generator=_generator(seed))
    inside = [
        (torch.arange(length) + 0.5 - place * length).abs() < side / 2
        for length, place in zip((height, width), centre, strict=True)
    ]
    return x * ~(inside[0].view(n, 1, height, 1) & inside[1].view(n, 1, 1, width))


def shift(x: Tensor, pixels: float, seed: int) -> Tensor:
    """Return uint8 images, each moved by whole `pixels` to one of eight sides; the edge's pixels move in."""
    n, _, height, width = x.shape
    sides = torch.tensor([(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if a or b])
    down, right = (sides[torch.randint(8, (n,), generator=_generator(seed))] * round(pixels)).T
    rows = (torch.arange(height) - down.view(n, 1)).clamp(0, height - 1)
    columns = (torch.arange(width) - right.view(n, 1)).clamp(0, width - 1)
    which = torch.arange(n)
    return x[which.view(n, 1, 1), :, rows.view(n, height, 1), columns.view(n, 1, width)].permute(0, 3, 1, 2)


def _pixels(values: Tensor) -> Tensor:
    return values.round().clamp(0, 255).to(torch.uint8)


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# ---- what changes which images there are


def drop_classes(crowd: Crowd, classes: float, n: int, turn: int) -> Tensor:
    """Return places without some classes, from class `turn` on; of a broken number the last loses its share."""
    order = crowd.order(n, turn)
    rank = (crowd.labels[order] - turn) % crowd.classes
    kept = rank >= math.ceil(classes)
    part = rank == math.floor(classes)
    if classes % 1:
        kept |= part & _evenly(part.cumsum(0), 1 - classes % 1)
    return order[kept][:n]


def double_class(crowd: Crowd, more: float, n: int, turn: int) -> Tensor:
    """Return places with class `turn` more often than it is, by the share `more`: 1 doubles it."""
    order = crowd.order(n, turn)
    one = crowd.labels[order] == turn % crowd.classes
    count = round((1 + more) * float(one.double().mean()) * n) if more else int(one[:n].sum())
    kept = torch.where(one, one.cumsum(0) <= count, (~one).cumsum(0) <= n - count)
    return order[kept]


def keep_near(crowd: Crowd, loss: float, n: int, turn: int) -> Tensor:
    """Return places of the images nearest to one centre of their class in pixels; the share `loss` of each is lost."""
    order = crowd.order(n, turn)
    return order[crowd.remoteness[order, turn % CENTRES] < 1 - loss][:n]


def repeat(crowd: Crowd, loss: float, n: int, turn: int) -> Tensor:
    """Return n places of which the share 1 - `loss` are distinct, one at least, each of them again and again."""
    distinct = max(1, round((1 - loss) * n))
    return crowd.order(n, turn)[torch.arange(n) % distinct]


def _evenly(count: Tensor, share: float) -> Tensor:
    """Return which of things counted from 1 on are kept, so that the share is kept of every run of them."""
    return (count * share).floor() > ((count - 1) * share).floor()


def remoteness(x: Tensor, labels: Tensor) -> Tensor:
    """Return how far images are from the centres of their class, as shares of it that are nearer: (N, CENTRES).

    The centres are those of k-means in pixels (`CENTRES` in each class, of equal seeds), the largest cluster's first.
    """
    from sklearn.cluster import KMeans

    found = torch.zeros(len(x), CENTRES)
    rows = x.flatten(1).double()
    for label in labels.unique():
        mine = (labels == label).nonzero()[:, 0]
        means = KMeans(min(CENTRES, len(mine)), n_init=3, random_state=0).fit(rows[mine].numpy())
        by_size = np.argsort(-np.bincount(means.labels_), kind="stable")
        centres = torch.from_numpy(means.cluster_centers_[by_size])
        ranks = torch.cdist(rows[mine], centres).argsort(dim=0, stable=True).argsort(dim=0)
        found[mine] = (ranks / len(mine)).float()[:, torch.arange(CENTRES) % len(centres)]
    return found


DEGRADATIONS: dict[str, Degradation] = {
    one.key: one
    for one in (
        Degradation("blur", "Blur", "Each image is blurred by a Gaussian.",
                    (0.4, 0.5, 0.6, 0.8, 1.2), "σ = {:g} px".format, blur),
        Degradation("noise", "Noise", "Gaussian noise is added to each pixel.",
                    (2, 4, 8, 16, 32), "σ = {:g} of 255".format, add_noise),
        Degradation("elastic", "Elastic warp", "Each image is warped as rubber is (Simard et al. 2003).",
                    (8, 16, 24, 34, 50), "α = {:g}".format, warp),
        Degradation("jpeg", "JPEG", "Each image is compressed and read back.",
                    (10, 30, 50, 70, 90), lambda loss: f"quality {100 - loss:g}", compress),
        Degradation("contrast", "Less contrast", "Pixels come nearer to their image's mean.",
                    (0.02, 0.05, 0.1, 0.2, 0.4), "by {:.0%}".format, flatten_contrast),
        Degradation("occlusion", "A hole", "A black square hides a part of each image.",
                    (2, 4, 6, 8, 12), "{:g} px a side".format, occlude),
        Degradation("shift", "Moved", "Each image is moved to one of eight sides.",
                    (1, 2, 3, 4, 5), "by {:g} px".format, shift),
        Degradation("dropped", "Classes dropped", "Images of some classes are left out.",
                    (0.5, 1, 2, 3, 5), "{:g} classes".format, choose=drop_classes, by_class=True),
        Degradation("doubled", "A class doubled", "One class comes more often than it should.",
                    (0.5, 1, 1.5, 2, 3), "{:.0%} more".format, choose=double_class, by_class=True),
        Degradation("modes", "Modes dropped", "Of each class only the images near one of its k-means centres are left.",
                    (0.1, 0.25, 0.5, 0.65, 0.8), "{:.0%} of each class lost".format, choose=keep_near),
        Degradation("copies", "Copies", "Few distinct images are repeated.",
                    (0.5, 0.75, 0.9, 0.97, 0.99), "{:.0%} are copies".format, choose=repeat),
    )
}  # fmt: skip
