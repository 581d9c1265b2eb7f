"""The Diversity page and Compare's quick scores as a visitor uses them, in a real browser. No time is asserted."""

import contextlib

import pytest

from gencore import FAMILIES
from tests.support.buttons import run_to_end, stop_when

pytestmark = pytest.mark.browser

IDLE = "!document.querySelector('#diversity-generate').disabled"
MADE = "document.querySelector('#diversity-reach').innerText.includes('Made here')"


def arrive(visit, query="", **options):
    """The page once the server's answer has been painted."""
    page = visit(query, at="diversity", **options)
    page.wait_for_selector("#diversity-reach h3")
    page.wait_for_function("document.querySelectorAll('[data-testid=samples] button').length > 0")
    return page


def settle_on(page, family, label):
    page.click(f"#diversity-{family}-point input")
    page.get_by_role("option", name=label, exact=True).click()


def generate(page, n=200):
    page.fill("#diversity-n input", str(n))
    run_to_end(page, "#diversity-generate", "#diversity-progress")


def states(page):
    return {family: page.get_attribute(f"[data-progress={family}]", "data-state") for family in FAMILIES}


def map_drawn(page):
    page.evaluate("document.querySelector('#diversity-map').scrollIntoView()")
    page.wait_for_function("document.querySelector('#diversity-map .plot').dataset.drawn")


# Where a mark of the map is, once the page has stood still: charts above it come in late.
PLACE = """() => new Promise((done) => {
    const place = () => {
        const clouds = [...document.querySelectorAll('#diversity-map .scatterlayer .trace')];
        const { x, y, width, height } = clouds.at(-1).querySelectorAll('path.point')[5].getBoundingClientRect();
        return [x + width / 2, y + height / 2];
    };
    let last = place(), still = 0;
    const look = () => {
        const now = place();
        still = String(now) === String(last) ? still + 1 : 0;
        last = now;
        if (still > 10) done(now); else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
})"""


def shown(page):
    """Whose marks the map shows."""
    return page.evaluate("""document.querySelector('#diversity-map .plot').data
        .filter((trace) => trace.meta !== 'real' && trace.visible !== false).map((trace) => trace.meta)""")


def test_the_page_says_something_before_anything_is_made(visit):
    page = arrive(visit)
    assert "How much of the real variety do they reach?" in page.inner_text("#diversity-reach")
    assert page.locator("#diversity-classes svg.fig .real").count() > 0, "the real classes"
    assert page.locator("#diversity-pairs svg.fig").count() == 2
    map_drawn(page)
    assert set(shown(page)) == set(FAMILIES)
    assert "Generate samples to see" in page.inner_text("#diversity-missed")
    assert page.is_disabled("#diversity-stop")


def test_samples_are_made_judged_kept_and_looked_into(visit):
    page = arrive(visit)
    settle_on(page, "ddpm", "DPM-Solver++, 5 calls")
    generate(page)
    page.wait_for_function(MADE)
    assert states(page) == dict.fromkeys(FAMILIES, "done")
    assert "Made here: 200 samples each, seed 42" in page.inner_text("#diversity-variety")
    rows = page.locator("#diversity-missed .missed").all_inner_texts()
    assert len(rows) == len(FAMILIES) and all("of 200 test images. Real training images" in row for row in rows)
    assert page.locator("#diversity-classes svg.fig.wide .whisker").count() >= 30

    page.locator("[data-testid=samples] button").nth(2).focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#diversity-nearest .nearest")
    text = page.inner_text("#diversity-nearest")
    assert "VAE, image 3" in text and "Distance " in text
    assert page.locator("#diversity-nearest svg.fig").count() == 1

    generate(page)
    page.wait_for_function("document.querySelector('#diversity-progress').innerText.includes('kept from before')")
    assert page.locator("#diversity-progress").inner_text().count("kept from before") == len(FAMILIES)

    settle_on(page, "vae", "prior N(0, I) (the lecture's own)")
    page.wait_for_function("document.querySelector('#diversity-status').innerText.includes('of another setting')")


def test_the_map_shows_one_family_at_a_time_and_turns(visit):
    page = arrive(visit)
    map_drawn(page)
    page.click("[data-show=gan]")
    page.wait_for_function("document.querySelector('[data-show=gan]').getAttribute('aria-pressed') === 'true'")
    assert shown(page) == ["gan"]
    assert page.inner_text("[data-testid=samples] [data-at=title]").startswith("GAN")
    title = "document.querySelector('#diversity-map .plot').layout.xaxis.title.text"
    assert "principal component" in page.evaluate(title)
    drawn = "document.querySelector('#diversity-map .plot').dataset.drawn"
    before = page.evaluate(drawn)
    page.click("#diversity-plane label:has-text('classes')")
    page.wait_for_function(f"before => {drawn} !== before && {title}.includes('classes')", arg=before)
    assert shown(page) == ["gan"], "a new map keeps the choice"


def test_a_mark_shows_its_image_and_its_neighbour(visit):
    from playwright.sync_api import TimeoutError as NotYet

    page = arrive(visit)
    map_drawn(page)
    pointed_at = (
        "!document.querySelector('.lens').hidden"
        " && document.querySelector('#diversity-map .hoverlayer').textContent.includes('CM, image 6')"
    )
    for _ in range(20):  # the map may move between the look and the pointer
        page.evaluate("document.querySelector('#diversity-map').scrollIntoView()")
        place = page.evaluate(PLACE)
        page.mouse.move(place[0] - 30, place[1])
        page.mouse.move(*place)
        with contextlib.suppress(NotYet):
            page.wait_for_function(pointed_at, timeout=5000)
            break
    assert page.evaluate(pointed_at)
    page.mouse.click(*place)
    page.wait_for_selector("#diversity-nearest .nearest")
    assert "CM, image 6" in page.inner_text("#diversity-nearest")


def test_a_run_stops_and_says_so(visit):
    page = arrive(visit)
    settle_on(page, "ddpm", "ancestral, 1000 calls (the lecture's own)")
    page.fill("#diversity-n input", "200")
    page.click("#diversity-generate")
    stop_when(page, "#diversity-stop", "document.querySelector('[data-progress=ddpm]')?.dataset.state === 'running'")
    page.wait_for_function(IDLE)
    assert states(page).items() >= {"vae": "done", "gan": "done", "ddpm": "stopped"}.items()
    assert page.is_disabled("#diversity-stop")
    page.wait_for_function(MADE)
    made = list(states(page).values()).count("done")  # with the consistency model's, where they are kept from before
    assert page.locator("#diversity-missed .missed").count() == made, "those that were made are judged"


@pytest.mark.parametrize("n", ["20", "5000"])
def test_a_bad_number_gives_one_sentence(visit, n):
    page = arrive(visit)
    page.fill("#diversity-n input", n)
    page.click("#diversity-generate")
    page.wait_for_selector("#diversity-status .problem")
    assert f" {n}." in page.inner_text("#diversity-status")
    assert not page.is_disabled("#diversity-generate")


def test_a_data_set_without_features_is_told_in_sentences(visit):
    page = arrive(visit)
    page.click("#diversity-dataset input")
    page.get_by_role("option", name="blank").click()
    page.wait_for_function("document.querySelector('#diversity-status').innerText.includes('features blank')")
    map_said = "document.querySelector('#diversity-map .plot').innerText.includes('not been described yet')"
    page.evaluate("document.querySelector('#diversity-map').scrollIntoView()")
    page.wait_for_function(map_said)
    assert not page.is_visible("#diversity-plane") and not page.is_visible("#diversity-judge")
    assert page.is_visible("#diversity-vae-point") and not page.is_visible("#diversity-ddpm-point")
    generate(page)
    page.wait_for_function("document.querySelector('[data-progress=vae]').dataset.state === 'done'")
    page.wait_for_function("document.querySelectorAll('[data-testid=samples] button').length > 24")


def test_the_address_names_the_data_set(visit):
    page = visit("?data=blank", at="diversity")
    page.wait_for_function("document.querySelector('#diversity-dataset input')?.value === 'blank'")
    assert not page.is_visible("#diversity-ddpm-point")


def test_another_data_set_ends_the_run_of_the_one_before(visit):
    page = arrive(visit)
    settle_on(page, "ddpm", "ancestral, 1000 calls (the lecture's own)")
    page.fill("#diversity-n input", "200")
    page.click("#diversity-generate")
    page.wait_for_function("document.querySelector('[data-progress=ddpm]')?.dataset.state === 'running'")
    page.click("#diversity-dataset input")
    page.get_by_role("option", name="blank").click()
    page.wait_for_function(f"{IDLE} && document.querySelector('#diversity-progress').innerText === ''")
    page.wait_for_timeout(2000)  # the old run's end must bring nothing back
    assert page.inner_text("#diversity-progress") == "" and not page.is_disabled("#diversity-generate")
    generate(page)
    page.wait_for_function("document.querySelectorAll('[data-testid=samples] button').length > 24")
    assert page.locator("#diversity-progress [data-progress]").count() == 1, "nothing of the other data set is painted"
    assert page.locator("[data-show=ddpm]:not([hidden])").count() == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_scrolls_one_way(visit, theme):
    page = arrive(visit, f"?__theme={theme}", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    map_drawn(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_compare_gains_quick_scores_after_a_run(visit):
    page = visit("?n=8&ddpm.num_inference_steps=2")
    page.wait_for_function("document.body.dataset.restored !== undefined")
    assert not page.is_visible("#compare-quick")
    page.click("#compare-generate")
    page.wait_for_selector("#compare-quick table")
    text = page.inner_text("#compare-quick")
    assert "They cannot rank good ones" in text and "real images" in text
    assert page.locator("#compare-quick tbody tr").count() == len(FAMILIES) + 1
    page.fill("#compare-n input", "3")
    run_to_end(page, "#compare-generate", "#compare-timing")
    page.wait_for_function("document.querySelector('#compare-quick').innerText.includes('needs 6 rows or more')")
