"""Folders of small images, and comparisons of them that take seconds."""

import os

import numpy as np
import pytest
from PIL import Image

from gencore.extractors import EXTRACTORS
from gencore.presets import PRESETS
from tests.support.tiny_compare import shorten


def shapes(n, size=8, channels=1, seed=0):
    """n images of a bright rectangle on a dark ground, uint8 (n, size, size) or (n, size, size, channels)."""
    rng = np.random.default_rng(seed)
    x = np.full((n, size, size, channels), 20, np.uint8)
    for image in x:
        top, left = rng.integers(0, size // 2, 2)
        high, wide = rng.integers(2, size // 2 + 1, 2)
        image[top : top + high, left : left + wide] = rng.integers(150, 256, channels)
    return x[..., 0] if channels == 1 else x


def save_shapes(folder, n=200, **options):
    folder.mkdir(parents=True)
    for i, values in enumerate(shapes(n, **options)):
        Image.fromarray(values).save(folder / f"{i:04}.png")
    return folder


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working directory with roots of checkpoints of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GENCORE_CHECKPOINTS", os.pathsep.join([str(tmp_path / "shipped"), str(tmp_path / "runs")]))
    return tmp_path


@pytest.fixture
def short(monkeypatch):
    """Everything that takes long made short, in this process."""
    extractors, presets = dict(EXTRACTORS), dict(PRESETS)
    shorten(monkeypatch.setattr)
    yield
    for registry, before in ((EXTRACTORS, extractors), (PRESETS, presets)):
        registry.clear()
        registry.update(before)
