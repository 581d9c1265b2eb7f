"""ZeroGPU, by a stand-in for its package, which forks and pickles: images come from another process."""

import importlib.util
import os
import subprocess
import sys
import threading

import gradio as gr
import numpy as np
import pytest
import torch

from dashboard.service import Frame, InputError, Service, zerogpu
from gencore import FAMILIES, checkpoint
from gencore.family import Step
from tests.support.stand_in_spaces import StandIn
from tests.support.toys import Toy

ORDER = {"toy": {"knobs": {"steps": 4}}}


class Slow(Toy):
    """A toy that has thousands of steps, and notes in the process that it runs in that it does."""

    name = "slow"
    calls = 0

    def sample(self, seeds, **knobs):
        for index in range(1, 100_001):
            Slow.calls += 1
            yield Step(index, 100_000, torch.zeros(1), torch.zeros(len(list(seeds)), 1, 4, 4))


@pytest.fixture
def stand_in(toy_service, monkeypatch):
    """The package, as it is found where the app runs on ZeroGPU; `toy_service` has made the data set."""
    found = StandIn()
    monkeypatch.setenv("GENCORE_DEVICE", "cpu")  # else it is set, and left
    monkeypatch.setenv(zerogpu.SWITCH, "true")
    monkeypatch.setitem(sys.modules, "spaces", found)
    return found


def run(service, stop=None, settings=ORDER, seed=7):
    order = service.order("dots", 2, seed, settings)
    return [frame for frame in service.run(order, stop or threading.Event()) if isinstance(frame, Frame)]


def test_images_come_from_a_process_that_is_lent_and_are_those_of_here(stand_in, toy_service):
    there, here = run(Service())[-1], run(toy_service)[-1]
    assert there.state == "done" and (there.index, there.total) == (4, 4) and there.seconds > 0
    assert there.images.dtype == np.uint8 and np.array_equal(there.images, here.images)
    assert len(stand_in.processes) == 1 and os.getpid() not in stand_in.processes  # the service of here asked for none
    assert len(zerogpu.MODELS) == 0, "what the process loads must not be looked for in one that may fork at any moment"


def test_it_asks_for_as_long_as_it_took_before(stand_in, monkeypatch):
    service = Service()
    cost = checkpoint.resolve("dots/toy") / "cost.json"
    cost.write_text('{"ms_per_image": 4000, "calls": 4}')  # a second for an image and call
    run(service)
    assert stand_in.asked == [zerogpu.START + zerogpu.SPARE * 8]
    run(service, seed=8)  # the toy took no time
    assert zerogpu.START <= stand_in.asked[1] <= zerogpu.START + 1
    assert zerogpu.asked("dots/toy", [1], {}, 1e6) == zerogpu.MOST


def test_a_stop_gives_the_process_back(stand_in, monkeypatch):
    monkeypatch.setitem(FAMILIES, "slow", Slow)
    checkpoint.save_model(checkpoint.roots()[0] / "dots" / "slow", Slow())
    stop, frames, service = threading.Event(), [], Service()
    for frame in service.run(service.order("dots", 2, 7, {"slow": {}}), stop):
        frames.append(frame)
        if frame.state == "running" and frame.index > 3:
            stop.set()
    assert frames[-1].state == "stopped" and frames[-1].images.shape == (2, 1, 4, 4)
    assert stand_in.closed == 1 and not alive(stand_in.processes[0]) and not service.device.busy
    assert not Slow.calls, "it was sampled here"


def alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_what_is_wrong_with_a_checkpoint_is_said_in_its_own_sentence(stand_in):
    service = Service()
    order = service.order("dots", 2, 7, ORDER)
    (checkpoint.resolve("dots/toy") / checkpoint.WEIGHTS).write_bytes(b"no tensors")
    with pytest.raises(InputError) as here:
        checkpoint.load("dots/toy")
    last = list(service.run(order, threading.Event()))[-1]
    assert last.state == "failed" and last.problem.endswith(str(here.value).rpartition("/")[2])


def refused(title, message):
    return gr.Error(message, title=title, print_exception=False)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (  # as spaces 0.51.3 says it in zero/client.py
            refused(
                "ZeroGPU quota exceeded",
                "You have exceeded your free ZeroGPU quota (60s requested vs. 12s left). Try again in 3:12:07. "
                "Subscribe to Hugging Face PRO to get 40 min of ZeroGPU quota a day - https://huggingface.co/x",
            ),
            "You have exceeded your free ZeroGPU quota (60s requested vs. 12s left). Try again in 3:12:07. Fewer "
            "images or network calls need less of it; signed in to Hugging Face you have more.",
        ),
        (
            refused(
                "ZeroGPU quota exceeded",
                "No GPU was available after 60s. Try re-running outside of examples if it happened after clicking one",
            ),
            "No GPU was available after 60s: try again in a while.",
        ),
        (
            refused(
                "ZeroGPU queue timeout",
                "No GPU was available after 60s [Create a free account](https://huggingface.co/join) to get a higher "
                "priority in ZeroGPU queues.",
            ),
            "No GPU was available after 60s: try again in a while.",
        ),
        (
            refused("ZeroGPU illegal duration", "The requested GPU duration (60s) is larger than the maximum allowed"),
            "No GPU is lent for as long as this takes: ask for fewer images or network calls.",
        ),
        (
            refused("ZeroGPU client error", "Expired ZeroGPU proxy token"),
            "No GPU could be had (Expired ZeroGPU proxy token): try again in a while.",
        ),
        (
            RuntimeError("the API answered 500"),
            "It failed with RuntimeError: the API answered 500",
        ),
    ],
)
def test_a_refusal_is_a_sentence(stand_in, error, sentence):
    stand_in.refusal = error
    last = run(Service())[-1]
    assert (last.state, last.problem) == ("failed", sentence)


@pytest.mark.parametrize("way", ["it is taken away", "the model fails"])
def test_a_run_whose_gpu_goes_says_so(stand_in, way, monkeypatch):
    stand_in.dies = way == "it is taken away"
    service, settings = Service(), ORDER
    if not stand_in.dies:
        checkpoint.save_model(checkpoint.roots()[0] / "dots" / "failing", FAMILIES["failing"]())
        settings = {"failing": {}}
    last = run(service, settings=settings)[-1]
    why = "GPU task aborted" if stand_in.dies else "RuntimeError"
    assert last.state == "failed" and last.problem == (
        f"The GPU was gone before the images were there ({why}): ask for fewer, or try again."
    )


def test_elsewhere_the_package_is_not_even_looked_for(monkeypatch):
    monkeypatch.delenv(zerogpu.SWITCH, raising=False)
    monkeypatch.setitem(sys.modules, "spaces", None)  # importing it would raise
    assert Service().zerogpu is None and zerogpu.lent() is None


def test_without_the_package_everything_runs_here(monkeypatch, caplog):
    monkeypatch.setenv(zerogpu.SWITCH, "1")
    monkeypatch.setitem(sys.modules, "spaces", None)
    assert zerogpu.lent() is None and "not installed" in caplog.text


def test_the_decorator_leaves_the_function_its_own_where_no_gpu_is_lent(monkeypatch):
    """As `spaces` does off ZeroGPU: what it decorates is what it was given."""

    class Plain:
        @staticmethod
        def GPU(duration=None):
            return lambda task: task

    monkeypatch.setenv("GENCORE_DEVICE", "cpu")
    assert zerogpu.ZeroGPU(Plain)._sample is zerogpu.sample


@pytest.mark.skipif(importlib.util.find_spec("spaces") is None, reason="the package itself is not installed")
def test_the_real_decorator_takes_what_is_given_to_it():
    done = subprocess.run(
        [sys.executable, "-c", "import spaces; from dashboard.service.zerogpu import ZeroGPU; ZeroGPU(spaces)"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
