"""Figures of diffusion: the noise schedule, the bound along t, and what more steps bring. Pure: arrays and rows in."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from dashboard import format, theme
from dashboard.figures import svg
from dashboard.figures.line import Curve, Level, lines
from dashboard.figures.plot import Axis, Frame, Scale
from dashboard.format import plural, significant
from dashboard.results.operating_points import BATCH, Measured, Measurements, Score, at_usual_n, knobs_key, slug

POINTS = 161  # of a schedule's curve
WHOLE = "elbo"  # the key of the bound itself among its terms; the others are its parts
SUB = {"L_0": "L₀", "L_between": "Σ Lₜ₋₁", "L_T": "L_T"}
MEANT = {"L_0": "the last step, pixels", "L_between": "all steps between", "L_T": "what is left at T"}


# ---- the noise schedule


def decibels(abar: np.ndarray) -> np.ndarray:
    """Return the signal-to-noise ratio in dB, of abar."""
    return 10 * np.log10(np.maximum(abar, 1e-12) / (1 - abar))


def spaced(abar: np.ndarray) -> np.ndarray:
    """Return the t at which a schedule is drawn."""
    return np.unique(np.linspace(0, len(abar) - 1, min(POINTS, len(abar))).round().astype(int))


def schedule(abar: np.ndarray, t: int) -> str:
    """Return the card of both factors over t, with t marked."""
    at = spaced(abar)
    share = float(abar[t])
    answer = f"At t = {t}: xₜ = {math.sqrt(share):.3f} x₀ + {math.sqrt(1 - share):.3f} ε."
    return lines(
        "The noise schedule", answer,
        "The two factors; their squares add up to 1, so that the variance of xₜ stays about the same.",
        [Curve("signal √ā", at, np.sqrt(abar[at])), Curve("noise √(1−ā)", at, np.sqrt(1 - abar[at]), dashed=True)],
        "t", "factor", marker_x=t,
    )  # fmt: skip


def signal_to_noise(abar: np.ndarray, t: int) -> str:
    """Return the card of the signal-to-noise ratio over t, with t marked."""
    at, here = spaced(abar), float(decibels(abar)[t])
    more = "more signal than noise" if here > 0 else "more noise than signal"
    return lines(
        "Signal to noise", f"SNR({t}) is {format.signed(here, 1)} dB: {more}.",
        "The logarithm of SNR(t): every 10 dB are a factor of ten, and at 0 dB both are as strong.",
        [Curve("", at, decibels(abar[at]))], "t", "10 log₁₀ SNR, dB", levels=[Level(0.0, "equal")],
        marker_x=t,
    )  # fmt: skip


# ---- the bound


def of_checkpoint(rows: Sequence[Mapping[str, Any]], checkpoint: str) -> Mapping[str, Any] | None:
    """Return a checkpoint's bound along t, of several that which is not stale and of most images; None without one."""
    found = [row for row in rows if row.get("curve") and row["checkpoint"] == checkpoint]
    return max(found, key=lambda row: (not row.get("stale"), row["n"]), default=None)


def along_t(row: Mapping[str, Any], title: str) -> str:
    """Return the card of what each noise level costs."""
    curve = row["curve"]
    ends = np.array([[part["t_low"], part["t_high"]] for part in curve], float)
    mean, low, high = (np.repeat([part[key] for part in curve], 2) for key in ("mean", "low", "high"))
    first = row["terms"].get("L_0")
    alone = f" The last step, at t = 0, costs {significant(first['nats']['mean'])} nats alone: L₀." if first else ""
    reading = (
        f"Nats per image for one step, over t; each tread is the mean over about {np.ptp(ends, axis=1).mean():.0f} "
        f"steps, shaded: 95% interval over {row['n']:,} images. Both axes are logarithmic, so that the steps near 0 "
        "can be read; the area that counts is that on plain axes."
    )
    shown = [Curve("", ends.ravel(), mean, slug(row["family"]), low=low, high=high)]
    answer = f"{title}: {half_words(ends, mean[::2])}{alone}"
    return lines("Where along t it is lost", answer, reading, shown, "t", "nats per step (log scale)", log_x=True,
                 log_y=True)  # fmt: skip


def half_words(ends: np.ndarray, mean: np.ndarray) -> str:
    """Return below which t half and nine tenths of the sum over t lie, as a sentence."""
    widths = ends[:, 1] - ends[:, 0] + 1
    sums = np.cumsum(widths * mean)
    places = [int(ends[min(np.searchsorted(sums, share * sums[-1]), len(ends) - 1), 1]) for share in (0.5, 0.9)]
    last = int(ends[-1, 1])
    return f"half of the sum over t lies at t up to {places[0]}, nine tenths at t up to {places[1]} of {last}."


def bits(row: Mapping[str, Any], term: str = WHOLE) -> tuple[float, float, float]:
    """Return a term's bits per dimension with its interval; of the bound itself, of -log p."""
    found = row["terms"][term]["bits_per_dim"]
    mean, low, high = (float(found[key]) for key in ("mean", "low", "high"))
    return (-mean, -high, -low) if term == WHOLE else (mean, low, high)


def split(row: Mapping[str, Any], others: Sequence[Mapping[str, Any]], titles: Mapping[str, str]) -> str:
    """Return the card of the bound's parts as a stacked bar, with other families' totals below for comparison."""
    total, low, high = bits(row)
    parts = [name for name in row["terms"] if name != WHOLE]
    answer = (
        f"{titles[row['family']]}: at most {total:.3f} bits per dimension, 95% interval {low:.3f} to {high:.3f}, on "
        f"the first {row['n']:,} images of the {row['split']} split."
    )
    named = ", ".join(
        f"{SUB.get(name, name)} ({MEANT.get(name, name)}) {significant(bits(row, name)[0])}" for name in parts
    )
    reading = f"Shorter is better. From dark to light: {named}. {row['uncertainty'].capitalize()}."
    return svg.card(
        "The bound and its parts", answer,
        svg.figure(lambda width: draw_split(row, others, titles, width), f"Bits per dimension. {answer}"), reading,
    ) + compared(row, others, titles)  # fmt: skip


def draw_split(
    row: Mapping[str, Any], others: Sequence[Mapping[str, Any]], titles: Mapping[str, str], width: int
) -> tuple[str, float]:
    """Return the drawing of the bars at one width, and its height."""
    rows, step = [row, *others], 58.0
    across = Scale(0, max(bits(one)[2] for one in rows) * 1.02)
    frame = Frame(0, width - 118, 4, 4 + step * len(rows), across)
    parts = [frame.across(Axis("bits per dimension"))]
    for place, one in enumerate(rows):
        y, family = frame.top + step * place, slug(one["family"])
        parts.append(svg.label(family, titles[one["family"]], y + 12))
        total, low, high = bits(one)
        parts.append(bar(one, stacked=not place, x=frame.x, y=y + 24))
        parts.append(svg.line(frame.x(low), y + 35, frame.x(high), y + 35, "whisker"))
        parts.append(svg.text(frame.x(high) + 10, y + 39, f"{total:.3f} ± {(high - low) / 2:.3f}", "value"))
    return "".join(parts), frame.height


def bar(row: Mapping[str, Any], stacked: bool, x: Scale, y: float) -> str:
    """Return one row's bar, in its parts when `stacked`."""
    colour = f"fill:var(--mark-{slug(row['family'])})"
    if not stacked:
        return svg.rect(0, y, x(bits(row)[0]), 22, style=f"{colour};opacity:.55")
    parts, start = [], 0.0
    for place, name in enumerate(name for name in row["terms"] if name != WHOLE):
        value = bits(row, name)[0]
        words = f"{SUB.get(name, name)}: {significant(value)} bits per dimension"
        style = f"{colour};opacity:{max(1 - 0.4 * place, 0.2):.1f}"
        parts.append(svg.rect(x(start), y, max(x(value), 0.0), 22, style=style, title=words))
        start += value
    return "".join(parts)


def compared(row: Mapping[str, Any], others: Sequence[Mapping[str, Any]], titles: Mapping[str, str]) -> str:
    """Return what the totals rest on, as markup: priors, variances, clipping, and the commands that made them."""
    names = format.listing([titles[one["family"]] for one in (row, *others)])
    words = (
        f"Each total bounds −log p(x) over the same 256 levels per pixel, so {names} can be compared; what each bound "
        "rests on differs."
    )
    items = "".join(
        f"<li>{theme.badge(slug(one['family']), 12)}"
        f"<span><b>{escape(titles[one['family']])}</b>: {basis(one)}</span></li>"
        for one in (row, *others)
    )
    return f'<p class="reading">{escape(words)}</p>' * bool(others) + f'<ul class="basis">{items}</ul>'


def basis(row: Mapping[str, Any]) -> str:
    """Return what a bound rests on and how it was made, as markup."""
    facts = "; ".join(f"{escape(name)}: {escape(words)}" for name, words in row["basis"].items())
    made = f" Made by <code>{escape(row['command'])}</code>." if row.get("command") else ""
    stale = f' <span class="problem">{escape(row["stale"])}</span>' if row.get("stale") else ""
    return f"{facts}. {row['n']:,} images, {escape(row['split'])} split.{made}{stale}"


def comparable(row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the bounds of other families that may stand beside a row: same split, as many numbers, not stale.

    One per checkpoint: that of as many images if there is one, else that of most.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for one in sorted(rows, key=lambda one: (one["n"] == row["n"], one["n"])):
        alike = (one["split"], one["dimensions"]) == (row["split"], row["dimensions"])
        if one["family"] != row["family"] and alike and not one.get("stale"):
            found[one["checkpoint"]] = one
    return [found[name] for name in sorted(found)]


# ---- how many steps


Walked = Sequence[tuple[int, Measured]]  # numbers of steps, rising, each with what was measured at it


def walked(measured: Measurements, checkpoint: str, knob: str, knobs: Mapping[str, Any]) -> Walked:
    """Return a checkpoint's measured points that differ from `knobs` in one knob alone, all at the n of most of them.

    `knob` is the one for the number of steps.
    """
    found = [
        point
        for point in measured.points
        if point.checkpoint == checkpoint and knob in point.knobs and not point.stale
        and knobs_key({**point.knobs, knob: 0}) == knobs_key({**knobs, knob: 0})
    ]  # fmt: skip
    return sorted(((int(one.knobs[knob]), one) for one in at_usual_n(found)), key=lambda pair: pair[0])


def quality(points: Walked, steps: int, measured: Measurements, what: str, reach: tuple[float, float]) -> str:
    """Return the card of KID against steps, with the chosen steps marked and the baseline of all that was `measured`.

    `what` are the other settings, for people; `reach` is the least and the largest number of steps on the axis.
    """
    title = "Quality against steps"
    scored = [(count, score) for count, point in points if (score := point.score("kid"))]
    if not scored:
        return svg.card(title, f"Nothing has been measured for {what} yet.", "", "")
    first = points[0][1]
    real = measured.real("kid", first.n)
    reading = (
        f"KID to real test images in {measured.features()}, lower is better; n = {first.n:,}, shaded: 95% "
        "interval over generations."
    )
    return lines(
        title, quality_words(scored, steps, real.mean if real else None), reading,
        [Curve.of_scores("", *zip(*scored, strict=True), first.family)], "steps", "KID (log scale)",
        levels=[Level(real.mean, "real images against real images")] if real else [], log_x=True, log_y=True,
        marker_x=steps, x_range=(max(1, reach[0]), reach[1]),
    )  # fmt: skip


def quality_words(scored: Sequence[tuple[int, Score]], steps: int, baseline: float | None) -> str:
    """Return KID at the chosen steps, where it is least, and from where on it hardly falls."""
    here = next((score for count, score in scored if count == steps), None)
    most, best = min(scored, key=lambda pair: pair[1].mean)
    knee = next(count for count, score in scored if score.mean <= 1.5 * best.mean)
    words = f"{significant(here.mean)} ± {significant(here.half)}" if here else "not measured"
    least = f"The least measured is {significant(best.mean)}, at {plural(most, 'step')}"
    least += "." if knee == most else f"; {plural(knee, 'step')} come within half as much again."
    real = f" Real images get {significant(baseline)}." if baseline is not None else ""
    return f"At {plural(steps, 'step')}: {words}. {least}{real}"


def times(points: Walked, steps: int, what: str, reach: tuple[float, float]) -> str:
    """Return the card of the time per image against steps, with the chosen steps marked; as for `quality`."""
    title = "Time against steps"
    timed = [(count, point) for count, point in points if count and point.ms_per_image]
    if not timed:
        return svg.card(title, f"No time has been measured for {what} yet.", "", "")
    x, y = np.array([(count, point.ms_per_image) for count, point in timed]).T
    each, first = float(np.median(y / x)), timed[0][1]
    reading = (
        f"Milliseconds per image, {BATCH} at once, measured on {first.cost['machine'].get('name', 'another machine')}; "
        "both axes are logarithmic."
    )
    take = f"{plural(steps, 'step')} take{'s' * (steps == 1)} about {format.duration(each * steps)} per image"
    answer = f"About {format.duration(each)} per step: {take}."
    return lines(title, answer, reading, [Curve("", x, y, first.family)], "steps", "ms per image (log scale)",
                 log_x=True, log_y=True, marker_x=steps, x_range=(max(1, reach[0]), reach[1]))  # fmt: skip
