"""The quick scores of a small batch as a table, with what so few images can and cannot say. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

import numpy as np

from dashboard import theme
from dashboard.figures import svg
from dashboard.figures.plot import Scale
from dashboard.results.operating_points import Score

TITLE = "This batch at a glance"
COLUMNS = {"precision": "Precision", "coverage": "Coverage", "sharpness": "Sharpness"}
SHARES = ("precision", "coverage")  # shown as percent
LEAST_BLOCKS = 5  # of real images: fewer give no range
WHAT = (
    "Precision: the share that lie among as many real images. Coverage: the share of those real images with one of "
    "the batch near. Sharpness: fine detail over that of real images; under 1 is blur, over 1 noise. Bars: images per "
    "class."
)


def refused(reason: str) -> str:
    """Return the card's content when there are no scores, with one sentence that says why."""
    return f'<h3>{TITLE}</h3><p class="answer">{escape(reason)}</p>'


def table(
    n: int,
    rows: Mapping[str, tuple[str, Mapping[str, float], np.ndarray | None]],
    real: Mapping[str, Score],
    blocks: int,
    left_out: Mapping[str, str],
    names: Sequence[str] = (),
) -> str:
    """Return the card's content.

    Args:
        n: Images per family, and real ones.
        rows: By family, its name for people, its scores by metric, and the images per class (K,) or None.
        real: By metric, the mean over blocks of n real images, and between which values 95% of the blocks lie.
        blocks: How many blocks.
        left_out: By metric, one sentence: why it has no value.
        names: (K,) what the classes are called; () where their numbers say it.
    """
    ranges = real if blocks >= LEAST_BLOCKS else {}
    shown = [key for key in COLUMNS if any(key in scores for _, scores, _ in rows.values())]
    counted = any(classes is not None for _, _, classes in rows.values())
    head = "".join(f"<th scope='col'>{COLUMNS[key]}</th>" for key in shown)
    head = f"<tr><td></td>{head}{'<th scope=col>Classes</th>' * counted}</tr>"
    body = ""
    for family, (title, scores, classes) in rows.items():
        name = f'<tr><th scope="row" class="f-{family}">{theme.badge(family, 12)}<span>{escape(title)}</span></th>'
        cells = [value(key, scores[key], ranges.get(key)) for key in shown]
        body += name + filled([*cells, *[histogram(family, classes, names)] * counted])
    if ranges:
        cells = [interval(key, ranges[key]) for key in shown]
        body += '<tr class="reals"><th scope="row">real images</th>' + filled([*cells, *[""] * counted])
    reasons = "".join(f"<p class='answer'>{escape(reason)}</p>" for reason in dict.fromkeys(left_out.values()))
    return (
        f'<h3>{TITLE}</h3><p class="answer">{escape(warning(n, ranges))}</p>{reasons}'
        f'<table class="quick"><thead>{head}</thead><tbody>{body}</tbody></table>'
        f'<p class="reading">{escape(legend(ranges, blocks, n))}</p>'
    )


def filled(cells: Iterable[str]) -> str:
    """Return the cells that a row ends with."""
    return "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def value(key: str, number: float, usual: Score | None) -> str:
    """Return a score for people, with an arrow when 95% of real batches lie on its other side."""
    arrow = "" if usual is None or usual.low <= number <= usual.high else " ↓" if number < usual.low else " ↑"
    return f"{plain(key, number)}{arrow}"


def plain(key: str, number: float) -> str:
    """Return a score for people."""
    return f"{number:.0%}" if key in SHARES else f"{number:.2f}"


def interval(key: str, usual: Score) -> str:
    """Return between which values real batches lie."""
    low, high = plain(key, usual.low), plain(key, usual.high)
    return low if low == high else f"{low} to {high}"


def warning(n: int, ranges: Mapping[str, Score]) -> str:
    """Return what so few images can and cannot say."""
    words = (
        f"{n} images show a model that is broken: noise, blur, or one kind again and again. They cannot rank good ones"
    )
    if "coverage" not in ranges:
        return f"{words}; measured rows can."
    return f"{words}: batches of {n} real images cover {interval('coverage', ranges['coverage'])} themselves."


def legend(ranges: Mapping[str, Score], blocks: int, n: int) -> str:
    """Return the line that says how to read the table."""
    if not ranges:
        return WHAT
    return f"{WHAT} Real images: where 95% of {blocks} batches of {n} test images lie; an arrow is outside it."


def histogram(family: str, classes: np.ndarray | None, names: Sequence[str] = ()) -> str:
    """Return the images per class as small bars."""
    if classes is None:
        return ""
    called = [names[k] if len(names) == len(classes) else f"class {k}" for k in range(len(classes))]
    wide, high = 8, 26
    rise = Scale(0, float(classes.max()), end=high)
    bars = "".join(
        svg.rect(wide * k + 1, high - rise(n), wide - 2, max(rise(n), 0.8), title=f"{called[k]}: {n}")
        for k, n in enumerate(classes)
    )
    words = ", ".join(f"{name}: {count}" for name, count in zip(called, classes, strict=True))
    return (
        f'<svg viewBox="0 0 {wide * len(classes)} {high + 1}" role="img" aria-label="{words}" '
        f'style="fill:var(--mark-{family})">{bars}</svg>'
    )
