"""What trainings went through, as line charts: columns of logs in, markup out. Pure: no torch, no gradio.

Losses of different families are different things, so each family has a chart of its own; all charts share one axis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from dashboard import format, theme
from dashboard.figures import line
from dashboard.figures.line import Curve
from dashboard.format import significant

AXES = {"images": "images seen", "seconds": "seconds of training"}
MAIN, RATE = "loss", "lr"
PLACES = ("step", "images", "seconds")  # where a line belongs
HELD_OUT = "validation_"
SPELLED = {"kl": "KL divergence", "elbo": "ELBO", "lr": "learning rate", "r1": "R1", "r2": "R2", "d": "D", "l": "L"}
WHOLE = {"d_real": "D(x)", "d_fake": "D(G(z))"}  # columns whose names are a formula
TAIL = 0.1  # the last share of a training, whose mean is its end
WINDOWS = 60  # pieces of a training, each with one speed


@dataclass(frozen=True)
class Told:
    """One training as its log tells it: of a checkpoint `name`, of a family that is `title` for people.

    `columns` holds what was logged, by name: float (lines,), or (lines, d) for vectors.
    """

    name: str
    family: str
    title: str
    columns: Mapping[str, np.ndarray]

    def points(self, column: str, axis: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the places and the known values of a column; both empty when there are none."""
        if column not in self.columns or axis not in self.columns:
            return np.zeros(0), np.zeros(0)
        x, y = self.columns[axis], self.columns[column]
        known = np.isfinite(x) & np.isfinite(y if y.ndim == 1 else y.sum(axis=1))
        return x[known], y[known]


# ---- words


def spelled(column: str) -> str:
    """Return a column's name for people: 'validation_kl' becomes 'KL divergence (held out)'."""
    plain = column.removeprefix(HELD_OUT)
    words = WHOLE.get(plain) or " ".join(SPELLED.get(word, word) for word in plain.split("_"))
    return f"{words} (held out)" if plain != column else words


def others(told: Sequence[Told]) -> list[str]:
    """Return the columns that can be shown besides the loss and the learning rate, in the logs' order."""
    names = dict.fromkeys(name for one in told for name in one.columns)
    return [name for name in names if name not in (MAIN, RATE, *PLACES)]


def after(place: float, whole: float, axis: str) -> str:
    """Return a place on an axis and the axis's end for people: '31k of 600k images', '4 min 05 s of 19 min 42 s'."""
    if axis == "seconds":
        return f"{format.clock(place)} of {format.clock(whole)}"
    return " of ".join(format.tick(float(f"{value:.2g}")) for value in (place, whole)) + " images"


def journey(x: np.ndarray, y: np.ndarray, axis: str) -> str:
    """Return how a value went, as a sentence: from where to where, and when it had come nine tenths of the way."""
    begin, end = float(y[0]), float(y[x >= x[-1] - TAIL * (x[-1] - x[0])].mean())
    pieces = np.array_split(np.arange(len(y)), min(100, len(y)))
    means = np.array([y[0], *(y[piece].mean() for piece in pieces)])
    if np.ptp(means) > 1.3 * abs(end - begin):  # it turned back, or hardly moved beside its noise
        low, high = float(y.min()), float(y.max())
        return f"Between {significant(low)} and {significant(high)}; {significant(end)} at the end."
    done = (means[1:] - begin) / (end - begin or 1)
    reached = x[pieces[int(np.argmax(done >= 0.9))]].mean()
    return (
        f"From {significant(begin)} to {significant(end)}; nine tenths of the way was done after "
        f"{after(float(reached), float(x[-1]), axis)}."
    )


# ---- the charts


def span(told: Sequence[Told], axis: str, log_x: bool) -> tuple[float, float] | None:
    """Return the range of an axis that all trainings share; None when no log has it."""
    places = np.concatenate([np.zeros(0), *(one.columns[axis] for one in told if axis in one.columns)])
    places = places[np.isfinite(places) & (places > 0)]
    return (places.min() if log_x else 0.0, places.max()) if len(places) else None


def families(told: Sequence[Told]) -> dict[str, list[Told]]:
    """Return the trainings by family, in their order."""
    return format.grouped((one.family, one) for one in told)


def column_cards(told: Sequence[Told], column: str, axis: str, log_x: bool = False) -> list[str]:
    """Return the cards of a column, one per family that logs it."""
    return [
        column_card(mine, column, axis, log_x, span(told, axis, log_x))
        for mine in families([one for one in told if len(one.points(column, axis)[0])]).values()
    ]


def column_card(mine: Sequence[Told], column: str, axis: str, log_x: bool, x_range: tuple[float, float] | None) -> str:
    """Return the card of a column for the trainings of one family."""
    drawn, told = [], []
    for index, one in enumerate(mine):
        x, y = one.points(column, axis)
        several = f"{one.name}: " if len(mine) > 1 else ""
        label = one.name if several else ""
        if y.ndim == 1:
            drawn.append(Curve(label, x, y, one.family, dashed=index % 2 == 1))
            told.append(several + journey(x, y, axis))
            continue
        top, (low, high) = int(np.argmax(y[-1])), map(significant, (y[-1].min(), y[-1].max()))
        drawn += [Curve(label * (i == top), x, each, one.family, index % 2 == 1) for i, each in enumerate(y.T)]
        told.append(f"{several}{len(y.T)} numbers, at the end from {low} to {high}.")
    words = spelled(column)
    return line.lines(
        f"{mine[0].title}: {words}", " ".join(told), reading(column), drawn, AXES[axis], words, log_x=log_x,
        x_range=x_range,
    )  # fmt: skip


def reading(column: str) -> str:
    """Return how to read the chart of a column."""
    if column == MAIN:
        return "What the optimizer lowers: the mean of the steps since the line before."
    if column.startswith(HELD_OUT):
        return "Of held-out images with the averaged weights: nothing was trained on these."
    return "As logged: the mean of the steps since the line before."


def rate_card(told: Sequence[Told], axis: str, log_x: bool = False) -> str:
    """Return the card of the learning rates of all trainings."""
    drawn = [curve for _, curve in curves(told, lambda one: one.points(RATE, axis))]
    highest = [f"{curve.label} {significant(float(curve.y.max()))}" for curve in drawn]
    return line.lines(
        "Learning rate", f"At its highest: {format.listing(highest)}." if highest else "No log has a learning rate.",
        "How far a step goes: up in a warm-up, then down a half cosine. A rise later on is where a training was taken "
        "up again.", drawn, AXES[axis], "learning rate η", log_x=log_x, x_range=span(told, axis, log_x),
    )  # fmt: skip


def speed(one: Told, axis: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the images per second in equal pieces of a log, and where the pieces end."""
    if not {"images", "seconds"} <= set(one.columns):
        return np.zeros(0), np.zeros(0)
    edges = np.unique(np.linspace(0, len(one.columns["images"]) - 1, WINDOWS + 1).astype(int))
    images, seconds = one.columns["images"][edges], one.columns["seconds"][edges]
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = np.diff(images) / np.diff(seconds)
    known = np.isfinite(rates) & (rates > 0)
    return one.columns[axis][edges[1:]][known], rates[known]


def speed_card(told: Sequence[Told], axis: str, log_x: bool = False) -> str:
    """Return the card of the images per second of all trainings."""
    drawn, overall = [], []
    for one, curve in curves(told, lambda one: speed(one, axis)):
        images, seconds = (one.columns[name][-1] - one.columns[name][0] for name in ("images", "seconds"))
        drawn.append(curve)
        overall.append(f"{curve.label} {significant(images / seconds)}")
    return line.lines(
        "Images per second in training",
        f"Over the whole training: {format.listing(overall)}." if overall else "No log tells its time.",
        "Higher is faster. Everything counts, held-out figures and time-lapse pictures too; the table says on which "
        "device.", drawn, AXES[axis], "images per second (log scale)", log_x=log_x, log_y=True,
        x_range=span(told, axis, log_x),
    )  # fmt: skip


def curves(
    told: Sequence[Told], points: Callable[[Told], tuple[np.ndarray, np.ndarray]]
) -> Iterator[tuple[Told, Curve]]:
    """Yield each training that has such points, with their curve, labelled so that it is told from the others'."""
    for mine in families(told).values():
        for i, one in enumerate(mine):
            x, y = points(one)
            if len(x):
                yield one, Curve(one.name if len(mine) > 1 else one.title, x, y, one.family, dashed=i % 2 == 1)


# ---- the facts


@dataclass(frozen=True)
class Facts:
    """What run.json says of a training, and the totals with the training that it continues."""

    name: str
    family: str
    run: Mapping[str, Any]
    trained: Mapping[str, float]


HEADS = ("run", "images seen", "time", "images per step", "device", "numbers", "seed", "command")


def facts_table(facts: Sequence[Facts]) -> str:
    """Return the table of what each training was."""
    head = "".join(f"<th{words_class(name)}>{name}</th>" for name in HEADS)
    body = "".join(f"<tr>{facts_row(one)}</tr>" for one in facts)
    notes = " ".join(continued(one) for one in facts if isinstance(one.run.get("init"), Mapping))
    return (
        f'<div class="numbers descent-facts"><div class="sideways" tabindex="0" role="region" '
        f'aria-label="What each training was"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>" + (f'<p class="reading">{escape(notes)}</p>' if notes else "") + "</div>"
    )


def words_class(name: str) -> str:
    """Return the class of a column of words, which is set to the left."""
    return ' class="words"' if name in ("run", "device", "numbers", "command") else ""


def facts_row(one: Facts) -> str:
    """Return the cells of one training."""
    run, trained = one.run, one.trained
    settings = run.get("settings") if isinstance(run.get("settings"), Mapping) else {}
    step, images = run.get("step"), run.get("images")
    known = isinstance(step, int) and isinstance(images, int) and step > 0
    cells = {
        "run": f'<span class="run">{theme.badge(one.family, 12)} {escape(one.name)}</span>',
        "images seen": f"{trained['images']:,}" if "images" in trained else "",
        "time": format.clock(trained["seconds"]) if "seconds" in trained else "",
        "images per step": f"{images / step:,.0f}" if known else "",
        "device": escape(device(run)),
        "numbers": escape(str(settings.get("dtype", ""))),
        "seed": escape(str(run.get("seed", ""))),
        "command": f"<code>{escape(str(run['command']))}</code>" if run.get("command") else "",
    }
    return "".join(f"<td{words_class(name)}>{cells[name] or 'not recorded'}</td>" for name in HEADS)


def device(run: Mapping[str, Any]) -> str:
    """Return what a training ran on: 'Intel Xeon Processor, 2 processes of 1 thread'."""
    machine = run.get("machine") if isinstance(run.get("machine"), Mapping) else {}
    name = format.processor(machine.get("name") or machine.get("device") or "")
    if not name:
        return ""
    threads, processes = machine.get("threads"), run.get("processes") or 1
    each = format.plural(threads, "thread") if threads and machine.get("device") == "cpu" else ""
    many = f"{processes} processes{' of ' * bool(each)}" if processes != 1 else ""
    return ", ".join(filter(None, [name, many + each]))


def continued(one: Facts) -> str:
    """Return the sentence that says which training another one continues."""
    init = one.run["init"]
    images, seconds = init.get("images"), init.get("seconds")
    told = [f"{images:,} images"] if isinstance(images, int) else []
    told += [format.clock(seconds)] if isinstance(seconds, int | float) else []
    of = f" of {format.listing(told)}" if told else ""
    return f"{one.name} continues a training{of}, which its totals include; command and settings are of the last part."
