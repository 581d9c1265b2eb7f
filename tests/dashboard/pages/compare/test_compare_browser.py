"""The Compare page as a visitor uses it, in a real browser. Nothing here asserts a time."""

import io
import json
import zipfile

import pytest

from gencore import FAMILIES
from tests.support.buttons import run_to_end, stop_when
from tests.support.traffic import settle

pytestmark = pytest.mark.browser

STATE = "[data-lane={0}]"
LANES = tuple(FAMILIES)
QUICK = "?n=4&ddpm.num_inference_steps=6"
SLOW = "?n=16&ddpm.num_inference_steps=400"
WATCH = """
    window.frames_seen = [];
    const lane = document.querySelector('[data-lane=ddpm]');
    new MutationObserver(() => {
        const frame = [lane.dataset.state, Number(lane.dataset.index), lane.querySelector('img').src];
        window.frames_seen.push(frame);
    }).observe(lane, { attributes: true, subtree: true, attributeFilter: ['src', 'data-state', 'data-index'] });
"""


def ready(page):
    """Wait until the page stands as its address says: the server's answer has been painted."""
    page.wait_for_function("document.body.dataset.restored !== undefined")
    return page


def generate(page):
    run_to_end(page, "#compare-generate", "#compare-timing")


def state(page, lane):
    return page.get_attribute(STATE.format(lane), "data-state")


def image(page, lane):
    return page.get_attribute(f"[data-lane={lane}] img", "src")


def note(page, lane):
    return page.inner_text(f"[data-lane={lane}] [data-at=note]")


def field(page, selector):
    return page.input_value(f"{selector} input, {selector} textarea")


def test_lanes_are_there_before_any_click(visit):
    page = ready(visit())
    assert [lane.get_attribute("data-lane") for lane in page.query_selector_all(".lanes [data-lane]")] == [*LANES]
    assert field(page, "#compare-n") == "24"
    assert field(page, "#compare-seed") == "42"
    assert page.inner_text("#compare-timing h3") == "Time per image"
    assert all(page.inner_text(f"#compare-{chart} .reading") for chart in ("timing", "spread", "scatter"))


def test_generate_streams_and_finishes_every_lane(visit):
    page = ready(visit("?n=6&ddpm.num_inference_steps=60"))
    page.evaluate(WATCH)
    generate(page)
    assert [state(page, lane) for lane in LANES] == ["done"] * len(LANES)
    frames = page.evaluate("window.frames_seen")
    running = {source for kind, index, source in frames if kind == "running" and 0 < index < 60}
    assert len(running - {image(page, "ddpm")}) >= 2, "at least two other images before the last"
    for lane in LANES:
        assert page.inner_text(f"[data-lane={lane}] [data-at=clock]")
        assert "6 images, seed 42" in note(page, lane)
    figures = page.inner_text("[data-lane=ddpm] dl")
    assert "per image" in figures and "60" in figures and "images/s" in figures
    assert page.locator("#compare-timing svg.wide .value").count() == len(LANES)


def test_stop_stops_and_keeps_what_was_finished(visit):
    page = ready(visit(SLOW))
    page.click("#compare-generate")
    stop_when(page, "#compare-stop", f"Number(document.querySelector(`{STATE.format('ddpm')}`).dataset.index) > 0")
    page.wait_for_function("document.querySelector('[data-lane=ddpm]').dataset.state === 'stopped'")
    page.wait_for_function("!document.querySelector('#compare-generate').disabled")
    index = int(page.get_attribute(STATE.format("ddpm"), "data-index"))
    assert 0 < index < 400
    assert note(page, "ddpm") == f"Stopped at step {index} of 400."
    assert [state(page, lane) for lane in LANES[:2]] == ["done", "done"]
    clock = page.inner_text("[data-lane=ddpm] [data-at=clock]")
    page.wait_for_timeout(400)
    assert page.inner_text("[data-lane=ddpm] [data-at=clock]") == clock, "the clock of a stopped lane stands still"
    with page.expect_download() as download:
        page.click("#compare-download-json")
    with open(download.value.path()) as file:
        settings = json.load(file)
    assert set(settings["lanes"]) == {"vae", "gan"}
    assert settings["not_finished"] == list(LANES[2:]), "the one that was stopped, and what comes after it"


def test_the_same_seed_gives_the_same_images(visit):
    page = ready(visit(QUICK))
    generate(page)
    first = {lane: image(page, lane) for lane in LANES}
    generate(page)
    assert {lane: image(page, lane) for lane in LANES} == first
    page.fill("#compare-seed textarea, #compare-seed input", "43")
    generate(page)
    assert all(image(page, lane) != first[lane] for lane in LANES)


BAD = [
    ("#compare-n", "0", "from 1 to 100, not 0"),
    ("#compare-n", "-3", "from 1 to 100, not -3"),
    ("#compare-n", "2.5", "a whole number from 1 to 100, not 2.5"),
    ("#compare-n", "100000", "from 1 to 100, not 100000"),
    ("#compare-n", "", "not an empty field"),
    ("#compare-seed", "-1", "A seed must be a whole number from 0 to 9223372036854775807, not -1"),
    ("#compare-seed", "<b>x</b>", "not '<b>x</b>'"),
    ("#compare-seed", "1e99", "not '1e99'"),
]


def test_bad_numbers_give_a_sentence_and_lose_nothing(visit):
    page = ready(visit())
    before = [image(page, lane) for lane in LANES]
    for selector, value, words in BAD:
        page.fill("#compare-n input", "24")
        page.fill("#compare-seed input, #compare-seed textarea", "42")
        page.fill(f"{selector} input, {selector} textarea", value)
        page.click("#compare-generate")
        page.wait_for_function(
            "words => document.querySelector('#compare-status').innerText.includes(words)", arg=words
        )
        assert not page.is_disabled("#compare-generate")
    assert page.is_visible("#compare-status [role=alert]")
    assert [image(page, lane) for lane in LANES] == before


def test_downloads(visit):
    page = ready(visit(QUICK))
    generate(page)
    contents = {}
    for kind in ("json", "png", "zip"):
        with page.expect_download() as download:
            page.click(f"#compare-download-{kind}")
        assert download.value.suggested_filename.endswith(f".{kind}")
        with open(download.value.path(), "rb") as file:
            contents[kind] = file.read()
    settings = json.loads(contents["json"])
    assert settings["seed"] == 42 and len(settings["image_seeds"]) == 4
    assert settings["lanes"]["ddpm"]["knobs"]["num_inference_steps"] == 6
    assert settings["lanes"]["ddpm"]["network_calls"] == 6
    assert contents["png"].startswith(b"\x89PNG")
    with zipfile.ZipFile(io.BytesIO(contents["zip"])) as bundle:
        names = bundle.namelist()
    for lane in LANES:
        assert [name for name in names if name.startswith(f"{lane}/")] == [f"{lane}/{i:03d}.png" for i in range(4)]


def test_a_link_restores_the_settings(visit):
    page = ready(visit("?n=5&seed=77&ddpm.sampler=ddim&ddpm.num_inference_steps=7&ddpm.eta=0.5&gan.truncation=0.6"))
    assert page.inner_text("#compare-status") == "Settings from the link. Press Generate to run them."
    page.locator("#compare-seed").locator("textarea, input").press("End")
    page.keyboard.type("8")  # the address follows what is set, run or not
    page.wait_for_function("new URLSearchParams(location.search).get('seed') === '778'")
    page.keyboard.type("x")
    page.wait_for_selector("#compare-status [role=alert]")
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    page.wait_for_selector("#compare-status [role=alert]", state="detached")
    assert field(page, "#compare-n") == "5"
    assert field(page, "#compare-seed") == "77"
    assert page.input_value("#compare-ddpm-num_inference_steps input[type=number]") == "7"
    assert page.input_value("#compare-ddpm-sampler input") == "ddim"
    assert page.is_visible("#compare-ddpm-eta")
    assert page.input_value("#compare-gan-truncation input[type=number]") == "0.6"
    generate(page)
    query = page.evaluate("Object.fromEntries(new URLSearchParams(location.search))")
    assert query["seed"] == "77" and query["ddpm.eta"] == "0.5" and "data" not in query
    settle(page)
    page.reload()
    ready(page)
    assert field(page, "#compare-seed") == "77"


def test_a_bad_link_says_so_and_shows_the_rest(visit):
    page = ready(visit("?data=nosuch&ddpm.num_inference_steps=5000&seed=5"))
    page.wait_for_selector("#compare-status [role=alert]")
    words = page.inner_text("#compare-status")
    assert "'nosuch'" in words and "num_inference_steps must be" in words
    assert field(page, "#compare-seed") == "5"


def test_knobs_come_and_go_with_what_they_depend_on(visit):
    page = ready(visit())
    assert not page.is_visible("#compare-ddpm-eta")
    page.click("#compare-ddpm-sampler input")
    page.get_by_role("option", name="ddim", exact=True).click()
    page.wait_for_selector("#compare-ddpm-eta", state="visible")
    page.click("#compare-ddpm-setting input")
    page.get_by_role("option", name="ancestral, 1000 calls").click()
    page.wait_for_selector("#compare-ddpm-eta", state="hidden")
    assert page.input_value("#compare-ddpm-sampler input") == "ddpm"
    assert page.input_value("#compare-ddpm-num_inference_steps input[type=number]") == "1000"


def test_another_data_set_takes_the_old_images_away_and_a_broken_lane_stops_no_other(visit):
    page = ready(visit(QUICK))
    generate(page)
    page.click("#compare-dataset input")
    page.get_by_role("option", name="blank").click()
    page.wait_for_function("document.querySelector('[data-lane=vae] [data-at=note]').innerText.startsWith('No images')")
    assert [image(page, lane) for lane in LANES] == [None] * len(LANES)
    assert page.is_disabled("#compare-download-json"), "a download would be of the other data set"
    assert note(page, "gan").startswith("blank/gan/model.safetensors cannot be read")
    assert note(page, "ddpm").startswith("No DDPM checkpoint for blank yet. Train one: python -m gencore train")
    generate(page)
    assert state(page, "vae") == "done"
    assert image(page, "vae").startswith("data:image/png")
    assert note(page, "gan").startswith("blank/gan/model.safetensors cannot be read")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_scrolls_one_way_in_light_and_dark(visit, theme):
    page = ready(visit(f"?__theme={theme}", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    lanes = [page.locator(STATE.format(lane)).bounding_box() for lane in LANES]
    assert lanes[0]["y"] < lanes[1]["y"] < lanes[2]["y"], "the lanes stack"
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    card = page.evaluate("getComputedStyle(document.querySelector('.card')).backgroundColor")
    lightness = [sum(map(int, colour[4:-1].split(",")[:3])) / 3 for colour in (background, card)]
    assert all(value < 60 for value in lightness) if theme == "dark" else all(value > 220 for value in lightness)


def test_the_page_does_not_grow(visit):
    page = ready(visit("?n=2&ddpm.num_inference_steps=2"))
    page.evaluate("document.querySelector('#compare-scatter').scrollIntoView()")
    drawings = "Number(document.querySelector('.plot').dataset.drawn || 0)"
    missing = "document.querySelector('.plot.missing')"
    page.wait_for_function(f"{drawings} > 0 || {missing}")
    drawn = page.evaluate(drawings)
    generate(page)
    page.wait_for_selector("#compare-quick h3")
    page.wait_for_function(f"drawn => {drawings} > drawn || {missing}", arg=drawn)
    settle(page)
    before = page.evaluate("document.querySelectorAll('*').length")
    for _ in range(3):
        generate(page)
    settle(page)
    assert page.evaluate("document.querySelectorAll('*').length") <= before + 10


def test_visitors_share_the_device_and_what_is_quick_goes_ahead(visit):
    first, second, third = ready(visit(SLOW)), ready(visit(SLOW)), ready(visit(QUICK))
    ddpm = "document.querySelector('[data-lane=ddpm]').dataset.state"
    first.click("#compare-generate")
    first.wait_for_function(f"{ddpm} === 'running'")
    second.click("#compare-generate")
    second.wait_for_function("document.querySelector('#compare-status').innerText.includes('busy, 1 ahead')")
    assert state(second, "ddpm") == "waiting"
    second.click("#compare-stop")
    second.wait_for_function("!document.querySelector('#compare-generate').disabled")
    assert note(second, "ddpm").startswith("Stopped before its turn")
    third.click("#compare-generate")
    third.wait_for_function(f"{ddpm} === 'done'")
    assert state(first, "ddpm") == "running"
    first.click("#compare-stop")
    first.wait_for_function(f"{ddpm} === 'stopped'")
