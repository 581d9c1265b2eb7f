"""A fourth family from one file and one line: trained, listed, sampled, measured, and on the pages."""

import json

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from gencore import checkpoint
from gencore.cli import app
from gencore.evaluation import cost, rows
from tests.support import flow
from tests.support.small_root import small_root


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A root with features of digits and a flow trained for some steps from the command line."""
    threads = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch, flow.registered():
        folder = small_root(tmp_path_factory.mktemp("flow"))
        patch.setenv("GENCORE_CHECKPOINTS", str(folder))
        patch.setenv("GENCORE_DEVICE", "cpu")
        settings = "batch=32", "dtype=float32", "layout=contiguous", "threads=1", "timelapse=2", "validation_images=10"
        run("train", "digits/flow", "--images", 320, "--out", folder / "digits" / "flow", *settings)
        yield folder
    torch.set_num_threads(threads)


def run(*arguments):
    """What a command line says."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output + repr(result.exception)
    return result.output


def test_it_trains_and_its_loss_is_logged(root):
    folder = root / "digits" / "flow"
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [*range(1, 11)] and all(line["loss"] > 0 for line in lines)
    assert json.loads((folder / "run.json").read_text())["finished"]
    assert len(list((folder / "timelapse").iterdir())) > 2


def test_it_is_listed_and_samples(root, tmp_path):
    listed = run("list")
    assert "flow: Flow matching" in listed and "flow on digits" in listed and "num_inference_steps" in listed
    knobs = "--knob", "solver=euler", "--knob", "num_inference_steps=3"
    run("sample", "digits/flow", "-n", 2, "--out", tmp_path / "images.npy", *knobs)
    assert np.load(tmp_path / "images.npy").shape[0] == 2
    steps = list(checkpoint.load("digits/flow").sample([1], num_inference_steps=5))
    assert [step.index for step in steps] == [1, 2, 3, 4, 5]


def test_it_has_rows(root, monkeypatch):
    monkeypatch.setattr(cost, "SIZES", (1, 4))
    monkeypatch.setattr(cost, "MOST_REPEATS", 2)
    quick = "--n", 40, "--generations", 2, "--batch", 16, "--dtype", "float32"
    run("evaluate", "digits/flow", "--points", "sweep", "--rows", "quality", *quick)
    run("evaluate", "digits/flow", "--only", "Euler", "--points", "sweep", "--rows", "cost", *quick)
    path = root / "digits" / "rows.jsonl"
    kinds = [(row["kind"], row["point"]["label"]) for row in rows.read(path)[0] if row.get("checkpoint")]
    assert {("quality", "Heun, 10 calls"), ("quality", "Euler, 10 calls"), ("cost", "Euler, 10 calls")} <= set(kinds)


def test_it_has_a_lane_and_the_app_builds_with_it(root):
    from dashboard.app import build
    from dashboard.service.service import Service

    lanes = {lane.family: lane for lane in Service().lanes("digits")}
    assert lanes["flow"].title == "Flow matching" and not lanes["flow"].problem
    assert "Flow matching" in json.dumps(build(Service()).get_config_file(), default=str)
