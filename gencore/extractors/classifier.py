"""A small classifier of the data set's own classes; its penultimate layer is the features."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from gencore.data import Images
from gencore.device import Settings, pick_device
from gencore.extractors.base import Options, Show, class_count
from gencore.extractors.convolutional import DIMENSIONS, Convolutional, convolutions, folded, prepared, widths_for
from gencore.extractors.descent import descend, epochs_for, moved, settings_for

BATCH = 128
EPOCHS, STEPS = {1: 8, 3: 16}, 1500  # by image channels: grey, colour; and at least so many steps
LEAST = 300  # steps of one that is learnt in haste; see `Options.effort` and docs/experiments.md
RATE, DROPOUT = 4e-3, 0.3
MOVES = {"degrees": 10, "shift": 0.07, "scale": 0.1}  # augmentation


class Classifier(Convolutional):
    """Plain convolutions to 64 features, then one linear layer to the classes.

    It is trained with batch normalisation, which is folded into the convolutions once they are done.
    """

    name: ClassVar[str] = "classifier"
    about: ClassVar[str] = "the penultimate layer of a small classifier trained on the train split, whitened"
    sees: ClassVar[str] = "see what tells one class from another and forgive slight blur"
    needs_labels: ClassVar[bool] = True

    def __init__(self, channels: int, size: int, classes: int, widths: tuple[int, ...]):
        super().__init__(channels, size, widths, classes=classes)
        self.head = nn.Linear(DIMENSIONS, classes)

    def probabilities(self, x: Tensor) -> Tensor:
        """Return float32 (N, K), rows adding up to 1, of uint8 images (N, C, H, W).

        Raises:
            InputError: if the images are not uint8 or of another shape than this extractor's.
        """
        return self.in_batches(lambda part: self.head(self.body(prepared(part))).softmax(1), x)

    def accuracy(self, images: Images) -> float:
        """Return the share of a split's images whose class is told right, in [0, 1]."""
        return float((self.probabilities(images.x).argmax(1) == images.labels).double().mean())

    def examine(self, test: Images) -> dict[str, Any]:
        """Return the accuracy on the test split."""
        return {"test_accuracy": self.accuracy(test)}

    @classmethod
    def passes(cls, count: int, channels: int, effort: float = 1.0) -> int:
        """Return how often `learn` goes through `count` train images."""
        return epochs_for(EPOCHS[channels], STEPS, LEAST, count, BATCH, effort)

    @classmethod
    def learn(cls, splits: Mapping[str, Images], options: Options, show: Show) -> tuple[Self, dict[str, Any]]:
        """Return the classifier of the epoch that the validation split chose.

        Deterministic: on one machine, with the same threads and dtype, a seed gives the same weights.
        """
        train, start = splits["train"], time.perf_counter()
        _, channels, size, _ = train.x.shape
        widths = widths_for(channels, size, options)
        config = {"channels": channels, "size": size, "classes": class_count(splits), "widths": widths}
        epochs = options.epochs or cls.passes(len(train.x), channels, options.effort)
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
        self.body = convolutions(channels, size, widths, normalised=True)
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
        classifier = Classifier(**config)
        classifier.body.load_state_dict(folded(self.body))
        classifier.head.load_state_dict(self.head.state_dict())
        return classifier.eval()


def augment(x: Tensor) -> Tensor:
    """Return float images (n, C, H, W), each moved a little; see `moved`."""
    return moved(x, **MOVES)


def _settings(trainee: Trainee, train: Images, dtype: str) -> Settings:
    x, labels = prepared(train.x[:BATCH]).to(trainee.device), train.labels[:BATCH].to(trainee.device)
    return settings_for(trainee, lambda trial, settings: trial.loss(settings.arrange(x), labels), dtype)


def _descend(trainee: Trainee, train: Images, epochs: int, settings: Settings) -> Iterator[float]:
    settings.apply(trainee)

    def loss(places: Tensor) -> Tensor:
        x = augment(prepared(train.x[places])).to(trainee.device)
        return trainee.loss(settings.arrange(x), train.labels[places].to(trainee.device))

    return descend(trainee, loss, len(train.x), BATCH, epochs, RATE)
