"""Labels that stand in a text beside the images, as tiny-imagenet's val_annotations.txt has them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

ENDING = "annotations.txt"
MOST_BYTES = 100_000_000


def annotations_in(folder: Path) -> Path | None:
    """Return the only file of a folder whose name ends in 'annotations.txt'; None if there is none, or several."""
    try:
        found = [path for path in folder.iterdir() if path.name.lower().endswith(ENDING) and path.is_file()]
    except OSError:
        return None
    return found[0] if len(found) == 1 else None


def read_annotations(path: Path, names: Iterable[str]) -> dict[str, str]:
    """Return the class of each file that a text tells, by the file's name: a line has the name, the class, and more.

    What stands between them is a tab, or spaces where a line has no tab. Of other files than `names`, and of one that
    has two classes, nothing is returned.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            return {}
        text = path.read_text(encoding="utf-8-sig", errors="surrogateescape")
    except OSError:
        return {}
    found: dict[str, set[str]] = {name: set() for name in names}
    for line in text.splitlines():
        words = line.split("\t" if "\t" in line else None)
        if len(words) > 1 and (name := words[0].strip()) in found:
            found[name].add(words[1].strip())
    return {name: classes.pop() for name, classes in found.items() if len(classes) == 1}
