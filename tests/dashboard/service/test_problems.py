"""What visitors are told of what went wrong: all but where things lie on the server."""

import tempfile
from pathlib import Path

import pytest

from dashboard.service.problems import anonymous, without_paths
from dashboard.service.public import PUBLIC
from dashboard.ui.run import status


@pytest.fixture(autouse=True)
def root(open_root):
    return open_root


def test_who_runs_the_app_is_told_where_things_lie_but_for_the_roots_of_checkpoints(root):
    assert without_paths(f"{root}/mine/vae is damaged; see /srv/photos.") == "mine/vae is damaged; see /srv/photos."


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ("data", "cats/3.png"),
        ("cwd", "x.png"),
        ("home", "a.png"),
        ("temp", "up/x.zip"),
        ("/srv/secret/photos", "photos"),
    ],
)
def test_strangers_are_not(root, tmp_path, monkeypatch, where, place):
    """The data root may have a blank in its name, which would end a pattern's match too early."""
    monkeypatch.setenv(PUBLIC, "1")
    monkeypatch.setenv("GENCORE_DATA", str(tmp_path / "my own data"))
    known = {"data": tmp_path / "my own data", "cwd": Path.cwd(), "home": Path.home(), "temp": tempfile.gettempdir()}
    path = f"{known[where]}/{place}" if where in known else where
    told = without_paths(f"{path} cannot be read ({path!r}): {path}.")
    assert told == f"{place} cannot be read ({place!r}): {place}."
    assert str(known.get(where, "/srv")) not in status(f"{path} is no image.", problem=True)


@pytest.mark.parametrize(
    "words",
    ["about 20 images/s", "see https://huggingface.co/datasets/x/y", "D(x) and/or D(G(z))", "mine/vae is stale",
     "python -m gencore evaluate runs/mine/vae", "1/2 of 3/4", "either / or"],
)  # fmt: skip
def test_what_is_no_path_of_this_machine_stays(words):
    assert anonymous(words) == words
