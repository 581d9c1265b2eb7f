"""The report: all measurements of a data set as one HTML file that needs nothing else. Pure: no torch, no gradio.

It asks the network for nothing: styles are in the file, figures are inline SVG, there is no script. It follows the
reader's light or dark setting, and prints.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from dashboard import format, theme
from dashboard.figures import cost, pareto, svg, table, triangle
from dashboard.results import explanations, opinions
from dashboard.results.axes import Metric
from dashboard.results.operating_points import Measured, Measurements
from dashboard.results.question import Question, ask
from dashboard.results.question import name as name_of
from dashboard.results.recommendation import Answer, weigh, weighed
from dashboard.ui import assets

EQUAL_WEIGHTS = np.ones((1, 3))
TEMPLATE = Template((Path(__file__).parent / "report.html").read_text(encoding="utf-8"))


def page(
    measured: Measurements,
    metrics: Mapping[str, Metric],
    families: Mapping[str, Any],
    version: str,
    made: str,
    here: str = "",
) -> str:
    """Return the report as a whole HTML document.

    `families` are by name what has a title and a sentence about it; `made` is the day of the report, '2026-11-22';
    `here` is the machine at hand, as `machine_key` names it.
    """
    name, titles = escape(format.dataset_title(measured.dataset)), {key: kind.title for key, kind in families.items()}
    timed = cost.timed(measured, titles)
    cards = [*summary(measured, here), *(cost.cards(timed) if timed else ())]
    parts = [
        f"<h1>{name}: quality, diversity and speed, measured</h1>",
        f'<p class="lead">{escape(lead(measured, version, made))}</p>',
        *(f'<p class="problem">{escape(words)}</p>' for words in measured.problems),
        f'<div class="cards">{"".join(f"<div class=card>{card}</div>" for card in cards)}</div>' if cards else "",
        scores(measured, metrics, titles),
        bound_table(measured, titles),
        cost_table(timed),
        origins(measured, families),
        machines(measured),
        again(measured),
        glossary(metrics, measured.usual_extractor),
    ]
    light, dark = theme.palettes(list(families))
    lanes = theme.lanes([*families, *theme.BESIDE])
    return TEMPLATE.substitute(
        title=f"{name}, measured {escape(made)}",
        palette=f":root{{{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}{lanes}",
        font=",".join(f"'{face}'" if " " in face else face for face in theme.FONT),
        mono=",".join(theme.MONO),
        figures=assets.figure_rules(),
        body="".join(parts),
    )


def lead(measured: Measurements, version: str, made: str) -> str:
    """Return what the report is of, in two sentences."""
    families = list(dict.fromkeys(point.title for point in measured.points))
    points = format.plural(len({(p.checkpoint, p.label) for p in measured.points}), "operating point")
    of = f" of {format.listing(families)}" if families else ""
    return (
        f"{points}{of}. Made on {made} by gencore {version}. A score is the mean of independent generations ± half its "
        "95% t-interval; it tells the uncertainty of sampling, not that of training again."
    )


# ---- the trilemma's own figures


def summary(measured: Measurements, here: str = "") -> list[str]:
    """Return the cards of the triangle, the answer for equal weights, and every operating point.

    None where no point has both a score and a time.
    """
    question = ask(measured, here=here)
    if not question.points:
        return []
    answers, index = weigh(question, EQUAL_WEIGHTS)
    answer = answers[index[0]]
    return [
        svg.card(
            "Quality, diversity and speed",
            f"Compared at n = {question.n:,}, timed on {question.machine}.",
            lit(triangle.draw(question), answer),
            "Filled: each family's best point for equal weights; faint: its other points. Each corner is in raw units, "
            "and its rim is as good as real images, or the fastest decade. The area means nothing.",
        ),
        recommended(question, answer),
        svg.card(
            "Every operating point",
            f"{explanations.capital(question.quality.title)} against time, timed on {question.machine}.",
            pareto.draw(question),
            "Further up is better, further left is faster. Shaded: as good as real images. A bar is a 95% interval. "
            "Dashed: nothing measured is better on both. Numbers along a line: network calls. Hollow: "
            f"measured at another n.{pareto.ending(question)}",
        ),
    ]


def recommended(question: Question, answer: Answer) -> str:
    """Return the card with the point to use by equal weights, and each family's best beside it."""
    title = "Which model, if all three weigh the same?"
    if answer.best is None:
        return svg.card(title, "No point can be recommended.", "", explanations.nothing(question, answer))
    best = question.points[answer.best]
    words = [explanations.as_real(question, best), explanations.tie_broken(question, answer)]
    if answer.runner is not None:
        runner = name_of(question.points[answer.runner])
        words.append(f"Runner-up: {runner}. {explanations.runner_up(question, answer)}")
    words += [fares(question), explanations.trained(question, answer), explanations.unranked(question)]
    lines = []
    for place in answer.families:
        if place is not None:
            point = question.points[place]
            scores = [(axis, question.score(point, axis)) for axis in (question.quality, question.diversity)]
            cells = [explanations.plus_minus(axis, score) if score else "–" for axis, score in scores]
            cells.append(format.duration(point.ms_per_image))
            head = row_head(point.family, point.title, point.label, {point.family: ""})
            lines.append(f"<tr>{head}{figures(cells)}</tr>")
    heads = ["Best of each family", question.quality.name, question.diversity.name, "per image"]
    answered = f"{name_of(best)}. {explanations.reasons(question, answer)}"
    more = "".join(f"<p>{escape(sentence)}</p>" for sentence in words if sentence)
    return svg.card(title, answered, more + sheet("", heads, lines), explanations.candidates(question, answer))


def fares(question: Question) -> str:
    """Return how the answer for equal weights fares in other features."""
    questions = opinions.elsewhere(question)
    [words], _ = opinions.sentences(questions, partial(weighed, weights=EQUAL_WEIGHTS))
    return words


def lit(drawing: str, answer: Answer) -> str:
    """Return the triangle with each family's best point marked, as the page's script marks it."""
    best = {place for place in answer.families if place is not None}

    def mark(found: re.Match) -> str:
        place = int(found[2])
        kind = " best" * (place in best) + " first" * (place == answer.best)
        return f'class="{found[1]}{kind}" data-i="{place}"'

    return re.sub(r'class="(shape[^"]*)" data-i="(\d+)"', mark, drawing)


# ---- tables


def sheet(caption: str, heads: Sequence[str], rows: Iterable[str]) -> str:
    """Return a table; `rows` are the markup of its rows."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    told = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="sideways"><table>{told}<thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    )


def section(title: str, caption: str, heads: Sequence[str], rows: Sequence[str], lead: str = "") -> str:
    """Return a table under its heading; '' when it has no rows."""
    return f"<h2>{title}</h2>{lead}{sheet(caption, heads, rows)}" if rows else ""


def figures(cells: Iterable[str]) -> str:
    """Return the cells of a row."""
    return "".join(f"<td>{escape(cell)}</td>" for cell in cells)


def row_head(family: str, title: str, label: str, known: Mapping[str, str], stale: str = "") -> str:
    """Return the first cell of a row: the family's marker and name, and the operating point."""
    badge = theme.badge(family, 12) if family in known or family in theme.BESIDE else ""
    colour = f' style="color:var(--text-{family})"' if family in (*known, "samples") else ""
    why = f'<span class="why">Stale. {escape(stale)}</span>' if stale else ""
    return f'<th scope="row">{badge}<b{colour}>{escape(title)}</b> {escape(label)}{why}</th>'


def scores(measured: Measurements, metrics: Mapping[str, Metric], titles: Mapping[str, str]) -> str:
    """Return the tables of scores: one for each extractor and n, the baseline first."""
    everything = [*measured.points, *measured.failures]
    if not everything and not measured.baselines:
        return "<h2>Scores</h2><p>No scores were measured yet.</p>"
    parts = [
        '<h2>Scores</h2><p class="reading">',
        "Grey: real images scored against real images, the baseline. Bold: the best at its n of all that are "
        "measured well enough to have a place, and those of them that are not known to differ from it (Welch's "
        "interval), which need not be equal. ↓ lower is better, ↑ higher is better, "
        "→ 1 is as real. Only rows of one table may be compared: they have equal n.</p>",
    ]
    for name in measured.extractors:
        marked = table.best(measured, metrics, name)
        for n in sorted({row.n for row in (*everything, *measured.baselines.values())}, reverse=True):
            baseline = measured.baseline(n)
            rows = [*([baseline] if baseline else []), *(row for row in everything if row.n == n)]
            parts.append(score_sheet(rows, name, n, metrics, titles, marked))
    return "".join(parts)


def score_sheet(
    rows: Sequence[Measured],
    name: str,
    n: int,
    metrics: Mapping[str, Metric],
    titles: Mapping[str, str],
    marked: set[tuple[str, str]],
) -> str:
    """Return one table of scores, all of one extractor and n; '' when there is none."""
    shown = [m for m in metrics.values() if any(row.score(m.key, name) for row in rows)]
    if not shown:
        return ""
    lines = []
    for row in rows:
        title = "Real images" if row.kind == "baseline" else row.title
        label = f"{row.label}, broken on purpose" if row.failure else row.label
        cells = []
        for metric in shown:
            score = row.score(metric.key, name)
            words = format.plus_minus(score.mean, score.half) if score else "–"
            cells.append(f"<td>{f'<b>{words}</b>' if (row.key, metric.key) in marked else words}</td>")
        head = row_head(row.family, title, label, titles, row.stale)
        kind = ' class="baseline"' if row.kind == "baseline" else ""
        lines.append(f"<tr{kind}>{head}<td>{row.generations}</td>{''.join(cells)}</tr>")
    hashes = sorted({row.quality["hashes"][name] for row in rows if name in row.quality["hashes"]})
    told = ", ".join(hashes) or "no hash"
    caption = f"In {name} features ({told}), n = {n:,} images per generation, real and generated alike"
    heads = [f"{m.name} {table.ARROWS.get(m.better, '')}".strip() for m in shown]
    return sheet(caption, ["Model and operating point", "Generations", *heads], lines)


def bound_table(measured: Measurements, titles: Mapping[str, str]) -> str:
    """Return the table of likelihood bounds; '' when there is none."""
    lines = []
    for row in measured.bounds:
        cells = table.bound_cells(row)
        bounds = figures(cells[column.key][1] for column in table.LIKELIHOOD)
        basis = "; ".join(f"{name}: {words}" for name, words in row["basis"].items())
        title = titles.get(row["family"], row["family"])
        head = row_head(row["family"], title, row["checkpoint"], titles, row["stale"])
        where = f"first {row['n']:,} images of the {row['split']} split"
        lines.append(f'<tr>{head}{bounds}<td class="words">{where}</td><td class="words">{escape(basis)}</td></tr>')
    caption = "Upper bounds of −log p(x), 95% intervals over images; only bounds that rest on the same may be compared"
    heads = ["Model", *(column.name for column in table.LIKELIHOOD), "On", "Rests on"]
    return section("Likelihood bounds", caption, heads, lines)


def cost_table(timed: Sequence[cost.Timed]) -> str:
    """Return the table of costs, one row per operating point and machine."""
    keys = [column for column in table.COSTS if column.key != "machine"]
    lines = []
    for point in timed:
        cells = table.cost_cells(point.row)
        costs = figures(cells[column.key][1] if column.key in cells else "–" for column in keys)
        where = f'<td class="words">{escape(cells["machine"][1])}{", measured here" * point.local}</td>'
        head = row_head(point.family, point.title, point.label, {point.family: ""}, point.row.get("stale", ""))
        lines.append(f"<tr>{head}{costs}{where}</tr>")
    caption = "Time: median after a warm-up, alone on the device; ms per image at 16 images at once"
    return section(
        "Costs", caption, ["Model and operating point", *(column.name for column in keys), "Timed on"], lines
    )


# ---- where it comes from


def origins(measured: Measurements, families: Mapping[str, Any]) -> str:
    """Return the checkpoints with their training and hashes, and the settings of the measurements."""
    rows = [row for row in (*measured.points, *measured.failures) if row.checkpoint and not row.given]
    lines = []
    for name in dict.fromkeys(row.checkpoint for row in rows):
        row = next(row for row in rows if row.checkpoint == name)
        told = row.quality.get("training", {})
        seconds, seen, size = told.get("seconds"), told.get("images"), told.get("parameters")
        cells = [
            format.count(seen) if seen is not None else "–",
            format.minutes(seconds) if seconds is not None else "–",
            told.get("device", "–"),
            format.count(size) if size is not None else "–",
            row.quality["hashes"].get("checkpoint", "–"),
            row.origin or "trained here",
        ]
        lines.append(f"<tr>{row_head(row.family, row.title, name, families)}{figures(map(str, cells))}</tr>")
    heads = ["Checkpoint", "Images in training", "Training", "On", "Parameters", "SHA-256, first digits", "Origin"]
    about = "".join(f"<p>{escape(kind.title)}. {escape(kind.about)}</p>" for kind in families.values() if kind.about)
    return section("Models", "One training run each; families trained unequally compare unequally", heads, lines, about)


KINDS = {
    "quality": "scores",
    "samples": "samples",
    "real": "baseline",
    "failure": "failure lab",
    "bound": "bounds",
    "cost": "costs",
}


def machines(measured: Measurements) -> str:
    """Return the settings and the machines of the measurements, each combination once."""
    found: Counter[tuple] = Counter()
    for row in [*(p.quality for p in measured.scored), *measured.bounds, *measured.costs]:
        machine, used = row["machine"], row["settings"]
        key = (
            KINDS[row["kind"]],
            " × ".join(f"{row[part]:,}" for part in ("n", "generations") if part in row) or "–",
            f"{row['seeds'][0]} to {row['seeds'][1]}" if "seeds" in row else str(row.get("seed", "–")),
            row.get("split", "–"),
            *(str(used.get(name, "–")) for name in ("dtype", "layout", "batch", "threads")),
            str(machine["name"]),
            ", ".join(f"{name} {machine[name]}" for name in ("torch", "python") if name in machine),
        )
        found[key] += 1
    heads = ["What", "n × generations", "Seeds", "Against", "Number format", "Layout", "Batch", "Threads", "Machine",
             "Versions", "Rows"]  # fmt: skip
    lines = [
        f'<tr><th scope="row">{escape(first)}</th>{figures([*rest, str(rows)])}</tr>'
        for (first, *rest), rows in found.items()
    ]
    return section("Settings and machines", "Each combination once", heads, lines)


def again(measured: Measurements) -> str:
    """Return how to measure all of it again."""
    rows = [*(row.quality for row in measured.scored), *measured.bounds, *measured.costs]
    told = list(dict.fromkeys(row["command"] for row in rows if row["command"]))
    mute = [row for row in rows if row["checkpoint"] and not row["command"] and row["kind"] != "samples"]
    names = dict.fromkeys(row["checkpoint"] for row in mute)
    told += [f"python -m gencore evaluate {name}" for name in names if not any(name in command for command in told)]
    if not told:
        return ""
    first = ["pip install -r requirements.txt", f"python -m gencore features {measured.dataset}"]
    return (
        "<h2>How to measure it again</h2><p>In the project's folder. The same seeds give the same images; the same "
        "machine, threads and torch version give the same bits. The second line is needed only where the features of "
        f"the real images are not there.</p><pre>{escape(chr(10).join([*first, *told]))}</pre>"
    )


def glossary(metrics: Mapping[str, Metric], extractor: str) -> str:
    """Return what each metric is."""
    items = "".join(
        f"<dt>{escape(m.name)} {table.ARROWS.get(m.better, '')}</dt>"
        f"<dd>{escape(m.about)}{f' {escape(source)}.' if (source := getattr(m, 'source', '').rstrip('.')) else ''}</dd>"
        for m in metrics.values()
    )
    lead = f"<p>The headline's features are those of the {escape(extractor)}.</p>"
    return f"<h2>What the scores mean</h2>{lead}<dl>{items}</dl>" if items else ""
