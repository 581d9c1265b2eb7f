"""What strangers are told of checkpoints: a folder of images goes by its last part, wherever it is named."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from dashboard.service.catalogue import catalogue
from dashboard.service.public import PUBLIC
from dashboard.service.service import Service
from dashboard.service.strangers import shown_name
from gencore import FAMILIES
from gencore.checkpoint import save_model, write_json


@pytest.fixture
def secret(tmp_path, monkeypatch):
    """A folder of images somewhere on the server, and a checkpoint that was imported from beside it."""
    folder, root = tmp_path / "private place" / "pictures", tmp_path / "root"
    for split, count in (("train", 20), ("test", 3)):
        (folder / split).mkdir(parents=True)
        for one in range(count):
            Image.fromarray(np.full((8, 8), 10 * one + (split == "test"), np.uint8)).save(folder / split / f"{one}.png")
    torch.manual_seed(0)
    save_model(root / "pictures/vae", FAMILIES["vae"](channels=1, size=8, widths=(8, 8)))
    record = {"data": str(folder), "origin": {"source": str(folder.parent / "weights"), "licence": "mit"}}
    write_json(root / "pictures/vae/run.json", record)
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(root))
    return folder


def test_a_public_app_names_no_folder_and_finds_its_images_all_the_same(secret, monkeypatch):
    monkeypatch.setenv(PUBLIC, "1")
    service = Service()
    assert service.datasets() == ["pictures"] and service.at_hand("pictures")
    assert service.split("pictures", "test").shape == (3, 1, 8, 8)
    assert service.labels("pictures", "test") is None
    assert [one.problem for one in service.lanes("pictures") if one.checkpoint] == [""]
    assert service.imported() == {"pictures/vae": "Imported from weights, licence mit"}
    assert service.failures("pictures"), "broken models are made of its checkpoints"
    told = json.dumps(catalogue(service)) + repr([service.lanes("pictures"), service.measurements("pictures")])
    assert "private place" not in told
    assert str(secret) not in service.entries()


def test_what_a_name_stands_for_is_not_looked_for_again(secret, monkeypatch):
    monkeypatch.setenv(PUBLIC, "1")
    service = Service()
    assert service.source("pictures") == str(secret), "before anybody has asked for the list"
    with monkeypatch.context() as patch:
        patch.setattr(service, "entries", lambda: pytest.fail("the list is read again"))
        assert service.source("pictures") == str(secret)
    assert service.source("elsewhere") == "elsewhere"
    (secret.parents[1] / "root/pictures/vae/config.json").unlink()
    service.entries()
    assert service.source("pictures") == "pictures"


def test_whoever_runs_the_app_finds_the_folder_named(secret):
    service = Service()
    assert service.datasets() == [str(secret)] and service.split(str(secret), "test").shape == (3, 1, 8, 8)


@pytest.mark.parametrize("name", ["mnist", "ylecun/mnist", "shapes", "my pictures"])
def test_a_name_that_is_no_folder_stays(name):
    assert shown_name(name) == name
