"""What goes into the page's head: a style sheet and a script a file, the shared ones before those of the pages.

Each file has a tag of its own: a script that cannot be read takes no other with it. The tags are classic scripts, which
run at once: Gradio puts the head into the page before it builds what calls them. They hang what they offer on `lab`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dashboard import theme

ROOT = Path(__file__).parents[1]
FIRST = "style.css"  # the others build on it


def files(ending: str, pages: Sequence[str]) -> list[Path]:
    """Return the files with an ending in the order of their tags: the widgets', the figures', those of each page."""
    folders = [ROOT / "ui", ROOT / "figures", *(ROOT / "pages" / slug for slug in pages)]
    found = [path for folder in folders for path in sorted(folder.glob(f"*.{ending}"))]
    return sorted(found, key=lambda path: path.name != FIRST)


def text(ending: str, pages: Sequence[str]) -> list[str]:
    """Return what these files hold."""
    return [path.read_text(encoding="utf-8") for path in files(ending, pages)]


def head(families: list[str], pages: Sequence[str]) -> str:
    """Return what goes into the page's head, given the families' names and the pages' slugs in order."""
    icon = theme.logo().replace('"', "'").replace("#", "%23").replace("\n", "")
    sheets = [theme.variables(families), *text("css", pages)]
    scripts = ["window.lab = {};", *text("js", pages)]
    return "".join(
        [
            f'<link rel="icon" href="data:image/svg+xml,{icon}">',
            *(f"<style>{sheet}</style>" for sheet in sheets),
            *(f"<script>{script}</script>" for script in scripts),
        ]
    )
