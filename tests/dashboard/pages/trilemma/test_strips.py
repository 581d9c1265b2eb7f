"""A point's first images: shipped where they are its own, made where that is quick, else left to be asked for."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from dashboard.pages.trilemma.strips import COLUMNS, IMAGES, PATIENCE, Strips
from dashboard.results.operating_points import join
from dashboard.service import PREVIEW
from gencore.pictures import grid
from tests.support.questions import point


def measured(**knobs_and_times):
    """Points of the toy's checkpoint: by label, their knobs and milliseconds per image."""
    rows = []
    for label, (knobs, ms) in knobs_and_times.items():
        made = point("toy", label, ms, checkpoint="dots/toy", kid=0.01, coverage=0.9)
        for row in made:
            row["knobs"] = knobs
        rows += made
    return {one.label: one for one in join("dots", rows, {"toy": "Toy"}, {}, {}).points}


def pixels(uri):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))))


@pytest.fixture
def knobs(toy_service):
    return {knob.name: knob.default for knob in toy_service.families["toy"].knobs}


def test_quick_points_are_made_once_and_slow_or_foreign_ones_are_not(toy_service, knobs):
    points = measured(quick=(knobs, 1.0), slow=({**knobs, "steps": 2}, PATIENCE / IMAGES + 1))
    strips = Strips(toy_service)
    asked = [points["quick"], points["slow"]]
    *_, found = strips.make("dots", asked)
    assert found[points["slow"].key] == ""
    first = found[points["quick"].key]
    size = toy_service.lane("dots", "toy").size
    assert pixels(first).shape[:2] == (IMAGES // COLUMNS * size, COLUMNS * size)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(toy_service, "run", None)
        assert list(strips.make("dots", asked))[-1] == found, "it is kept"
    assert list(strips.make("elsewhere", [points["quick"]]))[-1] == {points["quick"].key: ""}


def test_the_shipped_images_are_the_default_settings_alone(toy_service, knobs, tmp_path):
    other = {**knobs, next(iter(knobs)): "another"}
    points = measured(usual=(knobs, 1.0), other=(other, 1.0))
    strips = Strips(toy_service)
    assert strips.shipped("dots", points.values()) == {}, "none are shipped"
    size = toy_service.lane("dots", "toy").size
    images = np.random.default_rng(0).integers(0, 255, (PREVIEW["n"], 1, size, size), np.uint8)
    Image.fromarray(grid(images, 6).squeeze()).save(tmp_path / "dots" / "toy" / "preview.png")
    found = strips.shipped("dots", points.values())
    assert list(found) == [points["usual"].key]
    np.testing.assert_array_equal(
        pixels(found[points["usual"].key]).squeeze(), grid(images[:IMAGES], COLUMNS).squeeze()
    )
