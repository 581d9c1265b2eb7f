"""What a discriminator believes of real and of generated images, drawn and in numbers. Pure: scores in, markup out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from dashboard import format
from dashboard.figures import svg
from dashboard.figures.svg import line, text
from dashboard.results.projection import wilson

BINS = 25
EXTREMES = 12  # images at either end of a gallery
LEAST = 1e-7  # a probability nearer to 0 or 1 has no logarithm in float32
LOG_4 = math.log(4)


@dataclass(frozen=True)
class Beliefs:
    """Scores in (0, 1) of real images and of samples.

    Attributes:
        who: Whose scores, 'the discriminator'.
        family: The samples' family, for its colour.
        real: (m,) D(x); empty when there are no real images.
        fake: (n,) D(G(z)).
    """

    who: str
    family: str
    real: np.ndarray
    fake: np.ndarray

    @property
    def right(self) -> tuple[float, float]:
        """The shares of the real images held to be real, and of the samples held to be made."""
        return float(np.mean(self.real > 0.5)), float(np.mean(self.fake <= 0.5))

    @property
    def accuracy(self) -> tuple[float, float, float]:
        """Balanced accuracy at 1/2 with both ends of its 95% interval (Wilson's, over all images)."""
        n, mean = len(self.real) + len(self.fake), sum(self.right) / 2
        low, high = wilson(np.array([mean * n]), n)
        return mean, float(low[0]), float(high[0])

    @property
    def pairs(self) -> float:
        """The share of pairs of a real image and a sample in which the real one scores higher; ties count half."""
        gap = self.real[:, None] - self.fake[None]
        return float(np.mean(gap > 0) + np.mean(gap == 0) / 2)

    @property
    def value(self) -> float:
        """V(D, G) on these images, in nats."""
        real, fake = (np.clip(scores, LEAST, 1 - LEAST) for scores in (self.real, self.fake))
        return float(np.mean(np.log(real)) + np.mean(np.log(1 - fake)))


def answer(beliefs: Beliefs) -> str:
    """Return what the scores say, as a sentence in numbers."""
    who = beliefs.who[0].upper() + beliefs.who[1:]
    if not len(beliefs.real):
        return (
            f"{who} takes {np.mean(beliefs.fake <= 0.5):.0%} of the samples for made; without real images beside them, "
            "that alone says little."
        )
    real, fake = beliefs.right
    mean, low, high = beliefs.accuracy
    said = (
        f"{who} takes {real:.0%} of the real images for real and {fake:.0%} of the samples for made: a "
        f"balanced accuracy of {mean:.1%} (95% interval {100 * low:.0f} to {100 * high:.0f}), where guessing gives 50%."
    )
    if axis_of(beliefs) != (0.0, 1.0) and low > 0.5:
        said += " All its scores are near 1/2: it tells more apart than its probabilities, and so V, admit."
    return said


def histograms(beliefs: Beliefs) -> str:
    """Return the card of both histograms, mirrored, and the numbers beside them."""
    low, high = axis_of(beliefs)
    said = answer(beliefs)
    drawing = svg.figure(lambda width: draw(beliefs, (low, high), width), f"Scores. {said}")
    reading = "Upwards: real test images. Downwards: fresh samples." if len(beliefs.real) else "Fresh samples."
    reading += " Longer bars: more images with that score; dotted: the means."
    if (low, high) != (0.0, 1.0):
        reading += f" The axis shows scores from {low:g} to {high:g} alone: there are no others."
    numbers = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in figures(beliefs))
    body = f'<div class="beliefs-two">{drawing}<dl class="beliefs-numbers">{numbers}</dl></div>'
    return svg.card(f"What {beliefs.who} says of them", said, body, reading)


def figures(beliefs: Beliefs) -> list[tuple[str, str]]:
    """Return the numbers beside the histograms: what each is, and its value for people."""
    fake = ("mean D(G(z))", f"{np.mean(beliefs.fake):.3f}")
    if not len(beliefs.real):
        return [fake]
    mean, low, high = beliefs.accuracy
    gap = max(0.0, (beliefs.value + LOG_4) / 2)
    return [
        ("mean D(x)", f"{np.mean(beliefs.real):.3f}"),
        fake,
        ("balanced accuracy at 1/2", f"{mean:.1%} ({100 * low:.0f} to {100 * high:.0f})"),
        ("higher score to the real one of a pair", f"{beliefs.pairs:.1%}"),
        ("V(D, G) on these images", f"{format.signed(beliefs.value, 2)} nats"),
        ("so their JSD is at least", f"{gap:.2f} of {math.log(2):.2f} nats"),
        ("and their total variation at least", f"{max(0.0, 2 * mean - 1):.2f} of 1"),
    ]


def axis_of(beliefs: Beliefs) -> tuple[float, float]:
    """Return where the axis of scores begins and ends: at 0 and 1, or around the scores where these lie close."""
    scores = np.concatenate([beliefs.real, beliefs.fake, [0.5]])
    low, high = math.floor(10 * scores.min()) / 10, math.ceil(10 * scores.max()) / 10
    return (low, high) if high - low <= 0.5 else (0.0, 1.0)


def draw(beliefs: Beliefs, ends: tuple[float, float], width: int) -> tuple[str, float]:
    """Return the mirrored histograms at one width, and their height."""
    left, right, rise = 44, width - 10, 96
    up, down = (rise if len(beliefs.real) else 0), rise
    middle = 24 + up
    bottom = middle + down + 14
    edges = np.linspace(*ends, BINS + 1)
    counts = [np.histogram(scores, edges)[0] for scores in (beliefs.real, beliefs.fake)]
    most = max(1, *(int(each.max()) for each in counts))

    def at(score: float) -> float:
        return left + (right - left) * (score - ends[0]) / (ends[1] - ends[0])

    parts = [ruler(most, (left, right, middle), rise, sides=(1, -1) if up else (-1,))]
    for each, family, sign in ((counts[0], "real", 1), (counts[1], beliefs.family, -1)):
        parts += bars(edges, each / most * rise, at, middle, sign, family)
    parts.append(line(left, middle, right, middle, "firm"))
    parts += [line(at(0.5), middle - up - 6, at(0.5), middle + down + 6, "mean"),
              text(at(0.5), middle - up - 10, "1/2", "tick", "middle")]  # fmt: skip
    for scores, family, sign, words in (
        (beliefs.real, "real", 1, "real"), (beliefs.fake, beliefs.family, -1, "generated"),
    ):  # fmt: skip
        if len(scores):
            parts.append(mean_mark(at(float(np.mean(scores))), middle, sign, family))
            parts.append(named(words, family, right, middle - sign * (rise - 6)))
    for tick in svg.nice_ticks(*ends):
        parts += [line(at(tick), bottom, at(tick), bottom + 4, "firm"),
                  text(at(tick), bottom + 18, f"{tick:g}", "tick", "middle")]  # fmt: skip
    parts += [line(left, bottom, right, bottom, "firm"),
              text((left + right) / 2, bottom + 38, "probability of being real, D", "axis", "middle")]  # fmt: skip
    return "".join(parts), bottom + 46


def ruler(most: int, place: tuple[float, float, float], rise: float, sides: Sequence[int]) -> str:
    """Return the gridlines that count images, at the same distances on both sides of the middle."""
    left, right, middle = place
    parts = []
    for tick in svg.nice_ticks(0, most, 2):
        if tick and tick == int(tick):
            for sign in sides:
                y = middle - sign * rise * tick / most
                parts += [line(left, y, right, y, "grid"), text(left - 6, y + 4, f"{tick:g}", "tick", "end")]
    turned = f'<text transform="translate(11 {middle:.1f}) rotate(-90)" text-anchor="middle" class="axis">images</text>'
    return "".join(parts) + turned


def bars(
    edges: np.ndarray, heights: np.ndarray, at: Callable[[float], float], middle: float, sign: int, family: str
) -> list[str]:
    """Return one histogram's bars, upwards from the middle for sign 1 and downwards for -1."""
    parts = []
    for x1, x2, height in zip(edges[:-1], edges[1:], heights, strict=True):
        if height:
            top = middle - height if sign > 0 else middle
            parts.append(
                f'<rect x="{at(x1) + 0.7:.1f}" y="{top:.1f}" width="{at(x2) - at(x1) - 1.4:.1f}" '
                f'height="{height:.1f}" rx="1.5" style="fill:var(--mark-{family})"/>'
            )
    return parts


def mean_mark(x: float, middle: float, sign: int, family: str) -> str:
    """Return the tick at a mean: from the middle outwards, in the text colour so that it stands out on the bars."""
    return (
        f'<line x1="{x:.1f}" y1="{middle:.1f}" x2="{x:.1f}" y2="{middle - sign * 96:.1f}" class="belief-mean" '
        f'style="stroke:var(--text-{family})"/>'
    )


def named(words: str, family: str, x: float, y: float) -> str:
    """Return the name of one side in its colour."""
    return (
        f'<text x="{x:.1f}" y="{y + 4:.1f}" text-anchor="end" class="name" style="fill:var(--text-{family})">'
        f"{escape(words)}</text>"
    )


# ---- the galleries


def extremes(scores: np.ndarray, count: int = EXTREMES) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of the images believed least and of those believed most, each in rising order of the score."""
    order = np.argsort(scores, kind="stable")
    count = min(count, len(order) // 2)
    return order[:count], order[len(order) - count :]


def gallery(title: str, family: str, scores: np.ndarray, picture: Callable[[int], str]) -> str:
    """Return the images believed least, then those believed most, of one kind; `picture` gives a data URI by place."""
    low, high = extremes(scores)
    parts = [
        f'<div class="belief-strip"><p class="hint">{words}</p><div class="belief-images">'
        + "".join(thumbnail(picture(int(place)), float(scores[place]), title) for place in places)
        + "</div></div>"
        for words, places in (("believed least, lowest first", low), ("believed most, highest last", high))
    ]
    return (
        f'<section class="beliefs f-{family}" data-gallery="{family}"><h4>{escape(title)}</h4>'
        f'<div class="belief-ends">{"".join(parts)}</div></section>'
    )


def thumbnail(source: str, score: float, title: str) -> str:
    """Return one image with its score below."""
    words = format.probability(score)
    return f'<figure><img src="{source}" alt="{escape(title)}: D = {words}"><figcaption>{words}</figcaption></figure>'
