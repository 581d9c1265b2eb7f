"""The VAE page as a visitor uses it, in a real browser. Nothing here asserts a time."""

import re

import pytest

from tests.support.traffic import settle

pytestmark = pytest.mark.browser

DRAWS, SAMPLES = "#vae-draws img[data-at=draws]", "#vae-samples img"

COUNT_COPIES = """() => {
    const copy = window.structuredClone;
    window.copied = 0;
    window.structuredClone = (...given) => { window.copied += 1; return copy(...given); };
}"""


def opened(visit, at="vae", query="", **options):
    page = visit(query, at.partition("/")[0], **options)
    if "/" in at:
        page.evaluate(f"location.hash = '#{at}'")
    page.wait_for_selector("#vae-elbo svg", state="attached")
    page.wait_for_selector("#vae-blur .answer", state="attached")
    page.wait_for_selector(f"{SAMPLES}[src]", state="attached")
    return page


def until(page, selector, differs_from):
    page.wait_for_function("([s, old]) => document.querySelector(s)?.innerText !== old", arg=[selector, differs_from])


def repainted(page, selector, act):
    old = page.get_attribute(selector, "src")
    act()
    page.wait_for_function("([s, old]) => document.querySelector(s).src !== old", arg=[selector, old])
    return page.get_attribute(selector, "src")


def test_another_image_moves_the_bells_the_draws_and_the_bar(visit):
    page = opened(visit)
    kl, bound = page.inner_text("#vae-bells .answer"), page.inner_text("#vae-elbo .answer")
    assert re.match(r"KL of this image: [\d.]+ nats", kl) and page.locator("#vae-bells svg.wide .name").count() == 6
    first = [float(number.replace(",", "")) for number in re.findall(r"[\d,]+\.\d", bound)][:3]
    assert first[0] + first[1] == pytest.approx(first[2], abs=0.11), bound
    repainted(page, DRAWS, lambda: page.click("#vae-image-picker .image-picker-images button:nth-child(4)"))
    until(page, "#vae-bells .answer", kl)
    until(page, "#vae-elbo .answer", bound)
    page.click("#vae-shown label:has-text('all')")
    page.wait_for_function("document.querySelectorAll('#vae-bells svg.wide .name').length > 6")
    # Further down the images are at hand in a strip below the header, which hides no panel's title.
    strip = page.locator("#vae-image-picker .image-strip")
    assert not strip.is_visible()
    page.evaluate("location.hash = '#vae/elbo'")
    strip.wait_for(state="visible")
    assert strip.locator("[aria-pressed=true]").get_attribute("title") == strip.locator("button").nth(3).get_attribute(
        "title"
    )
    bottom = strip.bounding_box()["y"] + strip.bounding_box()["height"]
    assert page.locator("#panel-vae-elbo h2").bounding_box()["y"] >= bottom
    bound = page.inner_text("#vae-elbo .answer")
    strip.locator("button").nth(7).click()
    until(page, "#vae-elbo .answer", bound)
    assert page.locator("#vae-image-picker .image-picker-images button").nth(7).get_attribute("aria-pressed") == "true"
    page.click("nav a[data-page=gan]")
    strip.wait_for(state="hidden")


def test_the_same_image_gives_other_draws_and_a_bad_seed_loses_nothing(visit):
    page = opened(visit)
    assert "z differs" in page.inner_text("#vae-draws [data-at=words]")
    before = repainted(page, DRAWS, lambda: page.click("#vae-noise-again"))
    repainted(page, DRAWS, lambda: page.fill("#vae-scale input[type=number]", "0"))
    page.wait_for_function("document.querySelector('#vae-draws [data-at=words]').innerText.includes('0.00 apart')")
    assert repainted(page, DRAWS, lambda: page.fill("#vae-scale input[type=number]", "1")) == before
    page.click("#vae-noise-seed input")
    page.keyboard.type("x")
    page.wait_for_function(
        "document.querySelector('#vae-draws [data-at=problem]').innerText.includes('A seed must be a whole number')"
    )
    assert page.get_attribute(DRAWS, "src") == before


def test_prior_and_temperature_repaint_the_samples_and_move_the_ring(visit):
    page = opened(visit)
    assert page.locator("#vae-blur svg.wide .current").count() == 1
    said = page.inner_text("#vae-blur .answer")
    usual = page.get_attribute(SAMPLES, "src")
    repainted(page, SAMPLES, lambda: page.fill("#vae-vae-temperature input[type=number]", "0.6"))
    until(page, "#vae-blur .answer", said)
    assert "temperature 0.6:" in page.inner_text("#vae-blur .answer")
    repainted(page, SAMPLES, lambda: page.click("#vae-vae-prior label:has-text('normal')"))
    page.wait_for_function("document.querySelector('#vae-blur .answer').innerText.includes('N(0, I)')")
    page.click("#vae-variety label:has-text('coverage')")
    page.wait_for_function("document.querySelector('#vae-blur .answer').innerText.includes('coverage')")
    repainted(page, SAMPLES, lambda: page.click("#vae-vae-prior label:has-text('mixture')"))
    page.fill("#vae-vae-temperature input[type=number]", "1")
    page.wait_for_function("([s, one]) => document.querySelector(s).src === one", arg=[SAMPLES, usual])


def test_a_moved_slider_does_not_copy_the_values_of_the_other_pages(visit):
    page = visit(at="trilemma")
    for at, there in (("table", "#table-rows tbody tr"), ("latent", "#latent-spot [src]"), ("vae", f"{SAMPLES}[src]")):
        page.evaluate(f"location.hash = '{at}'")
        page.wait_for_selector(there, state="attached")
    settle(page)
    page.evaluate(COUNT_COPIES)
    repainted(page, SAMPLES, lambda: page.fill("#vae-vae-temperature input[type=number]", "0.8"))
    # Gradio copies what components hold, number by number: about 9,000 here; the home page alone had 67,000.
    assert page.evaluate("window.copied") < 40_000


def test_what_is_not_there_is_said_in_one_sentence(visit):
    page = visit("?data=blank", "vae")
    page.wait_for_selector("#vae-blur .answer", state="attached")
    assert "python -m gencore evaluate blank/vae" in page.inner_text("#vae-blur")
    page.wait_for_function("document.querySelector('#vae-elbo').innerText.includes('draw one')")
    pad = page.locator("#vae-image-picker canvas").bounding_box()
    page.mouse.move(pad["x"] + 30, pad["y"] + 20)
    page.mouse.down()
    page.mouse.move(pad["x"] + 60, pad["y"] + 90, steps=4)
    page.mouse.up()
    page.wait_for_selector("#vae-elbo svg", state="attached")
    assert "python -m gencore bound blank/vae" in page.inner_text("#vae-elbo")
    assert "python -m gencore latents blank/vae" in page.inner_text("#vae-bells")


def test_a_phone_scrolls_one_way_and_a_link_leads_to_the_panel(visit):
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    page = opened(visit, "vae/elbo", "?__theme=dark", **phone)
    page.wait_for_function(  # below the header and the strip of images, which stay in sight
        """() => {
            const box = (selector) => document.querySelector(selector).getBoundingClientRect();
            const room = box('#panel-vae-elbo').top - box('#vae-image-picker .image-strip').bottom;
            return box('#vae-image-picker .image-strip').height > 0 && room >= 0 && room < 60;
        }"""
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.is_visible("#vae-elbo svg.narrow") and not page.is_visible("#vae-elbo svg.wide")


def test_the_bound_rises_with_more_draws_and_x_is_drawn(visit):
    page = opened(visit)
    page.wait_for_selector("#vae-likely img[data-at=draws][src]")
    assert "flat" in page.inner_text("#vae-likely [data-at=words]")
    repainted(page, "#vae-likely img[data-at=draws]", lambda: page.click("#vae-decoder-again"))
    page.wait_for_selector("#vae-importance-go:not([disabled])")
    page.click("#vae-importance-go")
    page.wait_for_function("document.getElementById('vae-importance').innerText.includes('after 1,000 draws')")
    page.wait_for_selector("#vae-importance-go:not([disabled])")
    assert "nearer to log p(x)" in page.inner_text("#vae-importance .answer")
    page.click("#vae-image-picker .image-picker-images button:nth-child(3)")
    page.wait_for_function("document.getElementById('vae-importance').innerText.includes('Press Draw')")
