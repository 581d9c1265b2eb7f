"""What a timing chose is asked for once a machine, network and work; and a cache of any state costs no run."""

import json
import os
import threading

import pytest
import torch

from gencore import choices, device
from gencore.choices import FILE, choose_settings
from gencore.device import Settings
from gencore.families import FAMILIES


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GENCORE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def timings(monkeypatch):
    """Timings that come out otherwise each time; as many were asked for as are gone."""
    made = [Settings(d, m, 1) for d in ("bfloat16", "float32") for m in ("channels_last", "contiguous")]
    monkeypatch.setattr(device, "fastest_settings", lambda *_: made.pop(0))
    return made


def model(size=8):
    return FAMILIES["gan"](size=size, widths=(8, 8), latent=4)


def ask(one=None, work="a step of 8 images", *more):
    return choose_settings(one or model(), lambda *_: None, work, *more)


def test_the_same_question_has_the_same_answer(timings, cache):
    first = ask()
    assert (first.dtype, first.layout) == ("bfloat16", "channels_last")
    assert [ask() for _ in range(3)] == [first] * 3 and len(timings) == 3
    (kept,) = json.loads((cache / FILE).read_text()).values()
    assert kept["of"]["machine"]["torch"] == torch.__version__ and kept["of"]["network"] == "GAN"


def test_another_question_is_timed(timings, monkeypatch):
    asked = [ask(), ask(model(16)), ask(work="a step of 9 images")]
    assert len(timings) == 1 and len({(one.dtype, one.layout) for one in asked}) == 3
    monkeypatch.setattr(choices, "describe_machine", lambda *_: {"name": "another", "python": "3"})
    ask()
    assert not timings


def test_what_is_asked_for_is_taken_without_a_timing(timings, cache):
    assert ask(None, "a step", "float32", "contiguous").dtype == "float32"
    assert len(timings) == 4 and not cache.exists()


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "[" * 100_000, '{"KEY": 3}', '{"KEY": {"dtype": "float8", "layout": "contiguous"}}',
     '{"KEY": {"dtype": ["float32"], "layout": {}}}'],
)  # fmt: skip
def test_a_damaged_cache_is_another_timing_and_is_mended(timings, cache, content):
    first = ask()
    (key,) = json.loads((cache / FILE).read_text())
    (cache / FILE).write_text(content.replace("KEY", key))
    assert ask() != first and len(timings) == 2
    assert ask() == ask() and len(timings) == 2


def test_a_cache_that_cannot_be_written_is_no_failure(timings, cache, monkeypatch):
    cache.write_text("a file where the folder should be")
    assert {ask().layout, ask().layout} == {"channels_last", "contiguous"}
    cache.unlink()
    cache.mkdir()
    (cache / FILE).mkdir()
    ask()
    (cache / FILE).rmdir()
    os.mkfifo(cache / FILE)
    ask()
    assert not timings


def test_the_cache_stays_small(timings, cache, monkeypatch):
    monkeypatch.setattr(choices, "MOST", 2)
    for size in (8, 16, 32):
        last = ask(model(size))
    assert len(json.loads((cache / FILE).read_text())) == 2 and ask(model(32)) == last


def test_two_at_once_time_one_after_another_and_agree(monkeypatch):
    running, most = [], []

    def timed(*_):
        running.append(1)
        most.append(len(running))
        answer = Settings("float32", "contiguous" if len(most) == 1 else "channels_last", 1)
        running.pop()
        return answer

    monkeypatch.setattr(device, "fastest_settings", timed)
    found = []
    both = [threading.Thread(target=lambda: found.append(ask())) for _ in range(4)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert most == [1] and len(set(found)) == 1


def test_processes_of_one_run_time_together_or_not_at_all(timings, monkeypatch):
    """A step of one waits for that of the other: where one waited for a lock instead, both stood still."""
    step, said, told = threading.Barrier(2, timeout=20), threading.Barrier(2, timeout=20), [None]

    class Group:
        def __init__(self, rank):
            self.rank = rank

        def agree(self, settings):
            if not self.rank:
                told[0] = settings
            said.wait()
            found = told[0]
            said.wait()
            return found

    def fastest(*_):
        return timings[step.wait()]

    monkeypatch.setattr(device, "fastest_settings", fastest)
    found = {}

    def run(rank):
        more = "auto", "auto", ("float32", "bfloat16"), Group(rank)
        found[rank] = [ask(None, "a step", *more) for _ in range(2)]

    ranks = [threading.Thread(target=run, args=(rank,)) for rank in (0, 1)]
    for one in ranks:
        one.start()
    for one in ranks:
        one.join(60)
    assert len({*found[0], *found[1]}) == 1
