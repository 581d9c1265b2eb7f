"""Rows of `shapes` whose truth is invented, and estimates that follow it, ignore it, or are misled."""

import numpy as np

from dashboard.results.operating_points import join
from tests.support.invented import quality, score

TITLES = {"vae": "VAE", "gan": "GAN", "ddpm": "DDPM"}


def rows(count, seed=0, dataset="shapes", n=5000, kind="quality", truth=True):
    """A row for each of `count` points: precision is misled, sharpness has nothing to do with it, coverage follows."""
    dice, found = np.random.default_rng(seed), []
    for place in range(count):
        true_quality, imbalance = dice.uniform(0.1, 1), dice.uniform(0, 0.5)
        scores = {
            "precision": 1 - true_quality, "density": true_quality**3, "sharpness": dice.uniform(0.5, 1),
            "coverage": 1 - imbalance, "kid": 1 - true_quality + imbalance,
        }  # fmt: skip
        scores |= {"true_quality": true_quality, "true_imbalance": imbalance} if truth else {}
        classifier = {key: score([value, value]) for key, value in scores.items()}
        pixels = {"precision": classifier["density"], "kid": classifier["kid"]}
        label, family = f"point {place}", list(TITLES)[place % 3]
        row = quality(f"{dataset}/{family}", family, label, "sweep", {"mode": label}, n,
                      {"classifier": classifier, "pixels": pixels}, dataset=dataset)  # fmt: skip
        if kind == "failure":
            row |= {"kind": "failure", "failure": f"broken-{place}", "point": {"label": label, "kind": "failure"}}
        found.append(row)
    return found


def measured(*parts, dataset="shapes"):
    """Measurements of such rows."""
    return join(dataset, [row for part in parts for row in part], TITLES, {}, {})
