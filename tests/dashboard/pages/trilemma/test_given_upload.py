"""Samples made elsewhere, brought to the home page: scored like `evaluate --samples`, with a sentence for all else."""

import base64
import io
import threading
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from dashboard.pages.trilemma import trilemma_view
from dashboard.pages.trilemma.strips import Strips
from dashboard.results.question import ask
from dashboard.service import InputError, Service
from dashboard.service.given import as_stated, first_images, score_samples
from gencore import FAMILIES, checkpoint
from gencore.data import load_images
from gencore.evaluation import rows
from gencore.extractors import Options
from gencore.extractors.reference import write_features

NOTHING = ("", "", "")


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """A root with digits: their pixel features, and a checkpoint."""
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("shipped")
    list(write_features("digits", root, "pixels", Options(device="cpu"), lambda share, words: None))
    checkpoint.save_model(root / "digits/gan", FAMILIES["gan"](channels=1, size=8, widths=(8, 8), probe_widths=(8, 8)))
    return root


@pytest.fixture
def service(shipped, tmp_path, monkeypatch):
    for name in ("SPACE_ID", "TRILEMMA_PUBLIC", "TRILEMMA_PUBLIC_TRAINING"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GENCORE_CHECKPOINTS", f"{shipped}:{tmp_path / 'runs'}")
    return Service()


@pytest.fixture
def images():
    return load_images("digits", "validation").x[:, 0].numpy()


def brought(service, files, name="Theirs", stated=NOTHING, dataset="digits", stop=None):
    return list(score_samples(service, dataset, [str(file) for file in files], name, stated, stop or threading.Event()))


def written(tmp_path):
    return [row for row in rows.read(tmp_path / "runs/digits/rows.jsonl")[0] if row["kind"] == "samples"]


def npy(path, x):
    np.save(path, x)
    return path


def npz(path, x):
    np.savez(path, arr_0=x[..., None], arr_1=np.arange(len(x)))
    return path


def zipped(path, x):
    with zipfile.ZipFile(path, "w") as archive:
        for place, one in enumerate(x):
            content = io.BytesIO()
            Image.fromarray(one).save(content, "PNG")
            archive.writestr(f"{place:04}.png", content.getvalue())
    return path


@pytest.mark.parametrize(("write", "name"), [(npy, "a.npy"), (npz, "a.npz"), (zipped, "a.ZIP")])
def test_a_file_becomes_a_row_and_a_grey_diamond(service, images, tmp_path, write, name):
    before = service.measurements_key("digits")
    frames = brought(service, [write(tmp_path / name, images)], stated=("2.5", "4", "A100"))
    assert frames[-1].done and frames[-1].words.endswith("Theirs is the grey diamond.")
    assert all(0 <= frame.share <= 1 for frame in frames)
    (row,) = written(tmp_path)
    assert (row["checkpoint"], row["stated"]) == ("Theirs", {"ms_per_image": 2.5, "calls": 4, "machine": "A100"})
    assert service.measurements_key("digits") != before
    (point,) = (point for point in service.measurements("digits").points if point.given)
    assert point.ms_per_image == 2.5
    (strip,) = Strips(service).shipped("digits", [point]).values()
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(strip.partition(",")[2]))))
    assert picture.shape == (2 * 8, 8 * 8), "the first 16"
    assert first_images(service, "../digits", point) == "", "a data set that there is not"
    hashes = {**point.quality["hashes"], "samples": "../../rows"}
    assert first_images(service, "digits", replace(point, quality={**point.quality, "hashes": hashes})) == ""


def test_samples_alone_are_drawn_where_nothing_has_a_time(service, images, tmp_path):
    brought(service, [npy(tmp_path / "a.npy", images)])
    shown = trilemma_view.view(ask(service.measurements("digits")))
    assert not shown["points"] and "--mark-samples" in shown["untimed"]


def test_without_a_time_and_with_several_files(service, images, tmp_path):
    files = [npy(tmp_path / f"{place}.npy", images[place * 40 : place * 40 + 40]) for place in range(3)]
    assert brought(service, files)[-1].words == "Scored 3 × 40 images: Theirs is the grey diamond."
    assert "stated" not in written(tmp_path)[0]
    assert "scored before" in brought(service, files)[-1].words
    assert len(written(tmp_path)) == 1


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"files": []}, "Choose the samples' file"),
        ({"files": ["a.pkl"]}, "Choose the samples' file"),
        ({"files": ["a.npy"] * 21}, "up to 20"),
        ({"files": ["floats.npy"]}, "^floats.npy holds float64 numbers"),
        ({"files": ["pickled.npy"]}, "^pickled.npy cannot be read as an array of numbers"),
        ({"files": ["harm.zip"]}, r"^harm.zip is refused: its member '../a.png' has a path that leads out"),
        ({"name": " "}, "The name must be"),
        ({"name": "a/b"}, "The name must be"),
        ({"stated": ("soon", "", "")}, "A time is a number of milliseconds"),
        ({"stated": ("1", "1.5", "")}, "calls are a whole number"),
        ({"stated": ("", "5", "")}, "told only with a time"),
        ({"dataset": "../digits"}, "There is no data set '../digits'"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence_without_a_path_of_the_server(service, images, tmp_path, given, sentence):
    npy(tmp_path / "a.npy", images)
    npy(tmp_path / "floats.npy", images.astype(float))
    np.save(tmp_path / "pickled.npy", np.array([{}], object), allow_pickle=True)
    with zipfile.ZipFile(tmp_path / "harm.zip", "w") as archive:
        archive.writestr("../a.png", b"")
    asked = {"files": ["a.npy"]} | given
    with pytest.raises(InputError, match=sentence) as raised:
        brought(service, **asked | {"files": [tmp_path / file for file in asked["files"]]})
    assert str(tmp_path) not in str(raised.value) and "\n" not in str(raised.value)
    assert not written(tmp_path) and not service.device.busy


@pytest.mark.parametrize("variable", ["SPACE_ID", "TRILEMMA_PUBLIC"])
def test_strangers_bring_nothing(service, images, tmp_path, monkeypatch, variable):
    monkeypatch.setenv(variable, "1")
    with pytest.raises(InputError, match="This app is public"):
        brought(service, [npy(tmp_path / "a.npy", images)])


def test_once_stopped_no_row_is_written(service, images, tmp_path):
    stop, frames = threading.Event(), []
    for frame in score_samples(service, "digits", [str(npy(tmp_path / "a.npy", images))], "Theirs", NOTHING, stop):
        frames.append(frame)
        stop.set()
    assert len(frames) == 1 and not frames[0].done
    assert not written(tmp_path) and not service.device.busy


def test_a_field_that_says_nothing_says_nothing():
    assert as_stated(" ", "", " ") == {"ms_per_image": None, "calls": None, "machine": ""}


@pytest.mark.parametrize("public", [True, False])
def test_the_fold_is_not_there_in_a_public_app(service, monkeypatch, public):
    from dashboard.app import build

    monkeypatch.setenv("TRILEMMA_PUBLIC", "1" if public else "")
    labels = [getattr(block, "label", "") for block in build(service).blocks.values()]
    assert ("Add samples made elsewhere" in labels) is not public
