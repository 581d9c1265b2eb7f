"""The tests on every Python that the project is for: `make pythons`; `nox -s tests-3.12 -- tests/gencore` for some.

Without the browser's and the slow ones, in an environment of its own for each. A Python that is not here is said and
left out; those that pyenv has are found where they lie. On Linux `PIP_EXTRA_INDEX_URL` with the README's address of
PyTorch's builds for processors spares several gigabytes for each.
"""

import os
from pathlib import Path

import nox

PYTHONS = ("3.11", "3.12", "3.13")
ROOT = Path(__file__).parent
PYENV = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"


def newest(version: str) -> Path | None:
    """Return pyenv's newest Python of a version such as '3.12', None where it has none."""
    found = [one for one in PYENV.glob(f"{version}.*") if (one / "bin" / f"python{version}").exists()]
    return max(found, key=lambda one: [int(part) for part in one.name.split(".") if part.isdigit()], default=None)


here = [str(one / "bin") for one in map(newest, PYTHONS) if one]
os.environ["PATH"] = os.pathsep.join([*here, os.environ["PATH"]])  # before pyenv's shims, which may point to none


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Install the project's ranges and run the tests that need neither a browser nor patience."""
    session.install("-r", "requirements.txt", "-r", "requirements-dev.txt")
    session.run("pip", "check")
    session.run("pytest", "-p", "no:cacheprovider", "-m", "not browser and not slow", *session.posargs)
