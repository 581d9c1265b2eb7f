"""Differentiable augmentation: what it does to images whose changes can be told, and to gradients."""

import pytest
import torch

from gencore.errors import InputError
from gencore.families.augment import HOLE, SHIFT, augment, colour, cut, shift
from gencore.families.gan import GAN


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.mark.parametrize("shape", [(6, 3, 32, 32), (6, 1, 28, 28), (6, 1, 7, 7), (1, 3, 16, 16)])
def test_images_keep_their_shape_and_each_is_changed_in_its_own_way(shape):
    x = torch.rand(1, *shape[1:]).expand(shape) * 2 - 1
    changed = augment(x)
    assert changed.shape == x.shape and changed.dtype == x.dtype and torch.isfinite(changed).all()
    assert len({tuple(image.flatten().tolist()) for image in changed}) == len(x)
    torch.manual_seed(0)
    assert torch.equal(augment(torch.rand(1, *shape[1:]).expand(shape) * 2 - 1), changed), "the seed is all"


def test_a_shift_moves_whole_images_by_whole_pixels_and_lets_zeros_in():
    x = torch.rand(200, 2, 16, 16) + 1
    moved, most, seen = shift(x), int(16 * SHIFT + 0.5), set()
    for before, after in zip(x, moved, strict=True):
        fitting = [
            (down, across)
            for down in range(-most, most + 1)
            for across in range(-most, most + 1)
            if torch.equal(after, slid(before, down, across))
        ]
        assert len(fitting) == 1
        seen.add(fitting[0])
    assert len(seen) == (2 * most + 1) ** 2, "every shift occurs"


def slid(image, down, across):
    """An image whose pixel (i, j) is the old one's (i + down, j + across), 0 where there was none."""
    padded = torch.nn.functional.pad(image, (4, 4, 4, 4))
    height, width = image.shape[1:]
    return padded[:, 4 + down : 4 + down + height, 4 + across : 4 + across + width]


def test_a_hole_is_a_square_of_zeros_that_may_lie_over_the_edge():
    x = torch.ones(300, 1, 16, 16)
    holes = 1 - cut(x)
    side = int(16 * HOLE + 0.5)
    heights, widths = holes.amax(3).sum((1, 2)), holes.amax(2).sum((1, 2))
    assert torch.equal(holes.sum((1, 2, 3)), heights * widths), "a rectangle"
    assert heights.max() == widths.max() == side and heights.min() >= side // 2


def test_colour_changes_brightness_saturation_and_contrast_within_their_ranges():
    x = torch.rand(500, 3, 8, 8) * 2 - 1
    changed = colour(x)
    moved = changed.mean((1, 2, 3)) - x.mean((1, 2, 3))
    assert moved.abs().max() <= 0.5 + 1e-5 and moved.min() < -0.4 and moved.max() > 0.4
    grey, was = changed.mean(1), x.mean(1)
    contrast = (grey - grey.mean((1, 2), keepdim=True)).std((1, 2)) / (was - was.mean((1, 2), keepdim=True)).std((1, 2))
    assert 0.5 - 1e-4 <= contrast.min() < 0.6 and 1.4 < contrast.max() <= 1.5 + 1e-4
    tint = (changed - changed.mean(1, keepdim=True)).std((1, 2, 3)) / (x - x.mean(1, keepdim=True)).std((1, 2, 3))
    saturation = tint / contrast
    assert saturation.min() < 0.1 and 1.9 < saturation.max() <= 2 + 1e-4
    plain = torch.rand(4, 1, 8, 8)
    assert torch.allclose(colour(plain).diff(dim=3) / plain.diff(dim=3), torch.ones(1), atol=0.51), "grey has no tint"


def test_gradients_pass_through_to_every_pixel_that_is_seen():
    x = torch.zeros(8, 3, 16, 16, requires_grad=True)
    augment(x).sum().backward()
    assert torch.isfinite(x.grad).all() and (x.grad.flatten(1).abs().sum(1) > 0).all()


@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
def test_so_many_images_are_changed_and_the_others_are_the_very_same(probability):
    """The share is binomial: within four standard deviations of the probability."""
    x = torch.rand(4000, 1, 8, 8, requires_grad=True)
    changed = augment(x, probability)
    same = (changed == x).flatten(1).all(1)
    room = 4 * (probability * (1 - probability) / len(x)) ** 0.5
    assert abs(1 - same.float().mean().item() - probability) <= room
    changed.sum().backward()
    assert torch.equal(x.grad[same], torch.ones_like(x.grad[same])), "the gradient of what stays is 1"
    assert probability in (0, 1) or (x.grad[~same] != 1).any()


def test_a_probability_of_1_draws_what_it_did_before_there_was_one():
    x = torch.rand(8, 3, 16, 16)
    torch.manual_seed(1)
    whole = cut(shift(colour(x)))
    torch.manual_seed(1)
    assert torch.equal(augment(x), whole)


@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan")])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(InputError, match="augment is a share from 0 to 1"):
        GAN(size=8, widths=(8, 16), augment=share)


def test_the_discriminator_sees_augmented_images_alone_and_the_probe_never_does(monkeypatch):
    shown = []
    monkeypatch.setattr("gencore.families.gan.augment", lambda x, _: (shown.append(x), torch.zeros_like(x))[1])
    model = GAN(channels=3, size=8, widths=(8, 16), probe_widths=(4, 8), latent=8, augment=True)
    seen = {"discriminator": [], "probe": []}
    for name, kept in seen.items():
        model.networks[name].register_forward_pre_hook(lambda _, inputs, kept=kept: kept.append(inputs[0].detach()))
    x = torch.rand(4, 3, 8, 8)
    list(model.losses(x))
    assert len(shown) == 4 and all(not images.any() for images in seen["discriminator"])
    assert torch.equal(seen["probe"][0], x) and all(images.any() for images in seen["probe"])
