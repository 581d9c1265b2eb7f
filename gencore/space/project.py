"""A checkout of the project, and what of it makes a Space."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

from gencore.errors import InputError

# What a Space needs, and no more: no tests, no runs, nothing that happens to lie beside it.
PARTS = (
    "README.md", "LICENSE", "CHANGELOG.md", "app.py", "setup.py", "pyproject.toml", "MANIFEST.in", "requirements.txt",
    "gencore", "dashboard", "checkpoints", "docs",
)  # fmt: skip
NEEDED = ("README.md", "app.py", "pyproject.toml", "requirements.txt", "gencore", "dashboard")


@dataclass(frozen=True)
class Project:
    """A checkout.

    Attributes:
        root: Its folder.
    """

    root: Path

    def files(self) -> Iterator[Path]:
        """Yield the files that make the Space, each below the root; hidden ones and compiled Python are left out."""
        for part in PARTS:
            place = self.root / part
            for path in [place] if place.is_file() else sorted(place.rglob("*")):
                inside = path.relative_to(self.root).parts
                if path.is_file() and not any(name.startswith(".") or name == "__pycache__" for name in inside):
                    yield path

    @cached_property
    def front(self) -> dict[str, Any]:
        """The README's front matter, which configures the Space.

        Raises:
            InputError: if it has none, or it is no YAML mapping.
        """
        from huggingface_hub.repocard import metadata_load

        try:
            found = metadata_load(self.root / "README.md")
        except Exception as error:  # yaml's own, or a mapping that is none
            raise InputError(f"README.md's front matter is no YAML mapping: {' '.join(str(error).split())}") from None
        if not found:
            raise InputError("README.md has no front matter, which configures the Space.")
        return found

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """The table `project` of pyproject.toml."""
        return tomllib.loads((self.root / "pyproject.toml").read_text())["project"]

    @cached_property
    def requirements(self) -> dict[str, Requirement]:
        """The lines of requirements.txt, by the package's name.

        Raises:
            InputError: if a line is no requirement.
        """
        lines = [line.partition("#")[0].strip() for line in (self.root / "requirements.txt").read_text().splitlines()]
        try:
            found = [Requirement(line) for line in lines if line]
        except InvalidRequirement as error:
            raise InputError(f"requirements.txt has a line that is no requirement: {error}") from None
        return {one.name: one for one in found}


def find_project() -> Project:
    """Return the checkout in the working folder, else the one that this package lies in.

    Raises:
        InputError: if there is neither, as where the project was installed by pip.
    """
    for root in (Path.cwd(), Path(__file__).resolve().parents[2]):
        if all((root / part).exists() for part in NEEDED):
            return Project(root)
    raise InputError(
        "A Space is made of a checkout of the project, which an installed package is not: clone it, and run this there."
    )
