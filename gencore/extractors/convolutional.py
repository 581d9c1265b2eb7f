"""Plain convolutions to 64 features, whitened: what the classifier, the self-supervised and the random features share.

These three have one architecture and differ in what taught it: labels, the data's own moves, or nothing.
"""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d
from torch.nn.utils.fusion import fuse_conv_bn_eval

from gencore.data import to_float
from gencore.extractors.base import Extractor, Options

DIMENSIONS = 64
LARGEST = 64  # pixels a side that are looked at; larger images are averaged down to it
WIDTHS = {1: (32, 48, 96, 96), 3: (64, 96, 160, 192)}  # by image channels: grey, colour


class Convolutional(Extractor):
    """The outputs of `convolutions`, whitened over the train split: nothing in it mixes a batch.

    Whitened, so that no few directions are all that a distance sees: of a classifier's features nine directions, those
    of the classes, hold 99% of the variance (neural collapse, Papyan et al. 2020); of random ones, one direction does.
    """

    centre: Tensor
    whitening: Tensor

    def __init__(self, channels: int, size: int, widths: tuple[int, ...], **config: int):
        super().__init__(DIMENSIONS, channels=channels, size=size, widths=tuple(widths), **config)
        self.body = convolutions(channels, size, widths)
        self.register_buffer("centre", torch.zeros(DIMENSIONS))
        self.register_buffer("whitening", torch.eye(DIMENSIONS))

    def raw(self, x: Tensor) -> Tensor:
        """Map uint8 (n, C, H, W) to the convolutions' outputs, whitened: (n, 64)."""
        return (self.body(prepared(x)) - self.centre) @ self.whitening

    def fit_scale(self, rows: Tensor) -> None:
        """Whiten by the symmetric root of the inverse covariance, which turns the features least (ZCA); once."""
        self.centre.copy_(rows.mean(0))
        values, vectors = torch.linalg.eigh(torch.cov(rows.T))
        scale = torch.where(values > 1e-6 * values.max(), values.rsqrt(), 0)  # few images may leave directions empty
        self.whitening.copy_((vectors * scale) @ vectors.T)


def convolutions(channels: int, size: int, widths: tuple[int, ...], normalised: bool = False) -> nn.Sequential:
    """Return one convolution at the full size, two at each half of it, and a linear layer to 64."""
    layers: list[nn.Module] = []
    side, before = min(size, LARGEST), channels
    for level, width in enumerate(widths):
        for stride in (2, 1) if level else (1,):
            layers.append(nn.Conv2d(before, width, 3, stride, padding=1))
            layers += [nn.BatchNorm2d(width), nn.ReLU()] if normalised else [nn.ReLU()]
            side, before = -(-side // stride), width
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(before * side * side, DIMENSIONS))


def folded(body: nn.Sequential) -> dict[str, Tensor]:
    """Return the weights of the convolutions without normalisation that compute what `body` does in eval mode."""
    layers = list(copy.deepcopy(body).cpu().eval())
    kept = [
        fuse_conv_bn_eval(layer, after) if isinstance(after, nn.BatchNorm2d) else layer
        for layer, after in zip(layers, [*layers[1:], None], strict=True)
        if not isinstance(layer, nn.BatchNorm2d)
    ]
    return nn.Sequential(*kept).state_dict()


def prepared(x: Tensor) -> Tensor:
    """Return uint8 images as float in [-1, 1], at most 64 pixels a side."""
    x = to_float(x)
    return adaptive_avg_pool2d(x, LARGEST) if x.shape[2] > LARGEST else x


def widths_for(channels: int, size: int, options: Options) -> tuple[int, ...]:
    """Return the widths asked for, else as many of the usual ones as keep 4 pixels a side."""
    if options.widths is None:
        levels = max(1, math.ceil(math.log2(min(size, LARGEST) / 4)) + 1)
        return WIDTHS[channels][:levels]
    return options.widths
