"""`python -m gencore data`: what a user is told of a data set before training on it."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from gencore.data import View, fingerprint, load_images, report
from tests.support.image_files import save


def told(name, view=None):
    return list(report(str(name), view).lines())


def test_each_split_with_its_classes_and_fingerprint(tmp_path):
    for name, value in (("ant", 10), ("bee", 20)):
        for i in range(20):
            save(tmp_path / f"own/train/{name}/{i}.png", value + i)
        save(tmp_path / f"own/test/{name}/0.png", 200 + value)
    lines = told(tmp_path / "own")
    known = {split: fingerprint(load_images(str(tmp_path / "own"), split))["sha256"][:8] for split in ("train", "test")}
    assert lines[0].startswith(f"train: 36 images of 6x6 grey ({known['train']}); classes: ant ")
    assert lines[2] == f"test: 2 images of 6x6 grey ({known['test']}); classes: ant 1, bee 1"
    assert lines[3] == "As stored: grey, 6x6 (42)"


def test_leaks_are_counted_to_the_last_pixel(tmp_path):
    for i in range(40):
        save(tmp_path / f"own/train/{i}.png", i)
    for i in (250, 3, 251, 4, 5):
        save(tmp_path / f"own/test/{i}.png", i)
    Image.fromarray(np.full((6, 7), 6, np.uint8)).save(tmp_path / "own/test/other_shape.png")
    found = report(str(tmp_path / "own")).duplicates()
    assert sum(found.values()) == 3, "each of them is in train or in validation, which is held out of it"
    assert {pair[1] for pair in found} == {"test"}
    assert any(line.startswith("Leak: ") for line in told(tmp_path / "own"))


def test_each_image_is_decoded_once(tmp_path, monkeypatch):
    from gencore.data import images

    for i in range(30):
        save(tmp_path / f"own/{'test' if i < 5 else 'train'}/{i}.png", i)
    decoded = []
    monkeypatch.setattr(images, "decode", lambda cell, own=images.decode: decoded.append(cell.where) or own(cell))
    told(tmp_path / "own")
    assert len(decoded) == len(set(decoded)) == 30


def test_what_is_left_out_and_what_is_lacking_is_told(tmp_path):
    for i in range(30):
        Image.new("RGB", (10 + i, 12), (i, 0, 9)).save(tmp_path / f"{i:02}.png")
    (tmp_path / "Thumbs.db").write_bytes(b"\0")
    (tmp_path / "clip.mp4").write_bytes(b"\0")
    lines = told(tmp_path)
    assert "Left out: 1 hidden or the system's own" in lines
    assert "Left out: 1 no image (.mp4)" in lines
    assert "and 25 other sizes" in next(line for line in lines if line.startswith("As stored: RGB"))
    assert "pass a `size`" in lines[-1]
    assert "of 8x8 grey" in told(tmp_path, View(size=8, channels=1))[0]


@pytest.mark.parametrize(("options", "code"), [(["--size", "8"], 0), (["--fit", "cut"], 2), (["--label", "x"], 2)])
def test_the_command(tmp_path, options, code):
    for i in range(30):
        save(tmp_path / f"own/{i}.png", i)
    os.rename(tmp_path / "own/3.png", os.fsencode(tmp_path) + b"/own/caf\xe9.png")
    command = [sys.executable, "-m", "gencore", "data", str(tmp_path / "own"), *options]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    assert (
        (done.stderr.startswith("Error: ") and not done.stdout)
        if code
        else re.search(r"train: 2\d images of 8x8", done.stdout)
    )


def test_reading_says_in_one_line_what_is_left_out_and_says_it_once(tmp_path, caplog):
    for i in range(30):
        save(tmp_path / f"{i:02}.png", i)
    (tmp_path / "notes.txt").write_text("no image")
    for split in ("train", "test"):
        load_images(str(tmp_path), split)
    assert [one.getMessage() for one in caplog.records] == [f"{tmp_path}: left out: 1 no image (.txt)."]
