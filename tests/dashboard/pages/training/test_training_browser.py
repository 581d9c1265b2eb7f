"""The Training page, as a visitor uses it; and the buttons that save a chart."""

import io
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from PIL import Image, ImageSequence

from gencore.families import FAMILIES
from tests.support.traffic import without_asking

SHIPPED = Path(__file__).resolve().parents[4] / "checkpoints" / "mnist"
RUNS = [path.parent.name for path in sorted(SHIPPED.glob("*/log.jsonl"))]
pytestmark = pytest.mark.skipif(len(RUNS) < 3, reason="no training logs are shipped")
CARDS = "#training-charts h3"


def opened(visit, query="", at="training", **options):
    page = visit(query, at, **options)
    page.wait_for_selector(CARDS)
    page.wait_for_function("document.querySelectorAll('#training-timelapse figure').length > 1")
    return page


def choose(page, name, words):
    page.locator(f"#training-{name} input").click()
    page.get_by_role("option", name=words, exact=True).click()


def drawn(page):
    return page.locator("#training-charts svg.fig.wide").evaluate_all("svgs => svgs.map((svg) => svg.textContent)")


def test_curves_follow_the_axis_the_column_and_the_choice_of_trainings(visit):
    page = opened(visit)
    titles = page.locator(CARDS).all_inner_texts()
    assert titles[-2:] == ["Learning rate", "Images per second in training"]
    assert sum(title.endswith(": loss") for title in titles) == len(titles) - 2 >= 3
    assert all("images seen (log scale)" in text for text in drawn(page))
    page.locator("#training-axis label", has_text="seconds").click()
    page.wait_for_function(f"document.querySelector('{CARDS}').closest('.chart').textContent.includes('seconds of tr')")
    page.locator("#training-log input").uncheck()
    page.wait_for_function("!document.querySelector('#training-charts').textContent.includes('training (log scale)')")
    choose(page, "also", "KL divergence per dimension")
    page.wait_for_function(f"[...document.querySelectorAll('{CARDS}')].some((h) => h.textContent.includes('per dim'))")
    choose(page, "runs", "mnist/gan-minimax")
    page.wait_for_function("document.querySelector('#training-facts').textContent.includes('mnist/gan-minimax')")
    page.wait_for_function(f"document.querySelectorAll('#training-timelapse figure').length === {len(FAMILIES) + 1}")
    page.locator("#training-runs [title=Clear]").click()
    page.wait_for_selector("text=No training is chosen: choose at least one.")
    assert page.locator(CARDS).count() == 0
    assert page.locator("#training-timelapse .timelapse").is_hidden()


def test_one_slider_moves_all_time_lapses_without_asking_the_server(visit):
    page = opened(visit)
    slider, label = page.locator("#training-timelapse [data-at=slider]"), page.locator("#training-timelapse output")
    captions = page.locator("#training-timelapse figcaption")
    assert all("finished" in text for text in captions.all_inner_texts())
    before = page.locator("#training-timelapse img").evaluate_all("images => images.map((image) => image.src)")
    play = page.locator("#training-timelapse [data-at=play]")
    with without_asking(page):
        slider.focus()
        page.keyboard.press("Home")
        assert label.inner_text() == slider.get_attribute("aria-valuetext") == "0 images seen"
        texts = captions.all_inner_texts()
        tuned = json.loads((SHIPPED / "ddpm" / "run.json").read_text())
        tuned = tuned["images"] + tuned["init"]["images"]
        started = {f"mnist/{family}": "0 images seen, 0.0 s" for family in FAMILIES}
        started["mnist/consistency"] = f"{tuned:,} images seen, "  # by the DDPM that it was tuned from
        assert [text.split("\n")[0] for text in texts] == [*started]
        assert all(words in text for words, text in zip(started.values(), texts, strict=True)), texts
        after = page.locator("#training-timelapse img").evaluate_all("images => images.map((image) => image.src)")
        assert not set(before) & set(after)
        play.click()
        page.wait_for_function("document.querySelector('#training-timelapse [data-at=slider]').value > 1")
        play.click()
        assert play.inner_text() == "Play"
    page.locator("#training-lapse-axis label", has_text="seconds").click()
    page.wait_for_function("/\\d (s|min|h)\\b/.test(document.querySelector('#training-timelapse output').textContent)")
    with page.expect_download() as download:
        page.locator("#training-timelapse [data-at=gif]").click()
    film = Image.open(io.BytesIO(Path(download.value.path()).read_bytes()))
    assert film.format == "GIF"
    shown = [frame.info["duration"] for frame in ImageSequence.Iterator(film)]
    places = int(slider.get_attribute("max")) + 1
    told = "a picture for each place, in hundredths of a second; two that are alike are one, shown longer"
    assert round(sum(shown[:-1]) / min(shown)) == places - 1, told


def test_a_chart_is_saved_as_it_is_seen(visit):
    page = opened(visit, "?__theme=dark")
    title = page.locator(CARDS).first.inner_text()
    page.wait_for_selector("#training-charts .save-figure button", state="attached")
    buttons = page.locator("#training-charts .save-figure").first.locator("button")
    assert buttons.all_inner_texts() == ["SVG", "PNG"]
    page.locator(CARDS).first.hover()
    saved = {}
    for button in buttons.all():
        with page.expect_download() as download:
            button.click()
        saved[download.value.suggested_filename] = Path(download.value.path()).read_bytes()
    stem = title.replace(":", "").replace(" ", "-").lower()
    assert list(saved) == [f"{stem}.svg", f"{stem}.png"]
    text = saved[f"{stem}.svg"].decode()
    svg = ET.fromstring(text)
    assert "var(" not in text
    assert "class=" not in text
    assert "images seen (log scale)" in text
    paper = svg.find("{http://www.w3.org/2000/svg}rect").get("fill")
    assert paper == "rgb(27, 29, 35)", "the card's colour in the dark"
    size = tuple(2 * int(svg.get(side)) for side in ("width", "height"))
    picture = Image.open(io.BytesIO(saved[f"{stem}.png"])).convert("RGB")
    assert picture.size == size
    assert picture.getpixel((1, 1)) == (27, 29, 35)
    assert len(picture.getcolors(1 << 20)) > 20, "a drawing, not an empty sheet"


def test_a_phone_shows_everything_and_a_data_set_without_logs_a_sentence(visit):
    page = opened(visit, viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator(".save-figure").first.evaluate("row => getComputedStyle(row).opacity") == "1"
    page.locator("#training-timelapse [data-at=gif]").scroll_into_view_if_needed()
    assert page.locator("#training-timelapse [data-at=gif]").is_visible()
    choose(page, "dataset", "blank")
    page.wait_for_selector("text=No training of blank has left a log or a time-lapse yet")
    assert page.locator(CARDS).count() == 0
    assert not re.search("Traceback|Error", page.locator("body").inner_text())
