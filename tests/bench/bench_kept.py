"""How much of its noise a model keeps: python -m tests.bench.bench_kept [--n 256] [--dtype float32] CHECKPOINT...

The first validation images x_0 of its data set under noise eps: the regression of f(x_t, t) - x_0 on the noise in x_t,
sqrt(1 - abar_t) eps, where f is the x_0 that a DDPM sees or the image that a consistency model gives. 0 where none of
the noise is left, 1 where f gives back what it was given. Some of it cannot be told from an image: a DDPM's share is
the one to compare with.
"""

import argparse

import torch

from gencore import checkpoint
from gencore.data import load_images, to_float

TIMES = (10, 40, 100, 249, 499)


@torch.no_grad()
def shares(model, x, seed=0):
    """The share kept at each of TIMES, of images (N, C, H, W) in [-1, 1]."""
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(seed))
    for time in TIMES:
        t = torch.full((len(x),), time)
        inside = (1 - model.alphas_cumprod()[time]).sqrt() * noise
        left = model.predict(model.diffuse(x, t, noise), t).float() - x
        yield ((left * inside).sum() / inside.square().sum()).item()


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoints", nargs="+", metavar="CHECKPOINT")
    parser.add_argument("--n", type=int, default=256)
    parser.add_argument("--dtype", default="float32")
    asked = parser.parse_args()
    print("| noise kept at t | " + " | ".join(map(str, TIMES)) + " |\n|" + "---|" * (len(TIMES) + 1))
    for name in asked.checkpoints:
        data = checkpoint.find(name).dataset
        x = to_float(load_images(data, "validation").x[: asked.n])
        kept = shares(checkpoint.load(name, dtype=asked.dtype), x)
        print(f"| {name} | " + " | ".join(f"{share:.1%}" for share in kept) + " |", flush=True)


if __name__ == "__main__":
    main()
