"""Random convolutions: features that nothing has taught, and that flatter nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import torch
from torch import nn

from gencore.data import Images
from gencore.extractors.base import Options, Show
from gencore.extractors.convolutional import Convolutional, widths_for


class Random(Convolutional):
    """The same convolutions as the classifier's with orthogonal weights from the seed, untrained.

    Naeem et al. 2020 compare in a random network where the data are unlike ImageNet; orthogonal weights: Saxe et al.
    2014.
    """

    name: ClassVar[str] = "random"
    about: ClassVar[str] = "the outputs of convolutions with random orthogonal weights, untrained, whitened"
    sees: ClassVar[str] = "see edges, grain and where they lie, and have been taught to forgive nothing"
    finds_copies: ClassVar[bool] = False

    @classmethod
    def learn(cls, splits: Mapping[str, Images], options: Options, show: Show) -> tuple[Self, dict[str, Any]]:
        """Return the network that the seed gives."""
        _, channels, size, _ = splits["train"].x.shape
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(options.seed)
            extractor = cls(channels, size, widths_for(channels, size, options))
            for layer in extractor.body:
                if isinstance(layer, nn.Conv2d | nn.Linear):
                    nn.init.orthogonal_(layer.weight, nn.init.calculate_gain("relu"))
                    nn.init.zeros_(layer.bias)
        return extractor.eval(), {"parameters": sum(p.numel() for p in extractor.parameters())}
