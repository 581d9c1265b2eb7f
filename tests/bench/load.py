"""`python -m tests.bench.load [--seconds 300] [--clients 50] [--hogs 40]`: the app under visitors who ask all at once.

`--public` leaves out the app as it is at home, which CI does, in 30 seconds.

Each client has an address of its own (127.0.0.0/8, as on Linux), and asks for one thing after another, every second one
for what is quick; then hogs ask for as much as they can, while one ordinary visitor asks for 16 images of the VAE.
Prints the tables of docs/reliability.md, and ends with 1 where a promise is broken.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx
import numpy as np
import psutil

from tests.support.browser import free_port

ROOT = Path(__file__).resolve().parents[2]
QUICK = [["mnist", 16, None, {"vae": {}}]]
SLOW = [["mnist", 16, None, {"ddpm": {"knobs": {"num_inference_steps": 50}}}], ["mnist", 24, None, {}]]
HOG = ["mnist", 100, None, {"ddpm": {"knobs": {"num_inference_steps": 1000}}}]
PATIENCE = 600.0  # s that a client waits for an answer


def served(public: bool):
    """Start the app in a process of its own; return it and its address once it answers."""
    port = free_port()
    here = {"GRADIO_SERVER_PORT": str(port), "TRILEMMA_PUBLIC": "1" if public else "0", "PYTHONUNBUFFERED": "1"}
    here["GENCORE_CHECKPOINTS"] = f"{ROOT / 'checkpoints'}:{tempfile.mkdtemp()}"
    app = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env={**os.environ, **here}, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    while True:
        assert app.poll() is None, "the app has ended"
        try:
            httpx.get(url, timeout=60)
            return app, url
        except httpx.ConnectError:
            time.sleep(0.2)


class Client(threading.Thread):
    """One visitor with an address of its own, who asks until it is told to stop."""

    def __init__(self, url: str, number: int, asks: list, until: threading.Event):
        super().__init__(daemon=True)
        self.url, self.asks, self.until, self.dice = url, asks, until, random.Random(number)
        self.address = f"127.0.{1 + number // 250}.{1 + number % 250}"
        self.http = httpx.Client(transport=httpx.HTTPTransport(local_address=self.address), timeout=PATIENCE)
        self.seconds: dict[bool, list[float]] = {True: [], False: []}  # of answers, by whether quick work was asked for
        self.sentences: list[str] = []
        self.errors: list[str] = []

    def run(self):
        with self.http as http:
            while not self.until.is_set():
                ask = self.dice.choice(self.asks)
                given = [*ask[:2], self.dice.randrange(10**9), ask[3]]
                begun = time.monotonic()
                try:
                    answer = http.post(f"{self.url}/gradio_api/run/generate", json={"data": given})
                except httpx.HTTPError as error:
                    if not self.until.is_set():
                        self.errors.append(repr(error))
                    return
                self.hear(answer, ask in QUICK, time.monotonic() - begun)
                self.until.wait(self.dice.uniform(0.5, 2.0))

    def hang_up(self):
        """Close the connection though an answer is due, as a closed window does."""
        for connection in self.http._transport._pool.connections:
            if (stream := getattr(getattr(connection, "_connection", None), "_network_stream", None)) is not None:
                with contextlib.suppress(OSError):
                    stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    def hear(self, answer: httpx.Response, quick: bool, seconds: float):
        told = answer.json()
        problems = list(told["data"][0].get("problems", {}).values()) if "data" in told else [told.get("error")]
        if answer.status_code == 503 or not all(problems):
            self.errors.append(f"{answer.status_code} {answer.text[:200]}")
        elif problems:
            self.sentences += problems
        else:
            self.seconds[quick].append(seconds)


def cpu_idle_after(process: psutil.Process, most: float = 30.0) -> float:
    """Return the seconds after which the app's CPU is idle (under 10% of a core for a second)."""
    begun = time.monotonic()
    while time.monotonic() - begun < most:
        if process.cpu_percent(1.0) < 10:
            return time.monotonic() - begun - 1.0
    return most


def under(url: str, clients: list[Client], until: threading.Event, seconds: float, process: psutil.Process):
    """Let clients ask for so long; return the app's memory (MB) after a third of it and at the end."""
    for client in clients:
        client.start()
    time.sleep(seconds / 3)
    warm = process.memory_info().rss / 1e6
    time.sleep(seconds * 2 / 3)
    end = process.memory_info().rss / 1e6
    until.set()
    return warm, end


def p(seconds: list[float], share: float) -> str:
    return f"{np.percentile(seconds, share):.2f} s" if seconds else "none"


def mixed(url: str, process: psutil.Process, count: int, seconds: float) -> list[bool]:
    """Print the table of many visitors, quick and slow mixed; return what holds."""
    until = threading.Event()
    clients = [Client(url, number, QUICK if number % 2 else SLOW, until) for number in range(count)]
    warm, end = under(url, clients, until, seconds, process)
    quick = [one for client in clients for one in client.seconds[True]]
    slow = [one for client in clients for one in client.seconds[False]]
    sentences, errors = (
        [one for client in clients for one in getattr(client, kind)] for kind in ("sentences", "errors")
    )
    idle = gone(clients, process)
    print(f"\n| {count} clients, {seconds:.0f} s, every second one quick | |\n|---|---|")
    print(f"| 16 VAE images: answers, p50, p95 | {len(quick)}, {p(quick, 50)}, {p(quick, 95)} |")
    print(f"| DDPM of 50 steps, or all three families: answers, p50, p95 | {len(slow)}, {p(slow, 50)}, {p(slow, 95)} |")
    print(f"| refused in a sentence; errors | {len(sentences)}; {len(errors)} |")
    print(f"| memory after a third, at the end | {warm:.0f} MB, {end:.0f} MB |")
    print(f"| CPU idle after the last client left | {idle:.1f} s |", flush=True)
    for one in errors[:5]:
        print(one)
    return [not errors, bool(quick) and np.percentile(quick, 95) <= 3, end <= 1.1 * warm, idle <= 5]


def gone(clients: list[Client], process: psutil.Process) -> float:
    """End the clients' connections, as when they close their windows; return when the CPU is idle."""
    for client in clients:
        client.hang_up()
    return cpu_idle_after(process)


def hogs(url: str, process: psutil.Process, count: int, seconds: float) -> list[bool]:
    """Print the table of callers who ask for as much as they can, and of one ordinary visitor; return what holds."""
    until = threading.Event()
    greedy = [Client(url, 100 + number, [HOG], until) for number in range(count)]
    visitor = Client(url, 99, QUICK, until)
    under(url, [*greedy, visitor], until, seconds, process)
    quick, errors = visitor.seconds[True], [one for client in [*greedy, visitor] for one in client.errors]
    sentences = {one for client in greedy for one in client.sentences}
    idle = gone([*greedy, visitor], process)
    print(f"\n| {count} callers of /generate, 100 images, ddpm, 1000 steps, {seconds:.0f} s | |\n|---|---|")
    print(f"| an ordinary visitor's 16 VAE images: answers, p50, p95, slowest | {len(quick)}, {p(quick, 50)}, "
          f"{p(quick, 95)}, {p(quick, 100)} |")  # fmt: skip
    print(f"| errors; CPU idle after the last left | {len(errors)}; {idle:.1f} s |")
    print(f"| what the others are told | {next(iter(sorted(sentences)), 'they take turns')} |", flush=True)
    return [not errors, bool(quick) and max(quick) <= 3, idle <= 5]


def main(arguments: list[str] | None = None) -> int:
    """Run both, in the app as it is at home and, for the hogs, as it is in public."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--hogs", type=int, default=40)
    parser.add_argument("--public", action="store_true")
    told = parser.parse_args(arguments)
    held = []
    for public in (False, True)[told.public :]:
        app, url = served(public)
        try:
            process = psutil.Process(app.pid)
            warm_up(url)
            print(f"\n{'Public' if public else 'Private'}:")
            if public:
                held += mixed(url, process, told.clients, told.seconds)
            held += hogs(url, process, told.hogs, min(30.0, told.seconds / 2))
        finally:
            app.send_signal(signal.SIGTERM)
            app.wait(60)
    print("\nEverything held." if all(held) else f"\nBroken: {held}")
    return 0 if all(held) else 1


def warm_up(url: str):
    """Have every model loaded."""
    httpx.post(f"{url}/gradio_api/run/generate", json={"data": ["mnist", 16, 1, {}]}, timeout=PATIENCE)


if __name__ == "__main__":
    sys.exit(main())
