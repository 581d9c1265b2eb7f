"""No page jumps while it fills: what comes once it is open has its room kept; and the title says which page it is."""

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
# A good cumulative layout shift is 0.1 at most (Google), which most pages keep; without that room it was up to 0.76.
# Gradio lays the first row of some out after their first panel, or before, from one run to the next: 0.1 more.
MOST = 0.2
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


def test_the_header_can_be_skipped_and_leads_to_every_page_by_group(visit):
    page = visit(at="trilemma")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "tabpanel"
    assert page.evaluate("location.hash") == "#trilemma", "no page of its own"
    found = page.eval_on_selector_all(
        "nav [role=group]", "all => all.map(g => [g.ariaLabel, [...g.children].map(a => a.dataset.page)])"
    )
    assert found == [[name, list(slugs)] for name, slugs in GROUPS.items()]
