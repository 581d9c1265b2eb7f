"""The cache: its bounds, its keys, one computation for all who ask at once; and what the service keeps in it."""

import gc
import threading
import weakref
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
import torch
from diffusers.configuration_utils import register_to_config
from torch import nn

from dashboard.service import InputError, Service, service
from dashboard.service.cache import Cache, bytes_in, cache_key
from gencore import FAMILIES, checkpoint, data
from gencore.family import Family, Step
from tests.support.image_files import save


class Toy(Family):
    """A toy with one weight."""

    name = "toy"
    title = "Toy"

    @register_to_config
    def __init__(self, channels: int = 1, size: int = 4):
        super().__init__()
        self.layer = nn.Linear(1, 1)

    @property
    def network(self):
        return self.layer

    def sample(self, seeds, **knobs):
        x = torch.zeros(len(seeds), 1, 4, 4)
        yield Step(1, 1, x, x)


@pytest.fixture
def toys(tmp_path, monkeypatch):
    """A service with three toys, and room for two."""
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path))
    monkeypatch.setattr(service, "KEPT_MODELS", 2)
    with mock.patch.dict(FAMILIES, {"toy": Toy}, clear=True):
        for name in "abc":
            checkpoint.save_model(tmp_path / "dots" / name, Toy())
        yield Service()


def test_the_longest_unused_goes_first():
    cache = Cache(2)
    for key in ("a", "b", "a", "c"):
        cache.find(key, key.upper)
    assert len(cache) == 2 and [cache.get(key) for key in "abc"] == ["A", None, "C"]


def test_bytes_are_bound_too_and_the_newest_stays_however_large():
    cache = Cache(9, most_bytes=100)
    for key in "abc":
        cache.put(key, np.zeros(40, np.uint8))
    assert len(cache) == 2 and cache.get("a") is None
    cache.put("c", np.zeros(90, np.uint8))
    assert len(cache) == 1, "what takes a value's place is counted once"
    cache.put("d", np.zeros(500, np.uint8))
    assert len(cache) == 1 and cache.get("d").size == 500


def test_bytes_are_found_in_any_depth():
    array, tensor = np.zeros((2, 3)), torch.zeros(5)
    assert bytes_in({"a": [array, (tensor, b"xyz")], "b": cache_key("c", []), "d": None}) == 48 + 20 + 3


def test_a_new_file_at_the_same_path_is_another_key_and_ends_what_came_of_the_old_one(tmp_path):
    file, cache = tmp_path / "file", Cache(9)
    file.write_bytes(b"old")
    cache.find((cache_key("x", [file]), 1), lambda: "old")
    cache.find((cache_key("x", [file]), 2), lambda: "old")
    cache.find((cache_key("y", [file]), 1), lambda: "of another")
    file.write_bytes(b"newer")
    assert cache.find((cache_key("x", [file]), 1), lambda: "new") == "new"
    assert len(cache) == 2, "both old ones are gone"
    file.unlink()
    assert cache_key("x", [file]).files == ()


def test_threads_that_ask_at_once_make_a_value_once_and_hold_up_no_other_key():
    cache, begun, go, made = Cache(9), threading.Event(), threading.Event(), []

    def slow():
        begun.set()
        assert go.wait(60)
        made.append(1)
        return len(made)

    found = []
    threads = [threading.Thread(target=lambda: found.append(cache.find("a", slow))) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert begun.wait(60) and cache.find("b", lambda: "b") == "b", "while the first is under way"
    go.set()
    for thread in threads:
        thread.join()
    assert found == [1, 1, 1, 1] and made == [1]


def test_what_failed_is_made_again_by_the_next_to_ask_and_by_those_who_waited():
    cache, begun, go, results = Cache(9), threading.Event(), threading.Event(), []

    def fails():
        begun.set()
        assert go.wait(60)
        raise InputError("Stopped.")

    def first():
        with pytest.raises(InputError):
            cache.find("a", fails)

    threads = [threading.Thread(target=first)]
    threads[0].start()
    assert begun.wait(60)
    threads.append(threading.Thread(target=lambda: results.append(cache.find("a", lambda: "good"))))
    threads[1].start()
    go.set()
    for thread in threads:
        thread.join()
    assert results == ["good"] and cache.get("a") == "good"


def test_none_is_a_value():
    cache = Cache(9)
    cache.find("a", lambda: None)
    assert cache.find("a", lambda: "again") is None


# ---- what the service keeps


def test_a_model_that_made_room_is_gone(toys):
    model = toys.model("dots/a")
    toys.warm_up(model, [1, 2], {})
    gone = weakref.ref(model)
    del model
    for name in ("dots/b", "dots/c"):
        toys.model(name)
    gc.collect()
    assert gone() is None and not toys._warm


def test_a_model_is_warm_for_the_batches_it_has_made(toys):
    model = toys.model("dots/a")
    with mock.patch.object(model, "sample", side_effect=model.sample) as sampled:
        for n in (2, 2, 3):
            toys.warm_up(model, list(range(n)), {})
    assert [len(call.args[0]) for call in sampled.call_args_list] == [2, 3]


def test_labels_are_found_once_they_are_there(toys, monkeypatch):
    monkeypatch.setattr(data, "at_hand", lambda name: False)
    assert toys.labels("digits", "test") is None
    monkeypatch.setattr(data, "at_hand", lambda name: True)
    monkeypatch.setattr(data, "load_labels", mock.Mock(side_effect=InputError("The disk refuses.")))
    assert toys.labels("digits", "test") is None
    monkeypatch.setattr(data, "load_labels", mock.Mock(return_value=torch.tensor([3, 1])))
    assert [toys.labels("digits", "test").tolist() for _ in range(2)] == [[3, 1]] * 2
    assert data.load_labels.call_count == 1


def test_real_images_are_found_once_they_are_there(toys, monkeypatch):
    monkeypatch.setattr(data, "at_hand", lambda name: True)
    monkeypatch.setattr(data, "load_images", mock.Mock(side_effect=InputError("The disk refuses.")))
    assert toys.split("dots", "test") is None
    images = SimpleNamespace(x=torch.zeros(5, 1, 4, 4, dtype=torch.uint8))
    monkeypatch.setattr(data, "load_images", mock.Mock(return_value=images))
    assert [toys.split("dots", "test").shape for _ in range(2)] == [(5, 1, 4, 4)] * 2
    assert data.load_images.call_count == 1


def test_a_refused_folder_is_not_read_again_before_it_changes(toys, monkeypatch, tmp_path):
    for i in range(20):
        save(tmp_path / f"{i}.png", i)
    refuse = mock.Mock(side_effect=InputError("One image is none."))
    monkeypatch.setattr(data, "load_labels", refuse)
    assert [toys.labels(str(tmp_path), "test") for _ in range(3)] == [None] * 3
    assert refuse.call_count == 1
    save(tmp_path / "20.png", 20)
    assert toys.labels(str(tmp_path), "test") is None
    assert refuse.call_count == 2


def test_real_images_are_in_the_form_of_one_checkpoint(toys, monkeypatch):
    """Two of a data set may have been trained on images of other sizes and channels: half of each is neither's."""

    def entry(size, problem="", **view):
        return SimpleNamespace(name="", config={"size": size}, view=view, identity={}, problem=problem)

    found = [
        entry(8, "It is broken.", channels=1),
        entry(None, fit="pad"),
        entry(16, channels=3),
        entry(32, fit="crop"),
    ]
    monkeypatch.setattr(toys, "entries", lambda: {"dots": found})
    assert toys.view("dots") == {"channels": 3, "size": 16}
    monkeypatch.setattr(data, "at_hand", lambda name: True)
    loaded = mock.Mock(return_value=SimpleNamespace(x=torch.zeros(5, 3, 16, 16, dtype=torch.uint8)))
    monkeypatch.setattr(data, "load_images", loaded)
    assert toys.split("dots", "test").shape == (5, 3, 16, 16)
    loaded.assert_called_once_with("dots", "test", channels=3, size=16)
    assert toys.view("none such") == {}


def test_a_failure_that_needs_real_images_is_found_once_they_are_there(toys, monkeypatch):
    monkeypatch.setattr(data, "at_hand", lambda name: False)
    lacking = {one.key for one in toys.failures("dots") if "not on this machine" in one.problem}
    assert lacking and toys.failures("dots") == toys.failures("dots")
    monkeypatch.setattr(data, "at_hand", lambda name: True)
    assert not [one for one in toys.failures("dots") if one.key in lacking and one.problem]


def test_a_model_that_was_broken_is_not_held_by_its_failure(tmp_path, monkeypatch):
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path))
    monkeypatch.setattr(service, "KEPT_MODELS", 1)
    for name in ("gan", "ddpm"):
        checkpoint.save_model(tmp_path / "dots" / name, FAMILIES[name](size=8, widths=(8, 8)))
    here = Service()
    one = next(one for one in here.failures("dots") if one.checkpoint == "dots/gan")
    one.generate([1])
    broken = weakref.ref(here.model("dots/gan"))
    del one
    here.model("dots/ddpm")
    gc.collect()
    assert broken() is None


def test_one_instance_of_what_pages_share(toys):
    assert toys.shared(Shared) is toys.shared(Shared)
    assert toys.shared(Shared) is not Service().shared(Shared)


class Shared:
    def __init__(self, service):
        self.service = service
