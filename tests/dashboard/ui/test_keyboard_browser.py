"""The keyboard on controls that Gradio draws: the focus is seen, and arrow keys walk a field's radio buttons."""

import pytest

pytestmark = pytest.mark.browser

RADIOS = "#latent-walk-mode input[type=radio]"


def outline(page, selector):
    """Whether a control that the keyboard is at is drawn with an outline."""
    page.evaluate("s => document.querySelector(s).focus({focusVisible: true})", selector)
    return page.evaluate("s => getComputedStyle(document.querySelector(s)).outlineStyle", selector) == "solid"


def test_arrow_keys_walk_radio_buttons_and_the_focus_is_seen(visit):
    page = visit(at="latent")
    page.wait_for_selector("#latent-traversal li img")  # the page is filled: nothing is laid out anew any more
    names = [radio.input_value() for radio in page.locator(RADIOS).all()]
    assert page.locator(RADIOS).first.is_checked()
    page.focus(RADIOS)
    page.keyboard.press("ArrowRight")
    page.wait_for_function("s => document.querySelectorAll(s)[1].checked", arg=RADIOS)
    assert page.evaluate("document.activeElement.value") == names[1]
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("s => document.querySelectorAll(s)[0].checked", arg=RADIOS)


def test_the_focus_is_seen_on_sliders_and_number_fields(visit):
    page = visit()
    for kind in ("range", "number"):
        assert outline(page, f"#compare-gan-truncation input[type={kind}]"), kind
