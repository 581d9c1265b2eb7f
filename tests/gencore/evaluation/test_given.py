"""Samples made elsewhere: any file of them gives the scores that the same images have as a checkpoint's own."""

import io
import json
import shlex
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from gencore.checkpoint import save_model, write_json
from gencore.cli import app
from gencore.errors import InputError
from gencore.evaluation import rows
from gencore.evaluation.given import given, load
from gencore.extractors import Options
from gencore.extractors.reference import write_features
from gencore.families import FAMILIES

GREY, COLOUR = (1, 8, 8), (3, 8, 8)


def images(n=40, shape=GREY, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, *shape), np.uint8)


def png(image):
    buffer = io.BytesIO()
    Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0)).save(buffer, "PNG")
    return buffer.getvalue()


def written(folder, kind, x):
    """One file of some images, as other programs write them."""
    path = folder / f"samples{kind}"
    if kind == ".npy":
        np.save(path, x)
    elif kind == ".npz":  # as guided-diffusion does: channels last, labels beside
        np.savez(path, x.transpose(0, 2, 3, 1), np.arange(len(x)))
    elif kind == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for place, image in enumerate(x):
                archive.writestr(f"in/{place:05}.png", png(image))
            archive.writestr("__MACOSX/._00000.png", b"no picture")
            archive.writestr("notes.txt", b"no picture")
    else:
        (path / "a").mkdir(parents=True)
        for place, image in enumerate(x):
            (path / "a" / f"{place:05}.png").write_bytes(png(image))
    return path


@pytest.mark.parametrize("shape", [GREY, COLOUR], ids=["grey", "colour"])
@pytest.mark.parametrize("kind", [".npy", ".npz", ".zip", ""])
def test_every_kind_of_file_gives_the_images_that_are_in_it(tmp_path, kind, shape):
    x = images(shape=shape)
    assert np.array_equal(load(written(tmp_path, kind, x), shape), x)


def test_an_array_may_have_its_channels_first_last_or_left_out(tmp_path):
    x = images(shape=COLOUR)
    np.save(tmp_path / "last.npy", x.transpose(0, 2, 3, 1))
    assert np.array_equal(load(tmp_path / "last.npy", COLOUR), x)
    np.save(tmp_path / "grey.npy", images()[:, 0])
    assert np.array_equal(load(tmp_path / "grey.npy", GREY), images())


def test_a_file_alone_is_divided_and_several_are_generations(tmp_path):
    x = images(103)
    one = given([written(tmp_path, ".npy", x)], GREY, 5000, None, None)
    assert (one.n, one.generations) == (20, 5)
    parts = [torch.cat(list(one.read(generation))).numpy() for generation in range(5)]
    kept = {image.tobytes() for part in parts for image in part}
    assert len(kept) == 100 and kept < {image.tobytes() for image in x}, "disjoint parts"
    paths = []
    for place, n in enumerate((50, 45, 60)):
        paths.append(tmp_path / f"{place}.npy")
        np.save(paths[-1], images(n, seed=place))
    several = given(paths, GREY, 5000, None, None)
    assert (several.n, several.generations) == (45, 3)
    assert np.array_equal(torch.cat(list(several.read(2))).numpy(), images(60, seed=2)[:45])
    assert given(paths, GREY, 30, None, None).n == 30
    assert given(paths[:2], GREY, 5000, None, None).hash != given(paths[1:], GREY, 5000, None, None).hash


class Boom:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was opened",))


def test_what_cannot_be_read_is_refused_with_a_reason(tmp_path):
    save = {
        "pickle.npy": (np.array([Boom()] * 20, dtype=object), "cannot be read as an array"),
        "float.npy": (images().astype(np.float32), "float32 numbers"),
        "large.npy": (images(shape=(1, 9, 9)), "40x1x9x9; here it must be N images of 8x8 pixels and 1 channel"),
        "few.npy": (images(19), "has 19 samples"),
    }
    for name, (array, _) in save.items():
        np.save(tmp_path / name, array, allow_pickle=True)
    np.savez(tmp_path / "two.npz", a=images(), b=images())
    (tmp_path / "torn.npz").write_bytes(b"PK\3\4")
    np.savez_compressed(tmp_path / "damaged.npz", images())
    content = bytearray((tmp_path / "damaged.npz").read_bytes())
    content[60:200] = b"\xff" * 140
    (tmp_path / "damaged.npz").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "words.npz", "w") as archive:
        archive.writestr("arr_0", "no array")
    (tmp_path / "x.csv").write_text("1,2")
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad/a.png").write_bytes(b"no picture")
    more = {
        "two.npz": "images in arr_0; it has a, b",
        "torn.npz": "cannot be read",
        "damaged.npz": "cannot be read as an array of numbers",
        "words.npz": "cannot be read as an array of numbers .its member is none",
        "x.csv": "none of .npy",
        "none.npy": "no file or folder",
        "empty": "has 0 samples",
        "bad": "cannot be read as a picture",
    }
    for name, reason in {**{name: reason for name, (_, reason) in save.items()}, **more}.items():
        with pytest.raises(InputError, match=reason):
            load(tmp_path / name, GREY)
    with pytest.raises(InputError, match="in colour, and the real images are grey"):
        load(written(tmp_path, ".zip", images(shape=COLOUR)), GREY)
    with pytest.raises(InputError, match="has 8x8 pixels; here it must be 9x9"):
        load(written(tmp_path, "", images()), (1, 9, 9))
    with pytest.raises(InputError, match="divided by 5 generations, have 8"):
        given([written(tmp_path, ".npy", images())], GREY, 5000, 9, None)
    with pytest.raises(InputError, match="leave out --generations"):
        given([tmp_path / "samples.npy"] * 2, GREY, 5000, None, 3)


# ---- their rows


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("given") / "root"
    torch.manual_seed(0)
    save_model(folder / "digits/vae", FAMILIES["vae"](channels=1, size=8, widths=(8, 8)))
    write_json(folder / "digits/vae/run.json", {"data": "digits"})
    list(write_features("digits", folder, "pixels", Options(), lambda share, words: None))
    return folder


@pytest.fixture(autouse=True)
def here(root, monkeypatch):
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(root))
    monkeypatch.setenv("GENCORE_DEVICE", "cpu")
    (root / "digits/rows.jsonl").unlink(missing_ok=True)


def run(*words):
    return CliRunner().invoke(app, ["evaluate", *map(str, words)])


def measured(root):
    return rows.read(root / "digits/rows.jsonl", "digits")[0]


def test_a_models_own_images_score_what_the_model_scores(root):
    assert not run("digits/vae", "--n", 40, "--generations", 2, "--rows", "quality", "--dtype", "float32").exit_code
    kept = sorted((root / "samples").glob("digits-vae-*.npy"))
    files = [word for path in kept for word in ("--samples", path)]
    result = run(*files, "--data", "digits", "--name", "theirs", "--n", 40)
    assert result.exit_code == 0, result.output
    assert "theirs, as given  2 x 40 images" in result.stdout and "1 rows" in result.stdout, "the baseline is there"
    own, theirs = (next(row for row in measured(root) if row["kind"] == kind) for kind in ("quality", "samples"))
    assert theirs["scores"] == own["scores"]
    assert (theirs["family"], theirs["checkpoint"], theirs["generations"]) == ("samples", "theirs", 2)
    assert "stated" not in theirs and not rows.is_stale(theirs)
    rows.check(json.loads(json.dumps(theirs)))


def test_a_row_is_written_once_and_again_when_something_else_is_told(root, tmp_path):
    words = "--samples", written(tmp_path, ".npz", images(300)), "--data", "digits", "--name", "My GAN (2)"
    assert not run(*words).exit_code
    before = measured(root)
    assert [(row["kind"], row["n"], row["generations"]) for row in before] == [("real", 60, 5), ("samples", 60, 5)]
    assert "0 rows" in run(*words).stdout and measured(root) == before
    told = run(*words, "--ms-per-image", 1.5, "--calls", 50, "--machine", "A100")
    assert not told.exit_code and "My GAN (2), 50 calls" in told.stdout
    row = measured(root)[-1]
    picture = Image.open(root / "digits/given" / f"{row['hashes']['samples']}.png")
    assert picture.size == (8 * 8, 2 * 8), "16 of them are kept for the pages"
    order = np.random.default_rng(0).permutation(300)[:8]
    assert (np.asarray(picture)[:8] == np.concatenate(list(images(300)[order, 0]), axis=1)).all()
    assert row["stated"] == {"ms_per_image": 1.5, "calls": 50, "machine": "A100"}
    again = shlex.split(rows.is_stale({**row, "hashes": {**row["hashes"], "pixels": "0" * 16}}).split("again: ")[1])
    assert again[3:6] == ["evaluate", "--samples", "FILE"]
    assert not run("--samples", words[1], *again[6:]).exit_code, "the advice can be followed"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--name", "x"], "need --data"),
        (["--data", "digits", "--name", "a/b"], "The name must be"),
        (["--data", "nowhere", "--name", "x"], "no features"),
        (["--data", "digits", "--name", "x", "--calls", "5"], "only with a time"),
        (["--data", "digits", "--name", "x", "--ms-per-image", "0"], "more than 0 ms"),
        (["--data", "digits", "--name", "x", "digits/vae"], "does not go with the checkpoints"),
    ],
)
def test_refusals(root, tmp_path, more, said):
    result = run("--samples", written(tmp_path, ".npy", images(200)), *more)
    assert result.exit_code == 2 and said in result.stderr, result.output
    assert not (root / "digits/rows.jsonl").exists()


def test_what_is_of_samples_needs_some():
    result = run("digits/vae", "--name", "x")
    assert result.exit_code == 2 and "--name is of --samples" in result.stderr
