"""What every test stands on: one thread, in what it starts too, no network, and the families in their own order."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests run side by side
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import atexit
import shutil
import signal
import tempfile

import pytest
import torch

from gencore import FAMILIES
from tests.support.processes import start, torchrun  # noqa: F401 - fixtures

os.environ["GENCORE_CACHE"] = tempfile.mkdtemp(prefix="gencore-")  # what is timed here is no other run's, nor theirs
atexit.register(shutil.rmtree, os.environ["GENCORE_CACHE"], ignore_errors=True)
signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: what tests have started is ended


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def families_in_order():
    """A family that a test takes out and monkeypatch puts back would be the last from then on."""
    before = dict(FAMILIES)
    yield
    if list(FAMILIES.items()) != list(before.items()):
        FAMILIES.clear()
        FAMILIES.update(before)
