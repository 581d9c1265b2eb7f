"""Sheets of pages: what they style is named, so that one page's rule reaches no other page's elements."""

import re
from pathlib import Path

import pytest

PAGES = Path(__file__).parents[3] / "dashboard" / "pages"
COMMENT = re.compile(r"/\*.*?\*/", re.S)
FRAME = re.compile(r"from|to|[\d.]+%")  # of an animation


def selectors(sheet):
    """The selectors of a sheet, each of a list by itself."""
    for head in re.findall(r"([^{}]+)\{", COMMENT.sub("", sheet)):
        if not head.strip().startswith("@"):
            yield from (one.strip() for one in re.split(r",(?![^(\[]*[)\]])", head))


def test_lists_within_a_selector_are_no_selectors():
    assert list(selectors("/* a { } */ .a :is(td, th), #b { } @media (x) { p, i { } }")) == [
        ".a :is(td, th)",
        "#b",
        "p",
        "i",
    ]


@pytest.mark.parametrize("sheet", sorted(PAGES.glob("*/*.css")), ids=lambda path: path.parent.name)
def test_no_rule_of_a_page_is_for_an_element_of_any_page(sheet):
    bare = [
        one
        for one in selectors(sheet.read_text("utf-8"))
        if not FRAME.fullmatch(one) and not re.search(r"[.#\[]", one.replace(".gradio-container", ""))
    ]
    assert not bare, "begin with a class or id of the page"
