"""Compare: what a visitor's settings and runs come to, and what is left to take away; with toy families."""

import json
import threading
from html import unescape
from unittest import mock

import gradio as gr
import pytest

from dashboard.app import build, header
from dashboard.pages.compare.page import Compare
from dashboard.service import PREVIEW, Result, downloads
from dashboard.service.device import Waiting
from dashboard.ui.run import in_line, status
from gencore import bundle
from gencore.family import image_seed
from tests.support.leases import taken


@pytest.fixture
def service(toy_service):
    return toy_service


def order(service, n=2, seed=7, **knobs):
    return service.order("dots", n, seed, {"toy": {"knobs": knobs}})


def visitor(name="visitor"):
    return mock.Mock(session_hash=name, query_params={})


def painted_by(running):
    """What is left of a run, but for updates that change nothing."""
    return [updates for updates in running if updates != gr.skip()]


def test_a_run_on_a_data_set_that_was_left_paints_nothing_more(service):
    with gr.Blocks():
        page = Compare(service)
    inputs = ["dots", 1, 7, "", "plain", 50, 0.0, *[""] * 9][
        : 3 + sum(len(lane.inputs) for lane in page.lanes.values())
    ]
    running = page.run(visitor(), {}, *inputs)
    begun, *painted = [next(running) for _ in range(3)]
    assert not begun[page.generate]["interactive"] and begun[page.stop]["interactive"]
    assert all(page.lanes["toy"].picture in update for update in painted)
    updates = page.switch(visitor(), "dots")
    assert updates[page.generate]["interactive"] and not updates[page.stop]["interactive"]
    assert not painted_by(running) and not service.device.busy
    with taken(service.device):
        running = page.run(visitor(), {}, *inputs)
        assert not next(running)[page.generate]["interactive"]
        assert in_line(Waiting(1)) in next(running)[page.status]
        page.switch(visitor(), "dots")
        assert not painted_by(running), "it was waiting for its turn"


def test_what_cannot_be_run_is_said_as_it_is_set_and_no_more_once_it_is_right(service):
    with gr.Blocks():
        page = Compare(service)
    values = ["", "plain", 50, 0.0, *[""] * 9][: sum(len(lane.inputs) for lane in page.lanes.values())]
    said = page.check(False, "dots", 4, "abc", *values)
    assert "must be a whole number" in said[page.status] and "alert" in said[page.status] and said[page.wrong]
    assert page.check(True, "dots", 4, "7", *values) == {page.wrong: False, page.status: status("")}
    assert page.check(False, "dots", 4, "7", *values)[page.status] == gr.skip(), "what a link or a run says stays"


def test_real_images_are_of_the_seed_that_the_lanes_show(service, monkeypatch):
    asked = []
    monkeypatch.setattr(service, "real", lambda _, n, seed: asked.append((n, seed)))
    with gr.Blocks():
        page = Compare(service)
    page.show_real_at_rest("dots", {})
    page.show_real("dots", 3, "77", {})
    assert asked == [(PREVIEW["n"], PREVIEW["seed"]), (3, 77)]


def test_a_fourth_family_shows_up_as_a_lane_with_its_knobs(service):
    config = json.dumps(build(service).get_config_file(), default=str)
    for part in ("lane-toy", "lane-failing", "toy-steps", "toy-push", "the lecture's own"):
        assert part in config
    assert "Toy &lt;1&gt;" in config and "<h2>Toy <1>" not in config
    assert 'href=\\"#compare\\"' in json.dumps(header(service))


def test_the_record_names_what_finished_and_what_did_not(service):
    wanted = order(service)
    result = build_result(service, wanted)
    settings = downloads.record(wanted, [result], service.machine)
    assert settings["lanes"]["toy"]["knobs"] == {"mode": "plain", "steps": 3, "push": 0.0}
    assert settings["image_seeds"] == [image_seed(7, 0), image_seed(7, 1)]
    assert settings["not_finished"] == []
    assert downloads.record(wanted, [], service.machine)["not_finished"] == ["toy"]


def test_the_zip_is_a_bundle_that_is_made_again_to_the_bit(service, tmp_path):
    wanted = order(service, n=3)
    paths = downloads.write(tmp_path, wanted, [build_result(service, wanted)], service.machine)
    (one,) = bundle.replay(bundle.read_bundle(paths[-1]))
    assert one.same and (one.lane, one.checkpoint, one.n) == ("toy", "dots/toy", 3)


def build_result(service, wanted):
    *_, frame = service.run(wanted, threading.Event())
    return Result("toy", "Toy", frame.images, 1.0, frame.index, frame.seconds, wanted.parts[0])


def test_what_a_link_says_and_is_no_number_is_left_out_with_a_sentence(service):
    with gr.Blocks():
        page = Compare(service)
    asked = mock.Mock(
        session_hash="visitor", query_params={"seed": "abc", "n": "1.5", "data": "dots", "toy.steps": "9"}
    )
    updates = page.restore(asked, "#compare")
    assert (updates[page.n], updates[page.seed]) == (PREVIEW["n"], str(PREVIEW["seed"]))
    for words in (
        "The link's n was left out: The number of images must be a whole number from 1 to 100, not '1.5'.",
        f"The link's seed was left out: A seed must be a whole number from 0 to {2**63 - 1}, not 'abc'.",
    ):
        assert words in unescape(updates[page.status])
    (steps,) = (one for one in page.lanes["toy"].knobs.inputs if one.elem_id.endswith("steps"))
    assert updates[steps]["value"] == 9, "what is good is taken"
    good = page.restore(mock.Mock(session_hash="visitor", query_params={"seed": "7", "n": "100"}), "")
    assert (good[page.n], good[page.seed]) == (100, "7") and "Settings from the link" in good[page.status]
    other = page.restore(mock.Mock(session_hash="visitor", query_params={"seed": "7"}), "#diversity")
    assert other[page.seed] == str(PREVIEW["seed"]), "that is the seed of another page"
