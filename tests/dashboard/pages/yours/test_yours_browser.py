"""The page Your data as a visitor uses it, in a real browser.

What is started is a stand-in that trains nothing, but in the one test that says so.
"""

import os
import signal
import zipfile

import pytest

from dashboard.service import comparisons, processes
from gencore import FAMILIES, checkpoint
from gencore.comparison.state import Member, State, write_state
from tests.support import shapes
from tests.support.browser import serve
from tests.support.comparing import launcher, until

pytestmark = pytest.mark.browser

CARD = ".yours-one"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder for checkpoints, one for the visitor's own, and one for what is uploaded from."""
    root = tmp_path_factory.mktemp("yours")
    for name in ("shipped", "runs", "from"):
        (root / name).mkdir()
    return root


@pytest.fixture(scope="module")
def address(browser_or_skip, place):
    roots = os.pathsep.join([str(place / "shipped"), str(place / "runs")])
    public = {"TRILEMMA_PUBLIC": "", "SPACE_ID": "", "PYTHONPATH": os.getcwd()}
    with serve(roots, place / "log.txt", start=launcher(place), **public) as url:
        yield url


@pytest.fixture(autouse=True)
def none_left(place, monkeypatch):
    """Nothing of a test goes on, or is there for the next."""
    monkeypatch.setenv("GENCORE_CHECKPOINTS", os.pathsep.join([str(place / "shipped"), str(place / "runs")]))
    yield
    for one in sorted(comparisons.comparisons(), key=lambda one: one.status != "queued"):
        if one.status in comparisons.BUSY:
            processes.interrupt(one.job.pid, signal.SIGKILL)
        assert until(lambda one=one: comparisons.find(one.name).status not in comparisons.BUSY)
        comparisons.delete(one.name)


def upload(page, *paths):
    page.set_input_files("#yours-files input[type=file]", [str(path) for path in paths])


def begin(page, minutes):
    page.fill("#yours-minutes input", str(minutes))
    page.click("#yours-go")
    page.wait_for_selector(CARD)


def digits(page):
    page.click("#yours-digits")
    page.wait_for_selector("#yours-go")
    page.wait_for_function("document.querySelectorAll('.yours-sheet img').length === 24")


def is_now(page, status, nth=0):
    page.wait_for_function(f"document.querySelectorAll('{CARD}')[{nth}]?.dataset.status === '{status}'")


def press(page, act, nth=0):
    page.locator(CARD).nth(nth).locator(f"[data-act={act}]").click()


def test_from_a_zip_to_a_verdict(visit, place):
    page = visit(at="yours")
    upload(page, shapes.zipped(place / "from" / "My shapes.zip", 60))
    page.wait_for_selector("#yours-go")
    words = page.inner_text("#yours-facts")
    assert "my-shapes" in words and "60" in words and "no labels" in words and "2 files left out" in words
    assert "26×26" in page.inner_text("#yours-sheet") or "28×28" in page.inner_text("#yours-sheet")
    page.fill("#yours-size input[type=number]", "12")
    page.keyboard.press("Tab")
    page.wait_for_function("document.querySelector('#yours-sheet').innerText.includes('12×12')")
    begin(page, 0.1)
    is_now(page, "running")
    page.wait_for_selector(".yours-lane img[src]")
    first = page.get_attribute(".yours-lane img", "data-stamp")
    page.wait_for_function(f"document.querySelector('.yours-lane img').dataset.stamp !== '{first}'")  # it grows sharper
    page.wait_for_selector(".yours-one .chart svg")
    assert "images/s" in page.inner_text(".yours-lane dl")
    is_now(page, "done")
    assert "Use the VAE." in page.inner_text(CARD)
    assert comparisons.comparisons()[0].job.view == {"size": 12}


def test_stop_resume_rename_delete_and_undo(visit):
    page = visit(at="yours")
    digits(page)
    begin(page, 5)
    is_now(page, "running")
    press(page, "stop")
    is_now(page, "stopped")
    press(page, "resume")
    is_now(page, "running")
    press(page, "stop")
    is_now(page, "stopped")
    press(page, "rename")
    page.fill(f"{CARD} header input", "For the <b>class</b>")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"{CARD} >> text='For the <b>class</b>'")
    press(page, "delete")
    page.wait_for_function(f"!document.querySelector('{CARD}')")
    page.click(".yours-note button")
    is_now(page, "stopped")
    assert "For the <b>class</b>" in page.inner_text(CARD)


def test_a_reload_and_a_second_tab_see_the_same(visit):
    page = visit(at="yours")
    digits(page)
    begin(page, 5)
    is_now(page, "running")
    page.reload()
    is_now(page, "running")
    other = visit(at="yours")
    is_now(other, "running")
    digits(other)
    begin(other, 5)
    is_now(other, "queued", 1)
    is_now(page, "queued", 1)
    assert "In line, 1 ahead" in page.locator(CARD).nth(1).inner_text()
    press(page, "stop")
    is_now(other, "running", 0)
    is_now(other, "stopped", 1)


BAD = {
    "no-archive": (b"no archive", "cannot be read as a ZIP"),
    "dots": ({"../x.png": b"x"}, "leads out of the archive"),
    "bomb": ({"x.png": bytes(3 * 2**20)}, "over 100 times its size"),
    "few": ({"x.txt": b"x"}, "no images"),
}


def test_bad_zips_have_their_sentences(visit, place):
    page = visit(at="yours")
    for name, (content, words) in BAD.items():
        path = place / "from" / f"{name}.zip"
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                for member, inside in content.items():
                    archive.writestr(member, inside)
        upload(page, path)
        page.wait_for_function(f"document.querySelector('#yours-status .problem')?.textContent.includes('{words}')")
        assert page.locator("#yours-preview").is_hidden()


def test_a_run_is_taken_away_and_brought(visit, place):
    folder = place / "runs" / "mine"
    checkpoint.save_model(folder / "vae", FAMILIES["vae"](size=8, widths=(8, 8)))
    write_state(folder, State("digits", {}, 1.0, (Member("vae", "vae", state="measured"),), "now", phase="done"))
    page = visit(at="yours")
    is_now(page, "done")
    for _ in range(2):
        with page.expect_download() as found:
            press(page, "save")
    found.value.save_as(place / "from" / "theirs.zip")
    upload(page, place / "from" / "theirs.zip")
    page.wait_for_function("document.querySelector('#yours-status').innerText.includes('theirs/vae can be used')")
    page.wait_for_selector(f"{CARD} >> text='theirs'")


def test_a_phone_has_no_sideways_scroll(visit):
    page = visit(at="yours", viewport={"width": 390, "height": 844})
    digits(page)
    begin(page, 0.05)
    is_now(page, "done")
    page.wait_for_selector(".yours-one .chart svg.narrow")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.slow
def test_all_families_are_trained_measured_and_compared(browser, place, tmp_path):
    """The engine itself, on pictures that it has never seen: from a ZIP to the home page."""
    (tmp_path / "runs").mkdir()
    roots = os.pathsep.join([str(place / "shipped"), str(tmp_path / "runs")])
    with serve(roots, tmp_path / "log.txt", TRILEMMA_PUBLIC="", SPACE_ID="") as url:
        page = browser.new_page()
        page.set_default_timeout(1_200_000)
        page.goto(f"{url}#yours")
        upload(page, shapes.zipped(tmp_path / "shapes.zip", 300))
        page.wait_for_selector("#yours-go")
        page.fill("#yours-size input[type=number]", "8")
        page.keyboard.press("Tab")
        page.wait_for_function("document.querySelector('#yours-sheet').innerText.includes('8×8')")
        begin(page, 0.05)
        is_now(page, "running")
        press(page, "stop")
        is_now(page, "stopped")
        press(page, "resume")
        page.wait_for_selector(f"{CARD}:is([data-status=done], [data-status=failed])")
        assert page.get_attribute(CARD, "data-status") == "done", page.inner_text(CARD)
        page.wait_for_function(f"document.querySelectorAll('.yours-lane img[src]').length === {len(FAMILIES)}")
        assert page.locator(".yours-lane .yours-stage").all_inner_texts() == ["measured"] * len(FAMILIES)
        page.click(".yours-home")
        page.wait_for_function("!location.hash && document.querySelectorAll('#trilemma-home svg circle').length > 2")
        assert "shapes" in page.inner_text("#trilemma-home")
        page.close()
