"""Rows with invented scores, for tests of what reads rows. Their shapes are plausible; their numbers mean nothing."""

import json
import math
import random

MACHINE = {"device": "cpu", "name": "Test Processor", "cores": 2, "threads": 2}
STUDENT = {2: 12.706, 3: 4.303, 5: 2.776}  # 95%, two-sided, generations - 1 degrees of freedom
SAMPLING = "sampling only: one training run"
PIXELS = ("kid", "fd", "precision", "recall", "density", "coverage", "vendi_ratio", "pairwise_ratio", "authenticity")
BASELINE = {"kid": 0.0006, "coverage": 0.97, "precision": 0.97, "sharpness": 1.0}
CURVES = {  # how a family's scores depend on its knobs
    "vae": {"kid": 0.009, "coverage": 0.93, "sharpness": 0.8},
    "gan": {"kid": 0.02, "coverage": 0.90, "sharpness": 1.0},
    "ddpm": {"kid": 0.007, "coverage": 0.95, "sharpness": 1.0},
}


def score(values):
    """A score of these values, with the t-interval of three or five of them."""
    n, mean = len(values), sum(values) / len(values)
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / (n - 1)) if n > 1 else 0.0
    half = STUDENT.get(n, 0.0) * deviation / math.sqrt(n)
    return {"mean": mean, "low": mean - half, "high": mean + half, "values": list(values)}


def scores(generations, noise=0.01, dice=None, **means):
    """Every score for the given few: each generation's value is the mean and a little noise."""
    dice = dice or random.Random(0)
    kid, coverage, precision = means["kid"], means["coverage"], means["precision"]
    full = {"fd": 0.4 + 30 * kid, "recall": coverage, "density": 1.02 * precision, "confidence": precision,
            "vendi_ratio": 0.85 + 0.15 * coverage, "pairwise_ratio": 0.92 + 0.08 * coverage, "missing_modes": 0.0,
            "class_balance": 0.1 * (1 - coverage) + 0.01, "authenticity": 0.55, **means}  # fmt: skip
    classifier = {
        key: score([value * (1 + dice.gauss(0, noise)) for _ in range(generations)]) for key, value in full.items()
    }
    return {"classifier": classifier, "pixels": {key: classifier[key] for key in PIXELS}}


def quality(checkpoint, family, label, kind, knobs, n, found, digest="0" * 16, dataset="mnist", **more):
    """A row of a point's quality."""
    generations = len(next(iter(found["classifier"].values()))["values"])
    return {
        "row": 3, "kind": "quality", "dataset": dataset, "checkpoint": checkpoint, "family": family,
        "point": {"label": label, "kind": kind}, "knobs": knobs, "n": n, "generations": generations,
        "seeds": [0, generations - 1], "split": "test", "scores": found, "left_out": {},
        "hashes": {"checkpoint": digest} if checkpoint else {}, "uncertainty": SAMPLING,
        "training": {"images": 500_000, "seconds": 6000.0, "device": "cpu", "parameters": 1_000_000},
        "settings": {"dtype": "float32", "threads": 2, "batch": 100}, "machine": MACHINE, "seconds": 100.0,
        "version": "0.1.0", "date": "2026-11-22", "command": f"python -m gencore evaluate {checkpoint}", **more,
    }  # fmt: skip


def real(n, found, dataset="mnist"):
    """The baseline at n."""
    return quality("", "real", "real train images", "baseline", {}, n, found, dataset=dataset) | {"kind": "real"}


def cost(row, ms, calls=1, machine=MACHINE):
    """The cost of a quality row's point: `ms` an image, 16 at once."""
    batches = [
        {"n": n, "repeats": 10, "ms": n * each, "ms_p95": 1.05 * n * each, "ms_per_image": each,
         "images_per_s": 1000 / each} for n, each in ((1, 2.5 * ms), (16, ms))
    ]  # fmt: skip
    kept = ("row", "dataset", "checkpoint", "family", "point", "knobs", "seconds", "version", "date", "command")
    return {key: row[key] for key in kept} | {
        "kind": "cost", "hashes": row["hashes"], "batches": batches, "best": 16, "calls": calls,
        "flops": 10_000_000 * calls, "parameters": 500_000, "parameters_total": 1_000_000, "peak_memory_mb": 20.0,
        "settings": {"dtype": "float32", "threads": 2}, "machine": machine,
    }  # fmt: skip


def means(family, knobs, calls):
    """A point's invented scores: better with more calls, worse away from a temperature or truncation of 1."""
    found = dict(CURVES.get(family, CURVES["gan"]))
    if calls > 1 or "num_inference_steps" in knobs:
        effective = calls / {"ddpm": 18, "ddim": 3}.get(knobs.get("sampler"), 1)
        found["kid"] += 0.5 * math.exp(-effective / 2.2)
        found["coverage"] -= 0.6 * math.exp(-effective / 2.5)
    away = abs(1 - float(knobs.get("temperature", knobs.get("truncation", 1)))) + 2 * (knobs.get("prior") == "normal")
    return {
        "kid": found["kid"] + 0.3 * away,
        "coverage": max(0.05, found["coverage"] - 0.4 * away),
        "precision": max(0.3, 0.95 - 0.5 * found["kid"] - 0.1 * away),
        "sharpness": found["sharpness"],
    }


def rows(families, hashes, dataset="mnist"):
    """Rows for every operating point of the families: headline and lecture points at n = 5,000, sweeps at 2,000.

    Args:
        families: By checkpoint name, the family's class.
        hashes: By checkpoint name, the hash of its files.
        dataset: The data set.
    """
    from gencore.family import resolve_knobs

    dice = random.Random(0)
    made = [real(n, scores(g, dice=dice, **BASELINE), dataset) for n, g in ((5000, 5), (2000, 3), (400, 5))]
    for name, kind in families.items():
        for point in kind.points:
            knobs = resolve_knobs(kind.knobs, point.knobs)
            calls = int(knobs.get("num_inference_steps", 1))
            n, generations = (2000, 3) if point.kind == "sweep" else (400, 5) if calls >= 500 else (5000, 5)
            found = scores(generations, dice=dice, **means(kind.name, knobs, calls))
            now = {"revision": len(kind.changes_of(knobs))}
            row = quality(name, kind.name, point.label, point.kind, knobs, n, found, hashes[name], dataset, **now)
            made += [row, cost(row, (3.5 if "num_inference_steps" in knobs else 0.4) * calls, calls)]
    return made


def distinct(families):
    """Rows of every operating point once: those that two points share by their knobs are the first one's."""
    seen, kept = set(), []
    for row in rows(families, dict.fromkeys(families, "0" * 16)):
        key = row["kind"], row["checkpoint"], json.dumps(row["knobs"], sort_keys=True), row.get("n")
        if key not in seen:
            kept.append(row)
        seen.add(key)
    return kept


def write(path, made):
    """Write rows as a file of rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in made), encoding="utf-8")
