"""Grids and files of pixels, compared with what is read back."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from gencore import pictures
from gencore.errors import InputError


def batch(n, channels=3, height=2, width=4):
    """Images whose every value tells where it belongs."""
    return torch.arange(n * channels * height * width).reshape(n, channels, height, width).to(torch.uint8)


@pytest.mark.parametrize(("n", "columns"), [(1, 1), (2, 2), (3, 2), (4, 2), (5, 3), (16, 4), (17, 5), (100, 10)])
def test_the_squarest_grid_has_the_root_rounded_up(n, columns):
    assert pictures.columns_for(n) == columns


def test_a_grid_goes_row_by_row():
    x = batch(3)
    grid = pictures.grid(x, columns=2)
    assert grid.shape == (4, 8, 3)
    np.testing.assert_array_equal(grid[:2, :4], x[0].permute(1, 2, 0))
    np.testing.assert_array_equal(grid[:2, 4:], x[1].permute(1, 2, 0))
    np.testing.assert_array_equal(grid[2:, :4], x[2].permute(1, 2, 0))
    assert not grid[2:, 4:].any()


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB")])
def test_a_png_gives_the_pixels_back(channels, mode, tmp_path):
    grid = pictures.grid(batch(4, channels))
    pictures.write_png(tmp_path / "x.png", grid)
    picture = Image.open(tmp_path / "x.png")
    assert (picture.format, picture.mode) == ("PNG", mode)
    np.testing.assert_array_equal(np.asarray(picture).reshape(grid.shape), grid)
    assert Image.open(io.BytesIO(pictures.png(grid))).size == picture.size


@pytest.mark.parametrize(("channels", "shape"), [(1, (2, 2, 4)), (3, (2, 2, 4, 3))])
def test_an_array_gives_the_pixels_back(channels, shape, tmp_path):
    x = batch(2, channels)
    pictures.write_npy(tmp_path / "x.npy", x)
    array = np.load(tmp_path / "x.npy")
    assert array.dtype == np.uint8
    assert array.shape == shape
    np.testing.assert_array_equal(array.reshape(2, 2, 4, channels), x.permute(0, 2, 3, 1))


@pytest.mark.parametrize("x", [batch(2).float(), batch(2)[0], batch(2, 2), batch(2)[:0]])
def test_what_is_no_batch_of_images_is_refused(x):
    with pytest.raises(InputError, match="must be uint8 of shape"):
        pictures.grid(x)


def test_a_grid_without_columns_is_refused():
    with pytest.raises(InputError, match="at least 1 column"):
        pictures.grid(batch(2), columns=0)


def read_back(content):
    """Every picture of a GIF, its time in milliseconds, and how often it repeats (0: for ever)."""
    picture = Image.open(io.BytesIO(content))
    frames, times = [], []
    for index in range(picture.n_frames):
        picture.seek(index)
        times.append(picture.info["duration"])
        frames.append(np.asarray(picture.convert("RGB")))
    return frames, times, picture.info["loop"]


def test_a_gif_keeps_every_grey_level_and_rests_on_its_last_picture():
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    frames = [levels, levels.T, 255 - levels]
    back, times, loop = read_back(pictures.gif(frames, 80, scale=3))
    assert (times, loop) == ([80, 80, 80 + pictures.GIF_REST], 0)
    for frame, shown in zip(frames, back, strict=True):
        np.testing.assert_array_equal(shown, np.repeat(np.repeat(frame, 3, 0), 3, 1)[..., None].repeat(3, 2))


def test_a_gif_in_few_colours_keeps_them():
    first = np.zeros((4, 4, 3), np.uint8)
    first[:2], first[2:, :, 1] = (250, 10, 30), 200
    back, _, _ = read_back(pictures.gif([first, first[::-1]], 40))
    np.testing.assert_array_equal(back[0], first)
    np.testing.assert_array_equal(back[1], first[::-1])


@pytest.mark.parametrize(
    ("frames", "options", "words"),
    [
        ([], {}, "at least 1 picture"),
        ([np.zeros((2, 2), np.uint8), np.zeros((2, 3), np.uint8)], {}, "one shape"),
        ([np.zeros((2, 2), float)], {}, "must be uint8"),
        ([np.zeros((2, 2, 2), np.uint8)], {}, "must be uint8"),
        ([np.zeros((2, 2), np.uint8)], {"ms": 5}, "at least 20 ms"),
        ([np.zeros((2, 2), np.uint8)], {"scale": 0}, "scale 1"),
    ],
)
def test_a_gif_of_nothing_sensible_is_refused(frames, options, words):
    with pytest.raises(InputError, match=words):
        pictures.gif(frames, **{"ms": 50, **options})
