"""A fourth family, as a stranger would write it from `Family`'s docstring alone: flow matching (Lipman et al. 2023)."""

from contextlib import contextmanager
from unittest.mock import patch

import torch
from diffusers.configuration_utils import register_to_config

from gencore.families import FAMILIES
from gencore.families.nets import cropped, padded
from gencore.families.registration import register
from gencore.family import Family, Knob, Loss, Noise, Point, Step
from gencore.presets import PRESETS, Run


class Flow(Family):
    """A network v(x_t, t) that moves noise to images along straight paths x_t = (1 - t) noise + t image."""

    name = "flow"
    title = "Flow matching"
    about = "Moves noise to images along nearly straight paths, whose direction a network learns."
    knobs = (
        Knob("num_inference_steps", 10, 1, 200, integer=True, help="Network calls per image."),
        Knob("solver", "heun", choices=("heun", "euler"), help="Heun corrects every step by a second call."),
    )
    points = (
        Point("Heun, 10 calls", {}, "headline"),
        Point("Euler, 10 calls", {"solver": "euler"}, "sweep"),
    )
    interpolation = "slerp"

    @register_to_config
    def __init__(self, channels: int = 1, size: int = 28, widths: tuple[int, ...] = (16, 32)):
        super().__init__()
        from diffusers import UNet2DModel

        self.velocity = UNet2DModel(
            size, channels, channels, block_out_channels=widths, layers_per_block=1, norm_num_groups=8,
            down_block_types=("DownBlock2D",) * len(widths), up_block_types=("UpBlock2D",) * len(widths),
        )  # fmt: skip

    @property
    def networks(self):
        """One network: the velocity."""
        return {"velocity": self.velocity}

    def losses(self, x, progress=0.0):
        """Yield the mean squared error of the velocity."""
        noise, t = torch.randn_like(x), torch.rand(len(x), device=x.device)
        x_t = torch.lerp(noise, x, t.view(-1, 1, 1, 1))
        yield Loss("velocity", (self._call(x_t, t) - (x - noise)).square().mean())

    @torch.no_grad()
    def sample(self, seeds, **knobs):
        """Yield one step per network call."""
        values = self.resolve_knobs(knobs)
        yield from self._walk(self.latent(seeds), values["num_inference_steps"], values["solver"] == "heun")

    def latent(self, seeds):
        """Return the noise (N, C, H, W) that the paths begin with."""
        return Noise(seeds, self.device)(*self.image_shape)

    @torch.no_grad()
    def decode(self, latent):
        """Return the images at the ends of the paths from `latent`."""
        *_, last = self._walk(latent, 10, True)
        return last.x0

    def _walk(self, x, calls, heun):
        """Yield the way from noise: steps of one call, or of two where a call is left to correct the first."""
        steps, done = -(-calls // (1 + heun)), 0
        for start in (i / steps for i in range(steps)):
            end = start + 1 / steps
            direction, done = self._call(x, x.new_full((len(x),), start)), done + 1
            if heun and done < calls:
                yield Step(done, calls, x, (x + (1 - start) * direction).clamp(-1, 1))
                ahead = self._call(x + direction / steps, x.new_full((len(x),), end))
                direction, done = (direction + ahead) / 2, done + 1
            x = x + direction / steps
            yield Step(done, calls, x, (x + (1 - end) * direction).clamp(-1, 1))

    def _call(self, x, t):
        with self.autocast():
            seen = self.velocity(padded(x, len(self.config.widths)), 1000 * t).sample.float()
        return cropped(seen, self.config.size)


@contextmanager
def registered():
    """Register it beside the shipped families, with the preset that registering would have given it."""
    families = register(*FAMILIES.values(), Flow)
    with patch.dict(FAMILIES, families), patch.dict(PRESETS, {"digits/flow": Run("flow", "digits")}):
        yield Flow
