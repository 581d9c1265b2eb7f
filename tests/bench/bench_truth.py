"""What is true of samples of `shapes`: python -m tests.bench.bench_truth [options] CHECKPOINT...

    [--n 5000] [--dtype float32] [--knob name=value ...]

Every sample is read (`gencore.shapes.read`), and the true figures of all of them follow: features are not needed, and
nothing is estimated in any. Beside them stand those of the real test pictures, of as many.
"""

import argparse

import torch

from gencore import checkpoint
from gencore.cli.options import parse_knobs
from gencore.data import load_images, to_uint8
from gencore.family import image_seed
from gencore.metrics.registry import TRUE
from gencore.shapes import read

BATCH = 100


def line(name, x):
    """A row of the table, of uint8 images (N, 3, S, S)."""
    readings = torch.from_numpy(read(x.numpy()))
    return f"| {name} | " + " | ".join(f"{metric.compute(None, None, readings):.4g}" for metric in TRUE) + " |"


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoints", nargs="*", metavar="CHECKPOINT")
    parser.add_argument("--n", type=int, default=5000)
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--knob", action="append", default=[])
    asked = parser.parse_args()
    print(f"| {asked.n:,} images | " + " | ".join(metric.name for metric in TRUE) + " |\n|" + "---|" * (len(TRUE) + 1))
    print(line("real test pictures", load_images("shapes", "test").x[: asked.n]))
    for name in asked.checkpoints:
        model, seeds = checkpoint.load(name, dtype=asked.dtype), [image_seed(0, place) for place in range(asked.n)]
        parts = [seeds[at : at + BATCH] for at in range(0, asked.n, BATCH)]
        x = torch.cat([to_uint8(model.generate(part, **parse_knobs(asked.knob))).cpu() for part in parts])
        print(line(name, x), flush=True)


if __name__ == "__main__":
    main()
