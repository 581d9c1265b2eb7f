"""How long an extractor's pass through some images takes, here and now: a real one through a few of them, timed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from gencore.data import Images
from gencore.extractors.base import Extractor, Options

FIRST, MOST = 64, 1024  # train images of the trial that warms up, and of the one that is timed, at most


def pass_seconds(cls: type[Extractor], splits: Mapping[str, Images], options: Options, seconds: float) -> float:
    """Return about how many seconds one pass through the train images takes an extractor that learns in passes.

    Args:
        cls: The extractor's class.
        splits: The data set.
        options: How it is going to be learnt.
        seconds: About how long to try.
    """
    taken, record = _learnt(cls, splits, replace(options, epochs=1), FIRST)  # which also measures what 'auto' is
    rows = len(splits["train"].x)
    count = min(MOST, rows, max(FIRST, int(FIRST * seconds / taken)))
    settled = replace(options, epochs=1, dtype=record["settings"]["dtype"])
    return _learnt(cls, splits, settled, count)[0] * rows / count


def _learnt(cls: type[Extractor], splits: Mapping[str, Images], options: Options, count: int) -> tuple[float, dict]:
    """Return the seconds of one pass through the first train images, with their share of the other splits, and more.

    The second is the record of what was learnt.
    """
    share = count / len(splits["train"].x)
    some = {split: _first(images, max(1, round(share * len(images.x)))) for split, images in splits.items()}
    start = time.perf_counter()
    _, record = cls.learn(some, options, lambda share, words: None)
    return time.perf_counter() - start, record


def _first(images: Images, count: int) -> Images:
    labels = None if images.labels is None else images.labels[:count]
    return Images(images.name, images.split, images.x[:count], labels)
