"""What there is: families with their knobs and operating points, data sets with their checkpoints, as JSON values."""

from __future__ import annotations

from typing import Any

from dashboard.service.abilities import ABILITIES, can
from dashboard.service.images import image_shape
from dashboard.service.lanes import count_parameters
from dashboard.service.problems import without_paths
from dashboard.service.public import is_open
from dashboard.service.service import MAX_IMAGES, Service
from gencore import __version__
from gencore.checkpoint import Entry
from gencore.errors import InputError
from gencore.family import Family, Knob


def catalogue(service: Service) -> dict[str, Any]:
    """Return all families and data sets."""
    entries = service.entries()
    return {
        "program": f"gencore {__version__}",
        "machine": dict(service.machine),
        "most_images": MAX_IMAGES,
        "takes_uploads": is_open(),
        "families": {name: of_family(kind) for name, kind in service.families.items()},
        "datasets": {name: of_dataset(service, name, entries[name]) for name in service.datasets()},
    }


def of_family(kind: type[Family]) -> dict[str, Any]:
    """Return what a family is, what it can do, its knobs and its operating points."""
    return {
        "title": kind.title,
        "about": kind.about,
        "can": ["generate", "benchmark", *(ability for ability in ABILITIES if can(kind, ability))],
        "knobs": {knob.name: of_knob(knob) for knob in kind.knobs},
        "points": [{"label": point.label, "kind": point.kind, "knobs": dict(point.knobs)} for point in kind.points],
    }


def of_knob(knob: Knob) -> dict[str, Any]:
    """Return a knob's default, its choices or range, its meaning, and with what alone it has an effect."""
    values = {"choices": list(knob.choices)} if knob.choices else {"low": knob.low, "high": knob.high}
    whole = {} if knob.choices else {"whole": knob.integer}
    when = {"only_with": {name: list(values) for name, values in knob.when.items()}} if knob.when else {}
    return {"default": knob.default, **values, **whole, "help": knob.help, **when}


def of_dataset(service: Service, name: str, entries: list[Entry]) -> dict[str, Any]:
    """Return a data set's image shape, whether real images are at hand, and its checkpoints."""
    try:
        shape = list(image_shape(service, name))
    except InputError:
        shape = []
    return {
        "image_shape": shape,
        "real_images_at_hand": service.at_hand(name),
        "checkpoints": {entry.name: of_entry(entry) for entry in entries},
    }


def of_entry(entry: Entry) -> dict[str, Any]:
    """Return a checkpoint's family and training, and why it cannot be used where it cannot."""
    found = {"family": entry.family, "parameters": count_parameters(entry), "trained": dict(entry.trained)}
    found |= {"from": dict(entry.origin)} if entry.origin else {}
    return found | ({"problem": without_paths(entry.problem)} if entry.problem else {})
