"""The Latent space page as a visitor uses it, in a real browser; with and without the data set at hand."""

import base64

import pytest

from tests.support.buttons import stop_when
from tests.support.traffic import settle, without_asking

pytestmark = pytest.mark.browser

STRIP = "#latent-image-picker [data-at=images] button"
PAD = "#latent-image-picker canvas"
DRAWN = "#latent-image-picker [data-at=drawn]"


def opened(visit, query="", **options):
    page = visit(query, "latent", **options)
    page.wait_for_selector(f"{STRIP}[aria-pressed=true]")
    return page


def source(page, selector):
    return page.get_attribute(selector, "src")


def draw(page, *points):
    page.locator(PAD).scroll_into_view_if_needed()
    box = page.locator(PAD).bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=6)
    page.mouse.up()
    page.wait_for_selector(f"{DRAWN}[aria-pressed=true]")


def changed(page, selector, before):
    page.wait_for_function("([s, b]) => { const e = document.querySelector(s); return e && e.src !== b; }",
                           arg=[selector, before])  # fmt: skip


def test_a_drawing_is_encoded_mapped_moved_rebuilt_and_noised(visit):
    page = opened(visit)
    page.wait_for_selector("#latent-traversal li img")
    page.wait_for_selector("#latent-rebuilt figure:nth-of-type(2) img")
    before = {name: source(page, name) for name in ("#latent-traversal li img", "#latent-spot [data-at=image]")}
    draw(page, (0.2, 0.2), (0.8, 0.2), (0.45, 0.85))
    assert "centred" in page.inner_text("#latent-image-picker [data-at=words]")
    for name, old in before.items():
        changed(page, name, old)
    drawing = source(page, f"{DRAWN} img")
    page.wait_for_function("([s, d]) => document.querySelector(s)?.src === d",
                           arg=["#latent-rebuilt figure:first-of-type img", drawing])  # fmt: skip
    page.wait_for_selector("#latent-rebuilt figure:nth-of-type(2) img")
    page.wait_for_function("document.querySelector('#latent-rebuilt').innerText.includes('no encoder')")

    rows = page.locator("#latent-traversal li").count()
    page.click("#latent-traversal-all input")
    page.wait_for_function(f"document.querySelectorAll('#latent-traversal li').length > {rows}")

    page.wait_for_selector("#latent-noised img")
    settle(page)  # while a family rebuilds, the image under noise waits for the device only for a moment
    noise = source(page, "#latent-noised img")
    page.locator("#latent-rebuilt-t input[type=range]").fill("700")
    changed(page, "#latent-noised img", noise)

    page.click(STRIP)  # back to a test image: the drawing stays to choose
    page.wait_for_selector(f"{DRAWN}[aria-pressed=false]")


def test_without_an_image_the_panels_ask_for_one_and_take_a_drawing(visit):
    page = visit("?data=blank", "latent")
    settle(page)
    for name in ("#latent-rebuilt", "#latent-traversal"):
        assert page.inner_text(name).strip() == "Choose or draw an image above."
    draw(page, (0.2, 0.2), (0.8, 0.8))
    for name in ("#latent-traversal li img", "#latent-rebuilt figure:nth-of-type(2) img"):
        page.wait_for_selector(name)


def test_one_slider_moves_every_row_and_no_server_is_asked(visit):
    page = opened(visit)
    page.wait_for_function("document.querySelectorAll('.walk[data-state=done]').length > 2")
    with without_asking(page):
        middle = page.eval_on_selector_all(".walk .big", "all => all.map(one => one.src)")
        page.locator(".walks [data-at=share]").fill("0")
        ends = page.eval_on_selector_all(".walk .big", "all => all.map(one => one.src)")
    firsts = page.eval_on_selector_all(".walk .line button:first-child img", "all => all.map(one => one.src)")
    assert ends == firsts and all(a != b for a, b in zip(middle, ends, strict=True))
    assert {"straight line", "great circle"} == set(page.locator(".walk .path").all_inner_texts())
    with page.expect_download() as download:
        page.click(".walk [title*=GIF]")
    assert download.value.suggested_filename.endswith(".gif")

    page.fill("#latent-walk-a textarea, #latent-walk-a input", "seven")
    page.keyboard.press("Enter")
    page.wait_for_selector("#latent-walk-status .problem")
    assert "whole number" in page.inner_text("#latent-walk-status") and page.locator(".walk .big[src]").count() > 2


def test_two_images_can_be_the_ends_and_stop_keeps_what_is_there(visit):
    page = opened(visit)
    settle(page)
    page.click("#latent-walk-mode label:has-text('two images')")
    page.wait_for_selector("#latent-walk-target [aria-pressed=true]")
    page.wait_for_selector(".walk.f-gan[data-state=absent]")
    assert "no way back" in page.inner_text(".walk.f-gan .note")
    page.wait_for_selector(".walk.f-ddpm:is([data-state=waiting], [data-state=running], [data-state=done])")
    cells = "[...document.querySelectorAll('.walk.f-vae .line img[src]')]"
    over = "document.querySelector('.walk.f-ddpm')?.dataset.state === 'done'"
    for place in (4, 5, 6, 7):  # a busy browser may hear of a walk of a second only when it is over: then of the next
        first = source(page, ".walk.f-vae .line img")
        page.click(f"{STRIP}:nth-child({place})")
        if stop_when(page, "#latent-walk-stop", f"{cells}.length === 9 && {cells}[0].src !== '{first}'", over):
            break
    assert page.get_attribute("#latent-walk-stop", "data-pressed") == "", "seen before the run has heard of it"
    page.wait_for_selector("#latent-walk-stop[disabled]")
    assert page.inner_text("#latent-walk-status").strip() and page.evaluate(f"{cells}.length") == 9


def test_pointing_at_the_map_decodes_the_spot(visit):
    page = opened(visit)
    page.evaluate("location.hash = 'latent/map'")
    page.wait_for_function("document.querySelector('#panel-latent-map').getBoundingClientRect().top < 300")
    page.wait_for_selector("#latent-spot [data-at=image][src]")
    settle(page)  # a spot waits for the device only for a moment
    image, here = "#latent-spot [data-at=image]", "#latent-map canvas"
    before = source(page, image)
    page.hover(here, position={"x": 90, "y": 200})
    changed(page, image, before)
    words, before = page.inner_text("#latent-spot [data-at=where]"), source(page, image)
    page.focus(here)
    for _ in range(8):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("w => document.querySelector('#latent-spot [data-at=where]').innerText !== w", arg=words)
    axes = page.inner_text("#latent-map [data-at=x]")
    page.click("#latent-map-plane label:has-text('classes apart')")
    page.wait_for_function("a => document.querySelector('#latent-map [data-at=x]').innerText !== a", arg=axes)
    assert "between classes" in page.inner_text("#latent-map [data-at=x]")


def test_a_finger_drags_over_the_map(visit):
    page = opened(visit, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.wait_for_selector("#latent-spot [data-at=image][src]")
    settle(page)  # the panels above the map have grown, and the device is free
    here, image = page.locator("#latent-map canvas"), "#latent-spot [data-at=image]"
    here.scroll_into_view_if_needed()
    box, scrolled = here.bounding_box(), page.evaluate("scrollY")
    finger, before = page.context.new_cdp_session(page), source(page, image)
    for kind, share in (("touchStart", 0.3), ("touchMove", 0.4), ("touchMove", 0.5), ("touchMove", 0.6)):
        at = [{"x": box["x"] + share * box["width"], "y": box["y"] + share * box["height"]}]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    spot = [float(place) for place in here.get_attribute("data-spot").split(",")]
    assert len(spot) == 2 and page.evaluate("scrollY") == scrolled, "the finger moves over the map, not the page"
    changed(page, image, before)


def test_the_long_bound_waits_for_its_turn_stops_and_can_be_asked_for_again(visit):
    page, other = opened(visit), visit("?n=16&ddpm.num_inference_steps=400")
    page.wait_for_selector("#latent-rebuilt-bound")
    other.wait_for_function("document.body.dataset.restored !== undefined")
    other.click("#compare-generate")  # alone, the bound may be there before anyone could press Stop
    other.wait_for_selector("[data-lane=ddpm][data-state=running]")
    page.click("#latent-rebuilt-bound")
    stop_when(page, "#latent-rebuilt-stop")
    page.wait_for_function(
        "document.querySelector('#latent-rebuilt-status').innerText.includes('a bound half-way says nothing')"
    )
    page.wait_for_selector("#latent-rebuilt-stop", state="hidden")
    other.click("#compare-stop")
    page.click("#latent-rebuilt-bound")
    page.wait_for_function("document.querySelector('#latent-rebuilt').innerText.split('log p(x)').length > 2")
    page.wait_for_selector("#latent-rebuilt-bound", state="hidden")


def test_a_phone_draws_and_scrolls_one_way(visit):
    page = opened(visit, query="?__theme=dark", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.wait_for_selector("#latent-traversal li img")
    page.locator(PAD).scroll_into_view_if_needed()
    box = page.locator(PAD).bounding_box()
    page.touchscreen.tap(box["x"] + 60, box["y"] + 60)
    page.wait_for_selector(f"{DRAWN}[aria-pressed=true]")
    assert base64.b64decode(source(page, f"{DRAWN} img").partition(",")[2]).startswith(b"\x89PNG")
    page.wait_for_selector("#latent-rebuilt figure:nth-of-type(2) img")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    wide = "[...document.querySelectorAll('.panel button')].filter((one) => one.getBoundingClientRect().right > 390)"
    assert page.evaluate(f"{wide}.map((one) => one.innerText)") == [], "nothing is cut at the edge"
