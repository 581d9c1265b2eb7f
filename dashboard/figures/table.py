"""Every row as a table: what the Table page shows, and the same as CSV and JSON. Pure: no torch, no gradio.

Which scores are marked as best is decided here and never over-claimed: values that depend on n are compared at equal
n alone, and what is measured well enough and is not known to differ from the best (Welch's interval) is marked, too.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from dashboard import format
from dashboard.figures import cost
from dashboard.results import equivalence
from dashboard.results.axes import Axis, Metric, axis_of
from dashboard.results.operating_points import Measured, Measurements, Score, slug

GROUPS = {
    "distance": "Distance",
    "quality": "Quality",
    "diversity": "Diversity",
    "memorisation": "Memorisation",
    "likelihood": "Likelihood",
    "cost": "Cost",
    "origin": "Origin",
}
SHOWN = ("distance", "diversity", "likelihood", "cost", "origin")  # groups that are shown at first
ARROWS = {"lower": "↓", "higher": "↑", "one": "→ 1"}
TIMING = "timing"  # the kind of a row that has a cost of another machine, and no scores
BOUND = "bound"  # the kind of a row that has a likelihood bound alone


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        key: Its key in a row's cells.
        name: Its heading.
        group: A key of `GROUPS`.
        better: 'lower', 'higher' or 'one', '' where that is no question.
        about: One sentence for people.
        scored: Whether it is a metric, with a value per extractor.
    """

    key: str
    name: str
    group: str
    better: str = ""
    about: str = ""
    scored: bool = False


LIKELIHOOD = (
    Column("bits", "Bits/dim, at most", "likelihood", "lower", "The bound of −log p(x) on real images, in bits per "
           "dimension, ± half its 95% interval over images; what it rests on is in the CSV and the JSON."),
    Column("nats", "Nats, at most", "likelihood", "lower", "The same in nats per image."),
)  # fmt: skip
COSTS = (
    Column("calls", "Network calls", "cost", about="Network calls for one image, counted."),
    Column("ms", "ms per image", "cost", "lower", "Milliseconds per image, 16 images at once, median of the repeats."),
    Column("rate", "Images/s", "cost", "higher", "Images per second at the best batch size, which stands behind it."),
    Column("flops", "FLOPs", "cost", "lower",
           "Floating point operations for one image; a multiply and an add are two."),
    Column("parameters", "Parameters", "cost", "lower", "Parameters of the network that is called."),
    Column("memory", "Peak MB", "cost", "lower", "Peak memory: the weights and what generating adds, MB of 10⁶ bytes."),
    Column("machine", "Timed on", "cost", about="The machine of the cost columns."),
)  # fmt: skip
ORIGIN = (
    Column("source", "From elsewhere", "origin", about="Where an imported checkpoint is from, and its licence."),
    Column("trained", "Images in training", "origin", about="Unequal training makes families compare unequally."),
    Column("minutes", "Training time", "origin", about="Wall-clock time of the whole training."),
    Column("device", "Trained on", "origin", about="The device of the training."),
    Column("checkpoint", "Checkpoint hash", "origin", about="The first digits of the SHA-256 of what was measured."),
    Column("extractor", "Features hash", "origin", about="The first digits of the SHA-256 of the extractor's weights."),
    Column("date", "Measured", "origin", about="The day of the measurement."),
)  # fmt: skip


def columns(metrics: Mapping[str, Metric]) -> list[Column]:
    """Return all columns: the metrics by axis, then cost and origin."""
    scored = [
        Column(metric.key, metric.name, group, metric.better, metric.about, scored=True)
        for group in GROUPS
        for metric in metrics.values()
        if metric.axis == group
    ]
    return [*scored, *LIKELIHOOD, *COSTS, *ORIGIN]


# ---- cells


def cost_cells(row: Mapping[str, Any]) -> dict[str, list]:
    """Return the cells of a cost row: [what to sort by, text]."""
    at = Measured("", "", "", "", "", {}, 0, 0, {}, row)
    best = next((batch for batch in row["batches"] if batch["n"] == row["best"]), None)
    cells: dict[str, list] = {
        "calls": [row["calls"], f"{row['calls']:,}"],
        "flops": [row["flops"], format.count(row["flops"])],
        "parameters": [row["parameters"], format.count(row["parameters"])],
        "machine": [cost.machine_name(row), cost.machine_name(row)],
    }
    if at.ms_per_image is not None:
        cells["ms"] = [at.ms_per_image, format.exact(at.ms_per_image, 3)]
    if best:
        rate = format.exact(best["images_per_s"], 3)
        cells["rate"] = [best["images_per_s"], f"{rate} at {best['n']:,}"]
    if row.get("peak_memory_mb") is not None:
        cells["memory"] = [row["peak_memory_mb"], f"{row['peak_memory_mb']:,.1f}"]
    return cells


def stated_cells(row: Measured) -> dict[str, list]:
    """Return the cells of what was said of how samples from elsewhere were made, and not measured here."""
    words = {
        "ms": ("ms_per_image", lambda ms: f"{format.exact(ms, 3)} (stated)"),
        "calls": ("calls", lambda calls: f"{calls:,} (stated)"),
        "machine": ("machine", lambda machine: f"{machine} (stated)"),
    }
    return {
        key: [row.stated[name], told(row.stated[name])] for key, (name, told) in words.items() if name in row.stated
    }


def bound_cells(row: Mapping[str, Any]) -> dict[str, list]:
    """Return the cells of a bound's row, of -log p: [what to sort by, text]."""
    found = row["terms"]["elbo"]
    return {
        key: [-one["mean"], format.plus_minus(-one["mean"], (one["high"] - one["low"]) / 2)]
        for key, one in (("bits", found["bits_per_dim"]), ("nats", found["nats"]))
    }


def origin_cells(row: Mapping[str, Any]) -> dict[str, list]:
    """Return the cells that say where a row comes from; the extractor's hash is added for each extractor."""
    told = row.get("training", {})
    known = {
        "date": (row["date"], str),
        "trained": (told.get("images"), format.count),
        "minutes": (told.get("seconds"), format.minutes),
        "device": (told.get("device") or None, str.upper),
        "checkpoint": (row["hashes"].get("checkpoint") or None, lambda digits: digits[:8]),
    }
    return {key: [value, words(value)] for key, (value, words) in known.items() if value is not None}


def cells(row: Measured, metrics: Mapping[str, Metric], names: Sequence[str]) -> dict[str, dict[str, list]]:
    """Return a row's cells by extractor; '' has those that no extractor changes.

    A cell is [what to sort by, text], or for a score that was left out [None, '–', why]. A metric that is not measured
    in features (it needs no second opinion) stands among all of them.
    """
    found: dict[str, dict[str, list]] = {"": origin_cells(row.quality) | stated_cells(row)}
    found[""] |= cost_cells(row.cost) if row.cost else {}
    found[""] |= {"source": [row.origin, row.origin]} if row.origin else {}
    for name in names:
        mine: dict[str, list] = {}
        for key, metric in metrics.items():
            axis = axis_of(metric)
            score, why = axis.of(row, name), axis.why_not(row, name)
            if score:
                mine[key] = [score.mean, format.plus_minus(score.mean, score.half)]
            elif why:
                mine[key] = [None, "–", why]
        if known := row.quality["hashes"].get(name):
            mine["extractor"] = [known, known[:8]]
        found[name] = mine
    return found


# ---- the best of a column


def best(measured: Measurements, metrics: Mapping[str, Metric], name: str) -> set[tuple[str, str]]:
    """Return (row key, metric) for the best score of each metric at each n, and what is not known to differ from it.

    `name` is the extractor's. A stale row is never among them, nor one that is measured too roughly to have a place
    (`equivalence.ranked`): it would be marked for its noise. Where nothing differs nothing is marked: then there is no
    best.
    """
    marked: set[tuple[str, str]] = set()
    for metric in metrics.values():
        axis = axis_of(metric)
        for n in {point.n for point in measured.points}:
            alike = [point for point in measured.points if point.n == n and not point.stale]
            scored = [(point, score) for point in alike if (score := axis.of(point, name))]
            placed = ranked_among(axis, scored, axis.of(measured.baseline(n), name))
            if len(scored) < 2 or not placed:
                continue
            top = max(placed, key=lambda pair: axis.worth(pair[1].mean))[1]
            winners = [point for point, score in placed if score is top or may_equal(axis, score, top)]
            if len(winners) < len(scored):
                marked |= {(point.key, metric.key) for point in winners}
    return marked


def ranked_among(axis: Axis, scored: Sequence[tuple[Measured, Score]], real: Score | None) -> list:
    """Return those of some points and their scores whose place among the others is known."""
    scores = [score for _, score in scored]
    known = [
        [equivalence.compare(axis, a, b, real, equivalence.share_noise(p, q)).verdict != equivalence.UNKNOWN
         for q, b in scored]
        for p, a in scored
    ]  # fmt: skip
    margins = [equivalence.margin(axis, real, score) for score in scores]
    found = equivalence.ranked(scores, margins, np.array(known, bool).reshape(len(scores), len(scores)))
    return [pair for pair, here in zip(scored, found, strict=True) if here]


def may_equal(axis: Axis, one: Score, other: Score) -> bool:
    """Return whether two scores are not known to differ: Welch's 95% interval contains 0, or there is none."""
    _, low, high = axis.difference(one, other)
    return not (low > 0 or high < 0)


# ---- the page's value


def table(measured: Measurements, metrics: Mapping[str, Metric], titles: Mapping[str, str]) -> dict[str, Any]:
    """Return what the page's script makes its table from: plain values, text that is never markup.

    `titles` are the families' names for people; rows of other families have no marker.
    """
    names = list(measured.extractors) or [measured.usual_extractor]
    marks = {name: best(measured, metrics, name) for name in names}
    return {
        "dataset": measured.dataset,
        "extractors": names,
        "groups": [
            [key, title, key in SHOWN] for key, title in GROUPS.items() if key != "likelihood" or measured.bounds
        ],
        "columns": [
            asdict(column) | {"arrow": ARROWS.get(column.better, "")} for column in columns(metrics)
        ],
        "families": [[name, title] for name, title in titles.items()],
        "baselines": [entry(row, metrics, names, marks) for row in measured.baselines.values()],
        "rows": [
            *(entry(row, metrics, names, marks) for row in (*measured.points, *measured.failures)),
            *(bound_entry(bound, titles) for bound in measured.bounds),
            *(timing_entry(cost, titles) for cost in spare_costs(measured)),
        ],
        "problems": list(measured.problems),
    }  # fmt: skip


def entry(
    row: Measured, metrics: Mapping[str, Metric], names: Sequence[str], marks: Mapping[str, set[tuple[str, str]]]
) -> dict[str, Any]:
    """Return one row of the table."""
    own = row.checkpoint.rpartition("/")[2]
    return {
        "family": row.family,
        "title": "Real images" if row.kind == "baseline" else row.title,
        "label": row.label + (f" ({own})" if own not in (row.family, "") and not row.failure else ""),
        "kind": row.kind,
        "n": row.n,
        "generations": row.generations,
        "stale": row.stale,
        "cells": cells(row, metrics, names),
        "best": {name: sorted(key for row_key, key in marks[name] if row_key == row.key) for name in names},
    }


def spare_costs(measured: Measurements) -> list[Mapping[str, Any]]:
    """Return the cost rows that stand beside no point's scores: other machines' and those of points without scores."""
    joined = {id(point.cost) for point in measured.points}
    return [cost for cost in measured.costs if id(cost) not in joined]


def timing_entry(cost: Mapping[str, Any], titles: Mapping[str, str]) -> dict[str, Any]:
    """Return the row of the table for a cost row without scores."""
    label = cost["point"]["label"] + (", measured here" if cost.get("local") else "")
    return plain_entry(cost, titles, TIMING, label, cost_cells(cost))


def bound_entry(bound: Mapping[str, Any], titles: Mapping[str, str]) -> dict[str, Any]:
    """Return the row of the table for a likelihood bound."""
    own = bound["checkpoint"].rpartition("/")[2]
    label = f"{bound['point']['label']}, {bound['split']} split" + (f" ({own})" if own != bound["family"] else "")
    return {**plain_entry(bound, titles, BOUND, label, bound_cells(bound)), "n": bound["n"]}


def plain_entry(
    row: Mapping[str, Any], titles: Mapping[str, str], kind: str, label: str, cells: Mapping[str, list]
) -> dict[str, Any]:
    """Return one row of the table that has no scores, and so no generations."""
    return {
        "family": slug(row["family"]),
        "title": titles.get(row["family"], row["family"]),
        "label": label,
        "kind": kind,
        "n": None,
        "generations": None,
        "stale": row.get("stale", ""),
        "cells": {"": origin_cells(row) | cells},
        "best": {},
    }


# ---- to take away


def as_json(measured: Measurements, version: str, made: str) -> str:
    """Return every row as it was measured, each generation's values included, as one JSON object."""
    rows = [row.quality for row in measured.scored]
    whole = {
        "program": f"gencore {version}",
        "made": made,
        "dataset": measured.dataset,
        "rows": [*rows, *measured.bounds, *measured.costs],
        "stale": [{"row": row.key, "why": row.stale} for row in measured.scored if row.stale],
        "problems": list(measured.problems),
    }
    return json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False)


def as_csv(measured: Measurements) -> str:
    """Return every row as CSV, a line per operating point with its cost; lists joined by ';'.

    Columns are named by their way into the row: 'scores.classifier.kid.mean', 'cost.batches.16.ms_per_image'. Costs
    that stand beside no scores have lines of their own.
    """
    lines = [
        {**dict(flat(row.quality)), **dict(flat(row.cost or {}, "cost.")), "stale": row.stale}
        for row in measured.scored
    ]
    lines += [dict(flat(bound)) for bound in measured.bounds]
    lines += [
        {"kind": "cost", **{key: cost[key] for key in ("dataset", "checkpoint", "family")},
         "stale": cost.get("stale", ""), **dict(flat({key: cost[key] for key in ("point", "knobs")})),
         **dict(flat(cost, "cost."))}
        for cost in spare_costs(measured)
    ]  # fmt: skip
    names = list(dict.fromkeys(name for line in lines for name in line))
    late = ("scores.", "left_out.", "terms.", "curve.")
    names.sort(key=lambda name: (name.startswith("cost."), name.startswith(late)))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return out.getvalue()


CALLED = {"row": "schema_version"}
NAMED_BY = {"batches": "n", "curve": "t_low"}  # a timing by its batch size, a stratum of a curve by its first t


def flat(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the single values in a row with their dotted names; 'row' is the version of a row's form, and says so."""
    for name, inner in value.items():
        name = CALLED.get(name, name)
        if isinstance(inner, Mapping):
            yield from flat(inner, f"{prefix}{name}.")
        elif name in NAMED_BY:
            for one in inner:
                rest = {key: value for key, value in one.items() if key != NAMED_BY[name]}
                yield from flat(rest, f"{prefix}{name}.{one[NAMED_BY[name]]}.")
        elif isinstance(inner, list | tuple):
            yield f"{prefix}{name}", ";".join(str(one) for one in inner)
        else:
            yield f"{prefix}{name}", "" if inner is None else inner
