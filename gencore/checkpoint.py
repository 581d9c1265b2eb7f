"""Checkpoints: a folder with config.json and model.safetensors, saved, listed, verified and loaded.

diffusers' own `from_pretrained` accepts a missing key, unexpected keys, a foreign class and unknown config keys,
so everything is compared here instead: class, config keys, key set, shapes, kinds of number, finiteness. Only
JSON and safetensors are read; a pickle is refused, never opened. Every file is written beside its place and moved
there once it is safely on the disk, so that a crash or a full disk leaves the old one whole. Two processes saving
into one folder at the same time are not provided for.
"""

from __future__ import annotations

import contextlib
import functools
import glob
import inspect
import json
import os
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import diffusers
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor
from torch.nn.modules.module import register_module_parameter_registration_hook

from gencore.data import View
from gencore.data.view import CHANNELS, MAX_SIZE
from gencore.errors import InputError, cannot_write, near
from gencore.family import Family
from gencore.paths import as_path, read_file

CONFIG, WEIGHTS, RUN, STATE = "config.json", "model.safetensors", "run.json", "state.safetensors"
FOLDER_VARIABLE = "GENCORE_CHECKPOINTS"
LOG, TIMELAPSE = "log.jsonl", "timelapse"  # of a training; the latter a folder of pictures
UPLOADS = "uploads"  # the folder of a root in which the app keeps the images of visitors: many files, no checkpoints
INSTALLED = Path(__file__).resolve().with_name("shipped")  # in an installed package; see setup.py
MOST_JSON = 2**26  # bytes of a file of JSON
MOST_WEIGHTS = 10_000  # tensors of a model of which nothing but its config is here
SPARE = 1000  # weights that a constructor may make beside those that it keeps
_PROCESS = uuid.uuid4().hex[:8]  # marks the temporary files of this process


@dataclass(frozen=True)
class Entry:
    """One checkpoint in the list.

    Attributes:
        name: What `load` takes: 'mnist/vae', or 'runs/NAME' for the user's own.
        path: The folder.
        family: The key in FAMILIES; '' when `problem` leaves it unknown.
        config: What config.json holds; {} when it cannot be read.
        run: What run.json holds; {} when there is none that can be read.
        problem: One sentence when the checkpoint cannot be used, else ''.
    """

    name: str
    path: Path
    family: str
    config: dict[str, Any]
    run: dict[str, Any]
    problem: str = ""

    @property
    def dataset(self) -> str:
        """The data set it was trained on: what run.json says, else the folder it lies in."""
        return str(self.run.get("data") or self.name.rpartition("/")[0])

    @property
    def view(self) -> dict[str, Any]:
        """In what form it read its images: arguments of `gencore.data.View`, those that are not the usual."""
        told = self.run.get("view")
        return {key: told[key] for one in fields(View) if (key := one.name) in told} if isinstance(told, dict) else {}

    @property
    def identity(self) -> dict[str, Any]:
        """The fingerprints of the splits that it was trained on; {} where they are unknown."""
        told = self.run.get("identity")
        known = isinstance(told, dict) and all(isinstance(one, dict) for one in told.values())
        return told if known else {}

    @property
    def trained(self) -> dict[str, int | float]:
        """Images seen and seconds of training in all, those of the checkpoint it began with included, where known."""
        told = [part for part in (self.run, self.run.get("init")) if isinstance(part, dict)]
        kinds = {"images": int, "seconds": int | float}
        return {
            key: sum(part[key] for part in told)
            for key, kind in kinds.items()
            if told and all(isinstance(part.get(key), kind) and type(part[key]) is not bool for part in told)
        }

    @property
    def origin(self) -> dict[str, str]:
        """Where an imported one comes from: source, revision, licence, pipeline; {} of one that was trained here."""
        told = self.run.get("origin")
        return {key: value for key, value in told.items() if isinstance(value, str)} if isinstance(told, dict) else {}


def roots() -> list[Path]:
    """Return the folders that hold checkpoints: the shipped ones' and the user's, or those of GENCORE_CHECKPOINTS."""
    given = os.environ.get(FOLDER_VARIABLE)
    if given:
        return [as_path(part) for part in given.split(os.pathsep) if part]
    project = Path(__file__).resolve().parents[1] / "checkpoints"
    return [INSTALLED if INSTALLED.is_dir() else project, Path.cwd() / "runs"]


def home() -> Path:
    """Return the root that what is learnt or measured of a data set goes under: the first that may be written to."""
    return next((root for root in roots() if root != INSTALLED), Path.cwd() / "runs")


def entries() -> list[Entry]:
    """Return the checkpoints under `roots()`, sorted by name within a root; of two of one name, the first root's.

    Cheap: reads JSON and the headers of weights, never the weights, and that only where a file has changed since. A
    folder that lacks one of the two files, as while its first save is under way, is not listed.
    """
    found: dict[str, Entry] = {}
    for root in roots():
        for folder in sorted(_folders(root)):
            name = _prefix(root) + folder.relative_to(root).as_posix()
            found.setdefault(name, _entry(name, folder))
    return list(found.values())


def resolve(name: str | Path) -> Path:
    """Return the folder of a checkpoint, given its name ('mnist/vae') or its path.

    Raises:
        InputError: if there is none, naming near ones, or if the folder lacks a file.
    """
    try:
        return _resolve(name)
    except OSError as error:  # a name that no system would take: too long, or in a folder that is closed
        raise InputError(f"There is no checkpoint {str(name)[:80]!r}: {error.strerror or error}.") from None


def _resolve(name: str | Path) -> Path:
    given = as_path(name)
    for folder in (*_named(str(name)), given):
        lacking = [file for file in (CONFIG, WEIGHTS) if not (folder / file).is_file()]
        if not lacking:
            return folder
        if len(lacking) == 1:
            raise InputError(f"{folder} is not a whole checkpoint: it has no {lacking[0]}.")
    if given.is_file():
        raise InputError(f"{name} is a file; a checkpoint is a folder with {CONFIG} and {WEIGHTS} in it.")
    known = [] if given.is_dir() else [entry.name for entry in entries()]
    if not known:
        raise InputError(f"There is no checkpoint {str(name)!r}: no {CONFIG} and {WEIGHTS} there.")
    raise InputError(f"There is no checkpoint {str(name)!r}{near(str(name), known)}")


def find(name: str | Path) -> Entry:
    """Return the entry of a checkpoint, given its name or its folder; one outside `roots()` is named by its folder.

    Raises:
        InputError: if there is none; see `resolve`.
    """
    folder = resolve(name)
    known = {entry.path.resolve(): entry for entry in entries()}
    return known.get(folder.resolve()) or _entry(str(folder), folder)


def load(name: str | Path | Entry, device: str | None = None, dtype: str = "float32") -> Family:
    """Return the model of a checkpoint, verified, in eval mode.

    Args:
        name: A name ('mnist/vae'), a folder or an entry of the list.
        device: As for `pick_device`.
        dtype: 'float32', 'bfloat16' or 'float16': what the networks compute in. Weights are float32 either way.

    Raises:
        InputError: if there is no such checkpoint, device or dtype, or if its files are not what they should be.
    """
    from gencore.device import DTYPES, pick_device

    if dtype not in DTYPES:
        raise InputError(f"There is no dtype {dtype!r}{near(str(dtype), list(DTYPES))}")
    place = pick_device(device)
    folder = name.path if isinstance(name, Entry) else resolve(name)
    _refuse_other_shapes(folder)  # before a config makes a model that fills the memory
    model = _build(folder)
    expected = model.state_dict()
    with _opened(folder / WEIGHTS) as file:
        _compare_shapes(folder, expected, {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()})  # noqa: SIM118 - not a dict
        tensors = {key: file.get_tensor(key) for key in expected}
    for key, tensor in tensors.items():
        if tensor.is_floating_point() != expected[key].is_floating_point():
            raise InputError(f"{folder / WEIGHTS} has {tensor.dtype} for {key}, which should be {expected[key].dtype}.")
        tensors[key] = tensor.to(expected[key].dtype)
    _refuse_non_finite(tensors, f"{folder / WEIGHTS} cannot be used")
    model.load_state_dict(tensors)
    model.compute_dtype = DTYPES[dtype]
    return model.to(place).eval()


def save_model(
    folder: str | Path, model: Family, metadata: Mapping[str, str] | None = None, half: bool = False
) -> None:
    """Save a model's config and weights in a folder, made if it is not there; with `metadata` in the weights' header.

    Both files are on the disk before either takes its place. With `half`, float32 weights are stored as float16, and
    loaded as float32 again.

    Raises:
        InputError: if a weight is not finite, or not as float16, or if the disk refuses; the old files stay.
    """
    arguments = {key: model.config[key] for key in _parameters(type(model))}
    config = {"_class_name": type(model).__name__, "_diffusers_version": diffusers.__version__, **arguments}
    weights = model.state_dict()
    _refuse_non_finite(weights, "The model was not saved")
    if half:
        weights = {key: x.half() if x.dtype == torch.float32 else x for key, x in weights.items()}
        _refuse_non_finite(weights, "The model was not saved, as float16 is too small for it")
    folder = as_path(folder)
    _write({folder / CONFIG: _json(config), folder / WEIGHTS: _safetensors(weights, metadata)})


def export(source: str | Path, target: str | Path, average_with: Sequence[str | Path] = ()) -> None:
    """Copy a trained run to a folder to ship: weights as float16, no training state, and what tells how it came about.

    With others to average with, the weights are the mean of all of them ('model soups', Wortsman et al. 2022), which is
    of use where all were tuned from the same ones; the record is the run's, and names the others.

    Files of the same names in `target` are replaced, others are left alone.

    Raises:
        InputError: if the source is not usable, a weight does not fit float16, another checkpoint is of another family
            or other shapes or has numbers that were fitted to its weights, or if the disk refuses.
    """
    folder, target = resolve(source), as_path(target)
    if folder.resolve() == target.resolve():
        raise InputError(f"{target} cannot be exported to itself; name another folder.")
    others = [find(name) for name in average_with]
    model = load(source, device="cpu")
    if others:
        _average(model, others)
    save_model(target, model, half=True)
    for path in [folder / RUN, folder / LOG, *sorted((folder / TIMELAPSE).glob("*.png"))]:
        if path.exists():
            try:
                content = read_file(path)
            except OSError as error:
                raise InputError(f"{path} cannot be read ({error.strerror or error}).") from None
            write_atomic(target / path.relative_to(folder), content)
    if others:
        told = [{"checkpoint": other.name, **other.trained} for other in others]
        write_json(target / RUN, {**find(source).run, "averaged_with": told})


@torch.no_grad()
def _average(model: Family, others: Sequence[Entry]) -> None:
    """Set a model's parameters to the mean of its own and those of others."""
    sums = dict(model.named_parameters())
    fitted = dict(model.named_buffers())
    for entry in others:
        other = load(entry, device="cpu")
        shapes = {name: value.shape for name, value in other.named_parameters()}
        if type(other) is not type(model) or shapes != {name: value.shape for name, value in sums.items()}:
            raise InputError(f"{entry.name} cannot be averaged with it: both have to be of one family and shape.")
        for name, value in other.named_buffers():
            if not torch.equal(value, fitted[name]):
                raise InputError(f"{entry.name} cannot be averaged: its {name} was fitted to its own weights.")
        for name, value in other.named_parameters():
            sums[name].add_(value)
    for value in sums.values():
        value.div_(len(others) + 1)


def write_atomic(path: str | Path, content: bytes) -> None:
    """Write a file so that at any time either the old or the new one is there, whole; make its folder if need be.

    Raises:
        InputError: if the disk is full or the folder cannot be written to; the old file stays.
    """
    _write({Path(path): content})


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` as JSON, atomically; see `write_atomic`. NaN and infinity, which JSON lacks, raise ValueError."""
    write_atomic(path, _json(value))


def write_tensors(path: str | Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> None:
    """Write tensors as safetensors, atomically; see `write_atomic`."""
    write_atomic(path, _safetensors(tensors, metadata))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors of a safetensors file and the text in its header.

    Raises:
        InputError: if it cannot be read as safetensors, or holds NaN or infinity.
    """
    with _opened(path) as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a dict
        metadata = file.metadata() or {}
    _refuse_non_finite(tensors, f"{path} cannot be used")
    return tensors, metadata


def _json(value: Any) -> bytes:
    return f"{json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False)}\n".encode()


def _safetensors(tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None) -> bytes:
    # Copies: safetensors takes neither channels-last tensors nor tensors that share memory.
    plain = {key: x.detach().to("cpu", copy=True, memory_format=torch.contiguous_format) for key, x in tensors.items()}
    return save(plain, {"format": "pt", **(metadata or {})})


def _write(contents: Mapping[Path, bytes]) -> None:
    """Write several files, all of them to temporary files before the first one takes its place."""
    staged: dict[Path, Path] = {}
    path = Path()
    try:
        for path, content in contents.items():
            refuse_installed(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            _remove_leftovers(path)
            staged[path] = path.with_name(f".{path.name}.tmp-{_PROCESS}-{threading.get_ident()}")
            staged[path].write_bytes(content)
            _flush(staged[path])
        for path, temporary in staged.items():
            os.replace(temporary, path)
        with contextlib.suppress(OSError):  # not every system can flush a folder
            _flush(path.parent)
    except OSError as error:
        raise InputError(cannot_write(path, error)) from error
    finally:
        for temporary in staged.values():
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def refuse_installed(path: Path) -> None:
    """Refuse to write into the installed package.

    Raises:
        InputError: if `path` is in it.
    """
    if path.resolve().is_relative_to(INSTALLED):
        raise InputError(
            f"{path} is part of the installed package, which is not written to; copy the checkpoint into a folder of "
            "your own first: python -m gencore export CHECKPOINT --out runs/NAME"
        )


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_leftovers(path: Path) -> None:
    """Remove what a process that was killed while it wrote `path` has left."""
    for temporary in path.parent.glob(f".{glob.escape(path.name)}.tmp-*"):
        if f".tmp-{_PROCESS}-" not in temporary.name:
            temporary.unlink(missing_ok=True)


def _prefix(root: Path) -> str:
    """Return what the names of a root begin with: the user's own must not pass for shipped ones."""
    return "runs/" if root.name == "runs" else ""


def _folders(root: Path) -> Iterator[Path]:
    top, uploads = str(root), os.path.join(root, UPLOADS)  # strings: a page walks through all roots many times
    for folder, inner, files in os.walk(top):
        known = CONFIG in files and WEIGHTS in files and folder != top
        inner[:] = [
            name
            for name in inner
            if not name.startswith(".") and os.path.join(folder, name) != uploads and not (known and name == TIMELAPSE)
        ]
        if known:
            yield Path(folder)


def _named(name: str) -> list[Path]:
    """Return the folders that a name may stand for, one for each root that it fits."""
    fitting = [(root, name.removeprefix(_prefix(root))) for root in roots() if name.startswith(_prefix(root))]
    return [root / rest for root, rest in fitting if rest and not Path(rest).is_absolute()]


def _entry(name: str, folder: Path) -> Entry:
    from gencore.families import FAMILIES

    stamps = tuple(_stamp(folder / file) for file in (CONFIG, WEIGHTS, RUN))
    return _entry_of(name, folder, stamps, tuple(FAMILIES.values()))


def _stamp(path: Path) -> tuple[int, ...]:
    """Return what changes when a file does; () where there is none."""
    try:
        told = path.stat()
    except OSError:
        return ()
    return told.st_ino, told.st_size, told.st_mtime_ns, told.st_ctime_ns


@functools.lru_cache(maxsize=1000)  # pages ask for all entries again and again
def _entry_of(name: str, folder: Path, stamps: tuple[tuple[int, ...], ...], families: tuple[type, ...]) -> Entry:
    """Return the entry of a folder whose files are as `stamps` say, where there are these families."""
    config, family, run, problem = {}, "", {}, ""
    with contextlib.suppress(InputError):
        run = read_json(folder / RUN)
    try:
        config = read_json(folder / CONFIG)
        cls = _family_class(folder, config)
        family = cls.name
        _arguments(folder, config, cls)
        with _opened(folder / WEIGHTS):
            pass
    except InputError as error:
        problem = str(error)
    return Entry(name, folder, family, config, run, problem)


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file.

    Raises:
        InputError: if it cannot be read or is none.
    """
    if path.exists() and not path.is_file():  # reading a pipe would wait for ever
        raise InputError(f"{path} is no file.")
    try:
        if (size := path.stat().st_size) > MOST_JSON:
            raise InputError(f"{path} has {size:,} bytes; {MOST_JSON:,} are the most that is read of a file of JSON.")
        value = json.loads(path.read_text(encoding="utf-8"))
    except InputError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} cannot be read as JSON ({error}).") from None
    if not isinstance(value, dict):
        raise InputError(f"{path} should hold a JSON object, not {type(value).__name__}.")
    return value


def _family_class(folder: Path, config: Mapping[str, Any]) -> type[Family]:
    from gencore.families import FAMILIES

    known = {cls.__name__: cls for cls in FAMILIES.values()}
    wanted = config.get("_class_name")
    if not isinstance(wanted, str):
        raise InputError(f"{folder / CONFIG} has no _class_name, which says what the model is.")
    if wanted not in known:
        raise InputError(
            f"{folder / CONFIG} is of class {wanted!r}, not of one of the families here ({', '.join(known)}); "
            "it may come from another program or a newer version."
        )
    return known[wanted]


def _parameters(cls: type[Family]) -> dict[str, inspect.Parameter]:
    parameters = dict(inspect.signature(cls.__init__).parameters)
    del parameters["self"]
    return parameters


def _arguments(folder: Path, config: Mapping[str, Any], cls: type[Family]) -> dict[str, Any]:
    """Return the constructor's arguments in a config, its keys compared with the constructor's."""
    parameters = _parameters(cls)
    given = {key: value for key, value in config.items() if not key.startswith("_")}  # '_': diffusers' own
    unknown = sorted(set(given) - set(parameters))
    if unknown:
        raise InputError(
            f"{folder / CONFIG} has settings that {cls.__name__} does not know ({_some(unknown)}); "
            "it may come from a newer version."
        )
    missing = [key for key, value in parameters.items() if value.default is value.empty and key not in given]
    if missing:
        raise InputError(f"{folder / CONFIG} lacks settings that {cls.__name__} needs: {_some(missing)}.")
    arguments = {key: tuple(value) if _is_tuple(parameters[key], value) else value for key, value in given.items()}
    for key, value in arguments.items():
        if wrong := _wrong_value(key, value, parameters[key].default):
            raise InputError(f"{folder / CONFIG} does not describe a {cls.__name__} that can be built: {wrong}")
    return arguments


def _wrong_value(key: str, value: Any, default: Any) -> str:
    """Return what is wrong with an argument that is not like its default, which is of the kinds that `Family` allows.

    No constructor is handed what it was not made for: it might take all memory, or a long time, before it complains.
    """
    if key == "size" and isinstance(value, int) and not 1 <= value <= MAX_SIZE:
        return f"size is too small or too large, not from 1 to {MAX_SIZE}"
    if key == "channels" and value not in CHANNELS:
        return f"channels must be 1 (grey) or 3 (RGB), not {_short(value)}"
    for kind, good, words in KINDS:
        if type(default) is kind and not good(value):
            return f"{key} must be {words}, not {_short(value)}"
    return ""


def _is_whole(value: Any) -> bool:
    return type(value) is int


KINDS = (  # of a default, what may stand in its place, and that in words
    (bool, lambda value: type(value) is bool, "true or false"),
    (int, _is_whole, "a whole number"),
    (float, lambda value: isinstance(value, int | float) and abs(value) < 1e300, "a finite number"),  # once a bool
    (str, lambda value: isinstance(value, str), "text"),
    (
        tuple,
        lambda value: isinstance(value, tuple) and value and all(_is_whole(one) and one > 0 for one in value),
        "a list of whole numbers of 1 or more",
    ),
)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


def _is_tuple(parameter: inspect.Parameter, value: Any) -> bool:
    """Return whether a JSON list was a tuple when it was saved."""
    declared = isinstance(parameter.default, tuple) or str(parameter.annotation).startswith("tuple")
    return isinstance(value, list) and declared


_counted = threading.local()  # how many more weights a constructor that is tried in a thread may make


def _count_weight(module: torch.nn.Module, name: str, weight: Tensor | None) -> None:
    left = getattr(_counted, "left", None)
    if left is not None:
        _counted.left = left - 1
        if left <= 0:
            raise InputError("it calls for many more weights than there are")


register_module_parameter_registration_hook(_count_weight)


@contextlib.contextmanager
def _few_weights(most: int) -> Iterator[None]:
    """Let a constructor in this thread make so many weights at most: it may have been told to make a billion layers."""
    _counted.left = most
    try:
        yield
    finally:
        _counted.left = None


def weights_size(folder: Path) -> int:
    """Return how many bytes the weights take that a folder's config.json calls for, in full precision.

    Raises:
        InputError: if it describes no model of a family here.
    """
    config = read_json(folder / CONFIG)
    cls = _family_class(folder, config)
    weights = _imagined(folder, cls, _arguments(folder, config, cls), MOST_WEIGHTS)
    return sum(x.numel() * x.element_size() for x in weights.values())


def _imagined(folder: Path, cls: type[Family], arguments: Mapping[str, Any], most: int) -> dict[str, Tensor]:
    """Return the weights of a model of a class, `most` at the most, without memory for them.

    Raises:
        NotImplementedError: if its constructor computes with its weights.
        InputError: if no such model can be made.
    """
    try:
        with torch.device("meta"), torch.random.fork_rng(devices=[]), _few_weights(most):
            return cls(**arguments).state_dict()
    except Exception as error:
        if isinstance(error, NotImplementedError) or " meta " in str(error):
            raise NotImplementedError from error
        raise _cannot_be_built(folder, cls, error) from error


def _refuse_other_shapes(folder: Path) -> None:
    """Compare the weights' shapes with those of the model that config.json describes, made without memory for them.

    A constructor that computes with its weights cannot do without them, and is left to `_build`.

    Raises:
        InputError: if they differ, or no such model can be made.
    """
    config = read_json(folder / CONFIG)
    cls = _family_class(folder, config)
    arguments = _arguments(folder, config, cls)
    with _opened(folder / WEIGHTS) as file:
        found = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118 - not a dict
    try:
        expected = _imagined(folder, cls, arguments, 4 * len(found) + SPARE)
    except NotImplementedError:
        return
    _compare_shapes(folder, expected, found)


def _build(folder: Path) -> Family:
    """Return the model that config.json describes, its weights still those of its constructor."""
    config = read_json(folder / CONFIG)
    cls = _family_class(folder, config)
    arguments = _arguments(folder, config, cls)
    try:
        with torch.random.fork_rng(devices=[]):  # loading must not disturb a training's random numbers
            return cls(**arguments)
    except Exception as error:
        raise _cannot_be_built(folder, cls, error) from error


def _cannot_be_built(folder: Path, cls: type[Family], error: Exception) -> InputError:
    """Return the sentence for a constructor's error: given values it was not made for, it can raise anything."""
    return InputError(
        f"{folder / CONFIG} does not describe a {cls.__name__} that can be built: {' '.join(str(error).split())}"
    )


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open weights; InputError when they are not whole safetensors."""
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is no file.")
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path} cannot be read: {_what_it_is(path)} ({str(error).rstrip('.')}).") from None


def _what_it_is(path: Path) -> str:
    try:
        with path.open("rb") as file:
            start = file.read(20)
    except OSError:
        return "the system refuses"
    if start.startswith(b"version https://git-"):
        return "it is a pointer left by Git LFS; run 'git lfs pull' to fetch the weights"
    if start.startswith((b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")) and start[8:9] != b"{":
        return "it is a pickle or an archive of one, which can run code and is never opened; save it as safetensors"
    return "it is damaged, cut short or not safetensors; copy or train it again"


def _compare_shapes(folder: Path, expected: Mapping[str, Tensor], found: Mapping[str, tuple[int, ...]]) -> None:
    path = folder / WEIGHTS
    if missing := sorted(set(expected) - set(found)):
        raise InputError(f"{path} lacks weights that its {CONFIG} calls for: {_some(missing)}.")
    if extra := sorted(set(found) - set(expected)):
        raise InputError(f"{path} has weights that its {CONFIG} does not call for: {_some(extra)}.")
    for key, tensor in expected.items():
        if found[key] != tuple(tensor.shape):
            raise InputError(
                f"{path} has {key} of shape {found[key]}, but its {CONFIG} calls for {tuple(tensor.shape)}."
            )


def _refuse_non_finite(tensors: Mapping[str, Tensor], consequence: str) -> None:
    bad = [key for key, x in tensors.items() if x.is_floating_point() and not bool(torch.isfinite(x).all())]
    if bad:
        raise InputError(f"{consequence}: NaN or infinity in {_some(bad)}.")


def _some(names: list[str]) -> str:
    """Return the first three names, and how many more there are."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
