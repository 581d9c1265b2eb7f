"""The tests on every Python that the project is for: `make pythons`; `nox -s tests-3.12 -- tests/gencore` for some.

Without the browser's and the slow ones, in an environment of its own for each. A Python that is not here is said and
left out; those that pyenv has are found where they lie. Where there is no torch for a Python, what needs none is
tested, and that is said. On Linux `PIP_EXTRA_INDEX_URL` with the README's address of PyTorch's builds for processors
spares several gigabytes for each.
"""

import json
import os
import sys
from pathlib import Path

import nox

PYTHONS = ("3.11", "3.12", "3.13")
SECOND = "3.12"  # a Space's
ROOT = Path(__file__).parent
PYENV = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
TORCH = {"torch", "diffusers", "accelerate", "datasets", "torchmetrics", "vendi-score"}  # it, and what imports it
UNUSED = {"gradio", "gradio_client", "mcp", "playwright", "ruff", "tensorboard", "prdc"}  # by what is left without them
QUICK = ("-p", "no:cacheprovider", "-m", "not browser and not slow")


def newest(version: str) -> Path | None:
    """Return pyenv's newest Python of a version such as '3.12', None where it has none."""
    found = [one for one in PYENV.glob(f"{version}.*") if (one / "bin" / f"python{version}").exists()]
    return max(found, key=lambda one: [int(part) for part in one.name.split(".") if part.isdigit()], default=None)


here = [str(one / "bin") for one in map(newest, PYTHONS) if one]
os.environ["PATH"] = os.pathsep.join([*here, os.environ["PATH"]])  # before pyenv's shims, which may point to none


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Install the project's ranges and run the tests that need neither a browser nor patience."""
    if not torch_here(session):
        session.warn(f"Python {session.python}: no torch is to be had here, so what needs none is tested alone.")
        return without_torch(session)
    session.install("-r", "requirements.txt", "-r", "requirements-dev.txt")
    session.run("pip", "check")
    session.run("pytest", *QUICK, *session.posargs)


@nox.session(python=SECOND, default=False)
def second(session: nox.Session) -> None:
    """Do the same in a minute: all that needs no torch, and the families where torch's build is a small one."""
    without_torch(session)
    build = torch_here(session)
    if sys.platform == "linux" and not build.endswith("+cpu"):
        session.warn(f"Python {session.python}: torch's build for processors is not to be had here, {build or 'none'}.")
        return
    session.install("-r", "requirements.txt", "-r", "requirements-dev.txt")
    session.run("pytest", *QUICK, "tests/gencore/families", "tests/dashboard/service/test_service.py")


def without_torch(session: nox.Session) -> None:
    """Compile all files, and run the tests that need no torch; the others are counted as skipped."""
    text = (ROOT / "requirements.txt").read_text() + (ROOT / "requirements-dev.txt").read_text()
    needs = [line for line in text.splitlines() if line[:1].isalpha()]
    session.install(*(line for line in needs if name_of(line) not in TORCH | UNUSED))
    session.run("python", "-m", "compileall", "-q", "app.py", "gencore", "dashboard", "tests")
    session.run("pytest", "--noconftest", "-p", "tests.support.without_torch", *QUICK, "-r", "fE", "-n", "0")


def name_of(line: str) -> str:
    """Return the package of a line of requirements."""
    return line.replace("[", " ").replace(">", " ").replace("=", " ").split()[0]


def torch_here(session: nox.Session) -> str:
    """Return the version of torch that pip would install for a session's Python, such as '2.13.0+cpu'; '' for none."""
    line = next(one for one in (ROOT / "requirements.txt").read_text().splitlines() if name_of(one) == "torch")
    report = Path(session.create_tmp()) / "torch.json"
    report.unlink(missing_ok=True)
    asked = ("pip", "install", "--dry-run", "--quiet", "--no-deps", "--ignore-installed", "--report", str(report), line)
    session.run(*asked, silent=True, success_codes=[0, 1])
    found = json.loads(report.read_text())["install"] if report.exists() else []
    return found[0]["metadata"]["version"] if found else ""
