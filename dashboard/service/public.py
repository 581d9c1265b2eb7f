"""Whether strangers use the app, and what they may not do then: the one place that knows."""

from __future__ import annotations

import os

from gencore.errors import InputError

PUBLIC, SPACE = "TRILEMMA_PUBLIC", "SPACE_ID"  # set by the owner; set by Hugging Face on a Space
OPEN = "TRILEMMA_PUBLIC_TRAINING"  # with which an owner opens a public app to all of it all the same
CLOSED = (
    "This app is public, so nobody can train, measure, upload or open folders here: run it on your own machine with "
    "python app.py, where all of this is one click."
)
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def said_at_start(listens: str, private: bool) -> str:
    """Return what the app allows to whoever reaches it, as one or two sentences; '' where that is this machine alone.

    Args:
        listens: The name or address that it listens at.
        private: Whether it asks for a token.
    """
    if listens.strip("[]").lower() in LOOPBACK:
        return ""
    who = "Whoever has the token" if private else "Whoever reaches it"
    if not is_open():
        return f"This app is public: {who[0].lower()}{who[1:]} runs models and reads results, and nothing else."
    told = f"{who} can train, measure on this machine, upload files and open the folders that you name."
    if private:
        return told
    return f"{told} For strangers start it with {PUBLIC}=1; for yourself on a network, with --token."


def on_space() -> bool:
    """Return whether the app runs on a Hugging Face Space."""
    return bool(os.environ.get(SPACE))


def is_public() -> bool:
    """Return whether strangers use the app: on a Space, or where TRILEMMA_PUBLIC says so."""
    return on_space() or _says_yes(PUBLIC)


def is_open() -> bool:
    """Return whether visitors may do all that: where the app is not public, or where its owner says so."""
    return not is_public() or _says_yes(OPEN)


def check_open() -> None:
    """Refuse what visitors of a public app may not do.

    Raises:
        InputError: with the sentence that says so.
    """
    if not is_open():
        raise InputError(CLOSED)


def _says_yes(variable: str) -> bool:
    return os.environ.get(variable, "").strip().lower() not in ("", "0", "false", "no")
