"""Checkpoints on the Hub, before a stand-in for its client: what is given out, taken in, and refused."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import httpx
import huggingface_hub
import pytest
import torch
from huggingface_hub import ModelCard, errors
from typer.testing import CliRunner

from gencore import checkpoint, hub
from gencore.cli import app
from gencore.errors import InputError
from gencore.evaluation.rows import checkpoint_hash
from gencore.families import FAMILIES
from tests.support.stand_in_hub import COMMIT as COMMIT_OF_STAND_IN
from tests.support.stand_in_hub import Hub, stand_in

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Shelf:
    """What `huggingface_hub` is asked for, answered from a folder: `models/OWNER/NAME`."""

    def __init__(self, place):
        self.place, self.fetched, self.made, self.sha256 = place, [], [], None

    def of(self, repo, revision=None):
        if not (self.place / repo).is_dir():
            raise errors.RepositoryNotFoundError("404 Client Error.\n\nMore.", response=answer(404))
        if revision not in (None, "main", COMMIT):
            raise errors.RevisionNotFoundError("404 Client Error.", response=answer(404))
        return self.place / repo

    def snapshot_download(self, repo, revision=None, allow_patterns=(), **_):
        folder, cache = self.of(repo, revision), self.place / "cache" / COMMIT
        for path in (one for one in folder.rglob("*") if one.is_file()):
            name = path.relative_to(folder)
            if any((name.match(pattern) and "/" in pattern) or str(name) == pattern for pattern in allow_patterns):
                (cache / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, cache / name)
                self.fetched.append(str(name))
        return str(cache)

    def model_info(self, repo, revision=None, files_metadata=False):
        path = self.of(repo, revision) / checkpoint.WEIGHTS
        if not path.exists():
            return SimpleNamespace(siblings=[])
        lfs = SimpleNamespace(sha256=self.sha256 or hashlib.sha256(path.read_bytes()).hexdigest())
        return SimpleNamespace(
            siblings=[SimpleNamespace(rfilename=checkpoint.WEIGHTS, size=path.stat().st_size, lfs=lfs)]
        )

    def create_repo(self, repo, **options):
        self.made.append((repo, options))

    def upload_folder(self, repo_id, folder_path, **_):
        shutil.copytree(folder_path, self.place / repo_id)
        return SimpleNamespace(commit_url=f"https://huggingface.co/{repo_id}/commit/{COMMIT}")


def answer(status):
    return httpx.Response(status, request=httpx.Request("GET", "https://huggingface.co/x"))


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    found = Shelf(tmp_path / "models")
    monkeypatch.setattr(huggingface_hub, "snapshot_download", found.snapshot_download)
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda **_: found)
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: "hf_token")
    return found


@pytest.fixture(autouse=True)
def mine(tmp_path, monkeypatch):
    """A checkpoint of one's own, trained on a folder of this machine."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path / "runs"))
    monkeypatch.setenv("GENCORE_DEVICE", "cpu")
    torch.manual_seed(0)
    folder = tmp_path / "runs/mine"
    checkpoint.save_model(folder, FAMILIES["vae"](size=8, widths=(8, 8), latent=2, components=2))
    photos = tmp_path / "photos"
    photos.mkdir()
    record = {"data": str(photos), "images": 6400, "seconds": 12.0, "command": f"gencore train data={photos}"}
    checkpoint.write_json(folder / "run.json", record)
    (folder / "log.jsonl").write_text('{"images": 64}\n')
    (folder / "timelapse").mkdir()
    (folder / "timelapse/000000064.png").write_bytes(b"a picture")
    for left in (checkpoint.STATE, ".training.lock", "notes.txt"):
        (folder / left).write_text("not for others")
    return folder


def test_given_out_and_taken_in_it_is_the_same_model(shelf, mine, tmp_path):
    assert hub.push("runs/mine", "me/vae", "mit").endswith(f"/me/vae/commit/{COMMIT}")
    assert shelf.made == [("me/vae", {"repo_type": "model", "private": False, "exist_ok": True})]
    given = tmp_path / "models/me/vae"
    assert {path.relative_to(given).as_posix() for path in given.rglob("*") if path.is_file()} == {
        "README.md", "config.json", "model.safetensors", "run.json", "log.jsonl", "timelapse/000000064.png",
    }  # fmt: skip
    texts = "".join(path.read_text(errors="replace") for path in given.rglob("*") if path.is_file())
    assert str(tmp_path) not in texts and "photos" in texts
    out = hub.pull("me/vae@main")
    assert out.as_posix() == "runs/vae"
    entry = checkpoint.find("runs/vae")
    assert not entry.problem and entry.dataset == "photos" and entry.trained["images"] == 6400
    assert entry.origin == {
        "source": "me/vae", "revision": COMMIT, "licence": "mit", "hash": checkpoint_hash(mine),
    }  # fmt: skip
    assert checkpoint_hash(out) == checkpoint_hash(mine), "rows and bundles of the one are of the other"
    assert [path.name for path in sorted(tmp_path.glob("runs/.*"))] == []
    with pytest.raises(InputError, match="already holds a run"):
        hub.pull("me/vae")


def test_the_card_has_the_front_matter_that_the_hub_asks_for(mine):
    entry = checkpoint.find("runs/mine")
    made = ModelCard(hub.card(entry, "me/vae"))
    assert (made.data["library_name"], made.data.license) == ("gencore", "unknown")
    assert made.data.pipeline_tag == "unconditional-image-generation" and {"trilemma-lab", "vae"} <= set(made.data.tags)
    assert "6,400 images seen" in made.text and "hub --pull me/vae" in made.text
    (mine / "README.md").write_text("---\nlicense: cc0-1.0\ntags:\n- faces\n---\n# Mine\n\nWords: of my own.\n")
    own = ModelCard(hub.card(entry, "me/vae"))
    assert own.data.license == "cc0-1.0" and own.data.tags[0] == "faces" and "Words: of my own." in own.text
    assert ModelCard(hub.card(entry, "me/vae", "mit")).data.license == "mit"
    checkpoint.write_json(mine / "run.json", {"data": "mnist"})
    assert ModelCard(hub.card(checkpoint.find("runs/mine"), "me/vae")).data.datasets == ["ylecun/mnist"]


def given(shelf, mine, **changes):
    """A foreign model on the shelf, with something wrong in it."""
    place = shelf.place / "they/model"
    shutil.copytree(mine, place)
    config = json.loads((place / "config.json").read_text())
    (place / "config.json").write_text(json.dumps(config | changes))
    return place


def refused(*words, **options):
    with pytest.raises(InputError, match=words[0]) as refusal:
        hub.pull("they/model", **options)
    assert "\n" not in str(refusal.value) and ".tmp" not in str(refusal.value)
    assert not any(checkpoint.roots()[0].glob("*model*"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"_class_name": "UNet2DModel"}, "UNet2DModel"), ({"auto_map": {"x": "y.py"}}, "does not know"),
     ({"size": -28}, "size is too small"), ({"widths": [30_000, 30_000]}, "of shape .* calls for"),
     ({"blocks": 10**9}, "many more weights"), ({"latent": 3}, "of shape")],
)  # fmt: skip
def test_a_foreign_config_is_verified(shelf, mine, changes, words):
    given(shelf, mine, **changes)
    refused(words)


def test_weights_that_are_not_safetensors_of_that_model_are_refused(shelf, mine):
    place = given(shelf, mine)
    shelf.sha256 = "0" * 64
    refused("not those that the Hub tells of")
    shelf.sha256 = None
    (place / checkpoint.WEIGHTS).write_bytes(b"x" * 2_000_000)
    refused("weights of 2,000,000 bytes, and its config.json calls for")
    assert checkpoint.WEIGHTS not in shelf.fetched[-3:], "they were not even fetched"
    (place / checkpoint.WEIGHTS).write_bytes(b"\x80\x02pickled")
    refused("pickle")
    (place / checkpoint.WEIGHTS).rename(place / "pytorch_model.bin")
    refused(r"no model\.safetensors; weights of other kinds")
    (place / "config.json").unlink()
    shutil.rmtree(shelf.place / "cache")
    refused(r"no config\.json")
    assert not [name for name in shelf.fetched if name.endswith((".bin", ".txt", ".lock"))]


@pytest.mark.parametrize("told", [{}, {"data": ".."}, {"data": 3}, {"data": ""}])
def test_what_it_was_trained_on_must_be_a_name(shelf, mine, told):
    checkpoint.write_json(given(shelf, mine) / "run.json", told)
    refused("name the data set to compare it with by --data")
    assert checkpoint.find(hub.pull("they/model", data="mnist")).dataset == "mnist"


def test_names_and_what_the_hub_says_are_sentences(shelf, monkeypatch):
    for name in ("model", "a/b/c", "../x", "a/..", "-/"):
        with pytest.raises(InputError, match="OWNER/NAME"):
            hub.pull(name)
        with pytest.raises(InputError, match="OWNER/NAME"):
            hub.push("runs/mine", name)
    with pytest.raises(InputError, match="A revision is"):
        hub.pull("a/b@../x")
    with pytest.raises(InputError, match="no model 'a/b' on the Hub"):
        hub.pull("a/b")
    with pytest.raises(InputError, match="A licence is a word"):
        hub.push("runs/mine", "a/b", "all rights\nreserved")
    monkeypatch.setattr(shelf, "create_repo", lambda *_, **__: (_ for _ in ()).throw(
        errors.HfHubHTTPError("403 Forbidden: no.\nMore.", response=answer(403))))  # fmt: skip
    with pytest.raises(InputError, match="does not let this token"):
        hub.push("runs/mine", "a/b")
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: None)
    with pytest.raises(InputError, match=r"without a token: log in with `hf auth login`, or set HF_TOKEN"):
        hub.push("runs/mine", "a/b")


def test_the_commands_and_no_network():
    """With the real client, which is told to stay off the network."""
    for words, said in [
        (["--pull", "a/b"], "could not be reached for 'a/b'"),
        ([], "Say either --push"), (["--push", "a/b"], "takes a CHECKPOINT"),
        (["--push", "a/b", "--pull", "a/b"], "Say either"), (["runs/mine", "--pull", "a/b"], "--out and --data alone"),
        (["runs/none", "--push", "a/b"], "There is no checkpoint"),
    ]:  # fmt: skip
        done = CliRunner().invoke(app, ["hub", *words])
        assert done.exit_code == 2 and said in done.stderr and len(done.stderr.strip().splitlines()) == 1, done.stderr


SPOKEN = """
import json, sys
from typer.testing import CliRunner
from gencore.cli import app
for words in json.loads(sys.argv[1]):
    done = CliRunner().invoke(app, ["hub", *words])
    print(json.dumps([done.exit_code, done.output]))
"""


def spoken(address, *commands):
    """What commands say, with the real client before a Hub at an address: (exit code, output) of each."""
    here = {"HF_ENDPOINT": address, "HF_HUB_OFFLINE": "0", "HF_TOKEN": "hf_secret", "HF_HUB_DISABLE_XET": "1"}
    here |= {"HF_HOME": "cache", "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", SPOKEN, json.dumps(commands)],
        env=os.environ | here, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_over_http_the_commands_give_out_and_take_in(mine, tmp_path):
    """With the real client, by LFS's protocol; the weights that come are checked against what the Hub tells of them."""
    place = Hub()
    place.files = {"evil.bin": b"a pickle", "code.py": b"import os"}
    with stand_in(place) as address:
        given, taken, spoilt = spoken(
            address,
            ("runs/mine", "--push", "someone/lab", "--license", "mit"),
            ("--pull", "someone/lab", "--out", "runs/theirs"),
            ("--pull", "someone/spoilt", "--out", "runs/spoilt", "--data", "mnist"),
        )
    assert given[0] == 0 and f"{address}/spaces/someone/lab/commit/{COMMIT_OF_STAND_IN}" in given[1], given
    assert (place.created["name"], place.created["organization"]) == ("lab", "someone")
    assert checkpoint.WEIGHTS in place.lfs and "notes.txt" not in place.files and "hf_secret" in place.tokens
    assert taken[0] == 0 and checkpoint_hash(tmp_path / "runs/theirs") == checkpoint_hash(mine), taken
    assert place.fetched.count(checkpoint.WEIGHTS) > 1 and not {"evil.bin", "code.py"} & {*place.fetched}
    assert spoilt[0] == 2 and not (tmp_path / "runs/spoilt").exists(), spoilt
