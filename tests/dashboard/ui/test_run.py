"""How a run goes on a page: begun, in line, shown, stopped, left."""

from unittest import mock

import gradio as gr
import pytest

from dashboard.service.device import STOPPED, Device, Waiting
from dashboard.ui.run import Runs, in_line
from gencore.errors import InputError
from tests.support.leases import taken

ANN, BEN = (mock.Mock(session_hash=name) for name in ("ann", "ben"))


def say(words):
    return {"words": words}


def paint(frame):
    return None if frame == "dull" else {"frame": frame}


def test_the_next_run_of_a_visitor_ends_the_one_before_and_nobody_elses():
    runs = Runs()
    first, other = runs.begin(ANN), runs.begin(BEN)
    assert first.current and not first.stop.is_set()
    second = runs.begin(ANN)
    assert first.stop.is_set() and not first.current and second.current
    assert other.current and not other.stop.is_set()


def test_a_stopped_run_may_say_so_and_one_that_was_left_may_not():
    runs = Runs()
    run = runs.begin(ANN)
    runs.cancel(ANN)
    assert run.stop.is_set() and run.current
    runs.leave(ANN)
    assert not run.current
    runs.cancel(ANN), runs.leave(ANN)


def test_a_run_says_its_place_in_line_and_then_shows_its_frames():
    run = Runs().begin(ANN)
    shown = run.shown([Waiting(2), Waiting(1), "a", "dull", "b"], say, paint)
    assert list(shown) == [say(in_line(Waiting(2))), say(in_line(Waiting(1))), {"frame": "a"}, {"frame": "b"}]
    assert "busy, 2 ahead; this starts" in in_line(Waiting(2))
    assert "busy, 4 ahead, about 40 s; this starts" in in_line(Waiting(4, 40.0))
    assert "busy, 40 ahead, about 5 minutes;" in in_line(Waiting(40, 300.0))


def ended(shown):
    """The updates of a part of a run, and what it returns."""
    updates = []
    while True:
        try:
            updates.append(next(shown))
        except StopIteration as end:
            return updates, end.value


def test_a_run_that_was_left_paints_nothing_more():
    runs = Runs()
    run = runs.begin(ANN)
    shown = run.shown(iter("abc"), say, paint)
    assert next(shown) == {"frame": "a"}
    runs.leave(ANN)
    assert ended(shown) == ([gr.skip()], False)
    assert ended(runs.begin(ANN).shown("a", say, paint)) == ([{"frame": "a"}], True)


def test_work_is_waited_for_and_its_result_returned():
    runs, device = Runs(), Device()
    run = runs.begin(ANN)
    with taken(device):
        made = run.made(device.alone("x", lambda: 42, run.stop), say)
        assert in_line(Waiting(1)) in next(made)["words"]
    assert ended(made) == ([], 42)
    with taken(device):
        made = run.made(device.alone("x", lambda: 42, run.stop), say)
        next(made)
        runs.cancel(ANN)
        with pytest.raises(InputError, match=STOPPED):
            next(made)


def test_the_buttons_of_a_run_and_what_is_connected():
    with gr.Blocks() as demo:
        go, stop = gr.Button("Go"), gr.Button("Stop")
        runs = Runs(go, stop)
        runs.connect(go.click(lambda: None))
    assert runs.begun == {go: gr.update(interactive=False), stop: gr.update(interactive=True)}
    assert runs.over == {go: gr.update(interactive=True), stop: gr.update(interactive=False)}
    targets = [target for function in demo.fns.values() for target in function.targets]
    assert {name for _, name in targets} == {"click", "unload", "failure"}
    assert not Runs().over
