"""What scoring a generation costs, sampling left out: seconds of one core for features and metrics, by n.

python tests/bench/bench_scoring.py mnist
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch

from gencore.data import load_images
from gencore.evaluation.scoring import BatchFeatures, Reference

SIZES, BATCH = (400, 1000, 5000), 100


def main(dataset: str) -> None:
    """Print a line for each n; process time, so that other work beside it counts as little as may be."""
    reference, images = Reference(dataset), load_images(dataset).x
    reference.scores(reference.extract(images[:BATCH]))  # what is computed once
    print(f"features in {', '.join(reference.reals)}")
    for n in SIZES:
        begun = time.process_time()
        features = BatchFeatures.join([reference.extract(batch) for batch in images[:n].split(BATCH)])
        extracted = time.process_time()
        reference.scores(features)
        print(
            f"n = {n:,}: features {extracted - begun:.1f} s, metrics {time.process_time() - extracted:.1f} s",
            flush=True,
        )


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(*sys.argv[1:])
