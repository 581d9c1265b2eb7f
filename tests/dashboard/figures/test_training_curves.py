"""What trainings went through: words and charts from columns with known answers."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from dashboard.figures import training_curves
from dashboard.figures.training_curves import Facts, Told

N = 1000
IMAGES = np.arange(1, N + 1) * 64.0


def told(name="toy/vae", family="vae", title="VAE", **columns):
    usual = {"step": IMAGES / 64, "images": IMAGES, "seconds": IMAGES / 128, "lr": np.full(N, 1e-3)}
    return Told(name, family, title, {**usual, **columns})


FALLING = told(loss=1000 * np.exp(-IMAGES / 10_000), kl=np.stack([IMAGES, 2 * IMAGES], 1), validation_elbo=-IMAGES)
WAVES = told("toy/gan", "gan", "GAN", loss=1 + np.sin(IMAGES / 500))


def test_a_fall_is_told_with_where_nine_tenths_of_it_were_done():
    words = training_curves.journey(IMAGES, FALLING.columns["loss"], "images")
    assert words.startswith("From 994 to 2.3"), words
    assert "after 23k of 64k images" in words, "1000 exp(-x / 10,000) has fallen by nine tenths at x = 23,026"
    assert "3 min 0" in training_curves.journey(IMAGES / 128, FALLING.columns["loss"], "seconds")


@pytest.mark.parametrize("y", [1 + np.sin(IMAGES / 500), np.random.default_rng(0).normal(1, 0.2, N)])
def test_what_has_no_way_is_told_by_its_range(y):
    assert re.fullmatch(r"Between .* and .*; .* at the end\.", training_curves.journey(IMAGES, y, "images"))


@pytest.mark.parametrize("y", [[3.0], [3.0, 3.0], [3.0, 1.0]])
def test_a_log_of_few_lines_has_words_too(y):
    words = training_curves.journey(np.arange(1.0, len(y) + 1), np.array(y), "images")
    assert "nan" not in words
    assert str(int(y[-1])) in words


def test_each_family_has_a_card_of_its_own_on_the_shared_axis():
    cards = training_curves.column_cards(
        [FALLING, WAVES, told("toy/gan-2", "gan", "GAN", loss=IMAGES)], "loss", "images"
    )
    assert [re.search("<h3>(.*?)</h3>", card)[1] for card in cards] == ["VAE: loss", "GAN: loss"]
    assert "toy/gan-2: From" in cards[1]
    assert "stroke-dasharray" in cards[1]
    short = told("toy/ddpm", "ddpm", "DDPM", images=IMAGES / 10, loss=IMAGES)
    pair = training_curves.column_cards([FALLING, short], "loss", "images")
    assert [re.findall(r'class="tick">([^<]*)</text>', card)[-1] for card in pair][1] == "60k"


def test_vectors_held_out_figures_and_lacking_values_are_drawn():
    (vectors,) = training_curves.column_cards([FALLING, WAVES], "kl", "images")
    svg = ET.fromstring(re.search("<svg.*?</svg>", vectors)[0])
    assert len([path for path in svg.iter("path") if path.get("class") == "curve"]) == 2
    assert "2 numbers, at the end from 64,000 to 128,000." in vectors
    (held_out,) = training_curves.column_cards([FALLING], "validation_elbo", "seconds")
    assert "VAE: ELBO (held out)" in held_out
    assert training_curves.column_cards([told(loss=np.full(N, np.nan))], "loss", "images") == []


def test_the_columns_to_choose_from_are_those_that_are_logged():
    assert training_curves.others([FALLING, WAVES]) == ["kl", "validation_elbo"]


def test_the_speed_is_images_by_seconds():
    _, rates = training_curves.speed(FALLING, "images")
    np.testing.assert_allclose(rates, 128)
    assert len(rates) == training_curves.WINDOWS
    assert "VAE 128." in training_curves.speed_card([FALLING], "images")
    assert "There is nothing" not in training_curves.rate_card([FALLING, WAVES], "seconds", log_x=True)
    no_clock = Told("toy/x", "vae", "VAE", {"images": IMAGES, "loss": IMAGES})
    assert "No log tells its time." in training_curves.speed_card([no_clock], "images")
    assert "No log has a learning rate." in training_curves.rate_card([no_clock], "seconds")


def test_the_facts_are_told_escaped_and_unknown_ones_too():
    run = {
        "step": 10, "images": 640, "seed": 3, "processes": 2, "command": "python <x>", "settings": {"dtype": "float32"},
        "machine": {"device": "cpu", "name": "Intel(R) Xeon(R) Processor", "threads": 1},
        "init": {"checkpoint": "toy/zero", "images": 1000, "seconds": 61},
    }  # fmt: skip
    table = training_curves.facts_table([Facts("toy/one", "vae", run, {"images": 1640, "seconds": 245}),
                                 Facts("toy/two", "gan", {}, {})])  # fmt: skip
    for words in ("1,640", "4 min 05 s", ">64<", "Intel Xeon Processor, 2 processes of 1 thread", "python &lt;x&gt;",
                  "toy/one continues a training of 1,000 images and 1 min 01 s"):  # fmt: skip
        assert words in table
    assert table.count("not recorded") == 7
