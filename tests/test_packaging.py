"""What the README promises is what the files say."""

import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

from gencore import __version__
from gencore.cli import app
from gencore.presets import PRESETS

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
FRONT = dict(line.replace('"', "").split(": ", 1) for line in README.split("---\n")[1].splitlines())
RUN = "python -m venv .venv && .venv/bin/pip install -r requirements.txt && .venv/bin/python app.py"
TEST = ".venv/bin/pip install -r requirements-dev.txt && .venv/bin/pytest"


def requirements(file):
    """The ranges by package: {'gradio': ('6.31', '7')}; a line of another form fails."""
    lines = [line for line in (ROOT / file).read_text().splitlines() if re.match(r"\w", line)]
    return {name: (low, high) for name, low, high in (re.fullmatch(r"(\S+?)>=(.+),<(.+)", x).groups() for x in lines)}


def version(text):
    return tuple(map(int, text.split(".")))


def test_the_space_runs_what_is_required():
    low, high = requirements("requirements.txt")["gradio[mcp]"]
    assert version(low) <= version(FRONT["sdk_version"]) < version(high)
    metadata = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert version(FRONT["python_version"]) >= version(metadata["requires-python"].removeprefix(">="))
    assert (ROOT / FRONT["app_file"]).is_file()
    assert len(FRONT["short_description"]) < 60
    assert FRONT["license"].upper() == metadata["license"]


@pytest.mark.parametrize("command", [RUN, TEST])
def test_the_two_commands_stand_in_the_readme(command):
    assert f"```bash\n{command}\n```" in README


def test_ci_installs_and_tests_as_the_readme_says():
    script = (ROOT / ".ci/run").read_text()
    places = [
        script.index(f'"$venv/bin/{words}') for words in ('pip" install -qq -r requirements.txt',
        'pip" install -qq -r requirements-dev.txt', 'pytest"')
    ]  # fmt: skip
    assert places == sorted(places)


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_bounded_and_accounted_for(file):
    account = (ROOT / "docs/dependencies.md").read_text()
    for name, (low, high) in requirements(file).items():
        assert f"\n| {name} | >={low},<{high} |" in account


def test_what_npm_brings_is_pinned_accounted_for_and_private():
    packages = json.loads((ROOT / "package.json").read_text())
    account = (ROOT / "docs/dependencies.md").read_text()
    assert packages["private"] and "dependencies" not in packages
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    for name, pinned in packages["devDependencies"].items():
        assert f"\n| {name} | {pinned} |" in account and locked[f"node_modules/{name}"]["version"] == pinned
    hosts = {package.get("resolved", "https://registry.npmjs.org/").split("/")[2] for package in locked.values()}
    assert hosts == {"registry.npmjs.org"}


def commands():
    """The command lines of the README, their comments cut off."""
    return [line.partition("  #")[0] for line in README.splitlines() if line.startswith(".venv/bin/python -m gencore")]


@pytest.mark.parametrize("line", commands())
def test_the_readme_s_command_lines_are_understood(line):
    name, *words = shlex.split(line)[3:]
    command = get_command(app).commands[name]
    values = command.make_context(name, words).params
    assert values.get("preset") in {*PRESETS, None}


def test_the_readme_shows_every_basic_command():
    assert {shlex.split(line)[3] for line in commands()} >= {"list", "train", "sample", "benchmark"}


def test_the_readme_s_times_are_those_of_the_format_that_its_distances_are_in():
    """Each is of a row of costs in bfloat16, 16 images at once; a time that no row has is none to print."""
    table = re.findall(r"\| \[(mnist/\w+)\]\([^|]*\| ([^|]+) \| [\d.]+ \| (\d+) \| ([\d.]+) \|", README)
    lines = map(json.loads, (ROOT / "checkpoints/mnist/rows.jsonl").read_text().splitlines())
    times = {
        (row["checkpoint"], row["point"]["label"], str(row["calls"])): batch["ms_per_image"]
        for row in lines
        if row["kind"] == "cost" and row["settings"]["dtype"] == "bfloat16"
        for batch in row["batches"]
        if batch["n"] == 16
    }
    assert len(table) == 4
    for *where, ms in table:
        assert f"{times[tuple(where)]:.{len(ms.partition('.')[2])}f}" == ms
    assert "bfloat16" in README.partition("## Results")[2].partition("| checkpoint |")[0].partition("Time:")[2]


def test_version_and_changelog_have_their_form():
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text()
