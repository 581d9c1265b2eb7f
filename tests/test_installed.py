"""`pip install .` and use outside the checkout: shipped checkpoints are found, nothing is written into the package."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gencore import checkpoint
from gencore.errors import InputError
from gencore.evaluation import rows

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("pyproject.toml", "setup.py", "requirements.txt", "README.md", "LICENSE", "gencore", "dashboard")
PROGRAM = """
import sys, gencore, dashboard.app
from dashboard.service import Service
service = Service()
demo = dashboard.app.build(service)
lane = service.lane("mnist", "vae")
print(gencore.__file__, lane.checkpoint, lane.problem, len(demo.fns) > 10)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder of packages with the project and one of its checkpoints in it, as pip installs them."""
    tree, target = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("site-packages")
    skip = shutil.ignore_patterns("__pycache__")
    for part in PARTS:
        whole = (ROOT / part).is_dir()
        (shutil.copytree(ROOT / part, tree / part, ignore=skip) if whole else shutil.copy(ROOT / part, tree / part))
    shutil.copytree(ROOT / "checkpoints/mnist/vae", tree / "checkpoints/mnist/vae")
    shutil.copytree(ROOT / "checkpoints/mnist/vae", tree / "checkpoints/.hidden")
    command = "-m pip install --quiet --no-deps --no-index --no-build-isolation --no-compile --target"
    subprocess.run([sys.executable, *command.split(), str(target), str(tree)], check=True, capture_output=True)
    return target


@pytest.fixture
def python(installed, tmp_path):
    """Runs Python in an empty folder, with the packages that are installed."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("GENCORE_")}
    env |= {
        "PYTHONPATH": str(installed),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONSAFEPATH": "1",
        "GENCORE_DEVICE": "cpu",
    }

    def call(*words):
        return subprocess.run(
            [sys.executable, *words], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300
        )

    return call


def state(folder):
    return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in sorted(folder.rglob("*"))}


@pytest.mark.slow
def test_it_works_from_an_empty_folder_and_writes_only_there(installed, python, tmp_path):
    before = state(installed)
    assert (installed / "bin/trilemma").is_file() and not (installed / "gencore/shipped/.hidden").exists()
    listed = python("-m", "gencore", "list")
    assert re.search(r"^\s+mnist/vae\s", listed.stdout, re.MULTILINE), listed.stderr
    small = ["images=64", "batch=32", "widths=8,8", "timelapse=0", "dtype=float32"]
    assert python("-m", "gencore", "train", "digits/vae", *small).returncode == 0
    assert (tmp_path / "runs/digits/vae/model.safetensors").is_file()
    made = python("-m", "gencore", "features", "digits", "--extractor", "pixels")
    assert (tmp_path / "runs/digits/features/pixels.safetensors").is_file(), made.stderr
    app = python("-c", PROGRAM)
    assert app.stdout.split() == [str(installed / "gencore/__init__.py"), "mnist/vae", "True"], app.stderr
    assert state(installed) == before


def test_rows_of_what_is_installed_go_under_the_user_s_root(tmp_path, monkeypatch):
    """And those that are shipped with it count as measured."""
    shipped = tmp_path / "gencore/shipped"
    for place in (checkpoint, rows):
        monkeypatch.setattr(place, "INSTALLED", shipped)
    monkeypatch.delenv("GENCORE_CHECKPOINTS", raising=False)
    monkeypatch.chdir(tmp_path)
    theirs, mine = shipped / "mnist/rows.jsonl", tmp_path / "runs/mnist/rows.jsonl"
    shutil.copytree(ROOT / "checkpoints/mnist/vae", shipped / "mnist/vae")
    assert checkpoint.roots() == [shipped, tmp_path / "runs"]
    assert rows.path_for(checkpoint.find("mnist/vae")) == mine == rows.own_place(theirs)
    assert rows.beside(mine) == [mine]
    theirs.write_text((ROOT / "checkpoints/mnist/rows.jsonl").read_text())
    assert rows.beside(mine) == [theirs, mine]
    for write in (rows.append_line, checkpoint.write_json):
        with pytest.raises(InputError, match="is part of the installed package"):
            write(theirs, {})
