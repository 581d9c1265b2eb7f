import inspect

import pytest
import torch

from gencore.comparison import recipes
from gencore.comparison.mirror import flips
from gencore.comparison.recipes import candidates, fitted, nearest_preset, recipe, scaled
from gencore.data import Images, load_splits
from gencore.families import FAMILIES
from gencore.family import smallest_size
from gencore.presets import PRESETS, Run
from tests.gencore.comparison.conftest import shapes


def images(x, labels=None):
    return Images("own", "train", torch.as_tensor(x)[:, None], labels)


@pytest.mark.parametrize("size", range(8, 65, 2))
def test_widths_reach_a_low_resolution_whatever_the_size(size):
    widths = fitted((16, 32, 64), size)
    assert 4 <= smallest_size(size, len(widths)) <= 7
    assert widths[:2] == (16, 32) and list(widths) == sorted(widths)


def test_narrower_widths_are_multiples_of_8():
    assert scaled((16, 64, 128), 0.25) == (8, 16, 32) and scaled((80, 96), 0.5) == (40, 48)
    assert scaled((10, 20), 1.0) == (10, 20), "a preset's own are kept"


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_has_a_preset_for_every_shape_and_what_is_tried_can_be_built(family):
    assert nearest_preset(family, 1, 8) is PRESETS[f"digits/{family}"]
    assert nearest_preset(family, 1, 28).data == "mnist" and nearest_preset(family, 3, 32).data == "cifar10"
    for channels, size in ((1, 10), (3, 18), (3, 64)):
        tried = list(candidates(family, nearest_preset(family, channels, size), size))
        assert len(tried) >= 2 and tried[0] != tried[1]
        narrow = tried[-1]
        assert set(narrow) <= set(inspect.signature(FAMILIES[family].__init__).parameters)
        assert FAMILIES[family](channels=channels, size=size, **narrow).image_shape == (channels, size, size)


def test_a_small_budget_takes_a_narrow_network_only_where_that_is_faster(monkeypatch):
    speeds = {(16, 32): 100.0, (8, 16): 150.0, (8, 8): 400.0}
    monkeypatch.setattr(
        "gencore.comparison.recipes.images_per_s", lambda trainer, _: speeds[trainer.run.model["widths"]]
    )
    splits, run = (
        load_splits("digits"),
        Run("", "digits", {}, {"dtype": "float32", "layout": "contiguous", "threads": 1}),
    )

    def widths(seconds):
        return recipe("vae", run, splits, seconds).run.model["widths"]

    assert widths(500) == (16, 32), "50,000 images, half the preset's"
    assert widths(334) == (8, 16) and widths(126) == (8, 8)
    assert widths(1) == (8, 8), "too short for any: the widest that is about as fast as the fastest"
    speeds[8, 8] = 120.0
    speeds[8, 16] = 110.0
    made = recipe("vae", run, splits, 1)
    assert made.run.model["widths"] == (16, 32), "narrowing would gain too little"
    assert made.run.config.images == 100 and made.run.config.warmup == 3 and made.run.config.ema_halflife == 64


def test_few_images_that_are_shown_often_are_augmented_where_there_is_a_discriminator(monkeypatch):
    """1,350 images at 100 a second: after 1,350 s each was shown 100 times."""
    monkeypatch.setattr(recipes, "images_per_s", lambda *_: 100.0)
    splits = load_splits("digits")
    run = Run("", "digits", {}, {"dtype": "float32", "layout": "contiguous", "threads": 1})
    soon, late = (recipe("gan", run, splits, seconds) for seconds in (1349, 1351))
    assert soon.run.model["augment"] == 0.0 and late.run.model["augment"] == recipes.AUGMENTED
    assert "changed at random" in late.reasons[-1] and "changed at random" not in "".join(soon.reasons)
    assert "augment" not in recipe("vae", run, splits, 1351).run.model
    monkeypatch.setattr(recipes, "FEW", 1350)
    assert "augment" not in recipe("gan", run, splits, 1351).run.model, "of many images, what the preset says"


def test_digits_are_not_mirrored_and_shapes_are():
    digits = load_splits("digits")["train"]
    assert flips(digits)[0] is False and "farther from all others" in flips(digits)[1]
    some, others = torch.as_tensor(shapes(300, 8)), torch.as_tensor(shapes(300, 8, seed=1)).flip(2)
    both = images(torch.cat([some, others])[torch.randperm(600, generator=torch.manual_seed(0))])
    assert flips(both)[0] is True and "by chance 50%" in flips(both)[1]


def test_images_whose_mirror_image_is_of_another_class_are_not_mirrored():
    """Bright on the left is one class, on the right the other: mirrored, all are as usual, and of the other class."""
    x = torch.zeros(400, 8, 8, dtype=torch.uint8)
    generator = torch.manual_seed(0)
    labels = torch.arange(400) % 2
    noise = torch.randint(150, 256, (400, 8, 4), generator=generator, dtype=torch.uint8)
    for image, label, bright in zip(x, labels, noise, strict=True):
        image[:, 4 * int(label) : 4 * int(label) + 4] = bright
    assert flips(images(x))[0] is True, "without labels no one can tell"
    found, why = flips(images(x, labels))
    assert found is False and "look like another class" in why
