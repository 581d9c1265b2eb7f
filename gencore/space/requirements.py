"""A Space's requirements.txt: the project's ranges, and the build of torch that its hardware wants."""

from __future__ import annotations

from gencore.space import zerogpu
from gencore.space.project import Project

PROCESSOR_BUILDS = "https://download.pytorch.org/whl/cpu"  # pip prefers 2.13.0+cpu of these to 2.13.0 with CUDA


def written_for(project: Project, hardware: str) -> str:
    """Return the text of requirements.txt for a Space of some hardware, such as 'cpu-basic' or 'zero-a10g'.

    Without a GPU, torch's builds for processors are found first: those that Linux gets by default take 5 GB more.
    ZeroGPU gets the newest torch that it runs and that the project's range admits, and the package with its decorator.
    """
    text = (project.root / "requirements.txt").read_text()
    if hardware.startswith("cpu-"):
        return f"--extra-index-url {PROCESSOR_BUILDS}\n{text}"
    if hardware == zerogpu.HARDWARE:
        need = project.requirements["torch"]
        newest = [*need.specifier.filter(zerogpu.TORCHES)][-1]
        lines = [f"torch=={newest}" if line.startswith("torch") else line for line in text.splitlines()]
        return "\n".join([*lines, zerogpu.SPACES, ""])
    return text
