"""A comparison that is killed at random moments and gone on with, until it is done; and whether anything was lost."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from gencore import checkpoint
from gencore.cli import main
from gencore.comparison.state import FILE, State, read_state
from gencore.errors import InputError
from gencore.evaluation import rows
from tests.support.tiny_compare import shorten

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 600  # seconds in which a process must take up its work


@dataclass(frozen=True)
class Kill:
    """What there was when a process was killed: the phase, how many families were trained, images saved, rows."""

    after_s: float
    phase: str
    trained: int
    images: dict[str, int]
    rows: int


def started(*arguments, **options):
    """Start `python -m gencore ...` made short, in a process of its own."""
    command = [sys.executable, "-m", "tests.support.tiny_compare", *map(str, arguments)]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)


def state_of(folder):
    """Where the comparison stands; None before there is one."""
    return read_state(folder) if (folder / FILE).exists() else None


def saved_images(folder):
    """By family, the images of the state that a training would go on from: all its files whole."""
    found = {}
    for path in sorted(folder.glob(f"*/{checkpoint.STATE}")):
        found[path.parent.name] = json.loads(checkpoint.read_tensors(path)[1]["run"])["images"]
        if (path.parent / checkpoint.WEIGHTS).exists() and (path.parent / checkpoint.CONFIG).exists():
            checkpoint.load(path.parent)
    return found


class Forked:
    """The same in a copy of this process, which need not import anything again: what `subprocess.Popen` would be."""

    def __init__(self, *arguments):
        self.log = tempfile.TemporaryFile()  # noqa: SIM115 - closed at the end
        self.process = multiprocessing.get_context("fork").Process(target=self._work, args=(arguments,))
        self.process.start()
        self.pid = self.process.pid

    def _work(self, arguments):
        os.dup2(self.log.fileno(), 1)
        os.dup2(self.log.fileno(), 2)
        sys.argv = ["gencore", *map(str, arguments)]
        shorten(setattr)
        main()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.join()
        self.log.close()

    def poll(self):
        return self.process.exitcode

    @property
    def returncode(self):
        return self.process.exitcode

    def wait(self, seconds):
        self.process.join(seconds)
        if self.process.exitcode is None:
            raise subprocess.TimeoutExpired("gencore", seconds)

    def send_signal(self, number):
        os.kill(self.pid, number)

    def communicate(self):
        self.process.join()
        self.log.seek(0)
        return self.log.read().decode(errors="replace"), None


def struck(command, is_at_work, wait_s, start=started):
    """Start a command, kill it (kill -9) seconds after it took up its work; return whether, or else it ended well."""
    with start(*command) as process:
        end = time.monotonic() + PATIENCE
        while process.poll() is None and not is_at_work(process.pid):
            assert time.monotonic() < end, "it did not take up its work"
            time.sleep(0.02)
        try:
            process.wait(wait_s)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        output = process.communicate()[0]
    assert process.returncode in (0, -signal.SIGKILL), output
    return process.returncode == -signal.SIGKILL


def killed(command, folder, rows_file, wait_s, start=started):
    """Start a comparison, kill it seconds after it took up its work, and return what there was; None if it ended."""
    if not struck(command, lambda pid: is_at_work(folder, pid), wait_s, start):
        return None
    state = state_of(folder)
    if state.phase == "done":  # killed while it left
        return None
    assert state.interrupted, "whoever looks is told so"
    trained = sum(one.state in ("trained", "measured") for one in state.members)
    return Kill(round(wait_s, 2), state.phase, trained, saved_images(folder), len(rows.read(rows_file)[0]))


def is_at_work(folder, pid):
    """Whether the comparison is this process's, begun again."""
    try:
        state: State | None = state_of(folder)
    except InputError:
        return False
    return state is not None and state.running and state.pid == pid


def check_nothing_was_lost(folder, rows_file, kills):
    """What a comparison must hold once it is done, however often it was killed on the way."""
    state = read_state(folder)
    assert (
        state.phase == "done"
        and state.verdict
        and [one.state for one in state.members] == ["measured"] * len(state.members)
    )
    known, problems = rows.read(rows_file)
    keys = [(row["kind"], row["checkpoint"], row["point"]["label"]) for row in known]
    assert len(keys) == len(set(keys)) and not problems, "each row once, and each whole"
    for one in state.members:
        assert {kind for kind, name, _ in keys if name.endswith(f"/{one.checkpoint}")} == {"quality", "cost"}
        at_kills = [kill.images.get(one.checkpoint, 0) for kill in kills]
        assert at_kills == sorted(at_kills), "no training went back behind what was saved"
        assert one.images >= max(at_kills, default=0)
        steps = [json.loads(line)["step"] for line in (folder / one.checkpoint / "log.jsonl").read_text().splitlines()]
        assert steps == sorted(set(steps)), "its log has no gap twice told"
    counts = [kill.rows for kill in kills]
    assert counts == sorted(counts), "no row was lost"


def run_to_the_end(command, folder, rows_file, longest_s, rng, most, start=started, show=lambda kill: None):
    """Go on with a comparison, killed after random times up to `longest_s`, `most` times at most, until it is done."""
    kills = []
    while True:
        wait_s = rng.uniform(0, longest_s) if len(kills) < most else PATIENCE
        kill = killed(command, folder, rows_file, wait_s, start)
        if kill is None:
            check_nothing_was_lost(folder, rows_file, kills)
            return kills
        kills.append(kill)
        show(kill)
