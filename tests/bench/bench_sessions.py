"""How much memory visitors take: `python -m tests.bench.bench_sessions [LIVE] [PAST]`, 200 and 2,000 if left out.

It starts the app as a user does and opens sessions over HTTP as a browser does, without one: the document, then every
event of opening it. The live ones hold their heartbeat open; the past ones close it.
"""

import json
import os
import re
import socket
import sys
import tempfile
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from dashboard.ui.sessions import CAPACITY
from gencore import checkpoint
from tests.support.browser import serve

AT_ONCE = 4


def opening(config):
    """The bodies of what opening the app asks: the events of its `load` that go past the queue and need no input."""
    return [
        {"fn_index": event["id"], "data": [], "trigger_id": None, "event_data": None}
        for event in config["dependencies"]
        if event["backend_fn"]
        and not event["inputs"]
        and not event["queue"]
        and any(kind == "load" for _, kind in event["targets"])
    ]


def heartbeat(url, session):
    """A page that stays open: its request lasts until the socket is closed."""
    where = urlsplit(url)
    connection = socket.create_connection((where.hostname, where.port))
    asked = f"GET /gradio_api/heartbeat/{session} HTTP/1.1\r\nHost: {where.netloc}\r\n\r\n"
    connection.sendall(asked.encode())
    return connection


def visit(client, url, bodies):
    """Open the app once; return the open page and its session."""
    session = uuid.uuid4().hex[:11]
    connection = heartbeat(url, session)
    for body in bodies:
        answer = client.post("gradio_api/run/predict", json={**body, "session_hash": session})
        assert answer.status_code == 200, answer.text
    return connection, session


def memory(client):
    """The app's resident memory in MB, by its own counter."""
    told = client.get("metrics").text
    return int(float(re.search(r"^process_resident_memory_bytes (\S+)$", told, re.MULTILINE)[1]) / 1e6)


def main(live=200, past=2000):
    """Print a line of a table at each stage."""
    roots = os.pathsep.join(map(str, checkpoint.roots()))
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(roots, Path(folder) / "log.txt") as url,
        httpx.Client(base_url=url, timeout=120) as client,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        bodies = opening(json.loads(client.get("config").text))
        print(f"| sessions (capacity {CAPACITY:,}; {len(bodies)} events each) | MB |\n|---|---|")
        for connection, _ in pool.map(lambda _: visit(client, url, bodies), range(AT_ONCE)):
            connection.close()
        print(f"| none, once warm | {memory(client)} |", flush=True)
        pages = list(pool.map(lambda _: visit(client, url, bodies), range(live)))
        print(f"| {live:,} live | {memory(client)} |", flush=True)
        for part in range(1, 5):
            for connection, _ in pool.map(lambda _: visit(client, url, bodies), range(past // 4)):
                connection.close()
            print(f"| {live:,} live and {part * past // 4:,} past | {memory(client)} |", flush=True)
        again = [client.post("gradio_api/run/predict", json={**bodies[0], "session_hash": one}) for _, one in pages]
        print(f"\n{sum(answer.status_code == 200 for answer in again)} of {live} live ones still answer")
        for connection, _ in pages:
            connection.close()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
