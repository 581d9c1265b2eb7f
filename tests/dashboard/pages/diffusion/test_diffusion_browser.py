"""The Diffusion page as a visitor uses it, in a real browser. Nothing here asserts a time."""

import io
import re
from pathlib import Path

import pytest
from PIL import Image

from tests.support.buttons import stop_when

pytestmark = pytest.mark.browser

FILM = "document.querySelector('#diffusion-film .df-film')"
WORDS = "document.querySelector('#diffusion-{} [data-at=words]').textContent"
FILM_WORDS = WORDS.format("film")
PROMISED = f"/network calls.* Press Draw\\.$/.test({FILM_WORDS})"  # not made at opening: another run had the device
FILMED = f"{FILM}.dataset.state === 'done' && {FILM_WORDS}.includes('image')"
TIMES = "[...document.querySelectorAll('#diffusion-film .df-reel [data-at=t]')]"
LOADED = f"{TIMES}.every((t) => t.textContent === 'is the image')"


def arrive(visit, at="diffusion", **options):
    """The page with the image under noise drawn."""
    page = visit(at="diffusion", **options)
    page.wait_for_selector("#diffusion-forward [data-at=hat][src]")
    page.wait_for_selector("#diffusion-forward [data-at=strip] button")  # the last that opening brings to this panel
    if at != "diffusion":
        page.evaluate(f"location.hash = '#{at}'")
    return page


def filmed(page):
    """Wait for the films that opening makes; made here if another run had the device then."""
    page.wait_for_function(f"({FILMED}) || {PROMISED}")
    if page.evaluate(PROMISED):
        page.click("#diffusion-reverse-go")
    page.wait_for_function(FILMED)
    page.wait_for_function(LOADED)


def source_of(page, name, inside="forward"):
    return page.get_attribute(f"#diffusion-{inside} [data-at={name}]", "src")


def changed(page, name, before, inside="forward"):
    page.wait_for_function(
        "([inside, name, old]) => { const now = document.querySelector(`#diffusion-${inside} [data-at=${name}]`).src;"
        " return now && now !== old; }",
        arg=[inside, name, before],
    )


def type_t(page, t):
    page.fill("#diffusion-forward [data-at=number]", t)
    page.press("#diffusion-forward [data-at=number]", "Enter")


def test_an_image_goes_under_noise(visit):
    page = arrive(visit)
    filmed(page)  # while films have the device, the picture waits for it only for a moment
    assert page.input_value("#diffusion-forward [data-at=number]") == "400"
    under, seen = source_of(page, "xt"), source_of(page, "hat")
    type_t(page, "990")
    changed(page, "xt", under)
    changed(page, "hat", seen)
    assert "At t = 990: " in page.inner_text("#diffusion-forward-schedule .answer")
    assert "more noise than signal" in page.inner_text("#diffusion-forward-snr .answer")
    assert "dB" in page.inner_text("#diffusion-forward dl")

    under = source_of(page, "xt")
    for bad in ("1000", "-3", "much", ""):
        type_t(page, bad)
        shown = repr(bad) if bad == "much" else bad or "an empty field"
        page.wait_for_function(
            "words => document.querySelector('#diffusion-forward [data-at=problem]').textContent.endsWith(words)",
            arg=f"t must be a whole number from 0 to 999, not {shown}.",
        )
    assert source_of(page, "xt") == under, "what was there stays"

    page.wait_for_selector("#diffusion-forward [data-at=strip] button")
    assert page.locator("#diffusion-forward [data-at=strip] button").count() == 8
    page.click("#diffusion-forward [data-at=strip] [data-t='143']")
    page.wait_for_selector("#diffusion-forward [data-t='143'].df-forward")
    page.focus("#diffusion-forward [data-at=range]")
    for _ in range(4):  # faster than the server answers: the last one counts
        page.keyboard.press("ArrowRight")
    page.wait_for_selector("#diffusion-forward [data-t='147'].df-forward")
    page.wait_for_function("new URLSearchParams(location.search).get('t') === '147'")  # a link to what is shown
    assert page.inner_text("#diffusion-forward [data-at=problem]") == ""

    image = source_of(page, "x0")
    page.locator("#diffusion-image-picker [data-at=images] button").nth(4).click()
    changed(page, "x0", image)
    assert page.get_attribute("#diffusion-forward [data-at=download]", "href").startswith("data:image/png")


def test_two_films_are_made_scrubbed_played_stopped_and_saved(visit):
    page = arrive(visit, "diffusion/reverse")
    filmed(page)
    places = "[...document.querySelectorAll('#diffusion-film .df-reel')].map((reel) => reel.dataset.place)"
    page.focus("#diffusion-film [data-at=range]")
    page.keyboard.press("Home")
    page.wait_for_function(f"{places}.join() === '0,0'")
    assert page.inner_text("#diffusion-film [data-at=left] [data-at=t]") == "at t = 999"
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"{places}.join() === '1,1'")
    page.keyboard.press("Space")
    page.wait_for_function(f"Number({places}[0]) > 2")
    page.wait_for_function("document.querySelector('#diffusion-film [data-at=play]').textContent === 'Play'")
    assert page.inner_text("#diffusion-film [data-at=left] [data-at=t]") == "is the image"

    page.click("#diffusion-film-right-ddpm-setting input")
    page.get_by_role("option", name="1000 calls").click()
    page.wait_for_function(f"/^1,020 network calls: about .* Press Draw\\.$/.test({FILM_WORDS})")
    page.click("#diffusion-reverse-go")
    page.wait_for_function(f"{FILM}.dataset.state === 'running' && /^\\d+ of 1,020/.test({FILM_WORDS})")
    stop_when(page, "#diffusion-reverse-stop", f"{FILM}.dataset.state === 'running' && Number({places}[1]) > 0")
    page.wait_for_function(f"{FILM_WORDS}.startsWith('Stopped after ')")
    page.wait_for_selector("#diffusion-reverse-stop:disabled")
    assert page.is_enabled("#diffusion-reverse-go")
    with page.expect_download() as download:
        page.click("#diffusion-film-gif")
    assert Image.open(io.BytesIO(Path(download.value.path()).read_bytes())).n_frames > 1

    page.fill("#diffusion-reverse-seed :is(input, textarea)", "-1")
    page.click("#diffusion-reverse-go")
    page.wait_for_function(
        "document.querySelector('#diffusion-film [data-at=problem]').textContent.startsWith('A seed must be')"
    )
    assert page.is_enabled("#diffusion-reverse-go")
    button, words = (
        page.locator(one).bounding_box() for one in ("#diffusion-reverse-go", "#diffusion-film .df-problem")
    )
    assert 0 < words["y"] - button["y"] < 200, "beside the button that was pressed"


def test_the_bound_is_drawn_or_says_how_to_measure_it(visit):
    page = arrive(visit, "diffusion/bound")
    page.wait_for_function("document.querySelector('#diffusion-bound-curve svg, #diffusion-bound-words code')")
    if page.locator("#diffusion-bound-words code").count():
        assert re.search(r"python -m gencore bound \S+/\S+", page.inner_text("#diffusion-bound-words"))
        return
    assert re.search(r"half of the sum over t lies at t up to \d+", page.inner_text("#diffusion-bound-curve .answer"))
    assert re.search(
        r"at most [\d.]+ bits per dimension, 95% interval", page.inner_text("#diffusion-bound-split .answer")
    )
    basis = page.inner_text("#diffusion-bound-split .basis")
    assert "prior" in basis and "clipping" in basis and "python -m gencore bound" in basis


def test_more_steps_are_drawn_or_wait_for_a_click(visit):
    page = arrive(visit, "diffusion/steps")
    words = WORDS.format("steps")
    page.wait_for_selector("#diffusion-steps [data-at=ticks] button")

    def take(steps):
        page.locator("#diffusion-steps [data-at=ticks] button").filter(has_text=re.compile(f"^{steps}$")).click()
        page.wait_for_selector(f"#diffusion-steps [data-steps='{steps}']")

    before = source_of(page, "image", "steps")
    take(1)
    if page.is_enabled("#diffusion-steps-go") and "Press Draw" in page.inner_text("#diffusion-steps [data-at=words]"):
        page.click("#diffusion-steps-go")  # a slow machine
    page.wait_for_function(f"{words}.startsWith('16 samples, 1 step, seed 42')")
    first = source_of(page, "image", "steps")
    assert first != before

    take(1000)
    page.wait_for_function(f"/^1,000 network calls on 16 images: about .* Press Draw\\./.test({words})")
    page.click("#diffusion-steps-go")
    stop_when(page, "#diffusion-steps-stop", f"/^Step [\\d,]+ of 1,000/.test({words})")
    page.wait_for_function(f"{words}.startsWith('Stopped at step')")
    take(1)
    page.wait_for_function(f"{words}.startsWith('16 samples, 1 step, seed 42')")
    assert source_of(page, "image", "steps") == first, "what was drawn is kept"
    page.wait_for_function(
        "/ 1 step: |measured for/.test(document.querySelector('#diffusion-steps-quality').innerText)"
    )


def test_a_phone_scrolls_one_way(visit):
    page = arrive(visit, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.wait_for_selector("#diffusion-steps [data-at=image][src], #diffusion-steps [data-at=words]:not(:empty)")
    filmed(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.is_visible("#diffusion-reverse-go") and page.is_visible("#diffusion-steps-stop")


def test_the_algorithms_run_a_line_at_a_time(visit):
    page = arrive(visit)
    training, sampling = ("#diffusion-algorithm-" + name for name in ("training", "sampling"))

    def lit(panel, line):
        page.wait_for_function(
            "([panel, line]) => [...document.querySelectorAll(`${panel} li`)].findIndex("
            "(one) => one.ariaCurrent ?? one.getAttribute('aria-current')) === line - 1",
            arg=[panel, line],
        )

    lit(training, 1)
    page.click(f"{training} [data-at=next]")  # asks for a step
    page.wait_for_function(f"document.querySelector('{training} [data-at=words]').textContent.startsWith('Step 1')")
    for line in (2, 3, 4, 5):
        page.click(f"{training} [data-at=next]")
        lit(training, line)
    assert "t = " in page.inner_text(f"{training} [data-at=figures]")
    assert page.locator(f"{training} img[src]").count() == 3, "what a line makes is there, and what comes later is not"
    page.click(f"{training} [data-at=next]")
    page.click(f"{training} [data-at=next]")
    assert "gradient" in page.inner_text(f"{training} [data-at=figures]")
    page.click(f"{sampling} [data-at=next]")
    lit(sampling, 2)
    page.click(f"{sampling} [data-at=go]")
    page.wait_for_function(f"document.querySelector('{sampling} [data-at=figures]').textContent === 't = 900'")
    lit(sampling, 5)
    page.click(f"{sampling} [data-at=restart]")
    lit(sampling, 1)
