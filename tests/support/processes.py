"""Processes that a test starts: with the signals of a new terminal, and ended with it, whatever happens."""

import os
import signal
import subprocess
import sys
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
MARK = "STARTED_BY_TEST"  # in the environment of what a test starts, and of what that starts

HOLD = """
import sys
from pathlib import Path
from gencore.locks import alone
with alone(Path(sys.argv[1]), "worked on"):
    print("held", flush=True)
    sys.stdin.read()
"""  # a process that holds a lock file, until it is killed or its input ends
PIPES = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}


@contextmanager
def default_signals():
    """What is started in here does not inherit that SIGINT is ignored, as it is for a job in a script's background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def end(mark):
    """Kill the processes with this mark, those whose parents are gone as well."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == mark:
                process.kill()


@pytest.fixture
def start():
    """Starts a process: `start(words, env={...} added to this one's, **options of Popen)`."""
    started, mark = [], uuid.uuid4().hex

    def start(words, env=(), **options):
        env = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", MARK: mark} | dict(env)
        with default_signals():
            started.append(subprocess.Popen(list(map(str, words)), env=env, **{"text": True} | options))
        return started[-1]

    yield start
    end(mark)
    for process in started:
        process.wait()
        for pipe in filter(None, (process.stdin, process.stdout, process.stderr)):
            pipe.close()


@pytest.fixture
def torchrun(start):
    """Starts a script, or '-m' and a module, in so many processes; options are those of `start`."""

    def torchrun(processes, *words, env=(), **options):
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", processes, *words]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return start(command, env={"GENCORE_DEVICE": "cpu"} | dict(env), **pipes | options)

    return torchrun
