"""Bounds, encodings and given samples are not measured on other images than models and features are of."""

import numpy as np
import pytest
import torch
from PIL import Image

from gencore import FAMILIES, checkpoint
from gencore.data import identity, load_splits
from gencore.encodings import write_encodings
from gencore.errors import InputError
from gencore.evaluation import bound
from gencore.evaluation.plan import prepare_samples
from gencore.extractors.base import Options
from gencore.extractors.reference import write_features


def make(folder, seed=0):
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(300):
        Image.fromarray(rng.integers(0, 255, (8, 8), dtype=np.uint8)).save(folder / f"{i:03}.png")
    return str(folder)


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A folder of images, with features and a VAE that say that they are of these."""
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path / "root"))
    monkeypatch.setenv("GENCORE_DEVICE", "cpu")
    name = make(tmp_path / "imgs")
    torch.manual_seed(0)
    folder = tmp_path / "root/imgs/vae"
    checkpoint.save_model(folder, FAMILIES["vae"](channels=1, size=8, widths=(8, 8)))
    told = identity(load_splits(name, splits=("train", "validation")))
    checkpoint.write_json(folder / checkpoint.RUN, {"data": name, "identity": told})
    list(write_features(name, tmp_path / "root", "pixels", Options(device="cpu"), lambda share, words: None))
    return name


def works(tmp_path, data):
    bound.prepare("imgs/vae", n=4)
    write_encodings("imgs/vae", n=4)
    np.save(tmp_path / "a.npy", np.random.default_rng(0).integers(0, 255, (100, 8, 8), dtype=np.uint8))
    prepare_samples(tmp_path / "a.npy", data, "Theirs")


def test_of_the_same_images_all_is_measured(data, tmp_path):
    works(tmp_path, data)


@pytest.mark.parametrize("change", ["all", "one train image"])
def test_of_others_nothing_is(data, tmp_path, change):
    works(tmp_path, data)
    if change == "all":
        make(tmp_path / "imgs", seed=1)
    else:
        train = load_splits(data)["train"].x
        for path in sorted((tmp_path / "imgs").iterdir()):
            if (train[:, 0] == torch.from_numpy(np.asarray(Image.open(path)))).all(dim=(1, 2)).any():
                path.unlink()
                break
    for call in (lambda: bound.prepare("imgs/vae", n=4), lambda: write_encodings("imgs/vae", n=4)):
        with pytest.raises(InputError, match=r"imgs/vae was trained on other images than .* has now \(train: "):
            call()
    if change == "all":
        with pytest.raises(InputError, match="has other images than those that the features of imgs are of"):
            prepare_samples(tmp_path / "a.npy", data, "Theirs")


def test_a_checkpoint_that_does_not_say_is_measured(data, tmp_path):
    checkpoint.write_json(tmp_path / "root/imgs/vae" / checkpoint.RUN, {"data": data})
    make(tmp_path / "imgs", seed=1)
    bound.prepare("imgs/vae", n=4)
