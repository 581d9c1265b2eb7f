"""The pages, a folder each. A page is its folder and its line here: nothing else knows it.

A folder's `page` module has a TITLE and builds the page in the current Blocks; its `panels` module, where it has one,
holds the formulas that the page shows as controls.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dashboard.ui.panels import Panel

# In the order of the links, in three groups; the first is the home page.
COMPARE = (
    "trilemma",
    "compare",
    "blind",
    "diversity",
    "speed",
    "table",
    "failures",
)
LEARN = (
    "lecture",
    "basics",
    "latent",
    "vae",
    "gan",
    "diffusion",
    "training",
)
YOURS = (
    "yours",
)  # fmt: skip
GROUPS = {"Compare": COMPARE, "Learn": LEARN, "Yours": YOURS}
PAGES = (*COMPARE, *LEARN, *YOURS)


def slug_of(module: str) -> str:
    """Return the slug of the page that a module belongs to: its folder's name."""
    return module.removeprefix(f"{__name__}.").partition(".")[0]


def modules() -> dict[str, ModuleType]:
    """Return the pages' modules by slug, in order."""
    return {slug: import_module(f"{__name__}.{slug}.page") for slug in PAGES}


def panels() -> dict[tuple[str, str], Panel]:
    """Return the panels of all pages, by the page's slug and the panel's name on it."""
    homes = [f"{__name__}.{slug}.panels" for slug in PAGES if find_spec(f"{__name__}.{slug}.panels")]
    found = [panel for home in homes for panel in import_module(home).PANELS.values()]
    return {(panel.page, panel.key): panel for panel in found}
