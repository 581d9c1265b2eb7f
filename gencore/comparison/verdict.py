"""At the end, in one line: what to use for what, and how sure that is. From the rows that were measured alone.

The app's pages say more: they weigh, show every pair of features, and ask whether a difference matters. This line says
which family is the best in each of three things, and from which others its generations tell it apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gencore.families import FAMILIES
from gencore.metrics import METRICS

LEVEL = 0.95
THINGS = (("closest to the real images", "kid"), ("most varied", "recall"))  # metrics that need few images
AT_ONCE = 16  # images, at which times are compared: every row of costs has it
SAME_TIME = 1.05  # two medians of a timing within 5% are one time


@dataclass(frozen=True)
class Place:
    """A family's score in one thing: its name for people, the mean, the generations' values, lower being better."""

    name: str
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
    for what, key in THINGS:
        parts.append(best(what, scored(mine, extractor, key), f"in {extractor} features"))
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
            place = Place(title(row), sign * score["mean"], tuple(sign * value for value in score["values"]), shown)
            found[row["family"]] = min(found.get(row["family"], place), place, key=lambda one: one.mean)
    return sorted(found.values(), key=lambda one: one.mean)


def best(what: str, places: Sequence[Place], where: str) -> str:
    """Return which is the best of several, and from which of the others it is told apart."""
    if not places:
        return ""
    first, *others = places
    apart = [other for other in others if told_apart(first.values, other.values)]
    alike = [other for other in others if other not in apart]
    sure = []
    if apart:
        sure.append(f"told apart from {listed(apart)}")
    if alike:
        sure.append(f"not told apart from {listed(alike)}")
    return f"{what}: {first.name} ({first.shown} {where}{', ' if sure else ''}{', '.join(sure)})"


def told_apart(one: Sequence[float], other: Sequence[float]) -> bool:
    """Return whether the 95% interval of the difference of two means leaves out 0 (Welch 1947)."""
    from scipy.stats import ttest_ind

    if min(len(one), len(other)) < 2:
        return False
    if len({*one}) == len({*other}) == 1:  # no spread at all
        return one[0] != other[0]
    return bool(ttest_ind(one, other, equal_var=False).pvalue < 1 - LEVEL)


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
