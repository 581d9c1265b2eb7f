"""Charts and figures: their numbers against ones computed otherwise, their markup against what a page can take."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from dashboard import theme
from dashboard.figures import scatter, svg
from dashboard.results.projection import Plane, shade

RNG = np.random.default_rng(0)
PLAIN_TRACES = {"scatter", "bar", "heatmap", "violin", "contour"}  # what the page's plotly draws right


def timings():
    return [
        svg.Timing("vae", "VAE", 0.1, 0.12, 1),
        svg.Timing("gan", "GAN", None, 0.2, 1),
        svg.Timing("ddpm", "DDPM", 24.0, None, 20),
        svg.Timing("flow", "A <fourth> & family", None, None, 0),
    ]


def spreads():
    rows = [RNG.normal(mean, 1, 276) for mean in (8, 10, 10)]
    names = [("vae", "VAE"), ("gan", "GAN"), ("real", "Real")]
    return [
        svg.Spread(family, title, 24, row, float(row.mean()), 0.4)
        for (family, title), row in zip(names, rows, strict=True)
    ]


def drawings(markup):
    found = re.findall(r"<svg class=\"fig.*?</svg>", markup, re.DOTALL)
    return [ElementTree.fromstring(drawing) for drawing in found]


def test_the_timing_chart_is_drawn_twice_and_escapes():
    markup = svg.timing(timings(), "CPU, 2 cores")
    wide, narrow = drawings(markup)
    assert wide.get("viewBox").split()[2] == "560" and narrow.get("viewBox").split()[2] == "330"
    assert "A &lt;fourth&gt; &amp; family" in markup
    assert "not timed yet" in markup
    assert "In the time of one DDPM image, VAE makes 240." in markup
    assert "on CPU, 2 cores" in markup


def test_the_log_axis_puts_each_decade_one_step_further():
    drawing = drawings(svg.timing(timings()))[0]
    ticks = [(float(node.text.replace(",", "")), float(node.get("x"))) for node in drawing.iter("text")
             if node.get("class") == "tick" and re.fullmatch(r"[\d.,]+", node.text)]  # fmt: skip
    exponents = [np.log10(value) for value, _ in ticks]
    places = [place for _, place in ticks]
    assert len(ticks) >= 3
    np.testing.assert_allclose(
        np.diff(places) / np.diff(exponents), np.diff(places)[0] / np.diff(exponents)[0], rtol=1e-2
    )


def test_nothing_timed_yet_says_so():
    markup = svg.timing([svg.Timing("vae", "VAE", None, None, 0)])
    assert "Nothing has been timed yet" in markup
    assert drawings(markup)


def test_the_diversity_chart_judges_by_the_interval():
    edges = np.linspace(0, 20, 61)
    centres = (edges[1:] + edges[:-1]) / 2
    density = np.exp(-0.5 * (centres - 10) ** 2) / np.sqrt(2 * np.pi)
    markup = svg.distances(spreads(), edges, density)
    assert "VAE: more alike than real images" in markup
    assert "GAN: as far apart as real images" in markup
    assert "real 10.0" in markup
    assert len(drawings(markup)) == 2


def test_the_diversity_chart_without_a_reference_and_with_one_image():
    assert "Mean distance: VAE" in svg.distances(spreads()[:2])
    lonely = svg.Spread("vae", "VAE", 1, np.zeros(0), float("nan"), float("nan"))
    assert "Two images or more" in svg.distances([lonely])
    same = svg.Spread("vae", "VAE", 3, np.zeros(3), 0.0, 0.0)
    assert drawings(svg.distances([same]))


def test_outlines_have_the_area_of_their_histogram():
    edges, heights = np.array([0.0, 1, 2, 3]), np.array([0.0, 0.5, 0.25])
    path = svg.steps(edges, heights, lambda x: 10 * x, 100.0, 40.0)
    corners = np.array([[float(v) for v in pair.split()] for pair in re.findall(r"[ML]([\d. ]+)", path)])
    x, y = corners[:, 0], 100 - corners[:, 1]
    area = abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2
    assert area == pytest.approx(10 * 40 * (0.5 + 0.25))


@pytest.mark.parametrize(("low", "high"), [(0, 1), (3.2, 14.9), (0.001, 0.002), (0, 70)])
def test_ticks_are_round_and_inside(low, high):
    ticks = svg.nice_ticks(low, high)
    assert 3 <= len(ticks) <= 11
    assert low <= ticks[0] and ticks[-1] <= high + 1e-12


def test_the_scatter_has_plain_traces_units_and_theme_colours():
    clouds = {"vae": ("VAE", RNG.normal(size=(24, 2))), "flow": ("<b>Flow</b>", RNG.normal(size=(24, 2)))}
    plane = Plane(np.zeros(2), np.eye(2), RNG.normal(size=(2000, 2)), ("one way", "another"))
    figure = scatter.scatter(clouds, plane)
    assert {trace.type for trace in figure.data} <= PLAIN_TRACES
    assert [len(trace.x) for trace in figure.data] == [2000, 24, 24]
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("one way", "another")
    assert figure.data[1].marker.color == "var(--mark-vae)"
    assert figure.data[2].name == "&lt;b&gt;Flow&lt;/b&gt; (24)"
    assert figure.to_json()
    shaded = scatter.scatter(clouds, plane, shade(plane.points))
    assert [trace.type for trace in shaded.data] == ["contour", "scatter", "scatter", "scatter"]
    assert [trace.meta for trace in shaded.data] == ["real", "real", "vae", "flow"], "what a click goes by"


def test_every_family_has_its_own_marker_and_an_unknown_one_keeps_its():
    known = [theme.style(name) for name in ("vae", "gan", "ddpm")]
    assert len({style.marker for style in known}) == 3
    assert theme.style("flow") == theme.style("flow") and theme.style("flow") not in known
    assert "--mark-flow:" in theme.variables(["flow"])


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("side", [0, 1], ids=["light", "dark"])
def test_text_is_readable_on_cards_and_paper(side):
    """WCAG 2's contrast of 4.5 for text, against both grounds that text stands on."""
    texts = {name: theme.TOKENS[name][side] for name in ("ink", "quiet", "danger")}
    texts |= {f"text-{name}": theme.style(name).text[side] for name in ("vae", "gan", "ddpm", "flow", "another")}
    for ground in ("card", "paper"):
        for name, colour in texts.items():
            light, dark = sorted((luminance(colour), luminance(theme.TOKENS[ground][side])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, f"{name} on {ground}"


def test_plotly_brings_its_own_script():
    assert scatter.script().is_file()
