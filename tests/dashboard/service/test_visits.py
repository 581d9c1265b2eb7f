"""Whether somebody still listens to a run, as Gradio's queue and the request tell; who a caller is."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace

import pytest

from dashboard.service import public, visits
from dashboard.service.budget import PUBLIC
from dashboard.service.visits import Visit, address, presence, queued


@pytest.fixture
def clock(monkeypatch):
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(visits.time, "monotonic", lambda: now.seconds)
    return now


def test_who_looks_asks_now_and_then_whether_somebody_listens(clock):
    asked = []
    visit = Visit("ann", lambda: not asked.append(clock.seconds) and clock.seconds < 5)
    for clock.seconds in (0.1, 0.3, 0.31, 0.4, 0.6):
        assert not visit.is_set()
    assert asked == [0.3, 0.6]
    clock.seconds = 6.0
    assert visit.is_set() and visit.is_set() and asked[2:] == [6.0], "who has gone is not asked for again"
    assert not visit.why, "nobody reads it"


def test_a_run_may_last_so_long_from_its_first_moment_on_the_device(clock, monkeypatch):
    monkeypatch.setattr(visits, "limits", lambda: replace(PUBLIC, seconds=60.0))
    visit = Visit()
    clock.seconds = 100.0
    assert not visit.is_set(), "the line is no work"
    visit.begin()
    clock.seconds = 150.0
    visit.begin()
    assert not visit.is_set()
    clock.seconds = 161.0
    assert visit.is_set() and visit.why == "It was stopped after 60 seconds, the longest that a run may take here."


@pytest.fixture
def queue(clock):
    """An event in a queue like Gradio's, with nothing to tell yet."""
    event = SimpleNamespace(alive=True, session_hash="s")
    task = SimpleNamespace(get_name=lambda: "s_3<gradio-sep>e", cancelling=lambda: 0)
    return SimpleNamespace(
        event_ids_to_events={"e": event}, pending_messages_per_session={"s": asyncio.Queue()}, _asyncio_tasks=[task],
        event=event, task=task,
    )  # fmt: skip


def test_a_queued_event_that_was_cancelled_is_waited_for_by_nobody(queue):
    there = queued(queue, "e")
    assert there()
    queue.task.cancelling = lambda: 1
    assert not there(), "its task ends when its thread does"
    queue.task.cancelling = lambda: 0
    queue.event.alive = False
    assert not there(), "the stream of its session was closed"
    queue.event.alive = True
    assert there()
    queue.event_ids_to_events.clear()
    assert not there()


def test_who_takes_no_news_is_taken_for_gone_and_who_is_slow_is_not(queue, clock):
    there, news = queued(queue, "e"), queue.pending_messages_per_session["s"]
    clock.seconds = 100.0
    assert there(), "there is nothing to take"
    for _ in range(20):
        news.put_nowait(object())
    for _ in range(5):
        assert there()
        clock.seconds += visits.UNREAD - 1
        assert there()
        news.get_nowait()
    assert there() and not news.empty()
    clock.seconds += visits.UNREAD + 1
    assert not there(), "the same piece lies there"


def test_without_a_request_nobody_can_go():
    nothing = SimpleNamespace(get=lambda default: default)
    assert presence(SimpleNamespace(blocks=nothing, event_id=nothing, request=nothing))()


@pytest.mark.parametrize(
    ("space", "forwarded", "expected"),
    [
        ("", "8.8.8.8", "10.0.0.9"),
        ("owner/name", "8.8.8.8", "8.8.8.8"),
        ("owner/name", "1.1.1.1, 8.8.8.8, 10.1.2.3", "8.8.8.8"),
        ("owner/name", "nonsense", "10.0.0.9"),
        ("owner/name", None, "10.0.0.9"),
    ],
)
def test_an_address_is_the_proxys_word_on_a_space_alone(monkeypatch, space, forwarded, expected):
    monkeypatch.setenv(public.SPACE, space)
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    request = SimpleNamespace(headers=headers, client=SimpleNamespace(host="10.0.0.9"))
    assert address(request) == expected
    assert address(SimpleNamespace(headers={}, client=None)) == ""
