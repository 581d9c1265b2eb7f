"""What went wrong, in words for a visitor."""

from __future__ import annotations

import logging
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dashboard.service.public import is_public
from gencore import checkpoint
from gencore.data.names import FOLDER_VARIABLE
from gencore.errors import InputError, reason

FOLDERS = re.compile(
    r"(?<![\w/.:\\])(?:[A-Za-z]:)?[\\/](?:[^\s\\/'\"<>|:;,()]+[\\/])+"
)  # those that a path begins with
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
    """Return a message with folders named from the checkpoints' root on: visitors need no paths of the server.

    Strangers are not told where anything lies: in a public app all other paths are cut down to their last part, too.
    Whoever runs the app needs them to find what is wrong.
    """
    for root in checkpoint.roots():
        message = message.replace(f"{root}/", "")
    return anonymous(message) if is_public() else message


def anonymous(message: str) -> str:
    """Return a message that names no folder of this machine: of each path what is below a known folder, or the end."""
    for place in sorted(_places(), key=len, reverse=True):
        message = message.replace(f"{place}/", "")
    return FOLDERS.sub("", message)


def _places() -> set[str]:
    """Return the folders that messages may name; a blank in one would hide its end from a pattern."""
    given = [Path.cwd(), Path.home(), Path(tempfile.gettempdir()), Path(os.environ.get(FOLDER_VARIABLE) or Path.cwd())]
    found = {path for one in (*given, *checkpoint.roots()) for path in (one.absolute(), one.resolve())}
    return {str(path) for path in found if path.parent != path}
