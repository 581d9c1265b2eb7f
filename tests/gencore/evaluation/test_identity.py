"""Features and rows say which images they are of, and are not used with others."""

import os

import numpy as np
import pytest
from PIL import Image

from gencore import checkpoint
from gencore.data import View, identity, load_splits
from gencore.errors import InputError
from gencore.evaluation import rows
from gencore.evaluation.scoring import Reference
from gencore.extractors.base import Options
from gencore.extractors.reference import load_real, write_features


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path / "root"))
    return tmp_path / "root"


def make(folder, seed=0):
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(60):
        Image.fromarray(rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)).save(folder / f"{i:02}.png")
    return str(folder)


def features(name, root, view=None, **more):
    return list(write_features(name, root, "pixels", Options(device="cpu"), lambda share, words: None, view, **more))


def test_features_hold_the_fingerprints_and_the_view(tmp_path, root):
    name, view = make(tmp_path / "a/imgs"), View(size=6, channels=1)
    features(name, root, view)
    real = load_real(name, "pixels")
    assert real.identity == identity(load_splits(name, view))
    assert real.identity["test"]["channels"] == 1
    assert real.view == {"size": 6, "channels": 1}


@pytest.mark.parametrize("how", ["another folder of the name", "changed images", "another view"])
def test_a_model_is_not_measured_on_the_features_of_other_images(tmp_path, root, how):
    name, view = make(tmp_path / "a/imgs"), None
    trained_on = identity(load_splits(name, splits=("train", "validation")))
    features(name, root)
    Reference(name).refuse_others(trained_on, "imgs/vae was trained on")
    if how == "another view":
        view = View(channels=1)
    else:
        name = make(tmp_path / ("b/imgs" if how.startswith("another") else "a/imgs"), seed=1)
    lines = features(name, root, view, replace=how == "another view")
    assert "take the place of features of other images (train: " in lines[0] + lines[1]
    with pytest.raises(InputError, match=r"imgs/vae was trained on other images .* \(train: 5\d images of 8x8"):
        Reference(name).refuse_others(trained_on, "imgs/vae was trained on")


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        (View(size=6), View(), "at 6x6 RGB, and those at 8x8 RGB need a root of their own"),
        (View(), View(channels=1), "at 8x8 RGB, and those at 8x8 grey"),
        (View(size=6), View(size=6, fit="pad"), r"with another fit \(crop\)"),
    ],
)
def test_features_in_another_view_are_not_written_over(tmp_path, root, monkeypatch, before, now, words):
    name = make(tmp_path / "imgs")
    features(name, root, before)
    kept = (root / "imgs/features/pixels-real.safetensors").read_bytes()
    with pytest.raises(InputError, match=words):
        features(name, root, now)
    assert (root / "imgs/features/pixels-real.safetensors").read_bytes() == kept
    other = tmp_path / "other"
    features(name, other, now)  # a root that is not among those that are looked in
    monkeypatch.setenv("GENCORE_CHECKPOINTS", f"{root}{os.pathsep}{other}")
    with pytest.raises(InputError, match=words):
        features(name, other, now)  # where the others would be found first
    monkeypatch.setenv("GENCORE_CHECKPOINTS", f"{other}{os.pathsep}{root}")
    features(name, other, now)
    features(name, root, now, replace=True)
    assert load_real(name, "pixels").view == now.record()


def test_features_of_before_that_do_not_say_are_told_apart_by_their_numbers(tmp_path, root):
    name = make(tmp_path / "imgs")
    features(name, root)
    path = root / "imgs/features/reference.safetensors"
    checkpoint.write_tensors(path, checkpoint.read_tensors(path)[0])
    features(name, root)
    checkpoint.write_tensors(path, checkpoint.read_tensors(path)[0])
    with pytest.raises(InputError, match="with 192 numbers an image, and those at 6x6 RGB"):
        features(name, root, View(size=6))


def test_grown_data_in_the_same_view_take_the_place(tmp_path, root):
    name = make(tmp_path / "imgs")
    features(name, root)
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "imgs/new.png")
    assert "take the place of features of other images" in features(name, root)[0]


def test_features_of_before_are_used_as_they_are(tmp_path, root):
    name = make(tmp_path / "imgs")
    features(name, root)
    path = root / "imgs/features/pixels-real.safetensors"
    tensors, metadata = checkpoint.read_tensors(path)
    kept = {key: value for key, value in metadata.items() if key not in ("identity", "view")}
    checkpoint.write_tensors(path, tensors, kept)
    reference = Reference(name)
    assert (reference.identity, reference.view) == ({}, {})
    reference.refuse_others({"train": {"count": 1, "sha256": "0"}}, "Anything")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("/a/imgs", "/a/imgs", True), ("/a/imgs", "/b/imgs", False), ("/a/imgs", "/a/../a/imgs", True),
     ("mnist", "ylecun/mnist", True), ("imgs", "/a/imgs", True), ("/a/one", "/a/two", False)],
)  # fmt: skip
def test_rows_are_of_a_folder_and_not_of_all_of_its_last_name(one, other, same):
    assert rows._same_dataset(one, other) == same
