"""`~` is the home wherever a path is taken: a shell expands it only at the beginning of a word."""

import pytest
import torch
from typer.testing import CliRunner

from gencore import checkpoint
from gencore.cli import app
from gencore.data import load_images
from gencore.errors import InputError
from gencore.families import FAMILIES
from gencore.paths import as_path, whole
from tests.support.image_files import save


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home with images and a checkpoint in it, which is not the working folder."""
    folder, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    monkeypatch.setenv("GENCORE_CHECKPOINTS", "~/roots")
    monkeypatch.chdir(elsewhere)
    for place in range(24):
        save(folder / "pictures" / f"{place}.png", 10 * place)
    torch.manual_seed(0)
    checkpoint.save_model("~/roots/digits/gan", FAMILIES["gan"](channels=1, size=8, widths=(8, 8), probe_widths=(8, 8)))
    yield folder
    assert not list(elsewhere.iterdir())


def test_a_path_has_its_home_and_a_user_who_is_not_there_is_a_name(home):
    assert as_path("~/a") == home / "a"
    assert str(as_path("~nobody-of-this-name/a")) == "~nobody-of-this-name/a"
    for value in (5, None, ["a"], b"a"):
        with pytest.raises(InputError, match="A path must be a text"):
            as_path(value)


def test_checkpoints_and_data_are_found(home, monkeypatch):
    assert [entry.name for entry in checkpoint.entries()] == ["digits/gan"]
    assert checkpoint.resolve("~/roots/digits/gan") == home / "roots/digits/gan"
    assert len(load_images("~/pictures").x) == len(load_images(home / "pictures").x) > 0
    monkeypatch.setenv("GENCORE_DATA", "~")
    assert load_images("pictures").x.shape[1:] == (1, 6, 6)


@pytest.mark.parametrize(
    ("line", "made"),
    [
        ("sample digits/gan -n 2 --out=~/made/x.npy", "x.npy"),
        ("export digits/gan --out=~/made/copy", "copy/config.json"),
        ("train digits/gan widths=8,8 probe_widths=8,8 timelapse=0 --images 64 --out=~/made/run", "run/run.json"),
        ("features digits --extractor pixels --out=~/made/root", "root/digits/features/pixels.safetensors"),
    ],
)
def test_what_is_made_goes_there(home, line, made):
    result = CliRunner().invoke(app, line.split())
    assert result.exit_code == 0, result.output + repr(result.exception)
    assert (home / "made" / made).is_file()


def test_a_folder_is_there_whole_or_not_at_all(tmp_path):
    out = tmp_path / "new" / "run"
    with pytest.raises(RuntimeError), whole(out) as folder:
        (folder / "half").write_text("a")
        raise RuntimeError
    assert not list(out.parent.iterdir())
    (out.parent / ".run.tmp").mkdir()
    (out.parent / ".run.tmp" / "of a process that was killed").write_text("a")
    out.mkdir()
    with whole(out) as folder:
        (folder / "all").write_text("a")
        assert not list(out.iterdir())
    assert [path.name for path in out.iterdir()] == ["all"]
    with pytest.raises(InputError, match=r"run could not be written"), whole(out):
        pass
    assert [path.name for path in out.parent.rglob("*")] == ["run", "all"]
