"""The charts of the Diversity page and the quick scores: places against numbers, sentences, markup."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from dashboard.figures import svg
from dashboard.pages.diversity import diversity_figures
from dashboard.results.operating_points import Measured, Measurements, Score
from dashboard.service import scoring

RNG = np.random.default_rng(0)


def reading(family, mean, half, baseline=(0.96, 0.01), n=500):
    value = None if mean is None else Score(mean, mean - half, mean + half)
    return diversity_figures.Reading(
        family,
        family.upper(),
        n,
        value,
        baseline and Score(baseline[0], *np.array(baseline[0]) + [-1, 1] * np.array(baseline[1])),
    )


def panel(*readings, percent=True):
    return diversity_figures.Panel("Coverage", "share of test images", readings, percent)


def drawings(markup):
    return [ElementTree.fromstring(one) for one in re.findall(r"<svg class=\"fig.*?</svg>", markup, re.DOTALL)]


@pytest.mark.parametrize(
    ("percent", "mean", "half", "words"),
    [
        (True, 0.9314, 0.0042, "93.1 ± 0.4%"),
        (True, 0.9314, 0.0003, "93.14 ± 0.03%"),
        (True, 0.9314, 0.0, "93.1%"),
        (False, 0.9871, 0.011, "0.99 ± 0.01"),
        (False, 0.9871, 0.004, "0.987 ± 0.004"),
    ],
)
def test_a_value_is_told_to_the_digit_its_interval_reaches(percent, mean, half, words):
    assert panel(percent=percent).words(Score(mean, mean - half, mean + half)) == words


def test_an_interval_that_is_not_symmetric_is_told_by_its_ends():
    assert panel().words(Score(0.995, 0.963, 0.999)) == "99.5% (96.3 to 99.9)"
    assert panel().words(scoring.share_score(0.995, 200)).startswith("99.5% (")
    assert panel(percent=False).words(Score(0.9, 0.85, 1.0)) == "0.90 (0.85 to 1.00)"


def test_marks_and_baselines_stand_where_the_axis_says():
    markup = diversity_figures.dots([panel(reading("vae", 0.93, 0.01), reading("gan", 0.90, 0.02))], "Coverage")
    drawing = drawings(markup)[0]
    ticks = {float(node.text[:-1]): float(node.get("x")) for node in drawing.iter("text")
             if node.get("class") == "tick" and node.text.endswith("%")}  # fmt: skip
    (low, left), (high, right) = min(ticks.items()), max(ticks.items())

    def at(percent):
        return left + (percent - low) / (high - low) * (right - left)

    marks = [node.get("transform") for node in drawing.findall(".//g[@class='dot']/path")]
    places = [float(re.match(r"translate\(([\d.]+)", one).group(1)) for one in marks]
    assert places == pytest.approx([at(93), at(90)], abs=0.15)
    whiskers = [(float(node.get("x1")), float(node.get("x2"))) for node in drawing.findall(".//line[@class='whisker']")]
    assert whiskers[0] == pytest.approx((at(92), at(94)), abs=0.15)
    baseline = drawing.find(".//rect[@class='baseline']")
    assert float(baseline.get("x")) == pytest.approx(at(95), abs=0.15)
    assert float(baseline.get("width")) == pytest.approx(at(97) - at(95), abs=0.2)


def test_shares_never_leave_the_axis():
    drawing = drawings(diversity_figures.dots([panel(reading("vae", 0.99, 0.05), reading("gan", 0.4, 0.1))], ""))[0]
    edges = [float(node.get(end)) for node in drawing.findall(".//line[@class='whisker']") for end in ("x1", "x2")]
    assert max(edges) <= 560 and min(edges) >= svg.names_end(["VAE", "GAN"])
    shown = [node.text for node in drawing.iter("text") if node.text.endswith("%") and node.get("class") == "tick"]
    assert all(0 <= float(one[:-1]) <= 100 for one in shown)


def test_two_panels_stand_side_by_side_and_one_below_the_other_on_a_phone():
    both = [panel(reading("vae", 0.93, 0.01)), panel(reading("vae", 0.5, 0.01))]
    wide, narrow = drawings(diversity_figures.dots(both, ""))
    assert float(narrow.get("viewBox").split()[3]) > 1.8 * float(wide.get("viewBox").split()[3])


def test_a_setting_that_was_not_measured_says_so_and_the_rest_is_drawn():
    nothing = diversity_figures.Reading("gan", "GAN", note="nothing of it")
    markup = diversity_figures.reach([panel(reading("vae", 0.93, 0.01), nothing)] * 2)
    assert nothing.note in markup
    assert "near them: VAE 93.0%. Fresh real images reach 96.0%." in markup
    empty = diversity_figures.reach([panel(nothing)] * 2)
    assert "python -m gencore evaluate" in empty and drawings(empty)


def test_a_verdict_goes_by_the_intervals():
    found = diversity_figures.verdicts(
        panel(reading("vae", 0.95, 0.01), reading("gan", 0.90, 0.01), reading("flow", 1.2, 0.01))
    )
    assert found == (
        "VAE: as varied as real images, as far as can be told. GAN: less varied than real images. "
        "FLOW: more varied than real images."
    )
    assert diversity_figures.verdicts(panel(reading("vae", 0.95, 0.01, baseline=None))) == "VAE: 95.0 ± 1.0%."


def row(family, n, mean=0.9):
    scores = {"classifier": {"coverage": {"mean": mean, "low": mean - 0.01, "high": mean + 0.01, "values": [mean]}}}
    return Measured(family, family.upper(), f"d/{family}", "x", "headline", {}, n, 5, {"scores": scores})


def at_one_n(*given, **sizes):
    return diversity_figures.at_one_n(
        {name: (name.upper(), [row(name, n) for n in found]) for name, found in sizes.items()}, given
    )


def test_families_are_compared_at_the_largest_n_that_all_have():
    found = at_one_n(vae=(5000, 2000), gan=(2000, 5000, 400), ddpm=(2000, 400), flow=())
    assert [one and one.n for _, one, _ in found.values()] == [2000, 2000, 2000, None]
    assert found["flow"][2] == "not measured at this setting"


def test_where_no_n_is_shared_the_others_are_left_out_by_name():
    found = at_one_n(vae=(5000, 2000), gan=(5000,), ddpm=(2000,))
    assert [one and one.n for _, one, _ in found.values()] == [5000, 5000, None]
    panels = [diversity_figures.measured_panel(found, Measurements("d"), "classifier", "coverage")] * 2
    assert "VAE 90.0% and GAN 90.0%. DDPM: left out: measured at n = 2,000." in diversity_figures.reach(panels)
    assert [one and one.n for _, one, _ in at_one_n(vae=(400,), gan=(2000,)).values()] == [None, 2000]
    assert at_one_n(vae=())["vae"][1] is None


def test_measured_and_made_panels_take_the_baseline_of_their_n():
    # Until now each family had its own largest n, and one sentence compared coverages of unequal n, which differ by n.
    measurements = Measurements(
        "d", baselines={n: row("real", n, baseline) for n, baseline in ((5000, 0.97), (2000, 0.95))}
    )
    rows = at_one_n(vae=(5000, 2000), gan=(2000,), flow=())
    found = diversity_figures.measured_panel(rows, measurements, "classifier", "coverage").readings
    assert [one.baseline and one.baseline.mean for one in found] == [0.95, 0.95, None]
    assert [one.n for one in found] == [2000, 2000, 0]
    assert found[2].note == rows["flow"][2] != ""
    lacking = diversity_figures.measured_panel(rows, measurements, "classifier", "recall").readings[0]
    assert lacking.value is None and lacking.baseline is None
    absent = diversity_figures.measured_panel(rows, measurements, "random", "coverage").readings[0]
    assert absent.value is None and absent.note == "left out"
    some = {"vae": ("VAE", 300, {}, {"coverage": Score(0.9, 0.9, 0.9)})}
    (alone,) = diversity_figures.made_panel("coverage", some).readings
    assert alone.note == "too few images" and alone.baseline.mean == 0.9


# ---- classes


def test_class_marks_have_the_heights_of_their_shares_and_missing_classes_are_named():
    real = np.array([0.25, 0.5, 0.25])
    rows = [
        diversity_figures.Classes("vae", "VAE", np.array([50, 50, 0])),
        diversity_figures.Classes("gan", "<GAN>", np.array([25, 50, 25])),
    ]
    markup = diversity_figures.classes(real, rows, what="Made here")
    drawing = drawings(markup)[0]
    assert "VAE has none of class 2." in markup and "<GAN>" not in markup
    bars = [node for node in drawing.iter("rect") if node.get("class") == "real"]
    heights = [float(bar.get("height")) for bar in bars]
    assert heights[1] == pytest.approx(2 * heights[0], abs=0.2)
    base = float(bars[0].get("y")) + heights[0]
    marks = [float(re.search(r" ([\d.]+)\)", node.get("transform")).group(1)) for node in drawing.iter("path")]
    assert [base - y for y in marks[:2]] == pytest.approx([heights[1], heights[1]], abs=0.3), (
        "half of 100, as real class 1"
    )
    assert base - marks[2] == pytest.approx(0, abs=0.2)


def test_classes_go_by_their_names_where_they_have_any():
    names, real = ("red circle", "turquoise square"), np.array([0.9, 0.1])
    rows = [diversity_figures.Classes("vae", "VAE", np.array([100, 0]))]
    markup = diversity_figures.classes(real, rows, what="Made here", names=names)
    assert "VAE has none of turquoise square." in markup and "red circle: 90.0% of real images" in markup
    drawing = drawings(markup)[0]
    turned = [node for node in drawing.iter("text") if "rotate(-90)" in node.get("transform", "")]
    assert [node.text for node in turned] == [*names]
    top = float(re.search(r" ([\d.]+)\)", turned[0].get("transform")).group(1))
    tall = float(drawing.get("viewBox").split()[3])
    assert tall - top > 6 * max(map(len, names)), "there is room for the longest name below its class"


def test_without_labels_one_sentence_stands_for_the_histogram():
    markup = diversity_figures.classes(None, [], note="There are no labels.")
    assert "There are no labels." in markup and not drawings(markup)


def test_many_classes_fit():
    drawing = drawings(
        diversity_figures.classes(np.full(200, 1 / 200), [diversity_figures.Classes("vae", "VAE", np.ones(200, int))])
    )[1]
    labels = [float(node.get("x")) for node in drawing.iter("text") if node.get("text-anchor") == "middle"]
    assert max(labels) <= 330 and len(labels) <= 24


# ---- the nearest training image


@pytest.mark.parametrize(
    ("distance", "words"),
    [
        (0.0, "It is a training image"),
        (0.02, "it may be a copy"),
        (0.5, "50% of real test images"),
        (9, "none of them"),
    ],
)
def test_what_a_near_training_image_means(distance, words):
    assert words in diversity_figures.copying(np.linspace(0.1, 0.9, 1001), distance)


def test_the_mark_stands_at_its_distance():
    gaps = np.linspace(0.1, 0.9, 1001)
    drawing = ElementTree.fromstring(diversity_figures.nearness(gaps, 0.45, "vae", "features (pixels)"))
    ticks = {float(node.text): float(node.get("x")) for node in drawing.iter("text") if node.get("class") == "tick"}
    line = float(drawing.find(".//line[@class='mean']").get("x1"))
    assert line == pytest.approx(ticks[0] + 0.45 / max(ticks) * (ticks[max(ticks)] - ticks[0]), abs=0.2)
    assert "features (pixels)" in ElementTree.tostring(drawing, "unicode")


# ---- missed


def test_what_is_missed_is_told_beside_what_real_images_miss():
    expected = Score(20.0, 16.0, 24.0)
    rows = [
        diversity_figures.Missed("vae", "VAE", 500, 30, 19.0, expected, ("data:a", "data:b"), 12),
        diversity_figures.Missed("gan", "<GAN>", 500, 90, 75.0, expected),
    ]
    markup = diversity_figures.missed(rows, at_hand=True)
    assert "VAE misses no more than real images do, as far as can be told. &lt;GAN&gt; misses more" in markup
    assert "<strong>30</strong> of 500 test images. Real training images in the same number miss 20 ± 4." in markup
    assert "Shown: the 12 furthest" in markup and 'style="width:50.00%"' in markup
    assert "<GAN>" not in markup
    assert "only where the data set is at hand" in diversity_figures.missed(rows, at_hand=False)
    assert "Why." in diversity_figures.missed([], at_hand=False, note="Why.")


def given(name, n):
    return Measured("samples", "Samples", name, "as given", "headline", {}, n, 3, {"kind": "samples", "scores": {}})


def test_of_several_n_that_all_families_have_samples_from_elsewhere_choose():
    sizes = {"vae": (5000, 1000), "gan": (5000, 1000)}
    assert [one.n for _, one, _ in at_one_n(given("a", 1000), **sizes).values()] == [1000, 1000]
    assert [one.n for _, one, _ in at_one_n(given("a", 60), **sizes).values()] == [5000, 5000]
    assert [one and one.n for _, one, _ in at_one_n(given("a", 1000), vae=(5000, 1000), gan=(5000,)).values()] == [
        5000,
        5000,
    ], "families come first"


def test_samples_from_elsewhere_stand_beside_the_families_at_their_n():
    rows, words = diversity_figures.beside(at_one_n(vae=(5000,), gan=()), [given("a", 5000), given("b", 500)])
    assert [(name, row and row.family) for name, row, _ in rows.values()][1:] == [("GAN", None), ("a", "samples")]
    assert words == "Measured at another n, and so not shown here: b (n = 500)."
    panel = diversity_figures.measured_panel(rows, Measurements("d"), "classifier", "coverage")
    assert [one.family for one in panel.readings][::2] == ["vae", "samples"]
    assert "--mark-samples" in diversity_figures.dots([panel], "Coverage")
    alone, _ = diversity_figures.beside({}, [given("a", 500), given("b", 40)])
    assert [row.n for _, row, _ in alone.values()] == [500, 40]
