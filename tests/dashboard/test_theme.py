"""Marks that tell families apart, and colours that can be read."""

import pytest

from dashboard import theme


def test_every_family_has_its_own_marker_and_an_unknown_one_keeps_its():
    known = [theme.style(name) for name in ("vae", "gan", "ddpm")]
    assert len({style.marker for style in known}) == 3
    assert theme.style("flow") == theme.style("flow") and theme.style("flow") not in known
    assert "--mark-flow:" in theme.variables(["flow"])


def test_a_family_s_colour_is_said_once(monkeypatch):
    """The logo, which is the page's icon too, follows it."""
    assert all(theme.STYLES[name].mark[0] in theme.logo() for name in ("vae", "gan", "ddpm"))
    monkeypatch.setitem(theme.STYLES, "vae", theme.Style(("#123456", "#123456"), ("#123456", "#123456"), "square"))
    assert "#123456" in theme.logo() and "#123456" in theme.variables(["vae"])


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("side", [0, 1], ids=["light", "dark"])
def test_text_is_readable_on_cards_and_paper(side):
    """WCAG 2's contrast of 4.5 for text, against both grounds that text stands on."""
    texts = {name: theme.TOKENS[name][side] for name in ("ink", "quiet", "danger")}
    texts |= {f"text-{name}": theme.style(name).text[side] for name in ("vae", "gan", "ddpm", "flow", "another")}
    for ground in ("card", "paper"):
        for name, colour in texts.items():
            light, dark = sorted((luminance(colour), luminance(theme.TOKENS[ground][side])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, f"{name} on {ground}"
