"""The grammar of the charts, against known answers."""

import itertools
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from dashboard.figures import plot, svg
from dashboard.figures.plot import Axis, Box, Entry, Frame, Label, Room, Scale

# ---- values and pixels


@pytest.mark.parametrize(
    ("scale", "value", "pixel"),
    [
        (Scale(0, 10, start=50, end=150), 2.5, 75),
        (Scale(0, 10, start=200, end=100), 2.5, 175),  # upwards
        (Scale(1, 1000, True, 0, 300), 10, 100),
        (Scale(1, 1e-3, True, 0, 300), 0.1, 100),  # lower is better
    ],
)
def test_a_scale_goes_both_ways(scale, value, pixel):
    assert scale(value) == pytest.approx(pixel)
    assert scale.value(pixel) == pytest.approx(value)
    assert (scale(scale.low), scale(scale.high)) == pytest.approx((scale.start, scale.end))


def test_clamping_stays_on_the_scale_whichever_way_it_goes():
    for scale in (Scale(1, 5), Scale(5, 1)):
        assert [scale.nearest(value) for value in (0, 3, 9)] == [scale(1), scale(3), scale(5)]


@pytest.mark.parametrize(
    ("values", "ends"), [([3, 40], (1, 100)), ([1, 9.9], (0.1, 100)), ([20, 20], (10, 100)), ([2e-3, 5e2], (1e-3, 1e3))]
)
def test_decades_hold_the_values_with_room(values, ends):
    scale = Scale.decades(values)
    assert (scale.low, scale.high) == pytest.approx(ends)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("values", [[3.0], [3, 3], [2, 5], [1e-6, 1e6]])
def test_a_scale_around_values_holds_them_and_has_a_length(values, log):
    scale = Scale.around(values, log)
    assert scale.low < min(values) and max(values) < scale.high
    assert len(scale.ticks()) > 1
    if values == [2, 5]:
        assert (scale.low, scale.high) == pytest.approx((2 / 2.5**0.05, 5 * 2.5**0.05) if log else (1.85, 5.15))


@pytest.mark.parametrize(("low", "high"), [(0, 1), (3.2, 14.9), (0.001, 0.002), (0, 70)])
def test_ticks_are_round_and_inside(low, high):
    ticks = plot.ticks(low, high)
    assert 3 <= len(ticks) <= 11
    assert low <= ticks[0] and ticks[-1] <= high + 1e-12


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((0, 1, 5), [0, 0.2, 0.4, 0.6, 0.8, 1]),
        ((-1.2, 3.1, 4), [-1, 0, 1, 2, 3]),
        ((0.93, 0.98, 5), [0.93, 0.94, 0.95, 0.96, 0.97, 0.98]),
        ((64, 1e6, 6, True), [1e2, 1e3, 1e4, 1e5, 1e6]),
        ((1, 100, 5, True), [1, 10, 100]),
        ((100, 1, 5, True), [1, 10, 100]),
        ((0.7, 40, 5, True), [1, 3, 10, 30]),
        ((0.2, 0.9, 6, True), [0.2, 0.5]),
        ((1.7, 6, 6, True), [2, 5]),
        ((10, 14, 5, True), [10, 11, 12, 13, 14]),
        ((1e-6, 1e6, 5, True), [1e-6, 1e-4, 1e-2, 1, 1e2, 1e4, 1e6]),
    ],
)
def test_ticks_are_those_that_a_person_would_choose(arguments, expected):
    assert plot.ticks(*arguments) == pytest.approx(expected)


# ---- the box of a plot


def test_both_axes_stand_where_their_scales_say():
    frame = Frame(50, 250, 10, 110, Scale(0, 4), Scale(1, 100, log=True))
    words = ElementTree.fromstring(f"<svg>{frame.across(Axis('t in s', 4))}{frame.up(Axis('loss <nats>'))}</svg>")
    found = {node.text: node for node in words.iter("text")}
    assert set(found) == {"0", "1", "2", "3", "4", "t in s", "10", "100", "loss <nats>"} | {"1"}
    assert [float(found[tick].get("x")) for tick in "0234"] == [50, 150, 200, 250]
    assert [float(found[tick].get("y")) for tick in ("10", "100")] == [64, 14], "four pixels below the gridline"
    grid = [node for node in words.iter("line") if node.get("class") == "grid"]
    assert len(grid) == 5 + 3
    assert frame.spot(2, 10) == pytest.approx((150, 60)) and frame.height == 110 + plot.BELOW


def test_outlines_have_the_area_of_their_histogram():
    edges, heights = np.array([0.0, 1, 2, 3]), np.array([0.0, 0.5, 0.25])
    path = plot.outline(edges, heights, Scale(0, 1, end=10), 100.0, 40.0)
    corners = np.array([[float(v) for v in pair.split()] for pair in re.findall(r"[ML]([\d. ]+)", path)])
    x, y = corners[:, 0], 100 - corners[:, 1]
    area = abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2
    assert area == pytest.approx(10 * 40 * (0.5 + 0.25))


def test_an_outline_of_nothing_is_flat():
    assert plot.outline(np.arange(4.0), np.zeros(3), Scale(0, 3, end=30), 50.0, 40.0) == "M0.0 50.0L0.0 50.0"


# ---- words


def test_a_legend_goes_on_in_the_next_row_and_stays_inside():
    entries = [Entry(svg.path("M0 -4h18"), f"a curve <{i}>", "var(--ink)") for i in range(5)]
    markup, top = plot.legend(entries, 40, 330)
    found = list(ElementTree.fromstring(f"<svg>{markup}</svg>").iter("text"))
    assert [node.text for node in found] == [entry.words for entry in entries]
    ends = [float(node.get("x")) + 6.6 * len(node.text) for node in found]
    assert max(ends) <= 330 and len({node.get("y") for node in found}) == 3
    assert top == pytest.approx(max(float(node.get("y")) for node in found) + 16)


def test_labels_keep_apart_and_inside():
    placed = plot.spread([50, 51, 52, 99], 0, 100)
    assert sorted(placed) == placed
    assert min(np.diff(placed)) >= plot.ROW
    assert max(placed) <= 100


def test_a_label_has_room_for_its_words_in_the_widest_font():
    # Advances of bold DejaVu Sans in thousandths of an em, read from the font.
    advances = dict(zip("DPM, SE-olver+120cas", (830, 733, 995, 380, 348, 720, 683, 415, 687, 343, 652, 678, 493, 838,
                                                 696, 696, 696, 593, 675, 595), strict=True))  # fmt: skip
    for words in ("DDPM, SDE-DPM-Solver++", "DDPM, SDE-DPM-Solver++, 20 calls"):
        needed = plot.SIZE * sum(advances[glyph] for glyph in words) / 1000
        assert needed <= plot.width_of(words) <= 1.2 * needed


@pytest.mark.parametrize("seed", range(20))
def test_labels_never_stand_on_one_another_on_what_is_taken_or_outside(seed):
    rng = np.random.default_rng(seed)
    spots = rng.uniform((0, 0), (400, 300), (40, 2))
    marks = [Box(x - 6, y - 6, x + 6, y + 6) for x, y in spots]
    room = Room(Box(0, 0, 400, 300), list(marks), plot.along([tuple(spot) for spot in spots[:5]]))
    labels = [Label(x, y, "label " * rng.integers(1, 4), "var(--ink)", int(rng.integers(3))) for x, y in spots]
    markup = room.place(labels)
    placed = room.taken[len(marks) :]
    assert placed and len(placed) == markup.count("<text")
    assert not any(one.meets(other) for one, other in itertools.combinations(placed, 2))
    assert not any(box.meets(mark) for box in placed for mark in marks)
    assert all(room.bounds.holds(box) for box in placed)


def test_a_label_keeps_clear_of_lines_where_it_can():
    label = Label(100, 100, "here", "var(--ink)")
    right, left = (label.box(*place) for place in plot.PLACES[:2])
    room = Room(Box(0, 0, 400, 300), crossed=[right])
    room.place([label])
    assert room.taken == [left]


def test_what_cannot_be_placed_is_left_out():
    room = Room(Box(0, 0, 400, 300), [Box(0, 0, 400, 300)])
    assert room.place([Label(100, 100, "here", "var(--ink)")]) == ""


def test_lines_are_kept_clear_of_along_their_whole_length():
    boxes = plot.along([(0, 0), (60, 0), (60, 30)])
    assert all(any(box.meets(Box(x, -0.5, x + 1, 0.5)) for box in boxes) for x in (0, 30, 59))
    assert max(box.bottom for box in boxes) == pytest.approx(31)


@pytest.mark.parametrize("value", [1.26, np.float32(1.26), np.float64(1.26)])
def test_a_number_of_any_kind_is_written_to_a_tenth_of_a_pixel(value):
    assert svg.element("rect", x=value, kind="real") == '<rect x="1.3" class="real"/>'
    assert svg.element("rect", x=np.int64(3)) == '<rect x="3.0"/>'


def test_a_rows_name_has_room_beside_the_chart_and_a_long_one_is_cut():
    assert svg.names_end([]) == svg.names_end(["VAE", "GAN", "DDPM"]) == 86
    assert 110 < svg.names_end(["VAE", "Blurry copier"]) < 140, "letters of 7 to 8 pixels"
    long = "Theirs, " + "a" * 60
    assert svg.names_end([long]) == svg.names_end(["b" * 60]) <= 180, "what is left is the chart's"
    assert "<title" not in svg.label("samples", "Blurry copier", 10)
    markup = svg.label("samples", f"<{long}>", 10)
    assert f"<title>&lt;{long}&gt;</title>" in markup and "…</text>" in markup
