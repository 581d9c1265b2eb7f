"""The charts of the Failure lab, as inline SVG and markup: verdicts in, text out. Pure: no torch, no gradio."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

from dashboard import format, theme
from dashboard.figures import svg
from dashboard.figures.plot import Scale
from dashboard.figures.svg import line, text
from dashboard.pages.failures.verdicts import FOOLED, NOTICES, Opinion, Verdict

BETTER = {"lower": "lower is better", "higher": "higher is better", "one": "1 is as real"}
BAR = 11  # pixels
WIDE = 720
READING = (
    "Bar: the broken model; lines: 95% intervals over generations. {0}Each row has its own scale, from 0; scores have "
    "no unit. A metric notices when it puts the broken model at least a tenth below {1}, beyond Welch's 95% interval; "
    "else it is fooled."
)


def figure(found: Sequence[Verdict], second: Mapping[str, Opinion], title: str) -> str:
    """Return the bars of a broken model, the failure `title`: one row per metric, with its verdict.

    `second` has, by metric, what other features make of it where that is something else.
    """
    words = "; ".join(f"{one.metric.name} {one.word}" for one in found if one.word)
    return svg.figure(lambda width: draw(found, second, width), f"{title}. {words}", wide=WIDE)


def reading(found: Sequence[Verdict]) -> str:
    """Return the line that says how to read the bars of these verdicts."""
    models = {point.family: point.title for one in found for point, _ in one.healthy}
    marks = [f"{theme.badge(family, 12)} the healthy {escape(title)}" for family, title in models.items()]
    marks += [f"{theme.badge('real', 12)} real images"] if any(one.real for one in found) else []
    against = "it" if len(models) == 1 else "every healthy model" if models else "real images"
    return READING.format(f"{format.listing(marks)}. " if marks else "", against)


def draw(found: Sequence[Verdict], second: Mapping[str, Opinion], width: int) -> tuple[str, float]:
    """Return the bars' drawing at one width, and its height."""
    narrow = width < 400
    rows, top = [], 0.0
    for one in found:
        other = second.get(one.metric.key)
        rows.append(row(one, other, top, width, narrow))
        top += 37 if not narrow else 78 if one.word and other and other.words else 62  # a line of its own
    return "".join(rows), top + 4


def row(one: Verdict, second: Opinion | None, top: float, width: int, narrow: bool) -> str:
    """Return one metric's row: its name, the bar with the marks of healthy and real, the value, the verdict."""
    left, right, y = (2, width - 74, top + 36) if narrow else (236, width - 200, top + 13)
    scores = [score for _, score in one.healthy] + ([one.real] if one.real else [])
    x = Scale(0, ceiling(max(score.mean for score in [one.broken, *scores])), start=left, end=right)

    better, end = BETTER[one.metric.better], format.tick(x.high)
    parts = [
        svg.rect(0, top, width, 58 if narrow else 36, fill="transparent"),
        text(0, top + 14, one.metric.name, "name"),
    ]
    if narrow:
        parts.append(text(left, y + 19, f"0 — {better}", "tick"))
    else:
        parts += [text(0, top + 29, better, "tick"), text(left, y + 17, "0", "tick", "middle")]
    parts += [text(right, y + 17 + 2 * narrow, end, "tick", "end"), line(left, y, right, y, "grid")]
    parts.append(svg.rect(left, y - BAR / 2, max(x.nearest(one.broken.mean) - left, 0.8), BAR, "broken", rx=1.5))
    for score, kind in [(one.broken, "range"), *((score, f"range f-{point.family}") for point, score in one.healthy)]:
        # A line that shows on a bar as well as beside it, no longer than the scale.
        low, high = x.nearest(score.low), x.nearest(score.high)
        parts += [line(low - 1, y, high + 1, y, "range under"), line(low, y, high, y, kind)]
    marks = [("real", one.real)] * bool(one.real) + [(point.family, score) for point, score in one.healthy]
    parts += [theme.mark(family, x.nearest(score.mean), y, 11) for family, score in marks]
    parts.append(text(right + 10, y + 4.5, format.score(one.broken.mean), "value"))
    parts.append(verdict(one.word, second, width, top, narrow))
    return svg.titled("".join(parts), f"{told(one)} {second.told if second else ''}".strip())


def verdict(word: str, second: Opinion | None, width: int, top: float, narrow: bool) -> str:
    """Return a row's verdict, and other opinions below or beside it."""
    if not word:
        return ""
    start = width - 118
    other, kind_of_other = (second.words, kind(second.word)) if second else ("", "")
    if narrow:
        parts = [text(width, top + 14, word, f"verdict {kind(word)}", "end")]
        return "".join([*parts, text(0, top + 70, other, f"tick {kind_of_other}") if other else ""])
    parts = [dot(start + 4, top + 10.5, word), text(start + 14, top + 15, word, f"verdict {kind(word)}")]
    return "".join([*parts, text(start + 14, top + 30, other, f"tick {kind_of_other}") if other else ""])


def kind(word: str) -> str:
    """Return the class of a verdict's word."""
    return {NOTICES: "notices", FOOLED: "fooled"}.get(word, "")


def dot(x: float, y: float, word: str) -> str:
    """Return a verdict's dot: filled when it is noticed, a ring when not."""
    return svg.circle(x, y, 4, f"tell {kind(word)}")


def ceiling(value: float) -> float:
    """Return the end of a scale that starts at 0: a round number that is not below `value`."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * power >= value * (1 - 1e-9))


def told(one: Verdict) -> str:
    """Return everything about a row in words: what it is, all scores with their intervals, the verdict."""
    named = [
        ("broken", one.broken),
        *((f"healthy {point.title}, {point.label}", score) for point, score in one.healthy),
    ]
    named += [("real images", one.real)] if one.real else []
    parts = [
        f"{name} {format.score(score.mean)} (95% interval {format.score(score.low)} to {format.score(score.high)})"
        for name, score in named
    ]
    return f"{one.metric.name}: {'; '.join(parts)}. {one.metric.about}"


def glance(titles: Sequence[str], columns: Sequence[Sequence[Verdict]]) -> str:
    """Return a table of all verdicts: one row per metric, one column per failure, in the order of `titles`."""
    metrics = {one.metric.key: one.metric for column in columns for one in column}
    words = [{one.metric.key: one for one in column} for column in columns]
    head = "".join(
        f'<th scope="col"><span class="number">{place}</span> <span class="long">{escape(title)}</span></th>'
        for place, title in enumerate(titles, start=1)
    )
    body = "".join(
        f'<tr><th scope="row">{escape(metric.name)}</th>{"".join(cell(column.get(key)) for column in words)}</tr>'
        for key, metric in metrics.items()
    )
    return f'<table class="glance"><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>'


def cell(one: Verdict | None) -> str:
    """Return one cell of the table of verdicts."""
    if one is None or not one.word:
        return '<td class="none" title="not measured">–</td>'
    circle = f'<svg viewBox="0 0 10 10" width="10" height="10" aria-hidden="true">{dot(5, 5, one.word)}</svg>'
    word = f'<span class="long">{escape(one.word)}</span>'
    return f'<td class="{kind(one.word)}" title="{escape(told(one))}">{circle} {word}</td>'
