"""Which rows of a source make up a split, and the words that name one.

'train' trains, 'validation' chooses (knobs, extractor, early stop), 'test' is scored. What a source lacks is held out
of its train rows by one fixed rule, `hold_out`: first a test split if there is none, then a validation split if there
is none. 'train' contains neither. Every split comes in a fixed shuffled order, so that its first k images are a fair
sample even when the source is sorted by class. Nothing here depends on a seed of the user's: the same source always
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
