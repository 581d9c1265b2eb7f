"""A round of the blind vote: lanes in an order that nobody can tell before the vote. Pure.

What would give a lane away: its place, so the order is drawn anew for each round from the system's randomness; the
size of its picture's file, so pictures are stored without compression, all of one size; its time, so no lane is shown
before all are there. Names, times and the seed stay on the server until the vote.
"""

from __future__ import annotations

import base64
import io
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image

from dashboard.service import InputError, grid

IMAGES, COLUMNS = 16, 4  # of a lane
REAL = "real"
QUESTIONS = {"real": "Which looks real?", "varied": "Which set is more varied?"}


@dataclass(frozen=True)
class Lane:
    """What a lane is.

    Attributes:
        family: The family's name, or 'real'.
        title: Its name for people.
        setting: The operating point's name; '' for real images.
        seconds: How long its images took; None for real ones.
    """

    family: str
    title: str
    setting: str = ""
    seconds: float | None = None


@dataclass(frozen=True)
class Round:
    """A round.

    Attributes:
        name: Tells it from others.
        dataset: The data set.
        seed: The seed of all lanes' images.
        lanes: The lanes in the order in which they are shown.
        link: The address of the same images with names.
        voted: Whether it was voted on.
    """

    name: str
    dataset: str
    seed: int
    lanes: tuple[Lane, ...]
    link: str = ""
    voted: bool = False


def fresh_seed() -> int:
    """Return a seed that nobody can guess, nor what it makes."""
    return secrets.randbelow(2**31)


def dealt(dataset: str, seed: int, made: Mapping[Lane, np.ndarray], link: str = "") -> tuple[Round, list[str]]:
    """Return a round with its lanes shuffled, and their pictures in that order.

    Raises:
        InputError: if there are fewer than two lanes, or their images are of different shapes.
    """
    lanes = list(made)
    if len(lanes) < 2:
        raise InputError("A blind vote needs two lanes or more: train another family, or have the data set at hand.")
    if len({made[lane].shape[1:] for lane in lanes}) > 1:
        raise InputError("The lanes' images are of different shapes, which would tell them apart.")
    secrets.SystemRandom().shuffle(lanes)
    return Round(secrets.token_hex(8), dataset, seed, tuple(lanes), link), [picture(made[lane]) for lane in lanes]


def picture(images: np.ndarray) -> str:
    """Return images, uint8 (n, C, H, W), as the data URI of a PNG whose size depends on nothing but its shape."""
    pixels = grid(images, COLUMNS)
    buffer = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(buffer, "png", compress_level=0)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def vote(one: Round | None, given: Any) -> tuple[Round, dict[str, int]]:
    """Return a round that was voted on, and the vote: by question the lane's number from 1, 0 for a tie.

    Raises:
        InputError: if there is no such round, it was voted on, or the vote is none.
    """
    given = given if isinstance(given, dict) else {}
    if one is None or given.get("round") != one.name:
        raise InputError("This round is not here any more: begin another one.")
    if one.voted:
        raise InputError("This round was voted on: begin another one.")
    votes = {name: given.get(name) for name in QUESTIONS}
    if any(type(value) is not int or not 0 <= value <= len(one.lanes) for value in votes.values()):
        raise InputError(f"A vote is a lane's number from 1 to {len(one.lanes)} for each question, or 0 for a tie.")
    return replace(one, voted=True), votes


def answer(one: Round, votes: Mapping[str, int]) -> list[str]:
    """Return what comes of a vote, as sentences."""
    said = [_took(one.lanes, votes["real"])]
    if votes["varied"]:
        chosen = one.lanes[votes["varied"] - 1]
        said.append(f"Most varied to you: {'the real images' if chosen.family == REAL else chosen.title}.")
    else:
        said.append("None was more varied to you.")
    return said


def _took(lanes: Sequence[Lane], number: int) -> str:
    control = any(lane.family == REAL for lane in lanes)
    if not number:
        return "You could not tell real from made." if control else "None looked more real to you."
    chosen = lanes[number - 1]
    if chosen.family == REAL:
        return "You told the real images from the made ones."
    return f"You took the {chosen.title}'s images for real{', and real ones were there' if control else ''}."
