"""The page of basics as a class uses it, in a real browser."""

import pytest

pytestmark = pytest.mark.browser


def said(page, name, words):
    page.wait_for_function(
        "([id, words]) => document.getElementById(id)?.textContent.includes(words)", arg=[f"basics-{name}", words]
    )


def test_sliders_and_lines_answer(visit):
    page = visit(at="basics", viewport={"width": 390, "height": 844})
    said(page, "normal", "log p(data) = −93.49")
    page.fill("#basics-mean input[type=number]", "1")
    page.press("#basics-mean input[type=number]", "Tab")
    said(page, "hill", "nats below the top")
    page.wait_for_function("!document.getElementById('basics-normal').textContent.includes('−93.49')")
    page.fill("#basics-x input[type=number]", "-1")
    page.press("#basics-x input[type=number]", "Tab")
    said(page, "evidence", "log p(x) = −0.83")
    page.click("#basics-derivation-next")
    said(page, "derivation", "The logarithm of a quotient")
    page.click("#basics-derivation-back")
    page.wait_for_function("!document.getElementById('basics-derivation').textContent.includes('quotient')")
    assert page.is_disabled("#basics-derivation-back")
    said(page, "densities", "of 100 draws")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
