"""The logs and time-lapses of trainings that are over, or under way."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dashboard.format import clock
from dashboard.service.cache import Cache, cache_key
from dashboard.service.service import Service
from gencore.checkpoint import LOG, TIMELAPSE, Entry
from gencore.errors import InputError, near
from gencore.paths import read_file
from gencore.pictures import gif

FRAME = re.compile(r"(\d+)(-finished)?\.png")  # images seen; the last one is of the checkpoint itself
AXES = {"images": "images seen", "seconds": "seconds"}
_logs = Cache(32, 50e6)  # bytes: a shipped run's takes 0.1 MB
_timelapses = Cache(32, 200e6)  # bytes: a shipped run's takes 0.7 MB


@dataclass(frozen=True)
class Run:
    """A training: the checkpoint that it made, and what run.json says of it.

    Attributes:
        name: The checkpoint's name.
        family: Its family's name.
        title: Its family's name for people.
        facts: What run.json holds; {} when there is none.
        trained: Images seen and seconds in all, as far as is known.
        has_log: Whether there is a training log.
        has_timelapse: Whether there is a picture of its time-lapse.
    """

    name: str
    family: str
    title: str
    facts: Mapping[str, Any]
    trained: Mapping[str, float]
    has_log: bool
    has_timelapse: bool


@dataclass(frozen=True)
class Log:
    """What a training logged, one value per line and column; NaN where a line lacks the column.

    Attributes:
        columns: By name, float (lines,), or (lines, d) for a column of vectors. 'images' and 'seconds' count from the
            start of the training that it continues, if it continues one.
        note: One sentence about lines that could not be read; '' when all could.
    """

    columns: Mapping[str, np.ndarray]
    note: str = ""


@dataclass(frozen=True)
class Timelapse:
    """Grids of the same seeds through a training.

    Attributes:
        run: Whose they are.
        images_seen: int (n,) images seen before each grid was made, never falling.
        seconds: float (n,) seconds of training until then, interpolated from the log; NaN without a log.
        frames: uint8 (H, W) or (H, W, 3), n of one shape.
        files: The same as PNG files, n.
    """

    run: Run
    images_seen: np.ndarray
    seconds: np.ndarray
    frames: tuple[np.ndarray, ...]
    files: tuple[bytes, ...]

    def places(self, axis: str) -> np.ndarray:
        """Return where the grids lie on an axis, 'images' or 'seconds'."""
        return self.images_seen.astype(float) if axis == "images" else self.seconds


# ---- what there is


def runs(service: Service, dataset: str) -> list[Run]:
    """Return a data set's trainings that left a log or a time-lapse: the families in order, each's own name first."""
    order = list(service.families)
    entries = [entry for entry in service.entries_of(dataset) if entry.family in order]
    found = [run_of(service, entry) for entry in entries]
    found = [run for run in found if run.has_log or run.has_timelapse]
    return sorted(found, key=lambda run: (order.index(run.family), run.name.rpartition("/")[2] != run.family, run.name))


def run_of(service: Service, entry: Entry) -> Run:
    """Return what is known of the training of a checkpoint."""
    lapse = entry.path / TIMELAPSE
    return Run(
        name=entry.name,
        family=entry.family,
        title=service.families[entry.family].title,
        facts=entry.run,
        trained=entry.trained,
        has_log=(entry.path / LOG).is_file(),
        has_timelapse=lapse.is_dir() and any(FRAME.fullmatch(path.name) for path in lapse.iterdir()),
    )


def entry_of(service: Service, checkpoint: str) -> Entry:
    """Return a checkpoint's entry.

    Raises:
        InputError: if there is none of this name.
    """
    known = {entry.name: entry for entries in service.entries().values() for entry in entries if entry.family}
    if not isinstance(checkpoint, str) or checkpoint not in known:
        raise InputError(f"There is no checkpoint {checkpoint!r}{near(str(checkpoint), list(known))}")
    return known[checkpoint]


def before(run: Mapping[str, Any], last_images: float) -> dict[str, float]:
    """Return the 'images' and 'seconds' that lie before a run's own count: those of the training that it continues.

    A log that already spans both, as one that was joined to the log before it, counts from the start by itself.
    """
    init, own = run.get("init"), run.get("images")
    if not isinstance(init, Mapping) or not is_number(own) or last_images > own:
        return {"images": 0.0, "seconds": 0.0}
    return {key: float(init[key]) if is_number(init.get(key)) else 0.0 for key in ("images", "seconds")}


# ---- the log


def log_of(service: Service, checkpoint: str) -> Log:
    """Return a checkpoint's training log, from memory when the file has not changed.

    Raises:
        InputError: in one sentence, if there is no such checkpoint, or no log, or no line of it can be read.
    """
    entry = entry_of(service, checkpoint)
    path = entry.path / LOG
    try:
        columns, lines, broken = _logs.find(cache_key(path, [path]), lambda: read_columns(path))
    except OSError:
        raise InputError(f"{checkpoint} has no training log: a run of python -m gencore train writes {LOG}.") from None
    if not columns:
        raise InputError(f"{checkpoint} has no training log: none of the {lines} lines of {LOG} can be read.")
    for name, earlier in before(entry.run, columns["images"][-1]).items():
        columns = {**columns, name: columns[name] + earlier} if name in columns else columns
    note = f"{broken:,} of the {lines:,} lines of {checkpoint}'s log cannot be read and were passed over."
    return Log(columns, note if broken else "")


def read_columns(path: Path) -> tuple[dict[str, np.ndarray], int, int]:
    """Return a log's columns, how many lines it has, and how many of these cannot be read."""
    lines = [line for line in read_file(path).decode("utf-8", errors="replace").splitlines() if line.strip()]
    read = [record for record in map(parsed, lines) if record]
    # A run that was resumed from an older state may have logged the same images twice: the later line counts.
    rows = [row for _, row in sorted({row["images"]: row for row in read}.items())]
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: column(rows, name) for name in names}
    for values in columns.values():
        values.flags.writeable = False
    return columns, len(lines), len(lines) - len(read)


def parsed(line: str) -> dict[str, Any]:
    """Return the numbers and vectors of a log's line; {} when it is no such line."""
    try:
        record = json.loads(line)
    except ValueError:
        return {}
    if not isinstance(record, dict) or not is_number(record.get("images")):
        return {}
    vectors = {
        name for name, value in record.items() if isinstance(value, list) and value and all(map(is_number, value))
    }
    return {name: value for name, value in record.items() if is_number(value) or name in vectors}


def is_number(value: Any) -> bool:
    """Return whether a JSON value is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def column(rows: Sequence[Mapping[str, Any]], name: str) -> np.ndarray:
    """Return one column, of the kind that its first value has; NaN where a row has none, or another kind."""
    first = next(row[name] for row in rows if name in row)
    shape = (len(first),) if isinstance(first, list) else ()
    lacking = np.full(shape, np.nan)
    found = [np.asarray(row.get(name, lacking), float) for row in rows]
    return np.stack([value if value.shape == shape else lacking for value in found])


# ---- the time-lapse


def timelapse_of(service: Service, checkpoint: str) -> Timelapse:
    """Return a checkpoint's time-lapse, from memory when its files have not changed.

    Raises:
        InputError: in one sentence, if there is no such checkpoint, or it has no time-lapse.
    """
    entry = entry_of(service, checkpoint)
    folder = entry.path / TIMELAPSE
    paths = [path for path in folder.glob("*.png") if FRAME.fullmatch(path.name)]
    paths.sort(key=lambda path: path.stem)  # not by name: of two after as many images, the finished one is later
    found = _timelapses.find(cache_key(folder, paths), lambda: read_frames(paths))
    if not found:
        raise InputError(f"{checkpoint} has no time-lapse: a run of python -m gencore train draws one in {TIMELAPSE}.")
    seen, frames, files = zip(*found, strict=True)
    try:
        log = log_of(service, checkpoint).columns
    except InputError:
        log = {}
    images = np.array(seen) + int(before(entry.run, seen[-1])["images"])
    return Timelapse(run_of(service, entry), images, seconds_at(images, log), frames, files)


def seconds_at(images: np.ndarray, log: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the seconds of training after so many images, by a log's lines; NaN when it does not say."""
    if "seconds" not in log:
        return np.full(len(images), np.nan)
    known = np.isfinite(log["images"]) & np.isfinite(log["seconds"])
    return np.interp(images, [0.0, *log["images"][known]], [0.0, *log["seconds"][known]])


def read_frames(paths: Sequence[Path]) -> tuple[tuple[int, np.ndarray, bytes], ...]:
    """Return images seen, pixels and file of each picture of a time-lapse; those unlike the last are passed over."""
    found = []
    for path in paths:
        try:
            content = read_file(path)
            with Image.open(io.BytesIO(content)) as picture:
                pixels = np.asarray(picture.convert("L" if picture.mode == "L" else "RGB"))
        except (OSError, SyntaxError, ValueError):
            continue
        found.append((int(FRAME.fullmatch(path.name)[1]), pixels, content))
    return tuple(each for each in found if each[1].shape == found[-1][1].shape)


# ---- several time-lapses on one axis


def stops(lapses: Sequence[Timelapse], axis: str) -> np.ndarray:
    """Return where on an axis any of the time-lapses has a grid, in order."""
    places = [lapse.places(axis) for lapse in lapses]
    return np.unique(np.concatenate([place[np.isfinite(place)] for place in places])) if places else np.zeros(0)


def shown_at(lapse: Timelapse, axis: str, place: float) -> int:
    """Return the grid that a time-lapse shows at a place: its last one made by then, its first before that."""
    return max(0, int(np.searchsorted(lapse.places(axis), place, side="right")) - 1)


def as_gif(service: Service, checkpoints: Sequence[str], axis: str = "images") -> bytes:
    """Return the time-lapses of checkpoints side by side as an animated GIF, each under its name.

    Raises:
        InputError: in one sentence, if one of them has none, or none can be placed on the axis.
    """
    if axis not in AXES:
        raise InputError(f"There is no axis {axis!r}{near(str(axis), list(AXES))}")
    lapses = [timelapse_of(service, checkpoint) for checkpoint in checkpoints]
    lapses = [lapse for lapse in lapses if np.isfinite(lapse.places(axis)).all()]
    places = stops(lapses, axis)
    if not len(places):
        raise InputError("There is no time-lapse to make a GIF of: choose a run that has one.")
    return gif([side_by_side(lapses, axis, place) for place in places], int(np.clip(9000 / len(places), 80, 300)))


GAP, HEAD = 16, 44  # pixels between the grids, and above them for their names
LEAST = 220  # pixels across that a name needs


def side_by_side(lapses: Sequence[Timelapse], axis: str, place: float) -> np.ndarray:
    """Return one picture of the GIF: the grids at a place side by side, each pixel enlarged, under their names."""
    colour = any(frame.ndim == 3 for lapse in lapses for frame in lapse.frames[:1])
    drawn = []
    for lapse in lapses:
        picture = Image.fromarray(lapse.frames[shown_at(lapse, axis, place)])
        scale = max(1, round(320 / picture.width))
        drawn.append(picture.resize((scale * picture.width, scale * picture.height), Image.Resampling.NEAREST))
    wide = [max(LEAST, picture.width) for picture in drawn]
    size = (sum(wide) + GAP * (len(drawn) + 1), max(picture.height for picture in drawn) + HEAD + GAP)
    canvas = Image.new("RGB" if colour else "L", size, "white")
    pen, font, x = ImageDraw.Draw(canvas), ImageFont.load_default(14), GAP
    for lapse, picture, width in zip(lapses, drawn, wide, strict=True):
        index = shown_at(lapse, axis, place)
        pen.text((x, 5), lapse.run.name, fill="black", font=font)
        pen.text((x, 23), caption(lapse.images_seen[index], lapse.seconds[index]), fill="#5f5f5f", font=font)
        canvas.paste(picture, (x, HEAD))
        x += width + GAP
    return np.asarray(canvas)


def caption(images: float, seconds: float) -> str:
    """Return where a grid stands in its training: '4,096 images seen, 12 s'."""
    return f"{images:,.0f} images seen" + (f", {clock(seconds)}" if np.isfinite(seconds) else "")
