"""How comparisons stand, as values that the page's script paints, and as charts. Pure: no torch, no gradio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dashboard import format
from dashboard.figures import line, training_curves
from dashboard.figures.line import Curve
from dashboard.figures.training_curves import HELD_OUT, MAIN, PLACES, RATE, Told
from dashboard.service.comparisons import Comparison

PHASES = {
    "planned": "Planning", "training": "Training", "features": "Looking at the real images", "evaluating": "Measuring",
}  # fmt: skip
STANDS = {
    "starting": "Starting: the images are read, and some steps of each family are tried.",
    "stopping": "Stopping: the models are kept as they are now.",
    "interrupted": "Interrupted. Nothing is lost: Resume goes on where it was.",
    "stopped": "Stopped. Its models can be used, and Resume goes on.",
}
WITHOUT = {"interrupted": "Interrupted.", "stopped": "Stopped. Its models can be used."}  # and no way to go on
CAN = {
    "queued": ("stop",), "starting": ("stop",), "running": ("stop",), "stopping": (),
    "interrupted": ("resume", "save", "delete"), "stopped": ("resume", "save", "delete"),
    "failed": ("resume", "save", "delete"), "done": ("save", "delete"),
}  # fmt: skip
ELBO = f"{HELD_OUT}elbo"
CHARTS = (  # of each training, where it logs them: a title, and the columns with their names
    (ELBO,),
    (f"{HELD_OUT}d_real", f"{HELD_OUT}d_fake"),
)
MOST = 6  # figures under a picture
FALLEN, FALLEN_AFTER = (
    0.2,
    0.7,
)  # of its range, of the training's time: further below its best, and longer ago, is a fall


def plan_words(parts: Mapping[str, float]) -> str:
    """Return how long a comparison takes, as a sentence: 'About 63 min here: 60 min of training, ...'."""
    named = {"training": "training", "features": "looking at the real images", "evaluating": "measuring"}
    listed = [
        f"{named.get(phase, phase)} {format.minutes(seconds)}" for phase, seconds in parts.items() if seconds >= 1
    ]
    return f"About {format.minutes(sum(parts.values()))} on this machine: {', '.join(listed)}."


def item(one: Comparison, ahead: int, may: bool, titles: Mapping[str, str]) -> dict[str, Any]:
    """Return a comparison in the list.

    Args:
        one: The comparison.
        ahead: How many are before it in the list, which for one in line are those that run or wait.
        may: Whether anything can be done with it here.
        titles: The families' names for people.
    """
    state = one.state
    return {
        "name": one.name,
        "title": one.title,
        "status": one.status,
        "words": words(one, ahead, titles),
        "share": whole_share(one),
        "left": left(one),
        "budget": budget(one),
        "can": [*can(one), "rename"] if may else [],
        "verdict": state.verdict if state else "",
        "sentences": list(state.sentences) if state else [],
    }


def can(one: Comparison) -> list[str]:
    """Return what can be done with a comparison as it stands."""
    return [act for act in CAN.get(one.status, ()) if act != "resume" or not one.lacking]


def words(one: Comparison, ahead: int, titles: Mapping[str, str]) -> str:
    """Return how a comparison stands, as a sentence."""
    if one.status == "queued":
        return f"In line, {ahead} ahead: it starts by itself." if ahead else "In line: it starts by itself."
    if one.status == "running":
        return doing(one.state, titles)
    said = one.problem or (one.state.words if one.state else "")
    if one.status == "failed":
        return said or "It ended without a word: look into compare.log in its folder."
    if one.status == "done":
        verdict = one.state.verdict or "Done."
        return verdict[0].upper() + verdict[1:]
    stands = [WITHOUT.get(one.status, ""), one.lacking] if one.lacking else [STANDS.get(one.status, "")]
    return " ".join(filter(None, [*stands, one.problem]))


def doing(state: Any, titles: Mapping[str, str]) -> str:
    """Return what is being done: 'Training the GAN.', 'Measuring: the VAE, second generation.'."""
    phase = PHASES.get(state.phase, state.phase)
    if state.phase == "training":
        now = [titles.get(one.family, one.family) for one in state.members if one.state == "training"]
        return f"{phase} the {format.listing(now)}." if now else f"{phase}."
    return f"{phase}: {state.words.rstrip('.')}." if state.words else f"{phase}."


def whole_share(one: Comparison) -> float:
    """Return how much of the training of all families is done, then how much of what follows, in [0, 1]."""
    if one.status == "running" and one.state.phase != "training":
        return one.state.share
    members = one.state.members if one.state else ()
    budgets = sum(member.budget_s for member in members)
    done = sum(min(member.seconds, member.budget_s) for member in members)
    return 1.0 if one.status == "done" else done / budgets if budgets else 0.0


def left(one: Comparison) -> str:
    """Return about how long all the rest takes, '' where that is not known."""
    if one.status != "running" or one.state.eta_s is None:
        return ""
    return f"about {format.clock(max(1.0, one.state.eta_s))} left"


def budget(one: Comparison) -> str:
    """Return the budget: '20 min 00 s each'."""
    return f"{format.clock(60 * one.job.minutes)} of training each"


# ---- the families of one


def lane(member: Any, title: str, told: Told | None, running: bool) -> dict[str, Any]:
    """Return one family's part of a comparison."""
    active = running and member.state == "training"
    state = {"training": "running" if active else "paused"}.get(member.state, member.state)
    figures = [["images seen", f"{member.images:,}"]] if member.images else []
    figures += [["images/s", format.round_to(member.images_per_s)]] if active and member.images_per_s else []
    return {
        "family": member.family,
        "title": title,
        "state": state,
        "stage": "not finished" if state == "paused" else member.state,
        "share": min(1.0, member.seconds / member.budget_s) if member.budget_s else 0.0,
        "clock": f"{format.clock(max(0.0, member.budget_s - member.seconds))} left" if active
        else format.clock(member.seconds) if member.seconds else "",
        "note": member.words,
        "figures": [*figures, *(latest(told) if told else [])],
    }  # fmt: skip


def latest(told: Told) -> list[list[str]]:
    """Return what a training logged last, whatever it logs: pairs of a name and a number."""
    found = []
    for name in (MAIN, *training_curves.others([told])):
        values = told.columns.get(name)
        if name in (*PLACES, RATE) or values is None or values.ndim > 1:
            continue
        known = values[np.isfinite(values)]
        if len(known):
            found.append((not (name == MAIN or name.startswith(HELD_OUT)), name, float(known[-1])))
    chosen = sorted(found, key=lambda one: one[0])[:MOST]  # the loss and held-out figures before the others
    return [[training_curves.spelled(name), format.significant(value)] for _, name, value in chosen]


def charts(told: Sequence[Told]) -> str:
    """Return the charts of trainings: for each its loss, and what else it logs that says how it goes."""
    span = training_curves.span(told, "seconds", False)
    cards = []
    for one in told:
        if len(one.points(MAIN, "seconds")[0]):
            cards.append(training_curves.column_card([one], MAIN, "seconds", False, span))
        cards += [chart(one, columns, span) for columns in CHARTS if set(columns) <= set(one.columns)]
    return f'<div class="descent">{"".join(f"<div>{card}</div>" for card in cards)}</div>' if cards else ""


def chart(one: Told, columns: Sequence[str], span: tuple[float, float] | None) -> str:
    """Return the chart of some columns of one training; the second line is dashed."""
    names = [training_curves.spelled(column.removeprefix(HELD_OUT)) for column in columns]
    curves = [
        Curve(name * (len(columns) > 1), *one.points(column, "seconds"), one.family, dashed=index % 2 == 1)
        for index, (column, name) in enumerate(zip(columns, names, strict=True))
    ]
    title = format.listing(names)
    ends = [f"{name} {format.significant(float(curve.y[-1]))}" for name, curve in zip(names, curves, strict=True)]
    return line.lines(
        f"{one.title}: {title}", f"At the end: {format.listing(ends)}.{by_heart(one, columns[0])}",
        training_curves.reading(columns[0]), curves, training_curves.AXES["seconds"], title, x_range=span,
    )  # fmt: skip


def by_heart(one: Told, column: str) -> str:
    """Return what is to be said of a bound of held-out images that has long fallen again, as a sentence; else ''."""
    seconds, bound = one.points(column, "seconds")
    if column != ELBO or len(bound) < 3:
        return ""
    top = int(np.argmax(bound))
    late = seconds[top] > FALLEN_AFTER * seconds[-1]
    if late or bound[top] - bound[-1] < FALLEN * np.ptp(bound):
        return ""
    best, when = format.significant(float(bound[top])), format.clock(float(seconds[top]))
    return f" It was highest, {best}, after {when}: since then the training images are learnt by heart."


def stamp(told: Sequence[Told]) -> str:
    """Return what changes when there is more to draw."""
    return " ".join(f"{one.name}:{len(one.columns['images'])}" for one in told)
