"""What a page asks of its server, and whether it has asked all that opening it asks."""

import contextlib
import time
import weakref

CALM = 1000  # ms without a request begun or unanswered, after which a page that is being opened is taken to be open
PATIENCE = 120  # s; never asserted, only how long to wait before giving up
IDLE = "() => new Promise((done) => requestIdleCallback(() => done()))"
UNANSWERED = weakref.WeakKeyDictionary()  # page -> the requests that its server has not answered


def watch(page):
    """Take note of the page's requests; to be called before the page is opened."""
    unanswered = UNANSWERED[page] = set()
    page.on("request", lambda request: unanswered.add(request) if asks(request) else None)
    for end in ("requestfinished", "requestfailed"):
        page.on(end, lambda request: unanswered.discard(request))


def asks(request):
    """Whether a request asks the server for something; Gradio's heartbeat lasts as long as its page."""
    return request.url.startswith("http") and "/heartbeat/" not in request.url


def settle(page):
    """Wait until the page has had its answers, has nothing left to do, and has asked nothing more for a while."""
    begun = []
    page.on("request", note := lambda request: begun.append(request) if asks(request) else None)
    give_up, calm_since = time.monotonic() + PATIENCE, time.monotonic()
    while time.monotonic() < calm_since + CALM / 1000:
        assert time.monotonic() < give_up, [request.url for request in UNANSWERED[page]]
        page.evaluate(IDLE)
        page.wait_for_timeout(50)
        if begun or UNANSWERED[page]:
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
