"""The lecture's way through the app: every panel has its place, and the class is out in time."""

import html
import json
import re

import pytest

from dashboard import pages
from dashboard.pages.lecture import course, page
from dashboard.pages.lecture.views import IN_VIEW


def test_every_panel_is_a_step_once():
    shown = [step.panel.address for step in course.STEPS if step.panel]
    assert sorted(shown) == sorted(panel.address for panel in pages.panels().values())


def test_every_step_leads_to_a_page_and_says_what_to_do():
    for step in course.STEPS:
        assert step.page in pages.PAGES and step.title
        assert (step.page, step.key) in pages.panels() or not step.key, step
        assert step.do.endswith(".") and step.see.endswith("."), step


def test_a_class_is_through_in_20_minutes_or_in_45():
    assert course.length("short", course.ALL) == pytest.approx(20)
    assert course.length("long", course.ALL) <= 45


def test_parts_come_in_the_lectures_order():
    assert list(course.parts(course.ALL)) == ["Recap", "VAEs", "GANs", "Diffusion models", "The trilemma"]
    assert [step for steps in course.parts().values() for step in steps] == list(course.STEPS)


def test_the_outline_tells_the_bar_all_it_needs():
    told = json.loads(html.unescape(re.search(r'data-steps="([^"]*)"', course.outline(course.ALL))[1]))
    assert [one["href"] for one in told] == [step.address for step in course.ALL]
    assert all(one["minutes"] > 0 and one["slide"] and one["ways"][-1] == "long" for one in told)
    assert next(one for one in told if "short" in one["ways"])["title"] == "What is a generative model?"


def test_a_page_that_was_taken_out_takes_its_steps_with_it(monkeypatch):
    monkeypatch.setattr(pages, "PAGES", ("compare", "gan"))
    assert {step.page for step in course.here(course.ALL)} == {"compare", "gan"}


def test_every_step_says_what_has_to_be_in_view():
    assert {(step.page, step.key) for step in course.ALL} == set(IN_VIEW)


def test_an_addresss_code_is_made_here_and_only_of_addresses():
    svg = page.qr_code("http://10.0.0.7:7860/#diffusion/algorithms")
    size = int(re.search(r'viewBox="0 0 (\d+) ', svg)[1]) - 4  # less the margin
    assert svg.startswith("<svg") and (size - 17) % 4 == 0, "a whole version of the code"
    assert svg != page.qr_code("http://10.0.0.7:7860/#diffusion/forward")
    for bad in ("javascript:alert(1)", "", None, "http://a b", "http://" + "a" * 400, 7):
        assert page.qr_code(bad) == ""


@pytest.mark.parametrize("panel", pages.panels().values(), ids=lambda panel: panel.address)
def test_a_panel_says_what_it_is(panel):
    assert panel.page in pages.PAGES and re.fullmatch(r"[a-z-]+", panel.key)
    assert panel.reading.endswith(".") and panel.algorithm.endswith(".") and re.search(r"\d{4}|log", panel.source)
    assert panel.formula.count("{") == panel.formula.count("}")
    assert len(re.findall(r"\\left\b", panel.formula)) == len(re.findall(r"\\right\b", panel.formula))
    assert panel.algorithm.count("$") % 2 == 0 and panel.reading.count("$") % 2 == 0
