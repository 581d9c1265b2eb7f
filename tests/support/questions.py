"""Operating points made by hand, for questions whose right answer is known."""

from dataclasses import replace

import numpy as np

from dashboard.results.operating_points import join
from tests.support.invented import BASELINE, MACHINE, cost, quality, real, score

TITLES = {"vae": "VAE", "gan": "GAN", "ddpm": "DDPM", "consistency": "CM", "flow": "Flow"}


def found(spread=0.01, generations=5, **means):
    """Scores whose generations lie evenly around a mean; `spread` is the farthest one's distance from it."""
    values = {"precision": 0.9, "density": 0.9, "sharpness": 1.0, "recall": means.get("coverage"), **means}
    steps = np.linspace(-1, 1, generations)
    return {"classifier": {key: score([mean * (1 + spread * step) for step in steps]) for key, mean in values.items()}}


def point(family, label, ms, n=5000, kind="headline", checkpoint="", machine=MACHINE, calls=1, **means):
    """The two rows of a point; `ms` None leaves the cost out."""
    scores = found(**means)
    row = quality(checkpoint or f"mnist/{family}", family, label, kind, {"mode": label}, n, scores)
    return [row] + ([] if ms is None else [cost(row, ms, calls, machine)])


def measure(*points, baseline=True, stale=(), **more):
    """Measurements of these points, with real data at n = 5,000 and 2,000; `stale` names labels.

    `more` are fields of theirs.
    """
    rows = [row for rows in points for row in rows]
    rows += [real(n, found(**BASELINE)) for n in (5000, 2000)] if baseline else []
    old = {i: "The checkpoint has changed." for i, row in enumerate(rows) if row["point"]["label"] in stale}
    return replace(join("mnist", rows, TITLES, {}, old), **more)


def trio():
    """A quick poor model, a middling one, and a slow good one: no two tie in anything."""
    return measure(
        point("gan", "quick", 0.5, kid=0.1, coverage=0.7),
        point("vae", "middling", 5.0, kid=0.03, coverage=0.8),
        point("ddpm", "good", 100.0, kid=0.005, coverage=0.95, calls=20),
    )
