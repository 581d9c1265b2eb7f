"""Where a comparison stands: `comparison.json` in its folder, written whole each time, read by whoever shows it.

What a training's own files hold is read from there and not kept twice: `log.jsonl` (the losses and figures), `run.json`
and `timelapse/` (grids of fixed seeds) in each family's checkpoint folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import NoneType
from typing import Any, get_type_hints

from gencore.checkpoint import read_json, write_json
from gencore.errors import InputError
from gencore.locks import owner
from gencore.presets import TrainingConfig, check_training

FILE, LOCK = "comparison.json", ".comparison.lock"
ACTIVE = ("planned", "training", "features", "evaluating")
PHASES = (*ACTIVE, "done", "stopped", "failed")
STATES = ("waiting", "training", "trained", "measured", "failed")


@dataclass(frozen=True)
class Member:
    """One family of a comparison.

    Attributes:
        family: Its key in FAMILIES.
        checkpoint: The folder that it is trained in, inside the comparison's.
        model: Arguments of its constructor beside `channels` and `size`.
        train: Fields of `gencore.presets.TrainingConfig`.
        reasons: Why these settings, a sentence each.
        budget_s: Seconds of training that it may take.
        seconds: Seconds of training so far.
        images: Images seen so far, repeats included.
        images_per_s: Images per second of training: of the probe, then of the training.
        state: One of `STATES`.
        words: A sentence on how it is, or on why it failed and what to try; '' if there is nothing to say.
    """

    family: str
    checkpoint: str
    model: dict[str, Any] = field(default_factory=dict)
    train: dict[str, Any] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    budget_s: float = 0.0
    seconds: float = 0.0
    images: int = 0
    images_per_s: float = 0.0
    state: str = "waiting"
    words: str = ""


@dataclass(frozen=True)
class State:
    """A comparison.

    Attributes:
        data: The data set, as it was given.
        view: In what form it is read: arguments of `gencore.data.View`, those that are not the usual.
        minutes: Of training, for each family.
        members: The families, in the order in which they are trained.
        created: When it was planned, local time to the second.
        phase: One of `PHASES`; one of `ACTIVE` is over, too, once the comparison is not `running`.
        share: How much of the phase is done, in [0, 1].
        eta_s: About how many seconds all the rest takes; None where that is not known.
        words: What is being done, or what has gone wrong and what to try.
        n: Images per generation in the measurements.
        effort: The share of their usual passes that extractors learn in; see `gencore.extractors.Options`.
        estimates: About how many seconds each phase takes, by its name: said before it started.
        sentences: What was said before it started: splits, what is measured, what is not and why.
        verdict: At the end: what to use for what, and how sure that is, in one line.
        pid: The process that works on it, or did last.
        since: When that process began, local time to the second.
        running: Whether that process still works on it; known by its lock, and not kept in the file.
    """

    data: str
    view: dict[str, Any]
    minutes: float
    members: tuple[Member, ...]
    created: str
    phase: str = "planned"
    share: float = 0.0
    eta_s: float | None = None
    words: str = ""
    n: int = 0
    effort: float = 1.0
    estimates: dict[str, float] = field(default_factory=dict)
    sentences: tuple[str, ...] = ()
    verdict: str = ""
    pid: int = 0
    since: str = ""
    running: bool = False

    @property
    def interrupted(self) -> bool:
        """Whether it was killed: the same command goes on with it."""
        return self.phase in ACTIVE and not self.running

    def member(self, family: str) -> Member:
        """Return one family's part."""
        return next(one for one in self.members if one.family == family)

    def with_member(self, family: str, **changes: Any) -> State:
        """Return the state with something changed in one family's part."""
        members = (replace(one, **changes) if one.family == family else one for one in self.members)
        return replace(self, members=tuple(members))


TYPES = {  # of a field, and what it may be in JSON
    str: str, int: int, bool: bool, float: (int, float), float | None: (int, float, NoneType),
    dict[str, Any]: dict, dict[str, float]: dict, tuple[str, ...]: tuple, tuple[Member, ...]: tuple,
}  # fmt: skip


def read_state(folder: str | Path) -> State:
    """Return where the comparison in a folder stands.

    Raises:
        InputError: if there is none, or its file is damaged or of a newer version.
    """
    path = Path(folder) / FILE
    if not path.is_file():
        raise InputError(f"There is no comparison in {folder}: it has no {FILE}.")
    told = read_json(path)
    try:
        members = tuple(_made(Member, one) for one in told.pop("members"))
        state = _made(State, told | {"members": members})
        for one in members:
            check_training(TrainingConfig(**one.train))
    except (TypeError, KeyError, AttributeError, InputError):
        raise InputError(f"{path} is not what a comparison writes; it may come from a newer version.") from None
    return replace(state, running=owner(path.with_name(LOCK)) is not None)


def write_state(folder: str | Path, state: State) -> None:
    """Write where a comparison stands, atomically.

    Raises:
        InputError: if the disk refuses; the old file stays.
    """
    told = asdict(state)
    del told["running"]
    write_json(Path(folder) / FILE, told)


def _made(kind: type, told: Mapping[str, Any]) -> Any:
    """Return a dataclass from JSON, where tuples are lists.

    Raises:
        TypeError: if a field is missing, unknown or of another type.
        KeyError: if a phase or state is none of those that there are.
    """
    hints = get_type_hints(kind)
    made = kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in told.items()})
    for key, hint in hints.items():
        value = getattr(made, key)
        if not isinstance(value, TYPES[hint]) or (isinstance(value, bool) and hint is not bool):
            raise TypeError(f"{key} is {value!r}")
        if hint == tuple[str, ...] and not all(isinstance(one, str) for one in value):
            raise TypeError(f"{key} is {value!r}")
    known = PHASES if kind is State else STATES
    word = made.phase if kind is State else made.state
    if word not in known:
        raise KeyError(word)
    return made
