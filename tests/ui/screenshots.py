"""Write screenshots from the running code: python tests/ui/screenshots.py [PAGE ...]

docs/screenshots has every page in light, and the first page in all looks; the others are to be looked at, and go to
runs/screenshots. `share` among the pages is the picture that a link to the app shows, which lies beside the code.

Needs Chromium, playwright and the shipped checkpoints; set GENCORE_DATA to a folder with the data sets for the lane
of real images. `belief` is the chart of which metric can be believed. Run by hand whenever the look has changed.
"""

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from dashboard.ui.served import PICTURE
from tests.support.browser import FLAGS, ROOT, chromium_path, wait_for
from tests.support.buttons import run_to_end

FOLDER, OTHERS = ROOT / "docs" / "screenshots", ROOT / "runs" / "screenshots"
INSIDE = ("latent", "vae", "gan", "diffusion", "training")  # their panels fill by themselves when the page is opened
PAGES = ("trilemma", "yours", "compare", "diversity", "speed", "table", "failures", "lecture", *INSIDE)
TALLEST = 2100  # pixels: the rest of a long page is more of the same, and pictures stay in the history for good
LOOKS = {
    "light": {"theme": "light", "width": 1280, "height": 800},
    "dark": {"theme": "dark", "width": 1280, "height": 800},
    "390": {"theme": "light", "width": 390, "height": 844},
}
RUNS = {  # of what is shown after a run: its button, and what the run paints
    "compare": ("#compare-generate", "#compare-timing"),
    "diversity": ("#diversity-generate", "#diversity-progress"),
}
LAZY = {"compare": "#compare-scatter", "diversity": "#diversity-map"}  # drawn when it comes into view


def take(browser, address, slug, look, theme, width, height):
    page = browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=2 if width < 500 else 1)
    page.goto(f"{address}?__theme={theme}#{slug}")
    page.wait_for_selector(f"[data-page='{slug}'][aria-current]")
    page.wait_for_timeout(4000)
    if slug in RUNS:
        page.set_default_timeout(600_000)
        run_to_end(page, *RUNS[slug])
        page.evaluate(f"document.querySelector('{LAZY[slug]}').scrollIntoView()")
        page.wait_for_timeout(4000)
    if slug in INSIDE:
        page.wait_for_timeout(9000)
    if slug == "yours":
        page.click("#yours-digits")
        page.wait_for_selector("#yours-plan b", timeout=600_000)
    if slug == "table":  # its rows come after the page
        page.wait_for_selector("#table-rows [data-at=rows] tr", timeout=120_000)
    if slug == "failures":  # its pictures are made when the page is opened
        page.wait_for_function("document.querySelectorAll('img.samples').length >= 4", timeout=120_000)
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(500)
    path = (FOLDER if look == "light" or slug == PAGES[0] else OTHERS) / f"{slug}-{look}.png"
    page.screenshot(path=path, full_page=True)
    page.close()
    shrink(path)
    print(path)


CARD = """
  .top nav, .top .pill, .start, .measures, .trilemma, #pages [id] ~ *, footer { display: none !important; }
  #pages { zoom: 1.14; } .bests { min-height: 0 !important; } body { overflow: hidden !important; }
  .gradio-container .title.home h1 { margin-top: 40px; }
"""


def share(browser, address):
    """Write the picture for a link to the app: what the first screen says, larger."""
    page = browser.new_page(viewport={"width": 1200, "height": 630})
    page.goto(f"{address}?__theme=light")
    page.wait_for_function("document.querySelectorAll('.bests img.strip').length > 2")
    page.add_style_tag(content=CARD)
    page.wait_for_timeout(500)
    page.screenshot(path=PICTURE)
    page.close()
    shrink(PICTURE)


def belief(browser, address):
    """Write the home page's chart of which metric can be believed, of the data set whose truth is known."""
    page = browser.new_page(viewport={"width": 1000, "height": 900}, device_scale_factor=1.5)
    page.goto(f"{address}?__theme=light&data=shapes")
    page.wait_for_selector("[data-at=belief] svg.fig.wide")
    page.locator("[data-at=belief]").screenshot(path=FOLDER / "belief.png")
    page.close()
    shrink(FOLDER / "belief.png")


ALONE = {"share": share, "belief": belief}  # pictures of a part


def shrink(path):
    """Keep 256 colours of a picture: a third of the bytes, and no difference that one sees."""
    image = Image.open(path).convert("RGB")
    image = image.crop((0, 0, image.width, min(image.height, TALLEST)))
    image.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


def main():
    for folder in (FOLDER, OTHERS):
        folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = Path(tempfile.mkdtemp()) / "log.txt"
    with log.open("w") as output:
        env = {**os.environ, "GRADIO_SERVER_PORT": str(port)}
        app = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=env, stdout=output, stderr=output)
    try:
        address = f"http://127.0.0.1:{port}/"
        wait_for(address, app, log)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
            for slug in sys.argv[1:] or (*PAGES, *ALONE):
                if slug in ALONE:
                    ALONE[slug](browser, address)
                    continue
                for look, options in LOOKS.items():
                    take(browser, address, slug, look, **options)
    finally:
        app.terminate()
        app.wait(20)


if __name__ == "__main__":
    main()
