"""Knobs as controls: what they say, what shows, and what a link restores."""

import gradio as gr
import pytest

from dashboard.ui import knobs
from dashboard.ui.knobs import CUSTOM, KnobPanel
from gencore.family import Knob, Point


class Toy:
    knobs = (
        Knob("mode", "plain", choices=("plain", "eager"), help="How."),
        Knob("steps", 3, 1, 50, integer=True, help="Network calls."),
        Knob("push", 0.0, 0.0, 1.0, help="How hard.", when={"mode": ("eager",)}),
    )
    points = (
        Point("three", {}, "headline"),
        Point("one", {"steps": 1}, "lecture"),
        Point("pushed", {"mode": "eager", "push": 0.5}, "sweep"),
    )


class Plain:
    knobs = (Knob("heat", 1.0, 0.0, 2.0),)
    points = ()


def panel(**options):
    with gr.Blocks():
        return KnobPanel({"toy": Toy, "plain": Plain}, "page", **options)


def visible(updates, controls):
    return [updates[control]["visible"] for control in controls]


def test_knobs_without_effect_are_left_out():
    assert knobs.chosen(Toy.knobs, ["plain", 5, 0.7]) == {"mode": "plain", "steps": 5}
    assert knobs.chosen(Toy.knobs, ["eager", 5, 0.7]) == {"mode": "eager", "steps": 5, "push": 0.7}


def test_the_setting_is_named_after_where_the_controls_stand():
    assert knobs.match(Toy.knobs, Toy.points, ["plain", 1, 0.0]) == "one (the lecture's own)"
    assert knobs.match(Toy.knobs, Toy.points, ["plain", 9, 0.0]) == CUSTOM


def test_a_panel_says_the_knobs_of_each_of_its_families():
    mine = panel()
    values = ["eager", 5, 0.7, 1.5]
    assert len(mine.inputs) == len(values)
    assert mine.given("toy", values) == {"mode": "eager", "steps": 5, "push": 0.7}
    assert mine.given("plain", values) == {"heat": 1.5}
    assert mine.given("unknown", values) == {}
    assert [one.elem_id for one in mine.inputs] == ["page-toy-mode", "page-toy-steps", "page-toy-push",
                                                    "page-plain-heat"]  # fmt: skip


def test_one_familys_column_is_shown_at_a_time():
    mine = panel(shown="plain")
    assert [column.visible for column in mine.columns.values()] == [False, True]
    assert visible(mine.show("toy"), mine.columns.values()) == [True, False]
    assert visible(mine.show(""), mine.columns.values()) == [False, False]
    assert not panel(columns=False).columns


def test_a_turned_knob_shows_what_has_an_effect_and_names_the_setting():
    mine = panel(presets=True)
    updates = mine.turn("toy", "three", "eager", 3, 0.5)
    assert visible(updates, mine.controls["toy"]) == [True, True, True]
    assert updates[mine.presets["toy"]] == "pushed"
    assert visible(mine.turn("toy", "pushed", "plain", 3, 0.5), mine.controls["toy"]) == [True, True, False]
    assert mine.turn("toy", "three", "plain", None, 0.5)[mine.presets["toy"]] == CUSTOM, "an emptied field"


def test_a_chosen_setting_puts_the_knobs_to_its_values():
    mine = panel(presets=True)
    updates = mine.choose("toy", "pushed", "plain", 9, 0.0)
    assert [updates[one]["value"] for one in mine.controls["toy"]] == ["eager", 3, 0.5]
    assert mine.presets["toy"] not in updates, "it says so already, also where another setting has the same values"
    assert mine.choose("toy", CUSTOM, "plain", 9, 0.0) == {mine.presets["toy"]: CUSTOM}
    updates = mine.set("toy", {"mode": "plain", "steps": 1, "push": 0.0})
    assert updates[mine.presets["toy"]] == "one (the lecture's own)"
    assert visible(updates, mine.controls["toy"]) == [True, True, False]


def test_knobs_can_start_elsewhere_and_be_left_out():
    mine = panel(starts={"toy": {"mode": "eager", "push": 0.5}}, left_out={"toy": Toy.knobs[1]}, presets=True)
    assert [one.value for one in mine.inputs] == ["eager", 0.5, 1.0]
    assert mine.presets["toy"].value == "pushed"
    assert mine.given("toy", ["eager", 0.25, 1.0]) == {"mode": "eager", "push": 0.25}


@pytest.mark.parametrize(("presets", "listeners"), [(False, 3), (True, 6)])
def test_a_change_is_listened_to_only_where_it_changes_something_else(presets, listeners):
    with gr.Blocks() as demo:
        mine = KnobPanel({"toy": Toy, "plain": Plain}, "page", presets=presets)
        after = mine.connect()
        assert len(demo.fns) == listeners
        for follow in after:
            follow(lambda: None)
    assert len(after) == len(mine.inputs) + len(mine.presets)
