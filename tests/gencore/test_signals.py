"""How a process is asked to end: what raises at once, and what waits until work between steps asks."""

import json
import os
import signal
import threading
from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from gencore import checkpoint, signals
from gencore.cli import app
from gencore.cli.evaluate import measure
from gencore.errors import InputError
from gencore.presets import Run
from gencore.signals import Stop, heed_sigterm, stoppable, unmasked
from gencore.train import train

TINY = Run("vae", "digits", {"widths": (8, 8), "latent": 2, "components": 2}, {
    "images": 320, "batch": 32, "dtype": "float32", "layout": "contiguous", "timelapse": 0,
})  # fmt: skip
pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no signals to send")


@pytest.fixture(autouse=True)
def handlers():
    before = {kind: signal.getsignal(kind) for kind in signals.KINDS}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signals._raised.clear()
    for kind, handler in before.items():
        signal.signal(kind, handler)


def test_sigterm_is_as_ctrl_c():
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    heed_sigterm()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)


@pytest.mark.parametrize("kind", signals.KINDS)
def test_until_it_is_asked_for_a_signal_raises_and_then_it_waits(kind):
    with stoppable() as stop:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(kind)
        assert not stop()
        signal.raise_signal(kind)
        signal.raise_signal(kind)  # torchrun hands on what a terminal has sent already
        assert stop()


def test_a_later_second_signal_does_not_wait(monkeypatch):
    clock = iter((100.0, 101.0, 103.0))
    monkeypatch.setattr(signals.time, "monotonic", lambda: next(clock))
    stop = Stop()
    stop()
    stop.take(signal.SIGINT, None)
    stop.take(signal.SIGINT, None)
    with pytest.raises(KeyboardInterrupt):
        stop.take(signal.SIGINT, None)


def test_handlers_are_put_back_and_an_ignored_sigint_stays_ignored():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with stoppable() as stop:
        assert not stop()
        signal.raise_signal(signal.SIGINT)
        assert not stop() and signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_outside_the_main_thread_no_handler_is_touched():
    found = []
    before = signal.getsignal(signal.SIGTERM)

    def work():
        with stoppable() as stop:
            found.extend((stop(), signal.getsignal(signal.SIGTERM)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [False, before]


def test_a_training_that_is_stopped_in_mid_step_ends_after_it_and_resumes_to_the_same_bits(tmp_path, monkeypatch):
    list(train(TINY, tmp_path / "whole"))
    from gencore.train import Trainer

    descend = Trainer._descend

    def struck(self, *arguments):
        if self.step == 3:
            signal.raise_signal(signal.SIGTERM)
        descend(self, *arguments)

    monkeypatch.setattr(Trainer, "_descend", struck)
    with stoppable() as stop:
        *_, last = train(TINY, tmp_path / "run", stop=stop)
    assert last.step == 4 == json.loads((tmp_path / "run" / checkpoint.RUN).read_text())["step"]
    monkeypatch.undo()
    list(train(replace(TINY), tmp_path / "run", resume=True))
    files = [tmp_path / name / checkpoint.WEIGHTS for name in ("whole", "run")]
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize("came", [True, False])
def test_a_library_that_makes_another_error_of_an_interrupt_does_not_change_how_a_command_ends(monkeypatch, came):
    """As safetensors does, whose reading of a tensor in C tells a ValueError where a signal comes in its midst."""

    def read():
        with suppress(KeyboardInterrupt):
            if came:
                os.kill(os.getpid(), signal.SIGTERM)
        raise ValueError("could not determine the shape")

    heed_sigterm()
    monkeypatch.setattr("gencore.cli.check_environment", read)
    ended = CliRunner().invoke(app, ["list"])
    assert ended.exit_code == (130 if came else 1)
    assert came or "could not determine" in str(ended.exception)


@pytest.mark.parametrize("error", [RuntimeError("what a C library says"), InputError("The file is damaged.")])
def test_what_a_signal_became_in_a_library_is_the_interruption_that_it_was(monkeypatch, error):
    signalled = threading.Event()
    monkeypatch.setattr("gencore.signals._raised", signalled)
    with pytest.raises(type(error)), unmasked():
        raise error
    signalled.set()
    with pytest.raises(KeyboardInterrupt), unmasked():
        raise error
    with pytest.raises(type(error)), unmasked(type(error)):
        raise error


def test_a_command_that_a_signal_ends_as_another_error_says_where_it_goes_on(monkeypatch, capsys):
    """Seen on a busy machine: the exit code of an interruption, and not a word of what was left."""

    def run(*_):
        yield from ()
        raise RuntimeError("what a C library says")

    signalled = threading.Event()
    monkeypatch.setattr("gencore.signals._raised", signalled)
    monkeypatch.setattr("gencore.evaluation.evaluate.run", run)
    signalled.set()
    with pytest.raises(KeyboardInterrupt):
        measure(SimpleNamespace(tasks=[None] * 3), False, None)
    assert "Stopped after 0 of 3 rows; the same command goes on from here." in capsys.readouterr().err
