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
from dashboard.results.projection import Plane, Shade


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


def scatter(clouds: Mapping[str, tuple[str, np.ndarray]], plane: Plane, depth: Shade | None = None) -> go.Figure:
    """Return images as points on a plane that was fitted on real ones.

    `clouds` has, by family, its name for people and points (n, 2). Where `depth` is given, the density of real images
    is drawn behind them: each step of grey holds 15% of them, the outermost line 95%.
    """
    figure = go.Figure()
    if depth is not None:
        figure.add_trace(contours(depth))
    figure.add_trace(
        go.Scatter(
            x=plane.points[:, 0],
            y=plane.points[:, 1],
            mode="markers",
            name=f"real ({len(plane.points):,})",
            meta="real",
            marker={"color": "var(--cloud)", "size": 4 if depth is None else 3, "opacity": 0.38},
            hovertemplate="a real image<extra></extra>" if depth is None else None,
            hoverinfo="skip" if depth is not None else None,  # among many samples, only those answer the pointer
        )
    )
    for family, (title, points) in clouds.items():
        figure.add_trace(cloud(family, title, points))
    across, up = plane.axes
    figure.update_layout(
        template=None,
        xaxis=axis(across),
        yaxis=axis(up),
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": "var(--quiet)", "family": ",".join(theme.FONT)},
        legend={
            "orientation": "h",
            "x": 0,
            "y": 1.02,
            "yanchor": "bottom",
            "font": {"size": 13, "color": "var(--ink)"},
            "itemsizing": "constant",
        },
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        hoverlabel={"bgcolor": "var(--card)", "bordercolor": "var(--firm)", "font": {"color": "var(--ink)"}},
        uirevision="keep",
    )
    return figure


def cloud(family: str, title: str, points: np.ndarray) -> go.Scatter:
    """Return one family's points (n, 2), smaller and fainter where there are many."""
    many = len(points) > 100
    return go.Scatter(
        x=points[:, 0],
        y=points[:, 1],
        mode="markers",
        name=f"{escape(title)} ({len(points):,})",
        meta=family,
        customdata=np.arange(1, len(points) + 1),
        marker={
            "color": f"var(--mark-{family})",
            "symbol": theme.style(family).marker,
            "size": 7 if many else 10,
            "opacity": 0.75 if many else 0.92,
            "line": {"color": "var(--card)", "width": 0.5 if many else 1},
        },
        hovertemplate=f"{escape(title)}, image %{{customdata}}<extra></extra>",
    )


def contours(depth: Shade) -> go.Contour:
    """Return the density of real images as shaded contours, from the line that holds 95% of them inwards."""
    return go.Contour(
        x=depth.x,
        y=depth.y,
        z=depth.depth,
        contours={"start": 0.05, "end": 0.95, "size": 0.15},
        colorscale=[[0, "var(--card)"], [1, "var(--cloud)"]],
        zmin=0,
        zmax=1,
        opacity=0.55,
        line={"width": 0.8, "color": "var(--firm)"},
        showscale=False,
        showlegend=False,
        hoverinfo="skip",
        meta="real",
    )


def script() -> Path:
    """Return plotly's own JavaScript, of the very version that makes the figures, for the page to load."""
    return Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
