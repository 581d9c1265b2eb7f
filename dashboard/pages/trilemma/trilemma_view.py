"""What the home page shows of a question: its controls, charts, ready answers, and the tables for the sliders. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import partial
from html import escape
from typing import Any
from urllib.parse import urlencode

import numpy as np

from dashboard import format, theme
from dashboard.figures import pareto, triangle, untimed
from dashboard.results import explanations, leaders, opinions
from dashboard.results.axes import QUALITIES, Axis, diversities, qualities
from dashboard.results.evidence import evidence
from dashboard.results.explanations import capital, plus_minus
from dashboard.results.operating_points import BATCH, Measured, Score
from dashboard.results.question import Question, at_hand, unmeasured, usual_axis
from dashboard.results.question import name as name_of
from dashboard.results.recommendation import Answer, kept_within, weigh, weighed, winner_everywhere, within
from dashboard.ui import glossary

WEIGHTS = range(0, 101, 5)
SPREAD = (1, 1.25, 1.6, 2, 2.5, 3.2, 4, 5, 6.3, 8)  # a decade of budgets, evenly on a log scale
USUAL = {"quality": 70, "diversity": 50, "speed": 40}  # the weights at first
LEAST = range(0, 101, 2)  # percent of what is perfect
GOOD = ("close to real", "varied", "fast")  # of the three corners, in words that nobody has to look up
BEST = ("closest to real", "most varied", "fastest")
NUMBERS = {2: "Two", 3: "Three", 4: "Four", 5: "Five", 6: "Six"}
OPINION = (
    '<div class="opinion"><ul class="eyes" data-at="eyes"></ul><details data-at="why"><summary>What each sees</summary>'
    '<p data-at="opinion"></p></details></div>'
)
LEAST_WORDS = {"higher": "{0} at least", "lower": "{0} at most", "one": "{0} within"}


def budgets(question: Question) -> list[float]:
    """Return the times that the budget's slider offers, from the triangle's rim to its centre."""
    scale = question.scales[2]
    decades = round(np.log10(scale.centre / scale.rim))
    times = [scale.rim * 10**decade * step for decade in range(decades) for step in SPREAD]
    return [float(f"{ms:.3g}") for ms in [*times, scale.centre]]


def view(question: Question, declared: Iterable[tuple[str, str, str, Any]] = (), here: str = "") -> dict[str, Any]:
    """Return what the browser needs to show a question and all its answers.

    Args:
        question: The question.
        declared: The operating points that could have been measured, see `question.unmeasured`.
        here: The machine at hand, as `machine_key` names it.
    """
    questions = opinions.elsewhere(question)
    shared = controls(question, here) | {
        "none": none_fits(question),
        "notes": [
            *filter(None, [explanations.unranked(question)]),
            *question.left_out,
            *opinions.lacking(questions),
            *unmeasured(question.measured, declared),
            *question.measured.problems,
        ],
        "points": [],
        "untimed": untimed.card(question),
    }
    if not question.points:
        return shared
    return shared | {
        "lead": lead(question),
        "measures": measures(question),
        "good": GOOD,
        "titles": {point.family: point.title for point in question.points},
        "badges": {family: theme.badge(family) for family in question.families},
        "points": [about(question, i) for i in range(len(question.points))],
        "triangle": triangle.draw(question),
        "how": how_to_read(question),
        "front": pareto.draw(question),
        "heap": pareto.draw_heap(question),
        "closer": pareto.heap_words(question),
        "summary": summary(question),
        "reading": reading(question, here),
        **answered(question, questions),
    }


def none_fits(question: Question) -> str:
    """Return the sentence on a question that no measured point fits; '' where one does, or nothing was measured."""
    if question.points or not question.measured.points:
        return ""
    features = f" in {question.extractor} features" * question.quality.featured
    return (
        f"No measured point has both {question.quality.name}{features} and a time here: choose another quality, other "
        "features, another n or another machine. What is missing stands below."
    )


def controls(question: Question, here: str) -> dict[str, Any]:
    """Return what may be chosen, and what is; `here` is the machine at hand."""
    measured = question.measured
    known, varied = qualities(measured.dataset), diversities(measured.dataset)
    return {
        "dataset": measured.dataset,
        "quality": question.quality.key,
        "qualities": [[axis.key, axis.title] for axis in known.values()],
        "diversity": question.diversity.key,
        "diversities": [[axis.key, axis.title] for axis in varied.values()],
        "meant": {"quality": usual_axis(measured, known).key, "diversity": usual_axis(measured, varied).key},
        "fooled": [
            [capital(axis.title), axis.fooled, evidence(measured, axis, question.extractor)] for axis in varied.values()
        ],
        "features": question.extractor,
        "featured": question.featured,
        "extractors": list(measured.compared),
        "n": question.n,
        "sizes": [[n, f"n = {n:,} ({count} point{'s' * (count != 1)})"] for n, count in question.sizes.items()],
        "machine": question.machine,
        "machines": [
            [name, f"{name} (this machine)" if at_hand(measured, name, here) else name] for name in measured.machines
        ],
    }


def answered(question: Question, questions: Mapping[str, Question]) -> dict[str, Any]:
    """Return every answer, the tables in which the sliders find theirs, and how it fares in other features."""
    grid = np.array([(q, d, s) for q in WEIGHTS for d in WEIGHTS for s in WEIGHTS])
    by_weight, weight_table = weigh(question, grid)
    times = budgets(question)
    limits = np.array([(ms, percent / 100) for ms in times for percent in LEAST])
    by_budget, budget_table = within(question, limits)
    sharp = opinions.sharp(question)
    told, weight_words = opinions.told(questions, partial(weighed, weights=grid), sharp)
    more, budget_words = opinions.told(questions, partial(kept_within, budgets=limits), sharp)
    return {
        "answers": [*packed(question, by_weight, "weight"), *packed(question, by_budget, "budget that a point fits")],
        "opinions": [asdict(opinion) for opinion in (*told, *more)],
        "usual": USUAL,
        "weights": {"step": WEIGHTS.step, "table": weight_table.tolist(), "opinions": weight_words.tolist()},
        "budgets": {
            "ms": times,
            "words": [format.duration(ms) for ms in times],
            "step": LEAST.step,
            "least": [LEAST_WORDS[question.diversity.better].format(capital(question.diversity.name)),
                      [least_words(question.diversity, percent / 100) for percent in LEAST]],
            "table": (budget_table + len(by_weight)).tolist(),
            "opinions": (budget_words + len(told)).tolist(),
        },
    }  # fmt: skip


def first(value: dict[str, Any]) -> dict[str, Any]:
    """Return what the first screen needs of a value: the answer to the usual weights, and no chart of all points."""
    if not value.get("answers"):
        return value
    step = WEIGHTS.step
    q, d, s = (weight // step for weight in USUAL.values())
    place = str((q * len(WEIGHTS) + d) * len(WEIGHTS) + s)
    weights = value["weights"]
    answer, opinion = (weights[name][int(place)] for name in ("table", "opinions"))
    return value | {
        "front": "",
        "heap": "",
        "answers": [value["answers"][answer]],
        "opinions": [value["opinions"][opinion]],
        "weights": {"step": step, "table": {place: 0}, "opinions": {place: 0}},
        "budgets": value["budgets"] | {"table": {}, "opinions": {}},
    }


def least_words(axis: Axis, share: float) -> str:
    """Return a least share of diversity in the axis's own values: '80%', 'to 20%', '0.80 to 1.25'."""
    if axis.better == "higher":
        return f"{100 * share:.0f}%"
    if not share:
        return "any"
    return f"{100 * (1 - share):.0f}%" if axis.better == "lower" else f"{share:.2f}–{1 / share:.2f}"


def lead(question: Question) -> str:
    """Return, as markup, the sentence under the title: what this is, for who has never heard of it."""
    titles = {point.title: point.family for point in question.points if not point.given}
    whose = f"the images of {format.dataset_title(question.measured.dataset)}"
    if not titles:
        return escape(f"Images made elsewhere, compared with {whose}.")
    count = len(titles)
    kinds = f"{NUMBERS.get(count, count)} kinds of neural network have" if count > 1 else "A neural network has"
    names = format.listing([named(title, family) for title, family in titles.items()])
    return f"{escape(f'{kinds} learned from {whose} to make new ones')}: {names}."


def named(title: str, family: str) -> str:
    """Return a family's name as markup, with what it is short for and means where the list of terms has it."""
    term = glossary.TERMS.get(family)
    if term is None or not term.spelled:
        return escape(title)
    return f'{glossary.link(term.key, title)}<span class="spelled"> ({escape(term.spelled)})</span>'


def measures(question: Question) -> str:
    """Return, as markup, what the three words are measured by, and of how much."""
    quality, diversity = question.quality, question.diversity
    perfect = {"lower": "0 is real", "higher": "more is better", "one": "1 is as real"}[quality.better]
    spelled = f" ({quality.spelled}; {perfect})" if quality.spelled else f" ({perfect})"
    words = (
        f"{capital(GOOD[0])}: {quality.name}{spelled}. {capital(GOOD[1])}: {diversity.name}. {capital(GOOD[2])}: "
        "milliseconds per image. Longer bars are better; ± is the "
    )
    count = format.plural(len(question.points), "setting")
    every = '<a href="#trilemma/terms">All terms</a>'
    return f"{glossary.mark(words)}{glossary.link('interval')}. {count} measured. {every}"


def about(question: Question, place: int) -> dict[str, Any]:
    """Return what the browser says of a point: in the legend, and in the card beside the pointer."""
    point = question.points[place]
    quality, diversity = question.quality, question.diversity
    comparable = question.equal[place]
    lines = []
    for axis in (quality, diversity):
        if score := question.score(point, axis):
            lines += [[axis.name, plus_minus(axis, score)]]
            lines += [["real data", plus_minus(axis, real)]] if (real := question.real(axis, point.n)) else []
    lines += [
        [f"KID in {name}", plus_minus(QUALITIES["kid"], kid)]
        for name in question.measured.extractors
        if name != question.extractor and (kid := point.score("kid", name))
    ]
    lines += [["time", time_words(point)]]
    lines += [["network calls", f"{point.calls:,}"]] if point.calls else []
    lines += [["n", f"{point.n:,} × {point.generations} generations"]]
    if trained := explanations.training_facts(point.quality.get("training") or {}):
        lines += [["trained on", trained]]
    lines += [["checkpoint", digits]] if (digits := point.hash_of()) else []
    return {
        "key": point.key,
        "family": point.family,
        "given": point.given,
        "name": name_of(point),
        "setting": name_of(point).removeprefix(point.title).lstrip(", "),
        "places": [None if math.isnan(place) else round(float(place), 3) for place in question.places[place]],
        "values": [
            cell(quality, question.score(point, quality)),
            cell(diversity, question.score(point, diversity) if comparable else None),
            [format.duration(point.ms_per_image), ""],
        ],
        "lines": lines,
        "stale": point.stale,
        "rough": too_rough(question, place),
    }


def cell(axis: Axis, score: Score | None) -> list[str]:
    """Return a score as the legend has it: the mean, and half the interval where there is room."""
    if score is None:
        return ["–", ""]
    return [explanations.number(axis, score.mean, score.half), explanations.margin(axis, score.half)]


def too_rough(question: Question, place: int) -> str:
    """Return in what a point has too few generations to be ranked; '' where it is ranked."""
    axes = [
        axis for axis, rough in zip((question.quality, question.diversity), question.rough, strict=True) if rough[place]
    ]
    return f"Too few generations to rank it by {' or '.join(axis.name for axis in axes)}." if axes else ""


def time_words(point: Measured) -> str:
    """Return a point's time per image, and that it was only stated where it was."""
    stated = f", stated{f' ({machine})' if (machine := point.stated.get('machine')) else ''}" if point.stated else ""
    return f"{format.duration(point.ms_per_image)} per image{stated}"


def packed(question: Question, answers: list[Answer], where: str) -> list[dict[str, Any]]:
    """Return answers for the browser: what each marks in the charts, and its sentences as markup.

    `where` says what the answers are for, should one family win at all of it.
    """
    family = winner_everywhere(question, answers)
    everywhere = explanations.everywhere(question, family, where) if family else ""
    return [
        {
            "best": answer.best,
            "runner": answer.runner,
            "families": answer.families,
            "leads": leading(question, answer),
            "html": sentences(question, answer, everywhere),
            "basis": explanations.candidates(question, answer),
        }
        for answer in answers
    ]


def leading(question: Question, answer: Answer) -> list[list[Any]]:
    """Return, of each of the three, the words, the families that lead in an answer, and whether that is known."""
    points = [place for place in answer.families if place is not None]
    found = leaders.leads(question, points)
    return [[words, lead.families, lead.known] for words, lead in zip(BEST, found, strict=True)] if points else []


def sentences(question: Question, answer: Answer, everywhere: str) -> str:
    """Return an answer's sentences as markup."""
    if answer.best is None:
        words = escape(explanations.nothing(question, answer))
        return f'<div class="box"><p>{words}</p></div>{OPINION}'
    best = question.points[answer.best]
    why = [explanations.reasons(question, answer), explanations.as_real(question, best)]
    parts = [
        f'<div class="box f-{best.family}" data-best="{escape(best.key)}"><h3>{theme.badge(best.family)}'
        f"{escape(name_of(best))}</h3><p>{glossary.mark(' '.join(filter(None, why)))}</p></div>{OPINION}"
    ]
    if answer.runner is not None:
        runner = question.points[answer.runner]
        both = best.family != runner.family
        link = compare_link(question.measured.dataset, [best, runner] if both else [best])
        parts.append(
            f'<p class="f-{runner.family}">Runner-up: <b>{escape(name_of(runner))}</b>. '
            f"{escape(explanations.runner_up(question, answer))} "
            f'<a href="{escape(link)}">{"See both side by side" if both else "See it in Samples"}</a></p>'
        )
    quiet = [explanations.tie_broken(question, answer), explanations.why_not_closest(question, answer), everywhere,
             explanations.trained(question, answer)]  # fmt: skip
    return "".join(parts + [f'<p class="quiet">{escape(words)}</p>' for words in quiet if words])


def compare_link(dataset: str, points: list[Measured]) -> str:
    """Return the address of these points on the page where models run side by side; samples have no model to run."""
    query: dict[str, Any] = {"data": dataset}
    for point in [point for point in points if not point.given]:
        query[f"{point.family}.checkpoint"] = point.checkpoint
        query |= {f"{point.family}.{knob}": value for knob, value in point.knobs.items()}
    return f"?{urlencode(query)}#compare"


def how_to_read(question: Question) -> str:
    """Return how to read the triangle."""
    quality, diversity, speed = question.scales
    centres = [
        f"{scale.axis.name} {explanations.number(scale.axis, scale.centre) if scale.centre else '0'}"
        for scale in (quality, diversity)
    ]
    words = (
        f"Outward is better. The rim is real data (for speed {format.duration(speed.rim)}), the centre "
        f"{', '.join(centres)} and {format.duration(speed.centre)}. Filled: each family's best for you"
    )
    if np.isnan(question.places).any():
        words += f", open where n differs and {diversity.axis.name} cannot be compared"
    if any(rough.any() for rough in question.rough):
        words += ", faint where there are too few generations to rank them"
    words += "."
    if quality.axis.spelled:
        words += f" {quality.axis.name}: {quality.axis.spelled}, in {question.extractor} features."
    return words + " The area means nothing."


def summary(question: Question) -> str:
    """Return what the chart of all points says."""
    names = [name_of(question.points[i]) for i in question.front]
    if not names:
        return "Every point is stale: its checkpoint has changed since it was measured."
    if len(names) == 1:
        best = f"{names[0]} is both the fastest and the best of {len(question.points)} points, by their means."
        return best + tuned(question)
    return (
        f"By their means, {len(names)} of {len(question.points)} points are worth a look: from {names[0]}, "
        f"the fastest, to {names[-1]}, the best.{tuned(question)}"
    )


def tuned(question: Question) -> str:
    """Return, of each headline point whose model was made of another family's, what that gave; '' where none was.

    It began with the other's weights ('tuned from') or learnt from what it sees ('distilled from'). Each sentence has
    a space before it, and says from which time on the other family is as good.
    """
    words = ""
    fresh = [(point, i) for i, point in enumerate(question.points) if question.fresh[i]]
    for point, i in fresh:
        training = point.quality.get("training") or {}
        how, origin = ("distilled", training["teacher"]) if "teacher" in training else ("tuned", training.get("init"))
        before = [(other, j) for other, j in fresh if other.checkpoint == origin and other.family != point.family]
        if point.kind != "headline" or not before:
            continue
        title = before[0][0].title
        mean = explanations.number(question.quality, question.score(point, question.quality).mean)
        words += f" {name_of(point)}, was {how} from the {title}: {question.quality.name} {mean} in "
        words += f"{format.duration(point.ms_per_image)}"
        if as_good := [(question.ms[j], other) for other, j in before if question.worths[j] >= question.worths[i]]:
            ms, other = min(as_good, key=lambda pair: pair[0])
            words += f"; the {title}'s fastest point that is as good, {other.label}, takes {format.duration(ms)}."
        else:
            words += f"; no point of the {title} is as good."
    return words


def reading(question: Question, here: str = "") -> str:
    """Return how to read the chart of all points; `here` is the machine at hand."""
    axis = question.quality
    up = {"lower": "closer to real", "higher": "better", "one": "closer to real"}[axis.better]
    words = (
        f"Up is {up}, left is faster; beyond real data the axis ends. Bars: 95% intervals over generations of one "
        "trained model. Dashed: nothing measured is better in both. Point at one: "
        "the numbers along its line are network calls."
    )
    words += pareto.ending(question)
    if axis.better == "one":
        words += f" Above 1, too, is not real: there the axis has 1 / {axis.name}."
    if any(point.n != question.n for point in question.points):
        words += f" Hollow: measured at another n than {question.n:,}, across which {axis.name} may be compared."
    words += f" Scores in {question.measured.features(question.extractor)}." * question.featured
    whose = "this machine" if at_hand(question.measured, question.machine, here) else "another machine than this"
    words += f" Times: {BATCH} images at once, {question.machine} ({whose})."
    return f"{words} Choose a point for its samples and its row."
