"""What the metrics say of the operating points that are voted on, from their rows. Pure.

They are KID and recall; where the truth was measured, true quality and true imbalance (`question.usual_axis`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dashboard import format
from dashboard.results.axes import Axis
from dashboard.results.equivalence import APART
from dashboard.results.operating_points import Measured, Measurements, knobs_key
from dashboard.results.question import Question, ask

ARROWS = {"lower": "↓", "higher": "↑"}  # which way is better
Chosen = Mapping[str, tuple[str, Mapping[str, Any]]]  # by family, a checkpoint and all its knobs


def rows(measured: Measurements, chosen: Chosen) -> dict[str, Measured]:
    """Return each family's row: at the most images at which all were measured, else at its own most."""
    found = {
        family: {row.n: row for row in measured.points if (row.checkpoint, knobs_key(row.knobs)) == wanted}
        for family, (checkpoint, knobs) in chosen.items()
        for wanted in [(checkpoint, knobs_key(knobs))]
    }
    there = [set(sizes) for sizes in found.values() if sizes]
    common = max(set.intersection(*there), default=0) if there else 0
    return {family: sizes.get(common) or sizes[max(sizes)] for family, sizes in found.items() if sizes}


def axes(question: Question) -> dict[str, Axis]:
    """Return what is asked of the metrics, by question of the vote."""
    return {"real": question.quality, "varied": question.diversity}


def heads(measured: Measurements) -> dict[str, str]:
    """Return what the scores are, by question of the vote: 'KID ↓'."""
    return {name: f"{axis.name} {ARROWS[axis.better]}" for name, axis in axes(ask(measured)).items()}


def told(measured: Measurements, chosen: Chosen) -> tuple[dict[str, dict[str, str]], str]:
    """Return each family's scores as text, by question of the vote, and what they say together as a sentence."""
    found = rows(measured, chosen)
    if not found:
        return {}, "These settings have not been measured: python -m gencore evaluate"
    sizes = {row.n for row in found.values()}
    question = ask(measured, n=max(sizes))
    scores = {
        family: {name: written(axis, question, row) for name, axis in axes(question).items()}
        for family, row in found.items()
    }
    real, varied = (best(axis, question, list(found.values())) for axis in axes(question).values())
    words = f"By {question.quality.name} the closest to real is {real or 'not known'}. "
    words += f"By {question.diversity.name} the most varied is {varied or 'not known'}."
    features = f", in {question.extractor} features" * question.featured
    n = format.listing([f"{size:,}" for size in sorted(sizes)])
    rest = " Some of these settings have no row." if len(found) < len(chosen) else ""
    return scores, f"{words} Measured on {n} images{features}.{rest}"


def written(axis: Axis, question: Question, row: Measured) -> str:
    """Return a score with half its interval, as people read it; '' where there is none."""
    score = question.score(row, axis)
    if score is None:
        return ""
    scale = 100 if axis.percent else 1
    return format.plus_minus(score.mean * scale, score.half * scale) + ("%" if axis.percent else "")


def best(axis: Axis, question: Question, found: Sequence[Measured]) -> str:
    """Return the titles of the points with the best score, and of those not known to be worse; '' for none."""
    worth: Callable[[Measured], float] = lambda row: axis.worth(question.score(row, axis).mean)  # noqa: E731
    known = [row for row in found if question.score(row, axis)]
    if not known:
        return ""
    first = max(known, key=worth)
    others = [row for row in known if row is not first and not _apart(axis, question, first, row)]
    names = [first.title, *(row.title for row in others)]
    return names[0] if len(names) == 1 else f"{' or '.join(names)}, not known which"


def _apart(axis: Axis, question: Question, one: Measured, other: Measured) -> bool:
    found = question.compare(axis, one, other)
    return found is not None and found.verdict == APART
