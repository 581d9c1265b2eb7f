import pytest
import torch

from gencore.families.nets import Decoder, Encoder, cropped, padded


@pytest.mark.parametrize(
    ("size", "resolutions", "side"), [(30, 3, 32), (10, 3, 12), (18, 2, 18), (9, 4, 16), (28, 3, 28)]
)
def test_a_margin_makes_a_side_that_can_be_halved_and_comes_off_again(size, resolutions, side):
    x = torch.randn(2, 3, size, size)
    wide = padded(x, resolutions)
    assert wide.shape == (2, 3, side, side) and torch.equal(cropped(wide, size), x)
    assert wide.abs().sum() == pytest.approx(x.abs().sum().item()), "the margin is 0"
    margin = (side - size) // 2
    assert torch.equal(wide[..., margin : margin + size, margin : margin + size], x), "it is on both sides"


def test_what_needs_no_margin_is_not_copied():
    x = torch.randn(1, 1, 16, 16)
    assert padded(x, 3) is x and cropped(x, 16) is x


def test_networks_of_a_size_with_a_margin_are_those_of_the_larger_size():
    """An encoder of 6 pixels sees what one of 8 sees in the image with its margin; a decoder makes its inside."""
    x, z = torch.randn(2, 1, 6, 6), torch.randn(2, 4)
    small, large = (Encoder(1, size, (8, 8, 8), 4) for size in (6, 8))
    large.load_state_dict(small.state_dict())
    assert torch.equal(small(x), large(torch.nn.functional.pad(x, (1, 1, 1, 1))))
    small, large = (Decoder(1, size, (8, 8, 8), 4) for size in (6, 8))
    large.load_state_dict(small.state_dict())
    assert torch.equal(small(z), large(z)[..., 1:7, 1:7])
