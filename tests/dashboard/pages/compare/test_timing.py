"""The chart of the time per image, read back from its markup."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np

from dashboard.pages.compare import timing
from dashboard.pages.compare.timing import Timing


def timings():
    return [
        Timing("vae", "VAE", 0.1, 0.12, 1),
        Timing("gan", "GAN", None, 0.2, 1),
        Timing("ddpm", "DDPM", 24.0, None, 20),
        Timing("flow", "A <fourth> & family", None, None, 0),
    ]


def drawings(markup):
    found = re.findall(r"<svg class=\"fig.*?</svg>", markup, re.DOTALL)
    return [ElementTree.fromstring(drawing) for drawing in found]


def test_the_timing_chart_is_drawn_twice_and_escapes():
    markup = timing.card(timings(), "CPU, 2 cores")
    wide, narrow = drawings(markup)
    assert wide.get("viewBox").split()[2] == "560" and narrow.get("viewBox").split()[2] == "330"
    assert "A &lt;fourth&gt; &amp; family" in markup
    assert "not timed yet" in markup
    assert "In the time of one DDPM image, VAE makes 240." in markup
    assert "on CPU, 2 cores" in markup


def test_the_log_axis_puts_each_decade_one_step_further():
    drawing = drawings(timing.card(timings()))[0]
    ticks = [(float(node.text.replace(",", "")), float(node.get("x"))) for node in drawing.iter("text")
             if node.get("class") == "tick" and re.fullmatch(r"[\d.,]+", node.text)]  # fmt: skip
    exponents = [np.log10(value) for value, _ in ticks]
    places = [place for _, place in ticks]
    assert len(ticks) >= 3
    np.testing.assert_allclose(
        np.diff(places) / np.diff(exponents), np.diff(places)[0] / np.diff(exponents)[0], rtol=1e-2
    )


def test_nothing_timed_yet_says_so():
    markup = timing.card([Timing("vae", "VAE", None, None, 0)])
    assert "Nothing has been timed yet" in markup
    assert drawings(markup)


def test_what_ran_beside_a_comparison_says_so():
    beside = [Timing("vae", "VAE", 0.1, 0.12, 1, "My <shapes>"), Timing("gan", "GAN", 0.2, None, 1, "My <shapes>")]
    markup = timing.card(beside)
    assert "beside My &lt;shapes&gt;, which was training" in markup and "this device alone" not in markup
    assert "this device alone" in timing.card(timings())
