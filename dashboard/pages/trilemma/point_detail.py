"""A measured point in full: every score beside real data's at the same n, knobs, hashes, machine, command. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape

from dashboard import format, theme
from dashboard.figures.table import Metric
from dashboard.results.axes import axis_of
from dashboard.results.explanations import training_facts
from dashboard.results.operating_points import Measured, Score, machine_key
from dashboard.results.question import name


def head(point: Measured, link: str) -> str:
    """Return the point's name, with a link that opens it where it can be run."""
    stale = f'<p class="problem" role="alert">Stale: {escape(point.stale)}</p>' if point.stale else ""
    run = "" if point.given else f'<a href="{escape(link)}">Open in Samples</a>'
    return (
        f'<header class="f-{point.family}">{theme.badge(point.family, 16)}<h2>{escape(name(point))}</h2>'
        f"{run}</header>{stale}"
    )


def row(point: Measured, baseline: Measured | None, metrics: Mapping[str, Metric]) -> str:
    """Return a point's scores as a table, each with its metric's name, and under it everything else its row says.

    `baseline` is real data against real data at the same n, None when it was not measured.
    """
    return table(point, baseline, metrics) + facts(point, metrics)


def table(point: Measured, baseline: Measured | None, metrics: Mapping[str, Metric]) -> str:
    """Return the scores with their intervals, beside real data's at the same n, in all features."""
    keys = list(dict.fromkeys(key for scores in point.quality["scores"].values() for key in scores))
    extractors = [name for name, scores in point.quality["scores"].items() if scores]
    heads = "".join(f'<th scope="col">{escape(one)}</th><th scope="col">real</th>' for one in extractors)
    body = []
    for key in keys:
        cells = []
        for extractor in extractors:
            real = baseline.score(key, extractor) if baseline else None
            cells += [cell(point.score(key, extractor)), cell(real, "quiet")]
        body.append(f'<tr><th scope="row">{escape(title_of(key, metrics))}</th>{"".join(cells)}</tr>')
    return (
        f'<div class="scroll"><table class="scores"><caption>Mean ± 95% interval over {point.generations} generations, '
        f"n = {point.n:,}</caption><thead><tr><td></td>{heads}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def cell(score: Score | None, kind: str = "") -> str:
    """Return a table cell with a score; a dash for one that was not measured."""
    shown = "–" if score is None else format.plus_minus(score.mean, score.half)
    return f'<td class="{kind}">{shown}</td>'


def title_of(key: str, metrics: Mapping[str, Metric]) -> str:
    """Return a metric's name for people; its key where it is not among those known."""
    return metrics[key].name if key in metrics else key


def left_out(point: Measured, metrics: Mapping[str, Metric]) -> list[str]:
    """Return why scores were left out, by features; what needs none is not missing where others' scores hold it."""
    return [
        f"{title_of(key, metrics)}, in {extractor} features: {words}"
        for extractor, missing in point.quality.get("left_out", {}).items()
        for key, words in missing.items()
        if key not in metrics or not axis_of(metrics[key]).of(point, extractor)
    ]


def facts(point: Measured, metrics: Mapping[str, Metric]) -> str:
    """Return the row's other fields, and why scores were left out."""
    quality, cost = point.quality, point.cost
    pairs = [("knobs", ", ".join(f"{knob} = {value}" for knob, value in point.knobs.items()) or "none")]
    if cost:
        calls = format.plural(point.calls, "network call")
        pairs.append(("cost", f"{format.duration(point.ms_per_image)} per image, {calls}, {cost['flops']:,} FLOPs"))
    if point.stated:
        pairs.append(("stated", ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in point.stated.items())))
    pairs += [
        ("origin", point.origin),
        ("trained on", training_facts(quality.get("training") or {})),
        ("seeds", "{} to {}".format(*quality["seeds"])),
        ("uncertainty", quality["uncertainty"]),
        ("KID's reference", of_reference(point)),
        ("hashes", ", ".join(f"{part} {value}" for part, value in quality["hashes"].items())),
        ("settings", json.dumps(quality["settings"])[1:-1].replace('"', "")),
        ("machine", machine_key(quality)),
        ("measured", f"{quality['date']} in {format.minutes(quality['seconds'])}, version {quality['version']}"),
    ]
    rows = "".join(f"<div><dt>{escape(term)}</dt><dd>{escape(words)}</dd></div>" for term, words in pairs if words)
    rows += f"<div><dt>command</dt><dd><code>{escape(quality['command'])}</code></dd></div>"
    absent = "".join(f"<li>{escape(words)}</li>" for words in left_out(point, metrics))
    return f'<dl class="facts">{rows}</dl>' + (f'<ul class="left-out">{absent}</ul>' if absent else "")


def of_reference(point: Measured) -> str:
    """Return what the KID compares with, and what the intervals leave out of its uncertainty."""
    scores = {name: score for name in point.quality["scores"] if (score := point.score("kid", name))}
    left_out = "which the intervals leave out"
    known = {name: score for name, score in scores.items() if score.reference_sd is not None}
    if not known:
        return f"the first {point.n:,} test images; other ones would give other values, {left_out}" if scores else ""
    spread = ", ".join(
        f"{one.reference_sd:,.{format.digits(one.reference_sd, one.reference_sd)}f} ({name})"
        for name, one in known.items()
    )
    count = max(score.reference for score in known.values())
    return f"{count:,} real test images; over other sets of as many its standard deviation is {spread}, {left_out}"
