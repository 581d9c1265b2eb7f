"""Posterior, prior and aggregated posterior in single dimensions, as inline SVG. Pure: arrays in, markup out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from dashboard import format
from dashboard.figures import plot, svg
from dashboard.figures.plot import Axis, Entry, Frame, Scale

FEW = 6  # dimensions that are drawn at first
USED = 0.01  # a dimension is used if the variance of mu over images exceeds this (Burda et al. 2016, section 3.2)
LEAST = 4.0  # where an axis of z ends at least, on either side
PLACES = 401  # of a curve: closer together than an encoder's bells are wide
CELL = {"wide": 118, "narrow": 84}  # pixels of a cell's curves, at most
HEAD = 40  # pixels of a cell's words


@dataclass(frozen=True)
class Aggregate:
    """What is known of a model's latents without any one image.

    Attributes:
        places: (G,) where the densities are given.
        density: (d, G) of the aggregated posterior in each dimension.
        used: (d,) whether the dimension's mu varies over images.
        kl: (d,) mean KL divergence from the prior in nats, over images.
        n: Images.
        split: Which split of the data set they are of.
        fitted: (d, G) density of the prior fitted afterwards, None when there is none.
    """

    places: np.ndarray
    density: np.ndarray
    used: np.ndarray
    kl: np.ndarray
    n: int
    split: str = "test"
    fitted: np.ndarray | None = None


@dataclass(frozen=True)
class Posterior:
    """q(z|x) of one image: (d,) means, standard deviations, and KL divergences from N(0, 1) in nats."""

    mean: np.ndarray
    std: np.ndarray
    kl: np.ndarray


# ---- densities


def normal(z: np.ndarray, mean: float | np.ndarray = 0.0, std: float | np.ndarray = 1.0) -> np.ndarray:
    """Return the density of N(mean, std^2) at z."""
    return np.exp(-0.5 * np.square((z - mean) / std)) / (std * math.sqrt(2 * math.pi))


def aggregated(z: np.ndarray, means: np.ndarray, stds: np.ndarray) -> np.ndarray:
    """Return the exact density of the mean of N(means, stds^2), both (N, d), over images: (d, G) at places z (G,)."""
    columns = zip(means.T[:, :, None], stds.T[:, :, None], strict=True)
    return np.stack([normal(z, mean, std).mean(0) for mean, std in columns])


def places(means: np.ndarray, stds: np.ndarray) -> np.ndarray:
    """Return the places, from -L to L, that hold all but a thousandth of every dimension's encodings."""
    end = max(LEAST, math.ceil(np.quantile(np.abs(means) + 2 * stds, 0.999, axis=0).max()))
    return np.linspace(-end, end, PLACES)


def marginal_kl(found: Aggregate) -> np.ndarray:
    """Return the KL divergence of the aggregated posterior from N(0, 1) in each dimension, (d,), in nats."""
    density = np.maximum(found.density, 1e-300)
    return np.trapezoid(density * np.log(density / normal(found.places)), found.places, axis=1)


# ---- the card


def card(family: str, posterior: Posterior, found: Aggregate | None, every: bool = False, missing: str = "") -> str:
    """Return the chart's markup: the posterior of the chosen image, of `every` dimension or of the first few.

    `found` is what is known of all images; None when no encodings are at hand, and `missing` is a sentence on why.
    """
    order = np.argsort(-(posterior.kl if found is None else found.kl), kind="stable")
    chosen = order if every else order[:FEW]
    label = "Densities of posterior, prior and aggregated posterior in single dimensions"
    drawing = svg.figure(lambda width: draw(family, posterior, found, chosen, width), label, wide=900)
    gap = f'<p class="reading">{escape(missing if found is None else holes(found))}</p>'
    return (
        f'<p class="answer">{escape(answer(posterior, found))}</p>{drawing}'
        f'<p class="reading">{escape(reading(posterior, found, len(chosen)))}</p>{gap}'
    )


def answer(posterior: Posterior, found: Aggregate | None) -> str:
    """Return what the chart says of the image, in numbers."""
    words = f"KL of this image: {posterior.kl.sum():.1f} nats"
    if found is None:
        return f"{words}, over {len(posterior.kl)} dimensions."
    used = f"{int(found.used.sum())} of {len(found.used)} dimensions are used"
    return f"{words}; on average {found.kl.sum():.1f}. {used} (variance of μ over {USED:g})."


def reading(posterior: Posterior, found: Aggregate | None, shown: int) -> str:
    """Return how the chart is to be read."""
    peak = 1 / posterior.std.min()
    height = f" The image's bell has its true width, but not its height: that is up to {peak:.0f} times the prior's."
    height = height if peak > 1.5 else ""
    order = "this image's KL" if found is None else f"mean KL over {found.n:,} encoded {found.split} images"
    return f"Each cell is one number of z, {shown} of {len(posterior.kl)}, in the order of {order}.{height}"


def holes(found: Aggregate) -> str:
    """Return by how much all dimensions together differ from the prior, against single ones.

    The mean KL is KL(q(z) || p(z)) plus the mutual information of image and z, which is log n at most (Hoffman &
    Johnson 2016), so what is left over is a lower bound for the aggregated posterior of these n images.
    """
    single, joint = float(marginal_kl(found).max()), float(found.kl.sum()) - math.log(found.n)
    if joint <= single:
        return ""
    return (
        f"In no single dimension does the sum over all images differ from N(0, 1) by more than {single:.2f} nats; in "
        f"all {len(found.kl)} together it does by {joint:.1f} at least (mean KL − log {found.n:,}). The gaps that "
        "samples from the prior fall into lie between the dimensions, where no single curve can show them."
    )


# ---- the drawing


def draw(
    family: str, posterior: Posterior, found: Aggregate | None, chosen: Sequence[int], width: int
) -> tuple[str, float]:
    """Return the drawing at one width, and its height."""
    columns, kind = (4 if len(chosen) > 3 * FEW // 2 else 3, "wide") if width > 500 else (2, "narrow")
    gap, cell = 22 if width > 500 else 14, CELL[kind]
    across = (width - gap * (columns - 1)) / columns
    legend, top = key(family, found, width)
    ends = (-LEAST, LEAST) if found is None else (found.places[0], found.places[-1])
    level = normal(0.0) if found is None else max(normal(0.0), float(found.density.max()))
    parts = [legend]
    for place, dimension in enumerate(chosen):
        row, column = divmod(place, columns)
        left, base = column * (across + gap), top + row * (HEAD + cell + 30) + HEAD + cell
        frame = Frame(left, left + across, base - cell, base, Scale(*ends), Scale(0, 1.12 * level))
        parts.append(draw_cell(frame, family, posterior, found, int(dimension)))
    rows = -(-len(chosen) // columns)
    return "".join(parts), top + rows * (HEAD + cell + 30)


def curve(frame: Frame, z: np.ndarray, density: np.ndarray) -> str:
    """Return a density as path data, cut at the top of its cell."""
    return svg.corners(frame.spots(z, np.minimum(density, frame.y.high)))


def draw_cell(frame: Frame, family: str, posterior: Posterior, found: Aggregate | None, dimension: int) -> str:
    """Return one dimension's cell."""
    mean, std = float(posterior.mean[dimension]), float(posterior.std[dimension])
    head = frame.top - HEAD
    parts = [
        svg.text(frame.left, head + 14, f"z{format.subscript(dimension + 1)}", "name ink"),
        svg.text(frame.right, head + 14, f"KL {posterior.kl[dimension]:.2f} nats", "tick", "end"),
        svg.text(frame.left, head + 30, f"μ {format.signed(mean, 2)}, σ {std:.2g}", "tick"),
        frame.across(Axis(wanted=4)),
    ]
    spots = np.linspace(frame.x.low, frame.x.high, PLACES)
    step = 1 if frame.right - frame.left > 250 else 2  # about one place per pixel
    if found is not None:
        data = curve(frame, spots[::step], found.density[dimension, ::step])
        parts.append(svg.path(f"{data}L{frame.right:.1f} {frame.bottom:.1f}H{frame.left:.1f}Z", "bell-all"))
    parts.append(svg.path(curve(frame, spots[::8], normal(spots[::8])), "bell-prior"))
    if found is not None and found.fitted is not None:
        parts.append(svg.path(curve(frame, spots[::8], found.fitted[dimension, ::8]), "bell-fitted"))
    return "".join([*parts, frame.base(), bell(frame, family, mean, std)])


def bell(frame: Frame, family: str, mean: float, std: float) -> str:
    """Return the chosen image's bell: at its own height, or at the cell's where that is lower; within the axis."""
    spots = np.clip(mean + std * np.linspace(-4, 4, 41), frame.x.low, frame.x.high)
    density = normal(spots, mean, std) * min(1.0, 0.96 * frame.y.high * std * math.sqrt(2 * math.pi))
    return mine(family, curve(frame, spots, density))


def mine(family: str, data: str) -> str:
    """Return path data as the chosen image's bell."""
    return svg.path(data, "bell-mine", f"--mine:var(--mark-{family})")


def key(family: str, found: Aggregate | None, width: int) -> tuple[str, float]:
    """Return the legend and where the cells may begin."""
    area, line = "M0 0h18v-7h-18z", "M0 -4h18"
    entries = [
        Entry(mine(family, area), "q(z|x), of the chosen image"),
        Entry(svg.path(line, "bell-prior"), "p(z) = N(0, 1)"),
    ]
    if found is not None:
        entries.append(Entry(svg.path(area, "bell-all"), f"q(z), over {found.n:,} images"))
        if found.fitted is not None:
            entries.append(Entry(svg.path(line, "bell-fitted"), "the prior fitted to q(z) afterwards"))
    return plot.legend(entries, 0, width + 20)
