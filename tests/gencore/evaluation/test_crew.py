"""Evaluation in several processes: the same images and rows as one makes, whatever their number, and how it ends."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch

from gencore.evaluation import rows, samples
from tests.support.small_root import small_root

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has neither fork nor SIGTERM")
SEVERAL = Path(__file__).parents[2] / "support" / "several.py"
N, BATCH = 36, 8  # five micro-batches a generation, the last one cut: rounds of two and of four have a rest
QUICK = "--n", N, "--generations", 2, "--batch", BATCH, "--dtype", "float32", "--rows", "quality"
PASSING = ("seconds", "date", "command")  # what may differ


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A root with features of digits, and models that were hardly trained."""
    torch.set_num_threads(1)
    return small_root(tmp_path_factory.mktemp("crew") / "root", ("vae", "ddpm"))


@pytest.fixture
def begin(start, root, tmp_path, monkeypatch):
    """Starts an evaluation in so many processes, in a copy of the root of its own."""

    def begin(processes, *words):
        folder = shutil.copytree(root, tmp_path / str(processes))
        monkeypatch.setenv("GENCORE_CHECKPOINTS", str(folder))
        monkeypatch.setenv("GENCORE_DEVICE", "cpu")
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return start([sys.executable, SEVERAL, processes, "evaluate", *words, *QUICK], **pipes)

    return begin


def lasting(told):
    return {key: value for key, value in told.items() if key not in PASSING}


def left():
    """What the evaluation has left: images, ledgers and rows."""
    assert not list(samples.folder().glob(".*"))
    images = {path.name: path.read_bytes() for path in samples.folder().glob("*.npy")}
    ledgers = {path.name: list(map(lasting, lines(path))) for path in samples.ledgers()}
    found, problems = rows.read(samples.folder().parent / "digits" / "rows.jsonl")
    assert not problems
    return images, ledgers, list(map(lasting, found))


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.slow
def test_however_many_processes_make_them_the_images_the_ledgers_and_the_rows_are_the_same(begin):
    found = []
    for processes in (1, 2, 4):
        process = begin(processes, "digits/vae", "digits/ddpm")
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err[-3000:]
        assert out.count(" rows, about") == 1, "one of them speaks"
        found.append(left())
    images, ledgers, measured = found[0]
    assert len(images) == 4 and all(len(content) == 128 + 40 * 64 for content in images.values())
    assert [len(ledger) for ledger in ledgers.values()] == [11, 11]
    assert [row["kind"] for row in measured] == ["real", "quality", "quality"]
    assert found[0] == found[1] == found[2]


@pytest.mark.slow
def test_where_one_process_ends_what_is_kept_stays_whole_and_another_number_goes_on(begin, start):
    process = begin(2, "digits/ddpm", "--points", "sweep", "--only", "ancestral, 50")
    while not any(len(lines(path)) > 2 for path in samples.ledgers()):
        assert process.poll() is None
        time.sleep(0.05)
    second = next(one for one in psutil.Process(process.pid).children() if one.pid != process.pid + 1)
    second.send_signal(signal.SIGKILL)
    _, err = process.communicate(timeout=120)
    assert "Error: Another process of this evaluation has ended; what was made is kept" in err
    assert "Traceback" not in err
    (before,) = map(lines, samples.ledgers())
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    words = "evaluate", "digits/ddpm", "--points", "sweep", "--only", "ancestral, 50", *QUICK
    again = start([sys.executable, SEVERAL, 1, *words], **pipes)
    _, err = again.communicate(timeout=120)
    assert again.returncode == 0, err
    (after,) = map(lines, samples.ledgers())
    assert after[: len(before)] == before and len(after) == 11, "nothing was made twice"


def test_unlike_machines_are_refused(torchrun, tmp_path):
    script = tmp_path / "unlike.py"
    script.write_text(
        "import os, sys, torch\nfrom gencore.cli import main\ntorch.set_num_threads(1 + int(os.environ['RANK']))\n"
        "sys.argv = ['x', 'evaluate', '--dry']\nmain()\n"
    )
    process = torchrun(2, script)
    _, err = process.communicate(timeout=120)
    assert process.returncode and re.search(r"Error: The processes are on unlike machines.* 1 threads.* 2 threads", err)
