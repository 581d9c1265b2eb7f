"""How the dashboard looks: colours, fonts, and one fixed colour and marker for each family.

Colours live once, as CSS variables that Gradio's theme, the SVG charts and the plotly figures all refer to, so
that light and dark are one switch. Family colours are used for families only: Okabe and Ito's palette, which
stays apart under colour blindness, and a marker each so that colour is never the only difference.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import gradio as gr

LOGO = Path(__file__).parent / "ui" / "logo.svg"
FONT = (  # the system's before those of Hangul, in which Latin letters would be larger than charts expect
    "-apple-system", "BlinkMacSystemFont", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "system-ui",
    "Noto Sans KR", "Noto Sans CJK KR", "Apple SD Gothic Neo", "Malgun Gothic", "sans-serif",
)  # fmt: skip
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")

# name: (light, dark)
TOKENS = {
    "paper": ("#fbfaf6", "#131417"),
    "card": ("#ffffff", "#1b1d23"),
    "well": ("#f4f3ed", "#23262d"),
    "line": ("#e3e1d9", "#2e313a"),
    "firm": ("#c9c6bb", "#464b57"),
    "ink": ("#1b1e25", "#eceae4"),
    "quiet": ("#5f6876", "#a0a7b3"),
    "cloud": ("#8b919b", "#7f8794"),
    "danger": ("#a3341c", "#ff9d85"),
    "on-ink": ("#ffffff", "#15171b"),
}


@dataclass(frozen=True)
class Style:
    """How a family is drawn: mark and text colours in light and dark, and a marker (a plotly symbol)."""

    mark: tuple[str, str]
    text: tuple[str, str]
    marker: str


STYLES = {
    "vae": Style(("#0072B2", "#4ea5dd"), ("#006ba6", "#63b3e8"), "square"),
    "gan": Style(("#D55E00", "#f0813c"), ("#b34d00", "#f7935a"), "triangle-up"),
    "ddpm": Style(("#009E73", "#2bbd92"), ("#007a59", "#3bcaa0"), "circle"),
    "real": Style(TOKENS["cloud"], TOKENS["quiet"], "cross"),
    "samples": Style(TOKENS["quiet"], TOKENS["quiet"], "diamond"),  # made elsewhere
}
BESIDE = ("real", "samples")  # what stands beside the registered families
# A family that is not named above gets one of these, always the same one.
SPARE = (
    Style(("#CC79A7", "#d893b9"), ("#a04a7c", "#e2a3c6"), "diamond"),
    Style(("#B08A00", "#e6c229"), ("#7d6200", "#e6c229"), "star"),
    Style(("#56B4E9", "#7cc8f2"), ("#24729e", "#8fd0f5"), "pentagon"),
)
# Outlines in a unit square around 0, with about the same area.
MARKERS = {
    "square": "M-.44-.44H.44V.44H-.44Z",
    "triangle-up": "M0-.56.6.48H-.6Z",
    "circle": "M.5 0A.5.5 0 1 1-.5 0 .5.5 0 1 1 .5 0Z",
    "diamond": "M0-.62.62 0 0 .62-.62 0Z",
    "star": "M0-.62.16-.2.6-.2.24.08.38.52 0 .25-.38.52-.24.08-.6-.2-.16-.2Z",
    "pentagon": "M0-.56.53-.17.33.45-.33.45-.53-.17Z",
    "cross": "M-.16-.5H.16V-.16H.5V.16H.16V.5H-.16V.16H-.5V-.16H-.16Z",
}

# Gradio's theme variables by their value: flat, quiet blocks in the colours above. These have a dark twin each.
BOTH = {
    "var(--quiet)": """
        body_text_color_subdued block_info_text_color block_label_text_color block_title_text_color
        input_placeholder_color
    """,
    "var(--card)": """
        background_fill_primary panel_background_fill input_background_fill input_background_fill_focus
        button_secondary_background_fill error_background_fill
    """,
    "var(--well)": "background_fill_secondary color_accent_soft button_secondary_background_fill_hover",
    "var(--line)": """
        border_color_primary border_color_accent_subdued panel_border_color input_border_color
        button_secondary_border_color
    """,
    "var(--ink)": """
        border_color_accent link_text_color link_text_color_hover link_text_color_visited link_text_color_active
        input_border_color_focus loader_color slider_color button_primary_background_fill
        button_primary_background_fill_hover button_primary_border_color button_primary_border_color_hover
        button_secondary_text_color button_secondary_text_color_hover
    """,
    "transparent": "block_background_fill block_label_background_fill block_title_background_fill",
    "0px": "block_border_width",
    "none": """
        block_shadow input_shadow input_shadow_focus button_primary_shadow button_primary_shadow_hover
        button_primary_shadow_active button_secondary_shadow button_secondary_shadow_hover
        button_secondary_shadow_active
    """,
    "1px": "panel_border_width input_border_width button_border_width",
    "var(--on-ink)": "button_primary_text_color button_primary_text_color_hover",
    "var(--firm)": "button_secondary_border_color_hover",
    "var(--danger)": "error_border_color error_text_color error_icon_color",
}
ALIKE = {
    "var(--ink)": "color_accent",
    "0px": "block_padding form_gap_width",
    "8px": "block_radius container_radius input_radius button_large_radius button_medium_radius button_small_radius",
    "13px": "block_title_text_size block_label_text_size button_small_text_size",
    "400": "block_title_text_weight",
    "12.5px": "block_info_text_size",
    "16px": "layout_gap",
    "9px 12px": "input_padding",
    "14.5px": "input_text_size button_large_text_size button_medium_text_size",
    "10px 20px": "button_large_padding",
    "9px 16px": "button_medium_padding",
    "6px 12px": "button_small_padding",
    "600": "button_large_text_weight",
    "500": "button_medium_text_weight button_small_text_weight",
    "none": "button_transform_hover button_transform_active",
}


def style(family: str) -> Style:
    """Return the style of `family`; an unknown one gets a spare style, the same in every run."""
    return STYLES.get(family) or SPARE[zlib.crc32(family.encode()) % len(SPARE)]


def mark(family: str, x: float = 0, y: float = 0, size: float = 12, hollow: bool = False) -> str:
    """Return the family's marker as an SVG path of about `size` pixels around (x, y)."""
    paint = "fill:var(--card);stroke" if hollow else "fill"
    outline = MARKERS[style(family).marker]
    width = ";stroke-width:1.6;vector-effect:non-scaling-stroke" if hollow else ""
    return (
        f'<path d="{outline}" transform="translate({x:.1f} {y:.1f}) scale({size:g})" '
        f'style="{paint}:var(--mark-{family}){width}"/>'
    )


def badge(family: str, size: int = 14) -> str:
    """Return the family's marker as a small inline SVG picture."""
    return (
        f'<svg class="badge" viewBox="-8 -8 16 16" width="{size}" height="{size}" aria-hidden="true">'
        f"{mark(family, size=13)}</svg>"
    )


def palettes(families: list[str]) -> tuple[str, str]:
    """Return the CSS that defines every colour as a variable: for light, and for dark."""
    pairs = dict(TOKENS)
    for family in [*families, *BESIDE]:
        pairs[f"mark-{family}"] = style(family).mark
        pairs[f"text-{family}"] = style(family).text
    light, dark = ("".join(f"--{name}:{pair[side]};" for name, pair in pairs.items()) for side in (0, 1))
    return light, dark


def lanes(families: list[str]) -> str:
    """Return the CSS of the colours of each family's lane."""
    return "".join(f".f-{name}{{--mark:var(--mark-{name});--text:var(--text-{name})}}" for name in families)


def variables(families: list[str]) -> str:
    """Return the CSS of both palettes, and of the colours of a lane."""
    light, dark = palettes(families)
    return f":root{{{light}}}.dark{{{dark}}}{lanes([*families, *BESIDE])}"


def logo() -> str:
    """Return the logo: a triangle with the three families' colours in its corners."""
    return LOGO.read_text(encoding="utf-8").format(**{family: style.mark[0] for family, style in STYLES.items()})


def theme() -> gr.themes.Base:
    """Return Gradio's theme: nothing but references to the colours above, and flat, quiet blocks."""
    import gradio as gr  # here: the charts take their colours from this module, and need no Gradio

    values = {name: value for group in (BOTH, ALIKE) for value, names in group.items() for name in names.split()}
    values |= {f"{name}_dark": value for value, names in BOTH.items() for name in names.split()}
    # Literal colours here alone: these two are painted before the style sheet is there.
    for name, colour in (("body_background_fill", "paper"), ("body_text_color", "ink")):
        values[name], values[f"{name}_dark"] = TOKENS[colour]
    return gr.themes.Base(font=list(FONT), font_mono=list(MONO), text_size="md").set(**values)
