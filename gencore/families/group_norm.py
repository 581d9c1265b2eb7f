"""GroupNorm and SiLU of bfloat16 maps whose channel is innermost, on a processor, where torch's own are slow.

torch normalises such maps under 32x32 five to ten times more slowly than contiguous ones, and its way back is ten to
sixteen times slower at any size (docs/performance.md), while convolutions are quickest with the channel innermost. Here
the statistics are sums over long rows, and the maps are scaled and shifted at once.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

TOGETHER = 4  # pixels in a row: the C numbers of one alone are too few for the processor's inner loops
SMALL = 1024  # pixels: from there on torch's own forward pass is the quicker one
FAR = 2.0  # standard deviations from 0
MANY = 2**18  # numbers: of fewer a copy into the contiguous layout and back takes no longer than all these calls


def suits(x: Tensor) -> bool:
    """Return whether maps x (N, C, H, W) are such as these functions are for."""
    return (
        x.device.type == "cpu"
        and x.dtype == torch.bfloat16  # whose range is float32's: in float16 sums of squares would overflow
        and x.numel() >= MANY
        and x.is_contiguous(memory_format=torch.channels_last)
        and not x.is_contiguous()
        and not torch.compiler.is_compiling()  # which writes a kernel of its own
    )


def is_slow(x: Tensor) -> bool:
    """Return whether torch normalises maps x (N, C, H, W) faster once they are copied into the contiguous layout."""
    return x.dtype.itemsize == 2 and x[0, 0].numel() < SMALL


def normalise(layer: nn.GroupNorm, x: Tensor) -> Tensor:
    """Return x (N, C, H, W) normalised in groups of maps (Wu & He 2018, equation 7), without gradients."""
    return _normalised(x, layer.weight, layer.bias, layer.num_groups, layer.eps)[0]


def activate(layer: nn.GroupNorm, x: Tensor) -> Tensor:
    """Return SiLU of x (N, C, H, W) normalised in groups of maps, with gradients."""
    return _NormalisedSiLU.apply(x, layer.weight, layer.bias, layer.num_groups, layer.eps)


def _rows(x: Tensor) -> Tensor:
    """Return x (N, C, H, W) as rows (N, rows, pixels of a row * C), without copying what lies channel innermost."""
    n, channels, height, width = x.shape
    together = TOGETHER if height * width % TOGETHER == 0 else 1
    return x.permute(0, 2, 3, 1).reshape(n, -1, together * channels)


def _shaped(rows: Tensor, like: Tensor) -> Tensor:
    """Return rows as maps (N, C, H, W) again."""
    n, channels, height, width = like.shape
    return rows.view(n, height, width, channels).permute(0, 3, 1, 2)


def _sums(rows: Tensor, groups: int, channels: int) -> Tensor:
    """Return the sums (N, groups, channels / groups) over the pixels, in float32.

    torch adds up 16-bit numbers in float32 and rounds once: each sum here is one of a few of those.
    """
    return rows.sum(1).float().view(len(rows), -1, channels).sum(1).view(len(rows), groups, -1)


def _spread(values: Tensor, rows: Tensor, channels: int) -> Tensor:
    """Return values (N, groups, channels / groups), or (N, groups, 1), for each number of a row: (N, 1, row)."""
    n, groups, _ = values.shape
    of_pixel = values.expand(n, groups, channels // groups).reshape(n, 1, channels)
    return of_pixel.repeat(1, 1, rows.shape[2] // channels).to(rows.dtype)


def _moments(rows: Tensor, groups: int, channels: int, eps: float) -> tuple[Tensor, Tensor]:
    """Return the groups' means and the inverses of their standard deviations, both (N, groups, 1)."""
    count = rows[0].numel() // groups
    mean = _sums(rows, groups, channels).sum(2, keepdim=True) / count
    square = _sums(rows * rows, groups, channels).sum(2, keepdim=True) / count
    return mean, ((square - mean * mean).clamp_min_(0) + eps).rsqrt_()


def _centred(x: Tensor, mean: Tensor, inverse: Tensor) -> tuple[Tensor, Tensor | float]:
    """Return the rows of x (N, C, H, W), and what was taken off them: 0, or its groups' means as 16 bits have them.

    Means far from 0 go before squares are added up and scales multiplied, as 16 bits would lose what is left of them.
    Others stay: what comes of an image does not depend on those beside it.
    """
    rows, far = _rows(x), mean.abs() * inverse >= FAR
    if not far.any():
        return rows, 0.0
    centre = torch.where(far, mean, 0.0).to(x.dtype)
    return rows - _spread(centre, rows, x.shape[1]), centre


def _normalised(x: Tensor, weight: Tensor, bias: Tensor, groups: int, eps: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return x normalised, its means (N, groups, 1) and the inverses of its standard deviations."""
    n, channels, height, width = x.shape
    if height * width >= SMALL:
        z, mean, inverse = torch.native_group_norm(x, weight, bias, n, channels, height * width, groups, eps)
        return z, mean[..., None], inverse[..., None]
    rest, inverse = _moments(_rows(x), groups, channels, eps)
    rows, centre = _centred(x, rest, inverse)
    if isinstance(centre, Tensor):
        rest, inverse = _moments(rows, groups, channels, eps)
    scale = inverse * weight.float().view(1, groups, -1)
    shift = bias.float().view(1, groups, -1) - rest * scale
    z = torch.addcmul(_spread(shift, rows, channels), rows, _spread(scale, rows, channels))
    return _shaped(z, x), centre + rest, inverse


class _NormalisedSiLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, groups: int, eps: float) -> Tensor:
        z, mean, inverse = _normalised(x, weight, bias, groups, eps)
        ctx.save_for_backward(x, z, weight, mean, inverse)
        return F.silu(z)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        """Return the gradients of x, weight and bias.

        With u = (x - mean) / sd and the gradient g of z = weight u + bias, the gradient of x is, all means being over
        the pixels and maps of a group, (weight g - mean(weight g) - u mean(weight g u)) / sd.
        """
        x, z, weight, mean, inverse = ctx.saved_tensors
        _, channels, height, width = x.shape
        groups = mean.shape[1]
        count, weights = height * width * channels // groups, weight.float().view(1, groups, -1)
        rows, centre = _centred(x, mean, inverse)
        rest = mean - centre
        g = torch.ops.aten.silu_backward(_rows(gradient), _rows(z))
        of_bias = _sums(g, groups, channels)
        of_weight = (_sums(g * rows, groups, channels) - rest * of_bias) * inverse
        first = (weights * of_bias).sum(2, keepdim=True) / count
        second = (weights * of_weight).sum(2, keepdim=True) / count * inverse
        found = torch.addcmul(
            _spread(inverse * (rest * second - first), rows, channels), rows, _spread(-inverse * second, rows, channels)
        )
        found.addcmul_(g, _spread(inverse * weights, rows, channels))
        of_weight, of_bias = (one.sum(0).view(channels).to(weight.dtype) for one in (of_weight, of_bias))
        return _shaped(found, x), of_weight, of_bias, None, None
