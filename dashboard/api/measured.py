"""What was measured: the rows, and what they recommend. No model runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from dashboard.api.endpoint import Call, Dataset
from dashboard.results import explanations
from dashboard.results.axes import diversities, qualities
from dashboard.results.operating_points import Measured, Measurements, machine_key
from dashboard.results.question import Question, ask, name
from dashboard.results.recommendation import Answer, weigh, within
from dashboard.service import METRICS, InputError
from dashboard.service.parsing import parse_choice, parse_number, parse_whole

KINDS = ("points", "real", "failures", "bounds", "costs")
MOST_MS, MOST_N = 1e9, 10**9
Extractor = Annotated[str, {"examples": ["self-supervised", "classifier"]}]
Weight = Annotated[float, {"minimum": 0, "maximum": 100}]


def rows(
    call: Call, dataset: Dataset, kind: str = KINDS[0], checkpoint: str = "", extractor: Extractor = ""
) -> dict[str, Any]:
    """List what was measured on a data set: scores of quality and diversity with 95% intervals, and cost.

    Args:
        call: Who calls.
        dataset: Name of a data set that models lists.
        kind: 'points' (models as they are used), 'real' (real images' own scores), 'failures', 'bounds' or 'costs'.
        checkpoint: Only rows of this checkpoint; all when left out.
        extractor: Features in which scores are told; the data set's own when left out.

    Returns:
        The rows, what each score means, which features there are, and a sentence for each row that cannot be read.
    """
    call.service.check_dataset(dataset)
    parse_choice(kind, KINDS, "kind of rows")
    measured = call.service.measurements(dataset)
    chosen = parse_choice(extractor or measured.usual_extractor, measured.extractors, "extractor with rows")
    found = [row for row in of_kind(measured, kind, chosen) if checkpoint in ("", row["checkpoint"])]
    if checkpoint and not found:
        raise InputError(f"Nothing of kind {kind!r} was measured of a checkpoint {checkpoint!r} on {dataset}.")
    shown = {key for row in found for key in row.get("scores", ())}
    meanings = {key: {"name": one.name, "better": one.better, "about": one.about} for key, one in METRICS.items()}
    return {
        "dataset": dataset,
        "extractor": chosen,
        "extractors": list(measured.extractors),
        "rows": found,
        "scores": {key: meaning for key, meaning in meanings.items() if key in shown},
        "problems": list(measured.problems),
    }


def of_kind(measured: Measurements, kind: str, extractor: str) -> list[dict[str, Any]]:
    """Return the rows of a kind."""
    if kind == "bounds":
        return [dict(row) for row in measured.bounds]
    if kind == "costs":
        return [dict(row) for row in measured.costs]
    scored: Mapping[str, Iterable[Measured]] = {
        "points": measured.points, "real": measured.baselines.values(), "failures": measured.failures,
    }  # fmt: skip
    return [scored_row(point, extractor) for point in scored[kind]]


def scored_row(point: Measured, extractor: str) -> dict[str, Any]:
    """Return an operating point with its scores in some features and its cost."""
    scores = {key: point.score(key, extractor) for key in METRICS}
    return {
        "checkpoint": point.checkpoint,
        "family": point.family,
        "label": point.label,
        "kind": point.kind,
        "knobs": dict(point.knobs),
        "n": point.n,
        "generations": point.generations,
        "scores": {key: {"mean": s.mean, "low": s.low, "high": s.high} for key, s in scores.items() if s},
        "ms_per_image": point.ms_per_image,
        "network_calls": point.calls,
        "stale": point.stale,
    }


def recommend(
    call: Call,
    dataset: Dataset,
    quality: Weight = 1.0,
    diversity: Weight = 1.0,
    speed: Weight = 1.0,
    most_ms: Annotated[float | None, {"examples": [10.0]}] = None,
    least_diversity: Annotated[float, {"minimum": 0, "maximum": 1}] = 0.0,
    quality_measure: str = "",
    diversity_measure: str = "",
    extractor: Extractor = "",
    n: Annotated[int, {"minimum": 0}] = 0,
) -> dict[str, Any]:
    """Recommend a model and its settings by what was measured: for weights, or for a time limit.

    Args:
        call: Who calls.
        dataset: Name of a data set that models lists.
        quality: Weight of quality; only how it compares with the other two weights matters.
        diversity: Weight of diversity.
        speed: Weight of speed.
        most_ms: Milliseconds that an image may take; when given, the best quality within it, whatever the weights.
        least_diversity: With most_ms: the least diversity as a share of what is perfect, 0 to 1.
        quality_measure: What quality means: 'kid', 'precision', 'density' or 'sharpness', and of shapes 'true_quality';
            when left out the true one where it is known, else 'kid'.
        diversity_measure: What diversity means: 'recall', 'coverage', 'vendi_ratio' or 'class_balance', and of shapes
            'true_imbalance'; when left out the true one where it is known, else 'recall'.
        extractor: Features in which scores are compared; the data set's own when left out.
        n: Images per generation of the rows to compare; 0 for the usual number.

    Returns:
        The recommended checkpoint and knobs with the reasons in sentences, the runner-up, and each family's best.
    """
    question = asked(call, dataset, quality_measure, diversity_measure, extractor, n)
    if not question.points:
        raise InputError(f"Nothing was measured on {dataset} that has both {question.quality.name} and a time.")
    if most_ms is None:
        told = (("quality", quality), ("diversity", diversity), ("speed", speed))
        weights = [parse_number(weight, 0, 100, f"The weight of {what}") for what, weight in told]
        answers, _ = weigh(question, [weights])
    else:
        most = parse_number(most_ms, 0, MOST_MS, "The time per image")
        answers, _ = within(question, [[most, parse_number(least_diversity, 0, 1, "The least diversity")]])
    return told_of(question, answers[0])


def asked(call: Call, dataset: Any, quality: Any, diversity: Any, extractor: Any, n: Any) -> Question:
    """Return the question of a call.

    Raises:
        InputError: in one sentence, on anything that is not known; the pages fall back to the usual instead.
    """
    call.service.check_dataset(dataset)
    measured = call.service.measurements(dataset)
    if quality:
        parse_choice(quality, qualities(dataset), "measure of quality")
    if diversity:
        parse_choice(diversity, diversities(dataset), "measure of diversity")
    if extractor:
        parse_choice(extractor, measured.compared, "extractor that points have scores in")
    sizes = {point.n for point in measured.points if not point.stale}
    if (number := parse_whole(n, 0, MOST_N, "n")) and number not in sizes:
        raise InputError(f"Nothing was measured at n = {number:,}; there is {', '.join(map(str, sorted(sizes)))}.")
    here = machine_key({"machine": call.service.machine})
    return ask(measured, quality=quality, diversity=diversity, extractor=extractor, n=number, here=here)


def told_of(question: Question, answer: Answer) -> dict[str, Any]:
    """Return an answer: the point, the reasons, the runner-up."""
    basis = {
        "quality": question.quality.name,
        "diversity": question.diversity.name,
        "extractor": question.extractor,
        "n": question.n,
        "machine": question.machine,
        "left_out": list(question.left_out),
    }
    bests = {family: pointed(question, place) for family, place in zip(question.families, answer.families, strict=True)}
    if answer.best is None:
        words = explanations.nothing(question, answer)
        return {"recommended": None, "why": words, "runner_up": None, "families": bests, "basis": basis}
    best = question.points[answer.best]
    why = [
        explanations.reasons(question, answer),
        explanations.as_real(question, best),
        explanations.tie_broken(question, answer),
        explanations.why_not_closest(question, answer),
        explanations.trained(question, answer),
        explanations.candidates(question, answer),
    ]
    runner = None
    if answer.runner is not None:
        runner = pointed(question, answer.runner) | {"why": explanations.runner_up(question, answer)}
    return {
        "recommended": pointed(question, answer.best),
        "why": " ".join(filter(None, why)),
        "runner_up": runner,
        "families": bests,
        "basis": basis,
    }


def pointed(question: Question, place: int | None) -> dict[str, Any] | None:
    """Return a point of a question, with its places between worst, 0, and best, 1; None for none."""
    if place is None:
        return None
    point = question.points[place]
    corners = dict(zip(("quality", "diversity", "speed"), question.places[place].tolist(), strict=True))
    found = scored_row(point, question.extractor) | {"name": name(point)}
    return found | {"places": {corner: None if math.isnan(at) else at for corner, at in corners.items()}}
