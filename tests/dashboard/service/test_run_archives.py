"""A comparison taken away as a ZIP, and taken in: as it was, or refused."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest
import torch

from dashboard.results.question import ask
from dashboard.service import Service, comparisons, public, run_archives, run_rows
from gencore import FAMILIES, checkpoint
from gencore.comparison.state import FILE, Member, State, write_state
from gencore.errors import InputError
from gencore.evaluation import rows

SHIPPED = Path(__file__).resolve().parents[3] / "checkpoints" / "mnist" / "rows.jsonl"


@pytest.fixture(autouse=True)
def root(open_root):
    return open_root


@pytest.fixture
def zipped(root, tmp_path):
    """The ZIP of a comparison with one model."""
    torch.manual_seed(0)
    folder = root / "mine"
    checkpoint.save_model(folder / "vae", FAMILIES["vae"](size=8, widths=(8, 16)))
    for name in ("state.safetensors", "log.jsonl", "timelapse/000000001.png", ".hidden", "script.py"):
        checkpoint.write_atomic(folder / "vae" / name, b"{}")
    run = {"data": "/home/me/shapes", "identity": {"train": {"sha256": "a" * 64}}, "init": {"checkpoint": "/home/me/y"}}
    run["command"] = f"python -m gencore train --out {tmp_path}/x data=/home/me/shapes"
    checkpoint.write_json(folder / "vae" / "run.json", run)
    (folder / "vae" / "README.md").write_text("Trained on /home/me/shapes.")
    members = (Member("vae", "vae", words="/home/me/shapes/3.png is gone."), Member("gan", "gan"))
    write_state(folder, State("/home/me/shapes", {"size": 8}, 2.0, members, "now", phase="stopped"))
    return run_archives.pack(comparisons.find("mine"), tmp_path)


def test_what_others_need_is_packed(zipped):
    assert sorted(zipfile.ZipFile(zipped).namelist()) == [
        "comparison.json", "rows.jsonl", "vae/README.md", "vae/config.json", "vae/log.jsonl", "vae/model.safetensors",
        "vae/run.json", "vae/timelapse/000000001.png",
    ]  # fmt: skip
    assert run_archives.is_run(zipped)


def test_what_is_packed_names_no_folder_of_this_machine(zipped, root):
    with zipfile.ZipFile(zipped) as archive:
        names = [name for name in archive.namelist() if not name.endswith((".safetensors", ".png"))]
        texts = {name: archive.read(name).decode() for name in names}
    for name, text in texts.items():
        assert "/home/me" not in text and str(root.parent) not in text, name
    run = json.loads(texts["vae/run.json"])
    assert (run["data"], run["init"]["checkpoint"], run["command"].split()[:4]) == (
        "shapes", "y", ["python", "-m", "gencore", "train"]
    )  # fmt: skip
    assert texts["vae/README.md"] == "Trained on shapes."
    assert json.loads(texts["comparison.json"])["members"][0]["words"] == "3.png is gone."


def shipped_rows(root, name, dataset):
    """Rows of a point's quality and cost, and of real images, as if they were of the checkpoint `name`."""
    found = {}
    for row in rows.read(SHIPPED)[0]:
        if row["kind"] == "real" or (row["checkpoint"] == "mnist/vae" and row["point"]["label"] == "fitted prior"):
            found.setdefault(row["kind"], row)
    digest = rows.checkpoint_hash(root / name.removeprefix("runs/"))
    for kind in ("quality", "cost"):
        found[kind] = found[kind] | {"checkpoint": name, "hashes": {**found[kind]["hashes"], "checkpoint": digest}}
    n = found["quality"]["n"]
    data = {"data": {"test": "b" * 16}}
    return [
        row
        | data
        | {"dataset": dataset, "command": "python -m gencore evaluate /home/me/mine/vae"}
        | ({"n": n} if "n" in row else {})
        for row in (found["real"], found["quality"], found["cost"])
    ]


@pytest.fixture
def measured(zipped, root, tmp_path):
    """The ZIP of a comparison whose model was measured, and is timed on another machine."""
    mine = shipped_rows(root, "runs/mine/vae", "/home/me/shapes")
    for row in [mine[1] | {"checkpoint": "runs/others/vae"}, *mine, mine[1] | {"hashes": {"checkpoint": "0" * 16}}]:
        rows.append(rows.rows_path("/home/me/shapes", root), row)
    return run_archives.pack(comparisons.find("mine"), tmp_path)


def test_rows_go_with_it_and_stand_with_its_data_elsewhere(measured, root, tmp_path):
    with zipfile.ZipFile(measured) as archive:
        packed = [json.loads(line) for line in archive.read("rows.jsonl").decode().splitlines()]
    assert [(row["kind"], row["checkpoint"], row["dataset"]) for row in packed] == [
        ("real", "", "shapes"), ("quality", "vae", "shapes"), ("cost", "vae", "shapes"),
    ]  # fmt: skip
    shutil.rmtree(root)
    name, _ = run_archives.take_in(measured)
    service = Service()
    found = service.measurements("shapes")
    (point,) = found.points
    assert (point.checkpoint, point.stale, point.title) == (f"runs/{name}/vae", "", "VAE") and point.cost
    assert found.baseline(point.n) is not None and not found.problems
    question = ask(found)
    assert [one.checkpoint for one in question.points] == [point.checkpoint], "it stands in the triangle"
    again, _ = run_archives.take_in(measured)
    assert sorted(one.checkpoint for one in Service().measurements("shapes").points) == sorted(
        [point.checkpoint, f"runs/{again}/vae"]
    )


def test_rows_of_other_images_of_the_name_get_a_name_of_their_own(measured, root):
    other = checkpoint.read_json(root / "mine" / "vae" / "run.json") | {"identity": {"train": {"sha256": "c" * 64}}}
    checkpoint.write_json(root / "mine" / "vae" / "run.json", other)
    name, (taken,) = run_archives.take_in(measured)
    entry = checkpoint.find(root / name / "vae")
    assert entry.dataset == "shapes-2" and comparisons.find(name).state.data == "shapes-2"
    assert [one.checkpoint for one in Service().measurements("shapes-2").points] == [f"runs/{taken}"]


@pytest.mark.parametrize("odd", [{"hashes": {"checkpoint": "0" * 16}}, {"checkpoint": "../x"}, {"family": "gan"}])
def test_rows_that_are_not_its_own_are_passed_over(measured, root, tmp_path, odd):
    def forged(members):
        lines = [json.dumps(json.loads(line) | odd) for line in members["rows.jsonl"].decode().splitlines()[1:]]
        return members | {"rows.jsonl": "\n".join([*lines, "no row", "{}"]).encode()}

    shutil.rmtree(root)
    run_archives.take_in(repacked(measured, tmp_path / "forged.zip", forged))
    assert not Service().measurements("shapes").points


def test_it_is_not_gone_on_with_where_it_was_brought(zipped, root):
    name, _ = run_archives.take_in(zipped)
    one = comparisons.find(name)
    assert one.job.brought and "no state to go on from" in one.lacking
    with pytest.raises(InputError, match="cannot be resumed"):
        comparisons.resume(name)
    mine = comparisons.find("mine")
    assert not mine.lacking, "this one has its state"
    (root / "mine" / "vae" / "state.safetensors").unlink()
    assert mine.lacking


def test_it_comes_back_as_it_was(zipped, root):
    name, found = run_archives.take_in(zipped)
    assert (name, found) == ("mine-2", ["mine-2/vae"])
    one = comparisons.find("mine-2")
    assert (one.status, one.job.view, one.job.pid) == ("stopped", {"size": 8}, 0)
    before, after = (checkpoint.load(root / where / "vae", device="cpu").state_dict() for where in ("mine", "mine-2"))
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert checkpoint.read_json(root / "mine-2" / "vae" / "run.json")["data"] == "shapes"  # no path of another machine
    assert not list(root.glob(".incoming*"))


def repacked(source, target, change):
    """A copy of a ZIP with its members changed."""
    with zipfile.ZipFile(source) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in change(members).items():
            archive.writestr(name, content)
    return target


def test_one_in_a_wrapper_and_one_without_a_state(zipped, tmp_path):
    wrapped = repacked(zipped, tmp_path / "w.zip", lambda members: {f"w/{name}": one for name, one in members.items()})
    assert run_archives.take_in(wrapped)[1] == ["w/vae"] and comparisons.find("w").status == "stopped"
    bare = repacked(zipped, tmp_path / "b.zip", lambda members: members | {"comparison.json": b"{"})
    assert run_archives.take_in(bare)[1] == ["b/vae"]
    assert "b" not in [one.name for one in comparisons.comparisons()]


def outside(members):
    state = json.loads(members["comparison.json"])
    state["members"][0]["checkpoint"] = "../../secret"
    return members | {"comparison.json": json.dumps(state).encode()}


def test_a_state_that_points_outside_is_dropped(zipped, tmp_path, root):
    name, _ = run_archives.take_in(repacked(zipped, tmp_path / "o.zip", outside))
    assert not (root / name / "comparison.json").exists()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"vae/model.safetensors": b"\x80\x02 a pickle"}, "pickle"),
        ({"vae/config.json": b"{}"}, "_class_name"),
        ({"gan/model.safetensors": b"x"}, "config.json"),
        ({"../x/config.json": b"{}"}, "leads out"),
    ],
)
def test_what_is_no_checkpoint_is_refused(zipped, tmp_path, root, changed, reason):
    path = repacked(zipped, tmp_path / "bad.zip", lambda members: members | changed)
    before = sorted(root.iterdir())
    with pytest.raises(InputError, match=reason) as caught:
        run_archives.take_in(path)
    assert str(root) not in str(caught.value) and sorted(root.iterdir()) == before


def test_nothing_to_pack(root, tmp_path):
    (root / "new").mkdir(parents=True)
    write_state(root / "new", State("digits", {}, 2.0, (Member("vae", "vae"),), "now"))
    with pytest.raises(InputError, match="no checkpoint yet"):
        run_archives.pack(comparisons.find("new"), tmp_path)


def test_not_in_a_public_app(zipped, monkeypatch):
    monkeypatch.setenv(public.SPACE, "me/space")
    with pytest.raises(InputError, match="public"):
        run_archives.take_in(zipped)


def test_a_checkpoint_without_a_folder_of_its_own_is_refused_in_a_sentence(root, zipped, tmp_path):
    flat = tmp_path / "flat.zip"
    with zipfile.ZipFile(zipped) as archive, zipfile.ZipFile(flat, "w") as other:
        for name in archive.namelist():
            if name.startswith("vae/"):
                other.writestr(name.removeprefix("vae/"), archive.read(name))
    with pytest.raises(InputError, match=r"flat\.zip has no checkpoint in a folder of its own"):
        run_archives.take_in(flat)


@pytest.mark.parametrize(
    "odd", [{"words": 5}, {"minutes": "20"}, {"view": {"out": "/x"}}, {"view": {"families": "gan"}}]
)
def test_a_comparison_of_anybodys_is_no_command_line_of_ours(root, zipped, tmp_path, odd):
    """What is odd loses its state, and stops no other comparison."""
    strange = tmp_path / "strange.zip"
    with zipfile.ZipFile(zipped) as archive, zipfile.ZipFile(strange, "w") as other:
        for name in archive.namelist():
            content = archive.read(name)
            if name == FILE:
                content = json.dumps(json.loads(content) | odd)
            other.writestr(name, content)
    name, _ = run_archives.take_in(strange)
    assert name not in [one.name for one in comparisons.comparisons()]
    assert not (root / name / FILE).exists()


@pytest.mark.parametrize(
    ("name", "plain"),
    [("digits", "digits"), ("somebody/cats", "somebody/cats"), ("runs/uploads/cats", "runs/uploads/cats"),
     ("/home/me/cats", "cats"), ("~/cats", "cats"), ("../me/cats", "cats"), ("/", "unknown"), ("", "unknown"),
     ("C:\\Users\\me\\cats", "cats"), ("C:/Users/me/cats", "cats"), ("\\\\host\\share\\cats", "cats")],
)  # fmt: skip
def test_of_a_path_the_last_part_is_named_alone(name, plain):
    assert run_rows.data_name(name) == plain
