import hashlib
import io
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

from gencore import data
from gencore.data import SPLITS, at_hand, load_images, load_splits, to_float, to_uint8
from gencore.data.splits import by_hash
from gencore.errors import InputError

SHARED = Path(os.environ.get("GENCORE_DATA") or Path(__file__).resolve().parents[4] / "shared/data")
needs_mnist = pytest.mark.skipif(not (SHARED / "mnist").is_dir(), reason="no MNIST in the folder of GENCORE_DATA")


@pytest.fixture(autouse=True)
def nothing_but_tmp_path(tmp_path, monkeypatch):
    """No cache of an earlier run, no network, no data of this machine."""
    import datasets
    import huggingface_hub

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.delenv("GENCORE_DATA", raising=False)
    monkeypatch.chdir(tmp_path)


def picture(i, mode="L", size=(6, 6)):
    """An image whose first red or grey value is i."""
    values = np.full((size[1], size[0], 3), i, dtype=np.uint8)
    values[1:, :, 1] = 255 - i
    return Image.fromarray(values).convert(mode) if mode != "L" else Image.fromarray(values[..., 0])


def fill(folder, n, mode="L", size=(6, 6), suffix="png", first=0):
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(first, first + n):
        picture(i, mode, size).save(folder / f"{i:03}.{suffix}")
    return str(folder)


def table(path, images, labels=None, column="image", described=True, **more):
    """Write a parquet file, with or without the description of its columns that the Hub's files have."""
    import pyarrow
    import pyarrow.parquet
    from datasets import Dataset, Features, Value
    from datasets import Image as ImageFeature

    def encoded(image):
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        return {"bytes": buffer.getvalue(), "path": None}

    columns = {column: [encoded(image) for image in images], **more}
    features = {column: ImageFeature(), **{key: Value("int64") for key in more}}
    if labels is not None:
        columns["label"], features["label"] = labels, Value("int64")
    path.parent.mkdir(parents=True, exist_ok=True)
    if described:
        Dataset.from_dict(columns, Features(features)).to_parquet(path)
    else:
        pyarrow.parquet.write_table(pyarrow.table(columns), path)


def everything(name, **view):
    """The images of all splits, uint8 (N, C, H, W)."""
    return torch.cat([load_images(name, split, **view).x for split in SPLITS])


def firsts(images):
    return images.x[:, 0, 0, 0].tolist()


# What is read how often


@pytest.fixture
def looks(monkeypatch):
    """The sources that were looked at image by image."""
    from gencore.data import source

    own, seen = source._look, []
    monkeypatch.setattr(source, "_look", lambda one: seen.append(one.name) or own(one))
    return seen


def test_images_are_looked_at_once_while_their_files_stay_as_they_are(tmp_path, looks):
    name = fill(tmp_path / "own", 30)
    times = (tmp_path / "own/000.png").stat()
    for _ in range(3):
        assert load_images(name).x.shape[1] == 1
    assert len(looks) == 1
    picture(9, "RGB").save(tmp_path / "own/000.png")
    os.utime(tmp_path / "own/000.png", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert load_images(name).x.shape[1] == 3
    fill(tmp_path / "own", 1, first=40)
    assert len(load_images(name).x) + len(load_images(name, "test").x) + len(load_images(name, "validation").x) == 31
    assert len(looks) == 3


def test_a_table_is_looked_at_once_unless_its_images_lie_outside(tmp_path, looks):
    table(tmp_path / "own/train.parquet", [picture(i) for i in range(30)])
    for _ in range(2):
        load_images(str(tmp_path / "own"))
    assert len(looks) == 1
    fill(tmp_path / "pictures", 30)
    import pyarrow
    import pyarrow.parquet

    cells = [{"bytes": None, "path": str(tmp_path / f"pictures/{i:03}.png")} for i in range(30)]
    (tmp_path / "other").mkdir()
    pyarrow.parquet.write_table(pyarrow.table({"image": cells}), tmp_path / "other/train.parquet")
    assert load_images(str(tmp_path / "other")).x.shape[1] == 1
    picture(3, "RGB").save(tmp_path / "pictures/003.png")
    assert load_images(str(tmp_path / "other")).x.shape[1] == 3


def test_no_more_looks_are_kept_than_needed(tmp_path):
    from gencore.data import source

    for i in range(10):
        load_images(fill(tmp_path / f"own{i}", 20))
    assert len(source._looks) == source.MOST_LOOKS


@pytest.mark.parametrize("labels", [[i % 3 for i in range(40)], None])
def test_labels_are_read_without_the_images(tmp_path, monkeypatch, labels):
    import pyarrow.parquet

    for split in ("train", "test"):
        table(tmp_path / f"own/{split}.parquet", [picture(i) for i in range(40)], labels)
    expected = load_images(str(tmp_path / "own")).labels
    own, read = pyarrow.parquet.ParquetFile.read, []

    def noted(self, columns):
        read.extend(columns)
        return own(self, columns=columns)

    monkeypatch.setattr(pyarrow.parquet.ParquetFile, "read", noted)
    found = data.load_labels(str(tmp_path / "own"))
    if labels is None:
        assert found is expected is None
    else:
        assert torch.equal(found, expected)
        assert set(read) == {"label"}


# Values


def test_uint8_round_trip_is_exact_for_all_values():
    values = torch.arange(256, dtype=torch.uint8)
    assert to_float(values).dtype == torch.float32
    assert to_float(values).min() == -1
    assert to_float(values).max() == 1
    assert torch.equal(to_uint8(to_float(values)), values)
    assert torch.equal(to_uint8(to_float(values).to(torch.float64)), values)


def test_to_uint8_rounds_and_clamps():
    x = torch.tensor([-9.0, -1.0, -1 + 0.49 / 127.5, -1 + 0.51 / 127.5, 0.0, 1.0, 9.0])
    assert to_uint8(x).tolist() == [0, 0, 0, 1, 128, 255, 255]
    assert to_uint8(x).dtype == torch.uint8


# Digits


def test_digits_agree_with_scikit_learn():
    source = load_digits()
    known = {(np.round(image * 255 / 16).astype(np.uint8).tobytes(), int(label)) for image, label in
             zip(source.images, source.target, strict=True)}  # fmt: skip
    found = []
    for split, n in zip(SPLITS, (1350, 150, 297), strict=True):
        images = load_images("digits", split)
        assert images.x.shape == (n, 1, 8, 8)
        assert images.x.dtype == torch.uint8
        assert images.labels.shape == (n,)
        assert images.labels.dtype == torch.int64
        assert (images.name, images.split) == ("digits", split)
        found += [(x.numpy().tobytes(), int(label)) for x, label in zip(images.x, images.labels, strict=True)]
    assert len(found) == len(set(found)) == len(known)
    assert set(found) == known, "an image has another's label, or is in two splits"


def test_digits_are_resized():
    assert load_images("digits", "test", size=16).x.shape == (297, 1, 16, 16)
    assert torch.equal(load_images("digits", "test", size=8).x, load_images("digits", "test").x)


# Splits


@pytest.mark.parametrize("source", ["digits", "folder"])
def test_splits_are_the_same_every_time_and_disjoint(source, tmp_path):
    name = fill(tmp_path / "flat", 50) if source == "folder" else source
    parts = [load_images(name, split).x for split in SPLITS]
    for split, x in zip(SPLITS, parts, strict=True):
        assert torch.equal(load_images(name, split).x, x)
    rows = [image.numpy().tobytes() for x in parts for image in x]
    assert len(set(rows)) == len(rows) == (1797 if source == "digits" else 50)


def test_sizes_of_hold_out_splits():
    rows, held_out = data.hold_out(60_000)
    assert (len(rows), len(held_out)) == (55_000, 5_000)
    assert np.array_equal(np.concatenate([rows, held_out]), np.random.default_rng(0).permutation(60_000))


def parts_of(name):
    return {value: split for split in SPLITS for value in firsts(load_images(name, split))}


def test_equal_images_are_in_one_split_also_where_a_cut_is_moved():
    hashes = np.array([5, 9] * 10 + [7] * 4, np.uint64)  # all within the lowest 80%
    rows = by_hash(hashes)
    assert sorted(np.concatenate([*rows.values()])) == list(range(24))
    parts = [{int(one) for one in hashes[found]} for found in rows.values()]
    assert all(parts) and sum(map(len, parts)) == 3, "none is in two"


def test_a_source_without_splits_is_divided_by_the_hash_of_each_decoded_image(tmp_path):
    """Of the pixels' SHA-256 and their shape, the first 8 bytes, as a share of all."""
    name = fill(tmp_path / "flat", 200)
    expected = {}
    for i in range(200):
        digest = hashlib.sha256(b"(6, 6)" + np.full((6, 6), i, np.uint8).tobytes()).digest()
        share = int.from_bytes(digest[:8], "big") / 2**64
        expected[i] = "train" if share < 0.8 else "validation" if share < 0.9 else "test"
    assert parts_of(name) == expected
    assert 10 <= sum(split == "test" for split in expected.values()) <= 30


def test_no_image_changes_its_split_when_others_come_go_or_have_another_name(tmp_path):
    before = parts_of(fill(tmp_path / "flat", 60))
    after = parts_of(fill(tmp_path / "flat", 60, first=100))
    assert {value: after[value] for value in before} == before
    for i in range(60):
        (tmp_path / f"flat/{i:03}.png").rename(tmp_path / f"flat/{997 * i % 1000:03}-again.png")
    (tmp_path / "flat/150.png").unlink()
    again = parts_of(str(tmp_path / "flat"))
    assert again == {value: split for value, split in after.items() if value != 150}
    table(tmp_path / "table/all.parquet", [picture(i) for i in range(60)])
    assert parts_of(str(tmp_path / "table")) == before, "whatever they lie in"


def test_copies_of_an_image_are_in_one_split_and_none_is_empty(tmp_path):
    for i in range(3):
        fill(tmp_path / f"flat/{'abc'[i]}", 20)
    where = {}
    for split in SPLITS:
        for value in firsts(load_images(str(tmp_path / "flat"), split)):
            where.setdefault(value, []).append(split)
    assert all(len(places) == 3 and len(set(places)) == 1 for places in where.values()) and len(where) == 20
    for i in range(20):
        (tmp_path / "same").mkdir(exist_ok=True)
        picture(7).save(tmp_path / f"same/{i}.png")
    assert [len(load_images(str(tmp_path / "same"), split).x) for split in SPLITS] == [18, 1, 1]


def test_labels_of_a_source_without_splits_are_those_of_its_images(tmp_path):
    table(tmp_path / "own/all.parquet", [picture(i) for i in range(40)], [i % 3 for i in range(40)])
    for split in SPLITS:
        assert torch.equal(
            data.load_labels(str(tmp_path / "own"), split), load_images(str(tmp_path / "own"), split).labels
        )


def test_a_source_s_own_splits_are_used_and_train_stays_whole(tmp_path):
    fill(tmp_path / "own/train", 30)
    fill(tmp_path / "own/val", 5, first=100)
    fill(tmp_path / "own/test", 7, first=200)
    parts = {split: sorted(firsts(load_images(str(tmp_path / "own"), split))) for split in SPLITS}
    assert parts == {
        "train": [*range(30)],
        "validation": [*range(100, 105)],
        "test": [*range(200, 207)],
    }


def test_only_what_is_lacking_is_held_out(tmp_path):
    fill(tmp_path / "own/train", 30)
    fill(tmp_path / "own/test", 7, first=200)
    parts = {split: firsts(load_images(str(tmp_path / "own"), split)) for split in SPLITS}
    assert sorted(parts["test"]) == [*range(200, 207)]
    assert len(parts["validation"]) == 3
    assert sorted(parts["train"] + parts["validation"]) == [*range(30)]


def test_a_split_s_beginning_is_a_fair_sample_of_a_sorted_source(tmp_path):
    for number, label in enumerate(("ant", "bee")):
        fill(tmp_path / "own/train" / label, 50, first=50 * number)
        fill(tmp_path / "own/test" / label, 50, first=50 * number)
    for split in ("train", "test"):
        assert 5 <= int(load_images(str(tmp_path / "own"), split).labels[:20].sum()) <= 15


# Folders


@pytest.mark.parametrize("above", ["", "train"])
def test_class_folders_give_labels(tmp_path, above):
    for number, label in enumerate(("ant", "bee", "cat")):
        fill(tmp_path / "own" / above / label, 20, first=20 * number)
    images = load_images(str(tmp_path / "own"))
    assert images.labels.tolist() == [value // 20 for value in firsts(images)]
    assert set(images.labels.tolist()) == {0, 1, 2}


def test_flat_folders_have_no_labels_whatever_their_files_are_called(tmp_path):
    name = fill(tmp_path / "flat", 25)
    picture(77).save(tmp_path / "flat/street_test_01.png")
    picture(78).save(tmp_path / "flat/.hidden.png")
    (tmp_path / "flat/notes.txt").write_text("not an image")
    found = [load_images(name, split) for split in SPLITS]
    assert all(images.labels is None for images in found)
    assert sorted(value for images in found for value in firsts(images)) == [*range(25), 77]


@pytest.mark.parametrize("described", [True, False])
@pytest.mark.parametrize("column", ["image", "img", "photo"])
def test_parquet_folders(tmp_path, column, described):
    for split, first in (("train", 0), ("test", 100)):
        values = range(first, first + 30)
        path = tmp_path / f"own/{split}-00000-of-00001.parquet"
        table(path, map(picture, values), [v % 7 for v in values], column, described, other=[0] * 30)
    picture(0).save(tmp_path / "own/preview.png")
    parts = {split: load_images(str(tmp_path / "own"), split) for split in SPLITS}
    assert sorted(firsts(parts["test"])) == [*range(100, 130)]
    assert sorted(firsts(parts["train"]) + firsts(parts["validation"])) == [*range(30)]
    for images in parts.values():
        assert images.labels.tolist() == [value % 7 for value in firsts(images)]


def test_parquet_without_labels_or_splits_and_rewritten(tmp_path):
    for first in (0, 100):
        table(tmp_path / "own/all.parquet", map(picture, range(first, first + 30)))
        found = [load_images(str(tmp_path / "own"), split) for split in SPLITS]
        assert all(images.labels is None for images in found)
        assert sorted(value for images in found for value in firsts(images)) == [*range(first, first + 30)]


def test_the_folder_of_the_variable_comes_before_the_hub(tmp_path, monkeypatch):
    for folder in ("mnist", "someone/birds", "fish"):
        fill(tmp_path / "data" / folder, 20)
    names = ("mnist", "ylecun/mnist", "someone/birds", "someone/fish")
    assert not any(at_hand(name) for name in names)
    monkeypatch.setenv("GENCORE_DATA", str(tmp_path / "data"))
    assert all(at_hand(name) for name in names)
    assert [load_images(name).name for name in names] == ["mnist", "mnist", "someone/birds", "someone/fish"]


def test_at_hand(tmp_path):
    assert at_hand("digits")
    assert at_hand(fill(tmp_path / "flat", 1))
    assert not at_hand("someone/birds")
    (tmp_path / "cache/someone___birds").mkdir(parents=True)
    assert at_hand("someone/birds")


# Colours and sizes


@pytest.mark.parametrize(
    ("mode", "suffix", "channels"),
    [("L", "png", 1), ("1", "png", 1), ("LA", "png", 1), ("RGB", "png", 3), ("P", "png", 3), ("RGBA", "png", 3),
     ("CMYK", "tif", 3), ("RGB", "webp", 3), ("L", "JPG", 1)],
)  # fmt: skip
def test_modes(tmp_path, mode, suffix, channels):
    x = everything(fill(tmp_path / "flat", 20, mode, suffix=suffix))
    assert x.shape == (20, channels, 6, 6)


def test_colour_keeps_its_channels_in_place(tmp_path):
    x = load_images(fill(tmp_path / "flat", 20, "RGB")).x
    assert torch.equal(x[:, 1, 5, 5], 255 - x[:, 0, 5, 5])
    assert x[:, 1, 0, 0].tolist() == x[:, 0, 0, 0].tolist()


def test_16_bit_grey_is_scaled_and_not_clipped(tmp_path):
    (tmp_path / "flat").mkdir()
    for i in range(20):
        Image.fromarray(np.full((4, 4), i * 257 * 10, dtype=np.uint16)).save(tmp_path / f"flat/{i}.png")
    found = [value for split in SPLITS for value in firsts(load_images(str(tmp_path / "flat"), split))]
    assert sorted(found) == [i * 10 for i in range(20)]


def test_grey_among_colour_becomes_rgb(tmp_path):
    fill(tmp_path / "flat", 10, "L")
    x = everything(fill(tmp_path / "flat", 10, "RGB", first=10))
    assert x.shape == (20, 3, 6, 6)
    grey = x[x[:, 0, 0, 0] < 10]
    assert torch.equal(grey[:, 0], grey[:, 1])


def test_size_crops_to_the_central_square_and_resizes(tmp_path):
    (tmp_path / "flat").mkdir()
    for i in range(20):
        values = np.zeros((8, 16, 3), dtype=np.uint8)
        values[:, 4:12] = 100 + i  # the central square
        Image.fromarray(values).save(tmp_path / f"flat/{i}.png")
    x = everything(str(tmp_path / "flat"), size=4)
    assert x.shape == (20, 3, 4, 4)
    assert (x == x[:, :1, :1, :1]).all(), "pixels from beyond the square"
    assert set(x.flatten().tolist()) <= set(range(100, 120))
    fill(tmp_path / "flat", 5, "L", (5, 9))
    assert load_images(str(tmp_path / "flat"), size=12).x.shape[1:] == (3, 12, 12)


def test_photos_are_turned_as_their_camera_says(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise
    values = np.zeros((6, 6), dtype=np.uint8)
    values[5, :] = 255  # the last row becomes the first column
    (tmp_path / "flat").mkdir()
    for i in range(20):
        Image.fromarray(values).save(tmp_path / f"flat/{i}.png", exif=exif)
    x = load_images(str(tmp_path / "flat")).x
    assert (x[:, 0, :, 0] == 255).all()
    assert (x[:, 0, :, 1:] == 0).all()


# Bad data


def test_sizes_that_cannot_be_batched(tmp_path):
    name = fill(tmp_path / "wide", 20, size=(8, 6))
    with pytest.raises(InputError, match=r"have 8x6 pixels, but must be squares.*pass a `size`"):
        load_images(name)
    fill(tmp_path / "mixed", 20, size=(6, 6))
    with pytest.raises(InputError, match=r"different sizes \(6x6 and 7x7\).*pass a `size`"):
        load_images(fill(tmp_path / "mixed", 20, size=(7, 7), first=20))


@pytest.mark.parametrize("damage", [b"", b"no image", "half"])
def test_a_corrupt_image_is_named(tmp_path, damage):
    name = fill(tmp_path / "flat", 20, size=(64, 64), mode="RGB", suffix="jpg")
    bad = tmp_path / "flat/007.jpg"
    bad.write_bytes(bad.read_bytes()[:400] if damage == "half" else damage)
    failed = 0
    for split in SPLITS:
        try:
            load_images(name, split)
        except InputError as error:
            failed += 1
            assert "007.jpg" in str(error)
            assert "cannot be read as an image" in str(error)
    assert failed == 3, "no one knows its split"


def test_a_corrupt_row_is_named(tmp_path):
    images = [picture(i) for i in range(30)]
    table(tmp_path / "own/all.parquet", images)
    import pyarrow
    import pyarrow.parquet

    rows = pyarrow.parquet.read_table(tmp_path / "own/all.parquet")["image"].to_pylist()
    for row, cell in ((3, {"bytes": b"broken", "path": None}), (4, {"bytes": None, "path": None}), (5, None)):
        bad = [*rows[:row], cell, *rows[row + 1 :]]
        pyarrow.parquet.write_table(pyarrow.table({"image": bad}), tmp_path / "own/all.parquet")
        with pytest.raises(InputError, match=f"Row {row} of"):
            for split in SPLITS:
                load_images(str(tmp_path / "own"), split)


def test_too_few_images(tmp_path):
    with pytest.raises(InputError, match="has 19 images to train on; at least 20"):
        load_images(fill(tmp_path / "few", 19))


def test_folders_without_images(tmp_path):
    with pytest.raises(InputError, match=r"no folder '\./missing'"):
        load_images("./missing")
    with pytest.raises(InputError, match="no folder ''"):
        load_images("")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/notes.txt").write_text("nothing")
    with pytest.raises(InputError, match="has no images and no parquet"):
        load_images("empty")
    fill(tmp_path / "parts/test", 20)
    fill(tmp_path / "parts/val", 20)
    with pytest.raises(InputError, match="no train split, only test, validation"):
        load_images("parts")


def test_parquet_without_images(tmp_path):
    import pyarrow
    import pyarrow.parquet

    (tmp_path / "own").mkdir()
    pyarrow.parquet.write_table(pyarrow.table({"text": ["a"] * 30, "label": [1] * 30}), "own/all.parquet")
    with pytest.raises(InputError, match="no image column, only text, label"):
        load_images("own")
    (tmp_path / "own/all.parquet").write_bytes(b"PAR1 and then no more")
    with pytest.raises(InputError, match="parquet files in own cannot be read"):
        load_images("own")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": "tests"}, "'tests'.*'test'"),
        ({"size": 0}, "size must be a whole number"),
        ({"size": 8.0}, "size must be a whole number"),
        ({"size": True}, "size must be a whole number"),
        ({"size": 100_000}, "size must be a whole number"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(InputError, match=message):
        load_images("digits", **arguments)


def test_without_network_all_that_was_tried_is_told(monkeypatch, tmp_path):
    with pytest.raises(InputError, match=r"'someone/birds' was not found: GENCORE_DATA is not set.*Hub failed"):
        load_images("someone/birds")
    monkeypatch.setenv("GENCORE_DATA", str(tmp_path))
    with pytest.raises(InputError, match=r"not in GENCORE_DATA=.*'ylecun/mnist' from the Hugging Face Hub failed"):
        load_images("mnist")
    with pytest.raises(InputError, match="'mnist'"):
        load_images("mnits")
    (tmp_path / "own/mnist").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "own")
    monkeypatch.delenv("GENCORE_DATA")
    with pytest.raises(InputError, match="was not found"):
        load_images("mnist")  # a folder of this name is not MNIST


# MNIST itself


@needs_mnist
def test_mnist(monkeypatch):
    import pyarrow.parquet

    monkeypatch.setenv("GENCORE_DATA", str(SHARED))
    validation, test = load_images("mnist", "validation"), load_images("ylecun/mnist", "test")
    assert validation.x.shape == (5000, 1, 28, 28)
    assert test.x.shape == (10_000, 1, 28, 28)
    assert test.labels.bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    source = pyarrow.parquet.read_table(next((SHARED / "mnist").glob("test*.parquet"))).slice(0, 200).to_pylist()
    found = {x.numpy().tobytes(): int(label) for x, label in zip(test.x, test.labels, strict=True)}
    for row in source:
        assert found[Image.open(io.BytesIO(row["image"]["bytes"])).tobytes()] == row["label"]


# The shipped models' data decode as when they were trained: SHA-256 of the pixels, taken on 2026-11-28 before the
# reading of data was written anew.
PIXELS = {
    "digits": ("65eea3d7f695e345", "4ab1aaed7a276ed4", "275cdb16af78828b"),
    "mnist": ("67d1edf0bbb145d7", "0f4fe0f81071a127", "89e608d46f7fbb2e"),
    "cifar10": ("c3836117ab481761", "d0340ff0506dd446", "87db72e9d9e4a530"),
}


@pytest.mark.parametrize("name", PIXELS)
def test_the_data_of_the_shipped_models_decode_to_the_same_pixels(name, monkeypatch):
    monkeypatch.setenv("GENCORE_DATA", str(SHARED))
    if not at_hand(name):
        pytest.skip(f"no {name} in the folder of GENCORE_DATA")
    parts = load_splits(name)
    assert tuple(hashlib.sha256(parts[split].x.numpy()).hexdigest()[:16] for split in SPLITS) == PIXELS[name]
