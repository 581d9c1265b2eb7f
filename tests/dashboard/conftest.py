"""Fixtures: the app as a user starts it, and a page of it in a real Chromium."""

import os
from unittest import mock

import pytest

from tests.support.browser import FLAGS, PATIENCE, chromium_path, lacking, leaves, serve
from tests.support.traffic import watch


@pytest.fixture
def toy_service(tmp_path, monkeypatch):
    """A service whose families are toys; one of them has a checkpoint on a data set 'dots'."""
    from dashboard.service import Service
    from gencore import FAMILIES, checkpoint
    from tests.support.toys import Failing, Toy

    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path))
    with mock.patch.dict(FAMILIES, {family.name: family for family in (Toy, Failing)}, clear=True):
        checkpoint.save_model(tmp_path / "dots" / "toy", Toy())
        yield Service()


@pytest.fixture
def open_root(tmp_path, monkeypatch):
    """A user's own root of checkpoints, in an app that is not public."""
    from dashboard.service import public

    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path / "runs"))
    for variable in (public.PUBLIC, public.SPACE, public.OPEN):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path / "runs"


@pytest.fixture(scope="session")
def browser_or_skip():
    reason = lacking()
    if reason and os.environ.get("REQUIRE_BROWSER") == "1":
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory):
    """The shipped checkpoints; untrained ones where none are shipped, which stream and stop just the same.

    Beside them a data set 'blank' with one untrained checkpoint, one broken one, and none of the other families.
    """
    from gencore import FAMILIES, checkpoint

    extra = tmp_path_factory.mktemp("extra")
    for name in ("vae", "gan"):
        checkpoint.save_model(extra / "blank" / name, FAMILIES[name](size=8, widths=(8, 16)))
    weights = extra / "blank" / "gan" / checkpoint.WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-100])
    usable = [entry for entry in checkpoint.entries() if not entry.problem and entry.name.startswith("mnist/")]
    if {entry.family for entry in usable} >= set(FAMILIES):
        return os.pathsep.join(map(str, [*checkpoint.roots(), extra]))
    root = tmp_path_factory.mktemp("checkpoints")
    for name, family in FAMILIES.items():
        checkpoint.save_model(root / "mnist" / name, family())
    return os.pathsep.join([str(root), str(extra)])


@pytest.fixture(scope="session")
def address(browser_or_skip, checkpoints, tmp_path_factory):
    """The address of the app, started as a user starts it."""
    with serve(checkpoints, tmp_path_factory.mktemp("app") / "log.txt") as url:
        yield url


@pytest.fixture(scope="session")
def browser(browser_or_skip):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser, address):
    """Open the app: `visit(query, at, **context options)` returns a page; what leaves the machine fails the test.

    `at` is the slug of the app's page; '' opens the app as its bare address does.
    """
    contexts, strangers, errors, refused = [], [], [], []

    def heard(message):
        if "Content Security Policy" in message.text:
            refused.append(message.text)

    def open_page(query="", at="compare", **options):
        options = {"viewport": {"width": 1280, "height": 900}, "accept_downloads": True, **options}
        context = browser.new_context(**options)
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        watch(page)
        page.on("request", lambda request: strangers.append(request.url) if leaves(request.url, address) else None)
        page.on("console", heard)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{address}{query}#{at}" if at else address + query)
        page.wait_for_selector(f"[data-page='{at}'][aria-current]" if at else "[data-page][aria-current]")
        if at == "compare":
            page.wait_for_selector("#compare-generate")
            page.wait_for_function("document.querySelectorAll('[data-lane]').length > 1")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not strangers, "requests left the machine"
    assert not errors, "the page's scripts raised errors"
    assert not refused, "the app's own policy forbids what a page does"
