"""A small classifier of the data set's own classes; its penultimate layer is the features."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, affine_grid, cross_entropy, grid_sample
from torch.nn.utils.fusion import fuse_conv_bn_eval

from gencore.data import Images, to_float
from gencore.device import TRAINING_DTYPES, Settings, choose_settings, pick_device
from gencore.extractors.base import Extractor, Options, Show, class_count

DIMENSIONS = 64
LARGEST = 64  # pixels a side that are looked at; larger images are averaged down to it
WIDTHS = {1: (32, 48, 96, 96), 3: (64, 96, 160, 192)}  # by image channels: grey, colour
BATCH = 128
EPOCHS = {1: 8, 3: 16}  # by image channels, by default, and at least so many steps: small data sets take more epochs
STEPS = 1500
LR, WEIGHT_DECAY, DROPOUT = 4e-3, 1e-2, 0.3
ANGLE, SHIFT, SCALE = 10, 0.07, 0.1  # augmentation: at most so many degrees, of the side, of the size


class Classifier(Extractor):
    """Plain convolutions to 64 features, then one linear layer to the classes: nothing in it mixes a batch.

    It is trained with batch normalisation, which is folded into the convolutions once they are done.

    The features are whitened over the train split: nine directions, those of the classes, hold 99% of their variance
    (neural collapse, Papyan et al. 2020), and would leave no distance a view of how images of one class differ.
    """

    name: ClassVar[str] = "classifier"
    about: ClassVar[str] = "the penultimate layer of a small classifier trained on the train split, whitened"
    sees: ClassVar[str] = "see what tells one class from another and forgive blur"
    needs_labels: ClassVar[bool] = True
    centre: Tensor
    whitening: Tensor

    def __init__(self, channels: int, size: int, classes: int, widths: tuple[int, ...]):
        super().__init__(DIMENSIONS, channels=channels, size=size, classes=classes, widths=tuple(widths))
        self.body = _body(channels, size, widths)
        self.head = nn.Linear(DIMENSIONS, classes)
        self.register_buffer("centre", torch.zeros(DIMENSIONS))
        self.register_buffer("whitening", torch.eye(DIMENSIONS))

    def raw(self, x: Tensor) -> Tensor:
        """Map uint8 (n, C, H, W) to what the last layer sees, whitened: (n, 64)."""
        return (self.body(_prepared(x)) - self.centre) @ self.whitening

    def fit_scale(self, rows: Tensor) -> None:
        """Whiten by the symmetric root of the inverse covariance, which turns the features least (ZCA); once."""
        self.centre.copy_(rows.mean(0))
        values, vectors = torch.linalg.eigh(torch.cov(rows.T))
        scale = torch.where(values > 1e-6 * values.max(), values.rsqrt(), 0)  # few images may leave directions empty
        self.whitening.copy_((vectors * scale) @ vectors.T)

    def probabilities(self, x: Tensor) -> Tensor:
        """Return float32 (N, K), rows adding up to 1, of uint8 images (N, C, H, W).

        Raises:
            InputError: if the images are not uint8 or of another shape than this extractor's.
        """
        return self.in_batches(lambda part: self.head(self.body(_prepared(part))).softmax(1), x)

    def accuracy(self, images: Images) -> float:
        """Return the share of a split's images whose class is told right, in [0, 1]."""
        return float((self.probabilities(images.x).argmax(1) == images.labels).double().mean())

    def examine(self, test: Images) -> dict[str, Any]:
        """Return the accuracy on the test split."""
        return {"test_accuracy": self.accuracy(test)}

    @classmethod
    def learn(cls, splits: Mapping[str, Images], options: Options, show: Show) -> tuple[Self, dict[str, Any]]:
        """Return the classifier of the epoch that the validation split chose.

        Deterministic: on one machine, with the same threads and dtype, a seed gives the same weights.
        """
        train, start = splits["train"], time.perf_counter()
        _, channels, size, _ = train.x.shape
        widths = _widths(channels, size, options)
        config = {"channels": channels, "size": size, "classes": class_count(splits), "widths": widths}
        epochs = options.epochs or max(EPOCHS[channels], STEPS // max(1, len(train.x) // BATCH))
        with torch.random.fork_rng():
            torch.manual_seed(options.seed)
            trainee = Trainee(**config).to(pick_device(options.device))
            settings = _settings(trainee, train, options.dtype)
            torch.manual_seed(options.seed)
            best = (-1.0, 0, trainee)
            for epoch, share in enumerate(_descend(trainee, train, epochs, settings), 1):
                accuracy = trainee.folded(config).accuracy(splits["validation"])
                if accuracy >= best[0]:  # of equals the later, which has the lower learning rate
                    best = (accuracy, epoch, copy.deepcopy(trainee))
                show(share, f"classifier: epoch {epoch} of {epochs}, {accuracy:.2%} of validation right")
            found = best[2].folded(config)
        return found, {
            "validation_accuracy": best[0],
            "epoch": best[1],
            "epochs": epochs,
            "settings": settings.record(),
            "device": trainee.device.type,
            "training_seconds": round(time.perf_counter() - start, 1),
            "parameters": sum(p.numel() for p in found.parameters()),
        }


class Trainee(nn.Module):
    """The classifier while it is trained: with batch normalisation and dropout."""

    def __init__(self, channels: int, size: int, classes: int, widths: tuple[int, ...]):
        super().__init__()
        self.body = _body(channels, size, widths, normalised=True)
        self.dropout = nn.Dropout(DROPOUT)
        self.head = nn.Linear(DIMENSIONS, classes)
        self.compute_dtype = torch.float32

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.head.weight.device

    def loss(self, x: Tensor, labels: Tensor) -> Tensor:
        """Return the mean cross-entropy of float images (n, C, H, W) and their labels (n,)."""
        reduced = self.compute_dtype != torch.float32
        with torch.autocast(self.device.type, self.compute_dtype if reduced else None, enabled=reduced):
            logits = self.head(self.dropout(self.body(x)))
        return cross_entropy(logits.float(), labels)

    def folded(self, config: Mapping[str, Any]) -> Classifier:
        """Return the classifier without normalisation that computes what this one does in eval mode."""
        layers = list(copy.deepcopy(self.body).cpu().eval())
        folded = [
            fuse_conv_bn_eval(layer, after) if isinstance(after, nn.BatchNorm2d) else layer
            for layer, after in zip(layers, [*layers[1:], None], strict=True)
            if not isinstance(layer, nn.BatchNorm2d)
        ]
        classifier = Classifier(**config)
        classifier.body.load_state_dict(nn.Sequential(*folded).state_dict())
        classifier.head.load_state_dict(self.head.state_dict())
        return classifier.eval()


def _body(channels: int, size: int, widths: tuple[int, ...], normalised: bool = False) -> nn.Sequential:
    """Return one convolution at the full size, two at each half of it, and a linear layer to 64."""
    layers: list[nn.Module] = []
    side, before = min(size, LARGEST), channels
    for level, width in enumerate(widths):
        for stride in (2, 1) if level else (1,):
            layers.append(nn.Conv2d(before, width, 3, stride, padding=1))
            layers += [nn.BatchNorm2d(width), nn.ReLU()] if normalised else [nn.ReLU()]
            side, before = -(-side // stride), width
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(before * side * side, DIMENSIONS))


def _prepared(x: Tensor) -> Tensor:
    """Return uint8 images as float in [-1, 1], at most 64 pixels a side."""
    x = to_float(x)
    return adaptive_avg_pool2d(x, LARGEST) if x.shape[2] > LARGEST else x


def _widths(channels: int, size: int, options: Options) -> tuple[int, ...]:
    """Return the widths asked for, else as many of the usual ones as keep 4 pixels a side."""
    if options.widths is None:
        levels = max(1, math.ceil(math.log2(min(size, LARGEST) / 4)) + 1)
        return WIDTHS[channels][:levels]
    return options.widths


def _settings(trainee: Trainee, train: Images, dtype: str) -> Settings:
    """Return how training computes: `dtype` measured where it is 'auto', the layout fixed, as it changes last bits."""
    x, labels = _prepared(train.x[:BATCH]).to(trainee.device), train.labels[:BATCH].to(trainee.device)

    def step(trial: Trainee, settings: Settings) -> None:
        trial.loss(settings.arrange(x), labels).backward()

    return choose_settings(trainee, step, dtype, "channels_last", TRAINING_DTYPES)


def _descend(trainee: Trainee, train: Images, epochs: int, settings: Settings) -> Iterator[float]:
    """Train with AdamW under a one-cycle learning rate; yield the share that is done after each epoch."""
    settings.apply(trainee)
    batch = min(BATCH, len(train.x))
    steps = epochs * (len(train.x) // batch)
    optimizer = torch.optim.AdamW(trainee.parameters(), weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LR, total_steps=steps)
    for epoch in range(epochs):
        trainee.train()
        order = torch.randperm(len(train.x))
        for rows in order[: len(order) // batch * batch].split(batch):
            x = augment(_prepared(train.x[rows])).to(trainee.device)
            optimizer.zero_grad()
            trainee.loss(settings.arrange(x), train.labels[rows].to(trainee.device)).backward()
            optimizer.step()
            schedule.step()
        yield (epoch + 1) / epochs


def augment(x: Tensor) -> Tensor:
    """Return float images (n, C, H, W), each turned, resized and shifted a little; in colour, half of them mirrored.

    Only colour images are mirrored: there, they are things; in grey, they may be signs. The CPU's global random
    numbers are used, so that every device sees the same images.
    """
    n, channels = x.shape[:2]
    angle, scale, right, down = torch.rand(4, n) * 2 - 1
    angle, scale = angle * math.radians(ANGLE), 1 + SCALE * scale
    cos, sin = scale * angle.cos(), scale * angle.sin()
    across = torch.where(torch.rand(n) < 0.5, -1.0, 1.0) if channels == 3 else torch.ones(n)
    shift = 2 * SHIFT  # the grid's coordinates run from -1 to 1
    theta = torch.stack([across * cos, -sin, shift * right, across * sin, cos, shift * down], 1).view(n, 2, 3)
    grid = affine_grid(theta, list(x.shape), align_corners=False)
    return grid_sample(x, grid, padding_mode="border", align_corners=False)
