"""What the Dockerfile, the compose file, the lock file and the audit promise."""

import json
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from gencore.space.check import binary_patterns, is_binary
from tests.audit import verdict

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = (ROOT / "compose.yaml").read_text()


def instructions():
    """The Dockerfile's instructions, [('FROM', 'python:3.11-slim'), ...], with lines that go on joined."""
    lines = re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE).replace("\\\n", "").splitlines()
    return [tuple(line.split(maxsplit=1)) for line in lines if line.strip()]


def locked():
    """The lock file: {name: (version, hashes)}."""
    text = (ROOT / "requirements.lock").read_text().replace("\\\n", "")
    found = re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==(\S+)((?:\s+--hash=sha256:[0-9a-f]{64})+)", text, re.MULTILINE)
    assert len(found) == len(re.findall(r"^\w\S*==", text, re.MULTILINE)), "a package without a hash"
    return {name: (version, hashes.split()) for name, version, hashes in found}


def test_the_image_runs_as_nobody_in_particular_with_every_file_known():
    steps = instructions()
    names = [name for name, _ in steps]
    assert names[0] == "FROM" and set(names) <= {
        "FROM", "ENV", "WORKDIR", "ARG", "COPY", "RUN", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "CMD",
    }  # fmt: skip
    assert not [word for name, word in steps if name == "USER" and word in ("root", "0")]
    assert names.index("USER") > max(place for place, name in enumerate(names) if name == "RUN")
    assert any("--require-hashes" in word for name, word in steps if name == "RUN")
    health = dict(steps)["HEALTHCHECK"]
    assert "/healthz" in health and json.loads(health.partition("CMD")[2])[0] == "python"
    compile(json.loads(health.partition("CMD")[2])[2], "health check", "exec")
    assert json.loads(steps[-1][1]) == ["python", "/app/app.py"]


def test_what_the_image_copies_is_there_and_not_ignored():
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    sources = [word for name, words in instructions() if name == "COPY" for word in words.split()[:-1]]
    for source in sources:
        assert (ROOT / source).exists() and f"!{source}" in ignored
    assert "*" in ignored and {line[1:] for line in ignored if line.startswith("!")} == {*sources}


def test_the_compose_file_limits_what_the_app_may_do():
    for promise in (
        "read_only: true", "cap_drop: [ALL]", "no-new-privileges:true", "mem_limit: ", "pids_limit: ",
        "127.0.0.1:7860:7860", "TRILEMMA_PUBLIC",
    ):  # fmt: skip
        assert promise in COMPOSE


def test_the_lock_is_of_what_is_required_and_of_the_image_s_python():
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if re.match(r"\w", line)]
    packages = locked()
    for need in map(Requirement, lines):
        assert need.specifier.contains(Version(packages[need.name.lower().replace("_", "-")][0]).public), need
    assert packages["torch"][0].endswith("+cpu")
    assert dict(instructions())["FROM"] == "python:3.11-slim"
    text = (ROOT / "requirements.lock").read_text()
    assert not re.search(r"https?://|^-|file:", text, re.MULTILINE), "no index, no place of the machine that wrote it"
    assert "--python-version 3.11" in (ROOT / "Makefile").read_text()


def test_every_binary_file_is_marked():
    marked = [pattern.lstrip("*") for pattern in binary_patterns(ROOT)]
    places = [path for folder in ("checkpoints", "docs") for path in (ROOT / folder).rglob("*") if path.is_file()]
    assert not [path for path in places if is_binary(path) and path.suffix not in marked]


@pytest.mark.parametrize(
    ("packages", "code", "said"),
    [
        ([{"name": "a", "version": "1", "vulns": []}], 0, "No known vulnerabilities in the 1 packages"),
        ([{"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1"}]}], 1, "a 1: PYSEC-1"),
        ([{"name": "a", "version": "1", "vulns": []}, {"name": "b", "skip_reason": "not found"}], 3, "1 of 2 .*b"),
        ([], 3, "Not audited"),
    ],
)
def test_an_audit_that_asked_nobody_is_none(packages, code, said):
    assert verdict(json.dumps({"dependencies": packages}), "")[0] == code
    assert re.search(said, verdict(json.dumps({"dependencies": packages}), "")[1])
    assert verdict("", "ConnectionError: no route") == (
        3,
        "Not audited, as pip-audit could not ask its database: ConnectionError: no route",
    )
