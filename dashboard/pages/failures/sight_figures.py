"""The table and the chart of how well each extractor sees known degradations. Pure: a record in, markup out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from dashboard import format
from dashboard.figures import line, svg
from dashboard.figures.line import Curve, Level

HEADLINE = "kid"
FLOOR = 0.1  # of the limit: what lies lower, negative KIDs among it, is drawn there
DASHES = ("", "7 4", "2 3", "9 3 2 3", "1 5")  # solid first
HEAD = "How well does each extractor see?"
READING = (
    "Each ladder degrades real validation images step by step; the strip shows them undegraded first. A cell says "
    "from which step on KID to real train images lies outside the 95% interval of undegraded blocks, and whether KID "
    "rises with every step. Filled: noticed; ring: never."
)
CHART = (
    "Up: KID above that of undegraded images, in units of the limit of what is noticed, the dashed line at 1. A line "
    "that rises all the way is in order. Log scale; what is below 0.1 is drawn at 0.1."
)


def section(record: Mapping[str, Any], strips: Sequence[str], problem: str) -> str:
    """Return the card: what the ladders say, their table and how to read it; `problem` where there is nothing."""
    told = f'<p class="{"problem" if record else "missing"}">{escape(problem)}</p>' if problem else ""
    if not record:
        return f"<h3>{HEAD}</h3>{told}"
    size = f"{record['blocks']} blocks of {record['n']:,} images, seed {record['seed']}, {record['date']}."
    return (
        f'<h3>{HEAD}</h3><p class="answer">{escape(answer(record))}</p>{told}{table(record, strips)}'
        f'<p class="reading">{escape(f"{READING} {size}")}</p>'
    )


def table(record: Mapping[str, Any], strips: Sequence[str]) -> str:
    """Return the table of all ladders: a row each, with its examples, and a column per extractor."""
    names = list(record["extractors"])
    head = "".join(f'<th scope="col">{escape(name)}{default_mark(record, name)}</th>' for name in names)
    body = "".join(
        row(one, strips[place] if place < len(strips) else "", record) for place, one in enumerate(record["ladders"])
    )
    sums = "".join(
        f'<td data-name="{escape(name)}">{one["in_order"]} of {one["of"]} in order'
        f'<span class="quiet">first at step {one["first"]:.1f}</span></td>'
        for name, one in record["extractors"].items()
    )
    return (
        '<table class="sights"><thead><tr><th scope="col">ladder</th><th scope="col">from real to worst</th>'
        f"{head}</tr></thead><tbody>{body}</tbody>"
        f'<tfoot><tr><th scope="row" colspan="2">all, by KID</th>{sums}</tr></tfoot></table>'
    )


def default_mark(record: Mapping[str, Any], name: str) -> str:
    """Return what says that an extractor is the default, '' for another."""
    return '<span class="quiet">the default</span>' if name == record["default"] else ""


def row(one: Mapping[str, Any], strip: str, record: Mapping[str, Any]) -> str:
    """Return a ladder's row."""
    steps = "; ".join(one["steps"])
    picture = f'<img src="{strip}" alt="{escape(one["title"])}: real, then {escape(steps)}">' if strip else ""
    cells = "".join(cell(name, sight["ladders"][one["key"]][HEADLINE]) for name, sight in record["extractors"].items())
    about = f'<span class="quiet">{escape(one["about"])}</span>'
    return (
        f'<tr><th scope="row">{escape(one["title"])}{about}</th>'
        f'<td class="strip" title="{escape(steps)}">{picture}</td>{cells}</tr>'
    )


def cell(name: str, verdict: Mapping[str, Any]) -> str:
    """Return what one extractor makes of one ladder."""
    first, tau = verdict["first"], verdict["tau"]
    seen = f"step {first}" if first else "never"
    order = "in order" if tau == 1 else f"τ = {format.signed(tau, 2)}"
    dot = svg.circle(5, 5, 4, f"tell {'notices' if first else 'fooled'}")
    circle = f'<svg viewBox="0 0 10 10" width="10" height="10" aria-hidden="true">{dot}</svg>'
    return (
        f'<td data-name="{escape(name)}" class="{"" if first else "fooled"}">{circle} {seen}'
        f'<span class="quiet{"" if tau == 1 else " fooled"}">{order}</span></td>'
    )


def answer(record: Mapping[str, Any]) -> str:
    """Return what the ladders say, as a sentence: which extractor sees best, and what all are blind to."""
    name = record["default"]
    best = record["extractors"][name]
    words = (
        f"The {name} features do best: {best['in_order']} of {best['of']} ladders in order, noticed at step "
        f"{best['first']:.1f} on average. By the rule set beforehand they are the default."
    )
    blind = [one["title"] for one in record["ladders"] if not best["ladders"][one["key"]][HEADLINE]["first"]]
    return f"{words} Never noticed: {format.listing(blind)}." if blind else words


def curves(record: Mapping[str, Any], key: str) -> list[Curve]:
    """Return a curve per extractor for a ladder: KID's rise over undegraded images, step 0, in units of the limit."""
    found = []
    for place, (name, sight) in enumerate(record["extractors"].items()):
        plain = sight["undegraded"][HEADLINE]
        limit = (plain["high"] - plain["mean"]) or 1.0
        means = [plain["mean"], *sight["ladders"][key][HEADLINE]["means"]]
        rise = np.maximum((np.array(means) - plain["mean"]) / limit, FLOOR)
        dashes = DASHES[place % len(DASHES)]
        found.append(Curve(name, np.arange(len(rise)), rise, dashed=bool(dashes), dashes=dashes))
    return found


def chart(record: Mapping[str, Any], key: str) -> str:
    """Return the chart of one ladder; '' where it was not measured."""
    one = next((one for one in record["ladders"] if one["key"] == key), None)
    if one is None:
        return ""
    steps = format.listing([f"{place}: {words}" for place, words in enumerate(one["steps"], 1)])
    return line.lines(
        f"{one['title']}, step by step",
        f"{one['about']} {steps}.",
        CHART,
        curves(record, key),
        "step; 0 is undegraded",
        "KID's rise, in limits",
        levels=[Level(1.0, "noticed above")],
        log_y=True,
    )
