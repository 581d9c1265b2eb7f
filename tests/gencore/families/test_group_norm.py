"""GroupNorm and SiLU with the channel innermost give what torch's own do in float64, there and back."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gencore.families import group_norm
from gencore.families.unet import Live

GROUPS, BITS = 8, 2**-8  # bfloat16 keeps 8 bits
SHAPES = [(128, 32, 8, 8), (170, 32, 7, 7), (32, 32, 16, 16), (8, 32, 32, 32), (128, 96, 5, 5)]


def maps(shape, mean=0.0, dtype=torch.bfloat16):
    generator = torch.Generator().manual_seed(0)
    x = mean + torch.randn(shape, generator=generator) * torch.linspace(0.2, 3, shape[1])[:, None, None]
    return x.to(dtype).contiguous(memory_format=torch.channels_last)


def layer_of(channels):
    torch.manual_seed(1)
    layer = nn.GroupNorm(GROUPS, channels)
    with torch.no_grad():
        layer.weight.normal_()
        layer.bias.normal_()
    return layer


def apart(found, expected):
    """The root mean square difference, as a share of the expected root mean square."""
    return ((found.double() - expected).square().mean().sqrt() / expected.square().mean().sqrt()).item()


def graded(function, layer, x, gradient):
    """What a function returns, and the gradients of x, weight and bias."""
    layer.zero_grad()
    x = x.detach().requires_grad_()
    y = function(layer, x)
    y.backward(gradient.to(y.dtype))
    return [y.detach(), x.grad, layer.weight.grad.clone(), layer.bias.grad.clone()]


@pytest.mark.parametrize("mean", [0.0, 3.0, -20.0])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_they_are_torchs_in_float64_there_and_back(shape, mean):
    x, layer = maps(shape, mean), layer_of(shape[1])
    assert group_norm.suits(x)
    gradient = torch.randn(shape, generator=torch.Generator().manual_seed(2)).bfloat16()
    found = graded(group_norm.activate, layer, x, gradient)
    true = graded(lambda own, x: F.silu(own(x)), layer_of(shape[1]).double(), x.double(), gradient.double())
    torchs = graded(lambda own, x: F.silu(F.group_norm(x, GROUPS, own.weight, own.bias)), layer, x, gradient)
    for mine, other, expected in zip(found, torchs, true, strict=True):
        assert apart(mine, expected) < max(2 * apart(other, expected), 2 * BITS)
    with torch.no_grad():
        assert apart(F.silu(group_norm.normalise(layer, x)), true[0]) < 2 * BITS
    assert found[0].is_contiguous(memory_format=torch.channels_last)
    assert found[1].is_contiguous(memory_format=torch.channels_last)


def test_a_map_without_variance_is_its_bias():
    layer = layer_of(32)
    flat = torch.full((128, 32, 8, 8), 3.0).bfloat16().contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        found = group_norm.normalise(layer, flat).float()
    assert torch.isfinite(found).all()
    torch.testing.assert_close(found, layer.bias.detach()[:, None, None].expand_as(found), atol=0.15, rtol=0.05)


def test_what_comes_of_an_image_does_not_depend_on_those_beside_it():
    near, layer = maps((128, 32, 8, 8)), layer_of(32)
    mixed = near.clone(memory_format=torch.preserve_format)
    mixed[0] += 50
    with torch.no_grad():
        alone, beside = (group_norm.normalise(layer, x) for x in (near, mixed))
    assert torch.equal(alone[1:], beside[1:]) and torch.isfinite(beside).all()
    gradient = torch.ones_like(near)
    alone, beside = (graded(group_norm.activate, layer, x, gradient)[1] for x in (near, mixed))
    assert torch.equal(alone[1:], beside[1:])


def test_float16_is_left_to_torch_whose_sums_do_not_overflow():
    assert not group_norm.suits(300 * maps((128, 32, 8, 8), dtype=torch.float16))


def test_they_are_for_many_16_bit_numbers_with_the_channel_innermost():
    x = maps((128, 32, 8, 8))
    assert group_norm.suits(x) and group_norm.is_slow(x)
    assert not group_norm.suits(x.contiguous()), "torch's own is quick there"
    assert not group_norm.suits(x.float()) and not group_norm.is_slow(x.float()), "as it is in float32"
    assert not group_norm.suits(x[:64]), "the calls would take longer than the work"
    assert not group_norm.is_slow(maps((8, 32, 32, 32)))


def test_plain_attention_is_torchs_there_and_back():
    generator = torch.Generator().manual_seed(0)
    parts = [torch.randn(4, 3, 49, 32, generator=generator) for _ in range(3)]

    def seen(function, dtype):
        given = [part.to(dtype).requires_grad_() for part in parts]
        out = function(*given)
        out.backward(torch.ones_like(out))
        return [out.detach(), *(part.grad for part in given)]

    true = seen(F.scaled_dot_product_attention, torch.float64)
    for mine, other, expected in zip(
        seen(Live().look, torch.bfloat16), seen(F.scaled_dot_product_attention, torch.bfloat16), true, strict=True
    ):
        assert apart(mine, expected) < max(2 * apart(other, expected), 3 * BITS)
    exact = [part.float() for part in parts]
    assert torch.equal(Live().look(*exact), F.scaled_dot_product_attention(*exact)), (
        "in float32 torch's own is as quick"
    )
