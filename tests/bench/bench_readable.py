"""`python -m tests.bench.bench_readable CHECKPOINT...`: how many samples a classifier reads with confidence.

Of 1,000 samples at the default knobs, the share of which the data set's own classifier (`python -m gencore features`)
gives one class 0.9 or more; beside real test images, which neither the classifier nor the models were trained on.
"""

import sys

import torch

from gencore import checkpoint
from gencore.data import View, load_splits, to_uint8
from gencore.extractors import load_extractor
from gencore.family import image_seed

SAMPLES, SURE, BATCH = 1000, 0.9, 250


def line(name, classifier, x):
    """A row of the table, of uint8 images (N, C, H, W)."""
    found = classifier.probabilities(x).max(1)
    shares = torch.bincount(found.indices).double() / len(x)
    return f"| {name} | {(found.values >= SURE).double().mean():.1%} | {shares.min():.1%} to {shares.max():.1%} |"


def main(names):
    """Print the table."""
    first = checkpoint.find(names[0])
    classifier = load_extractor(first.dataset)
    print(f"| {SAMPLES:,} images | read with {SURE} or more | shares of the classes |\n|---|---|---|")
    test = load_splits(first.dataset, View(**first.view), ("test",))["test"].x
    print(line("real test images", classifier, test))
    for name in names:
        model, seeds = checkpoint.load(name), [image_seed(0, place) for place in range(SAMPLES)]
        x = torch.cat([to_uint8(model.generate(seeds[at : at + BATCH])) for at in range(0, SAMPLES, BATCH)])
        print(line(name, classifier, x.cpu()), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
