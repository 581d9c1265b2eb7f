"""A held-out judge: scores checkpoints with a classifier that nothing in the project is trained or chosen with.

    python -m tests.judge [--split validation|test] [--n 5000] [--knob name=value ...] CHECKPOINT ...

It trains a small convolutional classifier on MNIST's 60,000 train images (about 3 minutes on two cores, kept in
runs/judge.pt), takes the 64 features before its last layer, whitens them by the train images' mean and
covariance, and prints the Fréchet distance of n samples to n images of the split, beside that of n real train
images. Not a test: pytest does not collect it.
"""

import argparse
from pathlib import Path

import torch
from torch import nn

from gencore.checkpoint import load
from gencore.cli.options import parse_knobs
from gencore.data import load_images, to_float, to_uint8
from gencore.family import image_seed

WEIGHTS = Path("runs", "judge.pt")
RUN_SEED = 7


def classifier() -> nn.Sequential:
    """Return the classifier; its 64 features come out of layer -3."""

    def block(i, o, stride):
        return nn.Sequential(nn.Conv2d(i, o, 3, stride, padding=1), nn.BatchNorm2d(o), nn.ReLU())

    body = nn.Sequential(block(1, 32, 1), block(32, 32, 2), block(32, 64, 1), block(64, 64, 2), block(64, 64, 1))
    return nn.Sequential(body, nn.Flatten(), nn.Linear(64 * 49, 64), nn.Dropout(0.3), nn.Linear(64, 10))


def real(split):
    """Return a split's images and labels; 'train' with its validation part."""
    parts = [load_images("mnist", s) for s in (("train", "validation") if split == "all train" else (split,))]
    return torch.cat([p.x for p in parts]), torch.cat([p.labels for p in parts])


def train_classifier(net, epochs=4, batch=128):
    """Train with Adam on one-cycle; print the test accuracy."""
    torch.manual_seed(1234)
    x, y = real("all train")
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=1e-2)
    steps = epochs * (len(x) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    net.train()
    for step in range(steps):
        if step % (len(x) // batch) == 0:
            order = torch.randperm(len(x))
        rows = order[step % (len(x) // batch) * batch :][:batch]
        loss = nn.functional.cross_entropy(net(to_float(x[rows])), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    net.eval()
    x, y = real("test")
    with torch.no_grad():
        right = torch.cat([net(to_float(part)).argmax(1) for part in x.split(1000)]) == y
    print(f"judge: {100 * right.float().mean():.2f}% of the test split right")


def features(net, x):
    """Return the features (N, 64) of uint8 images, float64."""
    with torch.no_grad():
        return torch.cat([net[:3](to_float(part)) for part in x.split(1000)]).double()


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
    parser.add_argument("--split", choices=("validation", "test"), default="validation")
    parser.add_argument("--n", type=int, default=5000)
    parser.add_argument("--knob", action="append", default=[])
    parser.add_argument("--dtype", default="float32")
    asked = parser.parse_args()
    net = classifier()
    if not WEIGHTS.exists():
        train_classifier(net)
        WEIGHTS.parent.mkdir(exist_ok=True)
        torch.save(net.state_dict(), WEIGHTS)
    net.load_state_dict(torch.load(WEIGHTS, weights_only=True))
    net.eval()
    train_features = features(net, real("all train")[0])
    mean, (values, vectors) = train_features.mean(0), torch.linalg.eigh(torch.cov(train_features.T))
    whiten = vectors * values.clamp_min(1e-8).rsqrt()
    target = (features(net, real(asked.split)[0][: asked.n]) - mean) @ whiten
    fair = torch.randperm(len(train_features), generator=torch.Generator().manual_seed(0))[: asked.n]
    baseline = frechet_distance((train_features[fair] - mean) @ whiten, target)
    print(f"real train images against {asked.split}, n = {asked.n}: {baseline:.2f}", flush=True)
    for name in asked.checkpoints:
        model, knobs = load(name, dtype=asked.dtype), parse_knobs(asked.knob)
        seeds = [image_seed(RUN_SEED, i) for i in range(asked.n)]
        images = [to_uint8(model.generate(seeds[i : i + 100], **knobs)) for i in range(0, asked.n, 100)]
        score = frechet_distance((features(net, torch.cat(images)) - mean) @ whiten, target)
        print(f"{name} {knobs or 'default knobs'}, against {asked.split}, n = {asked.n}: {score:.2f}", flush=True)


if __name__ == "__main__":
    main()
