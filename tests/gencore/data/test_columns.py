"""Tables: the image's column, the labels' column, and what the labels mean in every split."""

import numpy as np
import pytest

from gencore.data import load_images, load_splits
from gencore.data.sources import open_source
from gencore.errors import InputError
from tests.support.image_files import encoded, grey, values_of, write_parquet

RIGHT, WRONG = [encoded(grey(10))] * 30, [encoded(grey(255))] * 30


def labels_of(tmp_path, **columns):
    write_parquet(tmp_path / "own/train.parquet", {"image": RIGHT, **columns})
    images = load_images(str(tmp_path / "own"))
    return None if images.labels is None else np.bincount(images.labels).tolist()


@pytest.mark.parametrize("others", [("mask",), ("aaa", "depth_map"), ("label_image", "video")])
@pytest.mark.parametrize("image", ["image", "img"])
def test_the_image_is_chosen_by_name(tmp_path, others, image):
    write_parquet(tmp_path / "own/train.parquet", {**dict.fromkeys(others, WRONG), image: RIGHT})
    assert set(values_of(load_images(str(tmp_path / "own")))) == {10}


def test_several_image_columns_of_other_names_are_refused(tmp_path):
    write_parquet(tmp_path / "own/train.parquet", {"left": RIGHT, "right": WRONG})
    with pytest.raises(InputError, match="several image columns: left, right"):
        load_images(str(tmp_path / "own"))


def test_bytes_alone_are_images(tmp_path):
    write_parquet(tmp_path / "own/train.parquet", {"photo": [cell["bytes"] for cell in RIGHT]})
    assert set(values_of(load_images(str(tmp_path / "own")))) == {10}


@pytest.mark.parametrize("column", ["label", "labels", "target", "class", "fine_label"])
@pytest.mark.parametrize(
    ("values", "expected"), [([3, 0], [3, 0]), (["sun", "moon"], [1, 0]), ([True, False], [1, 0]), ([1.0, 0.0], [1, 0])]
)
def test_labels_of_every_kind(tmp_path, column, values, expected):
    import pyarrow

    images = [encoded(grey(i % 2)) for i in range(30)]
    plain = pyarrow.array(values * 15)
    for array in (plain, plain.dictionary_encode()):
        write_parquet(tmp_path / "own/train.parquet", {"image": images, column: array, "other": [7] * 30})
        found = load_images(str(tmp_path / "own"))
        assert found.labels.tolist() == [expected[int(x[0, 0, 0])] for x in found.x]


def test_numbers_that_are_no_classes_are_no_labels_and_that_is_told(tmp_path):
    assert labels_of(tmp_path, label=[0.5] * 30) is None
    assert open_source(str(tmp_path / "own")).notes == ("train: the labels are no classes.",)
    assert labels_of(tmp_path, label=[0, None] * 15) is None
    assert "train: 15 rows have no label" in open_source(str(tmp_path / "own")).notes[0]


def test_the_column_can_be_named(tmp_path):
    write_parquet(tmp_path / "own/train.parquet", {"image": RIGHT, "label": [0] * 30, "colour": ["a", "b"] * 15})
    name = str(tmp_path / "own")
    assert set(load_images(name, label="colour").labels.tolist()) == {0, 1}
    assert open_source(name, "colour").classes == ("a", "b")
    with pytest.raises(InputError, match=r"'colours' of .* is not there; did you mean 'colour'"):
        load_images(name, label="colours")
    with pytest.raises(InputError, match=r"'image' of .* holds no labels"):
        load_images(name, label="image")
    with pytest.raises(InputError, match="digits is no table, so there is no column 'x'"):
        load_images("digits", label="x")


def test_several_columns_of_classes_are_not_guessed(tmp_path):
    from datasets import ClassLabel, Dataset, Features
    from datasets import Image as ImageFeature

    kind = ClassLabel(names=["no", "yes"])
    columns = {"image": RIGHT, "smiling": [0, 1] * 15, "young": [1, 1] * 15}
    (tmp_path / "own").mkdir()
    Dataset.from_dict(columns, Features(image=ImageFeature(), smiling=kind, young=kind)).to_parquet(
        tmp_path / "own/train.parquet"
    )
    assert load_images(str(tmp_path / "own")).labels is None
    assert "(smiling, young)" in open_source(str(tmp_path / "own")).notes[0]


@pytest.mark.parametrize("kind", ["names", "words"])
def test_a_class_has_one_label_in_every_split_whatever_their_order(tmp_path, kind):
    """Train and test name the same classes in another order, and test lacks one."""
    from datasets import ClassLabel, Dataset, Features
    from datasets import Image as ImageFeature

    orders = {"train": ["sun", "moon", "star"], "test": ["star", "sun"]}
    for split, names in orders.items():
        words = [names[i % len(names)] for i in range(30)]
        images = [encoded(grey(len(word) * 10)) for word in words]
        path = tmp_path / f"own/{split}.parquet"
        if kind == "words":
            write_parquet(path, {"image": images, "label": words})
            continue
        path.parent.mkdir(exist_ok=True)
        columns = {"image": images, "label": [names.index(word) for word in words]}
        Dataset.from_dict(columns, Features(image=ImageFeature(), label=ClassLabel(names=names))).to_parquet(path)
    classes = open_source(str(tmp_path / "own")).classes
    assert sorted(classes) == ["moon", "star", "sun"]
    for images in load_splits(str(tmp_path / "own")).values():
        for x, label in zip(images.x, images.labels, strict=True):
            assert len(classes[label]) * 10 == int(x[0, 0, 0])
