"""The app as `python app.py` starts it, on a free port, and what a real Chromium needs to open it."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 120_000  # ms; never asserted, only how long to wait before giving up


def chromium_path():
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((path for path in map(shutil.which, names) if path), None)


def lacking():
    """Why there is no browser to drive, or ''."""
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return "playwright is not installed: pip install playwright"
    return "" if chromium_path() else "there is no Chromium: apt install chromium"


def free_port():
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def serve(checkpoints, log, root=ROOT, start=("app.py",), **variables):
    """The app of a tree on a free port with these checkpoint roots; its output goes to the file `log`.

    `start` is what Python runs, in an environment with these variables besides.
    """
    port = free_port()
    env = {**os.environ, "GENCORE_CHECKPOINTS": checkpoints, "GRADIO_SERVER_PORT": str(port), "OMP_NUM_THREADS": "1"}
    env |= variables
    with log.open("w") as output:
        app = subprocess.Popen([sys.executable, *start], cwd=root, env=env, stdout=output, stderr=output)
    try:
        url = f"http://127.0.0.1:{port}/"
        wait_for(url, app, log)
        yield url
    finally:
        app.terminate()
        app.wait(PATIENCE / 1000)


def wait_for(url, app, log):
    for _ in range(1200):
        assert app.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"The app did not answer:\n{log.read_text()}")


def leaves(url, address):
    return not url.startswith((address, "data:", "blob:", "about:"))
