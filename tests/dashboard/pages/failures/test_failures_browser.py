"""The Failure lab as a visitor uses it, in a real browser. Nothing here asserts a time."""

import pytest

from gencore import checkpoint
from gencore.evaluation import rows

pytestmark = pytest.mark.browser

KEYS = ["collapse", "posterior-collapse", "too-few-steps", "memorised", "noise"]


def opened(visit, **options):
    """The page, with every picture made, or a sentence in its place."""
    page = visit(at="failures", **options)
    page.wait_for_selector("#failures-glance :is(table, .missing)")
    page.wait_for_function("document.querySelectorAll('.failure .samples').length >= 5")
    page.wait_for_function("!document.querySelector('.failure .samples.waiting')")
    page.wait_for_function("[...document.querySelectorAll('.failure img.samples')].every((image) => image.complete)")
    return page


def shipped(key):
    """Whether the shipped rows hold one of this failure; they must, or there is nothing for the page to show."""
    good, _ = rows.read(rows.rows_path("mnist", checkpoint.roots()[0]))
    return any(row.get("failure") == key for row in good)


def test_each_failure_has_its_card_with_samples_and_answers(visit):
    page = opened(visit)
    cards = page.query_selector_all("#pages .failure")
    assert [card.get_attribute("data-failure") for card in cards] == KEYS
    for card in cards:
        assert card.query_selector("h3").inner_text() and card.query_selector(".answer").inner_text()
        image, told = card.query_selector("img.samples"), card.query_selector("p.samples")
        assert image is not None or told.inner_text().endswith(".")
        if image:
            assert image.evaluate("image => image.complete && image.naturalWidth > 0")
            assert "24 samples" in image.get_attribute("alt")
        measured = card.query_selector(".measured")
        assert shipped(card.get_attribute("data-failure")), "the shipped rows have one of each failure"
        words = measured.inner_text()
        assert measured.query_selector("svg .range") and "notices" in words and "classifier features " in words
        assert measured.query_selector(".lesson").inner_text()
    assert len({card.query_selector("img.samples").get_attribute("src") for card in cards[:3]}) == 3


def test_how_well_each_extractor_sees_with_a_chart_for_each_ladder(visit):
    page = visit(at="failures")
    page.wait_for_selector("#failures-sights table")
    rows = page.query_selector_all("#failures-sights tbody tr")
    ladders = [row.query_selector("th").inner_text().split("\n")[0] for row in rows]
    assert len(ladders) >= 10 and all(row.query_selector("img").evaluate("one => one.naturalWidth > 0") for row in rows)
    assert page.query_selector("#failures-climb h3").inner_text().startswith(ladders[0])
    page.click("#failures-ladder input")
    page.click(f"[role=option]:has-text('{ladders[-1]}')")
    page.wait_for_function(f"document.querySelector('#failures-climb h3').innerText.startsWith('{ladders[-1]}')")


def test_what_was_made_is_there_again_at_the_next_visit(visit):
    opened(visit)
    page = opened(visit)
    assert page.query_selector("[data-failure=collapse] img.samples")
    page.click("nav a >> nth=0")
    page.click("nav a[data-page=failures]")
    page.wait_for_selector("[data-failure=noise] img.samples")


def test_another_data_set_says_what_cannot_be_made(visit):
    page = opened(visit)
    assert page.input_value("#failures-dataset input") == "MNIST"
    page.click("#failures-dataset input")
    page.click("[role=option]:has-text('blank')")
    page.wait_for_function(
        "document.querySelector('[data-failure=too-few-steps]').innerText.includes('no model to break')"
    )
    page.wait_for_selector("[data-failure=collapse] img.samples")


def test_the_address_names_the_data_set(visit):
    page = visit("?data=blank", at="failures")
    page.wait_for_function("document.querySelector('#failures-dataset input')?.value === 'blank'")
    page.wait_for_function("document.querySelector('#failures-glance').innerText.includes('measured on blank yet')")
    assert "python -m gencore ladder blank" in page.query_selector("#failures-sights").inner_text()


@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_the_screen(visit, width):
    page = opened(visit, viewport={"width": width, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
