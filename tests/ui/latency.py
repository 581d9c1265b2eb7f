"""Times from a visitor's action to the picture that answers it: python tests/ui/latency.py

Starts the app and drives it in Chromium; an observer in the page takes the time. Prints the median and the range of
eight (three of a page's opening) beside the target, and ends with 1 when a target is missed. Run it on a machine that
does nothing else.
"""

import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from dashboard.pages import PAGES
from tests.support.browser import FLAGS, ROOT, chromium_path, serve

ROUNDS, SLIDER = 8, 300  # actions a panel; ms
SETTLED, OPENED = 2000, 1000  # ms
PICTURE = """(selector) => {
    const picture = document.querySelector(selector), old = picture.src;
    window.answered = null;
    new MutationObserver((_, observer) => {
        if (picture.src === old) return;
        observer.disconnect();
        window.answered = performance.now() - window.asked;
    }).observe(picture, { attributes: true, attributeFilter: ['src'] });
}"""
FIRST = """() => {
    const film = document.querySelector('#diffusion-film .df-film');
    window.answered = null;
    let begun = false;
    new MutationObserver((_, observer) => {
        begun ||= film.dataset.state === 'running';
        if (!begun || film.querySelector('.df-reel').dataset.place === undefined) return;
        observer.disconnect();
        window.answered = performance.now() - window.asked;
    }).observe(film, { attributes: true, subtree: true });
}"""
MOVE = """([selector, value]) => {
    const slider = document.querySelector(selector);
    window.asked = performance.now();
    slider.value = value;
    slider.dispatchEvent(new Event('input', { bubbles: true }));
    slider.dispatchEvent(new Event('change', { bubbles: true }));
}"""
# What an action brings: the time of the first and of the last change below an element, once nothing came for a second.
CHANGES = """(selector) => {
    window.first = window.last = null;
    const observer = new MutationObserver(() => {
        const now = performance.now() - window.asked;
        window.first ??= now;
        window.last = now;
    });
    document.querySelectorAll(selector).forEach((one) => observer.observe(one, { childList: true, subtree: true,
        attributes: true, attributeFilter: ['src'] }));
    window.quiet = () => window.last !== null && performance.now() - window.asked - window.last > 1000;
}"""
CHOOSE = """(index) => {
    window.asked = performance.now();
    document.querySelectorAll('#latent-image-picker .image-picker-images button')[index].click();
}"""
FOLLOWING = "#latent-spot, #latent-traversal, #latent-rebuilt, #latent-noised"
# A page is open when it is there and has stopped growing.
OPEN = """(slug) => new Promise((done) => {
    const asked = performance.now();
    document.querySelector(`nav a[data-page='${slug}']`).click();
    let tall = 0, since = asked;
    const look = (now) => {
        const panel = [...document.querySelectorAll('[role=tabpanel]')].find((one) => one.offsetParent);
        const there = document.querySelector(`[data-page='${slug}'][aria-current]`);
        const height = (there && panel?.scrollHeight) || 0;
        if (height !== tall) [tall, since] = [height, now];
        if (tall > 200 && now - since > 1500) done(Math.max(0, since - asked));
        else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
})"""
SLIDERS = (  # name, panel, slider, picture, the values it is set to
    ("VAE, temperature", "vae/prior", "#vae-vae-temperature input[type=range]", "#vae-samples img", (0.5, 1.5)),
    ("VAE, sigma(x) times", "vae/draws", "#vae-scale input[type=range]", "#vae-draws img[data-at=draws]", (1, 5)),
    ("GAN, truncation", "gan/truncation", "#gan-gan-truncation input[type=range]", "#gan-samples img", (0.3, 1)),
)


def moved(page, slider, picture, span):
    """The milliseconds of several moves of a slider."""
    times = []
    for turn in range(ROUNDS):
        page.wait_for_timeout(1500)  # what else changes with it is done
        page.evaluate(PICTURE, picture)
        page.evaluate(MOVE, [slider, round(span[0] + (span[1] - span[0]) * (turn + 1) / (ROUNDS + 1), 2)])
        page.wait_for_function("window.answered !== null")
        times.append(page.evaluate("window.answered"))
    return times


def filmed(page):
    """The milliseconds from a click on Draw to the first moment of the film, for several seeds."""
    times = []
    done = "document.querySelector('#diffusion-film .df-film')?.dataset.state === 'done'"
    for turn in range(ROUNDS):
        page.wait_for_function(done)
        page.wait_for_timeout(1500)
        page.fill("#diffusion-reverse-seed :is(input, textarea)", str(100 + turn))
        page.evaluate(FIRST)
        page.evaluate(
            "() => { window.asked = performance.now(); document.querySelector('#diffusion-reverse-go').click(); }"
        )
        page.wait_for_function("window.answered !== null")
        times.append(page.evaluate("window.answered"))
    return times


def chosen(page):
    """The milliseconds from choosing images on Latent space to the first and to the last change that follows."""
    firsts, lasts = [], []
    for turn in range(ROUNDS):
        page.wait_for_timeout(1500)
        page.evaluate(CHANGES, FOLLOWING)
        page.evaluate(CHOOSE, turn + 1)
        page.wait_for_function("window.quiet()")
        firsts.append(page.evaluate("window.first"))
        lasts.append(page.evaluate("window.last"))
    return firsts, lasts


def opened(browser, address, slug):
    """The milliseconds from the click on a page's name to a page that has stopped growing, for several visitors."""
    times = []
    for _ in range(3):
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{address}#{PAGES[0] if slug != PAGES[0] else PAGES[1]}")
        page.wait_for_selector("nav a[aria-current]")
        page.wait_for_timeout(4000)
        times.append(page.evaluate(OPEN, slug))
        page.close()
    return times


def told(name, times, target):
    """Print one line, and return whether the target was met."""
    middle = statistics.median(times)
    verdict, span = "met" if middle < target else "MISSED", f"{min(times):.0f} to {max(times):.0f}"
    print(f"{name:25} {middle:4.0f} ms ({span}), target {target} ms: {verdict}", flush=True)
    return middle < target


def main():
    log = Path(tempfile.mkdtemp()) / "log.txt"
    with serve(str(ROOT / "checkpoints"), log) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        met = []
        for name, panel, slider, picture, span in SLIDERS:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(f"{address}#{panel}")
            page.wait_for_selector(f"{picture}[src]")
            page.wait_for_timeout(3000)
            met.append(told(name, moved(page, slider, picture, span), SLIDER))
            page.close()
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{address}#diffusion/reverse")
        met.append(told("DDPM, film's first frame", filmed(page), SLIDER))
        page.goto(f"{address}#latent")
        page.wait_for_selector("#latent-noised img[src]")
        page.wait_for_timeout(6000)
        firsts, lasts = chosen(page)
        met += [told("Latent, first change", firsts, SLIDER), told("Latent, settled", lasts, SETTLED)]
        page.close()
        met += [told(f"opening {slug}", opened(browser, address, slug), OPENED) for slug in PAGES]
    sys.exit(not all(met))


if __name__ == "__main__":
    main()
