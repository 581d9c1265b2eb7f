"""One call of the U-Net, by diffusers' forward pass and by ours, the same weights: `python benchmarks/calls.py`.

python benchmarks/calls.py [threads]: in turns, at several batches, number formats and layouts, without gradients, as
sampling calls it; the outputs are compared.
"""

import contextlib
import sys
from pathlib import Path

import diffusers
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.turns import told, turns
from gencore.device import describe_machine
from gencore.families.ddpm import DDPM
from gencore.presets import PRESETS

SHAPES = {"cifar10/ddpm-small": {"channels": 3, "size": 32}, "mnist/ddpm": {}}  # presets, with what their data give
BATCHES, LAYOUTS = (1, 16, 64), {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def call(unet, x, t, dtype):
    """The call as it is made within `Settings.apply`'s autocast."""
    cast = contextlib.nullcontext() if dtype == torch.float32 else torch.autocast("cpu", dtype)
    with torch.no_grad(), cast:
        return unet(x, t).sample.float()


def main() -> None:
    """Time, and print a line each."""
    threads = int(next(iter(sys.argv[1:]), torch.get_num_threads()))
    torch.set_num_threads(threads)
    machine = describe_machine()
    print(f"{machine['name']}, {threads} threads, torch {machine['torch']}, diffusers {diffusers.__version__}")
    for preset, shape in SHAPES.items():
        for dtype in (torch.float32, torch.bfloat16):
            for layout, form in LAYOUTS.items():
                torch.manual_seed(0)
                ours = DDPM(**shape, **PRESETS[preset].model).eval().unet.to(memory_format=form)
                theirs = diffusers.UNet2DModel.from_config(ours.config).eval().to(memory_format=form)
                theirs.load_state_dict(ours.state_dict())
                for count in BATCHES:
                    x = torch.randn(count, ours.config.in_channels, *2 * [ours.config.sample_size])
                    x, t = x.to(memory_format=form), torch.tensor([500])
                    ways = {
                        "diffusers": lambda x=x, t=t: call(theirs, x, t.expand(len(x)), dtype),  # noqa: B023
                        "ours": lambda x=x, t=t: call(ours, x, t, dtype),  # noqa: B023
                    }
                    apart = (ways["diffusers"]() - ways["ours"]()).abs().max().item()
                    assert dtype != torch.float32 or apart < 1e-4, "the outputs differ"
                    what = f"{preset}, {str(dtype).removeprefix('torch.')}, {layout}, batch {count:2}"
                    print(told(what, turns(ways), f"; largest difference {apart:.1e}"), flush=True)


if __name__ == "__main__":
    main()
