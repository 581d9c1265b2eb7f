"""`shapes`: what is drawn, and that it can be read again from the pictures alone."""

import hashlib
import math

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter
from scipy.stats import kstest

from gencore.data import View, at_hand, class_names, image_shape, load_images, load_splits, report
from gencore.data.shapes import row_order
from gencore.shapes import draw, is_shape, parameters, read
from gencore.shapes.factors import (
    CENTRE,
    COLOUR,
    COLOURS,
    CORNERS,
    EXTENT,
    GROUND,
    MODE_SHARES,
    MODES,
    PERIODS,
    ROTATION,
    SHAPE,
    SHAPES,
    SIZE,
    X,
    Y,
    modes_of,
)
from gencore.shapes.reading import ERROR


def pictures(rows, size=32):
    return draw(rows, size).transpose(0, 3, 1, 2)


def misread(rows, found):
    """Return how far readings are from parameters: in pixels of 32 (N, 3), and in radians (N,)."""
    periods = PERIODS[rows[:, SHAPE].astype(int)]
    turn = np.abs(found[:, ROTATION] - rows[:, ROTATION])
    turn = np.where(np.isfinite(periods), np.minimum(turn, np.where(np.isfinite(periods), periods, 0) - turn), 0)
    return np.abs(found[:, X:ROTATION] - rows[:, X:ROTATION]) * 32, np.abs(turn)


@pytest.fixture(scope="module")
def test_rows():
    return parameters("test")


def test_the_parameters_are_distributed_as_the_documentation_says():
    rows = parameters("train")
    assert len(rows) == 50_000 and np.array_equal(rows, parameters("train"))
    shares = np.bincount(modes_of(rows), minlength=len(MODES)) / len(rows)
    sd = np.sqrt(MODE_SHARES * (1 - MODE_SHARES) / len(rows))
    assert MODE_SHARES.sum() == pytest.approx(1) and (np.abs(shares - MODE_SHARES) < 4 * sd).all()
    assert min(share for _, share in COLOURS.values()) == 1 / 200
    for column, (low, high) in ((X, CENTRE), (Y, CENTRE), (EXTENT, SIZE)):
        assert kstest(rows[:, column], "uniform", (low, high - low)).pvalue > 0.001
    for index in np.flatnonzero(CORNERS):
        turned = rows[rows[:, SHAPE] == index, ROTATION]
        assert kstest(turned, "uniform", (0, PERIODS[index])).pvalue > 0.001
    assert not rows[rows[:, SHAPE] == 0, ROTATION].any()
    reach = rows[:, EXTENT, None]
    assert (rows[:, X : Y + 1] - reach > 0).all() and (rows[:, X : Y + 1] + reach < 1).all()


def test_it_is_a_data_set_like_others():
    splits = load_splits("shapes")
    assert {split: tuple(one.x.shape) for split, one in splits.items()} == {
        "train": (50_000, 3, 32, 32), "validation": (5_000, 3, 32, 32), "test": (5_000, 3, 32, 32),
    }  # fmt: skip
    assert at_hand("shapes") and image_shape("shapes") == (3, 32)
    rows = parameters("test")[row_order("test")]
    assert np.array_equal(splits["test"].labels.numpy(), modes_of(rows))
    assert np.array_equal(splits["test"].x[:50].numpy(), pictures(rows[:50]))
    # The same pixels on every machine: what is trained on one is no other data set on the next.
    assert hashlib.sha256(splits["test"].x.numpy().tobytes()).hexdigest()[:16] == "3c14f503a0eba1b6"


def test_every_size_is_drawn_and_not_resized():
    rows = parameters("test")[row_order("test")]
    for size in (8, 64):
        found = load_images("shapes", "test", size).x
        assert np.array_equal(found[:20].numpy(), pictures(rows[:20], size))
    assert load_images("shapes", "test", 4).x.shape == (5_000, 3, 4, 4)  # smaller than anything can be told in


def test_the_report_names_the_modes():
    lines = list(report("shapes", View(size=8)).lines())
    assert "red circle 6," in lines[0] and not any("Leak" in line for line in lines)


@pytest.mark.parametrize("index", range(3))
def test_a_drawing_is_what_pillow_draws_eight_times_as_large_and_averages(index):
    rows = parameters("test")
    rows = rows[rows[:, SHAPE] == index][:40]
    for row, found in zip(rows, draw(rows, 32), strict=True):
        zoom = 8
        large = Image.new("RGB", (32 * zoom,) * 2, GROUND)
        corners = int(CORNERS[index]) or 90
        first = row[ROTATION] + math.pi / corners  # the rotation is that of a side; corners lie between two
        angles = [first + 2 * math.pi * corner / corners for corner in range(corners)]
        side = 32 * zoom
        outline = [
            (side * (row[X] + row[EXTENT] * math.cos(a)) - 0.5, side * (row[Y] + row[EXTENT] * math.sin(a)) - 0.5)
            for a in angles
        ]
        ImageDraw.Draw(large).polygon(outline, fill=list(COLOURS.values())[int(row[COLOUR])][0])
        wanted = np.asarray(large.resize((32, 32), Image.Resampling.BOX)).astype(float)
        assert np.abs(wanted - found).mean() < 1.2 and np.abs(wanted - found).max() < 90


def test_real_pictures_are_read_as_what_they_were_drawn_from(test_rows):
    """The errors that docs/data.md states, and never more, where 99.5% are asked for."""
    found = read(pictures(test_rows))
    assert np.array_equal(found[:, [SHAPE, COLOUR]], test_rows[:, [SHAPE, COLOUR]])
    assert is_shape(found).all()
    pixels, turn = misread(test_rows, found)
    assert pixels.max() < 0.005 and np.rad2deg(turn.max()) < 0.1 and found[:, ERROR].max() < 1e-4


@pytest.mark.parametrize("size", [16, 64])
def test_other_sizes_are_read_too(test_rows, size):
    rows = test_rows[:300]
    found = read(pictures(rows, size))
    assert (is_shape(found) & (found[:, SHAPE] == rows[:, SHAPE])).mean() > 0.995
    assert np.quantile(misread(rows, found)[0], 0.995) < 0.2


def test_a_little_grain_and_paleness_are_forgiven(test_rows):
    rows, rng = test_rows[:500], np.random.default_rng(0)
    real = pictures(rows).astype(float)
    ground = np.array(GROUND)[:, None, None]
    for changed in (real + rng.normal(0, 4, real.shape), ground + 0.95 * (real - ground)):
        found = read(changed.round().clip(0, 255).astype(np.uint8))
        assert is_shape(found).mean() > 0.995 and (found[:, SHAPE] == rows[:, SHAPE]).mean() > 0.995
        assert np.quantile(misread(rows, found)[0], 0.995) < 0.35


def ruined(rows):
    """Yield what is no shape any more, by name, uint8 (N, 3, 32, 32)."""
    real, rng = pictures(rows).astype(float), np.random.default_rng(1)
    middles = (rows[:, [X, Y]] * 32).astype(int)
    yield "blur", gaussian_filter(real, (0, 0, 1, 1), mode="nearest")
    yield "grain", real + rng.normal(0, 16, real.shape)
    yield "noise", rng.integers(0, 256, real.shape)
    yield "nothing", np.broadcast_to(np.array(GROUND)[:, None, None], real.shape)
    yield "two at once", (real + np.roll(real, 1, 0)) / 2
    holes = real.copy()
    for picture, (x, y) in zip(holes, middles, strict=True):
        picture[:, y - 1 : y + 2, x - 1 : x + 2] = np.array(GROUND)[:, None, None]
    yield "a hole", holes
    split = real.copy()
    for picture, (x, _) in zip(split, middles, strict=True):
        picture[:, :, x : x + 2] = np.array(GROUND)[:, None, None]
    yield "broken in two", split
    other = np.roll(real, 1, 0)
    apart = (np.abs(other - real).sum((1, 2, 3)) > 0)[:, None, None, None]
    yield "merged", np.where(apart, np.minimum(real, np.roll(real, 12, 3)), 0)
    yield "wrong colour", real[:, [1, 2, 0]]


def test_blur_noise_and_what_is_merged_or_broken_is_no_shape(test_rows):
    for name, images in ruined(test_rows[:300]):
        found = read(np.round(images).clip(0, 255).astype(np.uint8))
        assert is_shape(found).mean() < 0.005, name


def test_no_pictures_are_no_readings():
    assert read(np.empty((0, 3, 32, 32), np.uint8)).shape == (0, 7)
    assert isinstance(torch.from_numpy(read(pictures(parameters("test")[:1]))), torch.Tensor)


def test_the_classes_are_called_by_their_modes():
    rows, labels = parameters("test")[row_order("test")], load_images("shapes", "test").labels
    named = class_names("shapes")
    for row, label in zip(rows[:50], labels[:50], strict=True):
        assert named[label] == f"{[*COLOURS][int(row[COLOUR])]} {[*SHAPES][int(row[SHAPE])]}"
    assert class_names("digits") == class_names("mnist") == ()
