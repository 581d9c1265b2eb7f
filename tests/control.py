"""The DDPM's samplers with a perfect network: which shapes of its curve are the samplers' own, and not the training's.

    python -m tests.control [--n 2000] [--generations 3]

The data are a mixture of Gaussians of deviation 0.05 about scikit-learn's 1,797 digits of 8 x 8 pixels. The best
possible prediction of x0 is then known in closed form: a mean of the digits, each weighted by how likely it is behind
x_t. Nothing is trained; samplers, clipping and schedule are those of `gencore.families.ddpm`. Prints the kernel
distance of n samples to n fresh draws of the mixture, pixels divided by one number, with a 95% t-interval over the
generations, beside that of other fresh draws. Not a test: pytest does not collect it.
"""

import argparse

import torch
from torch import nn

from gencore.data import load_images, to_float
from gencore.families.ddpm import DDPM
from gencore.family import image_seed
from gencore.metrics import METRICS, interval

SPREAD = 0.05  # deviation of each Gaussian, pixels in [-1, 1]
STEPS = (5, 10, 20, 50, 100, 1000)
SAMPLERS = (("dpm-solver++", "fixed_small"), ("unipc", "fixed_small"), ("ddim", "fixed_small"),
            ("ddpm", "fixed_small"), ("ddpm", "fixed_large"))  # fmt: skip


class Perfect(nn.Module):
    """E[x0|x_t] for the mixture, said as the noise that it means: (x_t - sqrt(abar) x0) / sqrt(1 - abar)."""

    def __init__(self, centres, abar):
        super().__init__()
        self.centres, self.abar = centres, abar

    def forward(self, x, t):
        a, rows = self.abar[t[0]], x.flatten(1)
        variance = a * SPREAD**2 + 1 - a  # of x_t about sqrt(abar) times a centre
        weights = torch.softmax(-torch.cdist(rows, a.sqrt() * self.centres).square() / (2 * variance), 1)
        centre = weights @ self.centres
        x0 = centre + a.sqrt() * SPREAD**2 / variance * (rows - a.sqrt() * centre)
        noise = (rows - a.sqrt() * x0) / (1 - a).sqrt()
        return type("Output", (), {"sample": noise.view_as(x)})


def digits():
    """Return all digits as rows in [-1, 1], (1797, 64)."""
    parts = [load_images("digits", split).x for split in ("train", "validation", "test")]
    return to_float(torch.cat(parts)).flatten(1)


def draws(centres, n, seed):
    """Return n draws of the mixture, clipped to [-1, 1] as the samples are."""
    generator = torch.Generator().manual_seed(seed)
    picked = centres[torch.randint(len(centres), (n,), generator=generator)]
    return (picked + SPREAD * torch.randn(picked.shape, generator=generator)).clamp(-1, 1)


def words(values):
    """Return a mean and its 95% t-interval."""
    mean, low, high = interval(values)
    return f"{mean:9.5f} ± {(high - low) / 2:.5f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=2000)
    parser.add_argument("--generations", type=int, default=3)
    args = parser.parse_args()
    centres, runs = digits(), range(args.generations)
    real = draws(centres, args.n, 0)
    scale = real.std()

    def distance(rows):
        return METRICS["kd"](real / scale, rows / scale)

    floor = [distance(draws(centres, args.n, 1 + run)) for run in runs]
    print(f"{'fresh draws':28s} {words(floor)}", flush=True)
    for sampler, variance in SAMPLERS:
        model = DDPM(size=8, widths=(8, 16), variance=variance).eval()
        model.unet = Perfect(centres, model.scheduler.alphas_cumprod)
        for steps in STEPS:
            found = []
            for run in runs:
                seeds = [image_seed(run, place) for place in range(args.n)]
                found.append(distance(model.generate(seeds, sampler=sampler, num_inference_steps=steps).flatten(1)))
            name = f"{sampler}{', ' + variance if sampler == 'ddpm' else ''}, {steps} calls"
            print(f"{name:28s} {words(found)}", flush=True)


if __name__ == "__main__":
    main()
