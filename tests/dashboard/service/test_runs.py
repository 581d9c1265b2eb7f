"""Training logs and time-lapses, read back from folders written here."""

import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from dashboard.service import InputError, Service, runs
from dashboard.ui import timelapse
from gencore import FAMILIES, checkpoint, pictures

FAMILY = next(iter(FAMILIES))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder of one checkpoint, 'toy/one'."""
    monkeypatch.setenv(checkpoint.FOLDER_VARIABLE, str(tmp_path))
    return saved(tmp_path, "one")


def saved(root, name, **run):
    path = root / "toy" / name
    checkpoint.save_model(path, FAMILIES[FAMILY](size=8, widths=(8, 16)))
    checkpoint.write_json(path / checkpoint.RUN, {"data": "toy", "finished": True, **run})
    return path


def write_log(folder, *lines):
    (folder / "log.jsonl").write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))


def write_lapse(folder, names, shape=(4, 6)):
    for level, name in enumerate(names):
        pictures.write_png(folder / "timelapse" / f"{name}.png", np.full(shape, 10 * level, np.uint8))


def test_columns_are_read_by_name_and_broken_lines_are_counted(folder):
    write_log(
        folder,
        {"step": 1, "images": 64, "seconds": 0.5, "loss": 3.0, "kl": [1, 2]},
        "{broken",
        "[1, 2]",
        {"step": 2, "images": 128, "seconds": 1.0, "loss": "word", "kl": [1]},
        {"step": 3, "images": 192, "seconds": 1.5, "loss": 1.0, "finished": True},
        {"step": 3, "images": 192, "seconds": 1.7, "loss": 2.0},
    )
    log = runs.log_of(Service(), "toy/one")
    np.testing.assert_array_equal(log.columns["images"], [64, 128, 192])
    np.testing.assert_array_equal(log.columns["loss"], [3, np.nan, 2])
    np.testing.assert_array_equal(log.columns["kl"], [[1, 2], [np.nan] * 2, [np.nan] * 2])
    assert (log.columns["loss"].ndim, log.columns["kl"].ndim) == (1, 2)
    assert log.note == "2 of the 6 lines of toy/one's log cannot be read and were passed over."


def test_a_log_is_read_again_when_it_has_changed(folder):
    write_log(folder, {"images": 64, "loss": 3})
    assert len(runs.log_of(Service(), "toy/one").columns["loss"]) == 1
    write_log(folder, {"images": 64, "loss": 3}, {"images": 128, "loss": 2})
    assert len(runs.log_of(Service(), "toy/one").columns["loss"]) == 2


@pytest.mark.parametrize("lines", [None, [], ["{", "null"]])
def test_no_log_is_said_in_a_sentence_without_paths(folder, lines):
    if lines is not None:
        write_log(folder, *lines)
    with pytest.raises(InputError, match="toy/one has no training log: ") as caught:
        runs.log_of(Service(), "toy/one")
    assert str(folder) not in str(caught.value)


@pytest.mark.parametrize("name", ["toy/two", "../one", "", None])
def test_an_unknown_checkpoint_is_refused(folder, name):
    for reader in (runs.log_of, runs.timelapse_of):
        with pytest.raises(InputError, match=re.escape(repr(name))):
            reader(Service(), name)


def test_what_a_continued_training_had_seen_before_counts(folder):
    init = {"checkpoint": "toy/zero", "images": 1000, "seconds": 10.0}
    checkpoint.write_json(folder / checkpoint.RUN, {"data": "toy", "images": 128, "init": init})
    write_log(folder, {"images": 64, "seconds": 1, "loss": 1}, {"images": 128, "seconds": 2, "loss": 1})
    write_lapse(folder, ["000000000", "000000128-finished"])
    log = runs.log_of(Service(), "toy/one")
    assert log.columns["images"].tolist() == [1064, 1128]
    assert log.columns["seconds"].tolist() == [11, 12]
    assert runs.timelapse_of(Service(), "toy/one").images_seen.tolist() == [1000, 1128]
    # A log that was joined to the one before counts from the start already.
    write_log(folder, {"images": 500, "seconds": 5, "loss": 1}, {"images": 1128, "seconds": 12, "loss": 1})
    assert runs.log_of(Service(), "toy/one").columns["images"].tolist() == [500, 1128]


def test_a_timelapse_has_its_time_from_the_log(folder):
    write_log(folder, {"images": 100, "seconds": 10}, {"images": 200, "seconds": 30})
    write_lapse(folder, ["000000000", "000000050", "000000150", "000000200", "000000200-finished"])
    write_lapse(folder, ["notes"])
    write_lapse(folder, ["000000060"], (8, 8))
    (folder / "timelapse" / "000000070.png").write_bytes(b"no picture")
    lapse = runs.timelapse_of(Service(), "toy/one")
    assert lapse.images_seen.tolist() == [0, 50, 150, 200, 200]
    assert lapse.seconds.tolist() == [0, 5, 20, 30, 30]
    assert [int(frame[0, 0]) for frame in lapse.frames] == [0, 10, 20, 30, 40]
    assert [runs.shown_at(lapse, "images", place) for place in (0, 49, 50, 199, 200, 9999)] == [0, 0, 1, 2, 4, 4]


def test_a_timelapse_that_is_missing_is_said(folder):
    with pytest.raises(InputError, match="toy/one has no time-lapse: "):
        runs.timelapse_of(Service(), "toy/one")
    with pytest.raises(InputError, match="no time-lapse to make a GIF of"):
        runs.as_gif(Service(), [])


def test_runs_are_those_that_left_something(folder, tmp_path):
    write_log(folder, {"images": 1})
    write_lapse(saved(tmp_path, "two", family=FAMILY), ["000000000"])
    saved(tmp_path, "three")
    found = runs.runs(Service(), "toy")
    assert [(run.name, run.has_log, run.has_timelapse) for run in found] == [
        ("toy/one", True, False), ("toy/two", False, True),
    ]  # fmt: skip


def test_several_timelapses_share_one_slider_and_one_film(folder, tmp_path):
    write_log(folder, {"images": 100, "seconds": 10})
    write_lapse(folder, ["000000000", "000000050", "000000100"])
    write_lapse(saved(tmp_path, "two"), ["000000000", "000000080", "000000300-finished"], (8, 6))
    lapses = [runs.timelapse_of(Service(), name) for name in ("toy/one", "toy/two")]
    shown = timelapse.value(lapses)
    assert shown["labels"] == [f"{n} images seen" for n in (0, 50, 80, 100, 300)]
    assert [grid["shown"] for grid in shown["grids"]] == [[0, 1, 1, 2, 2], [0, 0, 1, 1, 2]]
    assert shown["grids"][0]["captions"][1] == "50 images seen, 5.0 s"
    assert shown["grids"][1]["captions"][-1] == "300 images seen"
    film = Image.open(io.BytesIO(runs.as_gif(Service(), ["toy/one", "toy/two"])))
    assert film.n_frames == 5
    by_time = timelapse.value(lapses, "seconds")
    assert [grid["name"] for grid in by_time["grids"]] == ["toy/one"]
    assert by_time["words"].startswith("toy/two has no log")
    with pytest.raises(InputError, match="There is no axis 'years'"):
        runs.as_gif(Service(), ["toy/one"], "years")
