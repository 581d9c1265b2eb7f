"""Which rows of a source make up a split, and the words that name one.

'train' trains, 'validation' chooses (knobs, extractor, early stop), 'test' is scored. What a source lacks is held out
of its train rows by a fixed rule: where no split is given, `by_hash` makes all three; else `hold_out` makes first a
test split if there is none, then a validation split if there is none. 'train' contains neither. Every split comes in a
fixed shuffled order, so that its first k images are a fair sample even when the source is sorted by class.
Nothing here depends on a seed of the user's: the same source always
gives the same splits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

SPLITS = ("train", "validation", "test")
WORDS = {  # those that `datasets` knows, and 'trainval', which has no validation split of its own
    "train": ("train", "training", "trainval"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "eval", "evaluation"),
}
TRAIN_SHARE, TEST_SHARE = 0.8, 0.1  # of images that come without splits
_NAMED = {word: split for split, words in WORDS.items() for word in words}


def split_named(word: str) -> str:
    """Return the split that a folder's name, or a word of a file's, stands for; '' if none."""
    return _NAMED.get(word.lower(), "")


def splits_in(text: str) -> set[str]:
    """Return the splits that the words of a name stand for: {'train'} for 'seg_train'."""
    return {split for word in re.split(r"[-._ ]", text) if (split := split_named(word))}


def hold_out(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows that stay and the rows of a hold-out split, of `n` rows.

    Held out are the last 10%, at least 1 and at most 5,000, of a fixed permutation (numpy's `default_rng(0)`).
    """
    order = np.random.default_rng(0).permutation(n)
    kept = n - max(1, min(5000, n // 10))
    return order[:kept], order[kept:]


def by_hash(hashes: np.ndarray) -> dict[str, np.ndarray]:
    """Return the rows of each split, given uint64 (N,), a hash of each row's image: N is 3 or more.

    The images of the lowest 80% of all possible hashes train, the next 10% choose, the rest test: so no image changes
    its split when others are added or taken away, and equal images are in one split. A split that would be empty,
    as in a set of a few images, gets the image that is nearest. The rows of a split are in the order of their hashes,
    which is that of a shuffle. Only where fewer than three images differ, copies of one are in several splits.
    """
    order = np.argsort(hashes, kind="stable")
    starts = np.unique(hashes[order], return_index=True)[1]  # where a split may begin
    if len(starts) < len(SPLITS):
        starts = np.arange(len(order))
    shares = hashes[order[starts]] / 2.0**64
    to_train = int(np.clip(np.searchsorted(shares, TRAIN_SHARE), 1, len(shares) - 2))
    to_choose = int(np.clip(np.searchsorted(shares, 1 - TEST_SHARE), to_train + 1, len(shares) - 1))
    first, second = starts[to_train], starts[to_choose]
    return {"train": order[:first], "validation": order[first:second], "test": order[second:]}


def divide(sizes: Mapping[str, int], split: str) -> tuple[str, np.ndarray]:
    """Return the source split and its rows that make up `split`, given the number of rows of the source's splits."""
    if split in sizes and split != "train":
        return split, np.random.default_rng(0).permutation(sizes[split])
    rows = np.arange(sizes["train"])
    for other in ("test", "validation"):
        if other not in sizes:
            kept, held_out = hold_out(len(rows))
            if other == split:
                return "train", rows[held_out]
            rows = rows[kept]
    # Source order may be by class, and a source with both splits has not been permuted by `hold_out`.
    return "train", rows if len(rows) < sizes["train"] else np.random.default_rng(0).permutation(rows)
