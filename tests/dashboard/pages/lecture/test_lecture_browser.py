"""The Lecture page as a teacher uses it, in a real browser."""

import json

import pytest

pytestmark = pytest.mark.browser

BAR = "#lecture-bar"
# Whether a step's page is open, and what it names lies between the window's top and the bar.
SEEN = """([href, ...needed]) => {
    if (location.hash !== href) return false;
    const end = document.getElementById('lecture-bar').getBoundingClientRect().top;
    return needed.every((selector) => {
        const shown = [...document.querySelectorAll(selector)].find((one) => one.getClientRects().length);
        const box = shown?.getBoundingClientRect();
        return box && box.height && box.top >= 0 && box.bottom <= end;
    });
}"""


def in_view(page, panel):
    page.wait_for_function(
        f"""() => {{ const box = document.getElementById('{panel}')?.getBoundingClientRect();
                     return box && box.height && box.top >= -2 && box.top < innerHeight / 2; }}"""
    )


def test_the_lecture_leads_from_step_to_step(visit):
    page = visit("", "lecture")
    page.wait_for_selector(".step .katex")
    assert page.locator("[data-step]").count() > 20
    assert not page.is_visible(BAR)
    page.click("#lecture-begin .start")
    page.wait_for_selector("[data-page='compare'][aria-current]")
    assert "1 of 20" in page.inner_text(BAR) and "Press Generate" in page.inner_text(BAR)
    page.click(f"{BAR} .next")
    in_view(page, "panel-vae-posterior")
    page.reload()  # which step it is stays
    page.wait_for_selector(f"{BAR} .where")
    assert "2 of 20" in page.inner_text(BAR)
    page.keyboard.press("Shift+ArrowRight")
    in_view(page, "panel-vae-elbo")
    page.keyboard.press("Shift+ArrowLeft")
    in_view(page, "panel-vae-posterior")
    page.go_back()  # the bar goes where the page goes
    in_view(page, "panel-vae-elbo")
    page.wait_for_function(f"document.querySelector('{BAR} .where').textContent.startsWith('3 of 20')")
    page.click(f"{BAR} .outline")
    page.wait_for_selector("#lecture-begin .resume", state="visible")
    assert page.evaluate("scrollY") == 0, "another page opens at its top"
    page.click(f"{BAR} .end")
    assert not page.is_visible(BAR) and not page.is_visible("#lecture-begin .resume")


def test_a_link_to_a_panel_opens_it_and_a_step_of_the_outline_begins_there(visit):
    page = visit("", "lecture")
    page.click("[data-step][href='#gan/timelapse']")
    in_view(page, "panel-gan-timelapse")
    assert "11 of 20" in page.inner_text(BAR)
    page.click(f"{BAR} .outline")
    page.click("[data-step][href='#diffusion/algorithms']")  # which the long way alone has
    in_view(page, "panel-diffusion-algorithms")
    assert (
        "of 20" not in page.inner_text(BAR)
        and page.get_attribute(f"{BAR} .what", "title") == "Slide: Algorithm 1 Training"
    )
    page.evaluate("location.hash = '#diffusion/bound'")
    in_view(page, "panel-diffusion-bound")


@pytest.mark.slow
def test_a_step_brings_its_control_and_its_picture_into_view(visit):
    page = visit("", "lecture", viewport={"width": 1280, "height": 800})
    page.wait_for_selector(".step .katex")
    steps = page.evaluate("JSON.parse(document.getElementById('lecture-steps').dataset.steps)")
    page.click("[data-way=long]")
    for step in steps:
        page.wait_for_function(SEEN, arg=[step["href"], *step["view"]])
        if step is not steps[-1]:
            page.click(f"{BAR} .next")


def test_presenting_takes_the_arrow_keys_alone_and_offers_a_code(visit):
    page = visit("", "lecture", viewport={"width": 1280, "height": 800})
    page.wait_for_selector(".step .katex")
    page.click("[data-step][href='#vae/elbo']")
    page.wait_for_function(SEEN, arg=["#vae/elbo", "#vae-image-picker canvas", "#vae-elbo svg"])
    page.click(f"{BAR} .present")
    assert page.evaluate("document.body.classList.contains('presenting')")
    page.keyboard.press("ArrowLeft")  # no Shift
    page.wait_for_function("location.hash === '#vae/posterior'")
    page.keyboard.press("PageDown")
    page.wait_for_function("location.hash === '#vae/elbo'")
    page.click(f"{BAR} .qr")
    page.wait_for_function("document.getElementById('lecture-qr').textContent.includes('GRADIO_SERVER_NAME')")
    asked = {"method": "POST", "headers": {"Content-Type": "application/json"}}
    asked["body"] = json.dumps({"data": ["http://10.0.0.7/#vae/elbo"]})
    drawn = page.evaluate(
        "async (asked) => (await (await fetch('gradio_api/run/lecture_qr', asked)).json()).data[0]", asked
    )
    assert drawn.startswith("<svg")
    page.click(f"{BAR} .end")
    assert not page.evaluate("document.body.classList.contains('presenting')") and not page.is_visible("#lecture-qr")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_scrolls_one_way(visit, theme):
    page = visit(f"?__theme={theme}", "lecture", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.wait_for_selector(".step .katex")
    page.click("#lecture-begin .start")
    page.click(f"{BAR} .outline")
    page.wait_for_selector("[data-page='lecture'][aria-current]")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
