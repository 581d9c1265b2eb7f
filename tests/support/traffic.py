"""What a page asks of its server, and whether it has asked all that opening it asks."""

import contextlib
import time
import weakref

CALM, DOUBTFUL = 1, 10  # s without a question, after which a page is taken to have asked all; with answers to come
PATIENCE = 120  # s; never asserted, only how long to wait before giving up
RESTORED = "() => document.body.dataset.restored !== undefined"
IDLE = "() => new Promise((done) => requestIdleCallback(() => done()))"
OPEN = weakref.WeakKeyDictionary()  # page -> its requests that are not answered to the end


def watch(page):
    """Take note of the page's requests; to be called before the page is opened."""
    requests = OPEN[page] = set()
    page.on("request", lambda request: requests.add(request))
    for end in ("requestfinished", "requestfailed"):
        page.on(end, lambda request: requests.discard(request))


def asks(request):
    """Whether a request asks the server for something: the stream that brings answers and the heartbeat do not."""
    return request.url.startswith("http") and not streams(request) and "/heartbeat/" not in request.url


def streams(request):
    """Whether a request is the stream that brings the answers of queued events."""
    return "/queue/data" in request.url


def settle(page):
    """Wait until the page has asked what opening it asks: it has its answers and nothing left to do, for a while.

    A stream of answers may stay open with nothing to come, so while there is one the page is only waited for longer.
    """
    page.wait_for_function(RESTORED)
    begun = []
    page.on("request", note := lambda request: begun.append(request) if asks(request) else None)
    give_up, calm_since = time.monotonic() + PATIENCE, time.monotonic()
    while time.monotonic() < calm_since + (DOUBTFUL if any(map(streams, OPEN[page])) else CALM):
        assert time.monotonic() < give_up, [request.url for request in OPEN[page]]
        page.evaluate(IDLE)
        page.wait_for_timeout(50)
        if begun or any(map(asks, OPEN[page])):
            begun.clear()
            calm_since = time.monotonic()
    page.remove_listener("request", note)


@contextlib.contextmanager
def without_asking(page):
    """Fail if the page asks its server for anything in this block; what opening it asks is waited for first."""
    settle(page)
    asked = []
    page.on("request", note := lambda request: asked.append(request.url) if asks(request) else None)
    yield
    page.evaluate(IDLE)  # what a script has begun would have been asked by now
    page.remove_listener("request", note)
    assert not asked
