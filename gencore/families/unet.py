"""diffusers' U-Net with a forward pass of its own: the same weights, the same images, in fewer and cheaper steps.

What differs from `diffusers.UNet2DModel.forward`, each measured (docs/performance.md):

- Nearest-neighbour upsampling and the 3x3 convolution behind it are one transposed 4x4 convolution of stride 2: of the
  nine products that make an output pixel, those of equal inputs are added up in the weights, which leaves four.
- Without gradients, weights are cast to the number format of the calls once, not at each call, and on a processor laid
  out as its convolutions read them; the time's share of a residual block goes into the bias of its first convolution
  where all images are at one t; sums happen in place.
- bfloat16 maps whose channel is innermost are normalised by `gencore.families.group_norm`, there and back.
- Attention that is trained in bfloat16 on a processor is two plain products, whose way back is several times quicker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from typing import Any

import diffusers
import torch
from diffusers.models.unets.unet_2d import UNet2DOutput
from diffusers.models.upsampling import Upsample2D
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import conv_flop_count, flop_registry, register_flop_formula

from gencore.families import group_norm

BLOCKS = ("DownBlock2D", "UpBlock2D", "AttnDownBlock2D", "AttnUpBlock2D", "UNetMidBlock2D")
PLAIN = {
    "center_input_sample": False,
    "time_embedding_type": "positional",
    "downsample_type": "conv",
    "upsample_type": "conv",
    "resnet_time_scale_shift": "default",
    "mid_block_scale_factor": 1,
    "class_embed_type": None,
    "num_class_embeds": None,
}  # the settings that this forward pass knows; a model with others takes diffusers' own


class UNet(diffusers.UNet2DModel):
    """A `diffusers.UNet2DModel`, with its config and weights, whose calls are quicker; see the module.

    Called with t of shape (1,), all images are at that t.
    """

    def forward(
        self, sample: Tensor, timestep: Any, class_labels: Tensor | None = None, return_dict: bool = True
    ) -> UNet2DOutput | tuple[Tensor]:
        """Return what `diffusers.UNet2DModel.forward` does."""
        if class_labels is not None or not (isinstance(timestep, Tensor) and timestep.ndim) or not _plain(self):
            return super().forward(sample, timestep, class_labels, return_dict)
        output = self._live(sample, timestep) if torch.is_grad_enabled() else self._frozen(sample)(sample, timestep)
        return UNet2DOutput(sample=output) if return_dict else (output,)

    def _live(self, x: Tensor, t: Tensor) -> Tensor:
        emb = F.silu(self.time_embedding(self.time_proj(t)))
        return walk(self, x, lambda block: block.time_emb_proj(emb)[:, :, None, None], Live())

    def _frozen(self, x: Tensor) -> Frozen:
        """Return the weights as calls of images x without gradients take them; made anew when one has changed."""
        kind = x.device.type
        casts = torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)
        dtype = torch.get_autocast_dtype(kind) if casts else self.conv_in.weight.dtype
        kept = self.__dict__.get("_kept")
        if kept is None or not kept.fits(x, dtype):
            kept = self.__dict__["_kept"] = Frozen(self, x, dtype)
        return kept

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy is made of: not the weights that are kept beside the weights."""
        return {name: value for name, value in self.__dict__.items() if name != "_kept"}


def denoiser(channels: int, size: int, widths: Sequence[int], layers: int, attention: bool, **config: Any) -> UNet:
    """Return an untrained U-Net for images (N, channels, size, size): residual blocks, attention in the middle alone.

    Args:
        channels: Of the images.
        size: Their height and width.
        widths: Feature maps at each resolution; multiples of 8.
        layers: Residual blocks per resolution on the way down (one more on the way up).
        attention: Whether the lowest resolution has self-attention.
        config: What else, or otherwise, a `diffusers.UNet2DModel` is to be built with.
    """
    own = {
        "down_block_types": ("DownBlock2D",) * len(widths),
        "up_block_types": ("UpBlock2D",) * len(widths),
        "norm_num_groups": 8,
        "attention_head_dim": min(32, widths[-1]),
    }
    return UNet(
        sample_size=size,
        in_channels=channels,
        out_channels=channels,
        block_out_channels=tuple(widths),
        layers_per_block=layers,
        add_attention=attention,
        **own | config,
    )


def _plain(unet: UNet) -> bool:
    """Return whether this forward pass knows all that the network is made of."""
    plain = unet.__dict__.get("_is_plain")
    if plain is None:
        blocks = [block for block in (*unet.down_blocks, unet.mid_block, *unet.up_blocks) if block is not None]
        plain = all(unet.config[name] == value for name, value in PLAIN.items())
        plain = plain and unet.config.act_fn in ("silu", "swish")
        plain = plain and all(type(block).__name__ in BLOCKS for block in blocks)
        unet.__dict__["_is_plain"] = plain
    return plain


def residuals(unet: UNet) -> Iterator[nn.Module]:
    """Yield the residual blocks in the order in which they are called."""
    for block in (*unet.down_blocks, unet.mid_block, *unet.up_blocks):
        yield from () if block is None else block.resnets


# --- the network, layer by layer ----------------------------------------------------------------------------------


def walk(unet: UNet, x: Tensor, shift: Callable[[nn.Module], Tensor], layers: Live) -> Tensor:
    """Return the network's output for images x (N, C, H, W).

    Args:
        unet: The network.
        x: The images.
        shift: What the time adds in a residual block: (N, C, 1, 1), or (C,), the whole bias of its first convolution.
        layers: How its layers are called.
    """
    x = layers.convolve(unet.conv_in, x)
    skips = [x]
    for block in unet.down_blocks:
        for i, resnet in enumerate(block.resnets):
            x = residual(resnet, x, shift(resnet), layers)
            x = attend(block.attentions[i], x, layers) if hasattr(block, "attentions") else x
            skips.append(x)
        for down in block.downsamplers or ():
            x = layers.convolve(down.conv, x if down.padding else F.pad(x, (0, 1, 0, 1)))
            skips.append(x)
    if unet.mid_block is not None:
        first, *rest = unet.mid_block.resnets
        x = residual(first, x, shift(first), layers)
        for attention, resnet in zip(unet.mid_block.attentions, rest, strict=True):
            x = attend(attention, x, layers) if attention is not None else x
            x = residual(resnet, x, shift(resnet), layers)
    for block in unet.up_blocks:
        for i, resnet in enumerate(block.resnets):
            x = residual(resnet, torch.cat([x, skips.pop()], 1), shift(resnet), layers)
            x = attend(block.attentions[i], x, layers) if hasattr(block, "attentions") else x
        for up in block.upsamplers or ():
            x = layers.upsample(up, x)
    return layers.convolve(unet.conv_out, layers.activate(unet.conv_norm_out, x))


def residual(block: nn.Module, x: Tensor, shift: Tensor, layers: Live) -> Tensor:
    """Return x + f(x), f two convolutions, each behind a normalisation and SiLU, shifted by the time between them."""
    h = layers.activate(block.norm1, x)
    h = layers.convolve(block.conv1, h, shift) if shift.ndim == 1 else layers.convolve(block.conv1, h) + shift
    h = F.dropout(layers.activate(block.norm2, h), block.dropout.p, block.training)
    h = layers.convolve(block.conv2, h)
    return layers.add(h, x if block.conv_shortcut is None else layers.convolve(block.conv_shortcut, x))


def attend(layer: nn.Module, x: Tensor, layers: Live) -> Tensor:
    """Return x and what its pixels, normalised, attend to in each other."""
    n, channels, height, width = x.shape
    flat = layers.normalise(layer.group_norm, x).flatten(2).transpose(1, 2)
    heads = (
        layers.apply(part, flat).unflatten(2, (layer.heads, -1)).transpose(1, 2)
        for part in (layer.to_q, layer.to_k, layer.to_v)
    )
    seen = layers.look(*heads).transpose(1, 2).flatten(2)
    return x + layers.apply(layer.to_out[0], seen).transpose(1, 2).view(n, channels, height, width)


class Live:
    """The layers as they are, with gradients."""

    def convolve(self, layer: nn.Conv2d, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """Return the convolution of x, with this bias (C,) instead of its own if one is given."""
        return F.conv2d(x, layer.weight, layer.bias if bias is None else bias, layer.stride, layer.padding)

    def upsample(self, layer: Upsample2D, x: Tensor) -> Tensor:
        """Return x at twice its size, convolved."""
        return F.conv_transpose2d(x, widened(layer.conv.weight), layer.conv.bias, stride=2, padding=1)

    def normalise(self, layer: nn.GroupNorm, x: Tensor) -> Tensor:
        """Return x normalised in groups of feature maps."""
        return F.group_norm(x, layer.num_groups, layer.weight, layer.bias, layer.eps)

    def activate(self, layer: nn.GroupNorm, x: Tensor) -> Tensor:
        """Return SiLU of `normalise`."""
        return group_norm.activate(layer, x) if group_norm.suits(x) else F.silu(self.normalise(layer, x))

    def look(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Return what the queries (N, heads, tokens, d) see of the values, by how alike they are to the keys."""
        if q.device.type != "cpu" or q.dtype != torch.bfloat16 or torch.compiler.is_compiling():
            return F.scaled_dot_product_attention(q, k, v)
        return (q * q.shape[-1] ** -0.5 @ k.transpose(2, 3)).softmax(3) @ v

    def apply(self, layer: nn.Linear, x: Tensor) -> Tensor:
        """Return the layer's linear map of x."""
        return layer(x)

    def add(self, x: Tensor, y: Tensor) -> Tensor:
        """Return their sum."""
        return x + y


def widened(weight: Tensor) -> Tensor:
    """Return the weights (I, O, 4, 4) of the transposed convolution that is upsampling, then a convolution by these.

    Upsampling doubles each pixel in both directions, so an input reaches an output pixel through one or two of the 3
    weights in each direction: a kernel of 4 of stride 2, each of whose weights is the sum of those beside each other.
    """
    padded = F.pad(weight.flip(2, 3), (1, 1, 1, 1))
    rows = padded[:, :, :-1] + padded[:, :, 1:]
    return (rows[..., :-1] + rows[..., 1:]).transpose(0, 1)


class Frozen(Live):
    """A network's weights as calls without gradients take them: cast and packed for images of one shape."""

    def __init__(self, unet: UNet, x: Tensor, dtype: torch.dtype):
        self.unet, self.dtype, self.shape, self.device = unet, dtype, x.shape, x.device
        self.packs = packs(x.device, dtype)
        self.weights: dict[nn.Module, Tensor] = {}
        self.biases: dict[nn.Module, Tensor | None] = {}
        for layer in unet.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear | Upsample2D):
                inner = layer.conv if isinstance(layer, Upsample2D) else layer
                weight = inner.weight.to(dtype) if layer is inner else widened(inner.weight).contiguous().to(dtype)
                self.weights[layer], self.biases[layer] = weight, None if inner.bias is None else inner.bias.to(dtype)
        blocks = list(residuals(unet))
        self.sizes = [block.out_channels for block in blocks]
        self.time = [torch.cat([getattr(block.time_emb_proj, name) for block in blocks]) for name in ("weight", "bias")]
        self.own = torch.cat([block.conv1.bias for block in blocks])
        self.packed: dict[nn.Module, Tensor] = {}
        self.seen = [(owner, name, value, _state(value)) for owner in (layer._parameters for layer in unet.modules())
                     for name, value in owner.items() if value is not None]  # fmt: skip

    def fits(self, x: Tensor, dtype: torch.dtype) -> bool:
        """Return whether these are the weights for images x in this number format: none has changed since."""
        return (self.dtype, self.shape, self.device) == (dtype, x.shape, x.device) and all(
            owner[name] is value and _state(value) == state for owner, name, value, state in self.seen
        )

    def __call__(self, x: Tensor, t: Tensor) -> Tensor:
        """Return the network's output for x (N, C, H, W) at t (N,), or at one t (1,)."""
        kind = x.device.type
        with torch.autocast(kind, enabled=False) if torch.amp.is_autocast_available(kind) else nullcontext():
            emb = F.silu(self.unet.time_embedding(self.unet.time_proj(t)))
            shifts = F.linear(emb, *self.time)
            shifts = shifts[0] + self.own if len(t) == 1 else shifts[:, :, None, None]
            parts = iter(shifts.to(self.dtype).split(self.sizes, dim=0 if len(t) == 1 else 1))
            return walk(self.unet, x.to(self.dtype), lambda _: next(parts), self)

    def convolve(self, layer: nn.Conv2d, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """Return the convolution of x, with this bias (C,) instead of its own if one is given."""
        bias = self.biases[layer] if bias is None else bias
        if not self.packs:
            return F.conv2d(x, self.weights[layer], bias, layer.stride, layer.padding)
        how = layer.padding, layer.stride, layer.dilation, layer.groups
        if layer not in self.packed:
            self.packed[layer] = torch.ops.mkldnn._reorder_convolution_weight(self.weights[layer], *how, x.shape)
        return torch.ops.mkldnn._convolution_pointwise(x, self.packed[layer], bias, *how, "none", [], "")

    def upsample(self, layer: Upsample2D, x: Tensor) -> Tensor:
        """Return x at twice its size, convolved."""
        weight, bias = self.weights[layer], self.biases[layer]
        if not self.packs:
            return F.conv_transpose2d(x, weight, bias, stride=2, padding=1)
        how = (1, 1), (0, 0), (2, 2), (1, 1), 1
        if layer not in self.packed:
            self.packed[layer] = torch.ops.mkldnn._reorder_convolution_transpose_weight(weight, *how, x.shape)
        return torch.ops.mkldnn._convolution_transpose_pointwise(x, self.packed[layer], bias, *how, "none", [], "")

    def normalise(self, layer: nn.GroupNorm, x: Tensor) -> Tensor:
        """Return x normalised in groups of feature maps."""
        if group_norm.suits(x):
            return group_norm.normalise(layer, x)
        return super().normalise(layer, x.contiguous() if group_norm.is_slow(x) else x)

    def activate(self, layer: nn.GroupNorm, x: Tensor) -> Tensor:
        """Return SiLU of `normalise`."""
        return F.silu(self.normalise(layer, x), inplace=True)

    def look(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Return what the queries (N, heads, tokens, d) see of the values, by how alike they are to the keys."""
        return F.scaled_dot_product_attention(q, k, v)

    def apply(self, layer: nn.Linear, x: Tensor) -> Tensor:
        """Return the layer's linear map of x."""
        return F.linear(x, self.weights[layer], self.biases[layer])

    def add(self, x: Tensor, y: Tensor) -> Tensor:
        """Return their sum, in x."""
        return x.add_(y)


def packs(device: torch.device, dtype: torch.dtype) -> bool:
    """Return whether oneDNN, whose convolutions torch calls on a processor, takes weights laid out beforehand.

    These are the operators that torch's own compiler calls for frozen weights; where they are not, nothing is packed.
    """
    there = device.type == "cpu" and torch.backends.mkldnn.is_available() and torch.backends.mkldnn.enabled
    there = there and hasattr(torch.ops.mkldnn, "_convolution_transpose_pointwise")
    return there and (
        dtype == torch.float32 or (dtype == torch.bfloat16 and torch.ops.mkldnn._is_mkldnn_bf16_supported())
    )


def _counted() -> None:
    """Tell torch's counter of operations what the packed convolutions come to."""
    for name, transposed in (("_convolution_pointwise", False), ("_convolution_transpose_pointwise", True)):
        operator = getattr(torch.ops.mkldnn, name, None)
        if operator is not None and operator not in flop_registry:
            register_flop_formula(operator)(
                lambda x, weight, *_, out_shape, transposed=transposed, **__: conv_flop_count(
                    x, weight, out_shape, transposed
                )
            )


_counted()


def _state(value: Tensor) -> tuple[int, int]:
    """Return what tells whether a tensor's numbers may have changed."""
    return value.data_ptr(), value._version
