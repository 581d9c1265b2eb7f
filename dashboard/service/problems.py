"""What went wrong, in words for a visitor."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from gencore import checkpoint
from gencore.errors import InputError, reason

log = logging.getLogger(__name__)


@contextmanager
def in_a_sentence(name: str, subject: str = "It") -> Iterator[None]:
    """Turn whatever a family's own code raises into an InputError with one sentence, and log what was no InputError.

    `name` says in the log what failed, `subject` at the sentence's beginning.
    """
    try:
        yield
    except InputError as error:
        raise InputError(without_paths(str(error))) from None
    except Exception as error:  # it may raise anything, and other runs must go on
        log.exception("%s failed", name)
        raise InputError(f"{subject} failed with {type(error).__name__}: {reason(error, 'no message')}") from None


def without_paths(message: str) -> str:
    """Return a message with folders named from the checkpoints' root on: visitors need no paths of the server."""
    for root in checkpoint.roots():
        message = message.replace(f"{root}/", "")
    return message
