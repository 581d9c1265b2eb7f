"""The time per image of every family, now and as shipped, as inline SVG. Pure: times in, markup out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard import format, theme
from dashboard.figures import svg
from dashboard.figures.plot import Axis, Frame, Scale

STEP = 44  # pixels from one family to the next


@dataclass(frozen=True)
class Timing:
    """A family, `title` for people, with its milliseconds per image.

    Attributes:
        ms: Of the last run; None when there was none.
        shipped: As the checkpoint's `cost.json` says; None when there is none.
        calls: Network calls per image; 0 when unknown.
        beside: The comparison that worked on the device during the last run; '' for none.
    """

    family: str
    title: str
    ms: float | None
    shipped: float | None
    calls: int
    beside: str = ""

    @property
    def known(self) -> list[float]:
        """What is known of its time, the last run first."""
        return [ms for ms in (self.ms, self.shipped) if ms]


def card(rows: Sequence[Timing], shipped_on: str = "") -> str:
    """Return the timing chart: milliseconds per image on a log axis, one row per family.

    `shipped_on` is the machine behind the hollow markers.
    """
    reading = "Further left is faster; each gridline is ten times the one before."
    if any(row.ms for row in rows):
        reading += f" Filled: the last run here, {alone(rows)}."
    if any(row.shipped for row in rows):
        reading += f" Hollow: measured with the checkpoint{' on ' + shipped_on if shipped_on else ''}."
    return svg.chart("Time per image", compare(rows), reading, lambda width: draw(rows, width))


def alone(rows: Sequence[Timing]) -> str:
    """Return whether the last runs had the device to themselves."""
    others = list(dict.fromkeys(row.beside for row in rows if row.ms and row.beside))
    if not others:
        return "this device alone"
    return f"beside {format.listing(others)}, which was training or being measured on this device: alone it is faster"


def compare(rows: Sequence[Timing]) -> str:
    """Return the timing chart's answer as a sentence."""
    known = [(row.known[0], row.title) for row in rows if row.known]
    if not known:
        return "Nothing has been timed yet. Generate times every lane."
    (fast, quick), (slow, steady) = min(known), max(known)
    if len(known) == 1:
        return f"{quick}: {format.duration(fast)} per image."
    if slow < 1.5 * fast:
        return f"All within a factor of {format.round_to(slow / fast)}: about {format.duration(fast)} per image."
    return f"In the time of one {steady} image, {quick} makes {format.round_to(slow / fast)}."


def draw(rows: Sequence[Timing], width: int) -> tuple[str, float]:
    """Return the timing chart's drawing at one width, and its height."""
    across = Scale.decades([ms for row in rows for ms in row.known] or [1, 100], room=1.6)
    frame = Frame(svg.names_end(row.title for row in rows), width - 22, 12, 12 + STEP * max(1, len(rows)), across)
    drawn = [draw_row(row, frame, frame.top + STEP * (index + 0.5)) for index, row in enumerate(rows)]
    return "".join([frame.across(Axis("ms per image (log scale)")), *drawn]), frame.height


def draw_row(row: Timing, frame: Frame, y: float) -> str:
    """Return one family's row of the timing chart."""
    parts = [svg.label(row.family, row.title, y)]
    if not row.known:
        return "".join([*parts, svg.text(frame.right, y + 4.5, "not timed yet", "tick", "end")])
    spots = [frame.x(ms) for ms in row.known]
    if len(spots) > 1:
        parts.append(svg.line(spots[1], y, spots[0], y, "firm"))
    if row.shipped:
        parts.append(theme.mark(row.family, spots[-1], y, 11, hollow=True))
    if row.ms:
        parts.append(theme.mark(row.family, spots[0], y, 14))
    words = format.duration(row.known[0]) + (f", {format.plural(row.calls, 'call')}" if row.calls else "")
    room = frame.right + 20 - max(spots) > 7.2 * len(words) + 16
    x, anchor = (max(spots) + 14, "start") if room else (min(spots) - 14, "end")
    return "".join([*parts, svg.text(x, y + 4.5, words, "value", anchor)])
