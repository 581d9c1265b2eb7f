"""Images per second of training, beside the arithmetic of a step: python tests/bench/bench_train.py PRESET ...

Trains each preset as `python -m gencore train` would, for some steps, without writing anything; `key=value` overrides
hold for all presets. Prints images per second, the floating point operations of an image (counted in one step: every
network's forward and backward passes, the penalties' second ones too), and what share that is of the fastest matrix
product of the same number format that this machine does.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from gencore import train  # noqa: E402
from gencore.device import DTYPES, describe_machine, synchronise  # noqa: E402
from gencore.presets import resolve_run  # noqa: E402

SIDE = {"cuda": 8192, "cpu": 2048}  # of the matrices whose product sets the peak


class Operations(TorchDispatchMode):
    """Counts floating point operations; torch's own counter cannot follow `autograd.grad`, and so no penalty."""

    def __init__(self):
        super().__init__()
        self.total = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        count = flop_registry.get(func._overloadpacket)
        self.total += count(*args, **(kwargs or {}), out_val=out) if count else 0
        return out


def peak(device, dtype):
    """The operations a second of the best of several products of large square matrices."""
    side = SIDE.get(device.type, 2048)
    a, b = torch.randn(2, side, side, device=device, dtype=dtype)
    best = float("inf")
    for _ in range(6):
        synchronise(device)
        begun = time.perf_counter()
        a @ b
        synchronise(device)
        best = min(best, time.perf_counter() - begun)
    return 2 * side**3 / best


def trainer_of(preset, overrides, folder):
    """A trainer at its start, which makes no pictures."""
    run = resolve_run(preset, [*overrides, "timelapse=0"])
    return train._prepare(run, folder, preset, None, None, False, None, None, None, train.ProcessGroup())


def operations(trainer):
    """The floating point operations of one step, an image; a multiply and an add are two."""
    with Operations() as counter, sdpa_kernel(SDPBackend.MATH):
        trainer.advance()
    return counter.total / trainer.config.batch


def rate(trainer, steps, warm_up=3):
    """Images per second over some steps, after others to warm up."""
    for _ in range(warm_up):
        trainer.advance()
    synchronise(trainer.model.device)
    begun = time.perf_counter()
    for _ in range(steps):
        trainer.advance()
    synchronise(trainer.model.device)
    return steps * trainer.config.batch / (time.perf_counter() - begun)


def measure(preset, overrides, steps):
    """Print one preset's line."""
    with tempfile.TemporaryDirectory() as folder:
        plain = trainer_of(preset, [*overrides, "compile=false"], Path(folder) / "plain")
        each = operations(plain)
        trainer = trainer_of(preset, overrides, Path(folder) / "run") if "compile=true" in overrides else plain
        per_second = rate(trainer, steps)
        best = peak(trainer.model.device, DTYPES[trainer.settings.dtype])
    sizes = sum(p.numel() for network in trainer.model.networks.values() for p in network.parameters())
    how = f"{trainer.settings.dtype}, {trainer.settings.layout}{', compiled' * trainer.config.compile}"
    print(f"{preset:20} {sizes / 1e6:5.2f} M parameters, batch {trainer.config.batch:4}, {how}: "
          f"{per_second:9,.0f} images/s, {each / 1e9:6.2f} GFLOP an image, {per_second * each / 1e12:7.3f} of "
          f"{best / 1e12:.2f} TFLOP/s ({per_second * each / best:.0%})", flush=True)  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("presets", nargs="+", metavar="PRESET | key=value")
    parser.add_argument("--steps", type=int, default=20, help="steps that are timed")
    asked = parser.parse_args()
    machine = describe_machine("cuda" if torch.cuda.is_available() else "cpu")
    print(f"{machine['name']}, {machine['threads']} threads, torch {machine['torch']}, {asked.steps} steps")
    overrides = [word for word in asked.presets if "=" in word]
    for preset in asked.presets:
        if "=" not in preset:
            measure(preset, overrides, asked.steps)


if __name__ == "__main__":
    main()
