"""No page jumps while it fills, its title says which one it is, and axe finds nothing that bars a visitor from it."""

import os
from pathlib import Path

import pytest

from dashboard.pages import GROUPS, PAGES, modules

pytestmark = pytest.mark.browser

WATCH = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    const moved = entry.sources.map(({ node }) => node?.id || node?.className || node?.nodeName);
    if (!entry.hadRecentInput) window.shifts.push([entry.value, ...moved]);
  }
}).observe({ type: 'layout-shift', buffered: true });
"""
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
# Colours that are still changing (a button that Gradio fades from disabled to enabled) are judged when they are there.
# A link of the header leads to a page, '#speed', which axe takes for a skip link without a target.
JUDGE = """async (options) => {
  for (let calm = 0; calm < 3; ) { // frames in which nothing changes: one change may begin another
    const short = (one) => one.playState === 'running' && one.effect.getComputedTiming().endTime < 5000;
    const changing = document.getAnimations().filter(short);
    calm = changing.length ? 0 : calm + 1;
    await Promise.allSettled(changing.map((one) => one.finished));
    await new Promise(requestAnimationFrame);
  }
  const rules = { 'skip-link': { enabled: false } };
  const { violations } = await axe.run(document, { resultTypes: ['violations'], rules, ...options });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, html }) => [id, target.join(' '), html]));
}"""
NOT_OURS = (".upload-container",)  # Gradio's own
MOST = 0.1  # a good cumulative layout shift (Google); without room for what comes it was up to 0.76
STILL = """
new Promise((done) => {
  let last = 0, since = 0;
  const look = (now) => {
    const tall = document.body.scrollHeight;
    if (tall !== last) [last, since] = [tall, now];
    if (tall > 800 && now - since > 1500) done(true);
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})
"""


@pytest.mark.parametrize("slug", PAGES)
def test_a_page_keeps_room_for_what_comes(visit, slug):
    page = visit(at="")
    page.context.add_init_script(WATCH)
    page.goto(page.url.split("#")[0] + f"?fresh=1#{slug}")
    page.wait_for_selector(f"[data-page='{slug}'][aria-current]")
    page.evaluate(STILL)
    shifts = page.evaluate("window.shifts")
    assert sum(value for value, *_ in shifts) < MOST, shifts
    assert page.title() == f"{modules()[slug].TITLE} · Trilemma Lab"
    if not AXE.is_file() and os.environ.get("REQUIRE_BROWSER") != "1":
        pytest.skip("axe is not installed: npm ci")
    page.add_script_tag(path=AXE)
    found = page.evaluate(JUDGE, {})
    page.evaluate("document.body.classList.toggle('dark')")
    # Then the body's background, which follows the theme, is that of the window below the page's end, too.
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgba(0, 0, 0, 0)"
    found += page.evaluate(JUDGE, {"runOnly": ["color-contrast"]})
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(400)  # wide formulas learn that they are
    found += page.evaluate(JUDGE, {"runOnly": ["scrollable-region-focusable", "target-size"]})
    assert not [one for one in found if not any(part in one[1] for part in NOT_OURS)]


def test_a_slow_machine_shows_a_page_when_it_is_laid_out(visit):
    # One frame in which Gradio adds to a page takes longer there than all of them elsewhere.
    page = visit(at="")
    page.context.add_init_script(WATCH)
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 8})
    page.goto(page.url.split("#")[0] + "?fresh=1#basics")
    page.wait_for_selector("[data-page='basics'][aria-current]")
    page.evaluate(STILL)
    shifts = page.evaluate("window.shifts")
    assert sum(value for value, *_ in shifts) < MOST, shifts


# What reaches beyond the card that it stands in, where it is not scrolled.
CUT = """() => {
  const bound = (one, card) => {
    for (let at = one; at !== card; at = at.parentElement)
      if (getComputedStyle(at).overflowX !== 'visible') return true;
    return false;
  };
  return [...document.querySelectorAll('.card :is(label, button, input, select, p, h2, h3, img)')].filter((one) => {
    const card = one.closest('.card');
    const wide = one.getBoundingClientRect();
    return wide.width && wide.right > card.getBoundingClientRect().right + 1 && !bound(one.parentElement, card);
  }).map((one) => [one.closest('[id]').id, one.textContent || one.tagName]);
}"""
# The lecture's bar: its parts that are seen, and whether they are within the screen.
BAR = """() => [...document.querySelectorAll('#lecture-bar > *')].filter((one) => one.offsetParent || one.offsetWidth)
  .map((one) => [one.className, one.getBoundingClientRect(), one.scrollWidth - one.clientWidth])
  .filter(([, at, more]) => at.left < 0 || at.right > innerWidth || at.bottom > innerHeight || more > 1)
  .map(([name]) => name)"""


def test_on_a_phone_nothing_jumps_or_is_cut(visit):
    page = visit(at="", viewport={"width": 390, "height": 844})
    page.context.add_init_script(WATCH)
    page.goto(page.url.split("#")[0] + f"?fresh=1#{PAGES[0]}")
    for slug in PAGES:
        page.evaluate("slug => { window.shifts.length = 0; location.hash = slug; }", slug)
        page.wait_for_selector(f"[data-page='{slug}'][aria-current]")
        page.evaluate(STILL.replace("1500", "800"))
        shifts = page.evaluate("window.shifts")
        assert sum(value for value, *_ in shifts) < MOST, (slug, shifts)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, slug
        assert not page.evaluate(CUT), slug
    page.evaluate("location.hash = 'lecture'")
    page.click("#lecture-begin [data-way=long]")
    page.wait_for_selector("#lecture-bar .what")
    assert not page.evaluate(BAR)


def test_the_header_can_be_skipped_and_leads_to_every_page_by_group(visit):
    page = visit(at="trilemma")
    page.evaluate("scrollTo(0, 500)")
    page.wait_for_function("scrollY > 400 && document.querySelector('.top').getBoundingClientRect().top === 0")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "tabpanel"
    assert page.evaluate("location.hash") == "#trilemma", "no page of its own"
    found = page.eval_on_selector_all(
        "nav [role=group]", "all => all.map(g => [g.ariaLabel, [...g.children].map(a => a.dataset.page)])"
    )
    assert found == [[name, list(slugs)] for name, slugs in GROUPS.items()]
