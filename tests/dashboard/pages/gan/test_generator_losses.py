"""The generator's losses and their gradients, against autograd."""

import math

import pytest
import torch

from dashboard.pages.gan import generator_losses


@pytest.mark.parametrize("d", [0.01, 0.3, 0.5, 0.97])
def test_losses_and_gradients_are_those_of_autograd(d):
    logit = torch.tensor(math.log(d / (1 - d)), dtype=torch.float64, requires_grad=True)
    chance = torch.sigmoid(logit)
    losses = (torch.log(1 - chance), -torch.log(chance))
    assert float(generator_losses.minimax(d)) == pytest.approx(losses[0].item())
    assert float(generator_losses.non_saturating(d)) == pytest.approx(losses[1].item())
    falls = [-torch.autograd.grad(loss, logit, retain_graph=True)[0].item() for loss in losses]
    assert generator_losses.pull(d) == pytest.approx(falls)


def test_the_cards_say_what_is_read_off():
    words = generator_losses.gradients(0.01, "gan")
    assert "pulls 0.99, the minimax loss 0.01: 99 times as hard" in words
    assert "0.05 times as hard" in generator_losses.gradients(0.95, "gan")
    assert "log(1 − D) = −0.69, −log D = 0.69" in generator_losses.losses(0.5, "gan")
