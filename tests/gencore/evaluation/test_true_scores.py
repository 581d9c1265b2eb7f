"""The truth of `shapes` in what a generation scores: under the first extractor, beside the other metrics."""

from types import SimpleNamespace

import pytest
import torch

from gencore.data import identity, load_splits
from gencore.evaluation import scoring
from gencore.evaluation.truth import truth_of
from gencore.metrics import METRICS, metrics_of

N, TEST = 400, 1000
TRUE = {key for key, metric in METRICS.items() if metric.data}


@pytest.fixture(scope="module")
def splits():
    return load_splits("shapes", splits=("train", "test"))


class Shrunk(torch.nn.Module):
    """Features without learning: a picture of 4x4."""

    hash = "0" * 16

    def features(self, images):
        return torch.nn.functional.adaptive_avg_pool2d(images.float() / 255, 4).flatten(1)


@pytest.fixture
def reference(splits, monkeypatch):
    eye = Shrunk()
    test, train = (eye.features(splits[split].x[:TEST]) for split in ("test", "train"))
    real = SimpleNamespace(
        test=test,
        train=train,
        train_gaps=None,
        probabilities=None,
        spectra=None,
        identity=identity(splits),
        view={},
        finds_copies=True,
        cannot_find_copies="",
    )
    monkeypatch.setattr(scoring, "extractor_hash", lambda dataset, name: name in ("pixels", "random"))
    monkeypatch.setattr(scoring.features, "load_extractor", lambda dataset, name: eye)
    monkeypatch.setattr(scoring.features, "load_real", lambda dataset, name: real)
    monkeypatch.setattr(scoring.metrics, "radial_spectrum", lambda images: None)
    return scoring.Reference("shapes")


def test_it_stands_under_the_first_extractor(reference, splits):
    found = reference.scores(reference.extract(splits["test"].x[TEST : TEST + N]))
    first, second = found.values.values()
    assert TRUE - {"true_missing"} == TRUE & set(first) and not TRUE & set(second)
    assert first["true_quality"] == 1 and first["true_copies"] < 0.02 and first["true_imbalance"] < 0.15
    assert "3,000 rows" in found.left_out["pixels"]["true_missing"] and set(metrics_of("shapes")) > set(first)


def test_what_is_not_of_the_set_is_found_out(reference, splits):
    blurred = torch.nn.functional.avg_pool2d(splits["test"].x[:N].float(), 5, 1, 2).round().byte()
    mixed = torch.cat([blurred, splits["train"].x[:N]])
    values = reference.scores(reference.extract(mixed)).values["pixels"]
    assert values["true_quality"] == pytest.approx(0.5, abs=0.01)
    assert values["true_copies"] == pytest.approx(1, abs=0.02)


def test_copies_of_the_baseline_are_those_of_fresh_pictures(reference, splits):
    values = reference.baseline_scores(reference.extract(splits["train"].x[:N]), 0, 2).values["pixels"]
    assert values["true_quality"] == 1 and values["true_copies"] < 0.02


def test_batches_are_joined(reference, splits):
    x = splits["test"].x[:20]
    joined = scoring.BatchFeatures.join([reference.extract(x[:5]), reference.extract(x[5:])])
    assert torch.allclose(joined.readings, reference.extract(x).readings)
    assert joined.readings.shape == (20, 7)


def test_a_data_set_without_truth_has_none(splits):
    assert truth_of("cifar10", identity(splits)) is None
