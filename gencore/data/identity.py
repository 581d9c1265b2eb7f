"""What a split is, whatever it is called: a name stands for other images once a folder changes or is another's."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from gencore.data.images import Images

Identity = Mapping[str, Mapping[str, Any]]  # by split: what `fingerprint` returns
HASHED = 10_000  # images at a time
SHOWN = 8  # hex digits of a hash in a sentence
KEPT = 16  # and in a row


def fingerprint(images: Images) -> dict[str, Any]:
    """Return count, size and channels of a split, and the SHA-256 of its pixels in their order, as hex."""
    count, channels, size, _ = images.x.shape
    digest = hashlib.sha256()
    for part in images.rows.split(HASHED):
        digest.update(part.contiguous().numpy())
    return {"count": count, "size": size, "channels": channels, "sha256": digest.hexdigest()}


def identity(splits: Mapping[str, Images]) -> dict[str, dict[str, Any]]:
    """Return the fingerprint of each split."""
    return {split: fingerprint(images) for split, images in splits.items()}


def short_hashes(one: Identity) -> dict[str, str]:
    """Return the first 16 hex digits of each split's hash, as rows keep them."""
    return {split: str(told["sha256"])[:KEPT] for split, told in one.items() if "sha256" in told}


def difference(before: Identity, now: Identity) -> str:
    """Return in words how a split that both know differs, as 'train: ..., not ...'; '' if none does."""
    for split in before:
        if split in now and dict(before[split]) != dict(now[split]):
            return f"{split}: {words(before[split])}, not {words(now[split])}"
    return ""


def words(told: Mapping[str, Any]) -> str:
    """Return a fingerprint for people."""
    colour = {1: "grey", 3: "RGB"}.get(told.get("channels"), f"{told.get('channels')} channels")
    size, digest = told.get("size"), str(told.get("sha256"))[:SHOWN]
    return f"{told.get('count', 0):,} images of {size}x{size} {colour} ({digest})"
