"""A link to any page restores all its controls, and says of itself what it was given; Copy link gives it."""

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.traffic import settle

pytestmark = pytest.mark.browser

# By page: an address in which everything that can be is in another way than usual, and what then is seen.
LINKS = {
    "basics": "mean=1.5&deviation=0.9&weight-a=0.8&x=2.5&q-mean=-1&draws=200&density-x=1.2&line=4",
    "vae": "image=3&shuffles=2&dimensions=all&noise=2.5&noise-seed=4&width=0.5&width-seed=6&vae.temperature=0.5&seed=3"
    "&variety={variety}",
    "gan": "run=mnist/gan-minimax&believed=0.2&seed=5&gan.truncation=0.6&moment=3",
    "diffusion": "image=2&t=147&noise=3&seed=9&left.ddpm.num_inference_steps=5&right.ddpm.num_inference_steps=4"
    "&moment=0.5&algorithm-1=3-5&algorithm-2=999-2&steps-seed=8&steps=10",
    "latent": "image=2&all=yes&t=120&between=two-images&a=3&b=4&to=5&share=0.25&plane={plane}&spot=0.5,-0.25",
    "training": "runs=mnist/vae,mnist/gan-minimax&axis=seconds&log=no&slider=seconds&moment=2",
    "failures": "ladder={ladder}",
    "speed": "scope={scope}",
    "table": "sort=-kid&family=gan&find=trunc&columns=distance,cost&features=pixels",
    "diversity": "n=300&seed=5&features=pixels&show=gan",
    "compare": "n=3&seed=5&ddpm.sampler=ddim&ddpm.num_inference_steps=6&ddpm.eta=0.5&vae.temperature=0.5",
    "trilemma": "quality=precision&diversity=coverage&weights=10-20-80&all=yes",
    "lecture": "lecture=long",
}
TOLD = {  # what is said in words
    "diffusion": {
        "#diffusion-algorithm-training [data-at=words]": "xₜ = ",
        "#diffusion-algorithm-sampling [data-at=figures]": "t = 999",
    },
}
SEEN = {
    "basics": {"#basics-mean input[type=number]": "1.5", "#basics-draws input[type=number]": "200"},
    "vae": {"#vae-scale input[type=number]": "2.5", "#vae-noise-seed :is(input, textarea)": "4"},
    "gan": {
        "#gan-timelapse [data-at=slider]": "3",
        "#gan-gan-truncation input": "0.6",
    },
    "diffusion": {"#diffusion-forward [data-at=range]": "147", "#diffusion-steps [data-at=range]": "3"},
    "latent": {"#latent-walks [data-at=share]": "250", "#latent-rebuilt-t input[type=number]": "120"},
    "table": {"#table-rows [data-at=query]": "trunc", "#table-rows [data-at=sort]": "kid"},
    "diversity": {"#diversity-n input": "300"},
    "compare": {"#compare-ddpm-num_inference_steps input[type=number]": "6"},
    "trilemma": {"[data-dial=speed]": "80", "[data-ask=quality]": "precision"},
}


def filled(page, link):
    """A link with the choices that only the running app knows, the last of each."""
    config = page.evaluate("window.gradio_config.components.map(({props}) => [props.elem_id, props.choices ?? []])")
    choices = {name: found for name, found in config if found}
    last = {name: choices[f"{ids}"][-1][1].replace(" ", "-") for name, ids in IDS.items()}
    return link.format(**last, ladder="{ladder}")


IDS = {"variety": "vae-variety", "plane": "latent-map-plane", "scope": "speed-scope"}


def test_a_link_to_any_page_restores_it_and_stays_what_it_was(visit):
    page = visit("", at="failures")
    page.wait_for_selector("#failures-ladder input")
    link = page.evaluate("location.href")
    assert not urlsplit(link).query, "what is as usual is left out"
    page.click("#failures-ladder input")
    page.get_by_role("option").last.click()
    page.wait_for_function("new URLSearchParams(location.search).has('ladder')")
    ladder = page.evaluate("new URLSearchParams(location.search).get('ladder')")
    found = {}
    for slug, words in LINKS.items():
        query = filled(page, words).replace("{ladder}", ladder)
        hash_ = "lecture" if slug != "lecture" else "gan/game"
        page.goto(f"{link.partition('#')[0]}?{query}#{slug if slug != 'lecture' else hash_}")
        page.wait_for_selector(f"[data-page='{slug if slug != 'lecture' else 'gan'}'][aria-current]")
        for selector, value in SEEN.get(slug, {}).items():
            page.wait_for_function("([s, v]) => document.querySelector(s)?.value === v", arg=[selector, value])
        for selector, words in TOLD.get(slug, {}).items():
            page.wait_for_function(
                "([s, words]) => document.querySelector(s)?.textContent.startsWith(words)", arg=[selector, words]
            )
        page.wait_for_function(
            "([query, ms]) => { const now = decodeURIComponent(location.search.slice(1)); if (window.same !== now) "
            "Object.assign(window, { same: now, since: performance.now() }); "
            "return performance.now() - window.since > ms; }",
            arg=[query, 700],
        )
        found[slug] = parse_qs(urlsplit(page.url).query)
        assert page.locator("#link-note:visible").count() == 0, page.inner_text("#link-note")
    assert found == {slug: parse_qs(filled(page, words).replace("{ladder}", ladder)) for slug, words in LINKS.items()}
    assert page.inner_text("#lecture-bar .what")


def test_what_is_set_is_copied_as_a_link_and_what_cannot_be_in_it_is_said(visit):
    page = visit("", at="vae", permissions=["clipboard-read", "clipboard-write"])
    page.wait_for_selector("#vae-draws img[src]")
    page.fill("#vae-scale input[type=number]", "2.5")
    page.click("#vae-image-picker [data-at=images] button >> nth=4")
    page.check("#vae-shown input[value=all]")
    page.wait_for_function("location.search === '?image=5&dimensions=all&noise=2.5'")
    page.click(".top .copy")
    page.wait_for_selector(".top .copy:has-text('Copied')")
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == page.url
    page.click("[data-page=basics]")
    page.wait_for_function("location.search === ''")
    page.go_back()
    page.wait_for_function("location.search === '?image=5&dimensions=all&noise=2.5'")
    assert page.input_value("#vae-scale input[type=number]") == "2.5"
    query = urlsplit(link)
    other = visit(f"?{query.query}&width=99", at="vae")  # another browser, with a value that is none
    other.wait_for_function("document.querySelector('#vae-scale input[type=number]')?.value === '2.5'")
    assert other.inner_text("#link-note p") == (
        "The link's width was left out: width must be a number from 0 to 10, not 99."
    )
    other.wait_for_function("document.querySelector('#vae-image-picker [data-at=picker]').dataset.chosen === '4'")
    other.wait_for_function("location.search === '?image=5&dimensions=all&noise=2.5'")
    other.evaluate("location.hash = '#table'")
    other.evaluate("location.hash = '#vae'")
    other.wait_for_function("location.search === '?image=5&dimensions=all&noise=2.5'")
    third = visit("?data=blank", at="table")
    third.wait_for_function("document.querySelector('#table-dataset input')?.value === 'blank'")
    third.click("[data-page=vae]")  # a page that is opened follows the data set
    third.wait_for_function("document.querySelector('#vae-dataset input')?.value === 'blank'")
    settle(third)
    assert third.evaluate("location.search") == "?data=blank"
    other.evaluate("navigator.clipboard.writeText = () => Promise.reject(); document.execCommand = () => false")
    other.click(".top .copy")
    other.wait_for_selector("#link-note input")
    assert other.input_value("#link-note input") == other.url
    assert other.evaluate("getSelection().toString() || document.activeElement.selectionEnd") in (
        other.url, len(other.url),
    )  # fmt: skip
