"""Folders as people have them: which images are test images, and which class each one has."""

import ast
import os
import subprocess
import sys

import pytest

from gencore.data import SPLITS, load_images, load_splits
from gencore.data.sources import open_source
from gencore.errors import InputError
from tests.support.image_files import encoded, grey, save, values_of, write_parquet

CLASSES = {"ant": 10, "bee": 20}


def lay(folder, form, splits):
    """Write 20 train images (10 ants, 20 bees) and 6 of each other split, 100 or 200 brighter, per class."""
    for offset, (split, word) in zip((0, 100, 200), splits.items(), strict=False):
        for name, value in CLASSES.items():
            for i in range(20 if split == "train" else 6):
                save(folder / form.format(s=word, c=name, i=f"{name}{i}"), value + offset)
    return str(folder)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("{s}/{c}/{i}.png", ("Training", "evaluation", "dev")),
        ("{s}/{c}/{i}.png", ("train", "eval", "valid")),
        ("{s}/{c}/{i}.png", ("flowers_train", "flowers_test", "flowers_val")),
        ("{s}/{c}/{i}.png", ("train2017", "test2017", "val2017")),
        ("{s}/{c}/{i}.png", ("TrainData", "TestData", "ValidationData")),
        ("{s}/{c}/images/{i}.png", ("train", "test", "val")),
        ("set/photos/{s}/{c}/{i}.png", ("train", "test", "val")),
        ("{s}/images/{c}/{i}.png", ("train", "test", "val")),
        ("{c}/{s}/{i}.png", ("training", "testing", "validation")),
        ("images/{c}/{s}/{i}.png", ("train", "test", "val")),
    ],
)
def test_splits_and_classes_are_those_of_the_folders(tmp_path, form, words):
    name = lay(tmp_path / "own", form, dict(zip(("train", "test", "validation"), words, strict=True)))
    parts = load_splits(name)
    for split, offset, n in (("train", 0, 20), ("test", 100, 6), ("validation", 200, 6)):
        images = parts[split]
        assert values_of(images) == [10 + offset] * n + [20 + offset] * n
        assert images.labels.tolist() == [value % 100 // 20 for value in images.x[:, 0, 0, 0].tolist()]
    assert open_source(name).classes == ("ant", "bee")


def test_tiny_imagenet_has_no_classes_in_its_test_folders(tmp_path):
    name = lay(tmp_path / "own", "train/{c}/images/{i}.png", {"train": "train"})
    for i in range(8):
        save(tmp_path / f"own/val/images/val_{i}.png", 200)
        save(tmp_path / f"own/test/images/test_{i}.png", 100)
    (tmp_path / "own/val/val_annotations.txt").write_text("val_0.png\tant\n")
    parts = load_splits(name)
    assert parts["train"].labels is not None
    assert values_of(parts["test"]) == [100] * 8
    assert values_of(parts["validation"]) == [200] * 8
    assert (parts["test"].labels, parts["validation"].labels) == (None, None)
    source = open_source(name)
    assert source.left_out == {"no image (.txt)": 1}
    assert source.notes == (
        "validation: val_annotations.txt names no known class for 7 images, so there are no labels.",
    )


@pytest.mark.parametrize("line", ["{name}\t{label}\t0\t32\t44\t62\n", "{name} {label}\r\n", "{name}\t{label}\tx\r\n"])
def test_tiny_imagenet_s_text_gives_the_classes_of_val_by_name(tmp_path, line):
    name = lay(tmp_path / "own", "train/{c}/images/{i}.png", {"train": "train"})
    classes = {f"val_{i}.png": list(CLASSES)[i * i % 5 % 2] for i in range(12)}  # neither sorted nor in turn
    lines = [line.format(name=one, label=label) for one, label in reversed(classes.items())]
    for one, label in classes.items():
        save(tmp_path / f"own/val/images/{one}", CLASSES[label] + 200)
    (tmp_path / "own/val/val_annotations.txt").write_text("\ufeff" + "".join(lines) + "other.png\tant\n", newline="")
    images = load_splits(name, splits=("validation",))["validation"]
    assert images.labels.tolist() == [int(value == 220) for value in images.x[:, 0, 0, 0]]
    source = open_source(name)
    assert (source.classes, source.left_out) == (("ant", "bee"), {})
    assert source.notes == ("validation: the labels are those of val_annotations.txt.",)


@pytest.mark.parametrize("text", ["", "val_0.png\tcat\n", "val_0.png\tant\nval_0.png\tbee\n", "no table\n", "\xff\n"])
def test_a_text_that_does_not_name_every_class_gives_none(tmp_path, text):
    name = lay(tmp_path / "own", "train/{c}/images/{i}.png", {"train": "train"})
    save(tmp_path / "own/val/images/val_0.png", 200)
    (tmp_path / "own/val/val_annotations.txt").write_bytes(text.encode("latin-1"))
    assert load_splits(name, splits=("validation",))["validation"].labels is None
    assert open_source(name).left_out == {"no image (.txt)": 1}


def test_of_two_texts_neither_counts(tmp_path):
    name = lay(tmp_path / "own", "train/{c}/images/{i}.png", {"train": "train"})
    save(tmp_path / "own/val/images/val_0.png", 200)
    for one in ("val_annotations.txt", "old_annotations.txt"):
        (tmp_path / "own/val" / one).write_text("val_0.png\tant\n")
    assert load_splits(name, splits=("validation",))["validation"].labels is None


HEIF = """
from PIL import Image, PngImagePlugin
def register_heif_opener():
    Image.register_extensions("PNG", [".heic", ".heif"])
"""


@pytest.mark.parametrize("installed", [True, False])
def test_heic_is_read_where_the_package_is_and_counted_with_the_reason_elsewhere(tmp_path, installed):
    """A package of that name which takes PNG for HEIF stands in for the real one."""
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages/pillow_heif.py").write_text(HEIF if installed else "raise ImportError")
    for i in range(24):
        save(tmp_path / f"own/{i:02d}.png", 10)
    for i, suffix in enumerate((".heic", ".HEIC", ".heif")):
        (tmp_path / f"own/photo{i}{suffix}").write_bytes(encoded(grey(77))["bytes"])
    program = (
        "import sys; from gencore.data.sources import open_source; from gencore.data import load_splits;"
        "parts = load_splits(sys.argv[1]).values();"
        "print(sum((one.x[:, 0, 0, 0] == 77).sum().item() for one in parts), dict(open_source(sys.argv[1]).left_out))"
    )
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path / "packages"), *sys.path])}
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "own")], env=env, capture_output=True, text=True
    )
    needs = {f"{suffix}, which needs the package pillow-heif": n for suffix, n in ((".heic", 2), (".heif", 1))}
    count, left_out = done.stdout.split(" ", 1)
    assert int(count) == (3 if installed else 0), done.stderr
    assert ast.literal_eval(left_out) == ({} if installed else needs)


def test_classes_are_decided_by_name_where_a_split_lacks_one(tmp_path):
    for name, value in (("ant", 10), ("bee", 20), ("cat", 30)):
        for i in range(10):
            save(tmp_path / f"own/train/{name}/{i}.png", value)
            if name != "ant":
                save(tmp_path / f"own/test/{name}/{i}.png", value)
    images = load_images(str(tmp_path / "own"), "test")
    assert {(int(x[0, 0, 0]), int(y)) for x, y in zip(images.x, images.labels, strict=True)} == {(20, 1), (30, 2)}


@pytest.mark.parametrize(
    ("folders", "told"),
    [
        (("train", "car", "plane"), r"train is named like a split, and car, plane are not"),
        (("test", "val", "rest"), r"test, val are named like a split, and rest is not"),
        (("ant/train", "bee/test", "cat/rest"), r"test, train are named like a split, and rest is not"),
        (("north/ant/train", "south/ant/test"), r"test, train are named like a split, and north, south are not"),
        (("train_a", "test_a", "train_b", "test_b"), "test_a, train_a and test_b, train_b; keep the folders of one"),
        (("train", "test2017"), "train is named like a split, and test2017 is not"),
        (("train", "seg_train", "seg_test"), "train is named like a split, and seg_test, seg_train are not"),
    ],
)
def test_an_unknown_layout_is_refused_with_the_folders_named(tmp_path, folders, told):
    for folder in folders:
        for i in range(20):
            save(tmp_path / "own" / folder / f"{i}.png", i)
    with pytest.raises(InputError, match=told):
        load_images(str(tmp_path / "own"))


def test_what_lies_beside_the_split_folders_is_left_out_and_counted(tmp_path):
    name = lay(tmp_path / "own", "{s}/{c}/{i}.png", {"train": "seg_train", "test": "seg_test"})
    for i in range(5):
        save(tmp_path / f"own/seg_pred/{i}.png", 250)
    save(tmp_path / "own/overview.png", 251)
    values = {value for images in load_splits(name).values() for value in values_of(images)}
    assert values == {10, 20, 110, 120}
    assert open_source(name).left_out == {
        "beside the split folders": 1,
        "in the folder seg_pred, which is no split, beside the split folders": 5,
    }


@pytest.mark.parametrize("beside", [("train_masks",), ("train_masks", "test_masks"), ("test2017", "train2017")])
def test_plain_split_folders_win_over_those_with_more_words(tmp_path, beside):
    name = lay(tmp_path / "own", "{s}/{c}/{i}.png", {"train": "train", "test": "test"})
    for folder in beside:
        for i in range(5):
            save(tmp_path / "own" / folder / f"{i}.png", 250)
    values = {value for images in load_splits(name).values() for value in values_of(images)}
    assert values == {10, 20, 110, 120}
    assert open_source(name).left_out == {
        f"in the folder {one}, which is no split, beside the split folders": 5 for one in beside
    }


def test_a_pair_of_split_folders_takes_in_none_of_other_words(tmp_path):
    name = lay(tmp_path / "own", "{s}/{c}/{i}.png", {"train": "seg_train", "test": "seg_test"})
    for i in range(5):
        save(tmp_path / f"own/train_masks/{i}.png", 250)
    assert open_source(name).parts["train"].length == 40
    assert sum(open_source(name).left_out.values()) == 5


def test_a_plain_folder_completes_a_pair_that_lacks_its_split(tmp_path):
    name = lay(tmp_path / "own", "{s}/{c}/{i}.png", {"train": "train2017", "test": "test", "validation": "val2017"})
    assert {split: part.length for split, part in open_source(name).parts.items()} == {
        "train": 40, "test": 12, "validation": 12,
    }  # fmt: skip


def test_files_of_the_system_are_no_class_and_are_counted(tmp_path):
    name = lay(tmp_path / "own", "{c}/{i}.png", {"train": ""})
    for place in (
        "@eaDir/0.png",
        "__MACOSX/ant/0.png",
        ".thumbs/0.png",
        "ant/@eaDir/0.png/SYNOPHOTO.jpg",
        "#recycle/a.png",
    ):
        save(tmp_path / "own" / place, 255, format="PNG")
    for place in ("Thumbs.db", "ant/desktop.ini", "ant/clip.mp4", "notes"):
        (tmp_path / "own" / place).write_bytes(b"\0")
    os.symlink("nowhere.png", tmp_path / "own/ant/broken.png")
    source = open_source(name)
    assert source.classes == ("ant", "bee")
    assert source.parts["train"].length == 40
    assert source.left_out == {
        "hidden or the system's own": 7, "no image (.mp4)": 1, "no image (no suffix)": 1, "a link to nothing": 1,
    }  # fmt: skip


def test_folders_behind_links_are_read_and_links_back_are_not(tmp_path):
    lay(tmp_path / "elsewhere", "{c}/{i}.png", {"train": ""})
    (tmp_path / "own").mkdir()
    for name in CLASSES:
        os.symlink(tmp_path / "elsewhere" / name, tmp_path / "own" / name)
    os.symlink(tmp_path / "own", tmp_path / "elsewhere/ant/back")
    source = open_source(str(tmp_path / "own"))
    assert source.parts["train"].length == 40
    assert source.classes == ("ant", "bee")
    assert sum(source.left_out.values()) <= 1


@pytest.mark.parametrize("suffix", ["jpe", "JFIF", "dib", "pnm", "avif", "tga"])
def test_less_usual_suffixes_are_read(tmp_path, suffix):
    for i in range(20):
        format_ = "JPEG" if suffix.lower() in ("jpe", "jfif") else None
        save(tmp_path / f"own/{i}.{suffix}", 50, format=format_)
    assert {abs(value - 50) <= 2 for value in values_of(load_images(str(tmp_path / "own")))} == {True}


def test_a_format_that_needs_a_package_is_counted(tmp_path):
    from PIL import Image

    for i in range(20):
        save(tmp_path / f"own/{i}.png", i)
    (tmp_path / "own/photo.heic").write_bytes(b"\0")
    expected = {} if ".heic" in Image.registered_extensions() else {".heic, which needs the package pillow-heif": 1}
    assert open_source(str(tmp_path / "own")).left_out == expected


@pytest.mark.parametrize("name", ["cells [v1]", "cells *", "cells ?", "{a,b}", "**"])
@pytest.mark.parametrize("kind", ["table", "images"])
def test_a_path_is_never_a_pattern(tmp_path, name, kind):
    for folder, value in ((name, 10), ("cells v", 20), ("cells 1", 30), ("a", 40)):
        if kind == "table":
            write_parquet(tmp_path / folder / "train.parquet", {"image": [encoded(grey(value))] * 30})
        else:
            for i in range(30):
                save(tmp_path / folder / f"{i}.png", value)
    assert set(values_of(load_images(str(tmp_path / name)))) == {10}


def test_parquet_files_by_their_own_name_before_their_folders(tmp_path):
    for place, value in (("train/test-0.parquet", 10), ("default/training/0000.parquet", 20), ("x/val.parquet", 30)):
        write_parquet(tmp_path / "own" / place, {"image": [encoded(grey(value))] * 20})
    parts = {split: set(values_of(images)) for split, images in load_splits(str(tmp_path / "own")).items()}
    assert parts == {"train": {20}, "validation": {30}, "test": {10}}


def test_parquet_files_of_several_configurations_are_refused_and_shards_are_not(tmp_path):
    for place in ("plain/train-0", "plain/train-1", "plain/test-0", "cropped/train-0", "cropped/test-0"):
        write_parquet(tmp_path / f"own/{place}.parquet", {"image": [encoded(grey(1))] * 20})
    with pytest.raises(InputError, match="several data sets, in cropped, plain; name one of them"):
        open_source(str(tmp_path / "own"))
    assert open_source(str(tmp_path / "own/plain")).parts["train"].length == 40
    for place in ("train/a/0", "train/b/0", "test/0"):
        write_parquet(tmp_path / f"sharded/{place}.parquet", {"image": [encoded(grey(1))] * 20})
    assert open_source(str(tmp_path / "sharded")).parts["train"].length == 40


def test_parquet_files_that_name_no_split_or_several(tmp_path):
    for place in ("train.parquet", "more.parquet"):
        write_parquet(tmp_path / "own" / place, {"image": [encoded(grey(1))] * 20})
    save(tmp_path / "own/preview.png", 1)
    left_out = open_source(str(tmp_path / "own")).left_out
    assert left_out == {"a parquet file that names no split": 1, "images beside parquet files": 1}
    os.rename(tmp_path / "own/train.parquet", tmp_path / "own/test.parquet")
    with pytest.raises(InputError, match=r"parquet files of test, and others that name no split: more\.parquet"):
        open_source(str(tmp_path / "own"))
    os.rename(tmp_path / "own/test.parquet", tmp_path / "own/train-test.parquet")
    with pytest.raises(InputError, match=r"'train-test\.parquet' of .* names several splits: test, train"):
        open_source(str(tmp_path / "own"))


def test_a_table_overwritten_with_an_old_time_stamp_is_read_anew(tmp_path):
    path = tmp_path / "own/all.parquet"
    for value in (10, 20):
        write_parquet(path, {"image": [encoded(grey(value))] * 30})
        os.utime(path, (1_000_000_000, 1_000_000_000))
        assert {one for split in SPLITS for one in values_of(load_images(str(tmp_path / "own"), split))} == {value}
