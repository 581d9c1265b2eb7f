"""What a run was trained on: which images, in what form, and that it goes on with no others."""

import json

import numpy as np
import pytest
from PIL import Image

from gencore import checkpoint
from gencore.checkpoint import LOG
from gencore.data import View, identity, load_splits
from gencore.errors import InputError
from gencore.presets import Run, resolve_run
from gencore.train import train

TRAINING = {"images": 64, "batch": 32, "dtype": "float32", "layout": "contiguous", "timelapse": 0}
MODEL = {"widths": (8, 8), "latent": 2, "components": 2}


def of(folder, **view):
    return Run("vae", str(folder), MODEL, TRAINING, view)


def make(folder, n=30, mode="L"):
    rng = np.random.default_rng(0)
    folder.mkdir()
    for i in range(n):
        Image.fromarray(rng.integers(0, 255, (8, 8), dtype=np.uint8)).convert(mode).save(folder / f"{i:02}.png")
    return folder


def test_a_run_holds_the_fingerprint_of_its_images(tmp_path):
    list(train(of(make(tmp_path / "own")), tmp_path / "run"))
    record = json.loads((tmp_path / "run" / checkpoint.RUN).read_text())
    assert record["identity"] == identity(load_splits(str(tmp_path / "own"), splits=("train", "validation")))
    assert record["identity"]["train"]["count"] == 25
    assert len(record["identity"]["train"]["sha256"]) == 64


def change(folder, how):
    if how == "another pixel":
        values = np.array(Image.open(folder / "00.png"))
        values[0, 0] ^= 1
        Image.fromarray(values).save(folder / "00.png")
    elif how == "one more":
        Image.new("L", (8, 8), 7).save(folder / "99.png")
    elif how == "in colour":
        Image.open(folder / "05.png").convert("RGB").save(folder / "05.png")
    elif how == "another split":
        (folder / "test").mkdir()
        (folder / "train").mkdir()
        for i, path in enumerate(sorted(folder.glob("*.png"))):
            path.rename(folder / ("test" if i < 5 else "train") / path.name)


@pytest.mark.parametrize("how", ["another pixel", "one more", "in colour", "another split"])
def test_changed_images_are_not_trained_on_further(tmp_path, how):
    run = of(make(tmp_path / "own"))
    list(train(run, tmp_path / "run"))
    (tmp_path / "own/07.png").rename(tmp_path / "own/zz.png")
    assert not list(train(run, tmp_path / "run", resume=True)), "unchanged, it goes on, whatever files are called"
    change(tmp_path / "own", how)
    with pytest.raises(InputError, match=r"on other images of .*/own \((train|validation): .*: resume with"):
        list(train(run, tmp_path / "run", images=128, resume=True))


def test_a_run_of_before_is_held_by_the_number_of_its_images(tmp_path):
    """Records did not have fingerprints then."""
    run = of(make(tmp_path / "own"))
    list(train(run, tmp_path / "run"))
    tensors, metadata = checkpoint.read_tensors(tmp_path / "run" / checkpoint.STATE)
    record = {key: value for key, value in json.loads(metadata["run"]).items() if key not in ("identity", "view")}
    checkpoint.write_tensors(tmp_path / "run" / checkpoint.STATE, tensors, {"run": json.dumps(record)})
    kept = {path: path.read_bytes() for path in sorted((tmp_path / "own").iterdir())[:2]}
    for path in kept:
        path.unlink()
    with pytest.raises(InputError, match=r"train: 25 images, not 2\d"):
        list(train(run, tmp_path / "run", images=128, resume=True))
    for path, content in kept.items():
        path.write_bytes(content)
    list(train(run, tmp_path / "run", images=128, resume=True))


@pytest.mark.parametrize(
    "damage",
    [b"", b"\n", b'{"step": 1, "im', b"\xff\xfe\n", b"[]\n{}\nnull\n"],
    ids=["empty", "blank", "cut", "no text", "no lines"],
)
def test_a_damaged_log_does_not_keep_a_run_from_going_on(tmp_path, damage):
    run = of("digits")
    list(train(run, tmp_path / "run"))
    log = tmp_path / "run" / LOG
    whole = log.read_bytes()
    log.write_bytes(whole + damage)
    list(train(run, tmp_path / "run", images=128, resume=True))
    lines = log.read_bytes().splitlines()
    assert lines[: len(whole.splitlines())] == whole.splitlines()
    assert [json.loads(line)["step"] for line in lines] == sorted({json.loads(line)["step"] for line in lines})


def test_a_view_is_trained_on_recorded_and_kept(tmp_path):
    """Images of mixed sizes and colours, as 16x16 grey."""
    (tmp_path / "own").mkdir()
    for i in range(30):
        Image.new("RGB", (20 + i, 18), (i, 2 * i, 90)).save(tmp_path / f"own/{i:02}.png")
    run = resolve_run("digits/vae", [f"data={tmp_path / 'own'}", "size=16", "channels=1", "fit=pad"])
    assert run.view == {"size": 16, "channels": 1, "fit": "pad"}
    run = Run(run.family, run.data, MODEL, TRAINING, run.view)
    list(train(run, tmp_path / "run"))
    record = json.loads((tmp_path / "run" / checkpoint.RUN).read_text())
    assert record["view"] == run.view
    assert record["identity"] == identity(load_splits(run.data, View(16, 1, "pad"), ("train", "validation")))
    assert checkpoint.load(tmp_path / "run", "cpu").image_shape == (1, 16, 16)
    with pytest.raises(InputError, match="was trained with size = 16, not 12"):
        list(train(of(tmp_path / "own", size=12, channels=1, fit="pad"), tmp_path / "run", resume=True))


@pytest.mark.parametrize("size", [8, 10, 18, 30, 64])
@pytest.mark.parametrize("family", ["vae", "gan", "ddpm"])
def test_every_family_takes_every_even_size(family, size):
    from gencore.families import FAMILIES

    more = {"probe_widths": (8, 8)} if family == "gan" else {}
    model = FAMILIES[family](channels=3, size=size, widths=(8, 8), **more)
    assert model.image_shape == (3, size, size)
    assert model.generate([1]).shape == (1, 3, size, size)


@pytest.mark.parametrize(
    ("setting", "told"),
    [("size=a", "size must be like 32"), ("size=0", "size must be a whole number"), ("channels=4", "channels must be"),
     ("fit=cut", "no fit 'cut'"), ("sise=32", "did you mean 'size'")],
)  # fmt: skip
def test_bad_views_are_refused(setting, told):
    with pytest.raises(InputError, match=told):
        resolve_run("digits/vae", [setting])
