"""The home page as a visitor uses it, in a real browser, on invented rows. Nothing here asserts a time."""

import re
import shutil
from urllib.parse import parse_qsl, urlsplit

import pytest

from gencore import FAMILIES
from tests.support import invented
from tests.support.browser import serve
from tests.support.buttons import stop_when
from tests.support.traffic import settle, without_asking

pytestmark = pytest.mark.browser

BEST = ".verdict .box"
STALE = "ancestral, 100 calls"
# The labels of the chart in sight that stand on one another, as the browser has set them.
MEETING = """() => [...document.querySelectorAll('svg.fig.front')].filter((one) => one.getBoundingClientRect().width)
  .flatMap((chart) => {
    const seen = [...chart.querySelectorAll('.label')].filter((one) => getComputedStyle(one).opacity !== '0');
    const boxes = seen.map((one) => [one.textContent, one.getBoundingClientRect()]);
    return boxes.flatMap(([words, a], i) => boxes.slice(0, i).filter(([, b]) =>
      Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
      Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3).map(([other]) => [words, other]));
  })"""
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The app with the families' usual checkpoints and invented rows; a data set 'blank' has no rows.

    The one row of 'unscored' has no density; that of 'shapes' has true figures.
    """
    from gencore import FAMILIES, checkpoint
    from gencore.evaluation import rows

    root = tmp_path_factory.mktemp("measured")
    shipped = {entry.name: entry for entry in checkpoint.entries() if not entry.problem}
    for name, family in FAMILIES.items():
        if f"mnist/{name}" in shipped:
            shutil.copytree(shipped[f"mnist/{name}"].path, root / "mnist" / name)
        else:
            checkpoint.save_model(root / "mnist" / name, family())
    checkpoint.save_model(root / "blank" / "vae", FAMILIES["vae"](size=8, widths=(8, 16)))
    checkpoint.save_model(root / "unscored" / "vae", FAMILIES["vae"](size=8, widths=(8, 16)))
    kinds = {f"mnist/{name}": family for name, family in FAMILIES.items()}
    made = invented.rows(kinds, {name: rows.checkpoint_hash(root / name) for name in kinds})
    other = {"hashes": {"checkpoint": "f" * 16}}  # one point's quality was measured on other weights
    made = [row | other if row["kind"] == "quality" and row["point"]["label"] == STALE else row for row in made]
    quick = [invented.cost(row, 0.2, machine={**invented.MACHINE, "name": "Other Processor"})
             for row in made if row["kind"] == "quality" and row["family"] == "gan"]  # fmt: skip
    invented.write(root / "mnist" / rows.FILE, [*made, *quick])
    found, now = invented.scores(5, kid=0.01, coverage=0.9, precision=0.9), rows.checkpoint_hash(root / "unscored/vae")
    alone = [invented.quality("unscored/vae", "vae", "prior", "headline", {}, 5000, found, now, dataset="unscored")]
    del alone[0]["scores"]["classifier"]["density"]
    invented.write(root / "unscored" / rows.FILE, [*alone, invented.cost(alone[0], 1.0)])
    checkpoint.save_model(root / "shapes" / "vae", FAMILIES["vae"](size=8, channels=3, widths=(8, 16)))
    found = invented.scores(5, kid=0.01, coverage=0.9, precision=0.9, true_quality=0.4, true_imbalance=0.2)
    now = rows.checkpoint_hash(root / "shapes/vae")
    read = invented.quality("shapes/vae", "vae", "prior", "headline", {}, 5000, found, now, dataset="shapes")
    invented.write(root / "shapes" / rows.FILE, [read, invented.cost(read, 1.0)])
    with serve(str(root), tmp_path_factory.mktemp("app") / "log.txt") as url:
        yield url


def ready(page):
    """Wait until the charts and the answer are painted as the address says."""
    page.wait_for_selector("[data-painted]")
    page.wait_for_function("document.body.dataset.answered !== undefined")
    page.wait_for_function("document.querySelector('.triangle .shape')")
    return page


def slide(page, name, value):
    """Move a slider as a drag does: input events on the way, one change at the end."""
    page.eval_on_selector(
        f"[data-dial={name}]",
        "(input, value) => { input.value = value; input.dispatchEvent(new Event('input')); "
        "input.dispatchEvent(new Event('change')); }",
        value,
    )


def milliseconds(words):
    """The first time in some words."""
    number, unit = re.search(r"([\d.]+) (ms|s)\b", words).groups()
    return float(number) * {"ms": 1, "s": 1000}[unit]


def weights(page, *values):
    for name, value in zip(("quality", "diversity", "speed"), values, strict=True):
        slide(page, name, value)


def query(page):
    return page.evaluate("Object.fromEntries(new URLSearchParams(location.search))")


# In each drawing that is shown: its words that stand on one another, or beyond its edge.
CLASHES = """() => [...document.querySelectorAll('.stage svg')].flatMap((svg) => {
  if (!svg.checkVisibility()) return [];
  const frame = svg.getBoundingClientRect();
  const boxed = (one) => [one.textContent, one.getBoundingClientRect()];
  const seen = [...svg.querySelectorAll('text')].map(boxed).filter(([, box]) => box.width);
  const beside = (box) => box.left > frame.left - 1 && box.right < frame.right + 1;
  const within = (box) => beside(box) && box.bottom < frame.bottom + 1;
  const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 2 && b.top < a.bottom - 2;
  const cut = seen.filter(([, box]) => !within(box)).map(([word]) => `${word} is cut`);
  const meets = ([word, a]) => ([other, b]) => (meet(a, b) ? [`${word} on ${other}`] : []);
  const on = (one, i) => seen.slice(i + 1).flatMap(meets(one));
  return seen.flatMap(on).concat(cut, seen.length > 9 ? [] : ['few words']);
})"""


def place_of(page, words):
    """The place of the point whose name ends so."""
    labels = page.eval_on_selector_all(".front.broad [data-i]", "all => all.map((g) => [g.ariaLabel, g.dataset.i])")
    return next(i for label, i in labels if label.split(":")[0].endswith(words))


def choose(page, words):
    page.focus(f".front.broad [data-i='{place_of(page, words)}']")
    page.keyboard.press("Enter")
    page.wait_for_function(
        "words => document.querySelector('#trilemma-chosen h2')?.innerText.endsWith(words)", arg=words
    )


def samples(page):
    page.wait_for_function("document.querySelector('#trilemma-samples img')?.src.startsWith('data:image/png')")
    return page.get_attribute("#trilemma-samples img", "src")


def test_a_first_visitor_sees_the_triangle_and_the_answer_without_scrolling(visit):
    page = ready(visit(at="", viewport={"width": 1280, "height": 800}))
    assert page.get_attribute("[data-page][aria-current]", "data-page") == "trilemma"
    for selector in (".triangle", ".bests", BEST, "[data-dial=speed]"):
        box = page.locator(selector).bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= 800, selector
    words = page.inner_text(BEST)
    assert "KID" in words and "±" in words and "real data" in words and "per image" in words
    assert "Runner-up:" in page.inner_text(".verdict")
    assert page.locator(".front.broad .label").count() > 3 and page.evaluate(MEETING) == []
    how = page.inner_text("[data-at=how]")
    assert "The area means nothing." in how and "KID: kernel inception distance, in classifier features." in how


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)], ids=str)
def test_the_first_screen_says_what_this_is_which_is_best_for_what_and_what_to_do(visit, size):
    width, height = size
    page = ready(visit(at="", viewport={"width": width, "height": height}))
    page.wait_for_function(f"document.querySelectorAll('.bests img.strip').length === {len(FAMILIES)}")
    assert page.evaluate("[...document.querySelectorAll('.bests img.strip')].every((one) => one.naturalWidth > 100)")
    shown = ("h1", "[data-at=lead]", ".start .go", ".leads li", ".bests .card", ".bests img.strip", ".bests .bar")
    # All boxes at one moment: the answer may be painted anew while they are looked up one by one.
    boxes = page.evaluate(
        "(shown) => shown.map((one) => [one, [...document.querySelectorAll(`#trilemma-home ${one}`)].map((part) => "
        "part.getBoundingClientRect().toJSON())])",
        shown,
    )
    for selector, found in boxes:
        assert found, selector
        for box in found:
            assert box["width"] > 0 and box["top"] >= 0 and box["bottom"] <= height, (selector, box)
            assert box["left"] >= 0 and box["right"] <= width, (selector, box)
    assert page.locator(".bests .bar > span").all_inner_texts() == ["close to real", "varied", "fast"] * len(FAMILIES)
    leads = [words.split() for words in page.locator(".leads li").all_inner_texts()]
    assert ["DDPM" in leads[0], "DDPM" in leads[2], leads[2][0]] == [True, False, "fastest"]
    assert page.locator(".bests .first em").inner_text() == "best for you"
    told = page.locator("[data-at=measures] a.term").first
    told.focus()
    assert page.inner_text(".meaning").startswith("kernel inception distance")
    page.keyboard.press("Enter")
    page.wait_for_selector("#panel-trilemma-term-kid:visible")
    assert page.evaluate("location.hash") == "#trilemma/term-kid"
    page.click(".start [data-to=lecture]")
    page.wait_for_selector("[data-page=lecture][aria-current]")


def test_weights_change_the_answer_without_asking_the_server(visit):
    page = ready(visit(at="trilemma"))
    with without_asking(page):
        weights(page, 0, 0, 100)
        quick = page.get_attribute(BEST, "data-best")
        weights(page, 100, 100, 0)
        good = page.get_attribute(BEST, "data-best")
    assert quick != good
    assert page.locator(".triangle .first").count() == 1
    assert page.locator(".front.broad .point.first").count() == 1
    assert page.locator(".bests .first").inner_text().split("\n")[0] in page.inner_text(BEST)
    with without_asking(page):
        weights(page, 0, 0, 0)
        assert page.get_attribute(BEST, "data-best") is None


def test_a_budget_is_kept_to_and_one_that_nothing_fits_says_what_is_near(visit):
    page = ready(visit(at="trilemma"))
    page.click("[data-mode=budget]")
    assert page.is_visible("[data-dial=ms]") and not page.is_visible("[data-dial=quality]")
    slide(page, "ms", 0)
    slide(page, "least", 100)
    assert page.get_attribute(BEST, "data-best") is None
    assert page.locator(".triangle .best").count() == 0
    slide(page, "ms", 25)
    slide(page, "least", 80)
    assert page.get_attribute(BEST, "data-best")
    assert milliseconds(page.inner_text(f"{BEST} p")) <= milliseconds(page.inner_text("[data-out=ms]"))
    assert page.locator(".bests .bar:last-child b").count() > 0
    for words in page.locator(".bests .bar:last-child b").all_inner_texts():
        assert milliseconds(words) <= milliseconds(page.inner_text("[data-out=ms]"))


def test_another_meaning_of_quality_redraws_both_charts(visit):
    page = ready(visit(at="trilemma"))
    weights(page, 20, 30, 40)
    every = page.locator(".front.broad [data-i]").count()
    page.select_option("[data-ask=quality]", "precision")
    page.wait_for_selector("[data-painted='mnist precision recall classifier 5000']")
    assert page.locator(".front.broad [data-i]").count() < every, "precision is compared at one n alone"
    assert "measured at another n" in page.inner_text("[data-at=notes]")
    assert page.input_value("[data-dial=quality]") == "20", "the weights stay"
    page.select_option("[data-ask=n]", "2000")
    page.wait_for_selector("[data-painted='mnist precision recall classifier 2000']")
    assert query(page)["quality"] == "precision" and query(page)["at"] == "2000"


def test_another_meaning_of_diversity_is_taken_up_everywhere_and_kept_in_the_address(visit):
    page = ready(visit(at="trilemma"))
    assert "recall" in page.inner_text("[data-at=measures]") and "recall" in page.inner_text(BEST)
    page.select_option("[data-ask=diversity]", "vendi_ratio")
    page.wait_for_selector("[data-painted='mnist kid vendi_ratio classifier 5000']")
    for part in ("[data-at=measures]", BEST, ".triangle", "[data-at=how]", "[data-at=basis]"):
        words = page.locator(part).text_content()
        assert "Vendi ratio" in words and "recall" not in words and "coverage" not in words, part
    page.click("[data-mode=budget]")
    slide(page, "least", 80)
    assert page.inner_text(".dials:not([hidden]) .dial:nth-child(2) span") == "Vendi ratio within"
    assert page.inner_text("[data-out=least]") == "0.80–1.25"
    assert page.get_attribute("[data-dial=least]", "aria-valuetext") == "0.80–1.25"
    again = ready(visit(page.evaluate("location.search"), at="trilemma"))
    assert query(again)["diversity"] == "vendi_ratio" and again.input_value("[data-ask=diversity]") == "vendi_ratio"
    assert again.inner_text("[data-out=least]") == "0.80–1.25"


def test_other_features_are_a_choice_and_how_the_answer_fares_in_them_follows_the_sliders(visit):
    page = ready(visit(at="trilemma"))
    opinion, told = "[data-at=opinion]", []
    with without_asking(page):
        for values in ((0, 0, 100), (100, 0, 0)):
            weights(page, *values)
            told.append(page.inner_text(f"{BEST} h3").split(",")[0])
            assert page.text_content(opinion) == f"All features agree on the {told[-1]}: classifier and pixels."
            eyes = [words.split() for words in page.locator(".eyes li").all_inner_texts()[1:]]
            assert [name for name, _ in eyes] == ["classifier", "pixels", "sharpness"]
            assert [family for _, family in eyes[:2]] == [told[-1]] * 2
        weights(page, 0, 0, 0)
        assert page.text_content(opinion) == "" and told[0] != told[1]
    page.focus("[data-ask=diversity]")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.ask") == "features", "a key leads from one to the next"
    page.keyboard.press("ArrowDown")
    page.wait_for_selector("[data-painted='mnist kid recall pixels 5000']")
    assert query(page)["features"] == "pixels" and "pixels features" in page.inner_text("[data-at=reading]")
    page.reload()
    ready(page)
    assert page.input_value("[data-ask=features]") == "pixels"
    page.goto(page.url.replace("#trilemma", "#table"))
    page.wait_for_selector("input[name=table-features][value=pixels]:checked")
    page.check("input[name=table-features][value=classifier]")
    assert "features" not in query(page)
    bad = ready(visit("?features=none&diversity=none", at="trilemma"))
    assert (
        bad.input_value("[data-ask=features]") == "classifier" and bad.input_value("[data-ask=diversity]") == "recall"
    )


def test_what_fools_each_diversity_is_folded(visit):
    page = ready(visit(at="trilemma"))
    assert not page.is_visible("[data-at=fooled]")
    page.click(".fooled summary")
    names = page.locator("[data-at=fooled] dt").all_inner_texts()
    assert names == ["Recall", "Coverage", "Vendi ratio", "Class balance"]
    assert all(page.locator("[data-at=fooled] dd").all_inner_texts())


def test_a_stale_point_is_marked_and_says_why(visit):
    page = ready(visit(at="trilemma"))
    assert page.locator(".front.broad .point.stale").count() == 1
    assert "1 point is stale, and never recommended" in page.inner_text("[data-at=notes]")
    choose(page, STALE)
    assert "Stale: The checkpoint mnist/ddpm has changed" in page.inner_text("#trilemma-chosen")


def test_a_quick_point_gives_its_samples_and_its_row_at_once(visit):
    page = ready(visit(at="trilemma"))
    choose(page, "GAN, truncation 0.7")
    page.wait_for_function("document.querySelector('#trilemma-samples [data-state]')?.dataset.state === 'done'")
    assert samples(page)
    words = page.inner_text("#trilemma-row")
    for part in ("KID", "Coverage", "±", "n = 2,000", "truncation = 0.7", "checkpoint", "Test Processor",
                 "2026-11-22", "python -m gencore evaluate mnist/gan"):  # fmt: skip
        assert part in words, part
    assert query(page)["point"].startswith("mnist/gan|")


def test_a_slow_point_is_asked_for_by_a_button_that_names_the_time_and_can_be_stopped(visit):
    page = ready(visit(at="trilemma"))
    choose(page, "ancestral, 1000 calls")
    page.wait_for_selector("#trilemma-make:visible")
    assert page.inner_text("#trilemma-make").startswith("Make 24 samples, about ")
    assert not page.get_attribute("#trilemma-samples img", "src")
    page.click("#trilemma-make")
    stop_when(page, "#trilemma-stop", "document.querySelector('#trilemma-samples [data-state=running] img[src]')")
    page.wait_for_function("document.querySelector('#trilemma-samples [data-state]')?.dataset.state === 'stopped'")
    page.wait_for_selector("#trilemma-stop", state="hidden")
    assert samples(page)


def test_the_last_point_chosen_is_the_one_shown(visit):
    page = ready(visit(at="trilemma"))
    for words in ("GAN, truncation 0.5", "VAE, fitted prior, temperature 0.6", "GAN, truncation 0.9"):
        page.focus(f".front.broad [data-i='{place_of(page, words)}']")
        page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('#trilemma-chosen h2')?.innerText === 'GAN, truncation 0.9'")
    page.wait_for_function("document.querySelector('#trilemma-samples [data-state]')?.dataset.state === 'done'")
    settle(page)
    last = samples(page)
    choose(page, "GAN, truncation 0.5")
    page.wait_for_function("last => document.querySelector('#trilemma-samples img')?.src !== last", arg=last)
    choose(page, "GAN, truncation 0.9")
    page.wait_for_function("last => document.querySelector('#trilemma-samples img')?.src === last", arg=last)


def test_pointing_and_arrow_keys_tell_about_points(visit):
    page = ready(visit(at="trilemma"))
    place = place_of(page, "DDIM, 50 calls")
    page.hover(f".front.broad [data-i='{place}'] .hit")
    page.wait_for_selector(".tip:visible")
    words = page.inner_text(".tip")
    assert "DDPM, DDIM, 50 calls" in words and "network calls" in words and "2,000 × 3 generations" in words
    page.mouse.move(5, 5)
    page.wait_for_selector(".tip", state="hidden")
    page.focus(".front.broad [data-i][tabindex='0']")
    before = page.evaluate("document.activeElement.dataset.i")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.i") != before
    assert page.evaluate("document.activeElement.tabIndex") == 0
    page.hover(f".front.broad [data-i='{place}'] .hit")
    numbers = page.locator(".front.broad .steps.seen text").all_text_contents()
    assert "50" in numbers and all(words.isdigit() for words in numbers), "those of its line, and no other's"
    assert page.evaluate(CLASHES) == []
    page.click("[data-at=closer]")
    assert page.is_visible("svg.heap.broad") and not page.is_visible("svg.front.broad")
    assert page.evaluate(CLASHES) == []
    page.click("[data-at=closer]")
    assert page.is_visible("svg.front.broad") and not page.is_visible(".triangle .shape:not(.best)")
    page.check("[data-at=others]")
    assert page.locator(".triangle .shape:not(.best)").first.is_visible()


def test_a_link_restores_weights_meaning_and_point(visit):
    page = ready(visit(at="trilemma"))
    weights(page, 15, 95, 5)
    choose(page, "GAN, truncation 0.8")
    answer, address = page.get_attribute(BEST, "data-best"), page.evaluate("location.search")
    other = ready(visit(address, at="trilemma"))
    assert [other.input_value(f"[data-dial={name}]") for name in ("quality", "diversity", "speed")] == ["15", "95", "5"]
    assert other.get_attribute(BEST, "data-best") == answer
    other.wait_for_function("document.querySelector('#trilemma-chosen h2')?.innerText === 'GAN, truncation 0.8'")
    both = ready(visit(f"{address}&quality=precision&at=2000", at="trilemma"))
    both.wait_for_function("document.querySelector('#trilemma-chosen h2')?.innerText === 'GAN, truncation 0.8'")
    assert both.input_value("[data-ask=quality]") == "precision" and both.input_value("[data-ask=n]") == "2000"
    kept = {"quality": "precision", "at": "2000", "weights": "15-95-5", "point": query(page)["point"]}
    assert query(both) == kept, "what the address says stays in it"
    weights(both, 15, 95, 10)
    assert query(both) == {**kept, "weights": "15-95-10"}
    third = ready(visit("?budget=40-50&quality=sharpness", at="trilemma"))
    assert third.is_visible("[data-dial=ms]")
    assert third.inner_text("[data-out=ms]") == "40.0 ms" and third.inner_text("[data-out=least]") == "50%"
    assert third.input_value("[data-ask=quality]") == "sharpness"
    bad = ready(visit("?weights=a-b-c&budget=&quality=nonsense&at=-3&point=none&data=..", at="trilemma"))
    assert bad.input_value("[data-dial=quality]") == "70" and bad.input_value("[data-ask=quality]") == "kid"
    old = ready(visit("?quality=kd&at=2000", at="trilemma"))
    assert old.input_value("[data-ask=quality]") == "kid" and old.input_value("[data-ask=n]") == "2000"


def test_the_chosen_panel_follows_the_machine_and_closes_with_the_data_set(visit):
    page = ready(visit(at="trilemma"))
    choose(page, "GAN, truncation 0.8")
    page.wait_for_function("document.querySelector('#trilemma-row').innerText.includes('0.400 ms per image')")
    page.select_option("[data-ask=machine]", index=1)
    page.wait_for_function("document.querySelector('#trilemma-row').innerText.includes('0.200 ms per image')")
    assert page.inner_text("#trilemma-chosen h2") == "GAN, truncation 0.8"
    page.select_option("[data-ask=data]", "blank")
    page.wait_for_selector("#trilemma-chosen", state="hidden")
    assert "point" not in query(page)


def test_long_samples_wait_say_so_and_can_be_stopped_and_quick_ones_go_ahead(visit):
    first, second = ready(visit(at="trilemma")), ready(visit(at="trilemma"))
    state = "document.querySelector('#trilemma-samples [data-state]')?.dataset.state"
    note = "document.querySelector('#trilemma-samples [data-at=note]').textContent"
    for page in (first, second):
        choose(page, "ancestral, 1000 calls")
        page.click("#trilemma-make")
        page.wait_for_selector("#trilemma-stop:visible")
        if page is first:
            page.wait_for_function(f"{state} === 'running'")
    second.wait_for_function(f"{note}.includes('busy, 1 ahead')")
    second.click("#trilemma-stop")
    second.wait_for_selector("#trilemma-stop", state="hidden")
    assert "Stopped before their turn." in second.inner_text("#trilemma-samples [data-at=note]")
    choose(second, "GAN, truncation 0.8")
    second.wait_for_function(f"{state} === 'done'")
    assert first.evaluate(state) == "running"
    first.click("#trilemma-stop")
    first.wait_for_selector("#trilemma-stop", state="hidden")


def test_a_data_set_without_rows_says_what_to_run(visit):
    page = ready(visit(at="trilemma"))
    page.select_option("[data-ask=data]", "blank")
    page.wait_for_selector(".nothing:visible")
    assert "python -m gencore evaluate" in page.inner_text(".nothing")
    page.select_option("[data-ask=data]", "mnist")
    page.wait_for_selector(".nothing", state="hidden")
    assert page.get_attribute(BEST, "data-best")


def test_where_the_truth_is_known_it_is_meant_until_another_is_chosen(visit):
    page = ready(visit(at="trilemma"))
    assert page.is_visible("[data-ask=features]")
    page.select_option("[data-ask=data]", "shapes")
    page.wait_for_selector("[data-painted^='shapes true_quality true_imbalance']")
    page.wait_for_function("new URLSearchParams(location.search).get('data') === 'shapes'")
    assert not {"quality", "diversity"} & query(page).keys(), "the usual is not in the address"
    assert page.is_hidden("[data-ask=features]"), "features have no part in it"
    page.select_option("[data-ask=diversity]", "coverage")
    page.wait_for_selector("[data-painted^='shapes true_quality coverage']")
    page.select_option("[data-ask=data]", "mnist")
    page.wait_for_selector("[data-painted^='mnist kid coverage']")
    assert query(page) == {"diversity": "coverage"}
    linked = ready(visit("?data=shapes&quality=kid&diversity=true_imbalance", at="trilemma"))
    assert linked.locator("[data-painted^='shapes kid true_imbalance']").count() == 1
    assert linked.get_by_text("was left out").count() == 0
    weights(linked, 15, 95, 5)
    assert query(linked) == {"data": "shapes", "quality": "kid", "weights": "15-95-5"}, "nor once it is changed"


def test_what_no_point_fits_stays_to_be_changed(visit):
    page = visit("?data=unscored&quality=density&weights=10-20-30", at="trilemma")
    page.wait_for_selector("[data-painted^='unscored density']")
    assert page.is_hidden(".nothing") and page.is_hidden("[data-dial=quality]") and page.is_hidden(".corners")
    assert "No measured point has both density" in page.inner_text("[data-at=answer]")
    assert "left out for want of density" in page.inner_text("[data-at=notes]")
    page.select_option("[data-ask=quality]", "kid")
    page.wait_for_selector("[data-painted^='unscored kid']")
    assert page.get_attribute(BEST, "data-best") and page.is_visible(".corners")
    assert query(page)["weights"] == "10-20-30" and page.input_value("[data-dial=speed]") == "30"
    page.select_option("[data-ask=quality]", "density")
    page.wait_for_selector("[data-painted^='unscored density']")
    assert page.is_visible("[data-ask=quality]") and query(page)["weights"] == "10-20-30"


def test_compare_opens_with_both_models_settings(visit):
    page = ready(visit("?weights=0-0-100", at="trilemma"))  # of these two models every knob is shown
    href = page.get_attribute(".verdict a:not(.term)", "href")
    page.click(".verdict a:not(.term)")
    page.wait_for_selector("#compare-generate")
    assert page.evaluate("location.hash") == "#compare" and href.startswith("?data=mnist&")
    page.wait_for_function("document.body.dataset.restored !== undefined")
    asked = dict(parse_qsl(urlsplit(href).query))
    assert page.input_value("#compare-dataset input") in ("MNIST", "mnist")
    knobs = {key: value for key, value in asked.items() if "." in key and not key.endswith(".checkpoint")}
    assert len({key.split(".")[0] for key in knobs}) == 2, "the link names both models"
    for key, value in knobs.items():
        shown = page.locator(f"#compare-{key.replace('.', '-')} input").first
        found = shown.input_value()
        assert found == value or float(found) == float(value), key


@pytest.mark.parametrize("look", ["light", "dark"])
def test_a_phone_scrolls_one_way(visit, look):
    page = ready(visit(f"?__theme={look}", at="trilemma", **PHONE))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    parts = (".bests", ".question", ".corners", ".every")
    best, answer, triangle, chart = (page.locator(one).bounding_box() for one in parts)
    assert best["y"] < answer["y"] < triangle["y"] < chart["y"]
    assert page.evaluate(MEETING) == []
    page.evaluate(
        "document.querySelector('.front.slim [data-i]')"
        ".dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true}))"
    )
    page.wait_for_selector("#trilemma-chosen h2")
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    cut = page.evaluate(
        "[...document.querySelectorAll('.trilemma p, .trilemma h3, .dial output')]"
        ".filter((one) => one.offsetParent && one.scrollWidth > one.clientWidth + 1).length"
    )
    assert cut == 0


def test_the_page_does_not_grow(visit):
    page = ready(visit(at="trilemma"))
    weights(page, 50, 50, 50)
    settle(page)
    before = page.evaluate("document.querySelectorAll('*').length")
    for step in range(60):
        weights(page, step, 100 - step, 40)
    weights(page, 50, 50, 50)
    assert page.evaluate("document.querySelectorAll('*').length") <= before + 5
