"""A throw-away environment for races against libraries that nothing else here needs: `.venv-race`.

python benchmarks/environment.py SCRIPT [arguments]: makes it where it is missing, and runs a script in it. It sees the
packages of the environment that makes it, and adds those of peers.txt; delete the folder to be rid of it.
"""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLACE, PEERS = ROOT / ".venv-race", Path(__file__).with_name("peers.txt")


def made() -> Path:
    """Return the environment's Python, once all is installed."""
    python = PLACE / "bin" / "python"
    done = PLACE / "installed"
    if not done.exists() or done.read_text() != PEERS.read_text():
        venv.create(PLACE, with_pip=True, clear=True)
        inside = {"base": str(PLACE), "platbase": str(PLACE)}
        Path(sysconfig.get_path("purelib", vars=inside), "parent.pth").write_text(sysconfig.get_path("purelib"))
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", "-r", PEERS], check=True)
        done.write_text(PEERS.read_text())
    return python


if __name__ == "__main__":
    sys.exit(subprocess.run([made(), *sys.argv[1:]], cwd=ROOT).returncode)
