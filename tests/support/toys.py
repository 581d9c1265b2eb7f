"""Families that are toys: they make images in milliseconds, or break."""

import torch
from diffusers.configuration_utils import register_to_config
from torch import nn

from gencore.family import Family, Knob, Noise, Point, Step


class Toy(Family):
    """A toy that takes some steps."""

    name = "toy"
    title = "Toy <1>"
    knobs = (
        Knob("mode", "plain", choices=("plain", "eager"), help="How."),
        Knob("steps", 3, 1, 50, integer=True, help="Network calls."),
        Knob("push", 0.0, 0.0, 1.0, help="How hard.", when={"mode": ("eager",)}),
    )
    points = (Point("three", {}, "headline"), Point("one", {"steps": 1}, "lecture"))

    @register_to_config
    def __init__(self, channels: int = 1, size: int = 4):
        super().__init__()
        self.layer = nn.Linear(1, 1)

    @property
    def network(self):
        return self.layer

    def sample(self, seeds, **knobs):
        values = self.resolve_knobs(knobs)
        x = Noise(seeds)(*self.image_shape).clamp(-1, 1)
        for index in range(1, values["steps"] + 1):
            yield Step(index, values["steps"], x, x * index / values["steps"])


class Failing(Toy):
    """A toy that breaks."""

    name = "failing"
    title = "Failing"

    def sample(self, seeds, **knobs):
        yield Step(1, 9, torch.zeros(1), torch.zeros(len(list(seeds)), 1, 4, 4))
        raise RuntimeError("out of luck\nsecond line")
