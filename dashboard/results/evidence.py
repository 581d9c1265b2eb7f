"""What the rows themselves show of a diversity being fooled. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from dashboard import format
from dashboard.results.axes import Axis, diversities
from dashboard.results.explanations import plus_minus
from dashboard.results.operating_points import Measured, Measurements, Score
from dashboard.results.question import name

CLEARLY = 0.9  # of what real data have: who has less of another diversity was not told apart by the first


def against_real(
    measured: Measurements, axis: Axis, extractor: str, rows: tuple[Measured, ...]
) -> Iterator[tuple[Measured, Score, Score]]:
    """Yield those rows that are not stale and have a score, with it and with real data's at the same n."""
    for row in rows:
        score, real = axis.of(row, extractor), axis.of(measured.baseline(row.n), extractor)
        if not row.stale and score and real:
            yield row, score, real


def contradicted(measured: Measurements, axis: Axis, extractor: str) -> str:
    """Return the point that a diversity calls as good as real data, and another diversity most surely does not.

    '' where there is none: where no other diversity falls clearly below real data's.
    """
    found = []
    for point, score, real in against_real(measured, axis, extractor, measured.points):
        if not axis.reaches(score, real):
            continue
        for other in diversities(measured.dataset).values():
            less, all_ = other.of(point, extractor), other.of(measured.baseline(point.n), extractor)
            if other is not axis and less and all_ and not other.reaches(less, all_):
                found.append((other.share(less.mean) / other.share(all_.mean), point, score, real, other, less, all_))
    share, point, score, real, other, less, all_ = min(found, key=lambda one: one[0], default=(1.0, *[None] * 6))
    if share > CLEARLY:
        return ""
    return (
        f"Here {name(point)} is as good as real data by {axis.name} ({plus_minus(axis, score)}; real "
        f"{plus_minus(axis, real)}) and far from it by {other.name} ({plus_minus(other, less)}; real "
        f"{plus_minus(other, all_)})."
    )


def failure_lab(measured: Measurements, axis: Axis, extractor: str) -> str:
    """Return which of the failure lab's broken models a diversity takes for real data; '' where none was measured."""
    scored = list(against_real(measured, axis, extractor, measured.failures))
    if not scored:
        return ""
    if taken := [row.label for row, score, real in scored if axis.reaches(score, real)]:
        return f"In the failure lab it takes for real: {format.listing(taken)}."
    return f"In the failure lab it takes none of the {len(scored)} broken models for real data."


def evidence(measured: Measurements, axis: Axis, extractor: str) -> str:
    """Return what the rows show of a diversity being fooled; '' where they show nothing."""
    parts = contradicted(measured, axis, extractor), failure_lab(measured, axis, extractor)
    return " ".join(filter(None, parts))
