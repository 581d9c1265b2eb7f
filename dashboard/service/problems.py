"""What went wrong, in words for a visitor."""

from __future__ import annotations

from gencore import checkpoint


def without_paths(message: str) -> str:
    """Return a message with folders named from the checkpoints' root on: visitors need no paths of the server."""
    for root in checkpoint.roots():
        message = message.replace(f"{root}/", "")
    return message


def first_line(error: Exception) -> str:
    """Return the first line of an exception's message."""
    return (str(error).strip().splitlines() or ["no message"])[0]
