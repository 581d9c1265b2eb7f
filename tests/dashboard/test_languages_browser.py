"""The public app, walked in both languages, light and dark, wide and on a phone: nothing is said in the wrong one."""

import pytest

from dashboard.pages import PAGES
from tests.support.browser import PATIENCE, leaves, serve
from tests.support.untranslated import TEXTS, missing

pytestmark = pytest.mark.browser

NO_NETWORK = {
    "https_proxy": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
    "no_proxy": "127.0.0.1,localhost",
}
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
STILL = """() => {
  const page = [...document.querySelectorAll('#pages > [role=tabpanel]')].find((one) => one.offsetParent);
  const now = `${page?.id} ${page?.innerText.length}`;
  const [before, since] = window.still ?? ['', 0];
  if (now !== before) window.still = [now, performance.now()];
  return now === before && performance.now() - since > 600;
}"""
GUIDE = "These lack a translation, see 'A sentence in two languages' in CONTRIBUTING.md:"
KOREAN = """() => {
  const shown = [...document.querySelectorAll('#top, #pages')].map((one) => one.innerText).join(' ');
  return [...new Set(shown.match(/[가-힣]{2,}/g))];
}"""
TOO_WIDE = """() => [...document.querySelectorAll('body *')]
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
  .filter((one) => !one.closest('.sideways, .scroll, nav, [data-testid=markdown], .plot, [style*=overflow]'))
  .slice(0, 3).map((one) => one.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def opened(browser, checkpoints, tmp_path_factory):
    """A page of the public app in Korean, and what its console and its requests did wrong."""
    log, wrong = tmp_path_factory.mktemp("public") / "log.txt", []
    with serve(checkpoints, log, TRILEMMA_PUBLIC="1", **NO_NETWORK) as url:
        context = browser.new_context(viewport=WIDE, locale="ko-KR")
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        page.on("request", lambda request: wrong.append(request.url) if leaves(request.url, url) else None)
        page.goto(url)
        yield page, wrong
        context.close()


def go(page, slug):
    page.evaluate(f"location.hash = '{slug}'; window.still = undefined")
    page.wait_for_selector(f"[data-page='{slug}'][aria-current]")


def looked_at(page, slug):
    """What is wider than a phone's screen, in light and dark; at the end the page is as wide as before."""
    page.evaluate("document.body.classList.toggle('dark')")
    page.set_viewport_size(PHONE)
    over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    found = [f"{slug}: {over} pixels over: {page.evaluate(TOO_WIDE)}"] if over > 0 else []
    page.evaluate("document.body.classList.toggle('dark')")
    page.set_viewport_size(WIDE)
    return found


def test_every_page_is_whole_in_both_languages(opened):
    page, wrong = opened
    texts, wide = [], []
    for slug in PAGES:
        go(page, slug)
        page.wait_for_function(STILL)
        page.evaluate("document.querySelectorAll('#pages details').forEach((one) => { one.open = true; })")
        texts += page.evaluate(TEXTS)
        wide += looked_at(page, slug)
    assert page.evaluate("document.documentElement.lang") == "ko", "the browser's own language"
    page.click(".top .language")
    page.wait_for_function("document.documentElement.lang === 'en'")
    for slug in PAGES:
        go(page, slug)
        wide += looked_at(page, slug)
        assert page.evaluate(KOREAN) == ["한국어"], "but for the switch"
    lacking = missing(texts, "ko", also=["blank", "mnist"])  # the data sets of `checkpoints`
    assert not [*wrong, *wide, *lacking], "\n".join([*wrong, *wide, GUIDE * bool(lacking), *lacking])
