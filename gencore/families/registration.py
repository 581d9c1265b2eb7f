"""What is checked of a family when it is registered: the part of `Family`'s contract that a class alone can show."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

from diffusers.configuration_utils import register_to_config

from gencore.errors import InputError
from gencore.family import CAPABILITIES, INTERPOLATIONS, POINT_KINDS, Change, Family, Knob, Point, resolve_knobs


def register(*families: type[Family]) -> dict[str, type[Family]]:
    """Return the families by name, each of them checked.

    Raises:
        InputError: for the first that lacks or misstates a part of `Family`'s contract: which, and what would be right.
    """
    registered: dict[str, type[Family]] = {}
    for cls in families:
        fault = next((fault for check in CHECKS for fault in check(cls)), None)
        if fault:
            raise InputError(f"{getattr(cls, '__name__', cls)} cannot be registered: {fault}.")
        for other in registered.values():
            for what, mine, theirs in (("name", cls.name, other.name), ("class", cls.__name__, other.__name__)):
                if mine == theirs:
                    raise InputError(f"Two families have the {what} {mine!r}; checkpoints could not tell them apart.")
        registered[cls.name] = cls
    return registered


def _class(cls: Any) -> Iterator[str]:
    if not (isinstance(cls, type) and issubclass(cls, Family)):
        yield "it is no class derived from gencore.family.Family"


def _words(cls: type[Family]) -> Iterator[str]:
    name = getattr(cls, "name", None)
    if not (isinstance(name, str) and re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name)):
        yield f"its name is {name!r}; it needs one of lower-case letters, digits, '-' and '_', such as name = 'flow'"
    if not (isinstance(cls.title, str) and cls.title and isinstance(cls.about, str)):
        yield f"title and about must be text, and the title not empty, not {cls.title!r} and {cls.about!r}"
    if cls.interpolation not in INTERPOLATIONS:
        yield f"interpolation is {cls.interpolation!r}; it must be one of {', '.join(INTERPOLATIONS)}"


def _knobs(cls: type[Family]) -> Iterator[str]:
    if not (isinstance(cls.knobs, tuple) and all(isinstance(knob, Knob) for knob in cls.knobs)):
        yield f"knobs must be a tuple of gencore.family.Knob, not {cls.knobs!r}"
    names = [knob.name for knob in cls.knobs]
    for name in names:
        if names.count(name) > 1:
            yield f"two of its knobs are called {name!r}; each needs a name of its own"
    for knob in cls.knobs:
        if isinstance(knob.default, str) != bool(knob.choices):
            yield f"the knob {knob.name!r} must have either choices and one of them as its default, or a number"
        try:
            knob.parse(knob.default)
        except InputError as error:
            yield f"the default of a knob is not among its own values: {str(error).rstrip('.')}"
        for other in knob.when:
            if other not in names:
                yield f"the knob {knob.name!r} has an effect only beside {other!r}, which is none of its knobs"


def _points(cls: type[Family]) -> Iterator[str]:
    if not (isinstance(cls.points, tuple) and all(isinstance(point, Point) for point in cls.points)):
        yield f"points must be a tuple of gencore.family.Point, not {cls.points!r}"
    labels = [point.label for point in cls.points]
    for point in cls.points:
        if point.kind not in POINT_KINDS:
            yield f"the point {point.label!r} is of kind {point.kind!r}; it must be one of {', '.join(POINT_KINDS)}"
        if labels.count(point.label) > 1:
            yield f"two of its points are labelled {point.label!r}; each needs a label of its own"
        try:
            resolve_knobs(cls.knobs, point.knobs)
        except InputError as error:
            yield f"the point {point.label!r} sets what its knobs do not allow: {str(error).rstrip('.')}"
    if not any(point.kind == "headline" for point in cls.points):
        yield "none of its points is a headline; evaluations and comparisons begin with those"


def _changes(cls: type[Family]) -> Iterator[str]:
    if not (isinstance(cls.changes, tuple) and all(isinstance(change, Change) for change in cls.changes)):
        yield f"changes must be a tuple of gencore.family.Change, not {cls.changes!r}"
    names = [knob.name for knob in cls.knobs]
    for change in cls.changes:
        if not (isinstance(change.what, str) and change.what):
            yield f"a change must say what has changed, such as 'The sampler', not {change.what!r}"
        for name in change.when:
            if name not in names:
                yield f"the change of {change.what!r} concerns {name!r}, which is none of its knobs"


def _constructor(cls: type[Family]) -> Iterator[str]:
    if getattr(cls.__init__, "__code__", None) is not register_to_config(Family.__init__).__code__:
        yield "its constructor must be decorated with diffusers.configuration_utils.register_to_config"
    _, *parameters = inspect.signature(cls.__init__).parameters.values()
    for parameter in parameters:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            yield f"its constructor takes {parameter}; all its arguments must have names, which config.json keeps"
    if missing := {"channels", "size"} - {parameter.name for parameter in parameters}:
        yield f"its constructor must take {' and '.join(sorted(missing))}, which the data give"
    for parameter in parameters:
        if parameter.name not in ("channels", "size") and not _settable(parameter.default):
            yield (
                f"the argument {parameter.name!r} of its constructor needs a default that is a number, a truth value, "
                "a string or a tuple of positive whole numbers"
            )


def _settable(default: Any) -> bool:
    """Return whether an argument of this default can be set by `key=value` and kept in JSON."""
    if isinstance(default, tuple):
        return all(type(value) is int and value > 0 for value in default)
    return type(default) in (bool, int, float, str)


def _methods(cls: type[Family]) -> Iterator[str]:
    for name in ("networks", "losses", "sample"):
        if inspect.getattr_static(cls, name) is inspect.getattr_static(Family, name):
            yield f"it has no {name}; gencore.family.Family says what that must give"
    for name in ("networks", "network"):
        if not isinstance(inspect.getattr_static(cls, name), property | cached_property):
            yield f"{name} must be a property"
    for name in ("losses", "sample"):
        yield from _uncallable(cls, getattr(Family, name))


def _capabilities(cls: type[Family]) -> Iterator[str]:
    """Yield what is half there: some methods of a capability, which no capability that is there explains, not all."""
    whole = [kind for kind in CAPABILITIES if all(hasattr(cls, name) for name in _names(kind))]
    explained = {name for kind in whole for name in _names(kind)}
    for kind in CAPABILITIES:
        have = [name for name in _names(kind) if hasattr(cls, name)]
        lack = [name for name in _names(kind) if not hasattr(cls, name)]
        if lack and set(have) - explained:
            wanted = " and ".join(f"{name}{inspect.signature(getattr(kind, name))}" for name in lack)
            yield f"it has {' and '.join(have)} but not {wanted}, which belong together ({kind.__name__})"
    for kind in whole:
        for name in _names(kind):
            yield from _uncallable(cls, getattr(kind, name))


def _names(kind: type) -> list[str]:
    """Return the names of a capability's methods, those of the capabilities that it builds on included."""
    return [name for base in kind.__mro__ for name, value in vars(base).items()
            if base in CAPABILITIES and not name.startswith("_") and callable(value)]  # fmt: skip


def _calls(cls: type[Family], method: Callable) -> list[tuple[tuple, dict]]:
    """Return how a method of the contract is called: as it must be, and with all that it may be given."""
    _, *parameters = inspect.signature(method).parameters.values()
    named = [parameter for parameter in parameters if parameter.kind is parameter.POSITIONAL_OR_KEYWORD]
    needed = [parameter for parameter in named if parameter.default is parameter.empty]
    knobs = {knob.name: knob.default for knob in cls.knobs} if len(named) < len(parameters) else {}
    return [((0,) * len(needed), {}), ((0,) * len(named), knobs)]


def _uncallable(cls: type[Family], wanted: Callable) -> Iterator[str]:
    """Yield what is wrong with a method that cannot be called as it will be; its arguments stand for themselves."""
    for args, options in _calls(cls, wanted):
        try:
            inspect.signature(getattr(cls, wanted.__name__)).bind(cls, *args, **options)
        except (TypeError, ValueError):
            knobs = ", each of its knobs by name" if options else ""
            yield f"{wanted.__name__} must take {inspect.signature(wanted)}{knobs}"
            return


CHECKS = (_class, _words, _knobs, _points, _changes, _constructor, _methods, _capabilities)
