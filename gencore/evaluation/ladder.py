"""How well each extractor sees: real validation images degraded step by step, and what each extractor's KID says.

The reference is train images, the undegraded images are validation images, and no test image takes part.
docs/metrics.md says how a verdict comes about, and by which rule the default extractor is chosen.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gencore import metrics, pictures
from gencore.checkpoint import write_json
from gencore.data import View, dataset_key, difference, identity, load_splits
from gencore.device import circumstances, pick_device
from gencore.errors import InputError
from gencore.evaluation.degradations import DEGRADATIONS, Crowd, Degradation
from gencore.evaluation.rows import extractor_hash
from gencore.extractors import FOLDER, LADDER, Extractor, Show, extractors_of, ladder_path, load_extractor
from gencore.extractors.reference import load_real
from gencore.metrics.distances import KernelReference
from gencore.paths import as_path

VERSION = 1
PICTURE = "ladder.png"  # beside the file: one strip of examples per ladder
HEADLINE = "kid"
KEYS = (HEADLINE, "fd", "recall", "coverage")
BLOCKS, SIZE, LEAST = 5, 1000, 10  # blocks of images, images in each, and the fewest
CIRCUMSTANCES = ("machine", "versions", "command", "date")
REFERENCE = 10_000  # train images that are compared with, at most: of some features fewer are kept
CELL, GAP = 4, 2  # a strip's cell is so many images a side; pixels between two cells


class Eye:
    """An extractor, and the features of the train images that it compares with."""

    def __init__(self, extractor: Extractor, train: Tensor):
        self.extractor, self.train = extractor, train
        self.reference = KernelReference(train)

    def features(self, x: Tensor) -> Tensor:
        """Return the features, float32 (N, d), of uint8 images (N, C, H, W)."""
        return self.extractor.features(x)

    def scores(self, fake: Tensor) -> dict[str, float]:
        """Return the metrics of KEYS that n rows (n, d) are enough for; all but KID against as many train images."""
        rest, _ = metrics.scores(self.train[: len(fake)], fake, keys=[key for key in KEYS if key != HEADLINE])
        return {HEADLINE: self.kid(fake), **rest}

    def kid(self, fake: Tensor) -> float:
        """Return the KID of rows (n, d) to all of the train images: the metric, its share of these kept."""
        return self.reference.distance(fake)[0]


@dataclass(frozen=True)
class Ladder:
    """A degradation with the steps that a data set's images are enough for."""

    degradation: Degradation
    steps: tuple[float, ...]

    def told(self) -> dict[str, Any]:
        """Return what the file says of it."""
        one = self.degradation
        return {
            "key": one.key,
            "title": one.title,
            "about": one.about,
            "strengths": list(self.steps),
            "steps": [one.words(step) for step in self.steps],
        }


# ---- measuring


def measure_ladder(
    dataset: str,
    n: int | None = None,
    seed: int = 0,
    device: str | None = None,
    show: Show | None = None,
    known: Mapping[str, Any] | None = None,
) -> tuple[dict[str, Any], np.ndarray]:
    """Return how well each extractor of a data set sees, as `ladder.json` holds it, and the examples of `examples`.

    Args:
        dataset: The data set, with features and a validation split.
        n: Images in each of the five blocks; by default 1,000, or a fifth of a smaller validation split.
        seed: Of noise, fields, holes and directions.
        device: As for `gencore.device.pick_device`.
        show: Is told the progress.
        known: An earlier record; extractors that have not changed since, measured in the same way, are taken from it.

    Raises:
        InputError: if there are no features or too few images, or on a bad argument.
    """
    names = extractors_of(dataset)
    if not names:
        raise InputError(f"{dataset} has no features; make them first: python -m gencore features {dataset}")
    start, where = time.perf_counter(), pick_device(device)
    real = load_real(dataset, names[0])
    images = load_splits(dataset, View(**real.view), ("validation",))["validation"]
    if changed := difference(real.identity, identity({"validation": images})):
        raise InputError(f"{dataset} has other images than its features are of ({changed}); make them again.")
    n = block_size(len(images.x), n)
    crowd = Crowd.of(images)
    ladders, hashes = ladders_for(crowd, n), {name: extractor_hash(dataset, name) for name in names}
    how = {
        "ladder": VERSION,
        "dataset": dataset_key(dataset),
        "n": n,
        "blocks": BLOCKS,
        "reference": REFERENCE,
        "seed": seed,
        "ladders": [ladder.told() for ladder in ladders],
    }
    kept = still_known(known or {}, how, hashes)
    eyes = {name: Eye(load_extractor(dataset, name).to(where), load_real(dataset, name).train[:REFERENCE])
            for name in names if name not in kept}  # fmt: skip
    found = climb(eyes, ladders, crowd, n, seed, show or (lambda share, words: None)) if eyes else {}
    new = {name: summary(found[name], ladders) for name in eyes}
    seconds, now = round(time.perf_counter() - start, 1), circumstances("ladder", where)
    for one in new.values():
        one.update(seconds=round(seconds / len(new), 1), **now)
    summaries = {name: kept.get(name) or new[name] for name in names}
    record = {
        **how,
        "hashes": hashes,
        "default": best(summaries),
        "extractors": summaries,
        **now,
    }
    return record, examples(crowd, ladders, seed)


def still_known(known: Mapping[str, Any], how: Mapping[str, Any], hashes: Mapping[str, str]) -> dict[str, Any]:
    """Return what an earlier record holds of the extractors that have not changed, if it was measured in this way."""
    if any(known.get(key) != value for key, value in how.items() if key != "ladders"):
        return {}
    before, now = ([(one["key"], one["strengths"]) for one in told["ladders"]] for told in (known, how))
    if before != now:
        return {}
    same = [name for name, digits in hashes.items() if known["hashes"].get(name) == digits]
    then = {key: known[key] for key in CIRCUMSTANCES if key in known}  # extractors did not always have their own
    return {name: {**then, **known["extractors"][name]} for name in same}


def block_size(images: int, wanted: int | None) -> int:
    """Return the images in a block, of so many images.

    Raises:
        InputError: if there are too few for five blocks of so many.
    """
    n = min(SIZE, images // BLOCKS) if wanted is None else wanted
    if n < LEAST or n * BLOCKS > images:
        raise InputError(
            f"A ladder takes {BLOCKS} blocks of {LEAST} or more validation images; there are {images:,} of them, "
            f"and blocks of {n:,} were asked for."
        )
    return n


def ladders_for(crowd: Crowd, n: int) -> list[Ladder]:
    """Return the ladders that images allow, each with the steps for which they are enough."""
    found = []
    for one in DEGRADATIONS.values():
        if one.by_class and crowd.classes < 2:
            continue
        enough = [step for step in one.steps if one.choose is None or _enough(one, step, crowd, n)]
        if len(enough) > 1:
            found.append(Ladder(one, tuple(enough)))
    return found


def _enough(one: Degradation, step: float, crowd: Crowd, n: int) -> bool:
    return all(len(one.choose(crowd, step, n, turn)) == n for turn in range(BLOCKS))


Values = dict[str, dict[str, list[list[float]]]]  # by ladder, '' the undegraded images, and metric: steps, blocks


def climb(
    eyes: Mapping[str, Eye], ladders: Sequence[Ladder], crowd: Crowd, n: int, seed: int, show: Show
) -> dict[str, Values]:
    """Return, by extractor, what it makes of every step of every ladder; images are degraded once for all of them."""
    plain = {}
    for place, (name, eye) in enumerate(eyes.items()):
        show(place / len(eyes) / len(ladders), f"{name}: undegraded images")
        plain[name] = eye.features(crowd.x)
    found: dict[str, Values] = {name: {"": _by_metric([_blocks(eyes[name], plain[name], n)])} for name in eyes}
    total = sum(len(ladder.steps) for ladder in ladders) * len(eyes)
    done = 0
    for ladder in ladders:
        scores: dict[str, list] = {name: [] for name in eyes}
        for step in ladder.steps:
            chosen = places(ladder.degradation, step, crowd, n)
            x = None if chosen is not None else ladder.degradation.change(crowd.x[: n * BLOCKS], step, seed)
            for name, eye in eyes.items():
                show(done / total, f"{ladder.degradation.title}, {ladder.degradation.words(step)}: {name}")
                rows = plain[name][chosen] if x is None else eye.features(x)
                scores[name].append(_blocks(eye, rows, n))
                done += 1
        for name in eyes:
            found[name][ladder.degradation.key] = _by_metric(scores[name])
    return found


def places(one: Degradation, step: float, crowd: Crowd, n: int) -> Tensor | None:
    """Return the places of all blocks' images, int64 (5 n,), where a degradation chooses them, else None."""
    if one.choose is None:
        return None
    return torch.cat([one.choose(crowd, step, n, turn) for turn in range(BLOCKS)])


def _blocks(eye: Eye, rows: Tensor, n: int) -> list[dict[str, float]]:
    return [eye.scores(block) for block in rows[: n * BLOCKS].split(n)]


def _by_metric(steps: Sequence[Sequence[Mapping[str, float]]]) -> dict[str, list[list[float]]]:
    """Return what was scored by step and block, by metric first; of metrics that every block has."""
    keys = [key for key in KEYS if all(key in block for step in steps for block in step)]
    return {key: [[block[key] for block in step] for step in steps] for key in keys}


# ---- the verdict


def interval_of_one(values: Sequence[float]) -> tuple[float, float]:
    """Return the interval in which one more value like these lies with 95%: mean ∓ t s √(1 + 1/R) of R values."""
    mean, low, high = metrics.interval(values)
    room = math.sqrt(len(values) + 1)
    return mean - room * (mean - low), mean + room * (high - mean)


def kendall(values: Sequence[float]) -> float:
    """Return Kendall's τ of values with their places: 1 if each is above the one before, -1 if each is below."""
    signs = [(later > earlier) - (later < earlier) for earlier, later in combinations(values, 2)]
    return sum(signs) / len(signs)


def first_noticed(steps: Sequence[float], within: tuple[float, float], better: str) -> int | None:
    """Return the first step, counted from 1, from which on every value is worse than the interval; None for none."""
    low, high = within
    seen = [value > high if better == "lower" else value < low for value in steps]
    missed = [place for place, one in enumerate(seen) if not one]
    first = 2 + max(missed, default=-1)
    return first if first <= len(seen) else None


def verdict(steps: Sequence[Sequence[float]], plain: Sequence[float], better: str) -> dict[str, Any]:
    """Return what a metric makes of a ladder: by step and block `steps`, of undegraded blocks `plain`.

    Returns:
        `means`: by step, over the blocks; `tau`: Kendall's τ of the means with the steps, the undegraded images the
        first, 1 where each is worse than the one before; `first`: the first step noticed, None if none is.
    """
    means = [sum(blocks) / len(blocks) for blocks in (plain, *steps)]
    tau = kendall(means) * (1 if better == "lower" else -1)
    first = first_noticed(means[1:], interval_of_one(plain), better)
    return {"means": [float(f"{mean:.6g}") for mean in means[1:]], "tau": round(tau, 4), "first": first}


def summary(found: Values, ladders: Sequence[Ladder]) -> dict[str, Any]:
    """Return an extractor's verdicts on all ladders, and its figures in the headline metric.

    Returns:
        `in_order`: ladders in order, of `of`; `first`: the mean of the first step noticed, never counting as one step
        more than there are; `undegraded`: by metric, the mean and the interval of one more block; `ladders`: by ladder
        and metric, the verdict.
    """
    plain = {key: blocks[0] for key, blocks in found[""].items()}
    verdicts = {
        ladder.degradation.key: {
            key: verdict(found[ladder.degradation.key][key], plain[key], metrics.METRICS[key].better) for key in plain
        }
        for ladder in ladders
    }
    headline = [verdicts[ladder.degradation.key][HEADLINE] for ladder in ladders]
    firsts = [one["first"] or len(one["means"]) + 1 for one in headline]
    undegraded = {}
    for key, values in plain.items():
        low, high = interval_of_one(values)
        undegraded[key] = {"mean": sum(values) / len(values), "low": low, "high": high}
    return {
        "in_order": sum(one["tau"] == 1 for one in headline),
        "of": len(headline),
        "first": round(sum(firsts) / len(firsts), 4),
        "undegraded": undegraded,
        "ladders": verdicts,
    }


def best(summaries: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the extractor that does best, by the rule of docs/metrics.md.

    Of those with the most ladders in order, or one less, the one that notices first on average; of equals the first.
    """
    most = max(one["in_order"] for one in summaries.values())
    near = [name for name, one in summaries.items() if one["in_order"] >= most - 1]
    return min(near, key=lambda name: summaries[name]["first"])


# ---- examples


def strip(one: Degradation, steps: Sequence[float], crowd: Crowd, seed: int) -> np.ndarray:
    """Return examples of a ladder, undegraded first: cells of images side by side, uint8 (H, W, C).

    Where images are changed, a cell has four of them, doubled in size; where they are chosen, sixteen, by class.
    """
    cells = [_cell(one, step, crowd, seed) for step in (0, *steps)]
    gap = np.full((cells[0].shape[0], GAP, cells[0].shape[2]), 128, np.uint8)
    return np.concatenate([part for cell in cells for part in (gap, cell)][1:], axis=1)


def _cell(one: Degradation, step: float, crowd: Crowd, seed: int) -> np.ndarray:
    if one.change is not None:
        small = pictures.grid(one.change(crowd.x[: (CELL // 2) ** 2], step, seed), CELL // 2)
        return small.repeat(2, 0).repeat(2, 1)
    chosen = one.choose(crowd, step, CELL * CELL, 0)
    return pictures.grid(crowd.x[chosen[crowd.labels[chosen].argsort(stable=True)]], CELL)


def examples(crowd: Crowd, ladders: Sequence[Ladder], seed: int) -> np.ndarray:
    """Return the strips of ladders one below the other, with no gap: uint8 (H, W, C).

    Ladders of fewer steps leave their last cells grey.
    """
    strips = [strip(ladder.degradation, ladder.steps, crowd, seed) for ladder in ladders]
    width = max(picture.shape[1] for picture in strips)
    rims = [((0, 0), (0, width - picture.shape[1]), (0, 0)) for picture in strips]
    return np.concatenate([np.pad(one, rim, constant_values=128) for one, rim in zip(strips, rims, strict=True)])


# ---- the files


def write_ladder(record: Mapping[str, Any], picture: np.ndarray, root: Path) -> Iterator[Path]:
    """Write what `measure_ladder` returns below `root`, each file atomically; yield each file's path.

    Raises:
        InputError: if the disk refuses.
    """
    folder = as_path(root) / record["dataset"] / FOLDER
    pictures.write_png(folder / PICTURE, picture)
    yield folder / PICTURE
    write_json(folder / LADDER, record)
    yield folder / LADDER


def load_ladder(dataset: str) -> dict[str, Any]:
    """Return what was measured of a data set's extractors.

    Raises:
        InputError: if there is nothing, or the file is damaged or of another version.
    """
    path, again = ladder_path(dataset), f"python -m gencore ladder {dataset}"
    if path is None:
        raise InputError(f"How well the extractors of {dataset} see has not been measured yet: {again}")
    try:
        record = json.loads(path.read_text("utf-8"))
        known = record["ladder"] == VERSION and bool(record["ladders"]) and record["default"] in record["extractors"]
        known = known and set(record["extractors"]) <= set(record["hashes"])
    except (OSError, ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise InputError(f"{path} is damaged or of another version; make it again: {again}")
    return record


def known_ladder(dataset: str) -> dict[str, Any]:
    """Return what `load_ladder` does, {} where it finds nothing that can be used."""
    try:
        return load_ladder(dataset)
    except InputError:
        return {}


def is_stale(record: Mapping[str, Any]) -> str:
    """Return one sentence if an extractor has changed or come since the ladder was measured, else ''."""
    dataset = record["dataset"]
    now = {name: extractor_hash(dataset, name) for name in extractors_of(dataset)}
    changed = [name for name in now if record["hashes"].get(name) != now[name]]
    if not changed:
        return ""
    return (
        f"The features {', '.join(changed)} of {dataset} have changed or come since; measure again: "
        f"python -m gencore ladder {dataset}"
    )
