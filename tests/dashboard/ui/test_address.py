"""What an address says of a page: read with its bounds, written by the components, and what is not usable said."""

from unittest import mock

import gradio as gr
import pytest

from dashboard.service import InputError
from dashboard.ui import address
from dashboard.ui.address import Address, asked, choice, number
from dashboard.ui.knobs import KnobPanel
from tests.support.toys import Toy

RUNS = {"dots": ["dots/toy", "dots/other"], "lines": ["lines/toy"]}


@pytest.fixture
def mine():
    with gr.Blocks() as root:
        found = Address("page", lambda: list(RUNS))
        found.keep("data", gr.Dropdown(list(RUNS), value="dots"))
        found.keep("run", gr.Dropdown([]), among=RUNS.get)
        found.keep("runs", gr.Dropdown([], value=[], multiselect=True), among=RUNS.get, first=lambda data: RUNS[data])
        found.keep("width", gr.Slider(0, 3, value=1, step=0.1))
        found.keep("draws", gr.Slider(20, 200, value=100, step=20))
        found.keep("between", gr.Radio(["two seeds", "two images"], value="two seeds"))
        found.keep("columns", gr.CheckboxGroup(["a b", "c"], value=["c"]))
        found.keep("log", gr.Checkbox(True))
        found.keep("seed", gr.Textbox("42"))
        found.scripts("moment", number("moment", 0, 9, whole=True))
        found.knobs(KnobPanel({"toy": Toy}, "page", starts={"toy": {"steps": 3}}), "left.")
    assert address.addresses(root) == [found]
    return found


def component(mine, name):
    return next(one.component for one in mine.fields if one.name == name)


GOOD = {
    "data": ("lines", "lines"),
    "run": ("lines/toy", "lines/toy"),
    "runs": ("lines/toy", ["lines/toy"]),
    "width": ("2.5", 2.5),
    "draws": ("40", 40),
    "between": ("two-images", "two images"),
    "columns": ("a-b,c", ["a b", "c"]),
    "log": ("no", False),
    "seed": ("7", "7"),
    "moment": ("3", 3),
    "left.toy.steps": ("9", 9),
}


def test_what_an_address_says_is_read_as_the_components_have_it(mine):
    values, problems, dropped = mine.read({name: text for name, (text, _) in GOOD.items()})
    assert values == {name: value for name, (_, value) in GOOD.items()} and not problems and not dropped
    updates = mine.set(values)
    for name in ("width", "draws", "between", "columns", "log", "seed"):
        assert updates[component(mine, name)] == GOOD[name][1]
    assert updates[component(mine, "run")] == gr.update(choices=["lines/toy"], value="lines/toy")
    assert updates[component(mine, "data")]["value"] == "lines"
    assert updates[component(mine, "left.toy.steps")]["value"] == 9
    assert set(updates) <= set(mine.outputs)


def test_what_it_does_not_say_is_as_usual(mine):
    updates = mine.set(mine.read({"width": "2", "foreign": "1"})[0])
    assert updates[component(mine, "run")]["value"] == "dots/toy", "what is chosen is known before the page is opened"
    assert updates[component(mine, "runs")]["value"] == RUNS["dots"]
    assert component(mine, "between") not in updates and component(mine, "left.toy.steps") not in updates
    assert mine.set({}) == {}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("data", "nosuch", "There is no data set 'nosuch'"),
        ("run", "lines/toy", "There is no run 'lines/toy'"),
        ("runs", "dots/toy,x", "There is no runs 'x'"),
        ("width", "9", "width must be a number from 0 to 3, not 9."),
        ("width", "nan", "width must be a number from 0 to 3, not 'nan'."),
        ("draws", "40.5", "draws must be a whole number from 20 to 200, not '40.5'."),
        ("between", "two images", "There is no between 'two images'"),
        ("log", "1", "There is no log '1'"),
        ("seed", "-3", "A seed must be a whole number from 0 to"),
        ("moment", "x" * 9999, "moment must be a whole number from 0 to 9"),
        ("left.toy.push", "7", "push must be a number from 0 to 1"),
    ],
)
def test_what_is_not_usable_is_left_out_and_said_in_a_sentence(mine, name, text, words):
    values, (problem,), dropped = mine.read({name: text, "columns": "none"})
    assert values == {"columns": []} and dropped == [name]
    assert problem.startswith(f"The link's {name} was left out: {words}") and len(problem) < 300


def test_the_script_is_told_what_is_usual(mine):
    told = {one["name"]: one for one in (field.told(["dots", "lines"]) for field in mine.fields)}
    assert told["run"] == {"name": "run", "usual": {"dots": "dots/toy", "lines": "lines/toy"}, "by": True}
    assert told["moment"] == {"name": "moment"}
    assert told["between"]["words"] == {"two seeds": "two-seeds", "two images": "two-images"}
    assert told["left.toy.steps"]["usual"] == 3, "where the control starts, not the knob's own default"


def test_a_page_that_is_not_shown_takes_the_data_set_alone():
    request = mock.Mock(query_params={"data": "dots", "seed": "3"})
    assert asked(request, "#page/panel", "page") == asked(request, "", "page") == {"data": "dots", "seed": "3"}
    assert asked(request, "#other", "page") == {"data": "dots"}


def test_a_choice_is_refused_with_what_is_near():
    with pytest.raises(InputError, match="pixels"):
        choice("pixel", {"pixels": "pixels"}, "features")
