"""The U-Net's own forward pass gives what that of diffusers does, whatever its weights have been through."""

import copy

import diffusers
import pytest
import torch
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from gencore.families.ddpm import DDPM
from gencore.families.unet import UNet, _plain, widened

SIZE = 8
ATTENTIVE = {
    "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
    "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
    "downsample_padding": 0,
    "layers_per_block": 2,
}  # what pipelines of elsewhere have
STRANGE = {"resnet_time_scale_shift": "scale_shift"}  # what the forward pass does not know


@pytest.fixture(params=[{}, ATTENTIVE, {"add_attention": False}, STRANGE], ids=["own", "attentive", "no", "strange"])
def unet(request):
    torch.manual_seed(0)
    given = {
        "sample_size": SIZE, "in_channels": 3, "out_channels": 3, "block_out_channels": (16, 32), "norm_num_groups": 8,
        "layers_per_block": 1, "attention_head_dim": 8, "down_block_types": ("DownBlock2D",) * 2,
        "up_block_types": ("UpBlock2D",) * 2,
    } | request.param  # fmt: skip
    made = UNet(**given).eval()
    with torch.no_grad():
        for value in made.parameters():
            value.add_(0.05 * torch.randn_like(value))  # no layer starts at zero, and none hides another
    assert _plain(made) == (request.param is not STRANGE)
    return made


def of_diffusers(unet, x, t):
    return diffusers.UNet2DModel.forward(unet, x, t).sample


def inputs(count=3, layout=torch.contiguous_format):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(count, 3, SIZE, SIZE, generator=generator).contiguous(memory_format=layout)
    return x, torch.tensor([3, 500, 999])[:count]


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last], ids=["contiguous", "channels_last"])
def test_images_are_those_of_diffusers(unet, layout):
    unet.to(memory_format=layout)
    x, t = inputs(layout=layout)
    with torch.no_grad():
        torch.testing.assert_close(unet(x, t).sample, of_diffusers(unet, x, t), atol=1e-5, rtol=1e-5)
        one = torch.full((len(x),), 500)
        torch.testing.assert_close(unet(x, one[:1]).sample, of_diffusers(unet, x, one), atol=1e-5, rtol=1e-5)


def test_gradients_are_those_of_diffusers(unet):
    x, t = inputs()
    x.requires_grad_()
    mine, theirs = (
        torch.autograd.grad(call(x, t).square().sum(), [x, *unet.parameters()])
        for call in (lambda x, t: unet(x, t).sample, lambda x, t: of_diffusers(unet, x, t))
    )
    torch.testing.assert_close(mine, theirs, atol=1e-3, rtol=1e-4)


def test_in_bfloat16_it_is_as_near_to_float32_as_diffusers(unet):
    x, t = inputs()
    with torch.no_grad():
        exact = of_diffusers(unet, x, t)
        with torch.autocast("cpu", torch.bfloat16):
            mine, theirs = ((call - exact).square().mean() for call in (unet(x, t).sample, of_diffusers(unet, x, t)))
    assert mine < 1.5 * theirs


def test_weights_that_change_are_heard_of(unet):
    x, t = inputs()
    with torch.no_grad():
        before = unet(x, t).sample
        twin = copy.deepcopy(unet)
        for change in (
            lambda: torch._foreach_mul_(list(unet.parameters()), 1.1),
            lambda: unet.load_state_dict({name: 0.9 * value for name, value in unet.state_dict().items()}),
            lambda: setattr(unet.conv_in, "weight", torch.nn.Parameter(2 * unet.conv_in.weight)),
            lambda: unet.to(memory_format=torch.channels_last),
        ):
            change()
            torch.testing.assert_close(unet(x, t).sample, of_diffusers(unet, x, t), atol=1e-5, rtol=1e-5)
        assert torch.equal(twin(x, t).sample, before)
    optimizer = torch.optim.Adam(unet.parameters(), 0.1)
    unet(x, t).sample.sum().backward()
    optimizer.step()
    with torch.no_grad():
        torch.testing.assert_close(unet(x, t).sample, of_diffusers(unet, x, t), atol=1e-5, rtol=1e-5)


def test_other_batches_and_where_nothing_can_be_packed(unet, monkeypatch):
    with torch.no_grad():
        packed = [unet(*inputs(count)).sample for count in (3, 1, 3)]
        assert torch.equal(packed[0], packed[2])
        monkeypatch.setattr("gencore.families.unet.packs", lambda *_: False)
        torch.testing.assert_close(copy.deepcopy(unet)(*inputs()).sample, packed[0], atol=1e-5, rtol=1e-5)


def test_operations_are_counted_packed_or_not(monkeypatch):
    counts = []
    for packed in (True, False):
        monkeypatch.setattr("gencore.families.unet.packs", lambda *_, packed=packed: packed)
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            DDPM(channels=3, size=SIZE, widths=(8, 16)).predict(*inputs())
        counts.append(counter.get_total_flops())
    assert counts[0] == counts[1] > 1e6


def test_a_widened_kernel_is_upsampling_and_a_convolution():
    x, weight = torch.randn(2, 5, 7, 7, dtype=torch.float64), torch.randn(4, 5, 3, 3, dtype=torch.float64)
    wanted = F.conv2d(F.interpolate(x, scale_factor=2.0), weight, padding=1)
    torch.testing.assert_close(F.conv_transpose2d(x, widened(weight), stride=2, padding=1), wanted)


def test_a_pipeline_has_diffusers_own_network_and_these_weights():
    model = DDPM(size=SIZE, widths=(8, 16))
    network = model.pipeline().unet
    assert type(network) is diffusers.UNet2DModel
    for name, value in model.unet.state_dict().items():
        assert network.state_dict()[name].data_ptr() == value.data_ptr(), name
