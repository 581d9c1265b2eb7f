"""What the page asks of the engine: a look at images before anything runs, and how comparisons of families stand."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from dashboard import format
from dashboard.figures.training_curves import Told
from dashboard.pages.yours import board
from dashboard.pages.yours.preview import Preview
from dashboard.service import comparisons, runs
from dashboard.service.cache import Cache, cache_key
from dashboard.service.comparisons import Comparison
from dashboard.service.parsing import parse_number
from dashboard.service.problems import in_a_sentence
from dashboard.service.service import Service
from dashboard.service.uploads import told
from gencore import data
from gencore.checkpoint import LOG, TIMELAPSE
from gencore.data import View
from gencore.data.images import picked
from gencore.data.report import Report, report
from gencore.data.view import planes
from gencore.errors import InputError

SIDES = range(8, 65, 2)  # pixels a side that every family takes
USUAL = 32  # pixels a side of images that are larger
SHOWN = 24  # images in a preview
_reports = Cache(4, 50e6)  # a hash of 32 bytes an image
_logs = Cache(32, 50e6)


# ---- before anything runs


def look(name: str, lost: Mapping[str, int] | None = None) -> Preview:
    """Return what there is in a data set; every image is read once, and again when a file of it has changed.

    Args:
        name: The data set.
        lost: How many files came with it and were not kept, by the reason.

    Raises:
        InputError: in one sentence, if it cannot be had, or an image cannot be read.
    """
    found = _report(name)
    counts = {one.split: one.count for one in found.splits}
    classes: dict[str, int] = {}
    for one in found.splits:
        for label, count in one.classes.items():
            classes[label] = classes.get(label, 0) + count
    return Preview(
        data=name,
        title=format.dataset_title(name),
        splits=counts,
        classes=classes,
        sizes=tuple(sorted(((*size, count) for size, count in found.seen.sizes.items()), key=lambda one: -one[2])),
        channels=found.seen.channels,
        left_out=dict(Counter(found.source.left_out) + Counter(lost)),
        notes=tuple(found.source.notes),
        leaks=tuple((first, second, count) for (first, second), count in found.duplicates().items()),
        side=_usual_side(found.seen.sizes),
    )


def sheet(name: str, view: Mapping[str, Any]) -> np.ndarray:
    """Return images of the train split as models will see them in a view, uint8 (n, C, H, W), at most `SHOWN`.

    Raises:
        InputError: as `look` does.
    """
    found, wanted = _report(name), View(**view)
    with in_a_sentence(name):
        images = [wanted.fitted(one) for one in islice(picked(found.source, found.seen, "train"), SHOWN)]
        channels = wanted.channels or found.seen.channels
        return np.stack([planes(one, channels) for one in images])


def view_of(preview: Preview, size: int, channels: int | None, fit: str) -> dict[str, Any]:
    """Return the view that the controls ask for: what differs from how the images are.

    Raises:
        InputError: if it is none that the families take.
    """
    if size not in SIDES:
        raise InputError(f"The pixels a side must be an even number from {SIDES[0]} to {SIDES[-1]}, not {size!r}.")
    wanted = View(None if preview.alike and preview.sizes[0][0] == size else size, channels, fit)
    return wanted.record()


def _report(name: str) -> Report:
    def read() -> Report:
        with in_a_sentence(name):
            try:
                return report(name)
            except InputError as error:
                raise InputError(told(str(error))) from None

    # What has no stamp is in no folder of this machine's owner: the digits, or a set of the Hub, which is fetched once.
    return _reports.find((name, data.files_stamp(name)), read)


def _usual_side(sizes: Mapping[tuple[int, int], int]) -> int:
    """Return the pixels a side to begin with: the images' own where they are squares of one size, else 32 or less."""
    shorter = median([side for size, count in sizes.items() for side in [min(size)] * count])
    if len(sizes) == 1 and len({*next(iter(sizes))}) == 1 and shorter in SIDES:
        return int(shorter)
    return int(min(USUAL, max(SIDES[0], shorter // 2 * 2)))


# ---- comparisons


def told_by(service: Service, one: Comparison) -> list[Told]:
    """Return the trainings of a comparison that have logged something, as charts take them."""
    found = []
    for member in one.state.members if one.state else ():
        path = one.folder / member.checkpoint / LOG
        try:
            columns, _, _ = _logs.find(cache_key(path, [path]), lambda path=path: runs.read_columns(path))
        except OSError:
            continue
        if columns and member.family in service.families:
            found.append(Told(member.family, member.family, service.families[member.family].title, columns))
    return found


def newest_grid(folder: Path) -> Path | None:
    """Return the last picture of a training's fixed seeds."""
    found = [(int(at[1]), bool(at[2]), path) for path in (folder / TIMELAPSE).glob("*.png")
             if (at := runs.FRAME.fullmatch(path.name))]  # fmt: skip
    return max(found)[2] if found else None


def data_of(service: Service, one: Comparison) -> str:
    """Return the name under which other pages know the data of a comparison's checkpoints; '' while there are none."""
    for dataset, entries in service.entries().items():
        if any(entry.path.is_relative_to(one.folder) for entry in entries):
            return dataset
    return ""


def job(
    service: Service, preview: Preview, minutes: Any, families: Sequence[str], view: Mapping[str, Any]
) -> comparisons.Job:
    """Return a comparison that was asked for, checked.

    Raises:
        InputError: in one sentence, if a setting is none.
    """
    known = list(service.families)
    chosen = tuple(family for family in known if family in families)
    if not chosen:
        raise InputError("Choose at least one family to train.")
    minutes = parse_number(minutes, 0.05, 10_000, "The minutes of training for each family")
    return comparisons.Job(preview.data, minutes, chosen if chosen != tuple(known) else (), dict(view), preview.title)


def opened(service: Service, one: Comparison, have: Mapping[str, Any]) -> dict[str, Any]:
    """Return what there is to see of one comparison, but what the browser has already.

    Args:
        service: The service.
        one: The comparison.
        have: The stamps of the picture of each family, and of the charts under 'charts', that the browser has.
    """
    told = told_by(service, one)
    by_family = {each.family: each for each in told}
    lanes = []
    for member in one.state.members if one.state else ():
        title = service.families[member.family].title if member.family in service.families else member.family
        running = one.status in ("running", "stopping")
        lane = board.lane(member, title, by_family.get(member.family), running)
        lanes.append(lane | picture(one.folder / member.checkpoint, have.get(member.family)))
    stamp = board.stamp(told)
    charts = {"stamp": stamp, "markup": board.charts(told)} if stamp != have.get("charts") else {"stamp": stamp}
    return {"open": one.name, "lanes": lanes, "charts": charts, "data": data_of(service, one)}


def picture(folder: Path, have: Any) -> dict[str, Any]:
    """Return a training's newest picture as a data URI, with its stamp; without it where the browser has it."""
    path = newest_grid(folder)
    if path is None:
        return {}
    if path.name == have:
        return {"stamp": have}
    try:
        content = base64.b64encode(path.read_bytes()).decode()
    except OSError:
        return {}
    return {"stamp": path.name, "image": f"data:image/png;base64,{content}"}
