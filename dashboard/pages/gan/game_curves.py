"""The adversarial game as a training log tells it: its curves, and who is ahead, in numbers. Pure: columns in, SVG out.

What is drawn depends on the columns that the log has, so a log of any family that keeps such columns can be read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from dashboard import format
from dashboard.figures import line, training_curves
from dashboard.figures.line import Curve, Level
from dashboard.figures.training_curves import HELD_OUT, TAIL

LOG_2, LOG_4 = math.log(2), math.log(4)
SEEN = training_curves.AXES["images"]
Columns = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Ending:
    """A column's mean over the last tenth of a training.

    `error` is its standard error, as if the logged values were independent; NaN for fewer than two.
    """

    mean: float
    error: float

    def beside(self, level: float) -> int:
        """Return 1 above a level, -1 below it, 0 where the mean cannot be told from it."""
        if not abs(self.mean - level) > 2 * self.error:
            return 0
        return 1 if self.mean > level else -1


def values(log: Columns, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the images seen and the finite values of a column, both empty when the log has none."""
    images, column = (np.asarray(log.get(one, ()), float) for one in ("images", name))
    if column.shape != images.shape:
        return np.zeros(0), np.zeros(0)
    kept = np.isfinite(images) & np.isfinite(column)
    return images[kept], column[kept]


def ending(log: Columns, name: str) -> Ending | None:
    """Return how a column ends; None when the log has no such values."""
    images, column = values(log, name)
    if not len(column):
        return None
    last = column[images >= (1 - TAIL) * images[-1]]
    error = float(last.std(ddof=1)) / math.sqrt(len(last)) if len(last) > 1 else math.nan
    return Ending(float(last.mean()), error)


def has_game(log: Columns) -> bool:
    """Return whether a log has any of the game's columns."""
    names = ("value", "d_real", "d_fake", "win_rate", f"{HELD_OUT}value", f"{HELD_OUT}d_real", f"{HELD_OUT}d_fake")
    return any(len(values(log, name)[1]) for name in names)


def by_probe(log: Columns) -> bool:
    """Return whether V and D are a probe's: a small discriminator beside a critic that gives no probability."""
    return len(values(log, "probe_loss")[1]) > 0


# ---- in words


def story(log: Columns) -> list[str]:
    """Return who is ahead at the end of a training, what that means, and whose numbers they are, as sentences."""
    told = [*told_by_pairs(log), *told_by_value(log)]
    if by_probe(log):
        told.append(
            "The critic of this run scores pairs and is defined only up to a constant, so no D(x) can be read off it. "
            "V, D(x) and D(G(z)) are a probe's: a small discriminator trained beside the game with the lecture's loss, "
            "which never trains G."
        )
    return told


def told_by_pairs(log: Columns) -> Iterator[str]:
    """Yield what the critic's pair win rate says."""
    rate = ending(log, "win_rate")
    if rate is None:
        return
    verdict = {
        1: "the critic is ahead of G",
        0: "neither is ahead",
        -1: "G is ahead: its images look more real to the critic than real ones",
    }[rate.beside(0.5)]
    yield (
        f"At the end the critic scores the real image of a pair higher in {rate.mean:.0%} of the pairs, against 1/2 at "
        f"the equilibrium: {verdict}."
    )


def told_by_value(log: Columns) -> Iterator[str]:
    """Yield what V, D(x) and D(G(z)) say at the end, on held-out images where the log has them."""
    held_out = len(values(log, f"{HELD_OUT}value")[1]) > 0
    start = HELD_OUT if held_out else ""
    value, real, fake = (ending(log, f"{start}{name}") for name in ("value", "d_real", "d_fake"))
    if value is None:
        return
    who = "the probe" if by_probe(log) else "D"
    side = value.beside(-LOG_4)
    beliefs = f", with D(x) = {real.mean:.2f} and D(G(z)) = {fake.mean:.2f}" if real and fake else ""
    where = "On held-out images" if held_out else "On the training batches"
    verdict = {
        1: f"{who} is ahead and can still tell the two apart",
        0: f"{who} can only guess, as at the equilibrium",
        -1: f"{who} does worse than guessing, so G is ahead of it",
    }[side]
    yield (
        f"{where}, V ends at {format.signed(value.mean, 2)} nats{beliefs}. At the equilibrium these are −1.39, "
        f"1/2 and 1/2; if D always knew, 0, 1 and 0. So {verdict}."
    )
    yield bound(value, side)


def bound(value: Ending, side: int) -> str:
    """Return what a value of V says about the distance between the two distributions."""
    if side <= 0:
        return (
            "Since V ≤ 2 JSD − log 4 whatever D does, such a V puts no lower limit on the Jensen-Shannon divergence: "
            "either G's images are as the data, or this D does not see how they differ."
        )
    least = (value.mean + LOG_4) / 2
    return (
        f"Since V ≤ 2 JSD − log 4 whatever D does, the Jensen-Shannon divergence between data and model is at least "
        f"(V\u00a0+\u00a0log\u00a04)/2 = {least:.2f} nats, of at most log 2 = {LOG_2:.2f}; a better D might show more."
    )


# ---- the curves


def cards(log: Columns, family: str) -> list[str]:
    """Return the charts of the game that a log has columns for, each as a card."""
    return [card for card in (value_card(log), beliefs_card(log, family), pairs_card(log), loss_card(log)) if card]


def curve(log: Columns, name: str, label: str, family: str = "", dashed: bool = False) -> list[Curve]:
    """Return a column's curve, or none when the log has no such values."""
    images, column = values(log, name)
    return [Curve(label, images, column, family, dashed)] if len(column) else []


def whose(log: Columns) -> str:
    """Return whose V and D the curves are, in a few words."""
    return "the probe's" if by_probe(log) else "D's own"


def value_card(log: Columns) -> str:
    """Return the chart of V."""
    drawn = [*curve(log, "value", "training", dashed=True), *curve(log, f"{HELD_OUT}value", "held-out")]
    if not drawn:
        return ""
    end = ending(log, f"{HELD_OUT}value") or ending(log, "value")
    levels = [Level(-LOG_4, "−log 4, the equilibrium")]
    if max(float(each.y.max()) for each in drawn) > -LOG_2:  # half-way; else it would press the curve flat
        levels.append(Level(0.0, "0, D always knows"))
    return line.lines(
        "The value of the game, V(D, G)",
        f"It ends at {format.signed(end.mean, 2)} nats ({whose(log)}).",
        "At −log 4 D can only guess; at 0 it is always right, and sure. Below −log 4 it is worse than a coin.",
        drawn, SEEN, "V in nats", levels=levels,
    )  # fmt: skip


def beliefs_card(log: Columns, family: str) -> str:
    """Return the chart of D(x) and D(G(z))."""
    drawn = [
        *curve(log, "d_real", "D(x), training", "real", dashed=True),
        *curve(log, "d_fake", "D(G(z)), training", family, dashed=True),
        *curve(log, f"{HELD_OUT}d_real", "D(x), held-out", "real"),
        *curve(log, f"{HELD_OUT}d_fake", "D(G(z)), held-out", family),
    ]
    if not drawn:
        return ""
    real, fake = (
        ending(log, f"{HELD_OUT}{name}") or ending(log, name) or Ending(math.nan, math.nan)
        for name in ("d_real", "d_fake")
    )
    return line.lines(
        "What D says of real and of generated images",
        f"At the end D(x) = {real.mean:.2f} and D(G(z)) = {fake.mean:.2f} ({whose(log)}).",
        "Grey: real images, coloured: generated ones. The further the two are apart, the better D tells them apart.",
        drawn, SEEN, "mean probability of being real", levels=[Level(0.5, "1/2, the equilibrium")],
    )  # fmt: skip


def pairs_card(log: Columns) -> str:
    """Return the chart of the critic's pair win rate."""
    drawn = curve(log, "win_rate", "")
    if not drawn:
        return ""
    return line.lines(
        "How often the critic is right about a pair",
        f"At the end in {ending(log, 'win_rate').mean:.0%} of the pairs of a real and a generated image.",
        "P(C(x) > C(G(z))) on the training batches; at 1/2 the critic can only guess.",
        drawn, SEEN, "share of pairs", levels=[Level(0.5, "1/2, the equilibrium")],
    )  # fmt: skip


def loss_card(log: Columns) -> str:
    """Return the chart of the critic's loss, for a critic of pairs alone: elsewhere it is V with the sign turned."""
    drawn = curve(log, "discriminator_loss", "")
    if not drawn or not len(values(log, "win_rate")[1]):
        return ""
    return line.lines(
        "What the critic loses",
        f"At the end {format.signed(ending(log, 'discriminator_loss').mean, 2)} nats, against log 2 = {LOG_2:.2f}.",
        "E[softplus(C(G(z)) − C(x))] without the gradient penalties; lower means that the critic tells pairs apart.",
        drawn, SEEN, "loss in nats", levels=[Level(LOG_2, "log 2, the equilibrium")],
    )  # fmt: skip
