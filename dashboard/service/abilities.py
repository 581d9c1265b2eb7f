"""What checkpoints can be asked for beyond images, by what their families provide."""

from __future__ import annotations

from typing import Any

from dashboard.service.problems import without_paths
from dashboard.service.runs import entry_of
from dashboard.service.service import Service
from gencore.checkpoint import Entry
from gencore.errors import InputError
from gencore.family import Bounds, Decodes, Encodes, Family, Judges

# What each work takes, and what is said of a family that cannot do it.
ABILITIES: dict[str, tuple[tuple[type, ...], str]] = {
    "encode": ((Encodes, Decodes), "encodes no image"),
    "interpolate": ((Decodes,), "decodes no latent"),
    "bound": ((Bounds,), "bounds no likelihood"),
    "judge": ((Judges,), "judges no image"),
}


def can(kind: type[Family], ability: str) -> bool:
    """Return whether a family can do some work, one of the `ABILITIES`."""
    return all(issubclass(kind, capability) for capability in ABILITIES[ability][0])


def usable(service: Service, checkpoint: Any) -> Entry:
    """Return a checkpoint that can be loaded.

    Raises:
        InputError: in one sentence, if there is none of this name, or it is damaged.
    """
    entry = entry_of(service, checkpoint)
    if entry.problem:
        raise InputError(without_paths(entry.problem))
    return entry


def able(service: Service, checkpoint: Any, ability: str) -> Entry:
    """Return a checkpoint that can do some work, one of the `ABILITIES`.

    Raises:
        InputError: in one sentence, as `usable`; and if its family cannot, naming the checkpoints that can.
    """
    entry = usable(service, checkpoint)
    kind = service.families[entry.family]
    if can(kind, ability):
        return entry
    others = [
        other.name
        for other in service.entries()[entry.dataset]
        if not other.problem and other.family in service.families and can(service.families[other.family], ability)
    ]
    those = f"on {entry.dataset} these do: {', '.join(others)}" if others else f"nor does any other on {entry.dataset}"
    raise InputError(f"{entry.name} is a {kind.title}, which {ABILITIES[ability][1]}; {those}.")
