"""How well each extractor sees: the section's words, its table and its chart, from an invented record."""

import copy
import re

import numpy as np
import pytest
from PIL import Image

from dashboard.pages.failures import engine, sight_figures
from gencore.evaluation import ladder

RECORD = {
    "ladder": 1, "dataset": "dots", "n": 1000, "blocks": 5, "seed": 0, "date": "2026-11-28", "default": "random",
    "hashes": {"pixels": "1a", "random": "2b"},
    "ladders": [
        {"key": "blur", "title": "Blur", "about": "Each <image> is blurred.", "strengths": [1, 2, 3],
         "steps": ["σ = 1", "σ = 2", "σ = 3"]},
        {"key": "noise", "title": "Noise", "about": "It is added.", "strengths": [1, 2, 3], "steps": ["a", "b", "c"]},
    ],
    "extractors": {
        "pixels": {
            "in_order": 1, "of": 2, "first": 2.5, "undegraded": {"kid": {"mean": 0.1, "low": 0.0, "high": 0.2}},
            "ladders": {
                "blur": {"kid": {"means": [0.05, 0.1, 0.15], "tau": 1, "first": None}},
                "noise": {"kid": {"means": [0.3, 0.2, 1.1], "tau": -0.2, "first": 1}},
            },
        },
        "random": {
            "in_order": 2, "of": 2, "first": 1.5, "undegraded": {"kid": {"mean": 0.0, "low": -0.2, "high": 0.2}},
            "ladders": {
                "blur": {"kid": {"means": [0.1, 0.4, 2.0], "tau": 1, "first": 2}},
                "noise": {"kid": {"means": [0.4, 0.6, 0.8], "tau": 1, "first": 1}},
            },
        },
    },
}  # fmt: skip


def text(markup):
    return " ".join(re.sub(r"<[^>]+>", " ", markup).split())


def test_the_section_says_which_sees_best_and_every_verdict():
    markup = sight_figures.section(RECORD, ["data:image/png;base64,AA", "data:image/png;base64,BB"], "")
    words = text(markup)
    assert "The random features do best: 2 of 2 ladders in order, noticed at step 1.5" in words
    rows = re.findall(r"<tr>.*?</tr>", markup)
    assert [text(row).count("step") for row in rows] == [0, 1, 2, 2]
    assert "never in order step 2 in order" in text(rows[1]) and "step 1 τ = −0.20 step 1 in order" in text(rows[2])
    assert "1 of 2 in order first at step 2.5 2 of 2 in order first at step 1.5" in text(rows[3])
    assert markup.count("the default") == 2 and "<image>" not in markup
    assert re.findall(r'src="([^"]+)" alt="(\w+): real, then', markup) == [
        ("data:image/png;base64,AA", "Blur"), ("data:image/png;base64,BB", "Noise"),
    ]  # fmt: skip


def test_what_the_default_is_blind_to_is_said():
    record = copy.deepcopy(RECORD)
    record["extractors"]["random"]["ladders"]["noise"]["kid"]["first"] = None
    assert "Never noticed: Noise." in sight_figures.answer(record)


def test_without_a_record_the_command_and_without_strips_no_images():
    assert "python -m gencore ladder dots" in sight_figures.section({}, (), "python -m gencore ladder dots")
    markup = sight_figures.section(RECORD, (), "They have changed.")
    assert "<img" not in markup and '<p class="problem">They have changed.</p>' in markup


def test_the_chart_is_in_units_of_what_is_noticed():
    pixels, random = sight_figures.curves(RECORD, "blur")
    assert pixels.y.tolist() == pytest.approx([0.1, 0.1, 0.1, 0.5]), "(0.15 - 0.1) / 0.1; what is lower is at 0.1"
    assert random.y.tolist() == pytest.approx([0.1, 0.5, 2, 10]) and random.dashed and not pixels.dashed
    markup = sight_figures.chart(RECORD, "blur")
    assert markup.count("<svg") == 2 and "noticed above" in markup and "stroke-dasharray:7 4" in markup
    assert sight_figures.chart(RECORD, "gone") == ""


class TestEngine:
    class Service:
        def datasets(self):
            return ["dots"]

    def test_a_data_set_that_has_none(self, tmp_path, monkeypatch):
        monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path))
        found = engine.sights(self.Service(), "dots")
        assert found.record == {} and "python -m gencore ladder dots" in found.problem
        assert engine.sights(self.Service(), "../dots").problem == ""

    def test_strips_are_cut_and_paths_stay_at_home(self, tmp_path, monkeypatch):
        monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path))
        picture = np.zeros((8, 20, 1), np.uint8)
        picture[4:] = 255
        _, file = ladder.write_ladder(RECORD, picture, tmp_path)
        found = engine.sights(self.Service(), "dots")
        assert found.record == RECORD and len(set(found.strips)) == 2 and found.problem == ""
        assert all(strip.startswith("data:image/png;base64,") for strip in found.strips)
        Image.fromarray(picture[:7, :, 0]).save(file.with_name(ladder.PICTURE))
        assert engine.sights(self.Service(), "dots").strips == (), "seven rows of pixels are no two strips"
        file.write_text("{}")
        broken = engine.sights(self.Service(), "dots")
        assert broken.record == {} and "damaged" in broken.problem and str(tmp_path) not in broken.problem
