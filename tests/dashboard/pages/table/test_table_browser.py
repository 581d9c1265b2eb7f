"""The Table page as a visitor uses it, in a real browser."""

import csv
import json
from itertools import pairwise
from pathlib import Path

import pytest

from dashboard.pages import table
from tests.support import invented
from tests.support.browser import serve

pytestmark = pytest.mark.browser

KID = "#table-rows th[data-key=kid]"
ROWS = "[...document.querySelectorAll('#table-rows [data-at=rows] tr')]"
LABELS = f"{ROWS}.map((tr) => tr.querySelector('.label').innerText)"
FIRST = f"{ROWS}.map((tr) => parseFloat(tr.children[3].innerText))"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The address of an app with untrained models, invented rows, one stale row and one broken line."""
    from gencore import FAMILIES, checkpoint
    from gencore.evaluation import rows

    root = tmp_path_factory.mktemp("measured")
    for name, kind in FAMILIES.items():
        checkpoint.save_model(root / "mnist" / name, kind(size=8, widths=(8, 8)))
    names = {f"mnist/{name}": kind for name, kind in FAMILIES.items()}
    hashes = {name: rows.checkpoint_hash(root / name) for name in names}
    made = invented.rows(names, hashes)
    stale = next(row for row in made if row["point"]["label"] == "truncation 0.4" and row["kind"] == "quality")
    stale["hashes"] = {"checkpoint": "f" * 16}
    path = rows.rows_path("mnist", root)
    invented.write(path, made)
    with path.open("a") as file:
        file.write('{"row": 1, "kind": "quality"')
    with serve(str(root), tmp_path_factory.mktemp("app") / "log.txt") as url:
        yield url


def opened(visit, query="", **options):
    page = visit(query, "table", **options)
    page.wait_for_selector("#table-rows [data-at=rows] tr")
    return page


def count(page):
    return page.locator("#table-rows [data-at=rows] tr").count()


def test_a_table_whose_rows_are_still_to_come_is_not_read_out(visit):
    assert 'aria-busy="true"' in (Path(table.__file__).parent / "rows.html").read_text()
    region = opened(visit).locator("#table-rows [data-at=region]")
    assert region.get_attribute("aria-busy") is None and region.is_visible()
    region.evaluate("(region) => region.setAttribute('aria-busy', 'true')")
    assert not region.is_visible(), "axe calls a row without cells a fault"


def test_baselines_stand_on_top_and_problems_are_named(visit):
    page = opened(visit)
    baselines = page.locator("#table-rows [data-at=baselines] tr")
    assert [text.split("×")[0].strip() for text in baselines.locator("td:nth-child(3)").all_inner_texts()] == [
        "5,000",
        "2,000",
        "400",
    ]
    problems = page.inner_text("#table-rows [data-at=problems]")
    assert "mnist/rows.jsonl is passed over" in problems and "cut short" in problems
    assert "has changed since it was measured" in problems
    assert page.locator("#table-rows tr.stale").count() == 1
    assert page.locator("#table-rows tr.stale b").count() == 0
    assert page.locator("#table-rows [data-at=rows] b").count() > 0


def test_a_heading_sorts_turns_round_and_goes_back_and_so_does_the_keyboard(visit):
    page = opened(visit)
    before = page.evaluate(LABELS)
    page.click(f"{KID} button")
    assert page.get_attribute(KID, "aria-sort") == "ascending"
    values = page.evaluate(FIRST)
    assert all(one <= 1.02 * two for one, two in pairwise(values)), "as far as rounding tells"
    page.focus(f"{KID} button")
    page.keyboard.press("Enter")
    assert page.get_attribute(KID, "aria-sort") == "descending"
    values = page.evaluate(FIRST)
    assert all(two <= 1.02 * one for one, two in pairwise(values))
    assert page.inner_text("#table-rows [data-at=baselines] tr .family") == "Real images", "the baseline stays on top"
    page.keyboard.press("Enter")
    assert page.get_attribute(KID, "aria-sort") is None
    assert page.evaluate(LABELS) == before
    page.click("#table-rows th[data-key=coverage] button")
    assert page.get_attribute("#table-rows th[data-key=coverage]", "aria-sort") == "descending", "the best first"


def test_filters_combine_and_say_how_many_rows_are_left(visit):
    page = opened(visit)
    everything = count(page)
    assert page.inner_text("#table-rows [data-at=count]") == f"All {everything} rows"
    page.select_option("#table-rows [data-at=family]", "ddpm")
    page.select_option("#table-rows [data-at=n]", "2000")
    assert set(page.locator("#table-rows [data-at=rows] .family").all_inner_texts()) == {"DDPM"}
    assert page.locator("#table-rows [data-at=baselines] tr").count() == 1, "the baseline of that n alone"
    page.fill("#table-rows [data-at=query]", "ddim 20")
    assert page.evaluate(LABELS) == ["DDIM, 20 calls"]
    assert page.inner_text("#table-rows [data-at=count]") == f"1 of {everything} rows"
    page.fill("#table-rows [data-at=query]", "nothing like it")
    assert "no row fits" in page.inner_text("#table-rows [data-at=count]")
    page.fill("#table-rows [data-at=query]", "")
    page.select_option("#table-rows [data-at=family]", "")
    page.select_option("#table-rows [data-at=n]", "")
    page.select_option("#table-rows [data-at=kind]", "lecture")
    assert 1 <= count(page) < everything


def test_columns_and_features_can_be_chosen(visit):
    page = opened(visit)
    assert page.locator("#table-rows th[data-key=precision]").count() == 0
    page.get_by_label("Quality", exact=True).check()
    assert page.locator("#table-rows th[data-key=precision]").count() == 1
    page.get_by_label("Distance", exact=True).uncheck()
    assert page.locator(KID).count() == 0
    page.get_by_label("pixels", exact=True).check()
    assert page.locator("#table-rows th[data-key=sharpness]").count() == 1
    assert "±" in page.inner_text("#table-rows [data-at=rows] tr")


def test_csv_json_and_report_can_be_taken_away(visit, browser):
    page = opened(visit)
    got = {}
    for ending in ("csv", "json", "html"):
        with page.expect_download() as download:
            page.click(f"#table-{ending}")
        with open(download.value.path(), encoding="utf-8") as file:
            got[download.value.suggested_filename] = file.read()
    assert list(got) == ["mnist-rows.csv", "mnist-rows.json", "mnist-report.html"]
    lines = list(csv.DictReader(got["mnist-rows.csv"].splitlines()))
    assert len(lines) == count(page) + 3
    whole = json.loads(got["mnist-rows.json"])
    assert len([row for row in whole["rows"] if row["kind"] != "cost"]) == len(lines)
    context = browser.new_context(offline=True, color_scheme="dark", viewport={"width": 390, "height": 800})
    try:
        report, asked = context.new_page(), []
        report.on("request", lambda request: asked.append(request.url))
        report.set_content(got["mnist-report.html"])
        assert report.locator("svg.triangle").count() == 1 and report.locator("table").count() > 3
        assert report.evaluate("document.documentElement.scrollWidth") <= 390
        assert "python -m gencore evaluate" in report.inner_text("pre")
        assert not [url for url in asked if not url.startswith(("about:", "data:"))]
        report.set_viewport_size({"width": 1280, "height": 800})
        report.wait_for_function("innerWidth === 1280")
        cut = "[...document.querySelectorAll('.card .sideways')].filter((one) => one.scrollWidth > one.clientWidth)"
        assert report.evaluate(f"{cut}.length") == 0, "no column of a card is cut"
    finally:
        context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_scrolls_one_way(visit, theme):
    page = opened(visit, f"?__theme={theme}", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    cut = page.evaluate("""[...document.querySelectorAll('.rows select')].filter((select) => {
        const pen = document.createElement('canvas').getContext('2d'), style = getComputedStyle(select);
        pen.font = style.font;
        const room = select.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
        return pen.measureText(select.selectedOptions[0].textContent).width > room + 1;
    }).map((select) => select.selectedOptions[0].textContent)""")
    assert cut == []
    nav, link = page.locator(".top nav").bounding_box(), page.locator("nav [aria-current]").bounding_box()
    assert nav["x"] <= link["x"] and link["x"] + link["width"] <= nav["x"] + nav["width"], "the current page is in view"
