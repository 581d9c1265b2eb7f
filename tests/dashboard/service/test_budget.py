"""What visitors may ask for: of one request, within ten minutes, at once."""

from types import SimpleNamespace

import pytest

from dashboard.service import budget, public
from dashboard.service.budget import PRIVATE, PUBLIC, WINDOW, Budget, check_request, limits
from gencore.errors import InputError


@pytest.fixture
def strangers(monkeypatch):
    monkeypatch.setenv(public.PUBLIC, "1")


def test_a_public_app_gives_less(monkeypatch):
    for name in (public.PUBLIC, public.SPACE):
        monkeypatch.delenv(name, raising=False)
    assert limits() is PRIVATE
    monkeypatch.setenv(public.PUBLIC, "1")
    assert limits() is PUBLIC
    assert all(getattr(PUBLIC, name) < getattr(PRIVATE, name) for name in vars(PUBLIC))


@pytest.mark.parametrize(
    ("n", "calls", "least", "words"),
    [
        (24, 1000, 1, ""),
        (100, 250, 1, ""),
        (100, 1000, 1, "100 images of 1,000 network calls each are 100,000 in all, and one request may take 25,000 "
         "here: ask for at most 250 calls for 100 images or 25 images."),
        (1000, 50, 200, "ask for at most 25 calls for 1,000 images or 500 images."),
        (1000, 1000, 200, "ask for at most 25 calls for 1,000 images."),
    ],
)  # fmt: skip
def test_one_request_takes_so_much_and_is_told_what_fits(strangers, n, calls, least, words):
    if not words:
        return check_request(n, calls, least)
    with pytest.raises(InputError) as error:
        check_request(n, calls, least)
    assert str(error.value).endswith(words)


def test_a_visitors_budget_comes_back_with_time(strangers):
    now = SimpleNamespace(seconds=0.0)
    spent = Budget(lambda: now.seconds)
    spent.check("ann", 100_000)
    spent.charge("ann", 90_000)
    spent.check("ann", 10_000)
    spent.check("ben", 100_000)
    with pytest.raises(InputError, match=r"100,000 network calls .* 10 minutes here; these 25,000 fit in 2 minutes"):
        spent.check("ann", 25_000)
    now.seconds = 0.15 * WINDOW
    spent.check("ann", 25_000)
    now.seconds = 2 * WINDOW
    spent.check("ann", 100_000)
    assert not spent._spent, "who has got all back is forgotten"
    spent.charge("", 10**9)
    spent.check("", 10**9)


def test_a_page_loaded_again_is_a_new_visitor_of_the_same_address(strangers):
    spent = Budget(lambda: 0.0)
    for session in ("first", "second", "third", "fourth"):
        spent.check(session, 100_000, "192.0.2.7")
        spent.charge(session, 100_000, "192.0.2.7")
    words = r"All visitors of one address together may have 400,000 network calls .* these 10 fit in"
    with pytest.raises(InputError, match=words):
        spent.check("fifth", 10, "192.0.2.7")
    spent.check("fifth", 10, "192.0.2.8")
    spent.check("192.0.2.7", 10), spent.check("", 10**9, "192.0.2.7")


def test_no_more_visitors_are_known_than_there_is_room_for(strangers, monkeypatch):
    monkeypatch.setattr(budget, "MOST_VISITORS", 2)
    spent = Budget(lambda: 0.0)
    for name in ("ann", "ben", "ann", "cec"):
        spent.charge(name, 1)
    assert set(spent._spent) == {"ann", "cec"}


def test_a_visitor_has_one_call_at_once(strangers):
    calls = Budget()
    refused = pytest.raises(InputError, match="You have another call at work")
    with calls.calling("ann"), calls.calling("ben"), refused, calls.calling("ann"):
        pass
    with calls.calling("ann"):
        pass
    assert not calls._calls
