"""What the command line shows: aligned tables, and progress as a bar on a terminal or as lines elsewhere."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import typer

from gencore.environment import is_first

PLAIN_SECONDS = 10  # between two lines of progress where there is no terminal

Show = Callable[[float, str], None]  # the share that is done, in [0, 1], and a few words


def tell(text: str, err: bool = False) -> None:
    """Print a line, if this process speaks."""
    if is_first():
        typer.echo(text, err=err)


def print_rows(rows: Sequence[Sequence[str]], indent: str = "") -> None:
    """Print rows in aligned columns; 'none' if there are none."""
    if not rows:
        typer.echo(f"{indent}none")
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        typer.echo((indent + "  ".join(cells)).rstrip())


def duration(seconds: float) -> str:
    """Return a time for people: '0:07', '12:30', '1:02:03'; '?' if it is not known."""
    if not math.isfinite(seconds):
        return "?"
    minutes, second = divmod(round(seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02d}:{second:02d}" if hour else f"{minute}:{second:02d}"


@contextmanager
def progress() -> Iterator[Show]:
    """Give a function that shows progress on stderr: a bar on a terminal, else a line every ten seconds."""
    from rich.console import Console

    console = Console(stderr=True)
    if not is_first():
        yield lambda share, text: None
    elif console.is_terminal:
        with _bar(console) as show:
            yield show
    else:
        yield _lines()


@contextmanager
def _bar(console: object) -> Iterator[Show]:
    from rich.progress import BarColumn, Progress, TextColumn
    from rich.table import Column

    # On a narrow terminal the end of the words gives way, not the percentage.
    percent = TextColumn("{task.percentage:3.0f}%", table_column=Column(min_width=4, no_wrap=True))
    words = TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis"))
    with Progress(BarColumn(bar_width=20), percent, words, console=console) as bar:
        task = bar.add_task("", total=1)
        yield lambda share, text: bar.update(task, completed=share, description=text)


def _lines() -> Show:
    last = time.monotonic()

    def show(share: float, text: str) -> None:
        nonlocal last
        if time.monotonic() - last >= PLAIN_SECONDS:
            last = time.monotonic()
            typer.echo(f"{share:4.0%} {text}", err=True)

    return show
