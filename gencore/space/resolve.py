"""Whether a Space's requirements can be installed at all: asked of the package index, without installing anything."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from gencore.errors import InputError
from gencore.space.project import Project
from gencore.space.requirements import written_for

PLATFORM = "x86_64-manylinux_2_28"  # what Spaces run on
SECONDS = 300


def resolve(project: Project, hardware: str) -> str:
    """Return, in one line, that what a Space of some hardware would install fits together on its Python.

    uv does it, as it reads the packages' metadata alone, where pip would first download several GB of torch.

    Raises:
        InputError: if it does not, or nobody can be asked.
    """
    if not (uv := shutil.which("uv")):
        raise InputError("--resolve asks uv, which is not here: pip install uv.")
    python = ".".join(str(project.front["python_version"]).split(".")[:2])
    with tempfile.TemporaryDirectory() as scratch:
        asked, found = Path(scratch, "requirements.in"), Path(scratch, "found.txt")
        asked.write_text(written_for(project, hardware))
        command = [uv, "pip", "compile", asked, "-o", found, "--quiet", "--no-header", "--no-annotate",
                   "--python-version", python, "--python-platform", PLATFORM, "--only-binary", ":all:"]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            raise InputError(f"The package index did not answer within {SECONDS} s.") from None
        if done.returncode:
            raise InputError(f"The requirements do not resolve on Python {python}: {' '.join(done.stderr.split())}")
        lines = [line for line in found.read_text().splitlines() if "==" in line]
    torch = next((line for line in lines if line.startswith("torch==")), "no torch")
    return f"Resolved for Python {python} and {hardware}: {len(lines)} packages, {torch} among them."
