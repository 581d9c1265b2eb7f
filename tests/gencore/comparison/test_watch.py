from types import SimpleNamespace

import pytest
import torch

from gencore.comparison.watch import LOOKED_AT, Watch, signs
from gencore.data import load_splits, to_float

SPLITS = load_splits("digits", splits=("train", "validation"))
FRESH = load_splits("digits", splits=("test",))["test"].x  # what a perfect model would make


def at(images, share=0.5, **logs):
    """A training at a share of its time whose model makes these uint8 images."""
    picked = images[torch.arange(LOOKED_AT) % len(images)]
    return SimpleNamespace(
        seconds=100 * share, eta_s=100 * (1 - share), logs=logs, generate=lambda seeds: to_float(picked)
    )


@pytest.fixture(scope="module")
def first():
    return Watch(SPLITS)


def test_fresh_images_are_well_and_no_copies(first):
    watch = first.fresh()
    watch.look(at(FRESH, loss=1.0))
    assert (watch.words, watch.copies) == ("", False)


def test_training_images_are_copies_and_end_the_training(first):
    watch = first.fresh()
    watch.look(at(SPLITS["train"].x))
    assert watch.copies and "of its images 0% are no nearer" in watch.words and "held-out ones" in watch.words


def test_large_sets_are_not_asked_for_copies(first, monkeypatch):
    monkeypatch.setattr("gencore.comparison.watch.FEW", 100)
    watch = Watch(SPLITS)
    watch.look(at(SPLITS["train"].x))
    assert not watch.copies


def test_one_image_for_all_is_a_collapse(first):
    watch = first.fresh()
    watch.look(at(FRESH[:1]))
    assert "collapsed" in watch.words and not watch.copies


def test_a_loss_that_explodes_is_told(first):
    watch = first.fresh()
    watch.look(at(FRESH, 0.01, loss=2.0))
    watch.look(at(FRESH, 0.5, loss=80.0))
    assert watch.words.startswith("The loss is 80, and was 2 at first: it explodes.")


def test_it_looks_when_it_is_time_to(first):
    watch, seen = first.fresh(), []

    def generate(seeds):
        seen.append(len(seeds))
        return to_float(FRESH[:LOOKED_AT])

    for percent in range(0, 100):
        one = at(FRESH, percent / 100)
        one.generate = generate
        watch.look(one)
    assert 0 < len(seen) <= 9, "at 20% first, then each 10%, unless looks take more than their share"


@pytest.mark.parametrize(
    ("logs", "told"),
    [({"kl": 0.01}, "posterior has collapsed"), ({"kl": 9.0}, ""), ({}, ""), ({"win_rate": 1.0}, "(100.0%)"),
     ({"validation_d_real": 1.0, "validation_d_fake": 0.0}, "tells every image apart"),
     ({"validation_d_real": 0.6, "validation_d_fake": 0.4}, "")],
)  # fmt: skip
def test_signs_of_illness_in_a_log(logs, told):
    assert told in signs(logs) and bool(told) == bool(signs(logs))
