"""The GAN page's door and figures, on tiny untrained models and on invented logs and rows; in seconds."""

import json
import math
import re
import threading
from unittest import mock

import gradio as gr
import numpy as np
import pytest
import torch
from diffusers.configuration_utils import register_to_config
from torch import nn

from dashboard.pages.gan import discriminator_scores, game_curves, page, tradeoff
from dashboard.pages.gan.discriminator_scores import Beliefs
from dashboard.pages.gan.engine import Games
from dashboard.results.operating_points import join, knobs_key
from dashboard.service import InputError, Service, judging, runs
from dashboard.service.device import STOPPED, Waiting, finish
from dashboard.service.parsing import shown
from dashboard.ui.run import in_line
from gencore import FAMILIES, checkpoint
from gencore.family import Family, Knob, Step, resolve_knobs
from tests.support import invented
from tests.support.leases import taken

GO = threading.Event()  # never set


class Referee(Family):
    """A toy that judges by the mean brightness, and has a choice but no number to turn."""

    name = "referee"
    title = "Referee"
    knobs = (Knob("shade", "dark", choices=("dark", "light")),)
    points = ()

    @register_to_config
    def __init__(self, channels: int = 1, size: int = 8):
        super().__init__()
        self.layer = nn.Linear(1, 1)

    @property
    def networks(self):
        return {"layer": self.layer}

    def sample(self, seeds, **knobs):
        level = {"dark": -1.0, "light": 1.0}[self.resolve_knobs(knobs)["shade"]]
        x = torch.full((len(list(seeds)), 1, 8, 8), level)
        yield Step(1, 1, x, x)

    def judge(self, x):
        return (x.flatten(1).mean(1) + 1) / 2 * 0.8 + 0.1


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path))
    monkeypatch.setitem(FAMILIES, "referee", Referee)
    for name, kind in FAMILIES.items():
        sizes = {} if kind is Referee else {"widths": (8, 8)}
        checkpoint.save_model(tmp_path / "digits" / name, kind(size=8, **sizes))
    checkpoint.save_model(
        tmp_path / "digits" / "gan-minimax", FAMILIES["gan"](size=8, widths=(8, 8), objective="minimax")
    )
    return tmp_path


@pytest.fixture
def games(root):
    return Games(Service())


# ---- the door


def test_every_family_that_judges_is_found_by_its_capability(games):
    assert list(games.families()) == ["gan", "referee"]
    found = games.contestants("digits")
    assert [one.name for one in found] == ["digits/gan", "digits/referee", "digits/gan-minimax"]
    assert [one.objective for one in found] == ["relativistic", "", "minimax"]
    assert games.datasets() == ["digits"] and not games.contestants("nothing")


def test_a_checkpoint_that_cannot_be_used_says_why(games, root):
    weights = root / "digits" / "gan" / checkpoint.WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(InputError) as caught:
        finish(games.judge("digits", "digits/gan", 1, GO))
    assert str(root) not in str(caught.value)
    assert games.contestants("digits")[-1].name == "digits/gan", "those that can be used come first"
    with pytest.raises(InputError, match="python -m gencore train"):
        finish(games.judge("digits", "digits/none", 1, GO))


def test_without_a_family_that_judges_there_is_a_sentence(root, monkeypatch):
    for name in ("gan", "referee"):
        monkeypatch.delitem(FAMILIES, name)
    games = Games(Service())
    assert not games.datasets() and "discriminator" in games.nobody("digits")


def test_a_probe_is_named_where_the_model_has_one(games):
    assert finish(games.judge("digits", "digits/gan", 1, GO)).by_probe
    assert not finish(games.judge("digits", "digits/gan-minimax", 1, GO)).by_probe


def test_what_is_judged_is_what_is_shown(games):
    judged = finish(games.judge("digits", "digits/referee", "7", GO))
    assert judged.seed == 7 and judged.fake.shape == (200, 1, 8, 8) and (judged.fake == 0).all()
    assert judged.fake_scores == pytest.approx(0.1)
    expected = judged.real.reshape(len(judged.real), -1).mean(1) / 255 * 0.8 + 0.1
    assert judged.real_scores == pytest.approx(expected, abs=1e-6)
    assert len(np.unique(judged.real.reshape(len(judged.real), -1), axis=0)) > 190, "no image twice"
    assert finish(games.judge("digits", "digits/referee", 7, GO)) is judged, "from memory"
    assert not games.service.device.busy


def test_real_images_that_are_not_at_hand_are_left_out(games, monkeypatch):
    monkeypatch.setattr(games.service, "split", lambda *_: None)
    judged = finish(games.judge("digits", "digits/gan", 3, GO))
    assert judged.real is None and not len(judged.real_scores) and len(judged.fake_scores) == 200
    assert "not at hand" in page.Gan._basis(None, judged)
    assert 'data-gallery="real"' not in page.scores(judged) and 'data-gallery="gan"' in page.scores(judged)


def test_without_the_data_the_shipped_images_are_judged(games, monkeypatch):
    kept = np.random.default_rng(0).integers(0, 256, (48, 1, 8, 8), dtype=np.uint8)
    monkeypatch.setattr(games.service, "split", lambda *_: None)
    monkeypatch.setattr(judging, "shipped", lambda *_: (kept, None))
    judged = finish(games.judge("digits", "digits/gan", 4, GO))
    assert len(judged.real) == len(judged.real_scores) == 48
    assert {image.tobytes() for image in judged.real} == {image.tobytes() for image in kept}
    assert "48 different real test images" in page.Gan._basis(None, judged)
    monkeypatch.setattr(judging, "shipped", lambda *_: (kept[..., :4, :4], None))
    assert finish(games.judge("digits", "digits/gan", 5, GO)).real is None, "of another size"


@pytest.mark.parametrize("seed", ["", "x", "-1", "1.5", None, 2**63])
def test_a_bad_seed_gives_a_sentence(games, seed):
    with pytest.raises(InputError, match=re.escape(shown(seed))):
        finish(games.judge("digits", "digits/gan", seed, GO))


def test_samples_keep_their_seeds_and_follow_the_knob(games):
    full, half = (finish(games.samples("digits", "digits/gan", {"truncation": value}, GO)) for value in (1.0, 0.05))
    assert full.shape == half.shape == (24, 1, 8, 8) and half.std(0).mean() < full.std(0).mean()
    assert finish(games.samples("digits", "digits/gan", {"truncation": 1}, GO)) is full
    with pytest.raises(InputError, match="truncation must be a number"):
        finish(games.samples("digits", "digits/gan", {"truncation": 3}, GO))


def test_who_waits_for_the_device_can_be_sent_away(games):
    stop = threading.Event()
    stop.set()
    with taken(games.service.device), pytest.raises(InputError, match=STOPPED):
        finish(games.samples("digits", "digits/gan", {}, stop))
    assert finish(games.samples("digits", "digits/gan", {}, GO)).shape == (24, 1, 8, 8)


def test_a_family_that_fails_says_so_in_one_sentence(games, monkeypatch):
    monkeypatch.setattr(Referee, "judge", lambda *_: 1 / 0)
    with pytest.raises(InputError, match="digits/referee failed with ZeroDivisionError"):
        finish(games.judge("digits", "digits/referee", 1, GO))
    assert not games.service.device.busy


def test_who_waits_on_the_page_is_told_how_many_are_ahead(games, monkeypatch):
    monkeypatch.setattr(games.service.device, "line_silence", 600.0)  # whoever waits here asks only once
    visitor = mock.Mock(session_hash="visitor")
    with gr.Blocks(), gr.Tabs(), gr.Tab("x"):
        mine = page.Gan(games.service)
    with taken(games.service.device):
        turning = mine.turn(visitor, "digits", "digits/gan", *(control.value for control in mine.knobs.inputs))
        measured = next(turning)
        assert mine.against in measured and mine.over in measured, "what was measured waits for no device"
        assert in_line(Waiting(1)) in next(turning)[mine.samples]["note"]
        judging = mine.judge(visitor, "digits", "digits/gan", 1)
        assert "busy" not in next(judging)[mine.judging] and in_line(Waiting(2)) in next(judging)[mine.judging]
        mine.judgements.leave(visitor)
        assert list(judging) == [], "one that has gone is not painted for"
    *_, updates = turning
    assert updates[mine.samples]["image"], "it goes on when the device is free"


def test_pages_share_one_door(root):
    service = Service()
    assert service.shared(Games) is service.shared(Games)


# ---- what D believes


def test_numbers_of_scores_are_what_they_are_called():
    told = Beliefs("D", "gan", np.array([0.9, 0.6, 0.4, 0.8]), np.array([0.1, 0.7, 0.2, 0.5]))
    assert told.right == (0.75, 0.75) and told.accuracy[0] == 0.75
    assert told.accuracy[1] < 0.75 < told.accuracy[2]
    pairs = [(r, f) for r in told.real for f in told.fake]
    assert told.pairs == pytest.approx(np.mean([r > f for r, f in pairs]))
    assert told.value == pytest.approx(np.log(told.real).mean() + np.log(1 - told.fake).mean())


def test_equal_scores_are_the_equilibrium():
    half = np.full(50, 0.5)
    told = Beliefs("D", "gan", half, half)
    assert told.value == pytest.approx(-math.log(4)) and told.pairs == 0.5 and told.accuracy[0] == 0.5
    assert ("so their JSD is at least", "0.00 of 0.69 nats") in discriminator_scores.figures(told)


def test_certain_scores_stay_finite():
    told = Beliefs("D", "gan", np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    assert math.isfinite(told.value) and "nan" not in discriminator_scores.histograms(told)


def test_the_axis_zooms_in_on_scores_near_one_half():
    near = Beliefs("D", "gan", np.linspace(0.5, 0.58, 40), np.linspace(0.42, 0.5, 40))
    assert discriminator_scores.axis_of(near) == (0.4, 0.6)
    assert "from 0.4 to 0.6 alone" in discriminator_scores.histograms(
        near
    ) and "near 1/2" in discriminator_scores.answer(near)
    assert discriminator_scores.axis_of(Beliefs("D", "gan", np.array([0.9]), np.array([0.1]))) == (0.0, 1.0)


def test_galleries_are_sorted_and_share_no_image():
    scores = np.random.default_rng(0).random(60)
    low, high = discriminator_scores.extremes(scores)
    assert len(low) == len(high) == 12
    assert (np.diff(scores[low]) >= 0).all() and (np.diff(scores[high]) >= 0).all()
    assert scores[low].max() <= np.delete(scores, low).min() and scores[high].min() >= np.delete(scores, high).max()
    low, high = discriminator_scores.extremes(scores[:9])
    assert not set(low) & set(high)
    assert discriminator_scores.gallery("Real", "real", scores, str).count("<img") == 24


# ---- the game


def log(**columns):
    """A log of 100 lines with these constant columns, and a little noise."""
    dice = np.random.default_rng(0)
    noisy = {name: level + 1e-3 * dice.standard_normal(100) for name, level in columns.items()}
    return {"images": 64.0 * np.arange(1, 101), **noisy}


def test_the_bound_is_half_of_v_and_log_4():
    told = " ".join(game_curves.story(log(validation_value=-1.0, validation_d_real=0.7, validation_d_fake=0.3)))
    assert "D is ahead" in told and "D(x) = 0.70 and D(G(z)) = 0.30" in told
    assert f"= {(-1 + math.log(4)) / 2:.2f} nats" in told and "probe" not in told


def test_at_the_equilibrium_no_divergence_is_claimed():
    told = " ".join(game_curves.story(log(validation_value=-math.log(4), validation_d_real=0.5, validation_d_fake=0.5)))
    assert "can only guess" in told and "no lower limit" in told


def test_below_the_equilibrium_g_is_ahead():
    told = " ".join(game_curves.story(log(value=-1.6, d_real=0.4, d_fake=0.5)))
    assert "On the training batches" in told and "G is ahead" in told and "no lower limit" in told


@pytest.mark.parametrize(("rate", "words"), [(0.8, "the critic is ahead"), (0.5, "neither"), (0.3, "G is ahead")])
def test_pairs_say_who_is_ahead(rate, words):
    assert words in game_curves.story(log(win_rate=rate))[0]


def test_charts_follow_the_columns_that_there_are():
    minimax = log(value=-1.3, d_real=0.5, d_fake=0.5, discriminator_loss=1.3)
    assert len(game_curves.cards(minimax, "gan")) == 2, "its loss is V again"
    pairs = log(win_rate=0.7, discriminator_loss=0.6, probe_loss=0.6, validation_value=-0.7)
    assert len(game_curves.cards(pairs, "gan")) == 3 and "the probe&#x27;s" in game_curves.cards(pairs, "gan")[0]
    assert any("a probe's" in words for words in game_curves.story(pairs))
    assert not game_curves.has_game(log(loss=1.0)) and not game_curves.cards(log(loss=1.0), "gan")
    assert not game_curves.has_game({}) and not game_curves.story({})
    assert not game_curves.has_game(log() | {"d_real": np.full((100, 3), 0.5)}), (
        "a column of vectors is none of the game"
    )


def test_the_end_is_the_mean_of_the_last_tenth():
    columns = {"images": np.arange(1.0, 101), "value": np.where(np.arange(100) < 89, 0.0, -1.0)}
    assert game_curves.ending(columns, "value").mean == -1.0
    assert math.isnan(game_curves.ending({"images": np.ones(1), "value": np.ones(1)}, "value").error)


# ---- truncation


@pytest.fixture
def measured():
    kind = FAMILIES["gan"]
    found = invented.rows({"mnist/gan": kind}, {"mnist/gan": "0" * 16})
    order = [knobs_key(resolve_knobs(kind.knobs, point.knobs)) for point in kind.points]
    return join("mnist", found, {"gan": "GAN"}, {"gan": order}, {})


def test_the_sweep_is_of_one_number_of_images(measured):
    found = tradeoff.sweep(measured, "mnist/gan", ["truncation"], {"truncation": 1.0}, "gan")
    assert list(found.values) == sorted(found.values) and len(found.values) >= 6
    assert {point.n for point in found.points} == {2000} and found.baseline.n == 2000
    assert tradeoff.sweep(measured, "mnist/other", ["truncation"], {"truncation": 1.0}, "gan") is None
    assert tradeoff.sweep(measured, "mnist/gan", [], {}, "gan") is None


def test_the_ring_stands_where_the_slider_does(measured):
    found = tradeoff.sweep(measured, "mnist/gan", ["truncation"], {"truncation": 1.0}, "gan")
    on, between, outside = (tradeoff.against(found, value) for value in (0.7, 0.75, 0.1))
    place = found.measured(0.7)
    assert f"precision {tradeoff.words(found.scores('precision')[place])}" in on
    assert "between the measured 0.7 and 0.8" in between and 'data-at="0.75"' in between
    assert "was not measured" in outside and 'class="here"' not in outside
    ends = [found.at("precision", value) for value in (0.7, 0.8)]
    assert found.at("precision", 0.75) == pytest.approx(np.mean(ends))


def test_the_curves_say_all_three_scores_at_both_ends(measured):
    found = tradeoff.sweep(measured, "mnist/gan", ["truncation"], {"truncation": 1.0}, "gan")
    told = tradeoff.over(found, 0.7)
    for metric in ("precision", "coverage", "recall"):
        for end in (0, -1):
            assert tradeoff.words(found.scores(metric)[end]) in told
    assert "Real images against other real ones" in told


def test_a_family_without_a_number_shows_its_samples_alone(games):
    with gr.Blocks(), gr.Tabs(), gr.Tab("x"):
        mine = page.Gan(games.service)
    values, visitor = tuple(control.value for control in mine.knobs.inputs), mock.Mock(session_hash="visitor")
    charts, samples = mine.turn(visitor, "digits", "digits/referee", *values)
    assert samples[mine.samples]["image"].startswith("data:image/png;base64,")
    assert "no setting that is a number" in charts[mine.against] and charts[mine.over] == ""
    charts, _ = mine.turn(visitor, "digits", "digits/gan-minimax", *values)
    assert "python -m gencore evaluate digits/gan-minimax" in charts[mine.against]


def test_logs_without_a_game_and_runs_without_a_log_say_so(games, root):
    with gr.Blocks(), gr.Tabs(), gr.Tab("x"):
        mine = page.Gan(games.service)
    one = games.contestant("digits", "digits/referee")
    with pytest.raises(InputError) as reason:
        runs.log_of(games.service, one.name)
    assert str(reason.value) in mine._game(one) and "no time-lapse" in mine._timelapse(one)["words"]
    (root / "digits" / "referee" / "log.jsonl").write_text(json.dumps({"step": 1, "images": 8, "loss": 1.0}) + "\n")
    assert "has no figures of the game" in mine._game(one)
