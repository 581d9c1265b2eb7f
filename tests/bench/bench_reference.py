"""How far a KID scatters over references: told by one of them, and seen over disjoint blocks of train images.

    python tests/bench/bench_reference.py mnist/vae mnist/gan

Prints, for each checkpoint and for the difference of the first two, the standard deviation that one reference tells
(`KernelReference.scatter`; for the mean of its square over the blocks), and that of the values themselves.
"""

import itertools
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch

from gencore import checkpoint
from gencore.data import to_uint8
from gencore.evaluation.scoring import Reference
from gencore.family import image_seed
from gencore.metrics import KernelReference

SAMPLES, BATCH = 2000, 100
BLOCKS = {400: 60, 2000: 20}  # references, by their size
Named = dict[str, torch.Tensor]  # by what they are of


def sampled(name: str) -> torch.Tensor:
    """Return samples of a checkpoint at its default knobs, uint8 (N, C, H, W)."""
    model = checkpoint.load(name, "cpu")
    with torch.no_grad():
        seeds = ([image_seed(0, i) for i in range(start, start + BATCH)] for start in range(0, SAMPLES, BATCH))
        return torch.cat([to_uint8(model.generate(part)) for part in seeds])


def compared(reference: KernelReference, features: Named) -> tuple[dict[str, float], dict[str, float]]:
    """Return the KID of each set of features, and what it is told to scatter by; also of the first two's difference."""
    found = {name: reference.distance(rows) for name, rows in features.items()}
    values = {name: value for name, (value, _) in found.items()}
    told = {name: reference.scatter(parts) for name, (_, parts) in found.items()}
    for one, other in itertools.islice(itertools.combinations(found, 2), 1):
        values["difference"] = found[one][0] - found[other][0]
        apart = found[one][1] - found[other][1]  # a mean over the real rows, no more
        told["difference"] = 2 * (apart.var() / len(apart)).sqrt().item()
    return values, told


def main(names: list[str]) -> None:
    """Print the tables."""
    images, whole = {name: sampled(name) for name in names}, Reference(checkpoint.find(names[0]).dataset)
    for extractor, real in whole.reals.items():
        features = {name: whole.extractors[extractor].features(x) for name, x in images.items()}
        for size, count in BLOCKS.items():
            found = [compared(KernelReference(block), features) for block in real.train[: size * count].split(size)]
            for name in found[0][0]:
                seen = torch.tensor([values[name] for values, _ in found]).std().item()
                told = torch.tensor([told[name] for _, told in found]).square().mean().sqrt().item()
                print(
                    f"{extractor}, {name}, N = {size:,}: told {told:.5f}, over {count} references {seen:.5f}",
                    flush=True,
                )
        values, told = compared(whole.kernels[extractor], features)
        for name, value in values.items():
            print(f"{extractor}, {name}, all {len(real.test):,}: {value:.4f}, told {told[name]:.5f}", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(sys.argv[1:] or ["mnist/vae", "mnist/gan"])
