"""Line charts, read back from their markup."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from dashboard.figures import line
from dashboard.figures.line import Curve, Level, lines


def drawings(markup):
    """Both drawings, parsed: markup that is not well formed fails."""
    return [ET.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", markup)]


def words(svg):
    """All text of a drawing."""
    return [node.text for node in svg.iter("text")]


def noisy(n, family="vae", label="VAE"):
    x = np.arange(1, n + 1) * 128.0
    return Curve(label, x, 100 / x + np.random.default_rng(0).normal(0, 0.1, n), family, low=x * 0, high=x * 0 + 3)


def draw(*drawn, **options):
    return lines("Loss", "It falls.", "Lower is better.", drawn, "images seen", "nats", **options)


def test_a_long_log_stays_small_and_keeps_its_mean():
    markup = draw(*[noisy(50_000, family, family.upper()) for family in ("vae", "gan", "ddpm")])
    assert len(markup) < 60_000
    full = noisy(50_000)
    thin = line.thinned(full, 400, log_x=False)
    assert len(thin.x) == 400
    assert thin.y.mean() == pytest.approx(full.y.mean(), rel=1e-3)
    assert np.all(np.diff(thin.x) > 0)


def test_wide_and_narrow_name_axes_curves_and_levels():
    markup = draw(noisy(50), Curve("GAN <b>", [128, 6400], [1, 2], "gan", dashed=True), levels=[Level(0.5, "equal")])
    for svg in drawings(markup):
        assert {"images seen", "nats", "VAE", "GAN <b>", "equal"} <= set(words(svg))
    assert "var(--mark-vae)" in markup
    assert "stroke-dasharray:5 4" in markup
    assert [title.text for title in drawings(markup)[0].iter("title")] == ["VAE", "GAN <b>"]


def test_lacking_values_are_passed_over():
    curve = Curve("", np.arange(5.0), np.array([1, np.nan, 3, np.inf, 5]))
    assert line.known(curve, False, False).y.tolist() == [1, 3, 5]
    assert line.known(curve, True, False).x.tolist() == [2, 4], "0 has no place on a log axis"
    assert "nan" not in draw(curve)


@pytest.mark.parametrize("drawn", [[], [Curve("a", [], [])], [Curve("a", [1, 2], [np.nan, np.nan])]])
def test_nothing_to_draw_is_said(drawn):
    markup = lines("Loss", "", "Lower is better.", drawn, "images", "nats")
    assert "There is nothing to draw." in markup
    assert "<svg" not in markup


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("y", [[3.0], [3.0, 3.0], [1e-6, 1e6], [0.9, 1.1]])
def test_any_range_has_an_axis_with_ticks(y, log):
    markup = draw(Curve("", np.arange(1, len(y) + 1), y), log_x=log, log_y=log)
    for svg in drawings(markup):
        ticks = [node.text for node in svg.iter("text") if node.get("class") == "tick"]
        assert len(ticks) >= 4
        assert not re.search(r"nan|inf", ET.tostring(svg, "unicode"))


def test_charts_may_share_an_axis_and_mark_a_place():
    markup = draw(Curve("", [0, 100], [0, 1]), x_range=(0, 1000), marker_x=50)
    svg = drawings(markup)[0]
    marker = next(node for node in svg.iter("g") if node.get("class") == "marker")
    ends = re.findall(r"[\d.]+", next(svg.iter("path")).get("d"))
    assert float(marker.find("line").get("x1")) == pytest.approx((float(ends[0]) + float(ends[2])) / 2, abs=0.1)
    assert 'class="marker"' not in draw(Curve("", [0, 100], [0, 1]), marker_x=5000)


def test_the_name_of_a_curve_that_ends_early_stands_at_its_end_unless_another_passes_there():
    short, long = Curve("short", [0, 50], [1, 1], "gan"), Curve("long", [0, 100], [2, 2], "vae")
    assert draw(short, long).count('class="end inside"') == 1
    assert draw(short, Curve("long", [0, 100], [1, 1], "vae")).count('class="end inside"') == 0
