"""Write docs/screenshots/*.png from the running code: python tests/ui/screenshots.py

Needs Chromium, playwright and the shipped checkpoints; set GENCORE_DATA to a folder with the data sets for the lane
of real images. Run by hand whenever the look has changed.
"""

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from conftest import FLAGS, ROOT, chromium_path, wait_for
from playwright.sync_api import sync_playwright

FOLDER = ROOT / "docs" / "screenshots"
SHOTS = {
    "compare-light": {"theme": "light", "width": 1280, "height": 900, "full": True},
    "compare-dark": {"theme": "dark", "width": 1280, "height": 900, "full": True},
    "compare-390": {"theme": "light", "width": 390, "height": 844, "full": True},
}


def take(browser, address, name, theme, width, height, full):
    page = browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=2 if width < 500 else 1)
    page.goto(f"{address}?__theme={theme}#compare")
    page.wait_for_selector("#generate")
    page.wait_for_function("document.body.dataset.restored !== undefined")
    page.click("#generate")
    page.wait_for_function("document.querySelector('#generate').disabled")
    page.wait_for_function("!document.querySelector('#generate').disabled", timeout=300_000)
    page.evaluate("document.querySelector('#scatter').scrollIntoView()")
    page.wait_for_timeout(3000)
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(500)
    page.screenshot(path=FOLDER / f"{name}.png", full_page=full)
    page.close()


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
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
            for name, options in SHOTS.items():
                take(browser, address, name, **options)
                print(FOLDER / f"{name}.png")
    finally:
        app.terminate()
        app.wait(20)


if __name__ == "__main__":
    main()
