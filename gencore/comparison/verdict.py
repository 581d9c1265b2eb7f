"""At the end, in one line: what to use for what, and how sure that is. From the rows that were measured alone.

The app's pages say more: they weigh, and show every pair of features. This line says which family is the best in each
of three things, and which others are as good, are told apart from it, or neither; by the pages' rule (`equivalence`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gencore.comparison.equivalence import APART, EQUAL, UNKNOWN, Matters, compare
from gencore.families import FAMILIES
from gencore.metrics import METRICS

THINGS = {  # metrics that need few images, and how large a difference in them matters
    "kid": ("closest to the real images", Matters(relative=0.1)),
    "recall": ("most varied", Matters(least=0.01)),
}
KINDS = {APART: "told apart from", EQUAL: "as good as", UNKNOWN: "not told apart from"}
AT_ONCE = 16  # images, at which times are compared: every row of costs has it
SAME_TIME = 1.05  # two medians of a timing within 5% are one time


@dataclass(frozen=True)
class Place:
    """A family's score in one thing: its name for people, n, the mean, the generations' values, lower being better."""

    name: str
    n: int
    mean: float
    values: tuple[float, ...]
    shown: str


def verdict(rows: Sequence[Mapping[str, Any]], checkpoints: Sequence[str], extractor: str) -> str:
    """Return what to use for what, and how sure that is.

    Args:
        rows: The data set's rows; of several of one checkpoint and point the last counts.
        checkpoints: Those that are compared.
        extractor: The features in which they are.
    """
    mine = [row for row in rows if row["checkpoint"] in checkpoints and row["point"]["kind"] == "headline"]
    parts = []
    for key, (what, matters) in THINGS.items():
        places = scored(mine, extractor, key)
        width = real_width(rows, places[0].n, extractor, key) if places else 0.0
        parts.append(best(what, places, f"in {extractor} features", matters, width))
    parts.append(fastest(mine))
    said = [part for part in parts if part]
    if not said:
        return "Nothing could be measured, so there is no recommendation."
    return f"{'; '.join(said)}. One training each: another seed may change the order."


def scored(rows: Sequence[Mapping[str, Any]], extractor: str, key: str) -> list[Place]:
    """Return each family's best point in a metric, the best family first."""
    sign = 1 if METRICS[key].better == "lower" else -1
    found: dict[str, Place] = {}
    for row in latest(rows, "quality"):
        score = row["scores"].get(extractor, {}).get(key)
        if score:
            shown = f"{METRICS[key].name} {score['mean']:.3g}"
            place = Place(
                title(row), row["n"], sign * score["mean"], tuple(sign * value for value in score["values"]), shown
            )
            found[row["family"]] = min(found.get(row["family"], place), place, key=lambda one: one.mean)
    return sorted(found.values(), key=lambda one: one.mean)


def real_width(rows: Sequence[Mapping[str, Any]], n: int, extractor: str, key: str) -> float:
    """Return how wide the interval of real data's own score at n images is; 0 where that was not measured."""
    found = [row["scores"].get(extractor, {}).get(key) for row in rows if row["kind"] == "real" and row["n"] == n]
    score = found[-1] if found else None
    return score["high"] - score["low"] if score and len(score["values"]) > 1 else 0.0


def best(what: str, places: Sequence[Place], where: str, matters: Matters, width: float) -> str:
    """Return which is the best of several, and how it stands to each of the others.

    Args:
        what: In what it is the best.
        places: The families, the best first.
        where: In which features.
        matters: How large a difference matters.
        width: How wide real data's own interval is.
    """
    if not places:
        return ""
    first, *others = places
    stand: dict[str, list[Place]] = {}
    for other in others:
        found = compare(first.values, other.values, matters.margin(width, first.mean, other.mean))
        stand.setdefault(found, []).append(other)
    sure = [f"{words} {listed(stand[kind])}" for kind, words in KINDS.items() if kind in stand]
    return f"{what}: {first.name} ({', '.join([f'{first.shown} {where}', *sure])})"


def fastest(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return which family's points make an image in the shortest time, on this machine."""
    times: dict[str, tuple[float, str]] = {}
    for row in latest(rows, "cost"):
        batch = max((one for one in row["batches"] if one["n"] <= AT_ONCE), key=lambda one: one["n"])
        mine = batch["ms_per_image"], title(row)
        times[row["family"]] = min(times.get(row["family"], mine), mine)
    ranked = sorted(times.values())
    if not ranked:
        return ""
    (ms, name), *others = ranked
    tail = ""
    if others:
        ratio = others[0][0] / ms
        tail = f", as fast as {others[0][1]}" if ratio < SAME_TIME else f", {ratio:.2g} times as fast as {others[0][1]}"
    return f"fastest: {name} ({ms:.2g} ms an image, {AT_ONCE} at once{tail})"


def latest(rows: Sequence[Mapping[str, Any]], kind: str) -> list[Mapping[str, Any]]:
    """Return the last row of a kind for each checkpoint and point."""
    return list({(row["checkpoint"], row["point"]["label"]): row for row in rows if row["kind"] == kind}.values())


def title(row: Mapping[str, Any]) -> str:
    """Return what people call a row's family."""
    return FAMILIES[row["family"]].title


def listed(places: Sequence[Place]) -> str:
    """Return names and scores, 'GAN (KID 0.1) and VAE (KID 0.2)'."""
    return " and ".join(f"{one.name} ({one.shown})" for one in places)
