"""The triangle, the chart of every point, and the home page's value: markup, places, labels."""

import itertools
import json
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest

from dashboard import theme
from dashboard.figures import pareto, triangle
from dashboard.figures.plot import Box
from dashboard.pages.trilemma import page, point_detail, trilemma_view
from dashboard.results import explanations, recommendation
from dashboard.results.axes import QUALITIES
from dashboard.results.operating_points import join
from dashboard.results.question import ask
from dashboard.service import METRICS
from gencore import FAMILIES
from tests.support.invented import rows
from tests.support.questions import measure, point, trio


def everything():
    """Every operating point of every registered family, with invented scores."""
    made = rows(
        {f"mnist/{name}": kind for name, kind in FAMILIES.items()}, {f"mnist/{name}": "0" * 16 for name in FAMILIES}
    )
    return join("mnist", made, {name: kind.title for name, kind in FAMILIES.items()}, {}, {})


def drawings(markup):
    return [ElementTree.fromstring(drawing) for drawing in re.findall(r"<svg class=\"fig.*?</svg>", markup, re.DOTALL)]


def boxes(plane):
    """The boxes of what labels keep clear of, and those of the labels that found room."""
    pareto.points(plane)
    before = len(plane.room.taken)
    pareto.words(plane)
    return plane.room.taken[:before], plane.room.taken[before:]


@pytest.mark.parametrize("quality", list(QUALITIES))
@pytest.mark.parametrize("n", [5000, 2000, 400])
def test_both_charts_are_well_formed_for_every_question(quality, n):
    question = ask(everything(), quality, n)
    (corners,) = drawings(triangle.draw(question))
    assert len(corners.findall(".//g[@data-i]")) == len(question.points)
    found = drawings(pareto.draw(question))
    assert len(found) == len(pareto.WIDTHS)
    for drawing in found:
        marks = [g for g in drawing.iter("g") if g.get("class") != "steps"]
        assert {int(g.get("data-i")) for g in marks} == set(range(len(question.points)))
        assert all(g.get("aria-label") and g.get("role") == "button" for g in marks)


def test_colours_come_from_the_theme_alone():
    question = ask(everything())
    markup = triangle.draw(question) + pareto.draw(question)
    assert not re.search(r"#[0-9a-fA-F]{3,6}\b|rgb\(", markup.replace("&#39;", "").replace("&#x27;", ""))


def test_a_fourth_family_is_drawn_with_its_own_mark():
    measured = measure(point("flow", "<8> steps & more", 4.0, kid=0.01, coverage=0.9, calls=8),
                       point("vae", "a", 1.0, kid=0.02, coverage=0.8))  # fmt: skip
    question = ask(measured)
    for markup in (triangle.draw(question), pareto.draw(question)):
        assert drawings(markup) and "f-flow" in markup and "var(--mark-flow)" in markup
    assert theme.MARKERS[theme.style("flow").marker] in pareto.draw(question)
    assert "&lt;8&gt; steps &amp; more" in pareto.draw(question)
    assert "Flow" in trilemma_view.view(question)["lead"]


def test_the_rim_is_real_data_and_the_centre_is_nothing():
    question = ask(trio())
    assert triangle.spot(0, 0) == triangle.spot(1, 0) == triangle.CENTRE
    corners = np.array([triangle.spot(i, 1) for i in range(3)])
    sides = np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=1)
    np.testing.assert_allclose(sides, sides[0])
    words = [node.text for node in drawings(triangle.draw(question))[0].iter("text")]
    assert {"Quality", "Diversity", "Speed"} <= set(words)
    assert "rim: KID ≤ 0.000606, real" in words and "rim: recall ≥ 96.0%, real" in words
    assert "rim: 0.100 ms per image" in words


def test_a_point_of_another_n_stays_open_at_the_diversity_corner():
    question = ask(everything())
    drawing = drawings(triangle.draw(question))[0]
    for g in drawing.iter("g"):
        if g.get("data-i") is None:
            continue
        same = question.points[int(g.get("data-i"))].n == question.n
        assert (g.find("polygon") is not None) == same
        assert len(g[0].get("points").split()) == (3 if same else 2)


@pytest.mark.parametrize("width", list(pareto.WIDTHS))
@pytest.mark.parametrize("quality", list(QUALITIES))
def test_no_label_stands_on_another_or_on_a_marker(width, quality):
    plane = pareto.Plane(ask(everything(), quality), *pareto.WIDTHS[width])
    fixed, placed = boxes(plane)
    assert placed
    for i, box in enumerate(placed):
        assert not any(box.meets(other) for other in fixed + placed[:i])
        assert plane.room.bounds.holds(box)


@pytest.mark.parametrize("width", list(pareto.WIDTHS))
def test_no_label_of_a_heap_stands_on_another_or_is_cut(width):
    question = ask(everything())
    plane = pareto.Plane(question, *pareto.WIDTHS[width], pareto.heap(question))
    fixed, placed = boxes(plane)
    assert len(placed) >= (3 if width == "slim" else 5)
    drawing = Box(0, 0, *pareto.WIDTHS[width])
    for i, box in enumerate(placed):
        assert not any(box.meets(other) for other in fixed + placed[:i]) and drawing.holds(box)


def written(drawing, steps):
    """The labels of a drawing that are to be seen at once, or those that a pointer asks for."""
    asked = [text for g in drawing.iter("g") if g.get("class") == "steps" for text in g.iter("text")]
    every = [text for text in drawing.iter("text") if text.get("class") == "label"]
    return [text.text for text in (asked if steps else every) if steps or text not in asked]


def test_each_line_is_named_once_at_its_end_and_its_numbers_are_asked_for():
    question = ask(everything())
    (broad, *_) = drawings(pareto.draw(question))
    named, numbers = written(broad, False), written(broad, True)
    curves = {"DDPM, DDIM", "DDPM, UniPC", "DDPM, ancestral", "DDPM, DPM-Solver++"}
    assert curves | {"VAE, fitted prior", "VAE, prior N(0, I)"} <= set(named)
    assert (
        sum(words.startswith("GAN, ") for words in named) == 1
        and len(named) == len(set(named))
        and not any(words[0].isdigit() for words in named)
    )
    assert {"1,000", "20", "50"} <= set(numbers)
    assert not any(word.startswith("fitted prior, ") for word in numbers), "what is shared is said once"
    points = {int(g.get("data-i")): g.get("data-of") for g in broad.iter("g") if g.get("data-i")}
    for group in pareto.groups(question.points):
        assert len({points[i] for i in group}) == 1, "a line's points know whose numbers they ask for"
    ddim = next(group for group in pareto.groups(question.points) if "DDIM" in question.points[group[0]].label)
    end = pareto.Plane(question, *pareto.WIDTHS["broad"]).spot(ddim[-1])
    label = next(text for text in broad.iter("text") if text.text == "DDPM, DDIM")
    assert np.hypot(float(label.get("x")) - end[0], float(label.get("y")) - end[1]) < 50


def test_points_in_a_heap_are_drawn_again_alone():
    quick = [point("gan", f"truncation 0.{i}", 0.4 + 0.01 * i, kid=0.01 * i + 0.01, coverage=0.5) for i in range(5)]
    slow = point("ddpm", "20 calls", 60.0, kid=0.005, coverage=0.95, calls=20)
    question = ask(measure(*quick, slow))
    assert [question.points[i].family for i in pareto.heap(question)] == ["gan"] * 5
    assert pareto.heap_words(question) == "5 points at 0.400 ms to 0.440 ms"
    for drawing in drawings(pareto.draw_heap(question)):
        assert {int(g.get("data-i")) for g in drawing.iter("g") if g.get("data-i")} == set(pareto.heap(question))
    near, far = (pareto.Plane(question, 1128, 400, shown) for shown in (pareto.heap(question), None))
    apart = [abs(plane.spot(0)[0] - plane.spot(4)[0]) for plane in (near, far)]
    assert apart[0] > 10 * apart[1]
    even = [point("gan", f"{2**i}", 2.0**i, kid=0.01 * i + 0.01, coverage=0.5) for i in range(8)]
    for spread in (ask(measure(*even)), ask(measure(*quick[:4], slow))):
        assert pareto.heap(spread) == [] and pareto.draw_heap(spread) == pareto.heap_words(spread) == ""


def test_better_is_higher_and_the_baseline_clamps():
    question = ask(trio())
    plane = pareto.Plane(question, *pareto.WIDTHS["broad"])
    raw = np.geomspace(1, 1e-5, 60)
    heights = [plane.y(value) for value in raw]
    assert all(one >= other for one, other in itertools.pairwise(heights))
    assert plane.y(-0.01) == plane.y(0.0) == plane.y(question.scales[0].rim) == plane.frame.top
    assert plane.frame.x(10) - plane.frame.x(1) == pytest.approx(plane.frame.x(100) - plane.frame.x(10))


def test_a_hopeless_point_does_not_squeeze_the_others():
    good = [point("vae", "a", 1.0, kid=0.004, coverage=0.9), point("gan", "b", 2.0, kid=0.05, coverage=0.8)]
    hopeless = point("ddpm", "1 call", 4.0, kid=5864.0, coverage=0.0, calls=1)
    fair, spoilt = ask(measure(*good)), ask(measure(*good, hopeless))
    assert not pareto.cut(fair) and 'class="beyond"' not in pareto.draw(fair)
    assert "the axis ends; an arrow" not in trilemma_view.reading(fair)
    plane = pareto.Plane(spoilt, *pareto.WIDTHS["broad"])
    centre = spoilt.scales[0].centre
    top, bottom = plane.frame.top, plane.frame.bottom
    assert plane.beyond(5864.0) and not plane.beyond(centre) and plane.y(5864.0) == plane.y(centre) < bottom - 12
    assert plane.y(0.05) < top + 0.75 * (bottom - top)
    (first, *_) = drawings(pareto.draw(spoilt))
    assert len([path for path in first.iter("path") if path.get("class") == "beyond"]) == 1
    assert "1 call (KID 5,864)" in [text.text for text in first.iter("text")]
    assert f"Below KID {explanations.number(spoilt.quality, centre)}" in trilemma_view.reading(spoilt)


def test_points_of_another_n_are_hollow():
    question = ask(everything())
    for g in drawings(pareto.draw(question))[0].iterfind("g[@data-i]"):
        hollow = "var(--card)" in g.findall("path")[-1].get("style")
        assert hollow == (question.points[int(g.get("data-i"))].n != question.n)


def test_the_value_holds_every_answer():
    question = ask(everything())
    value = json.loads(json.dumps(trilemma_view.view(question)))
    side = 100 // value["weights"]["step"] + 1
    assert len(value["weights"]["table"]) == side**3
    assert len(value["budgets"]["table"]) == len(value["budgets"]["ms"]) * (100 // value["budgets"]["step"] + 1)
    assert set(value["weights"]["table"]) | set(value["budgets"]["table"]) == set(range(len(value["answers"])))
    place = (14 * side + 10) * side + 8  # weights 70, 50, 40
    answers, index = recommendation.weigh(question, np.array([[70, 50, 40]]))
    assert value["answers"][value["weights"]["table"][place]]["best"] == answers[index[0]].best
    [nowhere], _ = recommendation.weigh(question, np.array([[0, 0, 0]]))
    assert explanations.nothing(question, nowhere) in value["answers"][value["weights"]["table"][0]]["html"]
    ms, coverage = value["budgets"]["ms"].index(100), 80 // value["budgets"]["step"]
    answers, index = recommendation.within(question, np.array([[100, 0.8]]))
    side = 100 // value["budgets"]["step"] + 1
    assert value["answers"][value["budgets"]["table"][ms * side + coverage]]["best"] == answers[index[0]].best


def test_a_hostile_family_is_drawn_as_text():
    rows = [point('"><script>', "a", 1.0, kid=0.01, coverage=0.9), point("vae", "b", 2.0, kid=0.03, coverage=0.7)]
    measured = measure(*rows)
    value = trilemma_view.view(ask(measured))
    assert measured.points[-1].family == "---script-"
    markup = value["triangle"] + value["front"] + "".join(value["badges"].values())
    markup += "".join(answer["html"] for answer in value["answers"]) + point_detail.head(measured.points[-1], "?")
    assert "<script" not in markup and drawings(value["triangle"] + value["front"])
    assert all("f----script-" in part for part in (value["triangle"], value["front"], markup))


def test_the_lead_counts_the_settings_of_the_families_it_names():
    untimed = measure(
        point("vae", "a", 1.0, kid=0.01, coverage=0.9), point("gan", "b", 2.0, kid=0.03, coverage=0.7),
        point("ddpm", "c", None, kid=0.001, coverage=0.9), point("ddpm", "d", None, kid=0.001, coverage=0.9),
    )  # fmt: skip
    value = trilemma_view.view(ask(untimed))
    words = re.sub(r"<[^>]*>", "", value["lead"])
    assert words == (
        "Two kinds of neural network have learned from the images of MNIST to make new ones: VAE (variational "
        "autoencoder) and GAN (generative adversarial network)."
    )
    assert "2 settings measured." in value["measures"]


@pytest.mark.parametrize(
    ("kid", "said"),
    [(0.02, "CM, 4 calls, was tuned from the DDPM: KID 0.0200 in 8.00 ms; the DDPM's fastest point that is as good, "
      "10 calls, takes 20.0 ms."),
     (0.004, "CM, 4 calls, was tuned from the DDPM: KID 0.00400 in 8.00 ms; no point of the DDPM is as good.")],
)  # fmt: skip
@pytest.mark.parametrize(("part", "how"), [("init", "tuned"), ("teacher", "distilled")])
def test_what_was_made_of_another_familys_model_says_what_that_gave(kid, said, part, how):
    rows = [
        point("ddpm", "5 calls", 10.0, kid=0.1, coverage=0.8, calls=5),
        point("ddpm", "10 calls", 20.0, kid=0.01, coverage=0.9, calls=10),
        point("ddpm", "20 calls", 40.0, kid=0.005, coverage=0.95, calls=20),
        point("consistency", "4 calls", 8.0, kid=kid, coverage=0.9, calls=4),
    ]
    assert how not in trilemma_view.summary(ask(measure(*rows)))
    rows[3][0]["training"] |= {"init": "mnist/consistency", part: "mnist/ddpm"}
    assert trilemma_view.summary(ask(measure(*rows))).endswith(f" {said.replace('tuned', how)}")
    rows[1][0]["training"][part] = "mnist/ddpm"
    assert trilemma_view.summary(ask(measure(*rows))).count(how) == 1, "more training is no other family"


def test_a_time_axis_of_a_decade_or_less_has_ticks_between():
    close = ask(measure(point("vae", "a", 2.5, kid=0.01, coverage=0.9), point("gan", "b", 4.0, kid=0.03, coverage=0.7)))
    assert pareto.Plane(close, *pareto.WIDTHS["broad"]).frame.x.ticks() == [2, 5]
    assert pareto.Plane(ask(everything()), *pareto.WIDTHS["broad"]).frame.x.ticks() == [1, 10, 100, 1000]


@pytest.mark.parametrize("quality", list(QUALITIES))
def test_every_tick_of_quality_stands_at_its_own_height(quality):
    """Those below the worst point too: they once stood where that point stands, one on the other."""
    plane = pareto.Plane(ask(everything(), quality), *pareto.WIDTHS["broad"])
    heights = [plane.frame.y(tick) for tick in plane.frame.y.ticks()]
    assert len(heights) > 1 and min(abs(np.diff(heights))) > 12


def test_the_axis_title_keeps_clear_of_the_ticks_on_a_phone():
    plane = pareto.Plane(ask(everything(), "precision"), *pareto.WIDTHS["slim"])
    widest = max(len(f"{100 * tick:g}%") for tick in plane.frame.y.ticks())
    assert plane.frame.left - 7 - 7 * widest > 12 + 4, "the rotated title's baseline stands at 12"


def test_what_is_said_of_a_point_is_all_that_was_measured():
    question = ask(everything())
    lines = dict(trilemma_view.about(question, 0)["lines"])
    assert lines["trained on"] == explanations.training_facts(question.points[0].quality["training"])
    assert "±" in lines["KID in pixels"] and lines["checkpoint"] == "0" * 8
    assert all(" ± " in margin for _, margin in trilemma_view.about(question, 0)["values"][:2])
    features = "classifier features (cccccccc)"
    row = {**question.points[0].quality, "hashes": {"checkpoint": "0" * 16, "classifier": "c" * 16}}
    assert features in trilemma_view.reading(ask(join("mnist", [row, *question.measured.costs], {}, {}, {})))


def test_one_family_that_wins_everywhere_is_named_for_budgets_too():
    best, worse = (
        point("vae", "best", 0.5, kid=0.005, coverage=0.95),
        point("gan", "worse", 1.0, kid=0.05, coverage=0.8),
    )
    question = ask(measure(best, worse))
    answers = trilemma_view.view(question)["answers"]
    for where in ("weight", "budget that a point fits"):
        words = explanations.everywhere(question, "vae", where).partition(",")[0]
        assert any(words in answer["html"] for answer in answers)


def test_without_a_baseline_the_rim_is_not_called_real():
    rows = [point("vae", "a", 1.0, kid=0.01, coverage=0.9), point("gan", "b", 2.0, kid=0.03, coverage=0.7)]
    assert ", real" not in triangle.draw(ask(measure(*rows, baseline=False)))
    assert triangle.draw(ask(measure(*rows))).count(", real<") == 2


def test_answers_are_escaped_and_link_to_compare():
    measured = measure(
        point("vae", "<b>1</b>", 1.0, kid=0.01, coverage=0.9), point("gan", "b", 2.0, kid=0.03, coverage=0.7)
    )
    html = trilemma_view.view(ask(measured))["answers"][-1]["html"]
    assert "<b>1</b>" not in html
    assert "data=mnist&amp;vae.checkpoint=mnist%2Fvae&amp;vae.mode=" in html and "#compare" in html


def test_the_row_says_everything():
    measured = everything()
    chosen = next(one for one in measured.points if one.kind == "sweep")
    words = point_detail.row(chosen, measured.baseline(chosen.n), METRICS)
    assert "Imported from x" in point_detail.facts(replace(chosen, origin="Imported from x"), METRICS)
    assert "KID" in words and "n = 2,000" in words and "3 generations" in words
    for part in ("knobs", "hashes", "machine", "Test Processor", "2026-11-22", "python -m gencore evaluate", "seeds"):
        assert part in words
    ElementTree.fromstring(f"<div>{words.replace('&nbsp;', ' ')}</div>")


def test_what_was_left_out_is_told_by_features():
    chosen = everything().points[0]
    missing = {"classifier": {"fd": "Too few images."}, "pixels": {"fd": "Too wide.", "sharpness": "Not of these."}}
    left = replace(chosen, quality=chosen.quality | {"left_out": missing})
    assert point_detail.left_out(replace(left, quality=left.quality | {"scores": {}}), METRICS) == [
        "Fréchet distance, in classifier features: Too few images.",
        "Fréchet distance, in pixels features: Too wide.",
        "Sharpness, in pixels features: Not of these.",
    ]
    assert not [words for words in point_detail.left_out(left, METRICS) if "Sharpness" in words], "it is scored"


def test_the_row_says_what_its_kid_compares_with():
    """And that the interval is not all of its uncertainty, whether or not the rest is known."""
    chosen = everything().points[0]
    assert "the first 5,000 test images" in point_detail.of_reference(chosen)
    told = {"reference": 10_000, "reference_sd": 0.000812}
    new = chosen.quality | {"scores": {name: {"kid": scores["kid"] | told}
                                       for name, scores in chosen.quality["scores"].items()}}  # fmt: skip
    words = point_detail.of_reference(replace(chosen, quality=new))
    assert "10,000 real test images" in words and "0.0008 (classifier), 0.0008 (pixels)" in words
    assert words in point_detail.row(replace(chosen, quality=new), None, METRICS)
    assert point_detail.of_reference(replace(chosen, quality=new | {"scores": {}})) == ""


def shown(measured, **asked):
    """The home page's value on these measurements."""
    service = SimpleNamespace(
        machine={}, families={}, datasets=lambda: ["mnist"], lanes=lambda _: [],
        measurements=lambda _: measured, measurements_key=lambda _: "now",
    )  # fmt: skip
    with gr.Blocks():
        return page.Trilemma(service).value("mnist", **asked)


def test_no_rows_make_a_page_that_says_what_to_run():
    value = shown(join("mnist", [], {}, {}, {}))
    assert value["points"] == [] and "answers" not in value and value["none"] == ""
    assert value["empty"] == page.EMPTY.format("mnist")


def test_points_that_do_not_fit_what_is_chosen_leave_the_controls_and_say_what_is_missing():
    measured = measure(point("vae", "a", 1.0, kid=0.01, coverage=0.9))
    del measured.points[0].quality["scores"]["classifier"]["density"]
    value = shown(measured, quality="density")
    assert value["points"] == [] and value["empty"] == ""
    assert value["none"].startswith("No measured point has both density in classifier features and a time here")
    assert "1 point is left out for want of density in classifier features." in " ".join(value["notes"])
    assert ["density", "density"] in value["qualities"] and value["extractors"] == ["classifier"]
    assert shown(measured)["none"] == shown(measured)["empty"] == "" and shown(measured)["points"]
