"""What a discriminator believes of real and of generated images, drawn and in numbers. Pure: scores in, markup out."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

import numpy as np

from dashboard import format
from dashboard.figures import svg
from dashboard.figures.plot import Axis, Frame, Scale, ticks
from dashboard.figures.svg import line, text
from dashboard.results.projection import wilson

BINS = 25
RISE = 96  # pixels of the longest bar
EXTREMES = 12  # images at either end of a gallery
LEAST = 1e-7  # a probability nearer to 0 or 1 has no logarithm in float32
LOG_4 = math.log(4)


@dataclass(frozen=True)
class Beliefs:
    """Scores in (0, 1) that `who` ('the discriminator') gives to real images and to a family's samples.

    `real` (m,) are D(x), empty when there are no real images; `fake` (n,) are D(G(z)).
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
    sides = [(beliefs.fake, beliefs.family, -1, "generated")]
    if len(beliefs.real):
        sides.insert(0, (beliefs.real, "real", 1, "real"))
    middle = 24 + RISE * (len(sides) - 1)
    edges = np.linspace(*ends, BINS + 1)
    counts = [np.histogram(scores, edges)[0] for scores, *_ in sides]
    most = max(1, *(int(each.max()) for each in counts))
    frame = Frame(44, width - 10, middle, middle + RISE + 14, Scale(*ends))
    half = frame.x(0.5)
    parts = [svg.upright(12, middle, "images")]
    for each, (_, family, sign, _) in zip(counts, sides, strict=True):
        up = Scale(0, most, start=middle, end=middle - sign * RISE)
        parts += [ruler(frame, up), *bars(edges, each, frame.x, up, family)]
    parts.append(line(frame.left, middle, frame.right, middle, "firm"))
    top = middle - RISE * (len(sides) - 1)
    parts += [line(half, top - 6, half, middle + RISE + 6, "mean"), text(half, top - 10, "1/2", "tick", "middle")]
    for scores, family, sign, words in sides:
        x, ink = frame.x(float(np.mean(scores))), f"var(--text-{family})"
        # From the middle outwards, in the text colour so that it stands out on the bars.
        parts.append(line(x, middle, x, middle - sign * RISE, "belief-mean", ink))
        parts.append(text(frame.right, middle - sign * (RISE - 6) + 4, words, "name", "end", ink))
    parts += [frame.across(Axis("probability of being real, D", rule="firm")), frame.base()]
    return "".join(parts), frame.height


def ruler(frame: Frame, up: Scale) -> str:
    """Return the gridlines that count images on one side of the middle."""
    parts = []
    for tick in ticks(up.low, up.high, 2):
        if tick and tick == int(tick):
            y = up(tick)
            parts += [line(frame.left, y, frame.right, y, "grid"),
                      text(frame.left - 7, y + 4, format.tick(tick), "tick", "end")]  # fmt: skip
    return "".join(parts)


def bars(edges: np.ndarray, counts: np.ndarray, x: Scale, up: Scale, family: str) -> list[str]:
    """Return one histogram's bars, from the middle outwards."""
    parts = []
    for one, two, count in zip(edges[:-1], edges[1:], counts, strict=True):
        if count:
            top, bottom = sorted((up(0), up(count)))
            style = f"fill:var(--mark-{family})"
            parts.append(svg.rect(x(one) + 0.7, top, x(two) - x(one) - 1.4, bottom - top, style=style, rx=1.5))
    return parts


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
