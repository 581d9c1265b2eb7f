"""The quick scores of a batch, beside those of real batches."""

import re

import numpy as np

from dashboard.pages.compare import quick_scores
from dashboard.results.operating_points import Score


def test_quick_scores_point_at_what_real_batches_do_not_get():
    real = {"coverage": Score(0.9, 0.8, 1.0), "sharpness": Score(1.0, 0.9, 1.1)}
    rows = {
        "vae": ("VAE", {"coverage": 0.85, "sharpness": 0.7}, np.array([3, 0, 1])),
        "gan": ("<GAN>", {"coverage": 0.5, "sharpness": 1.2}, np.array([4, 0, 0])),
    }
    markup = quick_scores.table(24, rows, real, 40, {"precision": "Precision needs 6."})
    cells = re.findall(r"<td>([^<]*)</td>", markup)
    assert [one for one in cells if one] == ["85%", "0.70 ↓", "50% ↓", "1.20 ↑", "80% to 100%", "0.90 to 1.10"]
    assert "batches of 24 real images cover 80% to 100% themselves" in markup
    assert "Precision needs 6." in markup and "<GAN>" not in markup
    assert 'aria-label="class 0: 3, class 1: 0, class 2: 1"' in markup


def test_too_few_real_batches_give_no_range():
    real = {"coverage": Score(0.9, 0.8, 1.0)}
    markup = quick_scores.table(100, {"vae": ("VAE", {"coverage": 0.2}, None)}, real, 2, {})
    assert "↓" not in markup and "real images</th>" not in markup
    assert "20%" in markup


def test_a_refusal_is_one_sentence():
    assert quick_scores.refused("No <features>.") == (
        '<h3>This batch at a glance</h3><p class="answer">No &lt;features&gt;.</p>'
    )
