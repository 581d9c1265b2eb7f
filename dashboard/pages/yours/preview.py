"""What is shown of a data set before anything runs: facts in, markup out. Pure: no torch, no gradio."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from dashboard import format

MOST = 6  # classes, sizes and reasons that are listed


@dataclass(frozen=True)
class Preview:
    """A data set.

    Attributes:
        data: Its name.
        title: Its name for people.
        splits: Images of each split.
        classes: Images of each class in all splits; {} without labels.
        sizes: (width, height, how many), the most frequent first.
        channels: 1 if all images are grey, else 3.
        left_out: How many files are not read, by the reason.
        notes: Sentences about what was decided.
        leaks: (split, other split, how many of the other's images are in the first one too).
        side: Pixels a side that the models' images are given to begin with.
    """

    data: str
    title: str
    splits: Mapping[str, int]
    classes: Mapping[str, int]
    sizes: tuple[tuple[int, int, int], ...]
    channels: int
    left_out: Mapping[str, int]
    notes: tuple[str, ...]
    leaks: tuple[tuple[str, str, int], ...]
    side: int

    @property
    def count(self) -> int:
        """The number of images."""
        return sum(self.splits.values())

    @property
    def alike(self) -> bool:
        """Whether all images are squares of one size."""
        return len(self.sizes) == 1 and self.sizes[0][0] == self.sizes[0][1]

    @property
    def squares(self) -> bool:
        """Whether all images are squares."""
        return all(width == height for width, height, _ in self.sizes)


def facts(preview: Preview) -> str:
    """Return the facts of a data set as markup."""
    rows = [
        ("images", f"{preview.count:,}"),
        ("split", split_words(preview)),
        ("size", size_words(preview)),
        ("colour", "grey" if preview.channels == 1 else "RGB"),
        ("classes", class_words(preview)),
    ]
    listed = "".join(f"<div><dt>{name}</dt><dd>{escape(words)}</dd></div>" for name, words in rows)
    remarks = [*skipped(preview), *leaks(preview), *preview.notes]
    more = "".join(f"<li>{escape(words)}</li>" for words in remarks)
    return f'<h2>{escape(preview.title)}</h2><dl class="yours-facts">{listed}</dl>' + (
        f'<ul class="yours-remarks">{more}</ul>' if more else ""
    )


def split_words(preview: Preview) -> str:
    """Return what the images are for: '1,438 to train on, 162 to check it by, 297 to measure with'."""
    uses = {"train": "to train on", "validation": "to check it by", "test": "to measure with"}
    return ", ".join(f"{preview.splits[split]:,} {words}" for split, words in uses.items() if split in preview.splits)


def size_words(preview: Preview) -> str:
    """Return the sizes of the images as they are stored."""
    if len(preview.sizes) == 1:
        return "{}×{} pixels".format(*preview.sizes[0][:2])
    sides = [side for width, height, _ in preview.sizes for side in (width, height)]
    largest = max(preview.sizes, key=lambda one: one[2])
    return (
        f"{len(preview.sizes):,} sizes, sides of {min(sides)} to {max(sides)} pixels; "
        f"most often {largest[0]}×{largest[1]}"
    )


def class_words(preview: Preview) -> str:
    """Return the classes with their counts."""
    if not preview.classes:
        return "no labels, none are needed"
    names = [f"{name} ({count:,})" for name, count in preview.classes.items()]
    more = f" and {len(names) - MOST:,} more" if len(names) > MOST else ""
    return f"{len(names):,}: {', '.join(names[:MOST])}{more}" if len(names) > 1 else f"one: {names[0]}"


def skipped(preview: Preview) -> list[str]:
    """Return what is not read, and why, as sentences."""
    reasons = sorted(preview.left_out.items(), key=lambda one: -one[1])
    if not any(count for _, count in reasons):
        return []
    listed = "; ".join(f"{count:,} {why}" for why, count in reasons[:MOST] if count)
    total = sum(preview.left_out.values())
    return [f"{format.plural(total, 'file')} left out: {listed}."]


def leaks(preview: Preview) -> list[str]:
    """Return which images stand in two splits, as sentences."""
    return [
        f"{format.plural(count, 'image')} of the {second} split {'is' if count == 1 else 'are'} in the {first} split "
        "too, to the last pixel: measures will flatter a model that memorises."
        for first, second, count in preview.leaks
    ]
