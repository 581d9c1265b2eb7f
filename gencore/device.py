"""Where and how the networks run: device, number format, memory layout, threads."""

from __future__ import annotations

import copy
import os
import platform
import sys
import time
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import nn

from gencore import __version__
from gencore.environment import MOST_THREADS
from gencore.errors import InputError, near

DEVICES = ("cuda", "mps", "cpu")
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
TRAINING_DTYPES = ("float32", "bfloat16")  # in float16 small gradients become 0 unless each loss is scaled
LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def pick_device(name: str | None = None) -> torch.device:
    """Return the device `name`, else the one of GENCORE_DEVICE, else the first of CUDA, MPS, CPU that is there.

    On CUDA it turns TF32 off for the whole process, so that float32 is what its name says there too.

    Raises:
        InputError: if the name is unknown or this machine has no such device.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    name = name or os.environ.get("GENCORE_DEVICE") or next(kind for kind in DEVICES if there[kind])
    kind, colon, place = str(name).partition(":")
    if kind not in DEVICES or (colon and not place.isdecimal()):
        raise InputError(f"There is no device {name!r}{near(str(name), list(DEVICES))}")
    if not there[kind]:
        raise InputError(
            f"This machine has no {kind!r} device; use one of: {', '.join(k for k in DEVICES if there[k])}."
        )
    if kind == "cuda" and place and int(place) >= (count := torch.cuda.device_count()):
        raise InputError(f"This machine has {count} 'cuda' devices, numbered from 0: there is no {name!r}.")
    if kind == "cuda":
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    return torch.device(name)


def reduced_dtype(device: torch.device) -> str:
    """Return the 16-bit number format for a device: bfloat16, but float16 on GPUs that only emulate that."""
    if device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        return "float16"
    return "bfloat16"


def check_training_dtype(dtype: str) -> None:
    """Check a number format to train in; 'auto' is one.

    Raises:
        InputError: if it is unknown, or not for training.
    """
    choices = ["auto", *TRAINING_DTYPES]
    if dtype in DTYPES and dtype not in choices:
        raise InputError(f"dtype {dtype} is for sampling alone: gradients vanish in it; train in one of {choices}.")
    if dtype not in choices:
        raise InputError(f"dtype is {dtype!r}{near(str(dtype), choices)}")


def synchronise(device: torch.device) -> None:
    """Wait until `device` has done all that it was given, so that a clock read next is true."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


@cache
def processor_name() -> str:
    """Return the processor's model name as the system gives it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def describe_machine(device: torch.device | str = "cpu") -> dict[str, Any]:
    """Return what a measurement must name: device, its name, cores, threads, Python and torch version; TF32 on CUDA."""
    device = torch.device(device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else processor_name()
    tf32 = torch.backends.cudnn.allow_tf32 or torch.backends.cuda.matmul.allow_tf32
    return {
        "device": device.type,
        "name": name,
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        **({"tf32": tf32} if device.type == "cuda" else {}),
    }


def circumstances(command: str, device: torch.device, *packages: ModuleType) -> dict[str, Any]:
    """Return what a record says of how it came about: machine, versions, the command line if `command` ran, and date.

    Args:
        command: The command of `python -m gencore` that makes such records.
        device: What it was made on.
        packages: More packages whose versions count.
    """
    versions = {package.__name__: package.__version__ for package in (torch, *packages, np)}
    return {
        "machine": describe_machine(device),
        "versions": {"gencore": __version__, "python": platform.python_version(), **versions},
        "command": " ".join(["python -m gencore", *sys.argv[1:]]) if sys.argv[1:2] == [command] else "",
        "date": datetime.now(UTC).date().isoformat(),
    }


@dataclass(frozen=True)
class Settings:
    """How a run computes: part of the run, chosen once at its start.

    Attributes:
        dtype: 'float32', 'bfloat16' or 'float16': what the networks compute in (autocast).
        layout: 'contiguous' or 'channels_last': whether weights and images lie in memory with the channel innermost.
        threads: CPU threads.
    """

    dtype: str
    layout: str
    threads: int

    def __post_init__(self) -> None:
        """Refuse what no run computes in; a record may come from anyone, and some of it would end the process.

        Raises:
            InputError: naming the setting and what would be right.
        """
        for what, value, choices in (("dtype", self.dtype, DTYPES), ("layout", self.layout, LAYOUTS)):
            if not isinstance(value, str) or value not in choices:
                raise InputError(f"{what} is {value!r}{near(str(value), list(choices))}")
        most = max(MOST_THREADS, torch.get_num_threads())
        if type(self.threads) is not int or not 1 <= self.threads <= most:
            raise InputError(f"threads must be a whole number from 1 to {most}, not {self.threads!r}.")

    def apply(self, model: nn.Module) -> None:
        """Make `model` (a Family) compute so, in place."""
        torch.set_num_threads(self.threads)
        model.compute_dtype = DTYPES[self.dtype]
        model.to(memory_format=LAYOUTS[self.layout])

    def arrange(self, x: torch.Tensor) -> torch.Tensor:
        """Return images `x` in this memory layout."""
        return x.contiguous(memory_format=LAYOUTS[self.layout])

    def record(self) -> dict[str, Any]:
        """Return the settings for run.json."""
        return asdict(self)


def candidates(model: nn.Module, dtype: str, layout: str, known: Collection[str] = tuple(DTYPES)) -> list[Settings]:
    """Return the settings that there are to choose from for a model on its device.

    What is not 'auto' is kept; of dtypes, the `known` ones are tried that the device is made for.
    """
    usual = [name for name in ("float32", reduced_dtype(model.device)) if name in known]
    dtypes = usual if dtype == "auto" else [dtype]
    layouts = LAYOUTS if layout == "auto" else (layout,)
    return [Settings(d, m, torch.get_num_threads()) for d in dtypes for m in layouts]


def fastest_settings(
    model: nn.Module,
    step: Callable[[nn.Module, Settings], None],
    dtype: str = "auto",
    layout: str = "auto",
    known: Collection[str] = tuple(DTYPES),
) -> Settings:
    """Return the fastest settings for `step(model, settings)`, by trying each on a copy of `model`.

    Measured, not assumed: CPUs without bf16 instructions are slower in bfloat16, and channels_last helps on
    some processors and hurts on others. For what there is to try see `candidates`.
    """
    possible = candidates(model, dtype, layout, known)
    if len(possible) == 1:
        return possible[0]
    return min(possible, key=lambda settings: _seconds(copy.deepcopy(model), step, settings))


def _seconds(trial: nn.Module, step: Callable[[nn.Module, Settings], None], settings: Settings) -> float:
    """Return the shortest of three timed steps after one to warm up."""
    settings.apply(trial)
    seconds = []
    for _ in range(4):
        synchronise(trial.device)
        start = time.perf_counter()
        step(trial, settings)
        synchronise(trial.device)
        seconds.append(time.perf_counter() - start)
    return min(seconds[1:])
