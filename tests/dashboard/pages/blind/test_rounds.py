"""The blind vote's rounds: nothing that the browser gets tells which lane is which, and a vote counts once."""

import base64
import io
import re
from unittest import mock

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from dashboard.pages.blind import rounds
from dashboard.pages.blind.page import Blind
from dashboard.pages.blind.rounds import REAL, Lane
from dashboard.service import InputError, Service

LANES = [Lane("vae", "VAE", "fitted", 0.1), Lane("gan", "GAN", "plain", 0.2), Lane(REAL, "Real images")]


def made(channels=1):
    """By lane, images that compress to very different sizes: flat, noisy, flat again."""
    noise = np.random.default_rng(0).integers(0, 256, (rounds.IMAGES, channels, 8, 8), dtype=np.uint8)
    return dict(zip(LANES, (np.zeros_like(noise), noise, np.full_like(noise, 7)), strict=True))


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_are_exact_and_all_of_one_size(channels):
    images = made(channels)
    found, pictures = rounds.dealt("dots", 5, images)
    assert len(set(map(len, pictures))) == 1
    for lane, picture in zip(found.lanes, pictures, strict=True):
        pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(picture.partition(",")[2]))))
        first = pixels[:8, :8].reshape(8, 8, channels).transpose(2, 0, 1)
        assert (first == images[lane][0]).all()


def test_each_lane_stands_at_each_place_as_often_as_at_any_other():
    places = np.zeros((3, 3))
    for _ in range(600):
        found, _ = rounds.dealt("dots", 5, {lane: np.zeros((1, 1, 2, 2), np.uint8) for lane in LANES})
        for place, lane in enumerate(found.lanes):
            places[LANES.index(lane), place] += 1
    chi_square = ((places - 200) ** 2 / 200).sum()
    assert chi_square < 30, "chi-square with 4 degrees of freedom: more by chance once in 200,000 runs"


def test_a_vote_counts_once_and_only_for_the_round_that_is_there():
    found, _ = rounds.dealt("dots", 5, made())
    given = {"round": found.name, "real": 2, "varied": 0}
    voted, votes = rounds.vote(found, given)
    assert voted.voted and votes == {"real": 2, "varied": 0}
    for one, what, words in (
        (voted, given, "was voted on"),
        (None, given, "is not here any more"),
        (found, {**given, "round": "other"}, "is not here any more"),
        (found, None, "is not here any more"),
        (found, {**given, "real": 4}, "from 1 to 3"),
        (found, {**given, "varied": True}, "from 1 to 3"),
        (found, {**given, "varied": "1"}, "from 1 to 3"),
    ):
        with pytest.raises(InputError, match=words):
            rounds.vote(one, what)


def test_what_comes_of_a_vote_is_said():
    found = rounds.Round("x", "dots", 5, tuple(LANES))
    assert rounds.answer(found, {"real": 3, "varied": 2})[0] == "You told the real images from the made ones."
    assert rounds.answer(found, {"real": 1, "varied": 2}) == [
        "You took the VAE's images for real, and real ones were there.", "Most varied to you: GAN."
    ]  # fmt: skip
    assert rounds.answer(found, {"real": 0, "varied": 0})[0] == "You could not tell real from made."
    without = rounds.Round("x", "dots", 5, tuple(LANES[:2]))
    assert rounds.answer(without, {"real": 0, "varied": 0})[0] == "None looked more real to you."


def test_a_round_needs_two_lanes_of_one_shape():
    with pytest.raises(InputError, match="two lanes"):
        rounds.dealt("dots", 5, {LANES[0]: np.zeros((1, 1, 2, 2), np.uint8)})
    with pytest.raises(InputError, match="different shapes"):
        rounds.dealt("dots", 5, {one: np.zeros((1, 1, n, n), np.uint8) for n, one in enumerate(LANES, start=2)})


def test_the_page_gives_no_name_no_time_and_no_seed_before_the_vote(toy_service, monkeypatch):
    with gr.Blocks(), gr.Tabs(), gr.Tab("x"):
        page = Blind(toy_service)
    real = np.full((rounds.IMAGES, 1, 4, 4), 9, np.uint8)
    monkeypatch.setattr(toy_service, "real", lambda dataset, n, seed: real)
    request = mock.Mock(session_hash="visitor", query_params={})
    last = [updates for updates in page.deal(request, "dots", "three", "three") if page.stage in updates]
    found = last[-1][page.round]
    text = re.sub(r"data:image/png;base64,[\w+/=]+", "", last[-1][page.stage]).lower()
    for secret in ("toy", '"real"', "seed", "seconds", "ms", str(found.seed)):
        assert secret not in text.replace("one of them real", ""), secret
    assert {lane.family for lane in found.lanes} == {"toy", REAL}
    told = page.vote(mock.Mock(_data={"round": found.name, "real": 1, "varied": 0}), found)
    assert str(found.seed) in told[page.stage] and "Toy \\u003c1>" in told[page.stage].replace("<", "\\u003c")
    again = page.vote(mock.Mock(_data={"round": found.name, "real": 2, "varied": 0}), told[page.round])
    assert "was voted on" in again[page.stage]


@pytest.mark.parametrize("dataset", ["shapes", "mnist", ""])
def test_the_settings_shown_are_those_of_the_families_that_the_data_set_has(dataset):
    service = Service()
    with gr.Blocks():
        page = Blind(service)
    has = {entry.family for entry in service.entries_of(dataset)}
    shown = {name: page._settings(dataset)[one]["visible"] for name, one in page.points.items()}
    assert shown == {name: name in has for name in service.families}
