"""What an evaluation can be asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gencore.device import DTYPES
from gencore.errors import InputError, near
from gencore.evaluation.cost import check_count
from gencore.family import MAX_IMAGES, POINT_KINDS

POINTS = (*POINT_KINDS, "failures", "all")
ROWS = ("all", "quality", "cost")
MOST_GENERATIONS = 100


@dataclass(frozen=True, kw_only=True)
class EvalOptions:
    """What an evaluation is asked for.

    Attributes:
        names: Checkpoints, by name or folder; none for every shipped one whose data set has features.
        points: 'headline', 'lecture', 'sweep' (the whole curve: every point, at the sweep's n), 'failures' (the broken
            models of the failure lab) or 'all'.
        n: Images per generation; by default that of the kind of point, or all test images if they are fewer.
        generations: Independent generations, 2 at the least; by default that of the kind of point.
        rows: 'quality' for the scores, 'cost' for time and memory, 'all' for both.
        out: The file for the rows; by default `rows.jsonl` beside the data set's checkpoints.
        device: As for `pick_device`.
        dtype: 'float32', 'bfloat16', 'float16', or 'auto': that of the checkpoint's last row, else by a
            micro-benchmark.
        batch: Images made at once; the same batch gives the same bits.
        only: Parts of labels: measure only points that have one of them in theirs, whatever the case.
        skip: Parts of labels: leave out points that have one of them in theirs.
        timing_seconds: Of timing, for a row of costs; None for `cost.SECONDS`.
        most_seconds: Rows that would take longer are left out, with a sentence; None for no limit.
        again: Measure costs that have a row of this machine again, and make the images of rows that are not kept.

    Raises:
        InputError: naming what cannot be.
    """

    names: Sequence[str] = ()
    points: str = "headline"
    n: int | None = None
    generations: int | None = None
    rows: str = "all"
    out: str | Path | None = None
    device: str | None = None
    dtype: str = "auto"
    batch: int = 100
    only: Sequence[str] = ()
    skip: Sequence[str] = ()
    timing_seconds: float | None = None
    most_seconds: float | None = None
    again: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.names, str):  # one of them
            object.__setattr__(self, "names", (self.names,))
        for what, word, known in (
            ("kind of points", self.points, POINTS),
            ("kind of rows", self.rows, ROWS),
            ("dtype", self.dtype, ("auto", *DTYPES)),
        ):
            if word not in known:
                raise InputError(f"There is no {what} {word!r}{near(str(word), list(known))}")
        for what, number, least, most in (
            ("n", self.n, 2, MAX_IMAGES),
            ("generations", self.generations, 2, MOST_GENERATIONS),  # of one there is no interval
            ("batch", self.batch, 1, MAX_IMAGES),
        ):
            if number is not None:
                check_count(what, number, most, least)
        if self.timing_seconds is not None and not self.timing_seconds > 0:
            raise InputError(f"The time of a timing must be more than 0 seconds, not {self.timing_seconds!r}.")
        if self.most_seconds is not None and not self.most_seconds > 0:
            raise InputError(f"The time limit of a row must be more than 0 seconds, not {self.most_seconds!r}.")

    def wants(self, label: str) -> bool:
        """Return whether a point of this name is among those that were asked for."""
        label = label.lower()
        chosen = not self.only or any(part.lower() in label for part in self.only)
        return chosen and not any(part.lower() in label for part in self.skip)
