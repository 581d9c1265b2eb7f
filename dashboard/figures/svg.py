"""The pieces that charts are made of, as inline SVG. Pure: no torch, no gradio.

SVG draws at once, follows the theme through the CSS variables of `dashboard.theme`, and can be replaced often
without cost. Every chart comes in a wide and a narrow drawing, and the style sheet shows the one that fits.
All text goes through `html.escape`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from html import escape

from dashboard import theme

Spot = tuple[float, float]  # pixels to the right and downwards
NAMES_LEFT, NAMES_LEAST, NAMES_MOST = 22, 86, 170  # where rows' names begin, and end at least and at the most
NAME_LETTER = 7.6  # pixels that a letter of a name takes, about


# ---- a card


def drawing(body: str, size: tuple[float, float], label: str, kind: str = "", role: str = "img") -> str:
    """Return a drawing of a width and a height in pixels, with a label for those who cannot see it."""
    box = f"0 0 {size[0]} {size[1]:g}"
    return element("svg", body, kind=f"fig {kind}".strip(), viewBox=box, role=role, aria_label=label)


def figure(draw: Callable[[int], tuple[str, float]], label: str, wide: int = 560) -> str:
    """Return both drawings of a chart, wide and narrow; `draw` takes the width and returns markup and height."""
    found = [(kind, width, *draw(width)) for kind, width in (("wide", wide), ("narrow", 330))]
    return "".join(drawing(body, (width, height), label, kind) for kind, width, body, height in found)


def card(title: str, answer: str, drawing: str, reading: str) -> str:
    """Return a chart's card: title, what it says, the drawing, and one line that says how to read it."""
    return (
        f'<h3>{escape(title)}</h3><p class="answer">{escape(answer)}</p>{drawing}'
        f'<p class="reading">{escape(reading)}</p>'
    )


def chart(title: str, answer: str, reading: str, draw: Callable[[int], tuple[str, float]]) -> str:
    """Return the card of a chart that `draw` draws, see `figure`, and whose title and answer are its label."""
    return card(title, answer, figure(draw, f"{title}. {answer}".strip()), reading)


def badges(names: Mapping[str, str]) -> str:
    """Return a legend below a drawing: what to call each mark, to the family that has it."""
    items = "".join(f"<li>{theme.badge(family, 12)}{escape(name)}</li>" for name, family in names.items())
    return f'<ul class="marks">{items}</ul>'


# ---- pieces


def element(name: str, content: str = "", **attributes: float | str) -> str:
    """Return one SVG element; numbers to a tenth of a pixel, attributes that are '' left out, `kind` is its class."""
    parts = [name]
    for key, value in attributes.items():
        if value != "":
            words = escape(value) if isinstance(value, str) else f"{value:.1f}"
            parts.append(f'{"class" if key == "kind" else key.replace("_", "-")}="{words}"')
    return f"<{' '.join(parts)}>{content}</{name}>" if content else f"<{' '.join(parts)}/>"


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "start", ink: str = "") -> str:
    """Return one line of text with its baseline at y; `ink` is a CSS colour other than that of its class."""
    return element("text", escape(words), x=x, y=y, text_anchor=anchor, kind=kind, style=ink and f"fill:{ink}")


def upright(x: float, y: float, words: str) -> str:
    """Return an axis's name, written from bottom to top around (x, y)."""
    turned = f"translate({x:.1f} {y:.1f}) rotate(-90)"
    return element("text", escape(words), transform=turned, text_anchor="middle", kind="axis")


def turned(x: float, y: float, words: str) -> str:
    """Return a tick's words, written from bottom to top, that end at (x, y)."""
    how = f"translate({x:.1f} {y:.1f}) rotate(-90)"
    return element("text", escape(words), transform=how, text_anchor="end", kind="tick")


def line(x1: float, y1: float, x2: float, y2: float, kind: str, stroke: str = "") -> str:
    """Return one straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, kind=kind, style=stroke and f"stroke:{stroke}")


def path(data: str, kind: str = "", style: str = "") -> str:
    """Return a path."""
    return element("path", d=data, kind=kind, style=style)


def corners(spots: Iterable[Spot]) -> str:
    """Return spots joined by straight lines, as path data."""
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in spots)


def rect(x: float, y: float, width: float, height: float, kind: str = "", title: str = "", **more: float | str) -> str:
    """Return a rectangle, which says `title` when the pointer rests on it."""
    told = f"<title>{escape(title)}</title>" if title else ""
    return element("rect", told, x=x, y=y, width=width, height=height, kind=kind, **more)


def circle(x: float, y: float, radius: float, kind: str = "", **more: str) -> str:
    """Return a circle."""
    return element("circle", cx=x, cy=y, r=radius, kind=kind, **more)


def titled(markup: str, words: str) -> str:
    """Return a part of a drawing that says `words` when the pointer rests on it."""
    return f"<g><title>{escape(words)}</title>{markup}</g>"


def label(family: str, title: str, y: float) -> str:
    """Return a row's name with its family's marker, at the left edge; a long one is cut, and whole in its tooltip."""
    most = int((NAMES_MOST - NAMES_LEFT) / NAME_LETTER)
    words = title if len(title) <= most else f"{title[: most - 1].rstrip()}…"
    name = text(NAMES_LEFT, y + 4.5, words, "name", ink=f"var(--text-{family})")
    whole = element("title", escape(title)) if words != title else ""
    return theme.mark(family, 8, y, 12) + (element("g", whole + name) if whole else name)


def names_end(titles: Iterable[str]) -> float:
    """Return where the names of rows end that `label` writes: what lies right of it begins there."""
    longest = max((len(title) for title in titles), default=0)
    return min(max(NAMES_LEAST, NAMES_LEFT + NAME_LETTER * longest + 10), NAMES_MOST + 10)
