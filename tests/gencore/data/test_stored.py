"""Images that are too many for memory: the same ones, read from a file that is made once."""

import json
import shutil
import subprocess
import sys
from functools import partial

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import torch
from PIL import Image

from gencore import checkpoint
from gencore.data import View, fingerprint, images, load_labels, load_splits, report, stored, stream, tables
from gencore.data.stored import Stored
from gencore.errors import InputError
from gencore.locks import lock
from gencore.presets import Run
from gencore.train import train
from tests.support.image_files import encoded

SETTINGS = {"images": 96, "batch": 16, "dtype": "float32", "layout": "contiguous", "timelapse": 0}


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GENCORE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def little(monkeypatch, cache):
    """From here on memory is so little that nothing is kept in it."""

    def little():
        for module in (images, stored, stream):
            monkeypatch.setattr(module, "MOST_IN_MEMORY", 0)
        monkeypatch.setattr(images, "MANY_HASHES", 0)
        images._hashes.clear()
        monkeypatch.setattr(stream, "BATCH", 7)

    return little


def pixels(seed, size=8):
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3), np.uint8)


def cell(seed, size=8):
    return encoded(Image.fromarray(pixels(seed, size)))


def parquet(folder, counts, rows_per_group=10, size=8):
    """Files of several row groups, by split; labels by word."""
    folder.mkdir(exist_ok=True)
    for place, (name, count) in enumerate(counts.items()):
        cells = [cell(1000 * place + i, size) for i in range(count)]
        table = pyarrow.table({"image": cells, "label": [("cat", "dog")[i % 2] for i in range(count)]})
        pyarrow.parquet.write_table(table, folder / f"{name}.parquet", row_group_size=rows_per_group)
    return folder


def folder_of_pictures(folder, counts):
    for i in range(sum(counts.values())):
        path = folder / ("cat", "dog")[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels(i)).save(path)
    return folder


def same(one, other):
    return all(
        torch.equal(one[split].x, other[split].x)
        and torch.equal(one[split].labels, other[split].labels)
        and fingerprint(one[split]) == fingerprint(other[split])
        for split in one
    )


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(partial(parquet, counts={"train": 45, "validation": 12, "test": 11}), id="three splits"),
        pytest.param(partial(parquet, counts={"train-0": 23, "train-1": 24, "test": 9}), id="two files and a hold-out"),
        pytest.param(partial(parquet, counts={"all": 60}), id="no splits"),
        pytest.param(partial(folder_of_pictures, counts={"all": 60}), id="a folder"),
    ],
)
@pytest.mark.parametrize("view", [View(), View(size=6, channels=1)], ids=["as they are", "small and grey"])
def test_they_are_the_very_images_that_memory_would_hold(make, view, tmp_path, little):
    name = str(make(tmp_path / "set"))
    before = load_splits(name, view)
    told = list(report(name, view).lines())
    little()
    for _ in range(2):  # the first time they are stored, then found
        after = load_splits(name, view)
        assert all(one.stored is not None for one in after.values()) and same(before, after)
        assert torch.equal(load_labels(name), before["train"].labels)
    assert list(report(name, view).lines()) == told
    assert {one.stored for one in before.values()} == {None}


def test_rows_are_read_as_of_a_tensor(tmp_path, little):
    name = str(parquet(tmp_path / "set", {"train": 45, "test": 11}))
    little()
    found = load_splits(name)["train"]
    whole, rows = found.x, torch.tensor([5, 0, 39, 5])
    assert torch.equal(found.rows[rows], whole[rows]) and torch.equal(found.rows[3:9], whole[3:9])
    assert [len(part) for part in found.rows.split(16)] == [len(part) for part in whole.split(16)]
    assert found.stored.shape == tuple(whole.shape) and len(found.stored) == len(whole)
    found.rows[3:9].zero_()
    whole[:2] = 7
    assert not torch.equal(found.rows[:2], whole[:2]), "what is read is a copy, and the file is never changed"


def test_a_training_ends_in_the_same_bits(tmp_path, little):
    name = str(parquet(tmp_path / "set", {"train": 45, "test": 11}))
    run = Run("vae", name, {"widths": (8, 8), "latent": 2, "components": 2}, SETTINGS)
    list(train(run, tmp_path / "memory"))
    little()
    list(train(run, tmp_path / "file"))
    files = [tmp_path / place / checkpoint.WEIGHTS for place in ("memory", "file")]
    assert files[0].read_bytes() == files[1].read_bytes()
    identities = [
        json.loads((tmp_path / place / checkpoint.RUN).read_text())["identity"] for place in ("memory", "file")
    ]
    assert identities[0] == identities[1]


def test_another_view_is_another_file_and_changed_data_take_the_place_of_the_old(tmp_path, little, cache):
    folder = parquet(tmp_path / "set", {"train": 45, "validation": 12, "test": 11})
    little()
    train_of = lambda view: load_splits(str(folder), view, ("train",))["train"]  # noqa: E731
    old = train_of(View())
    train_of(View(size=6))
    assert len(list(cache.glob("*.npy"))) == 2
    first = old.x.clone()
    shutil.move(parquet(tmp_path / "other", {"train": 33}) / "train.parquet", folder / "train.parquet")
    assert len(train_of(View()).x) == 33
    assert len(list(cache.glob("*.npy"))) == 2, "the old file of this view is gone"
    assert torch.equal(old.stored[0:45], first), "but not from under who still reads it"


def test_a_half_written_file_is_begun_again(tmp_path, little, cache):
    name = str(parquet(tmp_path / "set", {"train": 45, "test": 11}))
    little()
    whole = load_splits(name, None, ("train",))["train"].x
    (path,) = cache.glob("*.npy")
    path.rename(path.with_name(f".{path.name}.part"))
    with path.with_name(f".{path.name}.part").open("r+b") as file:
        file.truncate(200)
    assert torch.equal(load_splits(name, None, ("train",))["train"].x, whole)
    assert [one.name for one in cache.iterdir()] == [path.name]


def test_what_killed_processes_left_of_other_keys_goes_where_nobody_writes_it(tmp_path, little, cache):
    name = str(parquet(tmp_path / "set", {"train": 45, "test": 11}))
    little()
    load_splits(name, None, ("train",))
    (path,) = cache.glob("*.npy")
    stem = path.stem.rpartition("-")[0]
    left, held = (cache / f".{stem}-{key}.npy.part" for key in ("0123456789abcdef", "fedcba9876543210"))
    others = cache / ".another-set-0123456789abcdef.npy.part"
    for file in (left, held, others):
        file.write_bytes(b"half")
    with lock(held):
        load_splits(name, None, ("train",))
    assert {one.name for one in cache.iterdir()} == {path.name, held.name, others.name}


def test_several_processes_store_them_once(tmp_path, little, cache, start):
    parquet(tmp_path / "set", {"train": 400, "test": 11})
    script = f"""
from gencore.data import images, stored, load_splits, fingerprint
images.MOST_IN_MEMORY = 0
made = []
whole = stored._filled
stored._filled = lambda *arguments: made.append(1) or whole(*arguments)
found = load_splits({str(tmp_path / "set")!r}, None, ("train",))["train"]
print(len(made), fingerprint(found)["sha256"])
"""
    both = [start([sys.executable, "-c", script], stdout=subprocess.PIPE) for _ in range(2)]
    told = [process.communicate(timeout=120)[0].split() for process in both]
    assert sorted(int(made) for made, _ in told) == [0, 1] and told[0][1] == told[1][1]
    assert [path.suffix for path in cache.iterdir()] == [".npy"]


def test_images_that_lie_outside_the_table_are_stored_for_this_process_alone(tmp_path, little, cache):
    outside = tmp_path / "outside.png"
    Image.fromarray(pixels(1)).save(outside)
    cells = [{"bytes": None, "path": str(outside)}, *(cell(i) for i in range(30))]
    (tmp_path / "set").mkdir()
    pyarrow.parquet.write_table(pyarrow.table({"image": cells}), tmp_path / "set/train.parquet")
    before = load_splits(str(tmp_path / "set"))
    little()
    after = load_splits(str(tmp_path / "set"))
    assert all(torch.equal(before[split].x, after[split].x) for split in before) and not list(cache.iterdir())


def test_a_damaged_image_is_named_and_nothing_stays(tmp_path, little, cache):
    folder = folder_of_pictures(tmp_path / "set", {"all": 60})
    (folder / "dog/31.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    little()
    with pytest.raises(InputError, match=r"31\.png"):
        load_splits(str(folder))
    assert not list(cache.glob("*.npy"))


def test_a_full_disk_is_said_before_anything_is_written(tmp_path, little, cache, monkeypatch):
    name = str(parquet(tmp_path / "set", {"train": 45, "test": 11}))
    little()
    monkeypatch.setattr(stored.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(100, 99, 1))
    with pytest.raises(InputError, match=r"do not fit into .*cache.*GENCORE_CACHE"):
        load_splits(name)


def test_a_folder_that_cannot_be_made(tmp_path, little, cache):
    cache.write_text("a file where the folder should be")
    name = str(parquet(tmp_path / "set", {"train": 45, "test": 11}))
    little()
    with pytest.raises(InputError, match="GENCORE_CACHE"):
        load_splits(name)


@pytest.mark.parametrize("labelled", [True, False])
def test_a_large_table_is_never_read_whole(labelled, tmp_path, little, monkeypatch):
    columns = {"image": [cell(i) for i in range(40)]} | ({"label": list(range(40))} if labelled else {})
    (tmp_path / "set").mkdir()
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "set/train.parquet")
    little()
    read, whole = [], tables._read
    monkeypatch.setattr(tables, "_read", lambda *arguments: read.append(whole(*arguments)) or read[-1])
    assert len(load_splits(str(tmp_path / "set"), None, ("train",))["train"].x) > 20
    assert [table.column_names for table in read] == [["label"] if labelled else []]


def test_a_stream_goes_back_where_it_is_asked_to(tmp_path, little):
    parquet(tmp_path / "set", {"a": 25, "b": 30})
    little()
    read = stream.Stream.of_many([tmp_path / "set/a.parquet", tmp_path / "set/b.parquet"], "image", "set")
    assert read.length == 55 and read.whole
    for row in (0, 24, 25, 54, 26, 3, 3):
        seed = row if row < 25 else 1000 + row - 25
        assert read(row).raw == cell(seed)["bytes"], row
    assert isinstance(read.ends, np.ndarray) and Stored.device.type == "cpu"
