"""Measures the shipped checkpoints and the app's start, and compares them with the targets: `make bench`.

Not a test: times depend on the machine and on what else it does. Ends with 1 when a target is missed.
"""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parents[2]
N = 16
SAMPLING = {"mnist/vae": 100, "mnist/gan": 100, "mnist/ddpm": 2000}  # ms for 16 images at the default settings
START = 10  # seconds until the app answers
PATIENCE = 120


def median_ms(checkpoint):
    """The median time of generating `N` images, in ms."""
    command = [sys.executable, "-m", "gencore", "benchmark", checkpoint, "--n", str(N), "--json"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)["ms"]


def start_seconds():
    """The time from starting `python app.py` to its first answer, in seconds; the app is stopped again."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    begun = time.perf_counter()
    app = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env=os.environ | {"GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port)},
        stdout=subprocess.DEVNULL,
    )
    try:
        while not answers(f"http://127.0.0.1:{port}/"):
            if app.poll() is not None or time.perf_counter() - begun > PATIENCE:
                sys.exit("The app did not start.")
            time.sleep(0.02)
        return time.perf_counter() - begun
    finally:
        app.terminate()
        app.wait(timeout=30)


def answers(address):
    try:
        with urlopen(address, timeout=PATIENCE) as page:
            return page.status == 200
    except OSError:
        return False


def main():
    rows = [(f"{N} images of {name}", median_ms(name), target, "ms") for name, target in SAMPLING.items()]
    start_seconds()  # the first start also fills the caches of the disk and of Python's bytecode
    rows.append(("app.py to the first answer", start_seconds(), START, "s"))
    for what, value, target, unit in rows:
        verdict = "met" if value < target else "MISSED"
        print(f"{what:28}{value:10.1f} {unit:2}   target < {target} {unit:2}   {verdict}")
    sys.exit(any(value >= target for _, value, target, _ in rows))


if __name__ == "__main__":
    main()
