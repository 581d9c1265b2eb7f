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
  const changing = document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime < 5000);
  await Promise.allSettled(changing.map((one) => one.finished));
  const rules = { 'skip-link': { enabled: false } };
  const { violations } = await axe.run(document, { resultTypes: ['violations'], rules, ...options });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, html }) => [id, target.join(' '), html]));
}"""
NOT_OURS = (".upload-container",)  # Gradio's own
# A good cumulative layout shift is 0.1 at most (Google), which most pages keep; without that room it was up to 0.76.
# Gradio lays the first row of some out after their first panel, or before, from one run to the next: 0.1 more.
MOST = 0.2
HOME = 0.1  # the first page that anybody sees keeps the mark
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
    assert sum(value for value, *_ in shifts) < (HOME if slug == PAGES[0] else MOST), shifts
    assert page.title() == f"{modules()[slug].TITLE} · Trilemma Lab"
    if not AXE.is_file() and os.environ.get("REQUIRE_BROWSER") != "1":
        pytest.skip("axe is not installed: npm ci")
    page.add_script_tag(path=AXE)
    found = page.evaluate(JUDGE, {})
    page.evaluate("document.body.classList.toggle('dark')")
    found += page.evaluate(JUDGE, {"runOnly": ["color-contrast"]})
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(400)  # wide formulas learn that they are
    found += page.evaluate(JUDGE, {"runOnly": ["scrollable-region-focusable", "target-size"]})
    assert not [one for one in found if not any(part in one[1] for part in NOT_OURS)]


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
