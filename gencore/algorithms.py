"""One step of training, as Algorithm 1 of Ho et al. 2020 has it, with all that is in it laid open."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gencore.family import Denoises


@dataclass(frozen=True)
class TrainingStep:
    """What one step of Algorithm 1 is made of.

    Attributes:
        x_t: (N, C, H, W), the images under noise.
        predicted: (N, C, H, W), the noise that the network sees in them.
        loss: The squared norm of noise less prediction, summed over pixels and images.
        gradient_norm: The norm of the loss's gradient by all of the network's weights.
    """

    x_t: Tensor
    predicted: Tensor
    loss: float
    gradient_norm: float


def training_step(model: Denoises, x0: Tensor, t: Tensor, noise: Tensor) -> TrainingStep:
    """Return what a training step on images x0 (N, C, H, W) at t (N,) in 0..T-1 with this noise is made of.

    The weights stay as they are, and keep no gradient: the step itself is not taken.
    """
    with torch.enable_grad():
        x_t = model.diffuse(x0, t, noise)
        predicted = model.noise_in(x_t, t)
        loss = (noise - predicted).square().sum()
        weights = [weight for weight in model.parameters() if weight.requires_grad]
        found = torch.autograd.grad(loss, weights, allow_unused=True)
    squares = sum(gradient.square().sum().item() for gradient in found if gradient is not None)
    return TrainingStep(x_t, predicted.detach(), loss.item(), squares**0.5)
