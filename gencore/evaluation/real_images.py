"""The real images that a checkpoint is measured on: in the form in which it was trained, and no others."""

from __future__ import annotations

from gencore.checkpoint import Entry
from gencore.data import Images, View, difference, identity, load_splits
from gencore.errors import InputError


def real_images(entry: Entry, split: str, size: int) -> Images:
    """Return a split of a checkpoint's data set in its own form, of `size` pixels a side.

    The train images are read as well where the checkpoint knows them: had they changed, test images may be among those
    that it was trained on.

    Raises:
        InputError: if they cannot be had, or if a split has other images than the checkpoint was trained on.
    """
    known = {name: told for name, told in entry.identity.items() if name in ("train", split)}
    splits = load_splits(entry.dataset, View(**entry.view | {"size": size}), tuple({split: 0, **known}))
    refuse_changed(entry, {name: one for name, one in splits.items() if name in known})
    return splits[split]


def refuse_changed(entry: Entry, splits: dict[str, Images]) -> None:
    """Refuse splits that are not those that a checkpoint was trained on; what is unknown passes.

    Raises:
        InputError: if one differs.
    """
    if changed := difference(entry.identity, identity(splits)):
        raise InputError(
            f"{entry.name} was trained on other images than {entry.dataset} has now ({changed}): bring those back, or "
            "train it again."
        )
