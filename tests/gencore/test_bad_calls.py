"""A call with an argument of the wrong kind ends in one sentence, as the command line's bad input does."""

import pytest
import torch

from gencore import checkpoint, load
from gencore.data import load_images
from gencore.device import pick_device
from gencore.encodings import write_encodings
from gencore.errors import InputError
from gencore.evaluation import bound
from gencore.evaluation.options import EvalOptions
from gencore.evaluation.plan import checked_statement, prepare_samples
from gencore.extractors.reference import load_real
from gencore.families import FAMILIES

VAE = "mnist/vae"
CALLS = {
    "load 5": (lambda: load(5), "A path must be"),
    "load None": (lambda: load(None), "A path must be"),
    "a device that is a number": (lambda: pick_device(5), "no device 5"),
    "a device's place that is none": (lambda: pick_device("cpu:x"), "no device 'cpu:x'"),
    "half a device": (lambda: pick_device("cpu:"), "no device 'cpu:'"),
    "a data set that is a number": (lambda: load_images(5), "named by a text"),
    "a data set with a name that no system takes": (lambda: load_images("a" * 5000), "was not found"),
    "features of a number": (lambda: load_real(5), "named by a text"),
    "a bound's checkpoint": (lambda: bound.prepare(5), "A path must be"),
    "encodings of a text of images": (lambda: write_encodings(VAE, n="5"), "-n must be a whole number"),
    "encodings of half an image": (lambda: write_encodings(VAE, n=1.5), "-n must be a whole number"),
    "samples with a number for a name": (lambda: prepare_samples(["x"], "mnist", 5), "The name must be"),
    "samples in a number": (lambda: prepare_samples([5], "mnist", "a"), "A path must be"),
    "no samples": (lambda: prepare_samples([], "mnist", "a"), "There are no samples"),
    "an export to a number": (lambda: checkpoint.export(VAE, 5), "A path must be"),
}


@pytest.fixture(autouse=True)
def shipped(monkeypatch, request):
    monkeypatch.delenv("GENCORE_CHECKPOINTS", raising=False)
    monkeypatch.setenv("GENCORE_DEVICE", "cpu")
    images = torch.zeros(30, 1, 28, 28, dtype=torch.uint8)
    monkeypatch.setattr("gencore.encodings.real_images", lambda *_, **__: type("Images", (), {"x": images}))


@pytest.mark.parametrize("name", CALLS)
def test_the_call_is_refused(name):
    call, words = CALLS[name]
    with pytest.raises(InputError, match=words):
        call()


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("seeds", [5, None, 1.5])
def test_seeds_are_several(family, seeds):
    model = FAMILIES[family](channels=1, size=8)
    for call in (model.generate, getattr(model, "latent", model.generate)):
        with pytest.raises(InputError, match="a seed of its own"):
            call(seeds)


def test_one_checkpoint_s_name_is_one_name():
    assert EvalOptions(names=VAE).names == (VAE,)


@pytest.mark.parametrize(
    "stated",
    [
        {"ms_per_image": 0}, {"ms_per_image": -1}, {"ms_per_image": float("nan")}, {"ms_per_image": float("inf")},
        {"ms_per_image": "5"}, {"ms_per_image": True}, {"calls": 5}, {"machine": "A"},
        {"ms_per_image": 1, "calls": 0}, {"ms_per_image": 1, "calls": 1.5},
    ],
)  # fmt: skip
def test_a_time_is_a_time(stated):
    with pytest.raises(InputError):
        checked_statement(stated)


def test_what_is_not_said_is_left_out():
    assert checked_statement({"ms_per_image": None, "calls": None, "machine": ""}) == {}
    assert checked_statement({"ms_per_image": 2, "calls": None, "machine": "A"}) == {"ms_per_image": 2, "machine": "A"}
