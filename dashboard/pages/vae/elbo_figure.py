"""The evidence lower bound as a price: one stacked bar per image, as inline SVG. Pure: numbers in, markup out."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from dashboard import format
from dashboard.figures import plot, svg
from dashboard.figures.plot import Axis, Entry, Frame, Scale

BAR, STEP = 22, 62  # pixels of a bar, and from one to the next
WORDS = {"log_likelihood": "reconstruction", "kl": "price of the code"}  # what people call a bound's terms
SHADES = (0.38, 1.0, 0.65, 0.2)  # opacity of the terms' colour, in their order

READING = (
    "Signs are turned: a bar is minus the bound, what it takes at most to write the image down, so shorter is better. "
    "Thin lines: 95% intervals, for an image over draws of z, for a mean over images."
)


@dataclass(frozen=True)
class Price:
    """What an image, or a mean over images, costs.

    Attributes:
        label: Whose price it is.
        terms: By term, nats to be paid, 0 or more but for a density's; they add up to minus the ELBO.
        low: Lower end of the sum's 95% interval.
        high: Its upper end.
        note: Over how many draws or images it is a mean.
        picture: The image as a data URI, '' for a mean over images.
    """

    label: str
    terms: Mapping[str, float]
    low: float
    high: float
    note: str = ""
    picture: str = ""

    @property
    def total(self) -> float:
        """Minus the ELBO, in nats."""
        return sum(self.terms.values())


def to_pay(name: str, nats: float) -> float:
    """Return a bound's term as a price: a log-likelihood with its sign turned, a divergence as it is."""
    return -nats if name.startswith("log_") else nats


def best(rows: Sequence[Mapping[str, Any]], checkpoint: str) -> Mapping[str, Any] | None:
    """Return the row of kind 'bound' that tells most of a checkpoint's test images; None when there is none."""
    mine = [row for row in rows if row["checkpoint"] == checkpoint and row["split"] == "test" and not row.get("stale")]
    return max(mine, key=lambda row: row["n"], default=None)


def of_row(row: Mapping[str, Any]) -> Price:
    """Return the price that a row of kind 'bound' tells: the mean over its images."""
    nats = {name: term["nats"] for name, term in row["terms"].items()}
    elbo = nats.pop("elbo")
    terms = {name: to_pay(name, term["mean"]) for name, term in nats.items()}
    return Price(f"{row['split']} split", terms, -elbo["high"], -elbo["low"], f"mean of {row['n']:,} images")


def card(family: str, prices: Sequence[Price], dimensions: int, missing: str = "") -> str:
    """Return the chart's markup; the first price is that of the chosen image, of so many `dimensions`.

    `missing` is a sentence: why there is no bar of the test split.
    """
    spoken = "; ".join(f"{one.label}: {one.total:,.0f} nats" for one in prices)
    label = f"Minus the evidence lower bound. {spoken}"
    drawing = svg.figure(lambda width: draw(family, prices, dimensions, width), label, wide=900)
    gap = f'<p class="reading">{escape(missing)}</p>' if missing else ""
    return (
        f'<p class="answer">{escape(answer(prices[0], dimensions))}</p>{drawing}<p class="reading">{READING}</p>{gap}'
    )


def answer(price: Price, dimensions: int) -> str:
    """Return the bound of the chosen image as an equation, and as a price."""
    parts = " − ".join(f"{nats:,.1f}" for nats in price.terms.values())
    shares = format.listing([f"{name_of(name)} {100 * nats / price.total:.0f}%" for name, nats in price.terms.items()])
    return (
        f"log p(x) ≥ −{parts} = −{price.total:,.1f} nats, so the image costs {price.total:,.0f} nats at most, "
        f"{bits(price.total, dimensions):.2f} bits per dimension: {shares}."
    )


def bits(nats: float, dimensions: int) -> float:
    """Return nats per image as bits per dimension."""
    return nats / (dimensions * math.log(2))


def name_of(term: str) -> str:
    """Return a term's name for people."""
    return WORDS.get(term, term.replace("_", " "))


def draw(family: str, prices: Sequence[Price], dimensions: int, width: int) -> tuple[str, float]:
    """Return the bars' drawing at one width, and its height."""
    narrow = width < 500
    wanted, step = (3, STEP + 14) if narrow else (5, STEP)
    left, right, top = (44, width - 6, 66) if narrow else (212, width - 130, 46)
    nats = Scale(0, 1.04 * max(max(one.high, one.total) for one in prices))
    frame = Frame(left, right, top, top + 6 + step * len(prices), nats)
    parts = [legend(family, prices[0].terms, width), frame.across(Axis("nats per image, −ELBO", wanted))]
    in_bits = Scale(0, bits(nats.high, dimensions)).between(left, right)
    for tick in in_bits.ticks(wanted):
        parts.append(svg.text(in_bits(tick), top - 6, format.tick(tick), "tick", "middle"))
        parts.append(svg.line(in_bits(tick), top - 2, in_bits(tick), top + 3, "firm"))
    parts.append(svg.text((left + right) / 2, top - 23, "bits per dimension", "axis", "middle"))
    parts += [bar(family, one, top + 6 + step * i, frame.x, dimensions, narrow) for i, one in enumerate(prices)]
    parts.append(svg.line(left, top, left, frame.bottom, "firm"))
    return "".join(parts), frame.height


def bar(family: str, price: Price, top: float, x: Scale, dimensions: int, narrow: bool) -> str:
    """Return one price's row: its picture and name, the stacked bar with its interval, and the figures."""
    y, parts = top + 12 + 22 * narrow, []
    if price.picture:
        parts.append(svg.element("image", href=price.picture, x=0, y=y - 7, width=36, height=36, kind="pixels"))
    if narrow:
        parts.append(svg.text(x.start, y - 8, f"{price.label}: {price.total:,.0f} nats", "value"))
    else:
        before, after = 46 if price.picture else 0, x(max(price.high, price.total)) + 10
        parts.append(svg.text(before, y + 9, price.label, "value"))
        parts.append(svg.text(before, y + 25, price.note, "tick"))
        parts.append(svg.text(after, y + 9, f"{price.total:,.0f} nats", "value"))
        parts.append(svg.text(after, y + 25, f"{bits(price.total, dimensions):.2f} bits/dim", "tick"))
    start = 0.0
    for style, nats in zip(shades(family, price.terms), price.terms.values(), strict=True):
        here, end = x.nearest(start), x.nearest(start + nats)
        parts.append(svg.rect(here, y, max(end - here, 0.6), BAR, style=style))
        start += nats
    low, high = (x.nearest(end) for end in (price.low, price.high))
    middle = y + BAR / 2
    parts.append(svg.line(low, middle, high, middle, "whisker"))
    parts += [svg.line(end, middle - 4, end, middle + 4, "whisker") for end in (low, high)]
    return "".join(parts)


def shades(family: str, terms: Collection[str]) -> list[str]:
    """Return the style of each term's part of a bar."""
    return [f"fill:var(--mark-{family});fill-opacity:{SHADES[i % len(SHADES)]}" for i in range(len(terms))]


def legend(family: str, terms: Collection[str], width: int) -> str:
    """Return what the shades of a bar stand for."""
    swatches = [svg.rect(0, -10, 18, 12, style=style) for style in shades(family, terms)]
    return plot.legend(list(map(Entry, swatches, map(name_of, terms))), 0, width)[0]
