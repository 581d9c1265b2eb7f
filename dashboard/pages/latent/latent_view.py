"""What the page shows: templates for its scripts, and what the models made as markup and values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from dashboard import theme
from dashboard.pages.latent.engine import FINE, OFFSETS, STRIP, Map, Rebuilt, Row, Traversal
from dashboard.service import Lane
from dashboard.ui import model_card
from dashboard.ui.html import template
from dashboard.ui.image_picker import choices

WALKS = template(__file__, "walks")
ATLAS = template(__file__, "atlas")
SPOT = template(__file__, "spot")


def said(words: str, problem: str = "", share: float | None = None) -> str:
    """Return a line that answers: what goes on or went wrong, and how far it is."""
    trouble = f'<span class="problem" role="alert">{escape(problem)}</span>' if problem else ""
    track = ""
    if share is not None:
        percent = f"{100 * share:.0f}"
        track = (
            '<div class="track" role="progressbar" aria-valuemin="0" aria-valuemax="100" '
            f'aria-valuenow="{percent}"><i style="width:{percent}%"></i></div>'
        )
    return f'<div class="said" role="status"><span>{escape(words)}</span>{trouble}{track}</div>'


def target_of(strip: Mapping[str, Any], target: int | None) -> int:
    """Return the place of a path's other end: as chosen, else the last image that is not the first end."""
    count = len(choices(strip))
    if target is not None and 0 <= target < count:
        return target
    return len(strip["images"]) - 1 - (strip["chosen"] == len(strip["images"]) - 1)


def painted(rows: Any) -> dict[str, Any]:
    """Return the value of the rows' component."""
    return {
        "strip": STRIP,
        "rows": [
            {
                "family": row.family,
                "title": row.title,
                "badge": theme.badge(row.family),
                "path": "great circle" if row.great_circle else "straight line",
                "state": row.state,
                "total": row.total or FINE,
                "frames": {str(place): model_card.data_uri(frame[None]) for place, frame in row.frames.items()},
                "note": row.problem or progress(row),
            }
            for row in rows
        ],
    }


def progress(row: Row) -> str:
    """Return what is said of a row that has no problem."""
    if row.state == "waiting":
        return "Waiting for its turn."
    count = f"{len(row.frames)} of {row.total} pictures"
    if row.state == "running":
        return f"{count}."
    return f"Stopped at {count}." if row.state == "stopped" else f"{row.total} pictures."


def ending(rows: Any) -> str:
    """Return what a walk came to."""
    if any(row.state == "stopped" for row in rows):
        return "Stopped; what was decoded stays."
    return "Drag λ, or press a picture: every row moves at once."


GLYPHS = "0123456789abcdefghijklmnopqrstuvwxyz"  # of classes: their numbers in base 36, as atlas.js writes them


def map_value(found: Map, lane: Lane, names: Sequence[str] = ()) -> dict[str, Any]:
    """Return the value of the map's component; `names` are what the classes are called, () for their numbers."""
    labels = [-1] * len(found.means) if found.labels is None else found.labels.tolist()
    points = [[round(float(u), 3), round(float(v), 3), label] for (u, v), label in
              zip(found.plane.points, labels, strict=True)]  # fmt: skip
    key = ", ".join(f"{glyph}: {name}" for glyph, name in zip(GLYPHS, names, strict=False))
    key = f" Classes: {key}." if key else ""
    words = "Every glyph is the class of a test image" if found.labels is not None else "Every dot is a test image"
    return {
        "points": points,
        "axes": list(found.plane.axes),
        "words": f"{words}: {len(points):,} of them, as the {lane.title} encodes them. The ring is the image chosen "
        "above. Move over the map, drag on a touch screen, or use the arrow keys." + key,
        "key": f"{lane.checkpoint} {found.plane.axes}",
        "problem": "",
    }


def traversal_table(found: Traversal, lane: Lane) -> str:
    """Return the rows of a traversal as markup."""
    heads = "".join(f"<span>{f'{step:+d}'.replace('-', '−') if step else '0'}</span>" for step in OFFSETS)
    most = float(found.kl.max()) or 1.0
    rows = "".join(
        f'<li><span class="dimension">z<sub>{int(one) + 1}</sub> <b>{kl:.2f}</b> nats'
        f'<i style="width:{100 * kl / most:.0f}%"></i></span>'
        f'<img src="{model_card.data_uri(images, len(OFFSETS))}" '
        f'alt="Dimension {int(one) + 1} from −3 to 3 spreads"></li>'
        for one, kl, images in zip(found.dimensions, found.kl, found.images, strict=True)
    )
    basis = (
        "KL and spread s of each dimension are those of real test images"
        if found.measured
        else "No encodings of real images by these weights are kept: KL is that of this image, and s is 1"
    )
    return (
        f'<div class="traversal f-{lane.family}"><p class="offsets"><span>offset, in spreads s</span>{heads}</p>'
        f'<ol>{rows}</ol><p class="reading">{escape(lane.title)}: the middle column is the image itself, encoded and '
        f"decoded. {basis}.</p></div>"
    )


def merged(one: Rebuilt, bound: Rebuilt) -> Rebuilt:
    """Return what a family gave back, with its bound."""
    return Rebuilt(one.family, one.title, one.image, one.error, bound.elbo, bound.draws, 1.0, True, True, one.state)


def rebuilt(image: np.ndarray, found: Any) -> str:
    """Return the original and what each family gives back as markup."""
    first = (
        f'<figure><figcaption><b>The image</b></figcaption><img src="{model_card.data_uri(image[None])}" '
        f'alt="The image"><p>{image.size:,} numbers from 0 to 1. A squared error is the sum over all of them.</p>'
        "</figure>"
    )
    return f'<div class="rebuilt">{first}{"".join(rebuilt_one(one, image.size) for one in found)}</div>'


def rebuilt_one(one: Rebuilt, size: int) -> str:
    """Return what one family gives back as markup."""
    head = f"<figcaption>{theme.badge(one.family)}<b>{escape(one.title)}</b></figcaption>"
    if one.state != "done":
        words = one.problem or "Encoding and decoding."
        return f'<figure class="f-{one.family} none">{head}<div class="blank"></div><p>{escape(words)}</p></figure>'
    facts = [f"Squared error <b>{one.error:.2f}</b>"]
    if one.elbo is not None:
        bits = -one.elbo / (size * np.log(2))
        facts.append(f"log p(x) ≥ <b>{one.elbo:,.0f}</b> nats".replace("-", "−"))
        facts.append(f"<b>{bits:.2f}</b> bits per dimension")
    elif one.bounds:
        facts.append("bound: press the button below")
    picture = f'<img src="{model_card.data_uri(one.image[None])}" alt="As the {escape(one.title)} gives it back">'
    return f'<figure class="f-{one.family}">{head}{picture}<p>{"<br>".join(facts)}</p></figure>'


Noised = tuple[Lane, np.ndarray, np.ndarray, float]  # a family's: the image under noise, what it sees, share of signal


def noised(found: Sequence[Noised]) -> str:
    """Return an image under noise and what each network sees in it as markup: the noise once, if they share it."""
    cells, before = "", None
    for lane, x_t, x0, level in found:
        if before is None or not np.array_equal(x_t, before):
            cells += _under_noise(lane, x_t, level)
        cells += _seen_in_it(lane, x0)
        before = x_t
    return f'<div class="rebuilt">{cells}</div>'


def _under_noise(lane: Lane, x_t: np.ndarray, level: float) -> str:
    return (
        f'<figure class="f-{lane.family}"><figcaption><b>x<sub>t</sub></b></figcaption>'
        f'<img src="{model_card.data_uri(x_t[None])}" alt="The image under noise"><p>signal '
        f"{100 * level**0.5:.0f}%, noise {100 * (1 - level) ** 0.5:.0f}%</p></figure>"
    )


def _seen_in_it(lane: Lane, x0: np.ndarray) -> str:
    return (
        f'<figure class="f-{lane.family}"><figcaption>{theme.badge(lane.family)}'
        f'<b>its <span class="hat">x</span><sub>0</sub></b></figcaption><img src="{model_card.data_uri(x0[None])}" '
        f'alt="What the network sees in it"><p>what the {escape(lane.title)} sees in it, one network call</p></figure>'
    )
