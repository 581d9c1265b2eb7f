"""A script that cannot be read takes its own page's moves with it, and no other page."""

import shutil

import pytest

from tests.support.browser import PATIENCE, ROOT, serve

pytestmark = pytest.mark.browser

BROKEN = ("gan", "trilemma")  # one of them the home page


@pytest.fixture(scope="module")
def address(browser_or_skip, checkpoints, tmp_path_factory):
    """The address of an app in which the scripts of two pages cannot be read."""
    root = tmp_path_factory.mktemp("tree")
    for folder in ("dashboard", "gencore"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "app.py", root)
    for slug in BROKEN:
        (root / "dashboard/pages" / slug / "view.js").write_text("}{")
    with serve(checkpoints, root / "log.txt", root) as url:
        yield url


@pytest.fixture
def page(browser, address):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(error))
    page.goto(address)
    yield page
    context.close()


def go(page, slug):
    page.evaluate(f"location.hash = '#{slug}'")
    page.wait_for_selector(f"[data-page='{slug}'][aria-current]")


def test_other_pages_work_while_two_pages_scripts_cannot_be_read(page):
    page.wait_for_selector("[data-page='trilemma'][aria-current]")
    go(page, "compare")
    page.wait_for_function("document.querySelectorAll('[data-lane]').length > 1")
    go(page, "gan")
    go(page, "vae")
    page.wait_for_selector("#vae-samples img[src]", state="attached")  # painted by the page's script
    go(page, "lecture")
    page.click("#lecture-begin .start")
    page.wait_for_selector("#lecture-bar .where")
    dark = page.evaluate("document.body.classList.contains('dark')")
    page.click("button[aria-label='Light or dark']")
    assert page.evaluate("document.body.classList.contains('dark')") != dark
    unread = [error for error in page.errors if error.name == "SyntaxError"]
    assert len(unread) == len(BROKEN)
    missing = [error.message for error in page.errors if error.name != "SyntaxError"]
    assert all(any(name in words for name in ("lab.trilemma", "lab.ganSamples", "lab.picked")) for words in missing)
