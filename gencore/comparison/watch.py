"""What is looked at while a family trains: whether it is well, in words with what to try, and whether it copies."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from gencore.data import Images, to_uint8
from gencore.family import image_seed
from gencore.metrics import nearest
from gencore.metrics.neighbours import mean_distance
from gencore.metrics.registry import authenticity
from gencore.train import Progress

FEW = 10_000  # images to train on, below which a family may learn them by heart within its time
LOOKED_AT = 100  # images that are made to look at
FIRST, EVERY, SHARE = 0.2, 0.1, 0.05  # of the time: the first look, from one to the next, and what looks may take
COPIED = 0.4  # of the authenticity of held-out images, below which images count as copies
ERRORS = 3.0  # standard errors that must lie between them
ALIKE = 0.25  # of the real images' mean distance, below which all images are all but one
EXPLODED = 20.0  # times the first loss
NAT = 0.1


@dataclass(frozen=True)
class Sign:
    """A sign of illness in the figures of a training's log.

    Attributes:
        needs: The figures that it is read from, each there if the family logs it.
        ill: Whether it is, by these figures.
        words: What that means and what to try.
    """

    needs: tuple[str, ...]
    ill: Callable[..., bool]
    words: str


SIGNS = (
    Sign(("kl",), lambda kl: kl < NAT, "The posterior has collapsed: the latent says nothing about the image "
         "(a KL of {kl:.2g} nats). Try fewer latent dimensions, or more time."),
    Sign(("validation_d_real", "validation_d_fake"), lambda real, fake: real > 0.99 and fake < 0.01,
         "The discriminator tells every image apart, so the generator learns little from it. Try a larger gamma, a "
         "smaller lr, or more images."),
    Sign(("win_rate",), lambda rate: rate > 0.995, "The critic ranks every real image above every generated one "
         "({win_rate:.1%}), so the generator learns little from it. Try a larger gamma or a smaller lr."),
)  # fmt: skip
COLLAPSED = (
    "Its images are all but one: the mean distance between two is {ratio:.0%} of that between two real ones. It has "
    "collapsed; try a smaller lr, another seed, or more time."
)
COPIES = (
    "Stopped early, as it began to copy: of its images {own:.0%} are no nearer to a training image than another "
    "training image is, of held-out ones {held_out:.0%}. More images, or augmentation, would let it learn longer."
)


class Watch:
    """Looks at a training now and then, seldom enough to take little of its time.

    Attributes:
        words: What was seen last, in a sentence; '' if all is well.
        copies: Whether it copies its training images, so that it should end.
    """

    def __init__(self, splits: Mapping[str, Images]):
        self.words, self.copies = "", False
        self.next, self.spent, self.first_loss = FIRST, 0.0, 0.0  # the next look's time, seconds of looks
        self.seeds = [image_seed(1, place) for place in range(LOOKED_AT)]  # others than those of the time-lapse
        images = splits["train"].x  # which may be more than fit into memory
        self.apart = mean_distance(flat(images[:1000]))
        self.train = flat(images) if len(images) < FEW else None
        if self.train is not None:
            self.gaps = nearest(self.train, self.train, exclude_self=True)[0]
            held_out = flat(splits["validation"].x)
            self.held_out, self.count = authenticity(held_out, held_out, self.train, self.gaps), len(held_out)

    def fresh(self) -> Watch:
        """Return a watch of another training on the same images."""
        other = copy.copy(self)
        other.words, other.copies = "", False
        other.next, other.spent, other.first_loss = FIRST, 0.0, 0.0
        return other

    def look(self, at: Progress) -> None:
        """Look at a training if it is time to; `words` and `copies` say what was seen."""
        share = at.seconds / max(at.seconds + at.eta_s, 1e-9)
        self.first_loss = self.first_loss or abs(at.logs.get("loss", 0.0))
        if share < self.next or self.spent > SHARE * at.seconds:
            return
        start = time.perf_counter()
        images = flat(to_uint8(at.generate(self.seeds)).cpu())
        self.words = self.alike(images) or self.exploding(at.logs) or signs(at.logs)
        self.copies = self.copied(images)
        self.next = share + EVERY
        self.spent += time.perf_counter() - start

    def alike(self, images: Tensor) -> str:
        """Return a sentence if images, float32 (N, d), are all but one."""
        ratio = mean_distance(images) / self.apart if self.apart else math.inf
        return COLLAPSED.format(ratio=ratio) if ratio < ALIKE else ""

    def exploding(self, logs: Mapping[str, float]) -> str:
        """Return a sentence if the loss is far above what it was at first."""
        loss = logs.get("loss", 0.0)
        if not self.first_loss or loss < EXPLODED * max(self.first_loss, 1.0):
            return ""
        return f"The loss is {loss:.3g}, and was {self.first_loss:.3g} at first: it explodes. Try a smaller lr."

    def copied(self, images: Tensor) -> bool:
        """Return whether images, float32 (N, d), lie nearer to training images than held-out ones do, by far."""
        if self.train is None:
            return False
        own = authenticity(images, images, self.train, self.gaps)
        both = (own * len(images) + self.held_out * self.count) / (len(images) + self.count)
        error = math.sqrt(max(both * (1 - both), 0.0) * (1 / len(images) + 1 / self.count))
        if own >= COPIED * self.held_out or self.held_out - own <= ERRORS * error:
            return False
        self.words = COPIES.format(own=own, held_out=self.held_out)
        return True


def signs(logs: Mapping[str, float]) -> str:
    """Return a sentence on the first sign of illness in the figures of a log, '' if there is none."""
    for sign in SIGNS:
        if all(key in logs for key in sign.needs) and sign.ill(*(logs[key] for key in sign.needs)):
            return sign.words.format(**logs)
    return ""


def flat(x: Tensor) -> Tensor:
    """Return uint8 images (N, C, H, W) as float32 vectors (N, C*H*W) in [0, 1]."""
    return torch.as_tensor(x).flatten(1).float() / 255
