"""Scores of checkpoints against the validation part, by which choices are made: weights, settings, the default knobs.

    python -m tests.validation [--n 2000] [--dtype float32] [--points TEXT ...] CHECKPOINT ...

Prints, in the features of every shipped extractor, KID to the features of the whole validation part and recall at equal
numbers, of n samples at the default knobs, or at each operating point that has a TEXT in its label; and of real train
images. Never looks at the test split. Not a test: pytest does not collect it.
"""

import argparse

import torch

from gencore.checkpoint import load
from gencore.data import load_images, to_uint8
from gencore.errors import InputError
from gencore.extractors import EXTRACTORS, extractor_path, load_extractor
from gencore.family import Point, image_seed
from gencore.metrics import METRICS

RUN_SEED = 8  # of the samples; rows are made of other ones
BATCH = 100


def available(dataset):
    """The extractors that a data set has, by name."""
    found = {}
    for name in EXTRACTORS:
        try:
            extractor_path(dataset, name)
        except InputError:
            continue
        found[name] = load_extractor(dataset, name)
    return found


def line(title, images, extractors, real):
    """One line: a checkpoint's scores in each extractor's features."""
    scores = []
    for name, extractor in extractors.items():
        fake = extractor.features(images)
        kid, recall = METRICS["kid"](real[name], fake), METRICS["recall"](real[name][: len(fake)], fake)
        scores.append(f"{name}: KID {kid:8.4f}, recall {recall:.3f}")
    print(f"{title:44} {'   '.join(scores)}", flush=True)


def main():
    """Score what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoints", nargs="+", metavar="CHECKPOINT")
    parser.add_argument("--n", type=int, default=2000)
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--points", action="append", default=[])
    parser.add_argument("--data", default="mnist")
    asked = parser.parse_args()
    extractors = available(asked.data)
    real = {name: one.features(load_images(asked.data, "validation").x) for name, one in extractors.items()}
    line("real train images", load_images(asked.data, "train").x[: asked.n], extractors, real)
    seeds = [image_seed(RUN_SEED, i) for i in range(asked.n)]
    for name in asked.checkpoints:
        model = load(name, dtype=asked.dtype)
        wanted = [point for point in model.points if any(text in point.label for text in asked.points)]
        for point in wanted or [Point("default knobs", {}, "headline")]:
            parts = [model.generate(seeds[i : i + BATCH], **point.knobs) for i in range(0, asked.n, BATCH)]
            line(f"{name}, {point.label}", to_uint8(torch.cat(parts)), extractors, real)


if __name__ == "__main__":
    main()
