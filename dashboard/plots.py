"""Rows in, plotly figures out. Pure: no torch, no gradio.

Colours are CSS variables (`var(--ink)`): the page's script puts the theme's values in, so that a figure follows
light and dark. Only plain trace types are used.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path

import numpy as np
import plotly
import plotly.graph_objects as go

from dashboard import theme


def axis(title: str) -> dict:
    """Return the settings that every axis shares."""
    return {
        "title": {"text": title, "font": {"size": 12}},
        "gridcolor": "var(--line)",
        "zerolinecolor": "var(--line)",
        "linecolor": "var(--line)",
        "tickfont": {"size": 11.5},
        "automargin": True,
    }


def scatter(clouds: Mapping[str, tuple[str, np.ndarray]], real: np.ndarray | None) -> go.Figure:
    """Return the images as points in the first two principal components of real images.

    Args:
        clouds: Family name to (name for people, points (n, 2)).
        real: Real images' points, (m, 2); None when there are none.
    """
    figure = go.Figure()
    if real is not None:
        figure.add_trace(
            go.Scatter(
                x=real[:, 0],
                y=real[:, 1],
                mode="markers",
                name=f"real ({len(real):,})",
                marker={"color": "var(--cloud)", "size": 4, "opacity": 0.38},
                hovertemplate="a real image<extra></extra>",
            )
        )
    for family, (title, points) in clouds.items():
        style = theme.style(family)
        figure.add_trace(
            go.Scatter(
                x=points[:, 0],
                y=points[:, 1],
                mode="markers",
                name=escape(title),
                customdata=np.arange(1, len(points) + 1),
                marker={
                    "color": f"var(--mark-{family})",
                    "symbol": style.marker,
                    "size": 10,
                    "opacity": 0.92,
                    "line": {"color": "var(--card)", "width": 1},
                },
                hovertemplate=f"{escape(title)}, image %{{customdata}}<extra></extra>",
            )
        )
    figure.update_layout(
        template=None,
        xaxis=axis("first principal component"),
        yaxis=axis("second principal component"),
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": "var(--quiet)", "family": ",".join(theme.FONT)},
        legend={
            "orientation": "h",
            "x": 0,
            "y": 1.02,
            "yanchor": "bottom",
            "font": {"size": 13, "color": "var(--ink)"},
        },
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        hoverlabel={"bgcolor": "var(--card)", "bordercolor": "var(--firm)", "font": {"color": "var(--ink)"}},
        uirevision="keep",
    )
    return figure


def script() -> Path:
    """Return plotly's own JavaScript, of the very version that makes the figures, for the page to load."""
    return Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
