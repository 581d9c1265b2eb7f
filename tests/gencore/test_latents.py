"""Walks through latent space: endpoints, lengths, and the spot of a map, against closed forms."""

import pytest
import torch

from gencore.families import FAMILIES
from gencore.families.nets import slerp
from gencore.latents import path, spot, traversal


class Way:
    def __init__(self, interpolation):
        self.interpolation = interpolation


@pytest.mark.parametrize("interpolation", ["linear", "slerp"])
def test_a_path_begins_and_ends_where_it_should(interpolation):
    a, b = torch.randn(3, 4, 4), torch.randn(3, 4, 4)
    walked = path(Way(interpolation), a, b, [0, 0.25, 1])
    assert walked.shape == (3, 3, 4, 4)
    assert torch.allclose(walked[0], a, atol=1e-5) and torch.allclose(walked[2], b, atol=1e-5)


def test_a_straight_path_is_straight_and_a_great_circle_keeps_its_length():
    a, b = torch.randn(64), torch.randn(64)
    b = b / b.norm() * a.norm()
    shares = [i / 10 for i in range(11)]
    straight, circle = path(Way("linear"), a, b, shares), path(Way("slerp"), a, b, shares)
    assert torch.allclose(straight[3], 0.7 * a + 0.3 * b, atol=1e-5)
    assert torch.allclose(circle.norm(dim=1), a.norm().expand(11), rtol=1e-4)
    assert straight[5].norm() < 0.9 * a.norm()
    steps = torch.nn.functional.cosine_similarity(circle[1:], circle[:-1])
    assert torch.allclose(steps, steps[0].expand(10), atol=1e-5), "equal angles for equal shares"


def test_slerp_of_a_latent_with_itself_is_itself():
    a = torch.randn(2, 16)
    assert torch.allclose(slerp(a, a.clone(), 0.3), a, atol=1e-3)


def test_a_traversal_moves_one_dimension_alone():
    z = torch.randn(5)
    walked = traversal(z, 2, [-1.0, 0.0, 2.0])
    assert torch.equal(walked[1], z)
    moved = walked - z
    assert moved[:, [0, 1, 3, 4]].abs().max() == 0 and moved[2, 2] == pytest.approx(2, abs=1e-6)


def test_a_spot_lies_where_the_map_says_and_takes_the_rest_from_its_neighbours():
    generator = torch.Generator().manual_seed(0)
    basis = torch.linalg.qr(torch.randn(6, 6, generator=generator))[0]
    plane, centre = basis[:, :2].T.contiguous(), torch.randn(6, generator=generator)
    places = torch.tensor([[-5.0, 0.0]] * 20 + [[5.0, 0.0]] * 20)
    third = torch.tensor([1.0] * 20 + [-1.0] * 20)
    means = centre + places @ plane + third[:, None] * basis[:, 2]
    found = spot(torch.tensor([-5.0, 0.0]), plane, centre, means, 1.0)
    assert torch.allclose(found, means[0], atol=1e-4)
    between = spot(torch.tensor([0.0, 0.0]), plane, centre, means, 1.0) - centre
    assert torch.allclose(between @ plane.T, torch.zeros(2), atol=1e-5)
    assert (between @ basis[:, 2]).abs() < 1e-4, "as far from the one as from the other: the mean"


@pytest.mark.parametrize("name", FAMILIES)
def test_the_way_of_interpolation_is_known(name):
    assert FAMILIES[name].interpolation in ("linear", "slerp")
