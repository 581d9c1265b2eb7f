"""The one exception that carries a message for the user, and what its sentences are made of."""

import errno
from pathlib import Path


class InputError(ValueError):
    """Bad input, told in one clear sentence: what was wrong and what would be right.

    The CLI prints it and exits with 2, the app shows it in the page, and the API raises it.
    """


def reason(error: Exception, silent: str = "") -> str:
    """Return the first line of what an error says, without its stop: `silent`, else its kind, if it says nothing."""
    return (str(error).strip().splitlines() or [silent or type(error).__name__])[0].rstrip(".")


def near(word: str, known: list[str]) -> str:
    """Return `; did you mean 'x' or 'y'?` for the names close to `word`, else the list of all names."""
    import difflib

    close = difflib.get_close_matches(word, known, n=3, cutoff=0.5)
    if close:
        return "; did you mean " + " or ".join(repr(name) for name in close) + "?"
    return "; known: " + (", ".join(known) or "none") + "."


def cannot_write(path: Path, error: OSError) -> str:
    """Return the sentence for a file that the system refused to write."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{path} could not be written: the disk is full; make room and try again."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{path} could not be written: its folder is read-only; choose another or change its permissions."
    return f"{path} could not be written: {error.strerror or error}."
