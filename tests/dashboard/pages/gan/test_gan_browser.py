"""The GAN page as a visitor uses it, in a real browser. Nothing here asserts a time."""

import re

import pytest

from gencore import checkpoint

pytestmark = pytest.mark.browser

RUNS = {entry.name: entry.path for entry in checkpoint.entries() if not entry.problem and entry.family == "gan"}
SHIPPED = "mnist/gan" in RUNS and (RUNS["mnist/gan"] / "log.jsonl").is_file()
shipped = pytest.mark.skipif(not SHIPPED, reason="the shipped checkpoints are not here")


def opened(visit, query="", panel="", **options):
    page = visit(query, "gan", **options)
    if panel:
        page.goto(page.url.partition("#")[0] + f"#gan/{panel}")
    page.wait_for_selector("#gan-judge-scores .belief-images img")
    return page


def choose(page, name):
    page.click("#gan-run input")
    page.get_by_role("option", name=name).click()


@shipped
def test_the_game_is_what_the_log_of_the_chosen_run_has(visit):
    page = opened(visit)
    game = page.inner_text("#gan-game")
    assert "a probe's" in game and "in 70% of the pairs" in game and "What the critic loses" in game
    assert page.locator("#gan-game svg.wide .level").count() >= 4
    choose(page, "mnist/gan-minimax")
    page.wait_for_function("!document.querySelector('#gan-game').innerText.includes('probe')")
    game = page.inner_text("#gan-game")
    assert "−log 4" in page.inner_html("#gan-game") and "What the critic loses" not in game
    assert re.search(r"V ends at −1\.\d\d nats, with D\(x\) = 0\.5\d and D\(G\(z\)\) = 0\.4\d", game)
    page.wait_for_function("/by the discriminator/.test(document.querySelector('#gan-judge-status').innerText)")
    page.wait_for_function("/have not been measured/.test(document.querySelector('#gan-against').innerText)")
    page.click("#gan-dataset input")
    page.get_by_role("option", name="blank").click()  # its checkpoint is broken
    page.wait_for_selector("#gan-judge-status .problem")
    assert "blank/gan" in page.inner_text("#gan-judge-status")
    assert not page.locator("#gan-judge-scores img").count(), "nothing of the run before is left"


@shipped
def test_the_timelapse_moves_plays_and_is_taken_away(visit):
    page = opened(visit, panel="timelapse")
    image, slider = page.locator("#gan-timelapse img"), page.locator("#gan-timelapse input[type=range]")
    last = image.get_attribute("src")
    slider.press("Home")
    assert image.get_attribute("src") != last
    page.click("#gan-timelapse [data-at=play]")
    page.wait_for_function("document.querySelector('#gan-timelapse input[type=range]').value > 1")
    page.click("#gan-timelapse [data-at=play]")
    with page.expect_download() as download:
        page.click("#gan-timelapse [data-at=gif]")
    assert download.value.suggested_filename.endswith(".gif")


def test_the_judge_sorts_and_another_seed_brings_other_images(visit):
    page = opened(visit, panel="judge")
    assert abs(page.locator("#panel-gan-judge").bounding_box()["y"]) < 900, "the link leads to the panel"
    made = page.locator("[data-gallery=gan] figcaption").all_inner_texts()
    scores = [float(words.lstrip("<>")) for words in made]
    assert len(scores) == 24 and scores == sorted(scores)
    first = page.locator("[data-gallery=gan] img").first.get_attribute("src")
    page.click("#gan-judge-another")
    page.wait_for_function(
        "first => document.querySelector('[data-gallery=gan] img')?.src !== first "
        "&& /fresh samples/.test(document.querySelector('#gan-judge-status').innerText)",
        arg=first,
    )
    seed = page.input_value("#gan-judge-seed textarea, #gan-judge-seed input")
    assert f"seed {seed}," in page.inner_text("#gan-judge-status") and seed != "42"
    kept = page.locator("[data-gallery=gan] img").first.get_attribute("src")
    page.fill("#gan-judge-seed textarea, #gan-judge-seed input", "a lot")
    page.press("#gan-judge-seed textarea, #gan-judge-seed input", "Enter")
    page.wait_for_selector("#gan-judge-status .problem")
    assert "'a lot'" in page.inner_text("#gan-judge-status")
    assert page.locator("[data-gallery=gan] img").first.get_attribute("src") == kept, "what was there stays"


def test_truncation_changes_the_samples_and_marks_where_it_stands(visit):
    page = opened(visit, panel="truncation")
    image = page.locator("#gan-samples img")
    before = image.get_attribute("src")
    page.fill("#gan-gan-truncation input[type=number]", "0.5")
    page.press("#gan-gan-truncation input[type=number]", "Enter")
    page.wait_for_function("/truncation 0.5/.test(document.querySelector('#gan-samples').innerText)")
    assert image.get_attribute("src") != before
    if SHIPPED:
        page.wait_for_selector("#gan-against svg.wide .here[data-at='0.5']")
        assert re.search(r"At truncation 0\.5: precision 0\.\d+ ± ", page.inner_text("#gan-against"))


def test_a_phone_scrolls_one_way(visit):
    page = opened(visit, "?__theme=dark", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.wait_for_selector("#gan-samples img[src]")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("#gan-judge-scores svg.narrow").is_visible()
