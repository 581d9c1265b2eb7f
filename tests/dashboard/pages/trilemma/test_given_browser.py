"""Samples made elsewhere in a real browser: uploaded, scored, drawn without a time, with what is wrong said."""

import numpy as np
import pytest
import torch

from gencore import FAMILIES, checkpoint
from gencore.data import load_images
from gencore.extractors import Options
from gencore.extractors.reference import write_features
from tests.support.browser import serve

pytestmark = pytest.mark.browser
COUNT = """() => {
  window.asked = 0;
  document.querySelector('#trilemma-home').addEventListener('change', () => { window.asked += 1; }, true);
}"""


@pytest.fixture(scope="module")
def address(browser_or_skip, tmp_path_factory):
    """The address of an app on digits, of which nothing was measured yet."""
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("given")
    list(write_features("digits", root, "pixels", Options(device="cpu"), lambda share, words: None))
    checkpoint.save_model(root / "digits/gan", FAMILIES["gan"](channels=1, size=8, widths=(8, 8), probe_widths=(8, 8)))
    with serve(str(root), root / "log.txt") as url:
        yield url


def test_upload_what_cannot_be_read_then_samples(visit, tmp_path):
    page = visit(at="trilemma")
    images = load_images("digits", "validation").x[:, 0].numpy()
    np.save(tmp_path / "floats.npy", images / 255)
    np.save(tmp_path / "theirs.npy", images)
    status = page.locator("#trilemma-given-status")
    for file in ("floats.npy", "theirs.npy"):
        page.wait_for_selector("#trilemma-given")
        page.click("#trilemma-given button.label-wrap")
        page.set_input_files("#trilemma-given-files input[type=file]", tmp_path / file)
        page.get_by_text(file).wait_for()
        page.fill("#trilemma-given-name input, #trilemma-given-name textarea", "Theirs")
        page.evaluate(COUNT)
        page.click("#trilemma-given-go")
        if file == "floats.npy":
            status.locator(".problem").wait_for()
            assert status.inner_text().startswith("floats.npy holds float64 numbers")
            page.wait_for_selector("#trilemma-given-stop[disabled]")
            page.evaluate("() => new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(seen)))")
            assert page.evaluate("() => window.asked") == 0, "what was refused changes nothing"
            page.reload()
            page.wait_for_selector("[data-page=trilemma][aria-current]")  # a click before that may be lost
    status.get_by_text("Theirs is the grey diamond.").wait_for()
    chart = page.locator(".untimed svg.wide")
    chart.wait_for()
    assert page.evaluate("() => window.asked") == 1
    assert chart.get_by_text("Theirs", exact=True).is_visible()
    assert "How fast Theirs is made is unknown" in page.inner_text(".untimed")
    assert page.locator(".untimed [style*='--mark-samples']").count()
