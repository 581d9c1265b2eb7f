"""The Speed page as a visitor uses it, in a real browser. Nothing here asserts a time."""

import re

import pytest

from gencore import FAMILIES
from tests.support import invented
from tests.support.browser import serve

pytestmark = pytest.mark.browser

HOLLOW = "#speed-batches svg.wide path[style*='fill:var(--card)']"
STATUS = "document.querySelector('#speed-status').innerText"
HEADLINES = sum(point.kind == "headline" for kind in FAMILIES.values() for point in kind.points)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Tiny untrained models with invented rows, and a folder of the visitor's own."""
    from gencore import checkpoint
    from gencore.evaluation import rows

    root = tmp_path_factory.mktemp("measured")
    shipped, mine = root / "checkpoints", root / "runs"
    for name, kind in FAMILIES.items():
        checkpoint.save_model(shipped / "mnist" / name, kind(size=8, widths=(8, 8)))
    names = {f"mnist/{name}": kind for name, kind in FAMILIES.items()}
    hashes = {name: rows.checkpoint_hash(shipped / name) for name in names}
    invented.write(rows.rows_path("mnist", shipped), invented.rows(names, hashes))
    mine.mkdir()
    return shipped, mine


@pytest.fixture(scope="module")
def address(place, tmp_path_factory):
    """The address of an app that has these rows."""
    with serve(":".join(map(str, place)), tmp_path_factory.mktemp("app") / "log.txt") as url:
        yield url


def opened(visit, **options):
    page = visit("", "speed", **options)
    page.wait_for_selector("#speed-batches svg", state="attached")
    page.wait_for_function("!document.querySelector('#pages.arriving')")  # until then what it says is not seen
    return page


def test_the_figures_name_their_machine_and_say_how_to_read_them(visit):
    page = opened(visit)
    for name in ("speed-batches", "speed-calls", "speed-sizes"):
        assert "Test Processor, 2 threads, float32" in page.inner_text(f"#{name} .reading")
        assert page.inner_text(f"#{name} .answer")
    assert page.input_value("#speed-machine input") == "Test Processor, 2 threads, float32"
    assert re.search(r"a network call takes 3\.5\d* ± [\d.]+ ms per image", page.inner_text("#speed-calls .answer"))
    assert page.locator(HOLLOW).count() == 0
    page.click("#speed-numbers summary")
    assert page.locator("#speed-numbers tbody tr").count() > 10


def test_the_wait_is_said_beforehand_and_changes_with_what_is_timed(visit):
    page = opened(visit)
    few = page.inner_text("#speed-status")
    assert re.search(rf"Timing {HEADLINES} operating points here takes about \d+ (s|min)", few)
    assert "runs/mnist/rows.jsonl" in few
    page.click("#speed-scope input")
    page.get_by_role("option", name="every point").click()
    page.wait_for_function(f"!{STATUS}.includes('Timing {HEADLINES} ')")
    assert re.search(r"Timing \d\d operating points", page.inner_text("#speed-status"))


@pytest.mark.slow
def test_measure_on_this_machine_with_stop_and_two_visitors(visit, place):
    from gencore.evaluation import rows

    page, other = opened(visit), opened(visit)
    page.click("#speed-measure")
    page.wait_for_selector("#speed-status [role=progressbar]")
    page.wait_for_function(f"/\\(1 of {HEADLINES}\\): .*left/.test({STATUS})")
    assert page.is_disabled("#speed-measure") and not page.is_disabled("#speed-stop")

    other.click("#speed-measure")
    other.wait_for_function(f"{STATUS}.includes('busy, 1 ahead')")

    page.wait_for_selector(HOLLOW, state="attached")  # the first row is there, drawn beside the shipped ones
    assert "measured here" in page.inner_text("#speed-batches .reading")
    page.click("#speed-stop")
    page.wait_for_function(f"{STATUS}.startsWith('Stopped: ')")
    words = page.inner_text("#speed-status")
    done = int(re.match(rf"Stopped: (\d) of {HEADLINES} operating points timed", words)[1])
    assert 1 <= done < HEADLINES and not page.is_disabled("#speed-measure") and page.is_disabled("#speed-stop")

    other.wait_for_function(f"/\\(1 of {HEADLINES}\\)/.test({STATUS})")  # its turn has come
    other.click("#speed-stop")
    other.wait_for_function(f"{STATUS}.startsWith('Stopped: ')")
    found, bad = rows.read(place[1] / "mnist" / "rows.jsonl")
    assert not bad and len(found) >= done
    assert all(row["hashes"]["checkpoint"] == rows.checkpoint_hash(place[0] / row["checkpoint"]) for row in found)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_scrolls_one_way(visit, theme):
    page = visit(f"?__theme={theme}", "speed", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.wait_for_selector("#speed-batches svg.narrow", state="visible")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    nav, link = page.locator(".top nav").bounding_box(), page.locator("nav [aria-current]").bounding_box()
    assert nav["x"] <= link["x"] and link["x"] + link["width"] <= nav["x"] + nav["width"], "the current page is in view"
