"""The checkout as a Space: what the Hub would refuse is said before, and what is uploaded arrives whole."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from typer.testing import CliRunner

from gencore.cli import app
from gencore.space import zerogpu
from gencore.space.check import is_binary, problems_of
from gencore.space.project import Project
from gencore.space.requirements import PROCESSOR_BUILDS, written_for
from tests.support.stand_in_hub import Hub, stand_in

ROOT = Path(__file__).resolve().parents[3]
README = "---\n" + (ROOT / "README.md").read_text().split("---\n")[1] + "---\n# A lab\n"


@pytest.fixture
def project(tmp_path):
    """A small checkout with the real front matter and requirements."""
    for folder in ("gencore", "dashboard", "tests", "runs", "docs/screenshots", "checkpoints", ".git"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("requirements.txt", "pyproject.toml", "app.py", ".gitattributes"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    (tmp_path / "README.md").write_text(README)
    (tmp_path / "docs/screenshots/trilemma-light.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    (tmp_path / "checkpoints/model.safetensors").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "checkpoints/.DS_Store").write_bytes(b"\0")
    (tmp_path / "runs/mine.txt").write_text("mine")
    (tmp_path / "secret.env").write_text("HF_TOKEN=x")
    return Project(tmp_path)


def edited(project, old, new, file="README.md"):
    """The problems of a project after an edit."""
    path = project.root / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return problems_of(Project(project.root))


def test_the_project_itself_is_ready_and_its_checkout_marks_what_is_binary():
    project = Project(ROOT)
    assert problems_of(project) == []
    names = [path.relative_to(ROOT).as_posix() for path in project.files()]
    assert {"app.py", "README.md", "checkpoints/mnist/vae/model.safetensors"} <= {*names}
    assert not [name for name in names if name.startswith(("tests/", "runs/", ".")) or "__pycache__" in name]
    assert sum(map(is_binary, project.files())) > 100


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("emoji: 🔺", "emoji: triangle", "only an emoji is allowed"),
        ("colorTo: green", "colorTo: gren", "'gren'; did you mean 'green'"),
        ("sdk: gradio", "sdk: streamlit", "this is a Gradio app"),
        ("sdk_version: 6.31.0", "sdk_version: 5.0.0", "not in requirements.txt's gradio"),
        ("sdk_version: 6.31.0", "sdk_version: 6.31", "must be a text, not 6.31"),
        ('python_version: "3.12.12"', "python_version: 3.10.13", "pyproject.toml asks for >=3.11"),
        ('python_version: "3.12.12"', "python_version: 3.12.1", "ZeroGPU runs Python 3.12.12 and 3.10.13"),
        ('python_version: "3.12.12"', "python_version: latest", "takes 3.x and 3.x.y"),
        ("app_file: app.py", "app_file: main.py", "is not there"),
        ("license: mit", "license: gpl", "pyproject.toml's 'mit'"),
        ("license: mit\n", "", "lacks license"),
        ("measured side by side", "measured side by side, at every setting of every one", "the Hub takes 60"),
        ("thumbnail: docs/", "thumbnail: images/", "neither an https address nor an image"),
        ("tags: [", "tags: x # [", "must be a list of texts"),
        ("ylecun/mnist", "yle cun/mnist", "no id of the Hub"),
        ("zero-a10g", "zero", "suggested_hardware is 'zero'"),
        ("pinned:", "pined:", "did you mean 'pinned'"),
    ],
)
def test_each_thing_the_hub_refuses_is_one_line(project, old, new, said):
    problems = edited(project, old, new)
    assert 1 <= len(problems) <= 2 and re.search(said, "; ".join(problems)) and "\n" not in "".join(problems), problems


def test_requirements_that_the_space_cannot_have(project):
    assert "ZeroGPU runs torch 2.8.0" in edited(project, "torch>=2.8,<2.14", "torch>=2.12,<2.14", "requirements.txt")[0]
    assert "no lower bound for scipy" in edited(project, "scipy>=1.15,<2", "scipy", "requirements.txt")[0]


def test_files_that_the_hub_refuses(project):
    assert problems_of(project) == []
    (project.root / "docs/film.mp4").write_bytes(b"\0\1")
    (project.root / "docs/long.txt").write_text("x" * (10 * 2**20 + 1))
    binary, long = problems_of(project)
    assert "add `*.mp4 binary`" in binary and "text of 10 MiB" in long


def test_the_command_says_each_problem_and_ends_with_2(project, monkeypatch):
    monkeypatch.chdir(project.root)
    ready = CliRunner().invoke(app, ["space", "--check"])
    assert ready.exit_code == 0 and re.match(r"Ready for the Hub: \d+ files", ready.stdout), ready.output
    edited(project, "colorTo: green", "colorTo: gold")
    refused = CliRunner().invoke(app, ["space", "--check"])
    assert refused.exit_code == 2 and refused.stdout.startswith("README.md's colorTo is 'gold'")
    (project.root / "README.md").write_text("# A lab")
    assert "no front matter" in CliRunner().invoke(app, ["space", "--check"]).stderr
    assert "takes --check" in CliRunner().invoke(app, ["space"]).stderr


def test_an_installed_package_is_no_checkout(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("gencore.space.project.__file__", str(tmp_path / "site-packages/gencore/space/project.py"))
    result = CliRunner().invoke(app, ["space", "--check"])
    assert result.exit_code == 2 and "made of a checkout" in result.stderr


def test_each_hardware_gets_its_torch(project):
    lines = written_for(project, zerogpu.HARDWARE).splitlines()
    assert "torch==2.11.0" in lines and lines[-1].startswith("spaces>=")
    assert {Requirement(line).name for line in lines if not line.startswith("#")} >= {"gradio", "spaces"}
    assert written_for(project, "cpu-basic").startswith(f"--extra-index-url {PROCESSOR_BUILDS}\n")
    assert written_for(project, "t4-small") == (ROOT / "requirements.txt").read_text()


def push(project, address, **environment):
    """What `space --push` says: (exit code, output); in a process, as the Hub's client reads the environment once."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("HF_")} | {
        "HF_ENDPOINT": address, "HF_TOKEN": "hf_stand_in", "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HOME": str(project.root / "runs/hf"), "PYTHONPATH": str(ROOT),
    } | environment  # fmt: skip
    command = [sys.executable, "-m", "gencore", "space", "--push", "someone/lab"]
    done = subprocess.run(command, cwd=project.root, env=env, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


def test_the_files_arrive_whole_and_binaries_outside_of_git(project):
    hub = Hub(existing=["old.py", "app.py"])
    with stand_in(hub) as address:
        code, said = push(project, address)
    assert code == 0 and f"{address}/spaces/someone/lab\n" in said, said
    assert (hub.created["type"], hub.created["sdk"], hub.created["hardware"]) == ("space", "gradio", "zero-a10g")
    assert hub.tokens <= {"hf_stand_in", ""} and hub.deleted == {"old.py"}
    weights = "checkpoints/model.safetensors"
    assert hub.lfs == {weights, "docs/screenshots/trilemma-light.png"}
    assert hub.files[weights] == (project.root / weights).read_bytes()
    assert f"thumbnail: {address}/spaces/someone/lab/resolve/main/docs/".encode() in hub.files["README.md"]
    assert b"torch==2.11.0" in hub.files["requirements.txt"]
    assert not [name for name in hub.files if name.startswith((".", "runs", "tests", "secret"))]


@pytest.mark.parametrize(
    ("status", "environment", "said"),
    [
        (401, {}, "hf auth login"),
        (402, {}, "free account hosts Gradio on ZeroGPU alone"),
        (403, {}, "may not write to someone/lab"),
        (200, {"HF_ENDPOINT": "http://127.0.0.1:9"}, "The Hub cannot be reached"),
        (200, {"HF_HUB_OFFLINE": "1"}, "while HF_HUB_OFFLINE=1 is set"),
        (200, {"HF_TOKEN": ""}, "hf auth login"),
    ],
)
def test_what_the_hub_refuses_is_one_sentence(project, status, environment, said):
    with stand_in(Hub(refuse=status if status != 200 else None)) as address:
        code, output = push(project, address, **environment)
    assert code == 2 and said in output and "Traceback" not in output, output
    assert output.splitlines()[-1].startswith("Error: ")
