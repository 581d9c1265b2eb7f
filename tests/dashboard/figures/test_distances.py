"""The chart of the distances between images: what it says, and its markup."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np

from dashboard.figures.distances import Reference, Spread, card

RNG = np.random.default_rng(0)


def spreads():
    rows = [RNG.normal(mean, 1, 276) for mean in (8, 10, 10)]
    names = [("vae", "VAE"), ("gan", "GAN"), ("real", "Real")]
    return [
        Spread(family, title, 24, row, float(row.mean()), 0.4) for (family, title), row in zip(names, rows, strict=True)
    ]


def drawings(markup):
    found = re.findall(r"<svg class=\"fig.*?</svg>", markup, re.DOTALL)
    return [ElementTree.fromstring(drawing) for drawing in found]


def draw(rows, real=None):
    return card("How different?", "the distances between all pairs, in pixels", rows, real)


def test_the_diversity_chart_judges_by_the_interval():
    edges = np.linspace(0, 20, 61)
    centres = (edges[1:] + edges[:-1]) / 2
    density = np.exp(-0.5 * (centres - 10) ** 2) / np.sqrt(2 * np.pi)
    markup = draw(spreads(), Reference(edges, density))
    assert "VAE: more alike than real images" in markup
    assert "GAN: as far apart as real images" in markup
    assert "real 10.0" in markup
    assert len(drawings(markup)) == 2


def test_the_diversity_chart_without_a_reference_and_with_one_image():
    assert "Mean distance: VAE" in draw(spreads()[:2])
    lonely = Spread("vae", "VAE", 1, np.zeros(0), float("nan"), float("nan"))
    assert "Two images or more" in draw([lonely])
    same = Spread("vae", "VAE", 3, np.zeros(3), 0.0, 0.0)
    assert drawings(draw([same]))


def test_the_card_names_what_is_measured_and_of_which_images():
    markup = draw(spreads(), Reference(np.linspace(0, 20, 5), np.full(4, 0.05), "real training images"))
    assert "the distances between all pairs, in pixels" in markup and "pairs of real training images" in markup
    assert "Two images or more" in draw([])
