"""`python -m tests.bench.image [TORCH_BUILDS]`: the Dockerfile's steps without a container, for where there is none.

In a fresh environment of this Python: what is copied, installed with hashes, set and started, by whoever runs this,
until the health check is content. TORCH_BUILDS is where torch's build for processors is found. With `--installed`, as
CI has it, in the environment that runs this, which is as fresh there; nothing is installed then.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.browser import free_port
from tests.test_deployment import ROOT, instructions

PATIENCE = 120  # s for the app to be healthy
INSTALLED = "--installed"


def step(name: str, words: str, place: Path, env: dict[str, str]) -> None:
    """Do one instruction that is not about a container's own users, ports and volumes."""
    print(f"{name} {words[:100]}", flush=True)
    if name in ("ENV", "ARG"):
        for pair in shlex.split(words):
            key, _, value = pair.partition("=")
            env.setdefault(key, value) if name == "ARG" else env.update({key: value})
    elif name == "COPY":
        *sources, _ = words.split()
        for source in sources:
            copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
            copy(ROOT / source, place / source)
    elif name == "RUN" and words.startswith("pip "):
        subprocess.run(words, shell=True, cwd=place, env=env, check=True)


def main(builds: str = "") -> None:
    """Follow the Dockerfile; raises what goes wrong."""
    with tempfile.TemporaryDirectory() as folder:
        place, data = Path(folder) / "app", Path(folder) / "data"
        place.mkdir()
        installed = builds == INSTALLED
        programs = Path(sys.prefix) / "bin" if installed else Path(folder) / "venv/bin"
        if not installed:
            subprocess.run([sys.executable, "-m", "venv", programs.parent], check=True)
        kept = {key: value for key, value in os.environ.items() if key.startswith("PIP_") or "proxy" in key.lower()}
        env = {"PATH": f"{programs}:{os.environ['PATH']}", **kept}
        env |= {"TORCH_BUILDS": builds} if builds else {}
        steps = instructions()
        for name, words in steps:
            if not (installed and name == "RUN"):
                step(name, words, place, env)
        data.mkdir()
        env |= {"PYTHONPATH": str(place), "HOME": str(data), "GRADIO_SERVER_PORT": str(free_port())}
        env |= {"GRADIO_TEMP_DIR": str(data / "gradio"), "GRADIO_SERVER_NAME": "127.0.0.1"}
        health = json.loads(dict(steps)["HEALTHCHECK"].partition("CMD")[2])
        begun = time.monotonic()
        app = subprocess.Popen(["python", place / "app.py"], cwd=data, env=env)
        try:
            while subprocess.run(health, env=env, capture_output=True).returncode:
                assert app.poll() is None and time.monotonic() - begun < PATIENCE, "the app is not healthy"
                time.sleep(0.5)
            print(f"Healthy {time.monotonic() - begun:.1f} s after its start.")
        finally:
            app.terminate()
            app.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
