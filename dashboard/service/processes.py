"""Commands of the engine as processes of their own: a closed tab or a restarted app ends none of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

PROGRAM = (sys.executable, "-m", "gencore")
TICK = 0.2  # seconds between two looks whether an answer is still wanted
_children: dict[int, subprocess.Popen] = {}  # those of this app, which has to ask for their end
_guard = threading.Lock()


def start(arguments: Sequence[str], log: Path) -> int:
    """Start `python -m gencore ARGUMENTS` as the leader of a process group, its words into a file; return its pid."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as words:
        child = subprocess.Popen(
            [*PROGRAM, *arguments],
            stdin=subprocess.DEVNULL, stdout=words, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    with _guard:
        _children[child.pid] = child
    return child.pid


def answer(arguments: Sequence[str], stop: threading.Event) -> tuple[int, str, str] | None:
    """Run `python -m gencore ARGUMENTS` to its end: what it returns, prints, and says last; None if it was stopped."""
    child = subprocess.Popen(
        [*PROGRAM, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        encoding="utf-8", errors="replace", start_new_session=True,
    )  # fmt: skip
    while True:
        try:
            told, said = child.communicate(timeout=TICK)
        except subprocess.TimeoutExpired:
            if stop.is_set():
                interrupt(child.pid, signal.SIGKILL)
                child.communicate()
                return None
        else:
            return child.returncode, told, last_line(said)


def last_line(text: str) -> str:
    """Return the last line that says something; '' if none does."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


def is_alive(pid: int) -> bool:
    """Return whether a process is there; one of this app's that has ended is not."""
    with _guard:
        child = _children.get(pid)
        if child is not None and child.poll() is not None:
            del _children[pid]
            return False
    if child is not None:
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # somebody else's
    return True


def interrupt(pid: int, kind: signal.Signals = signal.SIGTERM) -> None:
    """Send a signal to a process, and to its group where it leads one.

    SIGTERM does what Ctrl-C does (see `gencore.signals`), also where a script has put the app, and so what it starts,
    into the background, with SIGINT ignored.
    """
    if pid <= 0:  # which would be the app's own group
        return
    with suppress(ProcessLookupError, PermissionError):
        if os.getpgid(pid) == pid:
            os.killpg(pid, kind)
        else:
            os.kill(pid, kind)
