"""The card beside each checkpoint of a comparison: README.md, which says how it came about and what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gencore.checkpoint import Entry, write_atomic
from gencore.comparison.state import Member, State
from gencore.comparison.verdict import AT_ONCE, latest
from gencore.data import dataset_key
from gencore.families import FAMILIES
from gencore.metrics import METRICS

CARD = "README.md"
SHOWN = ("kid", "recall", "precision", "coverage")


def write_card(entry: Entry, state: State, rows: Sequence[Mapping[str, Any]], extractor: str) -> Path:
    """Write the card of one checkpoint of a comparison, atomically, and return its path.

    Args:
        entry: The checkpoint.
        state: The comparison at its end.
        rows: The rows of its data set.
        extractor: The features whose scores are shown.

    Raises:
        InputError: if the disk refuses.
    """
    member = next(one for one in state.members if entry.path.name == Path(one.checkpoint).name)
    parts = [*_head(state, member), *_training(entry, state, member), *_scores(entry, state, rows, extractor), *LIMITS]
    write_atomic(entry.path / CARD, ("\n".join(parts) + "\n").encode())
    return entry.path / CARD


def _head(state: State, member: Member) -> Iterator[str]:
    family = FAMILIES[member.family]
    yield f"# {family.title} on {dataset_key(state.data)}"
    yield ""
    yield f"{family.about} Trained by `python -m gencore compare` beside other families, under one budget each."
    yield from ("", *(f"- {sentence}" for sentence in state.sentences), "")


def _training(entry: Entry, state: State, member: Member) -> Iterator[str]:
    machine, versions = entry.run.get("machine", {}), entry.run.get("versions", {})
    yield from ("## Training", "")
    yield f"{member.images:,} images in {member.seconds:,.0f} s, of {state.minutes:g} minutes allowed; {state.created}."
    yield " ".join(member.reasons)
    cores = f"{machine.get('threads', '?')} of {machine.get('cores', '?')} cores"
    yield f"Machine: {machine.get('name', 'unknown')}, {cores}; torch {versions.get('torch', '?')}."
    yield "Settings and fingerprints of the images: `run.json`; losses: `log.jsonl`."
    yield from (["", f"**{member.words}**"] if member.words else [])
    yield ""


def _scores(entry: Entry, state: State, rows: Sequence[Mapping[str, Any]], extractor: str) -> Iterator[str]:
    mine = [row for row in rows if row["checkpoint"] == entry.name]
    times = {row["point"]["label"]: row for row in latest(mine, "cost")}
    scored = [row for row in latest(mine, "quality") if extractor in row["scores"]]
    keys = [key for key in SHOWN if any(key in row["scores"][extractor] for row in scored)]
    yield from ("## Measured", "")
    if not scored:
        yield from ("Nothing was.", "")
        return
    n, generations = scored[-1]["n"], scored[-1]["generations"]
    yield (
        f"In {extractor} features, {generations} generations of {n:,} images against held-out ones, with 95% "
        f"t-intervals over the generations; time per image, {AT_ONCE} at once, on the machine that measured."
    )
    yield from ("", f"| point | {' | '.join(METRICS[key].name for key in keys)} | ms per image |",
                f"|---|{'---|' * len(keys)}---|")  # fmt: skip
    for row in scored:
        figures = [_figure(row["scores"][extractor].get(key)) for key in keys]
        yield f"| {' | '.join([row['point']['label'], *figures, _time(times.get(row['point']['label']))])} |"
    yield from ("", f"The comparison says: {state.verdict}", "")


def _figure(score: Mapping[str, Any] | None) -> str:
    return f"{score['mean']:.3g} ± {(score['high'] - score['low']) / 2:.1g}" if score else ""


def _time(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return ""
    return (
        f"{max((one for one in row['batches'] if one['n'] <= AT_ONCE), key=lambda one: one['n'])['ms_per_image']:.3g}"
    )


LIMITS = (
    "## Limits",
    "",
    "One training: another seed may score otherwise, which the intervals leave out. It knows the images that it was "
    "trained on and no others, and may have learnt some of them by heart where they are few: look before you share.",
)
