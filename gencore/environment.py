"""What the environment says of processes and threads: whole numbers, or a sentence in place of a crash deep inside."""

from __future__ import annotations

import os

from gencore.errors import InputError

WORLD, RANK = "WORLD_SIZE", "RANK"  # set by torchrun and its like for each of several processes
MEETING = ("MASTER_ADDR", "MASTER_PORT")  # where these meet
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
MOST_PROCESSES, MOST_THREADS = 100_000, 1024


def processes() -> int:
    """Return how many processes torchrun has started this one among; 1 if it has not.

    Raises:
        InputError: if the environment names no such number.
    """
    return _whole(WORLD, "1", 1, MOST_PROCESSES)


def is_first() -> bool:
    """Return whether this process speaks: of several of one run, the first alone does."""
    return processes() == 1 or _whole(RANK, "0", 0, MOST_PROCESSES) == 0


def check_environment() -> None:
    """Check what libraries would take without a look, or end this process by.

    Raises:
        InputError: naming the variable and what it should be.
    """
    world = processes()
    rank = _whole(RANK, "0", 0, MOST_PROCESSES)
    if world > 1:
        lacking = [name for name in (RANK, *MEETING) if not os.environ.get(name)]
        if lacking:
            raise InputError(
                f"{WORLD} is {world}, but {' and '.join(lacking)} say nothing: start several processes with torchrun."
            )
        if rank >= world:
            raise InputError(f"{RANK} must be less than {WORLD}, which is {world}, not {rank}.")
    for name in THREADS:
        for part in os.environ.get(name, "").split(","):  # a number for each level of nesting
            if part.strip():
                _check(name, part, 1, MOST_THREADS)


def _whole(name: str, default: str, least: int, most: int) -> int:
    return _check(name, os.environ.get(name) or default, least, most)


def _check(name: str, text: str, least: int, most: int) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdigit() and least <= int(text[:10]) <= most):
        raise InputError(f"The environment's {name} must be a whole number from {least} to {most}, not {text!r}.")
    return int(text)
