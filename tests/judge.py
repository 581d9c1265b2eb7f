"""An outside judge: scores checkpoints in the features of a classifier that nothing here is trained or chosen with.

    python -m tests.judge [--n 5000] [--dtype float32] [--knob name=value ...] [--noise T ...] CHECKPOINT ...

It has a seed, a network and a part of the data of its own: a small residual network, which learns from the first
50,000 images of MNIST's train split and from no others (about 3 minutes on two cores, kept in runs/judge.pt). Its 64
features before the last layer are whitened by the other 5,000 of the train split, and it prints the Fréchet distance
of n samples to the first n test images, beside that of those 5,000 real images. With `--noise`, it scores instead what
the networks of checkpoints that diffuse see in those real images once they have noise of t. Choices are made with the
shipped extractors on the validation part (`python -m tests.validation`), and the judge is asked once they are made. Not
a test: pytest does not collect it.
"""

import argparse
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from gencore.checkpoint import load
from gencore.cli.options import parse_knobs
from gencore.data import load_images, to_float, to_uint8
from gencore.family import image_seed

WEIGHTS = Path("runs", "judge.pt")
RUN_SEED = 7  # of the samples; rows are made of other ones
JUDGE_SEED = 20_261_128
LEARNT, UNSEEN = slice(0, 50_000), slice(50_000, 55_000)  # of the train split
WIDTHS, FEATURES, CLASSES = (24, 48, 96), 64, 10
EPOCHS, BATCH = 5, 128


class Block(nn.Module):
    """Two convolutions beside a shortcut, at half the size (He et al. 2016)."""

    def __init__(self, i: int, o: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(i, o, 3, 2, padding=1, bias=False), nn.BatchNorm2d(o), nn.GELU(),
            nn.Conv2d(o, o, 3, padding=1, bias=False), nn.BatchNorm2d(o),
        )  # fmt: skip
        self.shortcut = nn.Conv2d(i, o, 1, 2)

    def forward(self, x):
        """(n, i, H, W) -> (n, o, H / 2, W / 2), rounded up."""
        return functional.gelu(self.body(x) + self.shortcut(x))


class Judge(nn.Module):
    """A classifier of MNIST; `features` is what its last layer sees."""

    def __init__(self):
        super().__init__()
        blocks = [Block(i, o) for i, o in zip((1, *WIDTHS), WIDTHS, strict=False)]
        self.body = nn.Sequential(*blocks, nn.Flatten(), nn.Linear(WIDTHS[-1] * 16, FEATURES))
        self.head = nn.Linear(FEATURES, CLASSES)

    def forward(self, x):
        """(n, 1, 28, 28) in [-1, 1] -> the classes' logits (n, 10)."""
        return self.head(functional.dropout(self.body(x), 0.2, self.training))

    @torch.no_grad()
    def features(self, x):
        """Return the features (N, 64) of uint8 images (N, 1, 28, 28), float64."""
        return torch.cat([self.body(to_float(part)) for part in x.split(1000)]).double()


def trained():
    """Return the judge, trained with AdamW under one cycle if it is not kept from before."""
    torch.manual_seed(JUDGE_SEED)
    judge, train = Judge(), load_images("mnist", "train")
    if WEIGHTS.exists():
        judge.load_state_dict(torch.load(WEIGHTS, weights_only=True))
        return judge.eval()
    x, y = train.x[LEARNT], train.labels[LEARNT]
    batches = [rows for _ in range(EPOCHS) for rows in torch.randperm(len(x)).split(BATCH)]
    optimizer = torch.optim.AdamW(judge.parameters(), weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=len(batches))
    for rows in batches:
        optimizer.zero_grad()
        functional.cross_entropy(judge(to_float(x[rows])), y[rows]).backward()
        optimizer.step()
        schedule.step()
    judge.eval()
    test = load_images("mnist", "test")
    right = judge.head(judge.features(test.x).float()).argmax(1) == test.labels
    print(f"judge: {right.float().mean():.2%} of the test split right", flush=True)
    WEIGHTS.parent.mkdir(exist_ok=True)
    torch.save(judge.state_dict(), WEIGHTS)
    return judge


def frechet_distance(a, b):
    """Return |mean a - mean b|^2 + tr(A + B - 2 (A B)^(1/2)) by symmetric eigen-decompositions."""
    gap, cov_a, cov_b = a.mean(0) - b.mean(0), torch.cov(a.T), torch.cov(b.T)
    values, vectors = torch.linalg.eigh(cov_a)
    root = (vectors * values.clamp_min(0).sqrt()) @ vectors.T
    cross = torch.linalg.eigvalsh(root @ cov_b @ root).clamp_min(0).sqrt().sum()
    return (gap @ gap + cov_a.trace() + cov_b.trace() - 2 * cross).item()


def main():
    """Score what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoints", nargs="*", metavar="CHECKPOINT")
    parser.add_argument("--n", type=int, default=5000)
    parser.add_argument("--knob", action="append", default=[])
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--noise", type=int, nargs="+", default=[], metavar="T")
    asked = parser.parse_args()
    judge = trained()
    unseen = judge.features(load_images("mnist", "train").x[UNSEEN])
    mean, (values, vectors) = unseen.mean(0), torch.linalg.eigh(torch.cov(unseen.T))
    whiten = vectors * values.clamp_min(1e-8).rsqrt()
    target = (judge.features(load_images("mnist", "test").x[: asked.n]) - mean) @ whiten
    real = frechet_distance((unseen[: asked.n] - mean) @ whiten, target)
    print(f"real train images, n = {min(asked.n, len(unseen))}: {real:.2f}", flush=True)
    for name in asked.checkpoints:
        model, knobs = load(name, dtype=asked.dtype), parse_knobs(asked.knob)
        made = {f"noise of t = {t}": seen(model, t, asked.n) for t in asked.noise}
        made = made or {f"{knobs or 'default knobs'}": samples(model, knobs, asked.n)}
        for what, images in made.items():
            score = frechet_distance((judge.features(images) - mean) @ whiten, target)
            print(f"{name} {what}, n = {len(images)}: {score:.2f}", flush=True)


def samples(model, knobs, n):
    """Return n samples, uint8 (n, 1, 28, 28)."""
    seeds = [image_seed(RUN_SEED, i) for i in range(n)]
    return torch.cat([to_uint8(model.generate(seeds[i : i + 100], **knobs)) for i in range(0, n, 100)])


@torch.no_grad()
def seen(model, t, n):
    """Return the images that a model sees in unseen real ones under noise of t, uint8 (n, 1, 28, 28)."""
    torch.manual_seed(RUN_SEED)
    parts = to_float(load_images("mnist", "train").x[UNSEEN][:n]).split(100)
    noisy = (model.diffuse(x, torch.full((len(x),), t), torch.randn_like(x)) for x in parts)
    return torch.cat([to_uint8(model.predict(x, torch.full((len(x),), t))) for x in noisy])


if __name__ == "__main__":
    main()
