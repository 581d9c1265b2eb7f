"""The DDPM's samplers with a perfect network: which shapes of its curve are the samplers' own, and not the training's.

    python -m tests.control [--n 2000] [--generations 3]

For two kinds of data made from scikit-learn's 1,797 digits of 8 x 8 pixels the best possible prediction of x0 is
known in closed form, so nothing is trained; samplers, clipping and schedule are those of `gencore.families.ddpm`.
'modes' is a mixture of Gaussians of deviation 0.05 about each digit: noise is told from signal at once. 'smooth' is
one Gaussian with the digits' mean and covariance, at 0.3 of their scale so that clipping hardly matters: along the
directions in which data vary, noise passes for signal. Prints the KID of n samples to n fresh draws,
pixels divided by one number, with a 95% t-interval over the generations, beside that of other fresh draws. Not a
test: pytest does not collect it.
"""

import argparse

import torch
from torch import nn

from gencore.data import load_images, to_float
from gencore.families.ddpm import DDPM
from gencore.family import image_seed
from gencore.metrics import METRICS, interval

STEPS = (5, 10, 20, 50, 100, 1000)
SAMPLERS = (("sde-dpm-solver++", "fixed_small"), ("dpm-solver++", "fixed_small"), ("unipc", "fixed_small"),
            ("ddim", "fixed_small"),
            ("ddpm", "fixed_small"), ("ddpm", "fixed_large"))  # fmt: skip


class Modes:
    """A mixture of Gaussians about the rows of `centres`, in [-1, 1]."""

    spread = 0.05

    def __init__(self, centres):
        self.centres = centres

    def draw(self, n, generator):
        """Return n draws, clipped to [-1, 1] as the samplers clip."""
        picked = self.centres[torch.randint(len(self.centres), (n,), generator=generator)]
        return (picked + self.spread * torch.randn(picked.shape, generator=generator)).clamp(-1, 1)

    def predict(self, x, a):
        """Return E[x0|x_t]: a mean of the centres, weighted by how likely each is behind x_t, the rest shrunk."""
        variance = a * self.spread**2 + 1 - a  # of x_t about sqrt(abar) times a centre
        weights = torch.softmax(-torch.cdist(x, a.sqrt() * self.centres).square() / (2 * variance), 1)
        centre = weights @ self.centres
        return centre + a.sqrt() * self.spread**2 / variance * (x - a.sqrt() * centre)


class Smooth:
    """One Gaussian with the mean and covariance of the rows of `centres`, at `scale` of their size."""

    scale = 0.3

    def __init__(self, centres):
        self.mean = self.scale * centres.mean(0)
        values, self.axes = torch.linalg.eigh(self.scale**2 * centres.T.cov())
        self.variances = values.clamp_min(0)

    def draw(self, n, generator):
        """Return n draws, clipped to [-1, 1] as the samplers clip."""
        rows = torch.randn(n, len(self.mean), generator=generator) * self.variances.sqrt()
        return (self.mean + rows @ self.axes.T).clamp(-1, 1)

    def predict(self, x, a):
        """Return E[x0|x_t]: along each principal axis a shrunk x_t."""
        gain = a.sqrt() * self.variances / (a * self.variances + 1 - a)
        return self.mean + ((x - a.sqrt() * self.mean) @ self.axes * gain) @ self.axes.T


class Perfect(nn.Module):
    """E[x0|x_t] said as the noise that it means, (x_t - sqrt(abar) x0) / sqrt(1 - abar), or as v."""

    def __init__(self, data, model):
        super().__init__()
        self.data, self.abar, self.kind = data, model.scheduler.alphas_cumprod, model.config.prediction

    def forward(self, x, t):
        a = self.abar[t[0]]
        x0 = self.data.predict(x.flatten(1), a)
        noise = (x.flatten(1) - a.sqrt() * x0) / (1 - a).sqrt()
        said = noise if self.kind == "epsilon" else a.sqrt() * noise - (1 - a).sqrt() * x0
        return type("Output", (), {"sample": said.view_as(x)})


def words(values):
    """Return a mean and its 95% t-interval."""
    mean, low, high = interval(values)
    return f"{mean:9.5f} ± {(high - low) / 2:.5f}"


def compare(data, n, runs):
    """Print the distance of every sampler at every number of calls."""
    real = data.draw(n, torch.Generator().manual_seed(0))

    def distance(rows):
        return METRICS["kid"](real / real.std(), rows / real.std())

    kind = type(data).__name__.lower()
    fresh = [distance(data.draw(n, torch.Generator().manual_seed(1 + run))) for run in runs]
    print(f"{kind}: {'fresh draws':30s} {words(fresh)}", flush=True)
    for sampler, variance in SAMPLERS:
        model = DDPM(size=8, widths=(8, 16), variance=variance).eval()
        model.unet = Perfect(data, model)
        for steps in STEPS:
            seeds = [[image_seed(run, place) for place in range(n)] for run in runs]
            made = [model.generate(one, sampler=sampler, num_inference_steps=steps).flatten(1) for one in seeds]
            name = f"{sampler}{', ' + variance if sampler == 'ddpm' else ''}, {steps} calls"
            print(f"{kind}: {name:30s} {words([distance(rows) for rows in made])}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=2000)
    parser.add_argument("--generations", type=int, default=3)
    args = parser.parse_args()
    centres = to_float(torch.cat([load_images("digits", split).x for split in ("train", "validation", "test")]))
    for kind in (Smooth, Modes):
        compare(kind(centres.flatten(1)), args.n, range(args.generations))


if __name__ == "__main__":
    main()
