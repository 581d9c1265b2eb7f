"""The map of images on a plane: plain traces, units, colours of the theme."""

import numpy as np

from dashboard.figures import embedding
from dashboard.results.projection import Plane, shade

RNG = np.random.default_rng(0)
PLAIN_TRACES = {"scatter", "bar", "heatmap", "violin", "contour"}  # what the page's plotly draws right


def test_the_scatter_has_plain_traces_units_and_theme_colours():
    clouds = {"vae": ("VAE", RNG.normal(size=(24, 2))), "flow": ("<b>Flow</b>", RNG.normal(size=(24, 2)))}
    plane = Plane(np.zeros(2), np.eye(2), RNG.normal(size=(2000, 2)), ("one way", "another"))
    figure = embedding.scatter(clouds, plane)
    assert {trace.type for trace in figure.data} <= PLAIN_TRACES
    assert [len(trace.x) for trace in figure.data] == [2000, 24, 24]
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("one way", "another")
    assert figure.data[1].marker.color == "var(--mark-vae)"
    assert figure.data[2].name == "&lt;b&gt;Flow&lt;/b&gt; (24)"
    assert figure.to_json()
    shaded = embedding.scatter(clouds, plane, shade(plane.points))
    assert [trace.type for trace in shaded.data] == ["contour", "scatter", "scatter", "scatter"]
    assert [trace.meta for trace in shaded.data] == ["real", "real", "vae", "flow"], "what a click goes by"


def test_plotly_brings_its_own_script():
    assert embedding.script().is_file()
