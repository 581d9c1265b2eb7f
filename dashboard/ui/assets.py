"""What goes into the page's head: a style sheet and a script a file, the shared ones before those of the pages.

Each file has a tag of its own: a script that cannot be read takes no other with it. The tags are classic scripts, which
run at once: Gradio puts the head into the page before it builds what calls them. They hang what they offer on `lab`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dashboard import theme
from dashboard.ui import glossary, language

ROOT = Path(__file__).parents[1]
FIRST = ("style.css", "plot.css")  # what the others of a folder build on


def files(ending: str, pages: Sequence[str]) -> list[Path]:
    """Return the files with an ending in the order of their tags: the widgets', the figures', those of each page."""
    return inside(("ui", "figures", *(f"pages/{slug}" for slug in pages)), ending)


def inside(folders: Sequence[str], ending: str) -> list[Path]:
    """Return the files with an ending in folders of the dashboard: in each what the others build on, then by name."""
    found = ((ROOT / folder).glob(f"*.{ending}") for folder in folders)
    return [path for paths in found for path in sorted(paths, key=lambda path: (path.name not in FIRST, path))]


def figure_rules() -> str:
    """Return the figures' own sheets: all that a drawing needs besides the palette, also outside the app."""
    return "".join(text(inside(("figures",), "css")))


def text(paths: Sequence[Path]) -> list[str]:
    """Return what these files hold."""
    return [path.read_text(encoding="utf-8") for path in paths]


def head(families: list[str], pages: Sequence[str]) -> str:
    """Return what goes into the page's head, given the families' names and the pages' slugs in order."""
    icon = theme.logo().replace('"', "'").replace("#", "%23").replace("\n", "")
    sheets = [theme.variables(families), *text(files("css", pages))]
    scripts = ["window.lab = {};", glossary.script(), language.script(), *text(files("js", pages))]
    return "".join(
        [
            f'<link rel="icon" href="data:image/svg+xml,{icon}">',
            *(f"<style>{sheet}</style>" for sheet in sheets),
            *(f"<script>{script}</script>" for script in scripts),
        ]
    )
